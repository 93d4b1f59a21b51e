"""A caller of CRI on grpcio and Kubernetes' own definition; ../README.md is its contract."""

import json
import sys
import time

import cri
import cri_every_method
import cri_kubelet
import cri_life

GROUPS = {"every-method": cri_every_method.run, "life": cri_life.run, "kubelet": cri_kubelet.run}


def main():
    socket, version, group, options = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
    caller = cri.Caller(socket, version)
    for value, placeholder in options.get("hide", {}).items():
        caller.hide(value, placeholder)
    started = time.monotonic()
    for name, result in GROUPS[group](caller, options):
        now = time.monotonic()
        print(json.dumps({"scenario": name, "result": result, "measured": {"seconds": now - started}}), flush=True)
        started = now


main()
