# shellcheck shell=bash
# Kubelets: each on a containerd of the same directory, in that one's mount namespace, so that /var/log/pods is theirs alone.

# What kubelet wants of the kernel, and would write: in the namespace it reads what it wants, and the host keeps its own.
declare -A kubelet_sysctls=([vm/overcommit_memory]=1 [vm/panic_on_oom]=0 [kernel/panic]=10 [kernel/panic_on_oops]=1
    [kernel/keys/root_maxkeys]=1000000 [kernel/keys/root_maxbytes]=25000000)

# add_node_namespace DIRECTORY CONTAINERD: a process that holds a mount namespace open for that containerd and its kubelet.
add_node_namespace() {
    local directory=$1 name=$2 home=$1/$2/node sysctl
    mkdir -p "$home"/{log,sysctl}
    for sysctl in "${!kubelet_sysctls[@]}"; do printf '%s\n' "${kubelet_sysctls[$sysctl]}" >"$home/sysctl/${sysctl//\//.}"; done
    # shellcheck disable=SC2016
    start_daemon "$directory" "$name-namespace" unshare --mount --propagation private bash -euc '
        mount --bind "$0/log" /var/log
        for sysctl in "$@"; do mount --bind "$0/sysctl/${sysctl//\//.}" "/proc/sys/$sysctl"; done
        touch "$0/ready"
        exec sleep infinity' "$home" "${!kubelet_sysctls[@]}"
    await "$directory" "$name-namespace" test -e "$home/ready"
}

# in_node_namespace DIRECTORY CONTAINERD: words to put before a command, one a line; none if that containerd has no namespace of its own.
in_node_namespace() {
    local pid
    if pid=$(daemon_pid "$1" "$2-namespace"); then printf '%s\n' nsenter "--target=$pid" --mount --; fi
}

# start_kubelet DIRECTORY [--as NAME] [--on CONTAINERD] --runtime SOCKET [--image SOCKET] [--pause IMAGE] [--cluster] [--set JSON]: prints
# the address of its pods. The manifests in DIRECTORY/NAME/manifests are its static pods. --cluster: it is the node NAME of the directory's
# cluster. --set: more of its configuration. --pause: the image that it must not collect.
start_kubelet() {
    local directory=$1 name=kubelet containerd=containerd runtime='' image='' pause='' cluster='' more='{}' home port
    shift
    while [[ $# -gt 0 ]]; do
        case $1 in
            --as) name=$2 && shift ;;
            --on) containerd=$2 && shift ;;
            --runtime) runtime=$2 && shift ;;
            --image) image=$2 && shift ;;
            --pause) pause=$2 && shift ;;
            --set) more=$2 && shift ;;
            --cluster) cluster=yes ;;
            *) fail "start_kubelet: what is '$1'?" ;;
        esac
        shift
    done
    home=$directory/$name
    [[ -x $(kubernetes_home)/kubelet ]] || fail "Kubernetes is not installed: lab/lab install kubernetes"
    daemon_pid "$directory" "$containerd-namespace" >/dev/null || fail "$containerd was not started with --for-kubelet."
    mkdir -p "$home"/{manifests,root}
    port=$(any_port)
    kubelet_config "$home" "$port" "$(any_port)" "$more" >"$home/kubelet.json"
    printf '%s\n' "$containerd" >"$home/containerd"
    printf '%s\n' "http://127.0.0.1:$port" >"$home/address"
    printf '%s\n' --config="$home/kubelet.json" --root-dir="$home/root" --cert-dir="$home/root/pki" --hostname-override="$name" --v=2 \
        --container-runtime=remote --container-runtime-endpoint="unix://$runtime" --image-service-endpoint="unix://${image:-$runtime}" \
        ${pause:+--pod-infra-container-image="$pause"} ${cluster:+--kubeconfig="$directory/cluster/kubeconfig"} >"$home/arguments"
    resume_kubelet "$directory" "$name"
}

# resume_kubelet DIRECTORY [NAME]: the same one again, after a stop.
resume_kubelet() {
    local directory=$1 name=${2:-kubelet} home=$1/${2:-kubelet} arguments inside
    mapfile -t arguments <"$home/arguments"
    mapfile -t inside < <(in_node_namespace "$directory" "$(<"$home/containerd")")
    start_daemon "$directory" "$name" "${inside[@]}" "$(kubernetes_home)/kubelet" "${arguments[@]}"
    await "$directory" "$name" curl -sf -o /dev/null "$(<"$home/address")/healthz"
    printf '%s\n' "$(<"$home/address")/pods"
}

# stop_kubelet DIRECTORY [NAME [SIGNAL]]: pods live on.
stop_kubelet() { stop_daemon "$1" "${2:-kubelet}" "${3:-TERM}"; }

# stop_kubelets DIRECTORY: all of them, before their pods are removed: they would start them again.
stop_kubelets() {
    local home
    for home in "$1"/*/kubelet.json; do
        [[ ! -e $home ]] || stop_kubelet "$1" "$(basename "$(dirname "$home")")"
    done
}

# kubelet_config HOME PORT SERVING-PORT MORE: without what a container may forbid (a hierarchy of cgroups of its own), and without what would
# be written outside of HOME (iptables, the socket of device plugins). It looks often, since tests wait for it. It collects no images by itself.
kubelet_config() {
    jq -n --arg home "$1" --argjson port "$2" --argjson serving "$3" --argjson more "$4" '{
        apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration",
        address: "127.0.0.1", readOnlyPort: $port, port: $serving, healthzPort: 0,
        authentication: {anonymous: {enabled: true}, webhook: {enabled: false}}, authorization: {mode: "AlwaysAllow"},
        staticPodPath: "\($home)/manifests", volumePluginDir: "\($home)/root/volumeplugins",
        cgroupDriver: "cgroupfs", cgroupsPerQOS: false, enforceNodeAllocatable: [],
        featureGates: {DevicePlugins: false}, failSwapOn: false, makeIPTablesUtilChains: false,
        evictionHard: {"memory.available": "1Mi"}, imageGCHighThresholdPercent: 100, serializeImagePulls: false,
        syncFrequency: "1s", fileCheckFrequency: "1s", nodeStatusUpdateFrequency: "1s", nodeStatusReportFrequency: "1s"} + $more'
}
