"""Kubelet's life of images, call by call: what it asks, in which order, and what it takes for granted of the answers."""

import concurrent.futures

import cri
import cri_pods
from references import normalise

POD = "kubelet"
LISTS = 20  # one every 30 s: ten minutes


def run(caller, options):
    """Yields (step, what it saw) until a step breaks."""
    kubelet = Kubelet(caller, options)
    steps = [
        kubelet.validates_the_endpoint_when_it_starts, kubelet.pulls_what_is_not_present, kubelet.pulls_always_without_asking,
        kubelet.pulls_one_after_the_other, kubelet.pulls_at_the_same_time, kubelet.tries_one_secret_after_the_other,
        kubelet.lists_again_and_again, kubelet.finds_its_pull_records, kubelet.runs_a_container_by_id, kubelet.collects_garbage,
    ]
    yield from cri_pods.take_steps(caller, POD, steps)


class Kubelet:
    """`pulled`: image_ref of every image by the name in its pod, as in kubelet's pull records.

    options: `first`, `serial`, `parallel` and `by_digest` are names; `secret` is {name, wrong: [AuthConfig], right: AuthConfig}."""

    def __init__(self, caller, options):
        self.caller = caller
        self.options = options
        self.pulled = {}
        self.pod = self.container = None

    def validates_the_endpoint_when_it_starts(self):
        image_filesystem, *_ = self.caller.must("ImageService/ImageFsInfo")["image_filesystems"]
        cri.true(image_filesystem["fs_id"]["mountpoint"], "images lie somewhere")
        version = self.caller.must("RuntimeService/Version", {"version": "0.1.0"}).fields
        cri.true(all(version.get(name) for name in ("version", "runtime_name", "runtime_version", "runtime_api_version")), f"it says what it is: {version}")
        return {}

    def pulls_what_is_not_present(self):
        self.ensure(self.options["first"])
        self.ensure(self.options["by_digest"])
        # The next container of it: present, so there is no pull.
        cri.same(self.status(self.options["first"])["id"], self.pulled[self.options["first"]])
        return {}

    def pulls_always_without_asking(self):
        name = self.options["first"]
        cri.same(self.pull(name), self.pulled[name])
        return {}

    def pulls_one_after_the_other(self):
        for name in self.options["serial"]:
            self.ensure(name)
        return {}

    def pulls_at_the_same_time(self):
        names = self.options["parallel"]
        with concurrent.futures.ThreadPoolExecutor(max_workers=16) as threads:
            # Three pods of each: there is no order among them.
            refs = list(threads.map(self.pull, names * 3))
        for name, *others in zip(names, refs, refs[len(names):], refs[2 * len(names):]):
            cri.same(len(set(others)), 1)
            self.record(name, others[0])
        return {}

    def tries_one_secret_after_the_other(self):
        """One PullImage for each credential that fits the repository, until one succeeds; an error of code UNKNOWN is shown by its text."""
        secret = self.options["secret"]
        codes = []
        for auth in secret["wrong"]:
            answer = self.caller.ask("ImageService/PullImage", self.pull_request(secret["name"], auth))
            cri.true(answer.code != "OK", "a wrong secret opens nothing")
            cri.true(answer.message, "the pod's events say why")
            codes.append(answer.code)
        cri.same(self.status(secret["name"]), None)
        self.record(secret["name"], self.pull(secret["name"], secret["right"]))
        return {"codes": codes}

    def lists_again_and_again(self):
        lists = [cri.by_content(self.list()) for _ in range(LISTS)]
        cri.true(all(images == lists[0] for images in lists), "nothing has happened in between")
        for name, ref in self.pulled.items():
            # status.images of the node, which the scheduler looks for the pod's image in
            holders = [image["id"] for image in lists[0] if normalise(name) in names_of(image)]
            cri.same(holders, [self.by_ref(lists[0], ref)["id"]])
        return {}

    def finds_its_pull_records(self):
        """After a restart: an intent's name is looked for among repo_tags and repo_digests, a record's image_ref among the IDs."""
        images = self.list()
        for name, ref in self.pulled.items():
            cri.true(any(normalise(name) in names_of(image) for image in images), f"the intent of {name} is matched")
            cri.same(sum(image["id"] == ref for image in images), 1)
        return {}

    def runs_a_container_by_id(self):
        name = self.options["first"]
        identity = self.status(name)["id"]
        self.pod = cri_pods.run(self.caller, self.pod_config())
        config = cri_pods.container("main", identity)
        config["image"] = {"image": identity, "user_specified_image": name, "annotations": {"a": "b"}}
        request = {"pod_sandbox_id": self.pod, "config": config, "sandbox_config": self.pod_config()}
        self.container = self.caller.must("RuntimeService/CreateContainer", request)["container_id"]
        self.caller.must("RuntimeService/StartContainer", {"container_id": self.container})
        listed, = self.caller.must("RuntimeService/ListContainers", {"filter": {"id": self.container}})["containers"]
        status = self.caller.must("RuntimeService/ContainerStatus", {"container_id": self.container})["status"]
        cri.same(listed["image_ref"], self.pulled[name])
        cri.same(listed.get("image_id", identity), identity)
        cri.same(status.get("image_id", identity), identity)
        cri.same(status["image"]["image"], normalise(name))  # what pod status shows
        return {}

    def collects_garbage(self):
        """By ID; never what is in use or pinned; an image that has gone by itself is no error."""
        pinned = [image["id"] for image in self.list() if image.get("pinned")]
        ours = set(self.pulled.values())
        for identity in [image["id"] for image in self.list() if image["id"] in ours]:
            if identity not in self.in_use() and identity not in pinned:
                self.remove(identity)
                self.remove(identity)
        left = [image["id"] for image in self.list()]
        cri.same([identity for identity in left if identity in ours], [self.pulled[self.options["first"]]])
        cri.true(all(identity in left for identity in pinned), "what is pinned stays")
        gone = [name for name, ref in self.pulled.items() if ref != self.pulled[self.options["first"]]]
        cri.same([self.status(name) for name in gone], [None] * len(gone))
        cri_pods.remove(self.caller, self.pod)
        self.remove(self.pulled[self.options["first"]])
        cri.same(self.status(self.options["first"]), None)
        return {"pinned": len(pinned) > 0}

    def ensure(self, name):
        """IfNotPresent: asks, pulls, and asks again for the size that its event shows."""
        cri.same(self.status(name), None)
        ref = self.pull(name)
        self.record(name, ref)
        image = self.status(name)
        cri.same(image["id"], ref)
        cri.true(image["size"] > 0, "it has a size")

    def record(self, name, ref):
        cri.true(ref, "image_ref is not empty")
        self.pulled[name] = ref

    def pull(self, name, auth=None):
        return self.caller.must("ImageService/PullImage", self.pull_request(name, auth))["image_ref"]

    def pull_request(self, name, auth):
        request = {"image": {"image": name, "annotations": {"a": "b"}}, "sandbox_config": self.pod_config()}
        return {**request, "auth": auth} if auth else request

    def status(self, name):
        return self.caller.must("ImageService/ImageStatus", {"image": {"image": name, "annotations": {"a": "b"}}})["image"]

    def list(self):
        return self.caller.must("ImageService/ListImages")["images"] or []

    def by_ref(self, images, ref):
        found, = (image for image in images if image["id"] == ref)
        return found

    def in_use(self):
        containers = self.caller.must("RuntimeService/ListContainers")["containers"] or []
        return {used for container in containers for used in (container["image_ref"], container.get("image_id"))}

    def remove(self, identity):
        self.caller.must("ImageService/RemoveImage", {"image": {"image": identity}})

    def pod_config(self):
        return cri_pods.pod(POD, self.options["directory"])


def names_of(image):
    return image.get("repo_tags", []) + image.get("repo_digests", [])
