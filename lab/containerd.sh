# shellcheck shell=bash
# containerd, in several versions side by side: each in a directory of its own, sharing nothing with the host's or with another.

containerd_packages=(iproute2 libseccomp2 curl)

# Which Debian suite has which containerd. 2 comes from the suites that move, so its exact version changes with time.
containerd_versions=(1.4 1.6 1.7 2)
declare -A containerd_suites=([1.4]=bullseye [1.6]=bookworm [1.7]=trixie [2]="sid forky")

# install_containerd VERSION: false, with a note, where it cannot be had.
install_containerd() {
    local version=$1 suite home=$LAB_CACHE/containerd-$1
    install_packages "${containerd_packages[@]}"
    unpack_package bookworm runc "$LAB_CACHE/tools" && unpack_package bookworm containernetworking-plugins "$LAB_CACHE/tools" || return 1
    for suite in ${containerd_suites[$version]}; do
        if unpack_package "$suite" containerd "$home" && [[ $(containerd_version "$version") == "$version".* ]]; then return 0; fi
        rm -rf "$home"
    done
    note "containerd $version cannot be had from Debian's ${containerd_suites[$version]}: left out."
    return 1
}

# containerd_version VERSION: the exact one, such as 1.7.24, if it is installed and runs here.
containerd_version() {
    "$LAB_CACHE/containerd-$1/usr/bin/containerd" --version 2>/dev/null | grep -Eo '[0-9]+\.[0-9]+\.[0-9]+' | sed -n 1p
}

# start_containerd DIRECTORY VERSION SANDBOX-IMAGE [--pod-network] [--for-kubelet] [--as NAME] [--elsewhere URL] [--pull-progress TIME]
# [REGISTRY-URL[=CA-FILE]...]: prints the socket. Images of every other host are asked for at URL. --for-kubelet: in a mount namespace,
# which a kubelet shares. --pull-progress: how long a pull may wait for data (1.7 and later; five minutes by default).
start_containerd() {
    local directory=$1 version=$2 sandbox=$3 name=containerd network='' kubelet='' elsewhere='' progress='' home registries=()
    shift 3
    while [[ $# -gt 0 ]]; do
        case $1 in
            --pod-network) network=yes ;;
            --for-kubelet) kubelet=yes ;;
            --as) name=$2 && shift ;;
            --elsewhere) elsewhere=$2 && shift ;;
            --pull-progress) progress=$2 && shift ;;
            *) registries+=("$1") ;;
        esac
        shift
    done
    home=$directory/$name
    [[ ${#home} -lt 80 ]] || fail "$home is too long for a directory with sockets in it (they may have 107 bytes)."
    containerd_version "$version" >/dev/null || fail "containerd $version is not installed: lab/lab install $version"
    mkdir -p "$home"
    printf '%s\n' "$version" >"$home/version"
    [[ -z $kubelet ]] || add_node_namespace "$directory" "$name"
    [[ -z $network ]] || add_pod_network "$directory" "$home/net.d"
    write_hosts "$home/certs.d" "${registries[@]}"
    [[ -z $elsewhere ]] || write_host "$home/certs.d/_default" "$elsewhere" ''
    containerd_config "$home" "$version" "$sandbox" "$progress" "$elsewhere" "${registries[@]}" >"$home/config.toml"
    resume_containerd "$directory" "$name"
}

# resume_containerd DIRECTORY [NAME]: the same one again, after a stop.
resume_containerd() {
    local directory=$1 name=${2:-containerd} home=$1/${2:-containerd} bin inside options=()
    bin=$LAB_CACHE/containerd-$(<"$home/version")/usr/bin
    [[ $(<"$home/version") != 1.4 ]] || options=(--v1alpha2)
    rm -f "$home/containerd.sock"
    mapfile -t inside < <(in_node_namespace "$directory" "$name")
    start_daemon "$directory" "$name" "${inside[@]}" env "PATH=$bin:$PATH" "$bin/containerd" --config "$home/config.toml"
    await "$directory" "$name" test -S "$home/containerd.sock"
    cri "$home/containerd.sock" "${options[@]}" wait 15 >&2 || fail "$name is not ready:" "$(tail -n 5 "$directory/logs/$name.log")"
    printf '%s\n' "$home/containerd.sock"
}

# stop_containerd DIRECTORY [NAME [SIGNAL]]: pods live on.
stop_containerd() { stop_daemon "$1" "${2:-containerd}" "${3:-TERM}"; }

# remove_containerd DIRECTORY NAME: with its pods and everything that it has mounted or started.
remove_containerd() {
    local directory=$1 home=$1/$2
    if daemon_pid "$directory" "$2" >/dev/null; then
        timeout 20 /usr/bin/python3 "$ROOT/lab/cri.py" --socket "$home/containerd.sock" $([[ $(<"$home/version") != 1.4 ]] || echo --v1alpha2) \
            rmp all >/dev/null 2>&1 || true
    fi
    stop_containerd "$directory" "$2"
    kill_shims "$home"
    stop_daemon "$directory" "$2-namespace"
    unmount_below "$home"
    rm -rf "$home"
    rmdir /run/containerd/runc/k8s.io /run/containerd/runc /run/containerd/s /run/containerd 2>/dev/null || true
}

# kill_shims HOME: whatever pods are left, and the shims that watch over them.
kill_shims() {
    local task pid cgroup
    for task in "$1"/state/io.containerd.runtime.v2.task/k8s.io/*; do
        [[ -e $task/init.pid ]] || continue
        kill -KILL "$(<"$task/init.pid")" 2>/dev/null || true
    done
    for pid in $(shims_of "$1"); do
        kill -KILL "$pid" 2>/dev/null || true
    done
    for task in "$1"/state/io.containerd.runtime.v2.task/k8s.io/*; do
        rm -rf "/run/containerd/runc/k8s.io/${task##*/}"
        [[ ! -e $task/address ]] || rm -f "$(sed 's#^unix://##' "$task/address")"
        for cgroup in /sys/fs/cgroup{,/*}/{image-cri-shim-lab,k8s.io}/"${task##*/}"; do
            [[ ! -d $cgroup ]] || rmdir "$cgroup" 2>/dev/null || true
        done
    done
    rmdir /sys/fs/cgroup{,/*}/{image-cri-shim-lab,k8s.io} 2>/dev/null || true
}

# shims_of HOME: by their command line, which names the socket of the containerd that they report to.
shims_of() {
    local process
    for process in /proc/[0-9]*; do
        if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF "$1/containerd.sock"; then
            case $(readlink "$process/exe") in */containerd-shim-runc-v*) printf '%s\n' "${process##*/}" ;; esac
        fi
    done
}

unmount_below() {
    awk -v below="$1/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
        umount -l "$mount" 2>/dev/null || true
    done
}
