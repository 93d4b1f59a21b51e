# shellcheck shell=bash
# Compiling, and running the suites. A test says by its trait "suite" what it needs (CONTRIBUTING.md); one without a trait is fast and needs only the SDK.

test_packages=(shellcheck systemd nghttp2-client curl jq strace groff-base zsh fish)

# The suites that start the program as a process. They run on the published one.
published_suites=(booted endtoend faults kubelet soak)

test_usage="./build test [faults | kubelet | soak | fuzz | --repeat N CLASS] [--stress [busy | one-core | throttled]]; see ./build help"

test_all() {
    local what=test_everything stress=()
    if [[ ${1:-} == --stress ]]; then # it may stand before the rest as well
        stress=("$1") && shift
        case ${1:-} in busy | one-core | throttled) stress+=("$1") && shift ;; esac
    fi
    case ${1:-} in
        faults | kubelet | soak) what=test_$1 && shift ;;
        --repeat) what=test_repeatedly && shift ;;
        --* | '') ;;
        *) fail "what is '$1'?" "$test_usage" ;;
    esac
    need_sdk
    need_root "./build test" test
    need_debian "./build test"
    run_and_undo end_test_labs under_stress "$what" "$@" "${stress[@]}"
}

# Tests make their labs below this directory, so that what a killed test leaves behind can be found.
test_labs=/tmp/image-cri-shim-tests

end_test_labs() {
    local lab
    for lab in "$test_labs"/*; do
        if ! is_used "$lab"; then end_lab "$lab"; fi
    done
    rmdir "$test_labs" 2>/dev/null || true
}

# is_used LAB: by a run of the tests beside this one. That of this run has ended, or ends now; its process is in the lab's name.
is_used() {
    local owner=${1##*/p} seconds
    owner=${owner%%-*}
    for seconds in 1 2 3 4 5; do
        [[ $(cat "/proc/$owner/comm" 2>/dev/null) == dotnet ]] || return 1
        sleep 1
    done
}

test_everything() {
    prepare_tests
    step "fast"
    run_fast "$@"
    step "scripts, units, alert rules"
    test_command "shellcheck" shellcheck -x build lab/lab
    test_command "systemd-analyze verify" verify_units
    test_command "systemd-analyze security" verify_exposure
    test_command "promtool alert rules" verify_rules
    step "publish"
    publish
    test_command "promtool metrics" verify_metrics
    step "the Debian package"
    test_deb
    step "slow: fuzzing for a minute each, and what takes as long"
    run_suite slow -trait suite=slow "$@"
    step "end to end, with the published program; real registries and runtimes"
    run_published endtoend -trait suite=endtoend -trait suite=node "$@"
    step "a booted node, with the Debian package"
    run_published booted -trait suite=booted "$@"
    run_kubelet "$@"
    step "faults, with the published program"
    run_published faults -trait suite=faults "$@"
    end_tests
}

# test_kubelet [ARGUMENTS...]: of the test runner.
test_kubelet() {
    prepare_tests
    step "publish"
    publish
    run_kubelet "$@"
    end_tests
}

# run_kubelet: pods on a real kubelet, which is compiled the first time.
run_kubelet() {
    step "a real kubelet, with the published program"
    install_kubernetes
    run_published kubelet -trait suite=kubelet "$@"
}

# test_faults [--hours N] [ARGUMENTS...]: of the test runner. With --hours again and again, and with faults as long as they are on nodes.
test_faults() {
    local until=0
    if [[ ${1:-} == --hours ]]; then
        until=$(awk -v hours="$2" 'BEGIN { print int(hours * 3600) }')
        export IMAGE_CRI_SHIM_FAULTS_LONG=yes
        shift 2
    fi
    prepare_tests
    step "publish"
    publish
    until=$((SECONDS + until))
    step "faults, with the published program"
    run_published faults -trait suite=faults "$@"
    while [[ $SECONDS -lt $until && $failed -eq 0 ]]; do run_published faults -trait suite=faults "$@"; done
    end_tests
}

# test_soak [--minutes N]: an hour unless told otherwise.
test_soak() {
    if [[ ${1:-} == --minutes ]]; then
        export IMAGE_CRI_SHIM_SOAK_MINUTES=$2
        shift 2
    fi
    prepare_tests
    step "publish"
    publish
    step "soak, with the published program, for ${IMAGE_CRI_SHIM_SOAK_MINUTES:-60} minutes"
    run_published soak -trait suite=soak "$@"
    end_tests
}

# test_repeatedly N CLASS [ARGUMENTS...]: does CLASS fail by chance? Its name may begin or end with *.
test_repeatedly() {
    local times=${1:-} class=${2:-} run=run_suite number
    [[ $times =~ ^[0-9]+$ && -n $class ]] || fail "./build test --repeat N CLASS needs how often, and which class." "$test_usage"
    shift 2
    prepare_tests
    if needs_program "$class"; then
        step "publish"
        publish
        run=run_published
    fi
    for ((number = 1; number <= times; number++)); do
        step "$class, $number of $times"
        "$run" "repeat-$number" -class "$(filter_of "$class")" "$@"
    done
    [[ $((passed + failed)) -gt 0 ]] || fail "there is no test class $class."
    end_tests
}

# filter_of CLASS: for the test runner, which knows a star at the beginning and at the end alone.
filter_of() { if [[ $1 == \** ]]; then printf '%s\n' "$1"; else printf '*.%s\n' "$1"; fi; }

