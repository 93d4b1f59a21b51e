# shellcheck shell=bash
# What the suites came to: sums over all of them, what failed, how long each took, and which classes took longest.

passed=0 failed=0 skipped=0 failures=() suite_times=()

# add_report REPORT CODE: of the test runner. One that ended badly and reported no failed test counts as a failed test.
add_report() {
    local report=$1 code=$2 before=$failed name named
    name=$(basename "$report" .xml)
    if [[ -e $report ]]; then
        mapfile -t named < <(failures_of "$report")
        failures+=("${named[@]}")
        passed=$((passed + $(sum_of passed "$report")))
        failed=$((failed + $(sum_of failed "$report") + $(sum_of errors "$report")))
        skipped=$((skipped + $(sum_of skipped "$report")))
    fi
    if [[ $code -ne 0 && $failed -eq $before ]]; then
        note "the test runner ended with $code."
        failures+=("$name: the test runner ended with $code (artifacts/tests/$name.log)")
        failed=$((failed + 1))
    fi
}

# add_command NAME CODE LOG
add_command() {
    if [[ $2 -eq 0 ]]; then
        passed=$((passed + 1))
        say "$1: passed"
    else
        failed=$((failed + 1))
        failures+=("$1: $(tail -n 3 "$3" | tr '\n' ' ' | cut -c 1-300) (artifacts/tests/$(basename "$3"))")
        say "$1: FAILED"
        tail -n 20 "$3"
    fi
}

# sum_of ATTRIBUTE REPORT: over the assemblies in an xunit report.
sum_of() { grep -o '<assembly [^>]*' "$2" | grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ sum += $1 } END { print sum + 0 }'; }

# failures_of REPORT: a line for each test in it that failed, and for each fixture: its name, how its message begins, and where its log is.
failures_of() {
    awk -v suite="$(basename "$1" .xml)" -v RS='<' '
        /^test .* result="Fail"/ || /^error / { match($0, / name="[^"]*"/); name = substr($0, RSTART + 7, RLENGTH - 8) }
        /^!\[CDATA\[/ && name && tag ~ /^message>/ {
            sub(/^!\[CDATA\[/, ""); sub(/\]\]>.*/, ""); gsub(/[ \r\n]+/, " ")
            print suite ": " name ": " substr($0, 1, 300) " (artifacts/tests/" suite ".log)"
            name = ""
        }
        { tag = $0 }' "$1"
}

# say_slowest: the ten test classes that took longest, over all suites.
say_slowest() {
    say "slowest classes:"
    cat /dev/null "$ROOT"/artifacts/tests/*.xml | grep -o '<test [^>]*' |
        awk '{ type = time = ""
               if (match($0, / type="[^"]*"/)) type = substr($0, RSTART + 7, RLENGTH - 8)
               if (match($0, / time="[^"]*"/)) time = substr($0, RSTART + 7, RLENGTH - 8)
               sub(/.*\./, "", type); sum[type] += time }
             END { for (type in sum) printf "%8.1f s  %s\n", sum[type], type }' |
        sort -rn | sed -n 1,10p # not head: whoever writes into a pipe that is closed fails
}

say_times() {
    say "suites:"
    printf '    %s\n' "${suite_times[@]}"
}

# say_sums: what failed is named again here: a build server may keep no more of a long output.
say_sums() {
    if [[ ${#failures[@]} -gt 0 ]]; then printf 'FAILED: %s\n' "${failures[@]}"; fi
    say "$passed passed, $failed failed, $skipped skipped"
    [[ $failed -eq 0 ]]
}

# minutes SECONDS: as people say it.
minutes() { printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); }
