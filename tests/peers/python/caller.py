"""A gRPC caller on grpcio (the C core) that runs scenarios; ../README.md is its contract."""

import base64
import collections
import hashlib
import json
import queue
import sys
import threading
import time
import traceback
import urllib.parse

import grpc

import proto

PATIENCE = 60  # seconds until a call that should be answered fails
BIG = 32 * 1024 * 1024
OPTIONS = {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.max_metadata_size": 1024 * 1024,
    "grpc.use_local_subchannel_pool": 1,  # else channels of equal settings share a connection
}

socket_path = sys.argv[1]
groups = collections.defaultdict(dict)


def scenario(group):
    def add(function):
        groups[group][function.__name__] = function
        return function
    return add


def connect(**options):
    options = {**OPTIONS, **{"grpc." + name: value for name, value in options.items()}}
    return grpc.insecure_channel("unix:" + socket_path, options=list(options.items()))


def shown(value):
    """Short values as they are, long ones by their hash."""
    if isinstance(value, bytes):
        if len(value) <= 64:
            return "base64:" + base64.b64encode(value).decode()
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}"
    if len(value) > 400:
        return f"{len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()}"
    return value.replace(socket_path, "SOCKET")


def metadata(pairs):
    return sorted(([key, "TIME" if key == "date" else shown(value)] for key, value in pairs or ()), key=lambda pair: pair[0])


def text_of(call):
    details = call.details() or ""
    # The runtime ends a call at its deadline too; which of the two is first is chance, and only the spelling differs.
    return urllib.parse.unquote(details.lower()) if call.code() == grpc.StatusCode.DEADLINE_EXCEEDED else details


def status(call):
    return {
        "code": call.code().name,
        "message": shown(text_of(call)),
        "headers": metadata(call.initial_metadata()),
        "trailers": metadata(call.trailing_metadata()),
    }


def one(channel, path, message=b"", **options):
    """A unary call and all that can be seen of it."""
    options.setdefault("timeout", PATIENCE)
    try:
        answer, call = channel.unary_unary(path).with_call(message, **options)
        return {**status(call), "answer": shown(answer)}
    except grpc.RpcError as error:
        return status(error)


def answer_of(channel, path, message=b"", **options):
    return channel.unary_unary(path)(message, timeout=PATIENCE, **options)


def collect(call):
    """A stream to its end: how many messages, what they were, how it ended."""
    digest, count = hashlib.sha256(), 0
    try:
        for message in call:
            digest.update(len(message).to_bytes(4, "big") + message)
            count += 1
    except grpc.RpcError:
        pass
    return {**status(call), "messages": count, "sha256": digest.hexdigest()}


def few(channel, path, message=b"", **options):
    options.setdefault("timeout", PATIENCE)
    return collect(channel.unary_stream(path)(message, **options))


class Outgoing:
    """Requests of a stream, given one after the other."""

    def __init__(self):
        self.waiting = queue.Queue()

    def send(self, message):
        self.waiting.put(message)

    def end(self):
        self.waiting.put(None)

    def __iter__(self):
        return iter(self.waiting.get, None)


def asked(**parameters):
    return json.dumps(parameters).encode()


@scenario("calls")
def unary(channel):
    return [one(channel, "/test.Fake/Unary", b"hello"), one(channel, "/test.Fake/Unary", b""), one(channel, "/runtime.v1.RuntimeService/Version"),
            one(channel, "/runtime.v1alpha2.RuntimeService/Version", proto.field(1, "v1alpha2")), one(channel, "/runtime.v1.ImageService/ImageFsInfo")]


@scenario("calls")
def many_unary_calls_on_one_connection(channel):
    answers = collections.Counter(json.dumps(one(channel, "/test.Fake/Unary", b"x" * (number % 7 * 1000))) for number in range(300))
    return sorted(answers.items())


@scenario("calls")
def server_streaming_of_10000_messages(channel):
    return few(channel, "/test.Fake/ServerStream", asked(count=10_000, size=120), metadata=[("echo-a", "b")])


