"""Calls of CRI, in either version, by its own definition; and what can be seen of an answer in a form that two runs can be compared by."""

import base64
import json
import os
import re
import sys
import traceback

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "lab"))

import cri_api  # noqa: E402
import proto  # noqa: E402

PATIENCE = 60  # seconds until a call that should be answered fails
MAX_RECEIVED = 16 * 1024 * 1024  # kubelet's own limit

TIMES = {"created_at", "started_at", "finished_at", "timestamp"}
# What these hold is another number each time.
MEASURED = {"CpuUsage", "MemoryUsage", "NetworkInterfaceUsage", "ProcessUsage", "FilesystemUsage", "SwapUsage", "IoUsage", "Metric"}
# Needs a second sample, or a collector that comes round: whether it is there depends on the time.
NOT_AT_ONCE = {("CpuUsage", "usage_nano_cores"), ("FilesystemUsage", "timestamp")}

# In texts; each is random, or a time.
PASSING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"(?<!sha256:)\b[0-9a-f]{64}\b"), "AN ID"),
    (re.compile(r"/proc/\d+/"), "/proc/PID/"),
    (re.compile(r"(http://[^/\s]+/(?:exec|attach|portforward)/)[\w-]+"), r"\1TOKEN"),
]


class Failed(Exception):
    """A call that should have succeeded, or anything else that is not as it must be."""


class Answer:
    """How a call ended. `fields`: by the names of the definition; {} where it failed. `shown`: all that can be observed."""

    def __init__(self, code, message, fields, shown):
        self.code, self.message, self.fields, self.shown = code, message, fields, shown

    def __getitem__(self, name):
        return self.fields.get(name)


class Caller:
    def __init__(self, socket, version):
        self.api = cri_api.Api(version)
        self.channel = grpc.insecure_channel("unix:" + socket, options=[
            ("grpc.max_receive_message_length", MAX_RECEIVED), ("grpc.use_local_subchannel_pool", 1), ("grpc.default_authority", "localhost")])
        self.placeholders = {socket: "SOCKET"}

    def hide(self, value, placeholder):
        """Shows this instead of an ID or a name that is another one in each run."""
        if value:
            self.placeholders[value] = placeholder

    def ask(self, method, request=None, timeout=PATIENCE):
        known = self.api.methods[method]
        content = known.request(request or {})
        try:
            if known.streams:
                call = self.channel.unary_stream(known.path)(content, timeout=timeout)
                messages = [read(known.output, message) for message in call]
                return Answer(call.code().name, call.details() or "", {"messages": messages}, self.shown(known, call, messages))
            message, call = self.channel.unary_unary(known.path).with_call(content, timeout=timeout)
            fields = read(known.output, message)
            return Answer("OK", "", fields, self.shown(known, call, fields))
        except grpc.RpcError as error:
            return Answer(error.code().name, error.details() or "", {}, self.shown(known, error, None))

    def must(self, method, request=None):
        answer = self.ask(method, request)
        if answer.code != "OK":
            raise Failed(f"{method}: {answer.code}: {answer.message}")
        return answer

    def open(self, method):
        """A stream that its caller reads itself; messages as dictionaries."""
        known = self.api.methods[method]
        call = self.channel.unary_stream(known.path, response_deserializer=lambda message: read(known.output, message))
        return call(known.request({}), timeout=PATIENCE)

    def shown(self, method, call, fields):
        return {
            "code": call.code().name,
            "message": self.text(call.details() or ""),
            "headers": self.metadata(call.initial_metadata()),
            "trailers": self.metadata(call.trailing_metadata()),
            "answer": comparable(method.output, fields, self.text) if fields is not None else None,
        }

    def metadata(self, pairs):
        return sorted([key, base64.b64encode(value).decode() if isinstance(value, bytes) else self.text(value)] for key, value in pairs or ())

    def text(self, value):
        for known in sorted(self.placeholders, key=len, reverse=True):
            value = value.replace(known, self.placeholders[known])
        for pattern, placeholder in PASSING:
            value = pattern.sub(placeholder, value)
        return value


def true(condition, what):
    if not condition:
        raise Failed("not so: " + what)


def same(value, expected):
    true(value == expected, f"{value!r} is {expected!r}")


def attempt(step):
    """What it returns, or how it broke."""
    try:
        return step()
    except Exception as error:
        traceback.print_exc()
        return {"broke": f"{type(error).__name__}: {error}"}


def read(descriptor, message):
    """A message as a dictionary: what is there is there, also where it is what it would be anyway, and also what the definition lacks."""
    fields = {}
    for number, wire_type, value in proto.read(message):
        field = descriptor.fields_by_number.get(number)
        if field is None:
            fields.setdefault(f"unknown {number}", []).append(value if isinstance(value, int) else "base64:" + base64.b64encode(value).decode())
        elif is_map(field):
            entry = read(field.message_type, value)
            fields.setdefault(field.name, {})[str(entry.get("key", ""))] = entry.get("value", "")
        elif field.label == field.LABEL_REPEATED:
            fields.setdefault(field.name, []).extend(values_of(field, wire_type, value))
        else:
            fields[field.name], = values_of(field, wire_type, value)
    return fields


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def values_of(field, wire_type, value):
    if field.type == field.TYPE_MESSAGE:
        return [read(field.message_type, value)]
    if field.type == field.TYPE_STRING:
        return [value.decode()]
    if field.type == field.TYPE_BYTES:
        return ["base64:" + base64.b64encode(value).decode()]
    if wire_type == 2:  # packed
        return [number(field, packed) for packed in proto.varints(value)]
    return [number(field, value)]


def number(field, value):
    if field.type == field.TYPE_BOOL:
        return bool(value)
    if field.type == field.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if field.type in (field.TYPE_INT32, field.TYPE_INT64) and value >= 1 << 63:
        return value - (1 << 64)
    return value


def comparable(descriptor, fields, text):
    """Without what is another one each time. Messages in a list have no order: runtimes make them from maps."""
    if isinstance(fields, list):
        return by_content(comparable(descriptor, one, text) for one in fields)
    return {name: comparable_field(descriptor, name, value, text) for name, value in fields.items()
            if (descriptor.name, name) not in NOT_AT_ONCE}


def comparable_field(descriptor, name, value, text):
    field = descriptor.fields_by_name.get(name)
    if name in TIMES:
        return "TIME" if value else value
    if field is None or field.message_type is None:
        return plain(value, text)
    if is_map(field):
        return {text(key): information(held, text) for key, held in value.items()}
    if descriptor.name in MEASURED and field.message_type.name == "UInt64Value":
        return "A NUMBER"
    return comparable(field.message_type, value, text)


def plain(value, text):
    if isinstance(value, list):
        return [plain(one, text) for one in value]
    return text(value) if isinstance(value, str) else value


def information(value, text):
    """A value of `info`, which is mostly JSON."""
    try:
        held = json.loads(value)
    except (ValueError, TypeError):
        held = value
    return inner(held if isinstance(held, (dict, list)) else value, text)


def inner(value, text):
    if isinstance(value, dict):
        return {text(key): "PID" if key == "pid" and held else inner(held, text) for key, held in value.items()}
    if isinstance(value, list):
        return [inner(one, text) for one in value]
    return text(value) if isinstance(value, str) else value


def by_content(values):
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))
