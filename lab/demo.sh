# shellcheck shell=bash
# ./build demo: a pull by the name in a manifest, out of a registry that has another name and a password, seen step by step.

demo_directory=/tmp/image-cri-shim-demo
demo_image=nginx:1.25
demo_page='Hello from an image that the manifest calls nginx:1.25.'
demo_asked=0
demo_logged=0

demo() {
    local keep='' containerd=1.7
    while [[ $# -gt 0 ]]; do
        case $1 in
            --keep) keep=yes ;;
            --end) end_demo && return ;;
            --containerd) containerd=${2:?which containerd?} && shift ;;
            *) fail "./build demo [--keep | --end] [--containerd VERSION]: what is '$1'?" ;;
        esac
        shift
    done
    check_demo "$containerd"
    run_and_undo "demo_ends${keep:+_kept}" demo_steps "$containerd" "$keep"
}

demo_steps() {
    prepare_demo "$@"
    demo_registry
    demo_node "$1"
    [[ -z $2 ]] || demo_prometheus
    demo_pull
    demo_pod
    demo_node_holds
    [[ -z $2 ]] || demo_metrics
}

check_demo() {
    need_sdk
    need_root "the demo" demo
    need_debian "the demo"
    [[ -n ${containerd_suites[$1]:-} ]] || fail "there is no containerd $1 here, only: ${containerd_versions[*]}"
    [[ ! -d $demo_directory ]] || fail "a demo is still there, in $demo_directory." "Remove it with: ./build demo --end"
    mkdir -p "$LAB_CACHE"
    install_packages iproute2
    need_free_port 5000 "the demo's registry"
}

prepare_demo() {
    step "Getting ready: Debian packages, and the shim published (the first time takes a minute or two)"
    install_lab "$1"
    [[ -z $2 ]] || install_prometheus
    containerd_version "$1" >/dev/null || fail "the demo needs containerd $1." "Try another one: ./build demo --containerd VERSION (${containerd_versions[*]})"
    leave_no_build_server
    publish
}

demo_registry() {
    step "A registry with a password, by a name that only this machine knows"
    mkdir -p "$demo_directory"
    add_name "$demo_directory" sealos.hub
    start_registry "$demo_directory" hub 5000 --auth admin:passw0rd
    build_image "$demo_directory/nginx" 1.25 "$demo_page"
    push_image "$demo_directory/nginx:1.25" sealos.hub:5000/library/nginx:1.25 admin:passw0rd >"$demo_directory/digest"
    push_image "$LAB_CACHE/images/pause:latest" sealos.hub:5000/pause:3.9 admin:passw0rd >/dev/null
    say "    registry     http://sealos.hub:5000, which wants a user and a password"
    say "    it holds     library/nginx:1.25 ($(<"$demo_directory/digest")) and pause:3.9"
}

demo_node() {
    step "A node: containerd $(containerd_version "$1"), and the shim in front of it"
    start_containerd "$demo_directory" "$1" sealos.hub:5000/pause:3.9 http://sealos.hub:5000 >"$demo_directory/runtime"
    start_shim "$demo_directory" "$(<"$demo_directory/runtime")" address=http://sealos.hub:5000 auth=admin:passw0rd debug=true \
        "metrics=$(demo_target)"
    say "    containerd   $(<"$demo_directory/runtime"): it knows neither the password nor the name $demo_image"
    say "    the shim     $(shim_socket "$demo_directory"): the only socket that is asked from here on"
    show_decisions
}

# demo_target: where the shim's metrics are; the same each time.
demo_target() {
    [[ -e $demo_directory/target ]] || printf '127.0.0.1:%s\n' "$(free_port 9464)" >"$demo_directory/target"
    cat "$demo_directory/target"
}

demo_prometheus() {
    local port
    port=$(free_port 9090)
    start_prometheus "$demo_directory" "$port" "$(demo_target)"
    printf 'http://127.0.0.1:%s\n' "$port" >"$demo_directory/prometheus/address"
    say "    Prometheus   $(<"$demo_directory/prometheus/address"): scrapes http://$(demo_target)/metrics each second"
}

demo_pull() {
    step "A pod wants 'image: $demo_image'. What kubelet does, through the shim's socket only"
    ask imagestatus "$demo_image"
    answer "$(jq -r 'if .image then "here: \(.image.id)" else "not on this node" end' "$demo_directory/answer")"
    ask pull "$demo_image"
    answer "pulled: $(<"$demo_directory/answer")"
    ask imagestatus "$demo_image"
    answer "$(jq -r 'if .image then "here: \(.image.id), \(.image.size) bytes" else "not on this node" end' "$demo_directory/answer")"
    jq -r '.image.id // empty' "$demo_directory/answer" >"$demo_directory/image"
    grep -q sha256: "$demo_directory/image" || fail "the image was pulled, but is not found by the name $demo_image."
    ask pull registry.k8s.io/pause:3.9
    answer "pulled: $(<"$demo_directory/answer") (what holds a pod's namespaces; containerd has no password to pull it itself)"
}

