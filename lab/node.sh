# shellcheck shell=bash
# A booted node: a Debian with systemd as PID 1 in systemd-nspawn, with a network of its own (loopback alone), on an overlay of a tree
# that is made once. Everything of it lies in DIRECTORY/node; what runs in it is in cgroups of its own, by which it is ended.

node_packages=(debootstrap systemd-container)

# What a node has beside Debian's minimal system. Another list makes another tree.
node_tree_packages=systemd,systemd-sysv,dbus,iproute2,procps,curl,ca-certificates,libssl3,libseccomp2

node_tree() { printf '%s/node-tree-%s\n' "$LAB_CACHE" "$(cksum <<<"$node_tree_packages" | cut -d ' ' -f 1)"; }

# install_node: what a node is made of.
install_node() {
    install_packages "${node_packages[@]}"
    mkdir -p "$LAB_CACHE"
    (flock 9 && make_node_tree) 9>"$LAB_CACHE/node-tree.lock"
}

make_node_tree() {
    local tree
    tree=$(node_tree)
    [[ ! -d $tree ]] || return 0
    note "making the Debian that nodes boot (once, about two minutes)"
    rm -rf "$tree.new"
    debootstrap --variant=minbase --include="$node_tree_packages" bookworm "$tree.new" "$(host_mirror)" >"$(lab_log debootstrap)" 2>&1 ||
        fail "debootstrap:" "$(tail -n 3 "$(lab_log debootstrap)")" "All of it: $(lab_log debootstrap)"
    rm -rf "$tree.new"/var/cache/apt/archives/*.deb "$tree.new"/var/lib/apt/lists/*
    mv "$tree.new" "$tree"
}

# start_node DIRECTORY [--kubelet] [--runtime containerd-VERSION]... [--registry NAME:PORT[=USER:PASSWORD]]...
# The first runtime is containerd.service, as on any node; others are containerd-VERSION.service. A node that was stopped is booted again.
start_node() {
    local directory=$1
    shift
    [[ $(id -u) -eq 0 ]] || fail "a node needs root: it mounts, and starts systemd. Try: sudo lab/lab node start $directory $*"
    need_debian "a node"
    [[ -z $(node_pid "$directory") ]] || fail "a node runs in $directory already." "lab/lab node stop $directory, or use another directory."
    if [[ ! -d $directory/node ]]; then
        [[ ${#directory} -lt 80 ]] || fail "$directory is too long for a directory with sockets in it (they may have 107 bytes)."
        install_node
        # shellcheck disable=SC2064
        trap "remove_node '$directory'" EXIT # what is half made, should it fail
        mount_node "$directory"
        furnish_node "$directory" "$@"
        trap - EXIT
    elif [[ $# -gt 0 ]]; then
        fail "$directory has a node, which was made before." "Start it without options, or remove it first: lab/lab end $directory"
    fi
    boot_node "$directory"
}

# mount_node DIRECTORY: the tree itself is never written to.
mount_node() {
    local node=$1/node
    mkdir -p "$node"/{upper,work,root}
    mount -t overlay overlay -o "lowerdir=$(node_tree),upperdir=$node/upper,workdir=$node/work" "$node/root"
}

# boot_node DIRECTORY: until systemd says that it runs. Capabilities and system calls are those that runc needs.
boot_node() {
    local directory=$1 node=$1/node binds
    make_node_cgroups "$directory"
    mapfile -t binds <"$node/binds"
    start_daemon "$directory" node env UNIFIED_CGROUP_HIERARCHY=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 \
        unshare --mount "$ROOT/lab/node/supervise" "$node/cgroups" \
        systemd-nspawn --quiet --directory="$node/root" --machine="$(node_name "$directory")" --register=no --keep-unit --private-network \
        --link-journal=no --console=pipe --capability=all --system-call-filter="@keyring @mount bpf" --kill-signal=SIGRTMIN+3 \
        "${binds[@]}" /usr/sbin/lab-init
    await_node "$directory" ''
}

# await_node DIRECTORY FORMER-PID: until another systemd than that has booted, with its runtimes ready.
await_node() {
    local directory=$1 former=$2 socket left pid state=''
    for ((left = 1200; left > 0; left--)); do
        pid=$(node_pid "$directory")
        if [[ -n $pid && $pid != "$former" ]]; then
            state=$(node_run "$directory" systemctl is-system-running --wait 2>/dev/null) || true
            [[ ! $state =~ ^(running|degraded)$ ]] || break
        fi
        daemon_pid "$directory" node >/dev/null || break
        sleep 0.05
    done
    [[ $state == running ]] || fail "the node in $directory did not boot ($state):" "$(tail -n 5 "$directory/logs/node.log")" \
        "$(node_run "$directory" systemctl --failed --no-legend --plain 2>&1)"
    while read -r socket; do
        cri "$(node_path "$directory" "$socket")" wait 60 >&2 || fail "no runtime answers on the node's $socket."
    done <"$directory/node/sockets"
}

# node_pid DIRECTORY: of the node's systemd, as this machine counts; empty while none runs.
node_pid() {
    local supervisor
    if [[ -e $1/daemons/node ]] && supervisor=$(daemon_pid "$1" node); then
        ps -eo pid=,ppid=,comm= | awk -v supervisor="$supervisor" '$2 == supervisor { nspawn = $1 } { parent[$1] = $2; name[$1] = $3 }
            END { for (pid in parent) if (nspawn && parent[pid] == nspawn && name[pid] == "systemd") print pid }'
    fi
}

need_node() {
    node=$(node_pid "$1")
    [[ -n $node ]] || fail "no node runs in $1." "lab/lab node start $1"
}

# node_run DIRECTORY COMMAND...: in the node, with the exit code and the output that it has there.
node_run() {
    local directory=$1 node
    shift
    need_node "$directory"
    nsenter -t "$node" -m -u -i -n -p -C -r -w -- env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive "$@"
}

# node_path DIRECTORY PATH: where this machine finds a file or a socket of the node.
node_path() {
    local node
    need_node "$1"
    printf '/proc/%s/root%s\n' "$node" "$2"
}

# node_put DIRECTORY FILE [PATH]: a copy of FILE as PATH, in place of what is there, also of a program that runs. A .deb without PATH is
# installed.
node_put() {
    local directory=$1 file=$2 path=${3:-} target
    if [[ -z $path ]]; then
        [[ $file == *.deb ]] || fail "node put: where to? Only a .deb needs no path."
        node_put "$directory" "$file" "/tmp/${file##*/}"
        node_run "$directory" apt-get -q -y --allow-downgrades -o APT::Sandbox::User=root install "/tmp/${file##*/}" </dev/null
        return
    fi
    target=$(node_path "$directory" "$path")
    mkdir -p "${target%/*}"
    cp -L --preserve=mode "$file" "$target.new"
    mv -T "$target.new" "$target"
}

# node_push DIRECTORY LAYOUT:TAG NAME:PORT/REPOSITORY:TAG [USER:PASSWORD]: to a registry of the node; prints the digest.
node_push() {
    local directory=$1 layout=$2 image=$3 auth=${4:-} node port
    need_node "$directory"
    port=${image#*:}
    nsenter -t "$node" -n -- "$ROOT/lab/lab" push "$layout" "127.0.0.1:$port" ${auth:+"$auth"}
}

stop_node() {
    [[ -n $(node_pid "$1") ]] || return 0
    node_run "$1" systemctl poweroff >/dev/null 2>&1 || true
    wait_for_end "$1" node 1200 || fail "the node in $1 does not stop." "lab/lab end $1 ends it."
    rm -f "$1/daemons/node"
}

reboot_node() {
    local node
    need_node "$1"
    node_run "$1" systemctl reboot >/dev/null 2>&1 || true
    await_node "$1" "$node"
}

# remove_node DIRECTORY: at once, and also what a killed test or a killed supervisor has left of it.
remove_node() {
    local directory=$1
    [[ -d $directory/node ]] || return 0
    kill_node "$directory"
    rm -f "$directory/daemons/node"
    unmount_below "$directory/node"
    rm -rf "$directory/node"
}
