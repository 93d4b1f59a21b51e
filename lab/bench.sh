# shellcheck shell=bash
# ./build bench: the bench program starts and ends what it measures (lab/lab); here it only gets what it needs.

bench_packages=(nghttp2-client curl jq)

bench() {
    need_sdk
    need_root "the bench" bench
    need_debian "the bench"
    mkdir -p "$LAB_CACHE"
    run_and_undo end_test_labs bench_everything "$@"
}

bench_everything() {
    {
        install_packages "${bench_packages[@]}"
        install_lab 1.7
        leave_no_build_server
        restore
        compile
        publish_all
    } >&2
    IMAGE_CRI_SHIM_LAB=$LAB_CACHE IMAGE_CRI_SHIM_LABS=$test_labs IMAGE_CRI_SHIM_ROOT=$ROOT \
        dotnet bench/ImageCriShim.Benchmarks/bin/Release/net10.0/ImageCriShim.Benchmarks.dll "$@" </dev/null
}
