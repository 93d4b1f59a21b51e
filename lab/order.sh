# shellcheck shell=bash
# The order of functions in the native program (docs/decisions/0009): those that are called lie together, so that the others stay on the disk.

# order: writes src/ImageCriShim/native.order anew, after a change to what is called at the start or by every call. It is the program itself, with its names,
# that is run: at its start and for a minute of pulls, statuses, lists and removes.
order() {
    need_sdk
    need_root "./build order" order
    need_debian "./build order"
    run_and_undo end_test_labs write_order
}

write_order() {
    local work=$ROOT/artifacts/order shim=$ROOT/artifacts/order/out/image-cri-shim
    prepare_tests
    install_linker
    rm -rf "$work" && mkdir -p "$work/called"
    step "publish with names, in no order"
    dotnet publish src/ImageCriShim -c Release -r linux-x64 -nologo -p:StripSymbols=false -p:NativeOrder=none \
        --artifacts-path "$work" -o "$work/out" >"$work/publish.log" 2>&1 </dev/null || fail "it does not publish; see $work/publish.log"
    cc -O2 -Wall -Wextra -Wno-unused-result -o "$work/called-by" lab/called.c
    list_functions "$shim" >"$work/functions"
    cut -d ' ' -f 1 "$work/functions" >"$work/addresses"
    cat >"$work/image-cri-shim" <<EOF
#!/bin/sh
exec "$work/called-by" "$work/addresses" "$work/called/\$(date +%s%N)" "$shim" "\$@"
EOF
    chmod +x "$work/image-cri-shim"
    step "run it"
    IMAGE_CRI_SHIM=$work/image-cri-shim IMAGE_CRI_SHIM_SOAK_MINUTES=1 run_suite order -trait suite=soak
    [[ $(cat "$work"/called/* | wc -l) -gt 2000 ]] || fail "it has hardly been called; see above." # whether it grew in so short a time is not asked here
    cat "$work"/called/* | awk 'NR == FNR { name[$1] = $2; next } !($1 in seen) { seen[$1]; print name[$1] }' "$work/functions" - >src/ImageCriShim/native.order
    say "src/ImageCriShim/native.order: $(wc -l <src/ImageCriShim/native.order) of $(wc -l <"$work/functions") functions"
}

# list_functions PROGRAM: address and name of each function that was compiled from C#, one of several names.
list_functions() {
    local section
    section=$(readelf -SW "$1" | sed -n 's/^ *\[ *\([0-9]*\)\] __managedcode .*/\1/p')
    readelf -sW "$1" | awk -v section="$section" '$4 == "FUNC" && $7 == section && !($2 in seen) { seen[$2]; sub(/^0+/, "", $2); print $2, $8 }'
}
