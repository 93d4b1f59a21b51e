# shellcheck shell=bash
# The shim itself, as published.

shim_socket() { printf '%s/shim.sock\n' "$1"; }

# start_shim DIRECTORY RUNTIME-SOCKET KEY=VALUE...: with these settings.
start_shim() {
    local directory=$1 runtime=$2 setting
    shift 2
    {
        printf 'shim: %s\ncri: %s\n' "$(shim_socket "$directory")" "$runtime"
        for setting in "$@"; do printf '%s: "%s"\n' "${setting%%=*}" "${setting#*=}"; done
    } >"$directory/image-cri-shim.yaml"
    chmod 600 "$directory/image-cri-shim.yaml"
    start_daemon "$directory" shim "$ROOT/artifacts/package/image-cri-shim" -f "$directory/image-cri-shim.yaml"
    await "$directory" shim test -S "$(shim_socket "$directory")"
}
