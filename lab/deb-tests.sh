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
    (set -e && "$check" "$root") >"$(lab_log "$check")" 2>&1 || code=$?
    [[ $code -eq 0 ]] || tail -n 20 "$(lab_log "$check")"
    rm -rf "$root"
    return "$code"
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

no_trace() {
    local left
    left=$(find "$1" -xdev \( -path "$1/packages" -o -path "$1/proc" -o -path "$1/var/lib/dpkg" -o -path "$1/var/log" \) -prune -o -name '*image-cri-shim*' -print)
    [[ -z $left ]] || { echo "left: $left" && return 1; }
}
