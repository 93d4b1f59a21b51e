"""Every method of CRI once, on a real image, pod and container: the list of them is that of the definition, not of this file.

A method's calls are a generator of (what is asked, request) that is sent the answers. They run in the order in which they stand here,
which is that of a pod's life.
"""

import http.client
import queue
import threading
import urllib.parse

import grpc

import cri
import cri_pods

EVENT_SECONDS = 10
POD = "every-method"

calls = {}


def method(name):
    def add(function):
        calls[name] = function
        return function
    return add


class World:
    """What the calls have in common. The image is pulled by the name that was given; nothing of it is there before."""

    def __init__(self, caller, options):
        self.caller = caller
        self.given = options["image"]
        self.directory = options["directory"]
        self.image = self.pod = self.container = ""
        self.events = Events(caller) if "RuntimeService/GetContainerEvents" in caller.api.methods else None

    def prepare(self):
        """A pod that nobody looks at: it has the runtime pull its sandbox image, and see Events."""
        if self.events:
            self.events.begin()
        cri_pods.remove(self.caller, cri_pods.run(self.caller, self.pod_config(POD + "-before")))

    def pod_config(self, name=POD):
        return cri_pods.pod(name, self.directory)

    def container_config(self):
        return cri_pods.container("main", self.given, mounts=[{"container_path": "/mnt", "host_path": self.directory, "readonly": True}])


def run(caller, options):
    """Yields (method, what was seen of its calls)."""
    world = World(caller, options)
    world.prepare()
    try:
        yield from run_all(world)
    finally:
        cri_pods.remove_all(caller, POD)


def run_all(world):
    caller = world.caller
    for name in [known for known in calls if known in caller.api.methods]:
        yield name, ask_all(world, name)
    for name in caller.api.methods:
        if name not in calls:
            yield name, {"broke": "no scenario calls it"}


def ask_all(world, name):
    seen, steps, answer = {}, calls[name](world), None
    try:
        while True:
            what, request = steps.send(answer)
            if callable(request):
                seen[what] = request()
                continue
            answer = world.caller.ask(name, request)
            seen[what] = answer.shown
    except StopIteration:
        return seen
    except Exception as error:
        return {**seen, "broke": f"{type(error).__name__}: {error}"}


class Events:
    """Container events, from before the pod until after it. containerd 1.7 deals them out among those who listen, and to one who has left
    it deals one more: those go to the pod that nobody looks at."""

    def __init__(self, caller):
        self.caller = caller
        self.received = queue.Queue()
        self.ended = None
        self.stream = None

    def begin(self):
        self.stream = self.caller.open("RuntimeService/GetContainerEvents")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            for event in self.stream:
                self.received.put(event)
        except grpc.RpcError:
            pass
        self.ended = {"code": self.stream.code().name, "message": self.stream.details()}
        self.received.put(None)

    def of(self, pod, last):
        """All about that pod until `last`: what has happened to what, and what is said of it."""
        seen = []
        output = self.caller.api.methods["RuntimeService/GetContainerEvents"].output
        while True:
            try:
                event = self.received.get(timeout=EVENT_SECONDS)
            except queue.Empty:
                return {"events": seen, "then": f"nothing for {EVENT_SECONDS} s"}
            if event is None:
                return {"events": seen, "then": self.ended}
            if event.get("pod_sandbox_status", {}).get("id") == pod or event.get("container_id") == pod:
                seen.append(cri.comparable(output, event, self.caller.text))
            if last(event):
                self.stream.cancel()
                return {"events": seen, "then": "cancelled"}


@method("RuntimeService/Version")
def version(world):
    yield "as kubelet asks", {"version": "0.1.0"}
    yield "empty", {}


@method("RuntimeService/Status")
def status(world):
    yield "briefly", {}
    yield "verbose", {"verbose": True}


@method("RuntimeService/RuntimeConfig")
def runtime_config(world):
    yield "empty", {}


