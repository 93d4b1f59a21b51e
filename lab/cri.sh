# shellcheck shell=bash
# Calling a runtime as kubelet does (cri.py). The messages come from the api.proto in Debian's package of it, used in place.

cri_packages=(python3 python3-grpcio python3-protobuf protobuf-compiler)
export PYTHONDONTWRITEBYTECODE=1
export LAB_CRI_DESCRIPTORS=$LAB_CACHE/cri-messages.pb

# cri SOCKET COMMAND...
cri() {
    local socket=$1
    shift
    /usr/bin/python3 "$ROOT/lab/cri.py" --socket "$socket" "$@"
}

install_cri() {
    install_packages "${cri_packages[@]}"
    [[ ! -e $LAB_CRI_DESCRIPTORS ]] || return 0
    local proto=$LAB_CACHE/proto
    unpack_package trixie golang-github-kubernetes-cri-api-dev "$proto" &&
        unpack_package trixie golang-github-gogo-protobuf-dev "$proto" &&
        unpack_package trixie libprotobuf-dev "$proto" || fail "the CRI's api.proto could not be had from Debian." "See $LAB_CACHE/logs."
    compile_messages "$proto/usr/share/gocode/src" "$proto/usr/include"
}

compile_messages() {
    protoc -I "$1" -I "$2" --include_imports --descriptor_set_out="$LAB_CRI_DESCRIPTORS.new" \
        "$1/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto" 2>"$(lab_log protoc)" || fail "protoc:" "$(cat "$(lab_log protoc)")"
    mv "$LAB_CRI_DESCRIPTORS.new" "$LAB_CRI_DESCRIPTORS"
}
