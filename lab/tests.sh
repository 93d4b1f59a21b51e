# shellcheck shell=bash
# Compiling, and running the suites. A test says by its trait "suite" what it needs: node (real containerds and registries), endtoend
# (also run against the published binaries), slow (minutes); all others need nothing and are fast.

# A build server must not find other packages than the ones that are written down.
restore_options=()
if [[ -n ${CI:-} ]]; then restore_options=(-p:RestoreLockedMode=true); fi

test_packages=(shellcheck systemd nghttp2-client curl jq)

passed=0 failed=0 skipped=0

test_all() {
    need_sdk
    need_root "./build test" test
    need_debian "./build test"
    run_and_undo end_test_labs test_everything "$@"
}

# Tests make their labs below this directory, so that what a killed test leaves behind can be found.
test_labs=/tmp/image-cri-shim-tests

end_test_labs() {
    local lab
    for lab in "$test_labs"/*; do end_lab "$lab"; done
    rmdir "$test_labs" 2>/dev/null || true
}

test_everything() {
    mkdir -p "$LAB_CACHE"
    step "what the tests need"
    install_packages "${test_packages[@]}"
    install_lab
    install_node_packages
    lab_versions | sed 's/^/containerd /'
    leave_no_build_server
    step "compile"
    restore && compile
    step "scripts and units"
    test_command "shellcheck" shellcheck -x build lab/lab
    test_command "systemd-analyze verify" verify_units
    test_command "systemd-analyze security" verify_exposure
    step "publish"
    publish_all
    step "every test, in the process of the tests"
    run_suite all "$@"
    local flavour
    for flavour in ready-to-run native; do
        step "end to end, with the published $flavour binary"
        IMAGE_CRI_SHIM=$ROOT/artifacts/package/$flavour/image-cri-shim DOTNET_GCgen0size=100000 run_suite "endtoend-$flavour" -trait suite=endtoend "$@"
    done
    step "done in $((SECONDS / 60)) min $((SECONDS % 60)) s; reports are in artifacts/tests"
    say "$passed passed, $failed failed, $skipped skipped"
    [[ $failed -eq 0 ]]
}

run_fast_tests() {
    run_suite fast -trait- suite=node -trait- suite=endtoend -trait- suite=slow "$@"
    say "$passed passed, $failed failed, $skipped skipped"
    [[ $failed -eq 0 ]]
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
    local report=$1 code=$2 before=$failed
    if [[ -e $report ]]; then
        passed=$((passed + $(sum_of passed "$report")))
        failed=$((failed + $(sum_of failed "$report") + $(sum_of errors "$report")))
        skipped=$((skipped + $(sum_of skipped "$report")))
    fi
    if [[ $code -ne 0 && $failed -eq $before ]]; then
        note "the test runner ended with $code."
        failed=$((failed + 1))
    fi
}

# sum_of ATTRIBUTE REPORT: over the assemblies in an xunit report.
sum_of() { grep -o '<assembly [^>]*' "$2" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# test_command NAME COMMAND...: a check that is not written in C# counts as one test.
test_command() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        say "$name: passed"
    else
        failed=$((failed + 1))
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

install_node_packages() {
    local peers=$ROOT/tests/peers/node
    [[ -e $peers/package.json ]] || return 0
    command -v node >/dev/null || install_packages nodejs
    command -v npm >/dev/null || install_packages npm
    quietly "$(lab_log npm)" npm ci --prefix "$peers" --no-audit --no-fund </dev/null || fail "npm could not install the packages of tests/peers/node."
}
