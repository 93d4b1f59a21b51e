# shellcheck shell=bash
# Every part of the lab, for ./build and lab/lab. ROOT is the repository.

LAB_CACHE=${IMAGE_CRI_SHIM_LAB:-${XDG_CACHE_HOME:-$HOME/.cache}/image-cri-shim-lab}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
umask 022

# shellcheck source=lab/say.sh
. "$ROOT/lab/say.sh"
# shellcheck source=lab/machine.sh
. "$ROOT/lab/machine.sh"
# shellcheck source=lab/packages.sh
. "$ROOT/lab/packages.sh"
# shellcheck source=lab/restore.sh
. "$ROOT/lab/restore.sh"
# shellcheck source=lab/publish.sh
. "$ROOT/lab/publish.sh"
# shellcheck source=lab/deb.sh
. "$ROOT/lab/deb.sh"
# shellcheck source=lab/deb-tests.sh
. "$ROOT/lab/deb-tests.sh"
# shellcheck source=lab/report.sh
. "$ROOT/lab/report.sh"
# shellcheck source=lab/stress.sh
. "$ROOT/lab/stress.sh"
# shellcheck source=lab/tests.sh
. "$ROOT/lab/tests.sh"
# shellcheck source=lab/order.sh
. "$ROOT/lab/order.sh"
# shellcheck source=lab/fuzz.sh
. "$ROOT/lab/fuzz.sh"
# shellcheck source=lab/daemon.sh
. "$ROOT/lab/daemon.sh"
# shellcheck source=lab/undo.sh
. "$ROOT/lab/undo.sh"
# shellcheck source=lab/cri.sh
. "$ROOT/lab/cri.sh"
# shellcheck source=lab/go.sh
. "$ROOT/lab/go.sh"
# shellcheck source=lab/images.sh
. "$ROOT/lab/images.sh"
# shellcheck source=lab/registry.sh
. "$ROOT/lab/registry.sh"
# shellcheck source=lab/network.sh
. "$ROOT/lab/network.sh"
# shellcheck source=lab/containerd.sh
. "$ROOT/lab/containerd.sh"
# shellcheck source=lab/containerd-config.sh
. "$ROOT/lab/containerd-config.sh"
# shellcheck source=lab/docker.sh
. "$ROOT/lab/docker.sh"
# shellcheck source=lab/kubernetes.sh
. "$ROOT/lab/kubernetes.sh"
# shellcheck source=lab/cluster.sh
. "$ROOT/lab/cluster.sh"
# shellcheck source=lab/kubelet.sh
. "$ROOT/lab/kubelet.sh"
# shellcheck source=lab/instance.sh
. "$ROOT/lab/instance.sh"
# shellcheck source=lab/node.sh
. "$ROOT/lab/node.sh"
# shellcheck source=lab/node-cgroups.sh
. "$ROOT/lab/node-cgroups.sh"
# shellcheck source=lab/node-furniture.sh
. "$ROOT/lab/node-furniture.sh"
# shellcheck source=lab/shim.sh
. "$ROOT/lab/shim.sh"
# shellcheck source=lab/prometheus.sh
. "$ROOT/lab/prometheus.sh"
# shellcheck source=lab/demo.sh
. "$ROOT/lab/demo.sh"
# shellcheck source=lab/bench.sh
. "$ROOT/lab/bench.sh"
