# shellcheck shell=bash
# Compiling and testing.

# A build server must not find other packages than the ones that are written down.
restore_options=()
if [[ -n ${CI:-} ]]; then restore_options=(-p:RestoreLockedMode=true); fi

restore() { dotnet restore ImageCriShim.slnx -nologo -v quiet "${restore_options[@]}" </dev/null; }

compile() { dotnet build ImageCriShim.slnx -c Release -nologo -v quiet --no-restore </dev/null; }
