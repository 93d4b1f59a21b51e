# shellcheck shell=bash
# The published program: artifacts/package/image-cri-shim, compiled ahead of time, with its units and an example configuration beside it.

publish() {
    local work=$ROOT/artifacts/publish package=$ROOT/artifacts/package
    install_linker
    mkdir -p "$work" "$package"
    # It would be linked as it is, in another order of functions.
    find src/ImageCriShim/obj/Release/net10.0/linux-x64 -name image-cri-shim.o ! -newer src/ImageCriShim/native.order -delete 2>/dev/null || true
    restore
    dotnet publish src/ImageCriShim -c Release -r linux-x64 --no-restore -nologo -o "$work/out" >"$work/log" 2>&1 </dev/null || fail_publish
    cp "$work/out/image-cri-shim" packaging/image-cri-shim.{service,socket,yaml} "$package/"
    say "published artifacts/package/image-cri-shim ($(du -h --apparent-size "$package/image-cri-shim" | cut -f 1))"
}

install_linker() {
    if ! command -v clang >/dev/null && ! command -v gcc >/dev/null; then install_packages gcc; fi
    if command -v dpkg-query >/dev/null; then install_packages libc6-dev zlib1g-dev; fi
}

fail_publish() {
    grep -E 'error|warning' "$ROOT/artifacts/publish/log" | sort -u | head -n 20 >&2 || true
    fail "the program does not publish." "All of it: artifacts/publish/log"
}
