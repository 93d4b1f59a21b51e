#!/usr/bin/python3
"""Does by hand what kubelet does: one CRI call per command, answers as JSON (or the bare id) on standard output."""

import argparse
import json
import sys
import time

import grpc

from cri_api import Api


class Runtime:
    def __init__(self, socket, version, timeout):
        self.channel = grpc.insecure_channel("unix:" + socket, options=[("grpc.max_receive_message_length", -1)])
        self.api = Api(version)
        self.timeout = timeout

    def call(self, method, request):
        """method: ImageService/PullImage. request and answer: as dictionaries, with the field names of api.proto."""
        known = self.api.methods[method]
        return known.answer(self.channel.unary_unary(known.path)(known.request(request), timeout=self.timeout))


def credential(arguments):
    if not arguments.auth:
        return {}
    username, password = arguments.auth.split(":", 1)
    auth = {"username": username, "password": password}
    if arguments.server:
        auth["server_address"] = arguments.server
    return {"auth": auth}


def sandbox_config(arguments):
    config = {
        "metadata": {"name": arguments.name, "namespace": "default", "uid": arguments.name + "-uid"},
        "log_directory": arguments.logs,
        "linux": {"cgroup_parent": arguments.cgroup_parent},
        "labels": {"io.kubernetes.pod.name": arguments.name, "io.kubernetes.pod.namespace": "default"},
    }
    if arguments.host_network:
        config["linux"]["security_context"] = {"namespace_options": {"network": "NODE"}}
    else:
        config["hostname"] = arguments.name
    return config


def container_config(arguments):
    config = {
        "metadata": {"name": arguments.name},
        "image": {"image": arguments.image},
        "log_path": arguments.name + ".log",
        "linux": {},
    }
    if arguments.argument:
        config["args"] = arguments.argument
    if arguments.host_network:
        config["linux"]["security_context"] = {"namespace_options": {"network": "NODE"}}
    return config


def remove_pods(runtime, ids):
    for pod in ids:
        runtime.call("RuntimeService/StopPodSandbox", {"pod_sandbox_id": pod})
        runtime.call("RuntimeService/RemovePodSandbox", {"pod_sandbox_id": pod})


def wait_until_ready(runtime, seconds):
    """The socket may be there before the CRI plugin has started behind it."""
    end = time.monotonic() + seconds
    while True:
        try:
            status = runtime.call("RuntimeService/Status", {})["status"]
            if any(c["type"] == "RuntimeReady" and c.get("status") for c in status["conditions"]):
                return
            problem = json.dumps(status)
        except grpc.RpcError as error:
            problem = error.details()
        if time.monotonic() > end:
            sys.exit(f"not ready after {seconds} s: {problem}")
        time.sleep(0.02)


COMMANDS = {
    "version": lambda r, a: r.call("RuntimeService/Version", {}),
    "status": lambda r, a: r.call("RuntimeService/Status", {"verbose": a.verbose}),
    "wait": lambda r, a: wait_until_ready(r, a.seconds),
    "imagestatus": lambda r, a: r.call("ImageService/ImageStatus", {"image": {"image": a.image}, "verbose": a.verbose}),
    "pull": lambda r, a: r.call("ImageService/PullImage", {"image": {"image": a.image}, **credential(a)})["image_ref"],
    "images": lambda r, a: r.call("ImageService/ListImages", {"filter": {"image": {"image": a.filter}}} if a.filter else {}),
    "rmi": lambda r, a: r.call("ImageService/RemoveImage", {"image": {"image": a.image}}),
    "runp": lambda r, a: r.call("RuntimeService/RunPodSandbox", {"config": sandbox_config(a)})["pod_sandbox_id"],
    "pods": lambda r, a: r.call("RuntimeService/ListPodSandbox", {}),
    "podstatus": lambda r, a: r.call("RuntimeService/PodSandboxStatus", {"pod_sandbox_id": a.pod}),
    "rmp": lambda r, a: remove_pods(
        r, [p["id"] for p in r.call("RuntimeService/ListPodSandbox", {}).get("items", [])] if a.pod == "all" else [a.pod]
    ),
    "create": lambda r, a: r.call(
        "RuntimeService/CreateContainer",
        {"pod_sandbox_id": a.pod, "config": container_config(a), "sandbox_config": sandbox_config(a)},
    )["container_id"],
    "start": lambda r, a: r.call("RuntimeService/StartContainer", {"container_id": a.container}),
    "stop": lambda r, a: r.call("RuntimeService/StopContainer", {"container_id": a.container, "timeout": a.seconds}),
    "rm": lambda r, a: r.call("RuntimeService/RemoveContainer", {"container_id": a.container}),
    "ps": lambda r, a: r.call("RuntimeService/ListContainers", {}),
    "inspect": lambda r, a: r.call("RuntimeService/ContainerStatus", {"container_id": a.container}),
    "exec": lambda r, a: execute(r, a),
    "call": lambda r, a: r.call(a.method, json.loads(a.request)),
}


def execute(runtime, arguments):
    import base64

    answer = runtime.call("RuntimeService/ExecSync", {"container_id": arguments.container, "cmd": arguments.argument, "timeout": 10})
    sys.stdout.write(base64.b64decode(answer.get("stdout", "")).decode())
    sys.stderr.write(base64.b64decode(answer.get("stderr", "")).decode())
    sys.exit(answer.get("exit_code", 0))


def parse(argv):
    parser = argparse.ArgumentParser(prog="cri.py", description=__doc__.splitlines()[0],
                                     epilog="create and exec take the arguments of the command after --")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--v1alpha2", action="store_true")
    parser.add_argument("--timeout", type=float, default=120, help="seconds per call")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, *positional):
        sub = commands.add_parser(name)
        for word in positional:
            sub.add_argument(word)
        return sub

    def pod_options(sub, name):
        sub.add_argument("--name", default=name)
        sub.add_argument("--logs", default="/tmp")
        sub.add_argument("--cgroup-parent", default="/image-cri-shim-lab")
        sub.add_argument("--host-network", action="store_true")

    for name in ("version", "pods", "ps"):
        command(name)
    command("status").add_argument("--verbose", action="store_true")
    command("wait").add_argument("seconds", type=float, nargs="?", default=15)
    command("imagestatus", "image").add_argument("--verbose", action="store_true")
    pull = command("pull", "image")
    pull.add_argument("--auth", help="user:password")
    pull.add_argument("--server", help="server_address of the credential")
    command("images").add_argument("filter", nargs="?")
    command("rmi", "image")
    pod_options(command("runp"), "nginx")
    command("podstatus", "pod")
    command("rmp", "pod")
    create = command("create", "pod", "image")
    pod_options(create, "nginx")
    for name in ("start", "rm", "inspect"):
        command(name, "container")
    command("stop", "container").add_argument("seconds", type=int, nargs="?", default=0)
    command("exec", "container")
    command("call", "method").add_argument("request", nargs="?", default="{}")
    options, argument = (argv[: argv.index("--")], argv[argv.index("--") + 1 :]) if "--" in argv else (argv, [])
    return parser.parse_args(options, argparse.Namespace(argument=argument))


def main():
    arguments = parse(sys.argv[1:])
    version = "v1alpha2" if arguments.v1alpha2 else "v1"
    runtime = Runtime(arguments.socket, version, arguments.timeout)
    try:
        answer = COMMANDS[arguments.command](runtime, arguments)
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
    if isinstance(answer, str):
        print(answer)
    elif answer is not None:
        print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
