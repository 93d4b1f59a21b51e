# shellcheck shell=bash
# A node's cgroups: one in each hierarchy, below the one that this process is in. Their directories are in DIRECTORY/node/cgroups.

# node_name DIRECTORY: of its cgroups, and its host name.
node_name() { printf 'node-%s\n' "$(cksum <<<"$1" | cut -d ' ' -f 1)"; }

make_node_cgroups() {
    local directory=$1 controllers path hierarchy
    remove_node_cgroups "$directory"
    while IFS=: read -r _ controllers path; do
        hierarchy=/sys/fs/cgroup/${controllers#name=}
        [[ -n $controllers ]] || hierarchy=/sys/fs/cgroup/unified
        [[ -d $hierarchy ]] || continue
        printf '%s\n' "$hierarchy${path%/}/$(node_name "$directory")"
    done </proc/self/cgroup >"$directory/node/cgroups"
    while read -r path; do
        mkdir -p "$path"
        [[ ! -e $path/cpuset.cpus ]] || cat "$path/../cpuset.cpus" >"$path/cpuset.cpus"
        [[ ! -e $path/cpuset.mems ]] || cat "$path/../cpuset.mems" >"$path/cpuset.mems"
    done <"$directory/node/cgroups"
}

# kill_node DIRECTORY: all that is in its cgroups, with the supervisor.
kill_node() {
    local directory=$1 pid left
    for ((left = 200; left > 0; left--)); do
        for pid in $(node_processes "$directory"); do kill -KILL "$pid" 2>/dev/null || true; done
        ! remove_node_cgroups "$directory" || return 0
        sleep 0.05
    done
    note "some cgroup of the node in $directory could not be removed."
}

node_processes() {
    local path
    while read -r path; do
        find "$path" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    done < <(cat "$1/node/cgroups" 2>/dev/null) | sort -u
}

# remove_node_cgroups DIRECTORY: false while something is in them.
remove_node_cgroups() {
    local path
    while read -r path; do
        [[ ! -d $path ]] || find "$path" -depth -type d -exec rmdir {} \; 2>/dev/null || true
        [[ ! -d $path ]] || return 1
    done < <(cat "$1/node/cgroups" 2>/dev/null)
}
