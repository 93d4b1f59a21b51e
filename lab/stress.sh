# shellcheck shell=bash
# Tests on a machine that has other work: what waits for a time instead of an event fails here sooner.

# What the test runner is started with.
runner_prefix=()

# under_stress WORK [--stress [busy | one-core | throttled]] [ARGUMENT...]: runs the function WORK with the other arguments.
#   busy        another load on every processor
#   one-core    one processor for all
#   throttled   another load on every processor, and a tenth of their time for the tests
under_stress() {
    local work=$1 arguments=() kind=''
    shift
    while [[ $# -gt 0 ]]; do
        case $1 in
            --stress)
                kind=busy
                case ${2:-} in busy | one-core | throttled) kind=$2 && shift ;; esac
                ;;
            *) arguments+=("$1") ;;
        esac
        shift
    done
    case $kind in
        '') ;;
        busy) keep_busy ;;
        one-core) runner_prefix=(taskset -c 0) ;;
        throttled) keep_busy && runner_prefix=(nice -n 10) ;;
    esac
    [[ -z $kind ]] || note "notice: the tests run under stress: $kind"
    "$work" "${arguments[@]}"
}

# keep_busy: until this shell ends.
keep_busy() {
    install_packages stress-ng
    stress-ng --quiet --cpu "$(nproc)" </dev/null >/dev/null 2>&1 &
    # shellcheck disable=SC2064
    trap "kill $! 2>/dev/null || true" EXIT
}
