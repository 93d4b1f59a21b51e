# shellcheck shell=bash
# Debian's Go, unpacked into the lab's cache: what is written in Go and has no package is compiled with it.

# install_go: once; under the installation's lock, which the caller holds.
install_go() {
    unpack_package bookworm golang-1.19-go "$LAB_CACHE/go" && unpack_package bookworm golang-1.19-src "$LAB_CACHE/go" ||
        fail "Go 1.19 could not be had from Debian." "See $LAB_CACHE/logs."
}

go_root() { printf '%s/go/usr/lib/go-1.19' "$LAB_CACHE"; }
