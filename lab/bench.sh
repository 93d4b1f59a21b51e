# shellcheck shell=bash
# ./build bench: the bench program starts and ends what it measures (lab/lab); here it only gets what it needs.

bench_packages=(nghttp2-client curl jq)
bench_directory=/tmp/image-cri-shim-bench

bench() {
    need_sdk
    need_root "the bench" bench
    need_debian "the bench"
    [[ ! -d $bench_directory ]] || fail "a bench is running, or one was killed: $bench_directory is there." "Remove it with: lab/lab end $bench_directory"
    mkdir -p "$LAB_CACHE"
    run_and_undo end_bench bench_everything "$@"
}

end_bench() { end_lab "$bench_directory"; }

bench_everything() {
    {
        install_packages "${bench_packages[@]}"
        install_lab 1.7
        leave_no_build_server
        restore
        compile
        publish
    } >&2
    mkdir "$bench_directory"
    IMAGE_CRI_SHIM_LAB=$LAB_CACHE IMAGE_CRI_SHIM_ROOT=$ROOT IMAGE_CRI_SHIM_BENCH=$bench_directory \
        dotnet bench/ImageCriShim.Benchmarks/bin/Release/net10.0/ImageCriShim.Benchmarks.dll "$@" </dev/null
}