@scenario("calls")
def bidirectional_streaming(channel):
    outgoing = Outgoing()
    call = channel.stream_stream("/test.Fake/Bidi")(iter(outgoing), timeout=PATIENCE)
    echoes = []
    for number in range(200):
        outgoing.send(b"%d" % number * (number + 1))
        echoes.append(next(call))
    outgoing.end()
    return {"sha256": hashlib.sha256(b"".join(echoes)).hexdigest(), "rest": collect(call)}


@scenario("calls")
def client_streaming(channel):
    answer, call = channel.stream_unary("/test.Fake/ClientStream").with_call((b"%d" % number * 50 for number in range(2000)), timeout=PATIENCE)
    return {**status(call), "answer": json.loads(answer)}


@scenario("calls")
def a_stalled_stream_beside_live_ones(channel):
    stalled = channel.unary_stream("/test.Fake/ServerStream")(asked(count=400, size=16384), timeout=PATIENCE)
    first = next(stalled)  # it has begun; nothing more is read while others live
    live = collections.Counter(json.dumps(one(channel, "/test.Fake/Unary", b"x" * 5000)) for _ in range(200))
    streamed = few(channel, "/test.Fake/ServerStream", asked(count=50, size=30_000))
    return {"first": shown(first), "live": sorted(live.items()), "streamed": streamed, "rest of the stalled": collect(stalled)}


@scenario("calls")
def streams_at_once_300(channel):
    outgoing = [Outgoing() for _ in range(300)]
    calls = [channel.stream_stream("/test.Fake/Bidi")(iter(requests), timeout=PATIENCE) for requests in outgoing]
    for number, requests in enumerate(outgoing):
        requests.send(b"%d" % number)
    first = [next(call).decode() for call in calls]  # all of them are open when the last has answered
    for requests in outgoing:
        requests.end()
    ends = collections.Counter(json.dumps(collect(call)) for call in calls)
    return {"first": shown(",".join(first)), "ends": sorted(ends.items())}


