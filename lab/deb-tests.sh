# shellcheck shell=bash
# Is the Debian package what an administrator expects? In a chroot of its own, made by debootstrap: nothing of the host is touched.

deb_test_packages=(lintian debootstrap "${deb_packages[@]}")

test_deb() {
    local packages
    packages=$(mktemp -d)
    install_packages "${deb_test_packages[@]}"
    build_deb "$(shim_version)" "$packages"
    build_deb "$(shim_version)+next" "$packages"
    test_command "lintian" check_deb "$packages/$(deb_name "$(shim_version)")"
    test_command "the SBOM and checksums" check_sbom
    test_command "install, upgrade, remove and purge in a chroot" in_chroot "$packages" live_a_life
    test_command "removing the package points kubelet back" in_chroot "$packages" leave_a_node
    test_command "every command prints what docs/COMMANDS.md says" in_chroot "$packages" follow_the_docs
    rm -rf "$packages"
}

check_deb() {
    lintian --fail-on error "$1" >"$(lab_log lintian)" 2>&1 || { cat "$(lab_log lintian)" && return 1; }
}

check_sbom() {
    local sbom
    sbom=artifacts/package/image-cri-shim_$(shim_version).cdx.json
    write_sbom "$(shim_version)"
    jq -e '.bomFormat == "CycloneDX" and (.components | length > 3) and ([.components[] | select(.version == "" or (.hashes[0].content | length != 128))] | length == 0)
        and ([.components[].name] | index("YamlDotNet"))' "$sbom" >/dev/null
}

# in_chroot PACKAGES CHECK: a fresh Debian with the packages in /packages. CHECK runs with the chroot's directory.
in_chroot() {
    local packages=$1 check=$2 root code=0
    make_base || return 1
    root=$(mktemp -d)
    tar -C "$root" -xf "$LAB_CACHE/chroot.tar"
    cp -r "$packages" "$root/packages"
    strictly "$check" "$root" >"$(lab_log "$check")" 2>&1 || code=$?
    [[ $code -eq 0 ]] || tail -n 20 "$(lab_log "$check")"
    rm -rf --one-file-system "$root"
    return "$code"
}

# strictly FUNCTION ARGUMENT...: in a shell of its own, which ends at the first command that fails. Whoever is asked by if, && or || goes on behind it.
strictly() {
    # shellcheck disable=SC2016
    bash -c 'set -euo pipefail; ROOT=$1; cd "$ROOT"; . "$ROOT/lab/all.sh"; shift; "$@"' lab "$ROOT" "$@" </dev/null
}

# make_base: once for all runs.
make_base() {
    [[ ! -e $LAB_CACHE/chroot.tar ]] || return 0
    local root
    root=$(mktemp -d)
    note "making a Debian to install the package in"
    debootstrap --variant=minbase --include=libssl3,ca-certificates bookworm "$root" "$(host_mirror)" >"$(lab_log debootstrap)" 2>&1 ||
        { tail -n 5 "$(lab_log debootstrap)" && rm -rf "$root" && return 1; }
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    tar -C "$root" -cf "$LAB_CACHE/chroot.tar.new" . && mv "$LAB_CACHE/chroot.tar.new" "$LAB_CACHE/chroot.tar"
    rm -rf "$root"
}

dpkg_in() {
    local root=$1
    shift
    DEBIAN_FRONTEND=noninteractive chroot "$root" dpkg "$@" </dev/null
}

# Every line is an assertion: the caller has set -e.
live_a_life() {
    local root=$1 settings=$1/etc/image-cri-shim.yaml
    dpkg_in "$root" -i "/packages/$(deb_name "$(shim_version)")"
    chroot "$root" image-cri-shim version | grep -q "^image-cri-shim $(shim_version)"
    chroot "$root" image-cri-shim config check >/dev/null
    [[ $(stat -c %a "$settings") == 600 ]]
    [[ -e $root/lib/systemd/system/image-cri-shim.socket && -e $root/usr/share/man/man8/image-cri-shim.8.gz ]]
    [[ -e $root/usr/share/image-cri-shim/image-cri-shim.json && -e $root/usr/share/image-cri-shim/image-cri-shim.rules.yaml ]]
    (cd "$root" && md5sum --quiet -c var/lib/dpkg/info/image-cri-shim.md5sums)

    printf 'address: http://registry.corp:5000\n' >"$settings"
    dpkg_in "$root" -i "/packages/$(deb_name "$(shim_version)+next")"
    [[ $(cat "$settings") == "address: http://registry.corp:5000" ]]

    dpkg_in "$root" -r image-cri-shim
    [[ ! -e $root/usr/bin/image-cri-shim && -e $settings ]]
    dpkg_in "$root" -P image-cri-shim
    no_trace "$root"
}

