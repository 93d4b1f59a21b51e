# shellcheck shell=bash
# Callers and runtimes on grpc-go, distribution/reference and crypto/x509 (tests/peers/go), compiled with Debian's Go and libraries, which are
# unpacked into the lab's cache.
# There are two callers, since grpc-go has changed much: on 1.33, near to what kubelets of 1.20 have, and on 1.64, near to those of 1.31.

declare -A go_suites=([1.33]=bookworm [1.64]=trixie)
declare -A go_compilers=([1.33]=1.19 [1.64]=1.24)
go_programs=(caller-1.33 caller-1.64 runtime-1.64 references-1.64 certificates-1.64)
go_libraries=(golang-google-grpc-dev golang-google-genproto-dev golang-google-protobuf-dev golang-github-golang-protobuf-1-5-dev
    golang-golang-x-net-dev golang-golang-x-sys-dev golang-golang-x-text-dev)
go_newer_libraries=(golang-github-distribution-reference-dev golang-github-opencontainers-go-digest-dev)

# go_peers: prints the directory that holds the programs; they are compiled again only when their sources change.
go_peers() {
    local sources directory
    sources=$(cat "$ROOT"/tests/peers/go/*/*.go "$ROOT/lab/go.sh" | sha256sum | cut -c 1-16)
    directory=$LAB_CACHE/go-peers/$sources
    [[ -e $directory ]] || install_go_peers "$directory" >&2
    printf '%s\n' "$directory"
}

# install_go_peers DIRECTORY: one build at a time, as of everything in the cache.
install_go_peers() {
    mkdir -p "$LAB_CACHE"
    (
        flock 9
        [[ ! -e $1 ]] || exit 0
        unpack_go && compile_go_peers "$1"
    ) 9>"$LAB_CACHE/install.lock"
}

unpack_go() {
    local version
    for version in "${!go_suites[@]}"; do
        unpack_go_compiler "${go_suites[$version]}" "${go_compilers[$version]}" "${go_libraries[@]}"
    done
    unpack_go_compiler "${go_suites[1.64]}" "${go_compilers[1.64]}" "${go_newer_libraries[@]}"
    forget_suites
}

# unpack_go_compiler SUITE GO-VERSION [LIBRARY-PACKAGE...]: into $LAB_CACHE/go-VERSION.
unpack_go_compiler() {
    local suite=$1 go=$2 package
    shift 2
    for package in "golang-$go-go" "golang-$go-src" "$@"; do
        unpack_package "$suite" "$package" "$LAB_CACHE/go-$go" || fail "$package could not be had from Debian's $suite." "See $LAB_CACHE/logs."
    done
}

# compile_go_peers DIRECTORY: which has either all of them or is not there.
compile_go_peers() {
    local program unformatted workspace=$LAB_CACHE/go-peers/work
    rm -rf "$workspace" && mkdir -p "$workspace/src" "$workspace/out"
    cp -r "$ROOT/tests/peers/go" "$workspace/src/peers"
    unformatted=$("$(go_home 1.64)/bin/gofmt" -l "$workspace/src/peers")
    [[ -z $unformatted ]] || fail "gofmt would change these files:" "$unformatted"
    note "compiling the peers on grpc-go"
    with_go 1.64 vet peers/wire peers/caller peers/runtime peers/references peers/certificates
    for program in "${go_programs[@]}"; do
        with_go "${program#*-}" build -trimpath -ldflags '-s -w' -o "$workspace/out/$program" "peers/${program%-*}"
    done
    mv "$workspace/out" "$1"
}

go_home() { printf '%s/go-%s/usr/lib/go-%s' "$LAB_CACHE" "${go_compilers[$1]}" "${go_compilers[$1]}"; }

# with_go GRPC-VERSION COMMAND...: of go, on the libraries that belong to it.
with_go() {
    local version=$1
    shift
    quietly "$(lab_log "go-$1")" env GO111MODULE=off CGO_ENABLED=0 GOFLAGS= GOROOT="$(go_home "$version")" \
        GOCACHE="$LAB_CACHE/go-peers/cache" GOPATH="$LAB_CACHE/go-peers/work:$LAB_CACHE/go-${go_compilers[$version]}/usr/share/gocode" \
        nice "$(go_home "$version")/bin/go" "$@" || fail "the peers on grpc-go do not compile: go $*"
}
