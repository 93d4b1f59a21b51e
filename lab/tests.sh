# shellcheck shell=bash
# Compiling, and running the suites. A test says by its trait "suite" what it needs: node (real containerds and registries), endtoend
# (also run against the published binaries), slow (minutes), booted (on a node that has booted systemd, with the Debian package of what is
# published), faults (only against the published binaries), soak (an hour, by itself); all others need nothing and are fast.

# A build server must not find other packages than the ones that are written down.
restore_options=()
if [[ -n ${CI:-} ]]; then restore_options=(-p:RestoreLockedMode=true); fi

test_packages=(shellcheck systemd nghttp2-client curl jq strace groff-base zsh fish)

passed=0 failed=0 skipped=0 failures=()

test_all() {
    local what=test_everything
    case ${1:-} in
        faults | soak) what=test_$1 && shift ;;
    esac
    need_sdk
    need_root "./build test" test
    need_debian "./build test"
    run_and_undo end_test_labs "$what" "$@"
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
    for seconds in 1 2 3 4 5; do
        [[ $(cat "/proc/$owner/comm" 2>/dev/null) == dotnet ]] || return 1
        sleep 1
    done
}

test_everything() {
    prepare_tests
    step "scripts and units"
    test_command "shellcheck" shellcheck -x build lab/lab
    test_command "systemd-analyze verify" verify_units
    test_command "systemd-analyze security" verify_exposure
    test_command "promtool: alert rules" verify_rules
    step "publish"
    publish_all
    test_command "promtool: metrics" verify_metrics
    step "the Debian package"
    test_deb
    step "every test, in the process of the tests"
    run_suite all -trait- suite=faults -trait- suite=booted -trait- suite=soak "$@"
    local flavour
    for flavour in ready-to-run native; do
        step "end to end, with the published $flavour binary"
        IMAGE_CRI_SHIM=$ROOT/artifacts/package/$flavour/image-cri-shim DOTNET_GCgen0size=100000 run_suite "endtoend-$flavour" -trait suite=endtoend "$@"
    done
    step "on a booted node, with the published binary's Debian package"
    run_suite booted -trait suite=booted "$@"
    run_faults "$@"
    end_tests
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
    publish_all
    until=$((SECONDS + until))
    run_faults "$@"
    while [[ $SECONDS -lt $until && $failed -eq 0 ]]; do run_faults "$@"; done
    end_tests
}

# run_faults: all of them with one flavour; with the other those that depend on what the program is made of, unless there is time for all.
run_faults() {
    local which=flavour=each
    [[ -z ${IMAGE_CRI_SHIM_FAULTS_LONG:-} ]] || which=suite=faults
    step "faults, with the published native binary"
    run_published faults-native native -trait suite=faults "$@"
    step "faults, with the published ready-to-run binary"
    run_published faults-ready-to-run ready-to-run -trait "$which" "$@"
}

# test_soak [--minutes N]: an hour unless told otherwise.
test_soak() {
    if [[ ${1:-} == --minutes ]]; then
        export IMAGE_CRI_SHIM_SOAK_MINUTES=$2
        shift 2
    fi
    prepare_tests
    step "publish"
    publish_all
    step "soak, with the published native binary, for ${IMAGE_CRI_SHIM_SOAK_MINUTES:-60} minutes"
    run_published soak-native native -trait suite=soak "$@"
    end_tests
}

prepare_tests() {
    mkdir -p "$LAB_CACHE"
    step "what the tests need"
    install_packages "${test_packages[@]}"
    install_lab
    install_clocks
    install_prometheus
    install_node_packages
    install_node
    lab_versions | sed 's/^/containerd /'
    leave_no_build_server
    step "compile"
    restore && compile
}

end_tests() {
    step "done in $((SECONDS / 60)) min $((SECONDS % 60)) s; reports are in artifacts/tests"
    say_sums
}

