# shellcheck shell=bash
# NuGet packages, as the lock files have them. The compiler is one of them, and its version is the SDK's choice: another SDK restores another compiler.

restore() {
    local options=() log
    [[ -z ${is_restored:-} ]] || return 0
    log=$ROOT/artifacts/restore.log
    mkdir -p "$ROOT/artifacts"
    if [[ $(locked_compiler) != "$(sdk_compiler)" ]]; then
        options=(-p:OtherCompiler=true)
        other_compiler
    elif [[ -n ${CI:-} ]]; then # a build server must not find other packages than the ones that are written down
        options=(-p:RestoreLockedMode=true)
    fi
    dotnet restore ImageCriShim.slnx -nologo -v quiet "${options[@]}" >"$log" 2>&1 </dev/null || fail_restore "$log"
    is_restored=yes
}

# other_compiler: a build server stops here. Elsewhere the build goes on with what this SDK brings, and leaves the lock files as they are.
other_compiler() {
    local text=("the lock files are for the compiler of .NET $(locked_compiler); the SDK here, $(dotnet --version), brings that of $(sdk_compiler)."
        "Use an SDK that brings .NET $(locked_compiler), or renew the lock files: dotnet restore --force-evaluate, and commit them.")
    if [[ -n ${CI:-} ]]; then fail "${text[@]}"; fi
    note "notice: ${text[0]}"
    note "        ${text[1]}"
}

fail_restore() {
    cat "$1" >&2
    if grep -q NU1004 "$1"; then
        fail "the lock files do not fit the packages that the projects name." "Renew them: dotnet restore --force-evaluate, and commit them."
    fi
    fail "the NuGet packages could not be restored."
}

# locked_compiler: the version of the native compiler in the lock file.
locked_compiler() {
    sed -n '/"Microsoft.DotNet.ILCompiler"/,/}/s/.*"resolved": "\(.*\)".*/\1/p' src/ImageCriShim/packages.lock.json | sed -n 1p
}

# sdk_compiler: the version that this SDK would restore.
sdk_compiler() { dotnet msbuild src/ImageCriShim -getProperty:BundledNETCoreAppPackageVersion </dev/null; }

# leave_no_build_server: compilers and build nodes end with the command, instead of waiting ten minutes for the next.
leave_no_build_server() {
    export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false DOTNET_CLI_USE_MSBUILD_SERVER=0
}
