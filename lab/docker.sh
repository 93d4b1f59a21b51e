# shellcheck shell=bash
# dockerd, and in front of it a small CRI server that does with images what cri-dockerd does: Debian has none
# (tests/peers/python/docker.py). Nothing of the host's docker is used or changed, and it starts no containers.

docker_suite=trixie

# install_docker: false, with a note, where it cannot be had.
install_docker() {
    unpack_package "$docker_suite" docker.io "$LAB_CACHE/docker" && [[ -n $(docker_version) ]] || {
        note "docker cannot be had from Debian's $docker_suite: left out."
        return 1
    }
}

# docker_version: the exact one, such as 26.1.5, if it is installed and runs here.
docker_version() {
    "$LAB_CACHE/docker/usr/sbin/dockerd" --version 2>/dev/null | grep -Eo '[0-9]+\.[0-9]+\.[0-9]+' | sed -n 1p
}

# start_docker DIRECTORY [--as NAME] [--insecure HOST[:PORT]]...: prints the socket of the CRI. Registries on loopback are plain http
# without being told; --insecure is for others. dockerd's own socket is DIRECTORY/NAME/docker.sock.
start_docker() {
    local directory=$1 name=docker insecure=() home
    shift
    while [[ $# -gt 0 ]]; do
        case $1 in
            --as) name=$2 && shift ;;
            --insecure) insecure+=("$2") && shift ;;
            *) fail "start_docker: what is '$1'?" ;;
        esac
        shift
    done
    home=$directory/$name
    [[ ${#home} -lt 60 ]] || fail "$home is too long for a directory with sockets in it (they may have 107 bytes)."
    [[ -n $(docker_version) ]] || fail "docker is not installed: lab/lab install"
    mkdir -p "$home"
    docker_config "$home" "${insecure[@]}" >"$home/daemon.json"
    start_dockerd "$directory" "$name"
    start_daemon "$directory" "$name-cri" /usr/bin/python3 "$ROOT/tests/peers/python/docker.py" "$home/docker.sock" "$home/cri.sock"
    await "$directory" "$name-cri" test -S "$home/cri.sock"
    cri "$home/cri.sock" wait 15 >&2 || fail "$name is not ready:" "$(tail -n 5 "$directory/logs/$name-cri.log")"
    printf '%s\n' "$home/cri.sock"
}

# docker_config HOME HOST...: dockerd's containerd does not have the host's address either. overlay2 cannot be stacked on every file system.
docker_config() {
    local home=$1 driver=overlay2
    shift
    [[ $(usable_snapshotter "$home") == overlayfs ]] || driver=vfs
    jq -n --arg home "$home" --arg driver "$driver" '{"data-root": "\($home)/root", "exec-root": "\($home)/exec", "pidfile": "\($home)/docker.pid",
        hosts: ["unix://\($home)/docker.sock"], "storage-driver": $driver, "insecure-registries": $ARGS.positional, bridge: "none",
        iptables: false, ip6tables: false, "userland-proxy": false, "exec-opts": ["native.cgroupdriver=cgroupfs"]}' --args "$@"
}

# start_dockerd DIRECTORY NAME: it finds its containerd and runc on PATH.
start_dockerd() {
    local directory=$1 name=$2 home=$1/$2
    start_daemon "$directory" "$name" env "PATH=$(docker_containerd):$LAB_CACHE/tools/usr/sbin:$PATH" \
        "$LAB_CACHE/docker/usr/sbin/dockerd" --config-file "$home/daemon.json"
    await "$directory" "$name" curl -sf -o /dev/null --unix-socket "$home/docker.sock" http://docker/_ping
}

# docker_containerd: the directory of a containerd that is installed, of 1.7 if it is there.
docker_containerd() {
    local version
    for version in 1.7 1.6 2; do
        [[ -z $(containerd_version "$version") ]] || { printf '%s\n' "$LAB_CACHE/containerd-$version/usr/bin" && return; }
    done
    fail "no containerd is installed that docker could run: lab/lab install"
}

# stop_dockers DIRECTORY: of end_lab; whatever is left of their mounts is unmounted with the directory's.
stop_dockers() {
    local home name
    for home in "$1"/*/daemon.json; do
        [[ -e $home ]] || continue
        name=$(basename "$(dirname "$home")")
        stop_daemon "$1" "$name-cri"
        stop_daemon "$1" "$name"
        end_containerd_of_docker "$1/$name"
    done
}

# end_containerd_of_docker HOME: dockerd ends it, unless it was killed itself.
end_containerd_of_docker() {
    local pid
    read -r pid 2>/dev/null <"$1/exec/containerd/containerd.pid" || return 0
    ! tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qxF "$1/exec/containerd/containerd.toml" || kill -KILL "$pid" 2>/dev/null || true
}
