"""The life of an image and of a container of it, as crictl would have it step by step; each step says by itself whether it is as it must be."""

import base64
import os
import threading
import time

import grpc

import cri
import cri_pods
import proto
from references import normalise

POD = "life"


def run(caller, options):
    """Yields (step, what it saw) until a step breaks."""
    life = Life(caller, options)
    steps = [life.pull, life.status, life.list, life.sandbox, life.container_by_name, life.exec, life.logs, life.events, life.stats, life.remove]
    yield from cri_pods.take_steps(caller, POD, steps)


class Life:
    def __init__(self, caller, options):
        self.caller = caller
        self.given, self.id, self.digest = options["image"], options["id"], options["digest"]
        self.name = normalise(self.given)
        self.digest_name = self.name.rpartition(":")[0] + "@" + self.digest
        self.directory = options["directory"]
        self.pod = self.container = None
        self.heard = Heard(caller)

    def pull(self):
        cri.same(self.caller.must("ImageService/PullImage", {"image": {"image": self.given}})["image_ref"], self.id)
        return {}

    def status(self):
        self.check(self.caller.must("ImageService/ImageStatus", {"image": {"image": self.given}})["image"])
        return {}

    def list(self):
        for request in ({}, {"filter": {"image": {"image": self.given}}}):
            images = self.caller.must("ImageService/ListImages", request)["images"]
            self.check(*(image for image in images if image["id"] == self.id))
        return {}

    def check(self, image):
        cri.same(image["id"], self.id)
        cri.same(image["repo_tags"], [self.name])
        cri.same(image["repo_digests"], [self.digest_name])
        cri.true(image["size"] > 0, "it has a size")

    def sandbox(self):
        self.heard.begin()
        self.pod = cri_pods.run(self.caller, cri_pods.pod(POD, self.directory))
        status = self.caller.must("RuntimeService/PodSandboxStatus", {"pod_sandbox_id": self.pod})["status"]
        cri.same(status.get("state", "SANDBOX_READY"), "SANDBOX_READY")
        return {}

    def container_by_name(self):
        request = {"pod_sandbox_id": self.pod, "config": cri_pods.container("main", self.given), "sandbox_config": cri_pods.pod(POD, self.directory)}
        self.container = self.caller.must("RuntimeService/CreateContainer", request)["container_id"]
        self.caller.must("RuntimeService/StartContainer", {"container_id": self.container})
        status = self.caller.must("RuntimeService/ContainerStatus", {"container_id": self.container})["status"]
        cri.same(status["state"], "CONTAINER_RUNNING")
        cri.same(status["image"]["image"], self.name)
        cri.true(status["image_ref"].endswith("@" + self.digest), "its image_ref is the digest")
        listed, = self.caller.must("RuntimeService/ListContainers", {"filter": {"id": self.container}})["containers"]
        cri.same(listed["image_ref"], self.id)
        for image_id in (status.get("image_id"), listed.get("image_id")):
            cri.true(image_id in (None, self.id), f"image_id is {self.id}: {image_id}")
        return {"image_id": "image_id" in status}

    def exec(self):
        answer = self.caller.must("RuntimeService/ExecSync", {"container_id": self.container, "cmd": ["/bin/echo", "inside"], "timeout": 10})
        cri.same(answer["stdout"], "base64:" + base64.b64encode(b"inside\n").decode())
        url = self.caller.must("RuntimeService/Exec", {"container_id": self.container, "cmd": ["/bin/echo"], "stdout": True})["url"]
        cri.true("/exec/" in url, "a URL to stream from")
        return {}

    def logs(self):
        until = time.monotonic() + cri.PATIENCE
        path = os.path.join(self.directory, "main.log")
        while not (os.path.exists(path) and "stdout F it runs" in open(path).read()):
            cri.true(time.monotonic() < until, "the log holds what it wrote")
            time.sleep(0.01)  # between two looks: nobody tells
        self.caller.must("RuntimeService/ReopenContainerLog", {"container_id": self.container})
        return {}

    def events(self):
        return {"of CRI": self.heard.of_cri(self.container), "of containerd": self.heard.of_containerd(self.container)}

    def stats(self):
        own = self.caller.must("RuntimeService/ContainerStats", {"container_id": self.container})["stats"]
        listed, = self.caller.must("RuntimeService/ListContainerStats", {"filter": {"id": self.container}})["stats"]
        for stats in (own, listed):
            cri.same(stats["attributes"]["id"], self.container)
            cri.true(stats["memory"]["working_set_bytes"]["value"] > 0, "it uses memory")
        return {}

    def remove(self):
        self.caller.must("RuntimeService/StopContainer", {"container_id": self.container, "timeout": 5})
        self.caller.must("RuntimeService/RemoveContainer", {"container_id": self.container})
        cri_pods.remove(self.caller, self.pod)
        self.caller.must("ImageService/RemoveImage", {"image": {"image": self.given}})
        cri.same(self.caller.must("ImageService/ImageStatus", {"image": {"image": self.given}})["image"], None)
        images = self.caller.must("ImageService/ListImages")["images"] or []
        cri.true(self.id not in [image["id"] for image in images], "it is gone from the list")
        return {}


class Heard:
    """Events of containers: CRI's own where the runtime has them, and containerd's from the same socket."""

    def __init__(self, caller):
        self.caller = caller
        self.own, self.containerds = [], []
        self.stream = self.subscription = None

    def begin(self):
        self.stream = self.caller.open("RuntimeService/GetContainerEvents")
        self.subscription = self.caller.channel.unary_stream("/containerd.services.events.v1.Events/Subscribe")(
            proto.field(1, 'topic=="/tasks/start"'), timeout=cri.PATIENCE, metadata=[("containerd-namespace", "k8s.io")])
        for stream, held in ((self.stream, self.own), (self.subscription, self.containerds)):
            threading.Thread(target=keep, args=(stream, held), daemon=True).start()

    def of_cri(self, container):
        def started(event):
            return event.get("container_id") == container and event.get("container_event_type") == "CONTAINER_STARTED_EVENT"
        return self.wait(self.stream, self.own, started)

    def of_containerd(self, container):
        return self.wait(self.subscription, self.containerds, lambda envelope: container.encode() in envelope)

    def wait(self, stream, held, wanted):
        until = time.monotonic() + cri.PATIENCE
        while not any(map(wanted, list(held))):
            if stream.done():
                return stream.code().name
            cri.true(time.monotonic() < until, "it was heard of")
            time.sleep(0.005)  # between two looks: two threads fill the lists
        stream.cancel()
        return "heard"


def keep(stream, held):
    try:
        for message in stream:
            held.append(message)
    except grpc.RpcError:
        pass  # its code says it
