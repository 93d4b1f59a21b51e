# shellcheck shell=bash
# The two published flavours, each with its units and an example configuration: artifacts/package/{ready-to-run,native}.

publish_all() {
    publish_flavour ready-to-run net10.0 || fail_publish ready-to-run
    publish_native
}

publish_native() {
    install_linker
    if publish_flavour native net10.0; then return; fi
    grep -Eq 'NU1101|NU1102|NU1103' "$(publish_log native)" || fail_publish native
    note "notice: the native runtime pack of .NET 10 cannot be restored here, so the native flavour is built for .NET 9." \
        "It is for measuring, and for proving that the code compiles ahead of time; .NET 9 is out of support, do not release it."
    publish_flavour native net9.0 || fail_publish native
}

install_linker() {
    if ! command -v clang >/dev/null && ! command -v gcc >/dev/null; then install_packages gcc; fi
    if command -v dpkg-query >/dev/null; then install_packages libc6-dev zlib1g-dev; fi
}

# publish_flavour FLAVOUR FRAMEWORK: built apart from the ordinary build, so that neither disturbs the other's restore.
publish_flavour() {
    local flavour=$1 framework=$2 work=$ROOT/artifacts/publish/$1-$2 package=$ROOT/artifacts/package/$1
    mkdir -p "$work" && rm -f "$work/packages.native.lock.json"
    find "$work/obj" -name image-cri-shim.o ! -newer src/ImageCriShim/native.order -delete 2>/dev/null || true # compiled in another order
    dotnet publish src/ImageCriShim -c Release -nologo -p:Flavour="$flavour" -p:NativeFramework="$framework" "${restore_options[@]}" \
        --artifacts-path "$work" -o "$work/out" >"$(publish_log "$flavour")" 2>&1 </dev/null || return 1
    rm -rf "$package" && mkdir -p "$package" &&
        cp "$work/out/image-cri-shim" packaging/image-cri-shim.{service,socket,yaml} "$package/" || return 1
    say "published artifacts/package/$flavour/image-cri-shim ($framework, $(du -h --apparent-size "$package/image-cri-shim" | cut -f 1))"
}

fail_publish() {
    grep -E 'error|warning' "$(publish_log "$1")" | sort -u | head -n 20 >&2 || true
    fail "the $1 flavour does not publish." "All of it: $(publish_log "$1")"
}

publish_log() {
    mkdir -p "$ROOT/artifacts/publish"
    printf '%s/artifacts/publish/%s.log' "$ROOT" "$1"
}

# leave_no_build_server: compilers and build nodes end with the command, instead of waiting ten minutes for the next.
leave_no_build_server() {
    export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
}
