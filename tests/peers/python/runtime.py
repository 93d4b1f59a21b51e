"""A fake container runtime on grpcio (the C core); ../README.md is its contract."""

import argparse
import base64
import collections
import hashlib
import json
import os
import signal
import struct
import sys
import threading
import time
from concurrent import futures

import grpc

import proto
from references import normalise

WORKERS = 400  # one thread per call in flight; the callers hold 300 at once
PATIENCE = 30  # seconds until a wait fails


def echoed(context):
    return [(key, value) for key, value in context.invocation_metadata() if key.startswith("echo-")]


def trailing(context):
    return [("trail-" + key[len("echo-"):], value) for key, value in echoed(context)]


def has_deadline(context):
    remaining = context.time_remaining()
    return remaining is not None and remaining < 1_000_000  # without a deadline grpcio gives one of centuries


def unary(request, context):
    context.send_initial_metadata(echoed(context))
    context.set_trailing_metadata(trailing(context))
    return request


def gzip_unary(request, context):
    context.set_compression(grpc.Compression.Gzip)
    return unary(request, context)


def bidi(requests, context):
    context.send_initial_metadata(echoed(context))
    count = 0
    for message in requests:
        yield message
        count += 1
    context.set_trailing_metadata([("trail-count", str(count))] + trailing(context))


def numbered(count, size):
    rest = bytes(max(0, size - 4))
    for number in range(count):
        yield struct.pack(">i", number) + rest


def server_stream(request, context):
    asked = json.loads(request)
    context.send_initial_metadata(echoed(context))
    yield from numbered(asked["count"], asked["size"])
    context.set_trailing_metadata(trailing(context))


def client_stream(requests, context):
    digest, count, size = hashlib.sha256(), 0, 0
    for message in requests:
        digest.update(message)
        count += 1
        size += len(message)
    context.send_initial_metadata(echoed(context))
    context.set_trailing_metadata(trailing(context))
    return json.dumps({"messages": count, "bytes": size, "sha256": digest.hexdigest()}).encode()


def fail(request, context):
    asked = json.loads(request)
    if "after" in asked:
        context.send_initial_metadata(echoed(context))
        yield from numbered(asked["after"], 100)
    trailers = trailing(context)
    if "details" in asked:
        trailers.append(("grpc-status-details-bin", base64.b64decode(asked["details"])))
    context.set_trailing_metadata(trailers)
    context.set_code(next(code for code in grpc.StatusCode if code.value[0] == asked["code"]))
    context.set_details(asked["message"])


def inspect(request, context):
    metadata = [[key, base64.b64encode(value).decode() if isinstance(value, bytes) else value] for key, value in context.invocation_metadata()]
    # The host is not part of grpcio's public interface; without it the authority could not be compared.
    host = context._rpc_event.call_details.host.decode()
    return json.dumps({"metadata": metadata, "host": host, "deadline": has_deadline(context)}).encode()


class Endings:
    """When calls of Hang ended."""

    def __init__(self):
        self.changed = threading.Condition()
        self.seen = {}

    def hang(self, request, context):
        name = json.loads(request)["id"]
        limited = has_deadline(context)
        ended = threading.Event()

        def note():
            with self.changed:
                self.seen[name] = {"at": time.monotonic_ns(), "deadline": limited}
                self.changed.notify_all()
            ended.set()

        context.add_callback(note)
        context.send_initial_metadata([("hanging", name)])
        ended.wait()
        return iter(())

    def answer(self, request, context):
        name = json.loads(request)["id"]
        with self.changed:
            if not self.changed.wait_for(lambda: name in self.seen, PATIENCE):
                context.abort(grpc.StatusCode.NOT_FOUND, f"{name} still hangs")
            return json.dumps(self.seen[name]).encode()


