# shellcheck shell=bash
# ./build test fuzz: the fuzz targets for longer than the minute that every ./build test gives them. Needs nothing but the SDK.

fuzz_usage="./build test fuzz [--minutes NUMBER] [--only TARGET]: NUMBER of minutes for each (10), and of which targets: the ones that begin so"

fuzz() {
    local minutes=10 only=
    while [[ $# -gt 0 ]]; do
        case $1 in
            --minutes) minutes=${2:-} && shift ;;
            --only) only=${2:-} && shift ;;
            *) fail "what is '$1'?" "$fuzz_usage" ;;
        esac
        shift || fail "$fuzz_usage"
    done
    [[ $minutes =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "'$minutes' is no number of minutes." "$fuzz_usage"
    need_sdk
    restore && compile
    step "fuzzing, $minutes min for each target, two at a time"
    IMAGE_CRI_SHIM_FUZZ_MINUTES=$minutes run_suite fuzz -class "ImageCriShim.Tests.Fuzzing.Fuzzing${only}*" -trait suite=slow -maxThreads 2 -showLiveOutput
    say "$passed targets kept their promises, $failed did not; findings are in artifacts/fuzz"
    [[ $passed -gt 0 && $failed -eq 0 ]]
}