@method("RuntimeService/UpdateRuntimeConfig")
def update_runtime_config(world):
    yield "pods' addresses", {"runtime_config": {"network_config": {"pod_cidr": "10.88.0.0/16"}}}
    yield "empty", {}


@method("RuntimeService/ListMetricDescriptors")
def list_metric_descriptors(world):
    yield "empty", {}


@method("ImageService/ImageFsInfo")
def image_fs_info(world):
    yield "empty", {}


@method("ImageService/PullImage")
def pull_image(world):
    answer = yield "by the name given", {
        "image": {"image": world.given, "annotations": {"example.com/note": "kept"}},
        "sandbox_config": world.pod_config(),
    }
    world.image = answer["image_ref"] or ""
    yield "again", {"image": {"image": world.given}}


@method("ImageService/ImageStatus")
def image_status(world):
    answer = yield "by the name given", {"image": {"image": world.given}}
    digests = (answer["image"] or {}).get("repo_digests") or [""]
    yield "verbose", {"image": {"image": world.given}, "verbose": True}
    yield "by its whole name", {"image": {"image": f"docker.io/library/{world.given}"}}
    yield "by its digest", {"image": {"image": digests[0]}}
    yield "by its ID", {"image": {"image": world.image}}
    yield "by its bare ID", {"image": {"image": world.image.removeprefix("sha256:")}}
    yield "by a short ID", {"image": {"image": world.image.removeprefix("sha256:")[:13]}}
    yield "for a runtime handler, with annotations", {"image": {"image": world.given, "runtime_handler": "runc", "annotations": {"a": "b"}}}
    yield "of what is not there", {"image": {"image": "nowhere.test/at/all:1"}}
    yield "of no name", {}


@method("ImageService/ListImages")
def list_images(world):
    yield "all", {}
    yield "by the name given", {"filter": {"image": {"image": world.given}}}
    yield "by its ID", {"filter": {"image": {"image": world.image}}}
    yield "of what is not there", {"filter": {"image": {"image": "nowhere.test/at/all:1"}}}


@method("RuntimeService/RunPodSandbox")
def run_pod_sandbox(world):
    answer = yield "on the node's network", {"config": world.pod_config()}
    world.pod = answer["pod_sandbox_id"] or ""
    world.caller.hide(world.pod, "THE POD")
    yield "with a handler that is not there", {"config": world.pod_config(POD + "-not"), "runtime_handler": "nope"}


@method("RuntimeService/PodSandboxStatus")
def pod_sandbox_status(world):
    yield "briefly", {"pod_sandbox_id": world.pod}
    yield "verbose", {"pod_sandbox_id": world.pod, "verbose": True}
    yield "of what is not there", {"pod_sandbox_id": "nope"}


@method("RuntimeService/ListPodSandbox")
def list_pod_sandbox(world):
    yield "by its ID", {"filter": {"id": world.pod}}
    yield "by a label", {"filter": {"label_selector": {"io.kubernetes.pod.name": POD}, "state": {"state": "SANDBOX_READY"}}}


@method("RuntimeService/CreateContainer")
def create_container(world):
    answer = yield "by the image's name", {
        "pod_sandbox_id": world.pod, "config": world.container_config(), "sandbox_config": world.pod_config()}
    world.container = answer["container_id"] or ""
    world.caller.hide(world.container, "THE CONTAINER")
    absent = {**world.container_config(), "metadata": {"name": "other"}, "image": {"image": "nowhere.test/at/all:1"}}
    yield "of an image that is not there", {"pod_sandbox_id": world.pod, "config": absent, "sandbox_config": world.pod_config()}


@method("RuntimeService/StartContainer")
def start_container(world):
    yield "it", {"container_id": world.container}
    yield "what is not there", {"container_id": "nope"}


@method("RuntimeService/ListContainers")
def list_containers(world):
    yield "all of the pod", {"filter": {"pod_sandbox_id": world.pod}}
    yield "by its state", {"filter": {"id": world.container, "state": {"state": "CONTAINER_RUNNING"}}}


