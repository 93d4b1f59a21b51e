# shellcheck shell=bash
# containerd's settings. Three things are not its defaults:
#   - restrict_oom_score_adj: inside many containers and virtual machines nobody may lower a score, and without it no pod starts;
#   - debug socket, opt directory and (2.x) NRI would be shared by every containerd of the machine;
#   - registries are plain http or have a private authority, so each has a hosts.toml.

# containerd_config HOME VERSION SANDBOX-IMAGE PULL-PROGRESS ELSEWHERE REGISTRY...
containerd_config() {
    local home=$1 version=$2 sandbox=$3 progress='' snapshotter
    snapshotter=$(usable_snapshotter "$home")
    [[ -z $4 ]] || progress="  image_pull_progress_timeout = \"$4\""
    shift 4
    [[ $version == 2 ]] && printf 'version = 3\ndisabled_plugins = ["io.containerd.nri.v1.nri"]\n' || printf 'version = 2\n'
    cat <<TOML
root = "$home/root"
state = "$home/state"
[grpc]
  address = "$home/containerd.sock"
[debug]
  address = "$home/debug.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$home/opt"
TOML
    if [[ $version == 2 ]]; then
        containerd_2_plugins "$home" "$sandbox" "$snapshotter" "$progress"
    else
        containerd_1_plugins "$home" "$version" "$sandbox" "$snapshotter" "$progress" "$@"
    fi
}

containerd_1_plugins() {
    local home=$1 version=$2 cri='plugins."io.containerd.grpc.v1.cri"'
    cat <<TOML
[$cri]
  sandbox_image = "$3"
  disable_apparmor = true
  restrict_oom_score_adj = true
$5
$([[ $version == 1.4 ]] || echo '  netns_mounts_under_state_dir = true')
[$cri.containerd]
  snapshotter = "$4"
  default_runtime_name = "runc"
$(runc_runtime "$cri")
[$cri.cni]
  bin_dir = "$LAB_CACHE/tools/usr/lib/cni"
  conf_dir = "$home/net.d"
TOML
    shift 5
    if [[ $version == 1.4 ]]; then
        containerd_1_4_registries "$cri" "$@"
    else
        printf '[%s.registry]\n  config_path = "%s/certs.d"\n' "$cri" "$home"
    fi
}

# 1.4 knows no config_path.
containerd_1_4_registries() {
    local cri=$1 elsewhere=$2 registry url authority
    shift 2
    for registry in ${elsewhere:+'*' docker.io}; do # docker.io is among its defaults, so it is not one of the others
        printf '[%s.registry.mirrors."%s"]\n  endpoint = ["%s"]\n' "$cri" "$registry" "$elsewhere"
    done
    for registry in "$@"; do
        IFS='=' read -r url authority <<<"$registry"
        printf '[%s.registry.mirrors."%s"]\n  endpoint = ["%s"]\n' "$cri" "${url#*://}" "$url"
        [[ -z $authority ]] || printf '[%s.registry.configs."%s".tls]\n  ca_file = "%s"\n' "$cri" "${url#*://}" "$authority"
    done
}

containerd_2_plugins() {
    local home=$1 cri='plugins."io.containerd.cri.v1'
    cat <<TOML
[$cri.images"]
  snapshotter = "$3"
$4
[$cri.images".pinned_images]
  sandbox = "$2"
[$cri.images".registry]
  config_path = "$home/certs.d"
[$cri.runtime"]
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[$cri.runtime".containerd]
  default_runtime_name = "runc"
$(runc_runtime "$cri.runtime\"")
[$cri.runtime".cni]
  bin_dirs = ["$LAB_CACHE/tools/usr/lib/cni"]
  conf_dir = "$home/net.d"
[plugins."io.containerd.transfer.v1.local"]
  config_path = "$home/certs.d"
[[plugins."io.containerd.transfer.v1.local".unpack_config]]
  platform = "linux/amd64"
  snapshotter = "$3"
TOML
}

runc_runtime() {
    cat <<TOML
[$1.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[$1.containerd.runtimes.runc.options]
  BinaryName = "$LAB_CACHE/tools/usr/sbin/runc"
  SystemdCgroup = false
TOML
}

# write_hosts CERTS.D REGISTRY-URL[=CA-FILE]...
write_hosts() {
    local certs=$1 registry url authority
    shift
    for registry in "$@"; do
        IFS='=' read -r url authority <<<"$registry"
        write_host "$certs/${url#*://}" "$url" "$authority"
    done
}

# Without "server" a miss would be asked for again at the host that the image names, out in the world.
write_host() {
    local directory=$1 url=$2 authority=$3
    mkdir -p "$directory"
    {
        printf 'server = "%s"\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "$url" "$url"
        [[ -z $authority ]] || printf '  ca = "%s"\n' "$authority"
    } >"$directory/hosts.toml"
}

# usable_snapshotter HOME: overlayfs cannot be stacked on every file system (in a container, for one).
usable_snapshotter() {
    local try=$1/overlay
    mkdir -p "$try"/{lower,upper,work,merged}
    if mount -t overlay overlay -o "lowerdir=$try/lower,upperdir=$try/upper,workdir=$try/work" "$try/merged" 2>/dev/null; then
        umount "$try/merged"
        echo overlayfs
    else
        echo native
    fi
    rm -rf "$try"
}
