# shellcheck shell=bash
# The Debian package, made of what is published: artifacts/package/image-cri-shim_VERSION_ARCHITECTURE.deb. Beside it a list of all that is in the
# binary (CycloneDX) and checksums.

deb_packages=(dpkg-dev jq)

package() {
    need_sdk
    leave_no_build_server
    publish
    if ! command -v dpkg-deb >/dev/null; then
        note "notice: no dpkg-deb here, so no Debian package is made."
        return
    fi
    install_packages "${deb_packages[@]}"
    build_deb "$(shim_version)"
    write_sbom "$(shim_version)"
    (cd artifacts/package && sha256sum -- image-cri-shim *.deb *.cdx.json >SHA256SUMS)
    say "wrote artifacts/package/$(deb_name "$(shim_version)"), its SBOM and SHA256SUMS"
}

shim_version() { sed -n 's#.*<VersionPrefix>\(.*\)</VersionPrefix>.*#\1#p' "$ROOT/Directory.Build.props"; }

deb_name() { printf 'image-cri-shim_%s_%s.deb\n' "$1" "$(dpkg --print-architecture)"; }

# build_deb VERSION [DIRECTORY]: into artifacts/package unless told otherwise.
build_deb() {
    local version=$1 into=${2:-$ROOT/artifacts/package} tree binary=$ROOT/artifacts/package/image-cri-shim
    tree=$(mktemp -d)
    fill_tree "$tree" "$binary" "$version"
    write_control "$tree" "$binary" "$version"
    SOURCE_DATE_EPOCH=$(source_date) dpkg-deb --root-owner-group -Z"${deb_compression:-xz}" --build "$tree" "$into/$(deb_name "$version")" >"$(lab_log deb)" || fail "dpkg-deb failed" "$(cat "$(lab_log deb)")"
    rm -rf "$tree"
}

# test_debs DIRECTORY: this version and a next one, of what is published and of packaging/ as it is now; packed quickly. Prints their paths.
test_debs() {
    local version deb_compression=gzip
    install_packages "${deb_packages[@]}"
    cd "$ROOT"
    mkdir -p "$1"
    for version in "$(shim_version)" "$(shim_version)+next"; do
        build_deb "$version" "$1"
        printf '%s/%s\n' "$1" "$(deb_name "$version")"
    done
}

# When the last change was made, so that the same source makes the same package.
source_date() { git -C "$ROOT" log -1 --format=%ct 2>/dev/null || date +%s; }

