# shellcheck shell=bash
# Is the Debian package what Debian expects? What an administrator expects of it is tried on a booted node: tests/ImageCriShim.Tests/BootedNode.

deb_test_packages=(lintian "${deb_packages[@]}")

test_deb() {
    local packages
    packages=$(mktemp -d)
    install_packages "${deb_test_packages[@]}"
    build_deb "$(shim_version)" "$packages"
    test_command "lintian" check_deb "$packages/$(deb_name "$(shim_version)")"
    test_command "the SBOM and checksums" check_sbom
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
