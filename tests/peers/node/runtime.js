'use strict';
// A fake container runtime on @grpc/grpc-js; ../README.md is its contract.

const { createHash } = require('node:crypto');
const grpc = require('@grpc/grpc-js');
const proto = require('./proto');

const PATIENCE = 30_000; // milliseconds until a wait fails

const echoed = (call) => {
  const metadata = new grpc.Metadata();
  for (const [key, values] of Object.entries(call.metadata.toJSON())) {
    if (key.startsWith('echo-')) for (const value of values) metadata.add(key, value);
  }
  return metadata;
};

const trailing = (call) => {
  const metadata = new grpc.Metadata();
  for (const [key, values] of Object.entries(call.metadata.toJSON())) {
    if (key.startsWith('echo-')) for (const value of values) metadata.add(key.replace('echo-', 'trail-'), value);
  }
  return metadata;
};

const hasDeadline = (call) => Number.isFinite(Number(call.getDeadline()));

function numbered(number, size) {
  const message = Buffer.alloc(Math.max(4, size));
  message.writeInt32BE(number);
  return message;
}

/** Writes no faster than the caller takes. */
async function write(call, message) {
  if (call.write(message) || call.cancelled) return;
  await new Promise((resolve) => {
    const go = () => {
      call.off('drain', go).off('cancelled', go);
      resolve();
    };
    call.once('drain', go).once('cancelled', go);
  });
}

function unary(call, callback) {
  call.sendMetadata(echoed(call));
  callback(null, call.request, trailing(call));
}

async function serverStream(call) {
  const { count, size } = JSON.parse(call.request);
  call.sendMetadata(echoed(call));
  for (let number = 0; number < count && !call.cancelled; number++) await write(call, numbered(number, size));
  call.end(trailing(call));
}

function clientStream(call, callback) {
  const hash = createHash('sha256');
  let [messages, bytes] = [0, 0];
  call.on('data', (message) => {
    hash.update(message);
    messages++;
    bytes += message.length;
  });
  call.on('end', () => {
    call.sendMetadata(echoed(call));
    callback(null, Buffer.from(JSON.stringify({ messages, bytes, sha256: hash.digest('hex') })), trailing(call));
  });
}

function bidi(call) {
  call.sendMetadata(echoed(call));
  let count = 0;
  call.on('data', (message) => {
    count++;
    if (call.write(message)) return;
    call.pause();
    call.once('drain', () => call.resume());
  });
  call.on('end', () => {
    const metadata = trailing(call);
    metadata.set('trail-count', String(count));
    call.end(metadata);
  });
}

async function fail(call) {
  const { code, message, details, after } = JSON.parse(call.request);
  if (after !== undefined) call.sendMetadata(echoed(call));
  for (let number = 0; number < (after ?? 0); number++) await write(call, numbered(number, 100));
  const metadata = trailing(call);
  if (details !== undefined) metadata.add('grpc-status-details-bin', Buffer.from(details, 'base64'));
  call.emit('error', { code, details: message, metadata });
}

function inspect(call, callback) {
  const metadata = Object.entries(call.metadata.toJSON()).flatMap(([key, values]) => values.map((value) => [key, Buffer.isBuffer(value) ? value.toString('base64') : value]));
  callback(null, Buffer.from(JSON.stringify({ metadata, host: call.getHost(), deadline: hasDeadline(call) })));
}

const endings = new Map();
const endingOf = (id) => {
  if (!endings.has(id)) {
    const ending = {};
    ending.seen = new Promise((resolve) => { ending.note = resolve; });
    endings.set(id, ending);
  }
  return endings.get(id);
};

function hang(call) {
  const { id } = JSON.parse(call.request);
  const deadline = hasDeadline(call);
  call.on('cancelled', () => {
    endingOf(id).note({ at: Number(process.hrtime.bigint()), deadline });
    call.end();
  });
  const metadata = new grpc.Metadata();
  metadata.set('hanging', id);
  call.sendMetadata(metadata);
}

function seen(call, callback) {
  const { id } = JSON.parse(call.request);
  const timer = setTimeout(() => callback({ code: grpc.status.NOT_FOUND, details: `${id} still hangs` }), PATIENCE);
  endingOf(id).seen.then((ending) => {
    clearTimeout(timer);
    callback(null, Buffer.from(JSON.stringify(ending)));
  });
}

function services(server, stop) {
  const service = (name, methods) => {
    const definitions = {};
    const handlers = {};
    for (const [method, [handler, requestStream, responseStream]] of Object.entries(methods)) {
      const plain = (bytes) => bytes;
      definitions[method] = {
        path: `/${name}/${method}`, requestStream, responseStream,
        requestSerialize: plain, requestDeserialize: plain, responseSerialize: plain, responseDeserialize: plain,
      };
      handlers[method] = handler;
    }
    server.addService(definitions, handlers);
  };
  const one = (handler) => [handler, false, false];
  const few = (handler) => [handler, false, true];
  const control = (call, callback) => {
    const { op } = JSON.parse(call.request);
    callback(null, Buffer.from('{}'));
    if (op === 'stop') stop();
  };
  service('test.Fake', {
    Unary: one(unary), GzipUnary: one(unary), Inspect: one(inspect), Seen: one(seen), Control: one(control),
    ServerStream: few(serverStream), Fail: few(fail), Hang: few(hang), ClientStream: [clientStream, true, false], Bidi: [bidi, true, true],
  });
  for (const version of ['v1', 'v1alpha2']) {
    const answer = Buffer.concat([proto.field(1, '0.1.0'), proto.field(2, 'fake'), proto.field(3, 'v1.2.3'), proto.field(4, version)]);
    service(`runtime.${version}.RuntimeService`, { Version: one((call, callback) => callback(null, answer)) });
    const usage = Buffer.concat([proto.field(1, 1_700_000_000_000_000_000n), proto.field(2, proto.field(1, '/var/lib/fake')),
      proto.field(3, proto.field(1, 4096)), proto.field(4, proto.field(1, 7))]);
    service(`runtime.${version}.ImageService`, {
      ImageFsInfo: one((call, callback) => callback(null, proto.field(1, usage))),
      ListImages: one((call, callback) => callback(null, Buffer.alloc(0))),
      ImageStatus: one((call, callback) => callback(null, Buffer.alloc(0))),
      RemoveImage: one((call, callback) => callback(null, Buffer.alloc(0))),
    });
  }
}

function main([socket, ...flags]) {
  const options = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1, 'grpc-node.max_session_memory': 1000 };
  const age = flags.indexOf('--max-connection-age');
  if (age >= 0) Object.assign(options, { 'grpc.max_connection_age_ms': Number(flags[age + 1]), 'grpc.max_connection_age_grace_ms': 60_000 });
  const server = new grpc.Server(options);
  services(server, () => server.tryShutdown(() => process.exit(0)));
  server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    console.log('ready');
  });
  process.on('SIGTERM', () => process.exit(0));
  process.stdin.on('close', () => process.exit(0)).resume();
}

main(process.argv.slice(2));
