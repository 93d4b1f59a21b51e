# shellcheck shell=bash
# Work that leaves nothing behind, however it ends: by itself, by a failure, by Ctrl-C, by a signal.

# run_and_undo UNDO WORK [ARGUMENT...]: both are functions. The work runs apart (setsid), so that it can be ended as a whole, and so
# that the undoing is not interrupted by what interrupted the work. UNDO is given the work's exit code, which is the result.
run_and_undo() {
    local undo=$1 work code=0
    shift
    # shellcheck disable=SC2016
    setsid --wait bash -c 'set -euo pipefail; ROOT=$1; . "$ROOT/lab/all.sh"; shift; "$@"' lab "$ROOT" "$@" </dev/null &
    work=$!
    # shellcheck disable=SC2064
    trap "interrupted=yes; kill -TERM -- -$work 2>/dev/null || true" INT TERM HUP
    local interrupted=
    while wait "$work" || code=$? && kill -0 "$work" 2>/dev/null; do code=0; done
    trap '' INT TERM HUP
    if [[ -n $interrupted ]]; then
        kill -KILL -- "-$work" 2>/dev/null || true # what has not heard, such as npm
        code=130
    fi
    "$undo" "$code"
    trap - INT TERM HUP
    return "$code"
}
