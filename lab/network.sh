# shellcheck shell=bash
# What the lab changes of the machine's network: names in /etc/hosts, and for pods with an address of their own a bridge.
# Every change is noted under $LAB_CACHE/run, together with the directory it was made for, and taken back with it.

locked() {
    mkdir -p "$LAB_CACHE/run"
    (flock 9 && "$@") 9>"$LAB_CACHE/run/lock"
}

# add_name DIRECTORY NAME: NAME is 127.0.0.1 until remove_names DIRECTORY.
add_name() { locked append_name "$1" "$2"; }

append_name() { printf '127.0.0.1 %s # image-cri-shim lab %s\n' "$2" "$1" >>/etc/hosts; }

remove_names() {
    ! grep -qF "# image-cri-shim lab $1" /etc/hosts || locked rewrite_names "# image-cri-shim lab $1"
}

# In a container /etc/hosts is a mount: it can be written, but not replaced.
rewrite_names() {
    local kept
    kept=$(awk -v mark="$1" 'substr($0, length($0) - length(mark) + 1) != mark' /etc/hosts)
    printf '%s\n' "$kept" >/etc/hosts
}

# add_pod_network DIRECTORY NET.D: a bridge with a subnet of its own. Without masquerading, so no iptables rule is ever made.
add_pod_network() { locked write_pod_network "$1" "$2"; }

write_pod_network() {
    local directory=$1 confs=$2 number networks=$LAB_CACHE/run/networks
    mkdir -p "$networks" "$confs"
    forget_stale_networks "$networks"
    [[ -n $(ls "$networks") ]] || cat /proc/sys/net/ipv4/ip_forward >"$LAB_CACHE/run/ip_forward"
    for ((number = 1; number < 250; number++)); do
        if [[ ! -e $networks/$number ]]; then break; fi
    done
    printf '%s\n' "$directory" >"$networks/$number"
    jq -n --arg name "lab$number" --arg subnet "10.98.$number.0/24" --arg leases "$directory/leases" '{
        cniVersion: "0.4.0", name: $name, plugins: [{type: "bridge", bridge: $name, isGateway: true, ipMasq: false,
        ipam: {type: "host-local", dataDir: $leases, ranges: [[{subnet: $subnet}]], routes: [{dst: "0.0.0.0/0"}]}}]}' >"$confs/10-lab.conflist"
}

forget_stale_networks() {
    local network
    for network in "$1"/*; do
        if [[ -e $network && ! -d $(<"$network") ]]; then remove_network "$network"; fi
    done
}

remove_pod_network() { locked forget_pod_network "$1"; }

forget_pod_network() {
    local network networks=$LAB_CACHE/run/networks
    for network in "$networks"/*; do
        if [[ -e $network && $(<"$network") == "$1" ]]; then remove_network "$network"; fi
    done
    if [[ -e $LAB_CACHE/run/ip_forward && -z $(ls "$networks") ]]; then
        cat "$LAB_CACHE/run/ip_forward" >/proc/sys/net/ipv4/ip_forward
        rm "$LAB_CACHE/run/ip_forward"
    fi
}

remove_network() {
    ip link delete "lab${1##*/}" 2>/dev/null || true
    rm -f "$1"
}