leave_a_node() {
    local root=$1 flags=$1/var/lib/kubelet/kubeadm-flags.env before
    mkdir -p "$root/var/lib/kubelet" "$root/etc/containerd"
    printf 'version = 2\n' >"$root/etc/containerd/config.toml"
    printf 'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///run/containerd/containerd.sock"\n' >"$flags"
    before=$(cat "$flags")
    dpkg_in "$root" -i "/packages/$(deb_name "$(shim_version)")"
    chroot "$root" image-cri-shim install --cri /run/containerd/containerd.sock --yes
    grep -q image-cri-shim.sock "$flags"
    grep -q image-cri-shim.sock "$root/etc/crictl.yaml"
    [[ $(chroot "$root" dpkg-query -S /usr/bin/image-cri-shim) == "image-cri-shim: /usr/bin/image-cri-shim" ]]
    [[ ! -e $root/etc/systemd/system/image-cri-shim.service ]]
    dpkg_in "$root" -r image-cri-shim
    [[ $(cat "$flags") == "$before" && ! -e $root/etc/crictl.yaml ]]
    dpkg_in "$root" -P image-cri-shim
    no_trace "$root"
}

# A node around the chroot: a registry, a containerd, the installed shim between them.
follow_the_docs() {
    local root=$1 lab code=0
    mkdir -p "$test_labs"
    lab=$(mktemp -d "$test_labs/deb.XXXX")
    strictly make_node "$root" "$lab" && strictly compare_commands "$root" || code=$?
    mountpoint -q "$root/run/containerd" && umount "$root/run/containerd"
    end_lab "$lab"
    for mount in proc dev; do ! mountpoint -q "$root/$mount" || umount "$root/$mount"; done
    return "$code"
}

make_node() {
    local root=$1 lab=$2 runtime
    add_name "$lab" registry.corp
    add_name "$lab" mirror.corp
    start_registry "$lab" corp 5000 --auth admin:passw0rd
    start_registry "$lab" mirror 5001
    build_image "$lab/nginx" 1.25 'Hello.'
    push_image "$lab/nginx:1.25" registry.corp:5000/library/nginx:1.25 admin:passw0rd
    push_image "$LAB_CACHE/images/pause:latest" registry.corp:5000/pause:3.9 admin:passw0rd
    runtime=$(start_containerd "$lab" 1.7 registry.corp:5000/pause:3.9 http://registry.corp:5000)
    mkdir -p "$root/run/containerd"
    mount --bind "$(dirname "$runtime")" "$root/run/containerd"
    mount --bind /proc "$root/proc"
    mount --bind /dev "$root/dev"
    cp /etc/hosts "$root/etc/hosts"
    dpkg_in "$root" -i "/packages/$(deb_name "$(shim_version)")"
    sed -n '/^```yaml$/,/^```$/{//!p}' docs/COMMANDS.md >"$root/etc/image-cri-shim.yaml"
    start_daemon "$lab" shim chroot "$root" image-cri-shim -f /etc/image-cri-shim.yaml
    await "$lab" shim test -S "$root/run/image-cri-shim.sock"
    cri "$root/run/image-cri-shim.sock" pull nginx:1.25
    if cri "$root/run/image-cri-shim.sock" pull redis:7; then return 1; fi # no registry has it
}

# compare_commands ROOT: what is printed now lies in artifacts/tests/COMMANDS.md, to be copied where it is right.
compare_commands() {
    local printed=artifacts/tests/COMMANDS.md
    mkdir -p artifacts/tests
    run_commands "$1" <docs/COMMANDS.md >"$printed"
    diff <(settle <docs/COMMANDS.md) <(settle <"$printed")
}

# run_commands ROOT: the page, with what its commands print in place of what it says that they do.
run_commands() {
    local root=$1 line block=''
    while IFS= read -r line; do
        case $line in
            '```'*) [[ $line == '```console' ]] && block=yes || block='' ;;
            '$ curl '*) printf '%s\n' "$line" && eval "${line#\$ }" 2>&1 </dev/null && continue ;;
            '$ '*) printf '%s\n' "$line" && { chroot "$root" sh -c "${line#\$ }" 2>&1 </dev/null || true; } && continue ;;
        esac
        [[ -n $block && $line != '```console' ]] || printf '%s\n' "$line"
    done
}

# settle: what is another each time, in words; and how wide columns are.
settle() {
    sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}Z/TIME/g; s/sha256:[0-9a-f]{12,}/DIGEST/g; s/\b[0-9.]+ (ms|s|min)\b/N \1/g; s/process [0-9]+/process N/
        s/[0-9]+\.[0-9]+\.[0-9]+(\+next)?/VERSION/g; s/ {2,}/  /g; s/^(TIME.*  )[0-9]+  /\1N  /; s/^-{3,}$/---/'
}

no_trace() {
    local left
    left=$(find "$1" -xdev \( -path "$1/packages" -o -path "$1/proc" -o -path "$1/var/lib/dpkg" -o -path "$1/var/log" \) -prune -o -name '*image-cri-shim*' -print)
    [[ -z $left ]] || { echo "left: $left" && return 1; }
}
