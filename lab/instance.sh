# shellcheck shell=bash
# A lab: a directory with everything that was started for one purpose, and its end.

# install_lab [VERSION...]: everything that a lab can need, with these containerds (all of them if none is named).
install_lab() {
    need_root "the lab" test
    need_debian "the lab"
    mkdir -p "$LAB_CACHE"
    (flock 9 && install_parts "$@") 9>"$LAB_CACHE/install.lock"
}

install_parts() {
    install_cri
    install_images
    install_registry
    local version installed=0
    for version in "${@:-${containerd_versions[@]}}"; do
        if install_containerd "$version"; then installed=$((installed + 1)); fi
    done
    [[ $installed -gt 0 ]] || fail "no containerd at all." "See $LAB_CACHE/logs."
    install_docker || true
    forget_suites
}

# lab_versions: what is installed, one a line: 1.7 1.7.24
lab_versions() {
    local version exact
    for version in "${containerd_versions[@]}"; do
        if exact=$(containerd_version "$version") && [[ -n $exact ]]; then printf '%s %s\n' "$version" "$exact"; fi
    done
}

# end_lab DIRECTORY: everything that was started there is ended, everything that was made is removed.
end_lab() {
    local directory=$1 daemon home
    [[ -d $directory ]] || return 0
    stop_kubelets "$directory"
    stop_cluster "$directory"
    remove_node "$directory"
    for home in "$directory"/*/version; do
        [[ ! -e $home ]] || remove_containerd "$directory" "$(basename "$(dirname "$home")")"
    done
    stop_dockers "$directory"
    for daemon in "$directory"/daemons/*; do
        [[ ! -e $daemon ]] || stop_daemon "$directory" "${daemon##*/}"
    done
    remove_pod_network "$directory"
    remove_names "$directory"
    unmount_below "$directory"
    rm -rf "$directory"
}
