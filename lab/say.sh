# shellcheck shell=bash
# What the commands say, and how they stop.

say() { printf '%s\n' "$*"; }

note() { printf '%s\n' "$*" >&2; }

step() { printf '\n==> %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    if [[ $# -gt 0 ]]; then printf '       %s\n' "$@" >&2; fi
    exit 1
}

# quietly LOG COMMAND...: runs COMMAND, shows its output only if it fails.
quietly() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 && return 0
    local code=$?
    cat "$log" >&2
    return "$code"
}
