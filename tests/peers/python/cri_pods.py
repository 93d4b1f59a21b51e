"""Pods and containers as kubelet asks for them, on the node's own network."""

import cri

CGROUP = "/image-cri-shim-lab"  # what the lab removes
SECURITY = {"namespace_options": {"network": "NODE"}}
SHELL = "trap 'exit 0' TERM; echo it runs; sleep infinity & wait"


def pod(name, directory):
    return {
        "metadata": {"name": name, "uid": name + "-uid", "namespace": "default", "attempt": 1},
        "log_directory": directory,
        "labels": {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default", "app": name.partition("-before")[0]},
        "annotations": {"example.com/note": "kept"},
        "linux": {"cgroup_parent": CGROUP, "security_context": SECURITY},
    }


def container(name, image, **more):
    return {
        "metadata": {"name": name},
        "image": {"image": image, "annotations": {"example.com/note": "kept"}},
        "command": ["/bin/sh", "-c", SHELL],
        "envs": [{"key": "A", "value": "b"}],
        "labels": {"io.kubernetes.container.name": name},
        "annotations": {"example.com/note": "kept"},
        "log_path": name + ".log",
        "linux": {"security_context": SECURITY},
        **more,
    }


def run(caller, config):
    return caller.must("RuntimeService/RunPodSandbox", {"config": config})["pod_sandbox_id"]


def remove(caller, identity):
    caller.must("RuntimeService/StopPodSandbox", {"pod_sandbox_id": identity})
    caller.must("RuntimeService/RemovePodSandbox", {"pod_sandbox_id": identity})


def remove_all(caller, name):
    """What was not removed because something broke."""
    left = caller.must("RuntimeService/ListPodSandbox", {"filter": {"label_selector": {"app": name}}})
    for found in left["items"] or []:
        remove(caller, found["id"])


def take_steps(caller, name, steps):
    """Yields (step, what it saw) until a step breaks; then what was started under that name is removed."""
    try:
        for step in steps:
            result = cri.attempt(step)
            yield step.__name__, result
            if "broke" in result:
                return
    finally:
        remove_all(caller, name)