@scenario("calls")
def messages_of_32_MB_both_ways(channel):
    message = bytes(range(256)) * (BIG // 256)
    return one(channel, "/test.Fake/Unary", message)


@scenario("calls")
def metadata_of_60_KB(channel):
    return one(channel, "/test.Fake/Unary", b"x", metadata=[("echo-big", "abcdefgh" * 7500)])


@scenario("calls")
def metadata_of_60_KB_in_many_fields(channel):
    return one(channel, "/test.Fake/Unary", b"x", metadata=[(f"echo-{number:03}", "v" * 300) for number in range(180)])


@scenario("calls")
def repeated_and_binary_metadata(channel):
    pairs = [("echo-a", "1"), ("echo-b", "x"), ("echo-a", "2"), ("echo-data-bin", bytes(range(256))), ("echo-data-bin", b""), ("echo-data-bin", b"\x00\x01"),
             ("echo-a", "3, 4"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    return [one(channel, "/test.Fake/Unary", b"x", metadata=pairs), few(channel, "/test.Fake/ServerStream", asked(count=2, size=10), metadata=pairs),
            json.loads(answer_of(channel, "/test.Fake/Inspect", metadata=pairs))]


@scenario("calls")
def trailers_only_answers(channel):
    return [one(channel, "/test.Fake/Fail", asked(code=9, message="not now"), metadata=[("echo-a", "b")]),
            few(channel, "/test.Fake/Fail", asked(code=9, message="not now"), metadata=[("echo-a", "b")])]


@scenario("calls")
def errors_after_data(channel):
    return [few(channel, "/test.Fake/Fail", asked(code=14, message="gone", after=count), metadata=[("echo-a", "b")]) for count in (0, 1, 50)]


@scenario("calls")
def every_status_code(channel):
    return [few(channel, "/test.Fake/Fail", asked(code=code, message=f"text of {code}")) for code in range(1, 17)]


@scenario("calls")
def status_texts(channel):
    texts = ["a \"quoted\" text: 100%", "lines\nand\ttabs", "снимок 镜像 🐳", "%41 stays", "x" * 3000]
    return [few(channel, "/test.Fake/Fail", asked(code=2, message=text)) for text in texts]


@scenario("calls")
def status_details(channel):
    details = base64.b64encode(proto.field(1, 8) + proto.field(2, "full") + proto.field(3, bytes(range(256)))).decode()
    return [few(channel, "/test.Fake/Fail", asked(code=8, message="full", details=details)),
            few(channel, "/test.Fake/Fail", asked(code=8, message="full", details=details, after=2))]


@scenario("calls")
def deadline_exceeded(channel):
    call = channel.unary_stream("/test.Fake/Hang")(asked(id=f"deadline {time.monotonic_ns()}"), timeout=0.3)
    ended = collect(call)
    name = f"seen {time.monotonic_ns()}"
    collect(channel.unary_stream("/test.Fake/Hang")(asked(id=name), timeout=0.2))
    seen = json.loads(answer_of(channel, "/test.Fake/Seen", asked(id=name)))
    return {"ended": [ended["code"], ended["message"]], "the runtime saw a deadline": seen["deadline"]}


@scenario("calls")
def cancellation_is_seen(channel, measured):
    result = None
    delays = []
    for attempt in range(5):
        name = f"cancel {attempt} {time.monotonic_ns()}"
        call = channel.unary_stream("/test.Fake/Hang")(asked(id=name), timeout=PATIENCE)
        call.initial_metadata()  # the runtime has the call
        before = time.monotonic_ns()
        call.cancel()
        seen = json.loads(answer_of(channel, "/test.Fake/Seen", asked(id=name)))
        delays.append((seen["at"] - before) / 1e6)
        result = {"code": call.code().name, "message": call.details(), "deadline": seen["deadline"]}
    measured["cancellation ms"] = delays
    return result


@scenario("calls")
def caller_closes_with_calls_in_flight(channel):
    name = f"close {time.monotonic_ns()}"
    closing = connect()
    call = closing.unary_stream("/test.Fake/Hang")(asked(id=name), timeout=PATIENCE)
    call.initial_metadata()
    closing.close()
    seen = json.loads(answer_of(channel, "/test.Fake/Seen", asked(id=name)))
    return {"code": call.code().name, "message": call.details(), "the runtime saw a deadline": seen["deadline"]}


@scenario("calls")
def unknown_service_and_method(channel):
    paths = ["/test.Nope/Unary", "/test.Fake/Nope", "/runtime.v1.RuntimeService/FromTheFuture", "/runtime.v2.ImageService/PullImage",
             "/grpc.health.v1.Health/Watch", "/made.up/Call"]
    return [[one(channel, path, b"x"), few(channel, path, b"x")] for path in paths]


@scenario("calls")
def what_the_runtime_sees(channel):
    with_deadline = answer_of(channel, "/test.Fake/Inspect", metadata=[("a", "b"), ("traceparent", "00-01-02-03")])
    without = channel.unary_unary("/test.Fake/Inspect")(b"")
    return [json.loads(with_deadline), json.loads(without)]


@scenario("calls")
def compressed_messages(channel):
    message = b"compressible " * 10_000
    gzip = {"compression": grpc.Compression.Gzip}
    return [one(channel, "/test.Fake/Unary", message, **gzip), one(channel, "/test.Fake/GzipUnary", message, **gzip),
            one(channel, "/test.Fake/GzipUnary", message), json.loads(answer_of(channel, "/test.Fake/Inspect", **gzip)),
            json.loads(channel.stream_unary("/test.Fake/ClientStream")(iter([message, b"", message]), timeout=PATIENCE, **gzip))]


@scenario("calls")
def authorities(channel):
    result = {}
    for authority in ("localhost", "/run/x.sock", "%2Frun%2Fx.sock", "example.com:1234"):
        with connect(default_authority=authority) as other:
            result[authority] = [one(other, "/test.Fake/Unary", b"x"), one(other, "/test.Fake/Inspect", b"")]
            seen = result[authority][1]
            if seen["code"] == "OK":
                seen["seen"] = json.loads(answer_of(other, "/test.Fake/Inspect"))
    return result


@scenario("calls")
def message_above_the_callers_limit(channel):
    with connect(max_receive_message_length=1000) as limited:
        return [one(limited, "/test.Fake/Unary", b"x" * 1001), one(limited, "/test.Fake/Unary", b"x" * 1000)]


@scenario("calls")
def keepalive_that_the_runtime_allows(channel):
    with connect(keepalive_time_ms=50, keepalive_timeout_ms=5000, **{"http2.max_pings_without_data": 0, "keepalive_permit_without_calls": 1}) as eager:
        ended = collect(eager.unary_stream("/test.Fake/Hang")(asked(id="keepalive"), timeout=0.7))
        return [ended["code"], ended["message"], one(eager, "/test.Fake/Unary", b"x")]


@scenario("calls")
def image_calls(channel):
    spec = proto.field(1, proto.field(1, "sha256:" + "0" * 64))
    return [one(channel, f"/runtime.{version}.ImageService/{method}", message) for version in ("v1", "v1alpha2")
            for method, message in (("ListImages", b""), ("ImageStatus", spec), ("RemoveImage", spec), ("ImageFsInfo", b""))]


@scenario("strict")
def keepalive_that_the_runtime_forbids(channel):
    with connect(keepalive_time_ms=50, keepalive_timeout_ms=5000, **{"http2.max_pings_without_data": 0}) as eager:
        ended = collect(eager.unary_stream("/test.Fake/Hang")(asked(id="forbidden"), timeout=5))
        return {"ended": [ended["code"], ended["message"]], "another": one(eager, "/test.Fake/Unary", b"x")}


@scenario("age")
def calls_outlive_the_age_of_their_connection(channel):
    outgoing = Outgoing()
    call = channel.stream_stream("/test.Fake/Bidi")(iter(outgoing), timeout=PATIENCE)
    outgoing.send(b"first")
    first = next(call)
    time.sleep(0.9)  # the runtime says GOAWAY at 0.4 s, give or take a tenth; the call goes on
    outgoing.send(b"second")
    second = next(call)
    outgoing.end()
    return {"first": shown(first), "second": shown(second), "rest": collect(call), "another": one(channel, "/test.Fake/Unary", b"x")}


@scenario("age")
def calls_go_on_over_many_connections(channel):
    until = time.monotonic() + 2  # five connections long
    answers = set()
    while time.monotonic() < until:
        answers.add(json.dumps(one(channel, "/test.Fake/Unary", b"x")))
    return sorted(answers)


@scenario("shutdown")
def a_runtime_that_stops_lets_calls_finish(channel):
    outgoing = Outgoing()
    call = channel.stream_stream("/test.Fake/Bidi")(iter(outgoing), timeout=PATIENCE)
    outgoing.send(b"first")
    echoes = [next(call)]
    stop = one(channel, "/test.Fake/Control", asked(op="stop", grace=30))
    for number in range(20):
        outgoing.send(b"%d" % number)
        echoes.append(next(call))
    outgoing.end()
    return {"echoes": b",".join(echoes).decode(), "stop": stop, "rest": collect(call)}


@scenario("containerd")
def cri_version_and_status(channel):
    return [one(channel, f"/runtime.{version}.RuntimeService/{method}") for version in ("v1", "v1alpha2") for method in ("Version", "Status")]


@scenario("containerd")
def cri_lists(channel):
    methods = ["ImageService/ListImages", "RuntimeService/ListContainers", "RuntimeService/ListPodSandbox", "RuntimeService/ListContainerStats"]
    return [one(channel, f"/runtime.{version}.{method}") for version in ("v1", "v1alpha2") for method in methods]


@scenario("containerd")
def cri_image_fs_info(channel):
    answer = answer_of(channel, "/runtime.v1.ImageService/ImageFsInfo")
    return [proto.text(answer, 1, 2, 1).replace(socket_path, "SOCKET"), [number for number, *_ in proto.read(answer)]]


@scenario("containerd")
def cri_missing_things(channel):
    image = proto.field(1, proto.field(1, "sha256:" + "1" * 64))
    return [one(channel, "/runtime.v1.ImageService/ImageStatus", image), one(channel, "/runtime.v1.ImageService/RemoveImage", image),
            one(channel, "/runtime.v1.RuntimeService/ContainerStatus", proto.field(1, "nope")),
            one(channel, "/runtime.v1.RuntimeService/StopContainer", proto.field(1, "nope")),
            one(channel, "/runtime.v1.RuntimeService/PodSandboxStatus", proto.field(1, "nope")),
            one(channel, "/runtime.v1.RuntimeService/ExecSync", proto.field(1, "nope"))]


@scenario("containerd")
def unknown_methods_and_services(channel):
    paths = ["/runtime.v1.RuntimeService/FromTheFuture", "/runtime.v2.ImageService/PullImage", "/runtime.v1.ImageService/StreamImages", "/made.up/Call"]
    return [[one(channel, path, b""), few(channel, path, b"")] for path in paths]


@scenario("containerd")
def container_events(channel):
    ended = few(channel, "/runtime.v1.RuntimeService/GetContainerEvents", b"", timeout=0.5)
    return [ended["code"], ended["message"], ended["messages"]]


@scenario("containerd")
def bad_requests(channel):
    return [one(channel, "/runtime.v1.RuntimeService/ContainerStatus", b"\xff\xff\xff"), one(channel, "/runtime.v1.RuntimeService/RunPodSandbox", b"")]


@scenario("containerd")
def health(channel):
    check = one(channel, "/grpc.health.v1.Health/Check")
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=PATIENCE)
    try:
        first = shown(next(watch))
        watch.cancel()
        collect(watch)
    except grpc.RpcError:
        first = None
    return [check, first, watch.code().name, watch.details()]


NAMESPACE = [("containerd-namespace", "peers")]


@scenario("containerd")
def events_reach_300_subscribers(channel):
    subscriptions = [channel.unary_stream("/containerd.services.events.v1.Events/Subscribe")(
        proto.field(1, 'topic=="/peers/test"'), timeout=PATIENCE, metadata=NAMESPACE) for _ in range(300)]
    received = [threading.Event() for _ in subscriptions]
    envelopes = collections.Counter()
    lock = threading.Lock()

    def wait_for_one(number):
        envelope = next(subscriptions[number])
        with lock:
            envelopes[shown(b"".join(proto.field(field, value) for field, _, value in proto.read(envelope) if field != 1))] += 1  # 1 is the time
        received[number].set()

    threads = [threading.Thread(target=wait_for_one, args=(number,), daemon=True) for number in range(len(subscriptions))]
    for thread in threads:
        thread.start()
    event = proto.field(1, "/peers/test") + proto.field(2, proto.field(1, "peers") + proto.field(2, b"event"))
    published = set()
    until = time.monotonic() + PATIENCE
    # Nothing tells that a subscription has begun, so the event is published until all have one.
    while not all(event.is_set() for event in received) and time.monotonic() < until:
        published.add(json.dumps(one(channel, "/containerd.services.events.v1.Events/Publish", event, metadata=NAMESPACE)))
        received[-1].wait(0.05)
    for subscription in subscriptions:
        subscription.cancel()
    return {"published": sorted(published), "envelopes": sorted(envelopes.items()),
            "ends": sorted(collections.Counter(subscription.code().name for subscription in subscriptions).items())}


@scenario("containerd")
def content_is_written_and_read(channel):
    blob = bytes(range(256)) * (24 * 1024 * 1024 // 256)
    digest = "sha256:" + hashlib.sha256(blob).hexdigest()
    step = 4 * 1024 * 1024

    def requests():
        for offset in range(0, len(blob), step):
            yield (proto.field(1, 1) + proto.field(2, "peers") + proto.field(3, len(blob)) + proto.field(4, digest) + proto.field(5, offset)
                   + proto.field(6, blob[offset:offset + step]))
        label = proto.field(7, proto.field(1, "containerd.io/gc.root") + proto.field(2, "peers"))
        yield proto.field(1, 2) + proto.field(2, "peers") + proto.field(3, len(blob)) + proto.field(4, digest) + proto.field(5, len(blob)) + label

    call = channel.stream_stream("/containerd.services.content.v1.Content/Write")(requests(), timeout=PATIENCE, metadata=NAMESPACE)
    answers = []
    try:
        for answer in call:
            answers.append(shown(b"".join(proto.field(field, value) for field, _, value in proto.read(answer) if field not in (2, 3))))  # 2 and 3 are times
    except grpc.RpcError:
        pass
    read = few(channel, "/containerd.services.content.v1.Content/Read", proto.field(1, digest), metadata=NAMESPACE)
    removed = one(channel, "/containerd.services.content.v1.Content/Delete", proto.field(1, digest), metadata=NAMESPACE)
    return {"written": answers, "end": status(call), "read": read, "removed": removed}


@scenario("containerd")
def message_above_the_runtimes_limit(channel):
    return one(channel, "/runtime.v1.RuntimeService/Status", proto.field(1000, bytes(17 * 1024 * 1024)))


@scenario("containerd")
def metadata_of_60_KB_to_containerd(channel):
    return one(channel, "/runtime.v1.RuntimeService/Version", metadata=[("big", "abcdefgh" * 7500), ("big-bin", bytes(range(256)))])


@scenario("containerd")
def compressed_request_to_containerd(channel):
    return [one(channel, f"/runtime.v1.RuntimeService/{method}", proto.field(1000, b"x" * 5000), compression=grpc.Compression.Gzip) for method in ("Version", "Status")]


@scenario("containerd")
def deadline_on_containerd(channel):
    ended = few(channel, "/containerd.services.events.v1.Events/Subscribe", b"", timeout=0.3, metadata=NAMESPACE)
    # containerd ends it at its deadline too, with a status of its own; which of the two is first is chance.
    return "ended at the deadline" if "deadline exceeded" in ended["message"].lower() else [ended["code"], ended["message"]]


@scenario("containerd")
def keepalive_that_containerd_forbids(channel):
    with connect(keepalive_time_ms=50, keepalive_timeout_ms=5000, **{"http2.max_pings_without_data": 0}) as eager:
        ended = collect(eager.unary_stream("/containerd.services.events.v1.Events/Subscribe")(b"", timeout=PATIENCE, metadata=NAMESPACE))
        return [ended["code"], ended["message"], one(eager, "/runtime.v1.RuntimeService/Version")]


@scenario("containerd")
def authorities_on_containerd(channel):
    result = {}
    for authority in ("localhost", "/run/x.sock", "%2Frun%2Fx.sock"):
        with connect(default_authority=authority) as other:
            result[authority] = one(other, "/runtime.v1.RuntimeService/Version")
    return result


def main():
    known = groups[sys.argv[2]]
    for name in sys.argv[3:] or known:
        measured = {}
        started = time.monotonic()
        try:
            with connect() as channel:
                result = known[name](channel, measured) if "measured" in known[name].__code__.co_varnames[:known[name].__code__.co_argcount] else known[name](channel)
        except Exception as error:  # a scenario that breaks is a result too: it must break alike on both sides
            result = {"broke": type(error).__name__, "text": shown(str(error)) if not isinstance(error, grpc.RpcError) else status(error)}
            traceback.print_exc()
        measured["seconds"] = time.monotonic() - started
        print(json.dumps({"scenario": name, "result": result, "measured": measured}), flush=True)


main()