# fill_tree TREE BINARY VERSION: every file but those of DEBIAN/.
fill_tree() {
    local tree=$1 binary=$2 version=$3 share=$1/usr/share doc=$1/usr/share/doc/image-cri-shim
    chmod 755 "$tree"
    install -D -m 755 "$binary" "$tree/usr/bin/image-cri-shim"
    install -D -m 644 -t "$tree/lib/systemd/system" packaging/image-cri-shim.service packaging/image-cri-shim.socket
    install -D -m 600 packaging/image-cri-shim.yaml "$tree/etc/image-cri-shim.yaml"
    install -d -m 750 "$tree/etc/image-cri-shim.d"
    install -D -m 644 packaging/image-cri-shim.yaml "$doc/examples/image-cri-shim.yaml"
    install -D -m 644 -t "$share/image-cri-shim" $(dashboards_and_rules)
    install -D -m 644 packaging/debian/copyright "$doc/copyright"
    install -D -m 644 packaging/debian/lintian-overrides "$share/lintian/overrides/image-cri-shim"
    write_manual "$tree" "$binary"
    write_changelog "$version" | gzip -9n >"$doc/changelog.gz"
    gzip -9nc CHANGELOG.md >"$doc/CHANGES.md.gz"
    chmod 644 "$doc"/*.gz
}

dashboards_and_rules() { find packaging/grafana packaging/prometheus -name '*.json' -o -name '*.rules.yaml' 2>/dev/null | LC_ALL=C sort; }

# write_manual TREE BINARY: what the program says of itself.
write_manual() {
    local share=$1/usr/share binary=$2
    install -d "$share/man/man8" "$share/bash-completion/completions" "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
    "$binary" man | gzip -9n >"$share/man/man8/image-cri-shim.8.gz"
    "$binary" completion bash >"$share/bash-completion/completions/image-cri-shim"
    "$binary" completion zsh >"$share/zsh/vendor-completions/_image-cri-shim"
    "$binary" completion fish >"$share/fish/vendor_completions.d/image-cri-shim.fish"
}

write_changelog() {
    printf 'image-cri-shim (%s) unstable; urgency=medium\n\n  * See CHANGES.md.gz.\n\n -- image-cri-shim authors <image-cri-shim@localhost>  %s\n' \
        "$1" "$(LC_ALL=C date -u -R -d "@$(source_date)")"
}

# write_control TREE BINARY VERSION
write_control() {
    local tree=$1 binary=$2 version=$3 size
    size=$(du -sk --apparent-size "$tree" | cut -f 1)
    install -d -m 755 "$tree/DEBIAN"
    sed "s/@VERSION@/$version/; s/@ARCHITECTURE@/$(dpkg --print-architecture)/; s/@SIZE@/$size/; s/@DEPENDS@/$(dependencies_of "$binary")/" \
        packaging/debian/control >"$tree/DEBIAN/control"
    install -m 644 packaging/debian/conffiles "$tree/DEBIAN/"
    install -m 755 packaging/debian/{postinst,prerm,postrm} "$tree/DEBIAN/"
    (cd "$tree" && find . -type f ! -path './DEBIAN/*' ! -path ./etc/image-cri-shim.yaml -printf '%P\0' | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
}

# dependencies_of BINARY: by the symbols that it takes from shared libraries.
dependencies_of() {
    local work
    work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: image-cri-shim\n\nPackage: image-cri-shim\nArchitecture: any\n' >"$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O "$1" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
    rm -rf "$work"
}

# write_sbom VERSION: every package that the binary is compiled from, as restored and locked, with its SHA-512.
write_sbom() {
    local version=$1
    locked_packages | jq -n --arg version "$version" --arg digest "$(sha256sum <artifacts/package/image-cri-shim | cut -d ' ' -f 1)" '
        def purl: "pkg:nuget/\(.name)@\(.version)";
        [inputs] as $packages | {
            bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
            metadata: {component: {
                type: "application", "bom-ref": "image-cri-shim", name: "image-cri-shim", version: $version,
                licenses: [{license: {id: "Apache-2.0"}}], hashes: [{alg: "SHA-256", content: $digest}]}},
            components: [$packages[] | {
                type: "library", "bom-ref": purl, name, version, purl: purl, hashes: [{alg: "SHA-512", content: .sha512}]}],
            dependencies: [{ref: "image-cri-shim", dependsOn: [$packages[] | purl]}]
        }' >"artifacts/package/image-cri-shim_$version.cdx.json"
}

# locked_packages: {name, version, sha512} each. What only the build uses is not in the binary; the runtime that is in it has the SDK's version.
locked_packages() {
    local name version hash
    jq -r '.dependencies[] | to_entries[] | select(.value.resolved and (.key | test("ILLink|ILCompiler") | not)) |
        [.key, .value.resolved, .value.contentHash] | @tsv' src/ImageCriShim/packages.lock.json | LC_ALL=C sort -u |
        while IFS=$'\t' read -r name version hash; do
            jq -n --arg name "$name" --arg version "$version" --arg sha512 "$(base64 -d <<<"$hash" | od -An -v -tx1 | tr -d ' \n')" '{$name, $version, $sha512}'
        done
    runtime_package
}

# The .NET runtime is compiled into the binary: from the pack that its restore took.
runtime_package() {
    local pack=Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64 found
    found=${NUGET_PACKAGES:-$HOME/.nuget/packages}/${pack,,}/$(sdk_compiler)
    jq -n --arg name "$pack" --arg version "$(basename "$found")" --arg sha512 "$(base64 -d <"$found/${pack,,}.$(basename "$found").nupkg.sha512" | od -An -v -tx1 | tr -d ' \n')" \
        '{$name, $version, $sha512}'
}
