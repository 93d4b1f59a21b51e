"""What cri-dockerd does with images, over a real dockerd: docker.py DOCKER-SOCKET SOCKET. ../README.md says what for.

Each method does the calls that cri-dockerd 0.4 does for it, decides as it does, and fails with its texts.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import socket
import sys
import time
import urllib.parse
from concurrent import futures

import grpc
from google.protobuf import json_format

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "lab"))
from cri_api import Api  # noqa: E402

from references import normalise  # noqa: E402

VERSION = "v1.44"  # of docker's API: 25 and later
WORKERS = 64  # one thread per call in flight
PAUSE = "registry.k8s.io/pause:3.10"
ID = re.compile(r"(sha256:)?[0-9a-f]{64}")
DIGEST = re.compile(r"(?:.*@)?(sha256:[0-9a-f]{64})")


class DockerError(Exception):
    pass


class NotFound(DockerError):
    """Of docker's client: 404."""


class Docker(http.client.HTTPConnection):
    """One request to dockerd, on a connection of its own."""

    def __init__(self, path):
        super().__init__("docker")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def ask(self, method, path, query=(), headers=None):
        """The response, whose status is 2xx."""
        self.request(method, f"/{VERSION}{path}?{urllib.parse.urlencode(query)}", headers=headers or {})
        response = self.getresponse()
        if response.status < 300:
            return response
        text = "Error response from daemon: " + json.loads(response.read()).get("message", "")
        raise (NotFound if response.status == 404 else DockerError)(text)

    def get(self, path, query=()):
        return json.loads(self.ask("GET", path, query).read())


def familiar(name):
    """The name and the version, a tag or a digest, that docker's client sends for a pull."""
    name = re.sub(r"^index\.docker\.io/", "docker.io/", name)
    full = normalise(name)
    at = full.find("@") if "@" in full else full.rfind(":")
    return re.sub(r"^docker\.io/(library/)?", "", full[:at]), full[at + 1:]


def has_tag_or_digest(inspected, name):
    """matchImageTagOrSHA: true for names of the image, false for its ID."""
    first, _, digest = name.partition("@")
    if ID.fullmatch(name):
        return False  # it cannot be parsed as a name
    if ":" in first.rsplit("/", 1)[-1]:
        for tag in inspected["RepoTags"] or []:
            if any(name.endswith(known) or known.endswith(name) for known in (tag, normalise(tag))):
                return True
    elif not digest:
        return True
    return bool(digest) and digest in [known.split("@")[1] for known in inspected["RepoDigests"] or []] + [inspected["Id"]]


def is_id(inspected, name):
    """matchImageIDOnly."""
    digest = DIGEST.fullmatch(name)
    return inspected["Id"] == name or bool(digest and digest[1] == inspected["Id"])


def message_of(image):
    config = image.get("Config") or {}
    user = (config.get("User") or "").split(":")[0]
    of_user = {"uid": {"value": int(user)}} if user.isdigit() else {"username": user}
    return {"id": image["Id"], "repo_tags": image["RepoTags"] or [], "repo_digests": image["RepoDigests"] or [], "size": image["Size"],
            "pinned": PAUSE in (image["RepoTags"] or []), **of_user}


class Server:
    def __init__(self, docker):
        self.docker = docker

    def ask(self):
        return Docker(self.docker)

    def inspect(self, name):
        """Null where docker knows no such name or ID."""
        try:
            return self.ask().get(f"/images/{name}/json")
        except NotFound:
            return None

    def image_status(self, request):
        name = name_in(request)
        image = self.inspect(name)
        if image and not has_tag_or_digest(image, name) and not is_id(image, name):
            image = None
        return {"image": message_of(image)} if image else {}

    def pull_image(self, request):
        name, auth = name_in(request), request.get("auth", {})
        image, version = familiar(name)
        credential = {key.replace("_", ""): auth[key] for key in auth if key != "auth"}
        headers = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(credential).encode()).decode()}
        for line in self.ask().ask("POST", "/images/create", {"fromImage": image, "tag": version}, headers):
            if line.strip() and "error" in (said := json.loads(line)):
                self.fail_pull(said)
        pulled = self.inspect(name)
        if not pulled or not has_tag_or_digest(pulled, name):
            raise DockerError(f'no such image: "{name}"')
        return {"image_ref": (pulled["RepoDigests"] or [pulled["Id"]])[0]}

    @staticmethod
    def fail_pull(said):
        """filterHTTPError"""
        gone = said.get("errorDetail", {}).get("code") in (502, 503, 504)
        raise DockerError(("RegistryUnavailable: " if gone else "") + said["error"])

    def list_images(self, request):
        wanted = request.get("filter", {}).get("image", {}).get("image")
        query = {"filters": json.dumps({"reference": {wanted: True}})} if wanted else {}
        return {"images": [message_of(image) for image in self.ask().get("/images/json", query)]}

    def remove_image(self, request):
        name = name_in(request)
        image = self.inspect(name)
        if not image or not is_id(image, name):
            return {}  # of a name as well: it is OK, and stays
        for each in (image["RepoTags"] or []) + (image["RepoDigests"] or []) + [name]:
            try:
                self.ask().ask("DELETE", f"/images/{each}").read()
            except NotFound:
                pass
        return {}

    def image_fs_info(self, request):
        root = self.ask().get("/info")["DockerRootDir"]
        found = [os.path.join(folder, file) for folder, _, files in os.walk(os.path.join(root, "image")) for file in files]
        size = sum(os.lstat(path).st_size for path in found if os.path.lexists(path))
        return {"image_filesystems": [{"timestamp": time.time_ns(), "fs_id": {"mountpoint": root}, "used_bytes": {"value": size},
                                       "inodes_used": {"value": len(found)}}]}

    def version(self, request):
        known = self.ask().get("/version")
        return {"version": "0.1.0", "runtime_name": "docker", "runtime_version": known["Version"], "runtime_api_version": "v1"}

    def status(self, request):
        self.ask().get("/version")
        answer = {"status": {"conditions": [{"type": kind, "status": True} for kind in ("RuntimeReady", "NetworkReady")]}}
        if request.get("verbose"):
            answer["info"] = {"config": json.dumps({"sandboxImage": PAUSE})}
        return answer


def name_in(request):
    return request.get("image", {}).get("image", "")


def serve(api, method, answer):
    known = api.methods[method]

    def handle(content, context):
        request = json_format.MessageToDict(api.message(known.input).FromString(content), preserving_proto_field_name=True)
        try:
            return json_format.ParseDict(answer(request), api.message(known.output)()).SerializeToString()
        except (DockerError, OSError) as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))

    return method.split("/")[1], grpc.unary_unary_rpc_method_handler(handle)


def main():
    docker, path = sys.argv[1:]
    server, api = Server(docker), Api("v1")
    methods = {
        "ImageService": [("ImageStatus", server.image_status), ("PullImage", server.pull_image), ("ListImages", server.list_images),
                         ("RemoveImage", server.remove_image), ("ImageFsInfo", server.image_fs_info)],
        "RuntimeService": [("Version", server.version), ("Status", server.status)],
    }
    listener = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=[("grpc.http2.max_ping_strikes", 0)])
    for service, answers in methods.items():
        handlers = dict(serve(api, f"{service}/{name}", answer) for name, answer in answers)
        listener.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(f"runtime.v1.{service}", handlers),))
    listener.add_insecure_port("unix:" + path)
    listener.start()
    listener.wait_for_termination()


main()
