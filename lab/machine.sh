# shellcheck shell=bash
# What a machine must have before anything starts.

need_sdk() {
    command -v dotnet >/dev/null ||
        fail "the .NET 10 SDK is missing: no 'dotnet' on PATH." "Install it (https://dotnet.microsoft.com/download) and try again."
    dotnet --version >/dev/null 2>&1 ||
        fail "the .NET SDK here is too old: $(dotnet --list-sdks 2>/dev/null | tail -n 1)" "global.json asks for 10.0.100 or later."
}

need_root() {
    [[ $(id -u) -eq 0 ]] || fail "$1 needs root: it starts containers. Try: sudo ./build ${2:-}"
}

need_debian() {
    command -v apt-get >/dev/null ||
        fail "$1 takes its registry and container runtimes from Debian packages, and there is no apt-get here." "Use Debian 12 or later."
    [[ $(dpkg --print-architecture) == amd64 ]] ||
        fail "$1 runs on amd64; this is $(dpkg --print-architecture)."
}

# need_free_port PORT WHAT
need_free_port() {
    local holder
    holder=$(ss -Hltnp "sport = :$1" 2>/dev/null | sed -n 1p)
    [[ -z $holder ]] ||
        fail "port $1 is taken, and $2 needs it." "It is held by: $(sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (process \2)/p' <<<"$holder")"
}
