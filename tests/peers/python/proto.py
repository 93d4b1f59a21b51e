"""Protobuf by hand: enough for CRI messages without generated code."""


def varint(value):
    encoded = bytearray()
    while value >= 128:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint_at(message, at):
    """The varint there, and where it ends."""
    value = shift = 0
    while True:
        octet = message[at]
        at += 1
        value |= (octet & 0x7F) << shift
        shift += 7
        if octet < 128:
            return value, at


def varints(message):
    """Of a packed field."""
    at = 0
    while at < len(message):
        value, at = varint_at(message, at)
        yield value


def read(message):
    """Yields (number, wire type, value): an int for varints, bytes for the rest."""
    at = 0
    while at < len(message):
        key, at = varint_at(message, at)
        number, wire_type = key >> 3, key & 7
        value, at = varint_at(message, at) if wire_type in (0, 2) else ({1: 8, 5: 4}[wire_type], at)
        if wire_type:
            value, at = message[at:at + value], at + value
        yield number, wire_type, value


def find(message, *path):
    """The last length-delimited field on a path of numbers, or None."""
    for number in path:
        if message is None:
            return None
        found = None
        for known, wire_type, value in read(message):
            if known == number and wire_type == 2:
                found = value
        message = found
    return message


def text(message, *path):
    return (find(message, *path) or b"").decode()
