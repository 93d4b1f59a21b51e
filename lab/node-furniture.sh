# shellcheck shell=bash
# What a node has beside Debian, each with its unit: runtimes and registries from the lab's cache, bound into it below /opt, and a kubelet
# stand-in.

# furnish_node DIRECTORY [--kubelet] [--runtime containerd-VERSION]... [--registry NAME:PORT[=USER:PASSWORD]]...
furnish_node() {
    local directory=$1 root=$1/node/root unit=containerd registries=() runtimes=() runtime
    shift
    printf -- '--bind-ro=%s:/opt/tools\n' "$LAB_CACHE/tools" >"$directory/node/binds"
    : >"$directory/node/sockets"
    install -m 755 "$ROOT/lab/node/init" "$root/usr/sbin/lab-init"
    node_name "$directory" >"$root/etc/hostname"
    printf '127.0.0.1 localhost %s\n' "$(node_name "$directory")" >"$root/etc/hosts"
    while [[ $# -gt 0 ]]; do
        case $1 in
            --runtime) runtimes+=("${2#containerd-}") && shift ;;
            --registry) registries+=("$2") && furnish_registry "$directory" "$2" && shift ;;
            --kubelet) furnish_kubelet "$root" ;;
            *)
                fail "node start: what is '$1'?" \
                    "It takes --kubelet, --runtime containerd-VERSION and --registry NAME:PORT[=USER:PASSWORD]."
                ;;
        esac
        shift
    done
    for runtime in "${runtimes[@]}"; do
        [[ $runtime == "${runtimes[0]}" ]] || unit=containerd-$runtime
        furnish_runtime "$directory" "$runtime" "$unit" "${registries[@]%%=*}"
    done
}

# furnish_runtime DIRECTORY VERSION UNIT REGISTRY...: its images lie outside of the node's root, which is an overlay already.
furnish_runtime() {
    local directory=$1 version=$2 unit=$3 root=$1/node/root home=$1/node/$3
    shift 3
    containerd_version "$version" >/dev/null || fail "containerd $version is not installed: lab/lab install $version"
    mkdir -p "$home/root" "$root/etc/$unit"
    printf -- '--bind-ro=%s:/opt/containerd-%s\n' "$LAB_CACHE/containerd-$version/usr/bin" "$version" >>"$directory/node/binds"
    printf -- '--bind=%s:/var/lib/%s\n' "$home/root" "$unit" >>"$directory/node/binds"
    write_hosts "$root/etc/$unit/certs.d" "${@/#/http://}"
    containerd_config "$home" "$version" registry.k8s.io/pause:latest '' | sed "s#$home/root#/var/lib/$unit#; s#$home/state#/run/$unit#
        s#$home/\([a-z]*\.sock\)#/run/$unit/\1#; s#$home/net.d#/etc/cni/net.d#; s#$home#/etc/$unit#; s#$LAB_CACHE/tools#/opt/tools#" \
        >"$root/etc/$unit/config.toml"
    tar -C "$LAB_CACHE/images/pause" -cf "$root/opt/pause.tar" .
    write_unit "$root" "$unit" "s#@VERSION@#$version#; s#@UNIT@#$unit#" "$ROOT/lab/node/containerd.service"
    printf '/run/%s/containerd.sock\n' "$unit" >>"$directory/node/sockets"
    write_node_network "$root"
}

# The node's network is its own, so every node has the same one for its pods.
write_node_network() {
    mkdir -p "$1/etc/cni/net.d"
    cat >"$1/etc/cni/net.d/10-pods.conflist" <<'JSON'
{"cniVersion": "0.4.0", "name": "pods", "plugins": [{"type": "bridge", "bridge": "pods", "isGateway": true, "ipMasq": false,
 "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.98.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
JSON
}

# furnish_registry DIRECTORY NAME:PORT[=USER:PASSWORD]: on the node's loopback, by that name.
furnish_registry() {
    local root=$1/node/root registry=${2%%=*} auth='' name port home
    [[ $2 != *=* ]] || auth=${2#*=}
    name=${registry%:*} port=${registry##*:}
    [[ $name != "$registry" && $port =~ ^[0-9]+$ ]] || fail "node start: --registry takes NAME:PORT[=USER:PASSWORD], not '$2'."
    home=$root/var/lib/registry-$name
    mkdir -p "$home"
    printf '127.0.0.1 %s\n' "$name" >>"$root/etc/hosts"
    registry_config "$1" "$home" "$port" "$auth" '' '' | sed "s#$root##" >"$home/config.yml"
    write_unit "$root" "registry-$name" "s#@NAME@#$name#" "$ROOT/lab/node/registry.service"
}

# furnish_kubelet ROOT: set up as kubeadm does it, for containerd.
furnish_kubelet() {
    local root=$1
    install -m 755 "$ROOT/lab/node/kubelet" "$root/usr/bin/kubelet"
    mkdir -p "$root/var/lib/kubelet"
    printf 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n' \
        >"$root/var/lib/kubelet/kubeadm-flags.env"
    write_unit "$root" kubelet '' "$ROOT/lab/node/kubelet.service"
}

# write_unit ROOT NAME EDITS TEMPLATE: enabled.
write_unit() {
    sed "$3" "$4" >"$1/etc/systemd/system/$2.service"
    mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
    ln -s "../$2.service" "$1/etc/systemd/system/multi-user.target.wants/"
}
