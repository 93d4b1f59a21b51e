# shellcheck shell=bash
# Small images made from a static busybox: OCI layouts, written with tar, sha256sum and jq alone.

image_packages=(jq skopeo)

# build_image LAYOUT TAG PAGE [ARCHITECTURE...]: a web server that serves PAGE; several architectures make an index.
build_image() {
    local layout=$1 tag=$2 page=$3 work architecture manifests=()
    shift 3
    work=$(mktemp -d)
    new_layout "$layout"
    mkdir -p "$work/www" && printf '%s\n' "$page" >"$work/www/index.html"
    for architecture in "${@:-amd64}"; do
        manifests+=("$(put_manifest "$layout" "$architecture" "$work" '["/bin/httpd","-f","-h","/www","-p"]' '["80"]')")
    done
    rm -rf "$work"
    if [[ ${#manifests[@]} -gt 1 ]]; then manifests=("$(put_index "$layout" "${manifests[@]}")"); fi
    name_manifest "$layout" "$tag" "${manifests[0]}"
}

# build_pause_image LAYOUT TAG: what holds a pod's namespaces.
build_pause_image() {
    local work
    work=$(mktemp -d)
    new_layout "$1"
    name_manifest "$1" "$2" "$(put_manifest "$1" amd64 "$work" '["/bin/sleep","infinity"]' '[]')"
    rm -rf "$work"
}

new_layout() {
    rm -rf "$1"
    mkdir -p "$1/blobs/sha256"
    printf '{"imageLayoutVersion":"1.0.0"}\n' >"$1/oci-layout"
}

# put_manifest LAYOUT ARCHITECTURE TREE ENTRYPOINT COMMAND: prints the manifest's descriptor.
put_manifest() {
    local layout=$1 architecture=$2 tree=$3 base own base_id own_id config
    base=$(put_blob "$layout" "$(base_layer)" application/vnd.oci.image.layer.v1.tar+gzip)
    pack "$tree" "$layout/layer.tar"
    gzip -n -k "$layout/layer.tar"
    base_id=$(gzip -dc "$(base_layer)" | sha256sum | cut -d ' ' -f 1)
    own_id=$(sha256sum "$layout/layer.tar" | cut -d ' ' -f 1)
    own=$(put_blob "$layout" "$layout/layer.tar.gz" application/vnd.oci.image.layer.v1.tar+gzip)
    jq -cn --arg architecture "$architecture" --arg base "sha256:$base_id" --arg own "sha256:$own_id" --argjson entrypoint "$4" --argjson cmd "$5" \
        '{architecture: $architecture, os: "linux", config: {Entrypoint: $entrypoint, Cmd: $cmd, Env: ["PATH=/bin"]},
          rootfs: {type: "layers", diff_ids: [$base, $own]}}' >"$layout/config.json"
    config=$(put_blob "$layout" "$layout/config.json" application/vnd.oci.image.config.v1+json)
    jq -cn --argjson config "$config" --argjson base "$base" --argjson own "$own" \
        '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config, layers: [$base, $own]}' >"$layout/manifest.json"
    put_blob "$layout" "$layout/manifest.json" application/vnd.oci.image.manifest.v1+json |
        jq -c --arg architecture "$architecture" '. + {platform: {os: "linux", architecture: $architecture}}'
    rm -f "$layout"/{layer.tar,layer.tar.gz,config.json,manifest.json}
}

# put_index LAYOUT MANIFEST...
put_index() {
    local layout=$1
    shift
    jq -cn '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: $ARGS.positional}' --jsonargs "$@" >"$layout/list.json"
    put_blob "$layout" "$layout/list.json" application/vnd.oci.image.index.v1+json
    rm -f "$layout/list.json"
}

# put_blob LAYOUT FILE MEDIA-TYPE: prints its descriptor.
put_blob() {
    local digest
    digest=$(sha256sum "$2" | cut -d ' ' -f 1)
    cp "$2" "$1/blobs/sha256/$digest"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}\n' "$3" "$digest" "$(stat -c %s "$2")"
}

name_manifest() {
    jq -n --arg tag "$2" --argjson manifest "$3" \
        '{schemaVersion: 2, manifests: [$manifest + {annotations: {"org.opencontainers.image.ref.name": $tag}}]}' >"$1/index.json"
}

# base_layer: busybox with the few names that images and tests use; made once.
base_layer() { printf '%s/base-layer.tar.gz' "$LAB_CACHE"; }

build_base_layer() {
    [[ ! -e $(base_layer) ]] || return 0
    local tree name
    tree=$(mktemp -d)
    mkdir -p "$tree"/{bin,dev,etc,proc,sys,tmp}
    cp "$LAB_CACHE/tools/bin/busybox" "$tree/bin/"
    for name in sh cat echo httpd ls ps sleep wget; do ln -s busybox "$tree/bin/$name"; done
    pack "$tree" "$tree.tar"
    gzip -n "$tree.tar" && mv "$tree.tar.gz" "$(base_layer)"
    rm -rf "$tree"
}

pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf "$2" .; }

install_images() {
    install_packages "${image_packages[@]}"
    unpack_package bookworm busybox-static "$LAB_CACHE/tools" || fail "busybox-static could not be had from Debian." "See $LAB_CACHE/logs."
    build_base_layer
    [[ -e $LAB_CACHE/images/pause/index.json ]] || build_pause_image "$LAB_CACHE/images/pause" latest
}