# What failed is named again at the end: a build server may keep no more of a long output.
say_sums() {
    if [[ ${#failures[@]} -gt 0 ]]; then printf 'FAILED: %s\n' "${failures[@]}"; fi
    say "$passed passed, $failed failed, $skipped skipped"
    [[ $failed -eq 0 ]]
}

# run_published NAME FLAVOUR ARGUMENTS...: a suite that has figures for people, shown when it has ended.
run_published() {
    local figures=$ROOT/artifacts/tests/$1.txt name=$1 flavour=$2
    shift 2
    mkdir -p "$ROOT/artifacts/tests" && rm -f "$figures"
    IMAGE_CRI_SHIM_REPORT=$figures IMAGE_CRI_SHIM=$ROOT/artifacts/package/$flavour/image-cri-shim DOTNET_GCgen0size=100000 \
        run_suite "$name" "$@"
    [[ ! -e $figures ]] || cat "$figures"
}

run_fast_tests() {
    run_suite fast -trait- suite=node -trait- suite=endtoend -trait- suite=slow -trait- suite=faults -trait- suite=booted -trait- suite=soak "$@"
    say_sums
}

restore() { dotnet restore ImageCriShim.slnx -nologo -v quiet "${restore_options[@]}" </dev/null; }

compile() { dotnet build ImageCriShim.slnx -c Release -nologo -v quiet -clp:NoSummary --no-restore </dev/null; }

# run_suite NAME ARGUMENTS...: of the test runner; adds to the sums. A runner that fails without a report counts as a failed test.
run_suite() {
    local report=$ROOT/artifacts/tests/$1.xml code=0
    shift
    mkdir -p "$ROOT/artifacts/tests" && rm -f "$report"
    # Tests that need just any containerd or docker-registry find the lab's: neither is installed.
    PATH=$LAB_CACHE/containerd-1.6/usr/bin:$LAB_CACHE/tools/usr/bin:$PATH \
        IMAGE_CRI_SHIM_LAB=$LAB_CACHE IMAGE_CRI_SHIM_LABS=$test_labs IMAGE_CRI_SHIM_ROOT=$ROOT \
        dotnet tests/ImageCriShim.Tests/bin/Release/net10.0/ImageCriShim.Tests.dll -noLogo -noColor -xml "$report" "$@" </dev/null || code=$?
    add_report "$report" "$code"
}

add_report() {
    local report=$1 code=$2 before=$failed named
    if [[ -e $report ]]; then
        mapfile -t named < <(failures_of "$report")
        failures+=("${named[@]}")
        passed=$((passed + $(sum_of passed "$report")))
        failed=$((failed + $(sum_of failed "$report") + $(sum_of errors "$report")))
        skipped=$((skipped + $(sum_of skipped "$report")))
    fi
    if [[ $code -ne 0 && $failed -eq $before ]]; then
        note "the test runner ended with $code."
        failures+=("$(basename "$report" .xml): the test runner ended with $code")
        failed=$((failed + 1))
    fi
}

# sum_of ATTRIBUTE REPORT: over the assemblies in an xunit report.
sum_of() { grep -o '<assembly [^>]*' "$2" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# failures_of REPORT: a line for each test in it that failed, and for each fixture: its name and how its message begins.
failures_of() {
    awk -v suite="$(basename "$1" .xml)" -v RS='<' '
        /^test .* result="Fail"/ || /^error / { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8) }
        /^!\[CDATA\[/ && name && tag ~ /^message>/ {
            sub(/^!\[CDATA\[/, ""); sub(/\]\]>.*/, ""); gsub(/[ \r\n]+/, " ")
            print suite ": " name ": " substr($0, 1, 300)
            name = ""
        }
        { tag = $0 }' "$1"
}

# test_command NAME COMMAND...: a check that is not written in C# counts as one test.
test_command() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        say "$name: passed"
    else
        failed=$((failed + 1))
        failures+=("$name")
        say "$name: FAILED"
    fi
}

# The service names where the program will be; here it is not installed. A key that does not exist is worth a line to systemd-analyze only.
verify_units() {
    local directory said code=0
    directory=$(mktemp -d)
    sed 's#^ExecStart=[^ ]*#ExecStart=/bin/true#' packaging/image-cri-shim.service >"$directory/image-cri-shim.service"
    cp packaging/image-cri-shim.socket "$directory/"
    said=$(systemd-analyze verify "$directory/image-cri-shim.service" "$directory/image-cri-shim.socket" 2>&1) || code=$?
    rm -rf "$directory"
    [[ -z $said && $code -eq 0 ]] || { say "$said" && return 1; }
}

# What the service may do, from 0 (nothing) to 10 (everything); systemd-analyze counts in tenths. Its table is shown where it is too much.
max_exposure=30
verify_exposure() {
    systemd-analyze security --no-pager --offline=true --threshold="$max_exposure" packaging/image-cri-shim.service >"$(lab_log exposure)" 2>&1 ||
        { cat "$(lab_log exposure)" && return 1; }
}

# What a process can be shown another time with than others. Nothing starts with it unless it is told to.
install_clocks() {
    unpack_package bookworm libfaketime "$LAB_CACHE/tools" || fail "libfaketime could not be had from Debian." "See $LAB_CACHE/logs."
    forget_suites
}

install_node_packages() {
    local peers=$ROOT/tests/peers/node
    [[ -e $peers/package.json ]] || return 0
    command -v node >/dev/null || install_packages nodejs
    command -v npm >/dev/null || install_packages npm
    quietly "$(lab_log npm)" npm ci --prefix "$peers" --no-audit --no-fund </dev/null || fail "npm could not install the packages of tests/peers/node."
}