@method("RuntimeService/ContainerStatus")
def container_status(world):
    yield "briefly", {"container_id": world.container}
    yield "verbose", {"container_id": world.container, "verbose": True}
    yield "of what is not there", {"container_id": "nope"}


@method("RuntimeService/UpdateContainerResources")
def update_container_resources(world):
    yield "its share", {"container_id": world.container, "linux": {"cpu_shares": 512}, "annotations": {"a": "b"}}


@method("RuntimeService/ReopenContainerLog")
def reopen_container_log(world):
    yield "its log", {"container_id": world.container}


@method("RuntimeService/ExecSync")
def exec_sync(world):
    command = ["/bin/sh", "-c", "echo out; echo $A >&2; exit 3"]
    yield "a command", {"container_id": world.container, "cmd": command, "timeout": 10}
    yield "what is not there", {"container_id": world.container, "cmd": ["/nope"], "timeout": 10}


@method("RuntimeService/Exec")
def execute(world):
    answer = yield "a command", {"container_id": world.container, "cmd": ["/bin/echo", "a"], "stdout": True}
    yield "its URL", lambda: visit(answer["url"])


@method("RuntimeService/Attach")
def attach(world):
    answer = yield "to its output", {"container_id": world.container, "stdout": True}
    yield "its URL", lambda: visit(answer["url"])


@method("RuntimeService/PortForward")
def port_forward(world):
    answer = yield "a port", {"pod_sandbox_id": world.pod, "port": [80]}
    yield "its URL", lambda: visit(answer["url"])


def visit(url):
    """Without an upgrade a streaming URL refuses, but otherwise than one that it does not know."""
    where = urllib.parse.urlparse(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=cri.PATIENCE)
    connection.request("GET", where.path)
    return connection.getresponse().status


@method("RuntimeService/ContainerStats")
def container_stats(world):
    yield "its own", {"container_id": world.container}


@method("RuntimeService/ListContainerStats")
def list_container_stats(world):
    yield "of the pod", {"filter": {"pod_sandbox_id": world.pod}}


@method("RuntimeService/PodSandboxStats")
def pod_sandbox_stats(world):
    yield "its own", {"pod_sandbox_id": world.pod}


@method("RuntimeService/ListPodSandboxStats")
def list_pod_sandbox_stats(world):
    yield "by its ID", {"filter": {"id": world.pod}}


@method("RuntimeService/ListPodSandboxMetrics")
def list_pod_sandbox_metrics(world):
    yield "empty", {}


@method("RuntimeService/CheckpointContainer")
def checkpoint_container(world):
    yield "to a file", {"container_id": world.container, "location": f"{world.directory}/checkpoint.tar", "timeout": 5}


@method("RuntimeService/StopContainer")
def stop_container(world):
    yield "it", {"container_id": world.container, "timeout": 5}
    yield "again", {"container_id": world.container}
    yield "what is not there", {"container_id": "nope"}


@method("RuntimeService/RemoveContainer")
def remove_container(world):
    yield "it", {"container_id": world.container}
    yield "again", {"container_id": world.container}


@method("RuntimeService/StopPodSandbox")
def stop_pod_sandbox(world):
    yield "it", {"pod_sandbox_id": world.pod}
    yield "again", {"pod_sandbox_id": world.pod}


@method("RuntimeService/RemovePodSandbox")
def remove_pod_sandbox(world):
    yield "it", {"pod_sandbox_id": world.pod}
    yield "again", {"pod_sandbox_id": world.pod}


@method("RuntimeService/GetContainerEvents")
def get_container_events(world):
    def last(event):
        return event.get("container_event_type") == "CONTAINER_DELETED_EVENT" and event.get("container_id") == world.pod
    yield "of the pod's whole life", lambda: world.events.of(world.pod, last)


@method("ImageService/RemoveImage")
def remove_image(world):
    yield "by the name given", {"image": {"image": world.given}}
    yield "again", {"image": {"image": world.given}}
    yield "what is not there", {"image": {"image": "nowhere.test/at/all:1"}}