# needs_program CLASS: whether any class of that name is in a suite that starts the published program.
needs_program() {
    local suite traits=()
    for suite in "${published_suites[@]}"; do traits+=(-trait "suite=$suite"); done
    dotnet tests/ImageCriShim.Tests/bin/Release/net10.0/ImageCriShim.Tests.dll -list classes -class "$(filter_of "$1")" "${traits[@]}" |
        grep '^ImageCriShim\.' >/dev/null
}

prepare_tests() {
    mkdir -p "$LAB_CACHE"
    rm -rf artifacts/tests
    step "what the tests need"
    install_packages "${test_packages[@]}"
    install_lab
    install_clocks
    install_prometheus
    install_node_packages
    go_peers >/dev/null
    install_node
    lab_versions | sed 's/^/containerd /'
    leave_no_build_server
    step "compile"
    restore && compile
}

end_tests() {
    step "done in $(minutes "$SECONDS"); reports are in artifacts/tests"
    say_slowest
    say_times
    say_sums
}

# run_published NAME ARGUMENTS...: a suite on the published program. What it has figures of for people is shown when it has ended.
run_published() {
    local figures=$ROOT/artifacts/tests/$1.txt
    mkdir -p "$ROOT/artifacts/tests" && rm -f "$figures"
    IMAGE_CRI_SHIM_REPORT=$figures IMAGE_CRI_SHIM=$ROOT/artifacts/package/image-cri-shim run_suite "$@"
    [[ ! -e $figures ]] || cat "$figures"
}

run_fast() {
    local suite others=()
    for suite in node slow "${published_suites[@]}"; do others+=(-trait- "suite=$suite"); done
    run_suite fast "${others[@]}" "$@"
}

run_fast_tests() {
    run_fast "$@"
    say_sums
}

compile() { dotnet build ImageCriShim.slnx -c Release -nologo -v quiet -clp:NoSummary --no-restore </dev/null; }

# run_suite NAME ARGUMENTS...: of the test runner; adds to the sums. A runner that fails without a report counts as a failed test.
run_suite() {
    local name=$1 began=$SECONDS code=0
    local report=$ROOT/artifacts/tests/$name.xml log=$ROOT/artifacts/tests/$name.log
    shift
    mkdir -p "$ROOT/artifacts/tests" && rm -f "$report"
    # Tests that need just any containerd or docker-registry find the lab's: neither is installed.
    PATH=$LAB_CACHE/containerd-1.6/usr/bin:$LAB_CACHE/tools/usr/bin:$PATH \
        IMAGE_CRI_SHIM_LAB=$LAB_CACHE IMAGE_CRI_SHIM_LABS=$test_labs IMAGE_CRI_SHIM_ROOT=$ROOT \
        "${runner_prefix[@]}" dotnet tests/ImageCriShim.Tests/bin/Release/net10.0/ImageCriShim.Tests.dll -noLogo -noColor -xml "$report" "$@" \
        </dev/null 2>&1 | tee "$log" || code=${PIPESTATUS[0]}
    add_report "$report" "$code"
    suite_times+=("$name: $(minutes $((SECONDS - began)))")
}

# test_command NAME COMMAND...: a check that is not written in C# counts as one test.
test_command() {
    local name=$1 began=$SECONDS log code=0
    log=$ROOT/artifacts/tests/${1//[^a-zA-Z0-9]/-}.log
    shift
    mkdir -p "$ROOT/artifacts/tests"
    "$@" >"$log" 2>&1 || code=$?
    add_command "$name" "$code" "$log"
    if [[ $((SECONDS - began)) -ge 5 ]]; then suite_times+=("$name: $(minutes $((SECONDS - began)))"); fi
}

# The service names where the program will be, to start and to reload it; here it is not installed. A key that does not exist is worth a line
# to systemd-analyze only.
verify_units() {
    local directory said code=0
    directory=$(mktemp -d)
    sed -E 's#^(Exec[A-Za-z]+)=[^ ]*#\1=/bin/true#' packaging/image-cri-shim.service >"$directory/image-cri-shim.service"
    cp packaging/image-cri-shim.socket "$directory/"
    said=$(systemd-analyze verify "$directory/image-cri-shim.service" "$directory/image-cri-shim.socket" 2>&1) || code=$?
    rm -rf "$directory"
    [[ -z $said && $code -eq 0 ]] || { say "$said" && return 1; }
}

# What the service may do, from 0 (nothing) to 10 (everything); systemd-analyze counts in tenths. Its table is shown where it is too much.
max_exposure=30
verify_exposure() { systemd-analyze security --no-pager --offline=true --threshold="$max_exposure" packaging/image-cri-shim.service; }

# What a process can be shown another time with than others. Nothing starts with it unless it is told to.
install_clocks() {
    unpack_package bookworm libfaketime "$LAB_CACHE/tools" || fail "libfaketime could not be had from Debian." "See $LAB_CACHE/logs."
    forget_suites
}

install_node_packages() {
    local peers=$ROOT/tests/peers/node
    [[ ! $peers/node_modules/.package-lock.json -nt $peers/package-lock.json ]] || return 0
    command -v node >/dev/null || install_packages nodejs
    command -v npm >/dev/null || install_packages npm
    quietly "$(lab_log npm)" npm ci --prefix "$peers" --prefer-offline --no-audit --no-fund </dev/null || fail "npm could not install the packages of tests/peers/node."
}
