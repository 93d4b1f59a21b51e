'use strict';
// Protobuf by hand: enough for CRI messages without generated code.

function varint(value) {
  const octets = [];
  let rest = BigInt(value);
  for (; rest >= 128n; rest >>= 7n) octets.push(Number(rest & 0x7fn) | 0x80);
  octets.push(Number(rest));
  return Buffer.from(octets);
}

function field(number, value) {
  if (typeof value === 'number' || typeof value === 'bigint') return Buffer.concat([varint(number << 3), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/** Fields as {number, wireType, value}: a BigInt for varints, bytes for the rest. */
function read(message) {
  const fields = [];
  let at = 0;
  const next = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const octet = message[at++];
      value |= BigInt(octet & 0x7f) << shift;
      if (octet < 128) return value;
    }
  };
  while (at < message.length) {
    const key = Number(next());
    const [number, wireType] = [key >> 3, key & 7];
    if (wireType === 0) {
      fields.push({ number, wireType, value: next() });
      continue;
    }
    const length = wireType === 2 ? Number(next()) : wireType === 1 ? 8 : 4;
    fields.push({ number, wireType, value: message.subarray(at, at + length) });
    at += length;
  }
  return fields;
}

/** The message without the fields of these numbers. */
function without(message, ...numbers) {
  return Buffer.concat(read(message).filter(({ number }) => !numbers.includes(number)).map(({ number, value }) => field(number, value)));
}

module.exports = { field, read, without };