class Images:
    """The image service: names normalised as containerd does, every name can be pulled unless told otherwise."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.images, self.failures, self.delay, self.calls = {}, {}, 0, []

    def note(self, context, method, request):
        self.calls.append({
            "method": method,
            "request": base64.b64encode(request).decode(),
            "image": proto.text(request, 1, 1),
            "auth": {name: proto.text(request, 2, number) for number, name in enumerate(("username", "password", "auth", "server_address"), 1)}
                    if method == "PullImage" and proto.find(request, 2) is not None else None,
            "metadata": [[key, value] for key, value in context.invocation_metadata() if isinstance(value, str)],
        })

    def add(self, name):
        name = normalise(name)
        identity = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
        by_digest = "@" in name
        repository = name.split("@")[0] if by_digest else name.rsplit(":", 1)[0]
        self.images[identity] = {
            "id": identity, "tags": [] if by_digest else [name], "digests": [name if by_digest else f"{repository}@{identity}"], "size": 1234}
        return identity

    def look_up(self, name):
        if not name:
            return None
        normal = normalise(name)
        for image in self.images.values():
            if normal in image["tags"] or normal in image["digests"] or name == image["id"]:
                return image
            if len(name) >= 7 and image["id"].startswith("sha256:" + name):
                return image
        return None

    def image_status(self, request, context):
        self.note(context, "ImageStatus", request)
        image = self.look_up(proto.text(request, 1, 1))
        return proto.field(1, message_of(image)) if image else b""

    def pull_image(self, request, context):
        self.note(context, "PullImage", request)
        name = proto.text(request, 1, 1)
        if self.delay:
            ended = threading.Event()
            context.add_callback(ended.set)
            ended.wait(self.delay)
        if name in self.failures:
            code, text = self.failures[name]
            context.abort(next(known for known in grpc.StatusCode if known.value[0] == code), text)
        return proto.field(1, self.add(name))

    def remove_image(self, request, context):
        self.note(context, "RemoveImage", request)
        image = self.look_up(proto.text(request, 1, 1))
        if image:
            del self.images[image["id"]]
        return b""

    def list_images(self, request, context):
        self.note(context, "ListImages", request)
        wanted = proto.text(request, 1, 1, 1)
        found = [self.look_up(wanted)] if wanted else [self.images[key] for key in sorted(self.images)]
        return b"".join(proto.field(1, message_of(image)) for image in found if image)

    def image_fs_info(self, request, context):
        self.note(context, "ImageFsInfo", request)
        usage = (proto.field(1, 1_700_000_000_000_000_000) + proto.field(2, proto.field(1, "/var/lib/fake"))
                 + proto.field(3, proto.field(1, 4096)) + proto.field(4, proto.field(1, 7)))
        return proto.field(1, usage)


def message_of(image):
    return (proto.field(1, image["id"]) + b"".join(proto.field(2, tag) for tag in image["tags"])
            + b"".join(proto.field(3, digest) for digest in image["digests"]) + proto.field(4, image["size"]) + proto.field(1000, "unknown"))


class Runtime:
    def __init__(self, arguments):
        self.endings, self.images = Endings(), Images()
        self.stopped = threading.Event()
        options = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            ("grpc.max_metadata_size", 1024 * 1024),
            ("grpc.keepalive_permit_without_calls", 1),
        ]
        if arguments.strict_keepalive:
            options += [("grpc.http2.max_ping_strikes", 1), ("grpc.http2.min_ping_interval_without_data_ms", 300_000)]
        else:
            options += [("grpc.http2.max_ping_strikes", 0), ("grpc.http2.min_ping_interval_without_data_ms", 10)]
        if arguments.max_connection_age:
            options += [("grpc.max_connection_age_ms", arguments.max_connection_age), ("grpc.max_connection_age_grace_ms", 60_000)]
        self.server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=options)
        for service, methods in self.services().items():
            self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, methods),))
        self.server.add_insecure_port("unix:" + arguments.socket)
        self.server.start()

    def services(self):
        one, few = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        services = collections.defaultdict(dict)
        services["test.Fake"] = {
            "Unary": one(unary), "GzipUnary": one(gzip_unary), "Inspect": one(inspect), "ServerStream": few(server_stream), "Fail": few(fail),
            "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream), "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
            "Hang": few(self.endings.hang), "Seen": one(self.endings.answer), "Control": one(self.control),
        }
        for version in ("v1", "v1alpha2"):
            services[f"runtime.{version}.ImageService"] = {
                "ImageStatus": one(self.images.image_status), "PullImage": one(self.images.pull_image), "RemoveImage": one(self.images.remove_image),
                "ListImages": one(self.images.list_images), "ImageFsInfo": one(self.images.image_fs_info),
            }
            answer = proto.field(1, "0.1.0") + proto.field(2, "fake") + proto.field(3, "v1.2.3") + proto.field(4, version)
            services[f"runtime.{version}.RuntimeService"] = {"Version": one(lambda request, context, answer=answer: answer)}
        return services

    def control(self, request, context):
        asked = json.loads(request)
        if asked["op"] == "images":
            self.images.images = {image["id"]: image for image in asked["set"]}
        elif asked["op"] == "fail_pull":
            self.images.failures[asked["image"]] = (asked["code"], asked["message"])
        elif asked["op"] == "delay_pull":
            self.images.delay = asked["seconds"]
        elif asked["op"] == "calls":
            return json.dumps(self.images.calls).encode()
        elif asked["op"] == "reset":
            self.images.reset()
        elif asked["op"] == "stop":
            threading.Thread(target=self.stop, args=(asked["grace"],)).start()
        return b"{}"

    def stop(self, grace):
        self.server.stop(grace).wait()
        self.stopped.set()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("socket")
    parser.add_argument("--strict-keepalive", action="store_true")
    parser.add_argument("--max-connection-age", type=int, default=0)
    runtime = Runtime(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

    def end_with_the_parent():
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=end_with_the_parent, daemon=True).start()
    print("ready", flush=True)
    runtime.stopped.wait()
    os._exit(0)


main()