demo_pod() {
    local port pod image container options=(--host-network --logs "$demo_directory/logs")
    port=$(free_port)
    image=$(<"$demo_directory/image")
    ask runp "${options[@]}"
    pod=$(<"$demo_directory/answer")
    answer "sandbox ${pod::12}"
    ask create "$pod" "$image" "${options[@]}" -- "127.0.0.1:$port"
    container=$(<"$demo_directory/answer")
    answer "container ${container::12}"
    ask start "$container"
    answer "running"
    step "A page from the running container: GET http://127.0.0.1:$port/"
    curl -sS --retry 20 --retry-connrefused --retry-delay 1 --max-time 5 "http://127.0.0.1:$port/" >"$demo_directory/page"
    answer "$(<"$demo_directory/page")"
    grep -qxF "$demo_page" "$demo_directory/page" || fail "that is not the page of the image that was pushed."
    printf '%s\n' "http://127.0.0.1:$port/" >"$demo_directory/url"
}

demo_node_holds() {
    step "What the node holds now (containerd asked directly, without the shim)"
    cri "$(<"$demo_directory/runtime")" images |
        jq -r '.images[] | "    \((.repo_tags // ["(no tag)"])[0])\n        \(.id)"'
    say ""
    say "    The manifest said $demo_image and still does. containerd was told that sealos.hub speaks plain http, and nothing else:"
    say "    the password is in one file, the shim's."
}

demo_metrics() {
    local address pulls left
    step "What Prometheus has scraped of it"
    address=$(<"$demo_directory/prometheus/address")
    for ((left = 50; left > 0; left--)); do
        pulls=$(ask_prometheus "$address" 'sum(image_cri_shim_pulls_total{result="pulled"})')
        [[ $pulls != 2 ]] || break
        sleep 0.2
    done
    [[ $pulls == 2 ]] || fail "Prometheus saw ${pulls:-no} pulls, not the 2 that there were."
    say "    $pulls pulls, out of $(ask_prometheus "$address" 'sum(image_cri_shim_calls_total)') calls; the rest: $address/graph"
}

# ask COMMAND...: one call to the shim, shown as the CRI call that it is; its answer is in $demo_directory/answer.
ask() {
    local -A calls=([imagestatus]=ImageStatus [pull]=PullImage [runp]=RunPodSandbox [create]=CreateContainer [start]=StartContainer)
    demo_asked=$((demo_asked + 1))
    say ""
    say "  $demo_asked. asked     ${calls[$1]}$(named_image "$@")"
    cri "$(shim_socket "$demo_directory")" "$@" >"$demo_directory/answer" 2>"$demo_directory/error" ||
        fail "${calls[$1]} failed: $(<"$demo_directory/error")" "the shim's log:" "$(tail -n 5 "$demo_directory/logs/shim.log")"
    show_decisions "$(quiet_decision "$1")"
}

# quiet_decision COMMAND: what the shim does with a call that it logs nothing about.
quiet_decision() {
    case $1 in
        imagestatus) echo "asked containerd for this name and for its name at each registry: no network" ;;
        create) echo "names an image by its ID, which needs no other name: goes on as it came" ;;
        *) echo "nothing to decide: passed on unread" ;;
    esac
}

named_image() {
    case $1 in
        imagestatus | pull) printf ' %s' "$2" ;;
        create) printf ' (image %.19s...: kubelet names it by its ID)' "$3" ;;
    esac
}

answer() { say "     answered  $1"; }

# show_decisions [OTHERWISE]: what the shim has logged since the last time, without the time of day.
show_decisions() {
    local logged
    sleep 0.1
    logged=$(tail -n "+$((demo_logged + 1))" "$demo_directory/logs/shim.log")
    demo_logged=$(wc -l <"$demo_directory/logs/shim.log")
    logged=${logged:-${1:-}}
    [[ -z $logged ]] || sed -E 's/^[0-9-]+T[0-9:.]+Z //; s/^/     the shim  /' <<<"$logged"
}

# free_port [FROM]
free_port() {
    local port from=${1:-8080}
    for ((port = from; port < from + 900; port++)); do
        if [[ -z $(ss -Hltn "sport = :$port") ]]; then break; fi
    done
    printf '%s\n' "$port"
}

demo_ends_kept() {
    [[ $1 -eq 0 ]] || { demo_ends "$1" && return; }
    local socket
    socket=$(shim_socket "$demo_directory")
    step "Left running (--keep). Things to try, as root:"
    cat <<TEXT
    # the page again
    curl $(<"$demo_directory/url")
    # pull through the shim; remove by the manifest's name; any other call (version, pods, ps, inspect, exec ...) is passed on unread
    lab/lab cri $socket pull $demo_image
    lab/lab cri $socket rmi $demo_image
    lab/lab cri $socket ps
    # what containerd itself holds
    lab/lab cri $(<"$demo_directory/runtime") images
    # what the shim decides, and why
    tail -f $demo_directory/logs/shim.log
    # what Prometheus scrapes, and its alerts
    curl http://$(demo_target)/metrics
    $(<"$demo_directory/prometheus/address")/alerts
    # the registry goes away: what happens to a pull?
    lab/lab registry stop $demo_directory hub
    # remove everything
    ./build demo --end
TEXT
}

demo_ends() {
    case $1 in
        0 | 130) ;;
        *) note "The demo failed; removing what it made." ;;
    esac
    [[ ! -d $demo_directory ]] || end_demo
    [[ $1 -ne 0 ]] || say "    and all of it is removed again."
}

end_demo() {
    if [[ ! -d $demo_directory ]]; then say "There is no demo to remove." && return; fi
    step "Removing the containers, containerd, the registry, the shim and the name sealos.hub"
    need_root "removing the demo" "demo --end"
    end_lab "$demo_directory"
}
