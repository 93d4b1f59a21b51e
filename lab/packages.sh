# shellcheck shell=bash
# Debian packages: installed where they are plain tools, unpacked into the lab's cache where they would start a daemon,
# replace something of the host, or come from another suite. The host's own package sources are never changed.

export DEBIAN_FRONTEND=noninteractive

# install_packages PACKAGE...: only what is missing, saying so; one apt-get update when the lists are old.
install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    [[ $(id -u) -eq 0 ]] || fail "these packages are missing: ${missing[*]}" "Run as root, or first: sudo apt-get install ${missing[*]}"
    note "installing: ${missing[*]}"
    apt_install "${missing[@]}" || { quietly "$(lab_log apt-update)" apt-get update -q && apt_install "${missing[@]}"; } ||
        fail "apt-get could not install ${missing[*]}:" "$(tail -n 3 "$(lab_log apt-install)")" "All of it: $(lab_log apt-install)"
}

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || printf '%s\n' "$package"
    done
}

apt_install() {
    apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$@" </dev/null >"$(lab_log apt-install)" 2>&1
}

# host_mirror: the archive that this host takes its own Debian from (the security archive does not hold other suites).
host_mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk '$2 == "Debian" && $3 == "main" && $1 !~ /security/ { print $1; exit }'
}

# suite_apt SUITE TOOL...: apt-get or apt-cache with only that suite, its lists and downloads in the lab's cache.
suite_apt() {
    local suite=$1 tool=$2 apt=$LAB_CACHE/apt/$1
    shift 2
    "$tool" -q -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/none" \
        -o "Dir::Etc::preferences=$apt/none/none" -o "Dir::Etc::preferencesparts=$apt/none" \
        -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$apt/cache" \
        -o APT::Sandbox::User=root -o APT::Get::List-Cleanup=false "$@" </dev/null
}

update_suite() {
    local suite=$1 apt=$LAB_CACHE/apt/$1 mirror
    mirror=$(host_mirror)
    [[ -n $mirror ]] || fail "no Debian archive among this host's package sources (run apt-get update once, or see apt-cache policy)."
    mkdir -p "$apt"/{none,lists/partial,cache/archives/partial}
    printf 'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$apt/sources.list"
    suite_apt "$suite" apt-get update -o APT::Update::Error-Mode=any >"$(lab_log "apt-update-$suite")" 2>&1
}

# unpack_package SUITE PACKAGE DIRECTORY: that suite's newest PACKAGE unpacked, not installed. False if it cannot be had.
unpack_package() {
    local suite=$1 package=$2 directory=$3 download=$LAB_CACHE/apt/$1/download
    [[ ! -e $directory/.complete-$package ]] || return 0
    [[ -n ${suite_is_fresh[$suite]:-} ]] || update_suite "$suite" || return 1
    suite_is_fresh[$suite]=yes
    rm -rf "$download" && mkdir -p "$download" "$directory"
    (cd "$download" && suite_apt "$suite" apt-get download "$package") >"$(lab_log "apt-download-$package")" 2>&1 || return 1
    dpkg -x "$download/$package"_*.deb "$directory" && touch "$directory/.complete-$package"
}
declare -A suite_is_fresh=()

# fetch_source SUITE PACKAGE DIRECTORY: the archives of that suite's source package. False if they cannot be had.
fetch_source() {
    local suite=$1 package=$2 directory=$3 apt=$LAB_CACHE/apt/$1-sources mirror
    mirror=$(host_mirror)
    mkdir -p "$apt"/{none,lists/partial,cache/archives/partial} "$directory"
    printf 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$mirror" "$suite" >"$apt/sources.list"
    suite_apt "$suite-sources" apt-get update -o APT::Update::Error-Mode=any >"$(lab_log "apt-update-$suite-sources")" 2>&1 || return 1
    (cd "$directory" && suite_apt "$suite-sources" apt-get source --download-only "$package") >"$(lab_log "apt-source-$package")" 2>&1
}

# forget_suites: their lists take more room than what is unpacked, and are old tomorrow.
forget_suites() {
    rm -rf "$LAB_CACHE/apt"
    suite_is_fresh=()
}

lab_log() {
    mkdir -p "$LAB_CACHE/logs"
    printf '%s/logs/%s.log' "$LAB_CACHE" "$1"
}
