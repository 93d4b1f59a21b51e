'use strict';
// A gRPC caller on @grpc/grpc-js that runs scenarios; ../README.md is its contract.

const { createHash } = require('node:crypto');
const { setTimeout: sleep } = require('node:timers/promises');
const grpc = require('@grpc/grpc-js');
const proto = require('./proto');

const PATIENCE = 60_000; // milliseconds until a call that should be answered fails
const BIG = 32 * 1024 * 1024;
const OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.use_local_subchannel_pool': 1, // else channels of equal settings share a connection
  'grpc-node.max_session_memory': 1000,
};

const [socketPath, group, ...names] = process.argv.slice(2);
const groups = { calls: {}, age: {}, shutdown: {}, containerd: {} };
const plain = (bytes) => bytes;
const empty = Buffer.alloc(0);

const connect = (options = {}) => new grpc.Client(`unix:${socketPath}`, grpc.credentials.createInsecure(), { ...OPTIONS, ...options });
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const asked = (parameters) => Buffer.from(JSON.stringify(parameters));
const now = () => Number(process.hrtime.bigint());

/** Short values as they are, long ones by their hash. */
function shown(value) {
  if (Buffer.isBuffer(value)) return value.length <= 64 ? `base64:${value.toString('base64')}` : `${value.length} bytes, sha256 ${sha256(value)}`;
  if (value.length > 400) return `${value.length} characters, sha256 ${sha256(value)}`;
  return value.replaceAll(socketPath, 'SOCKET').replace(/\d+\.\d+s/g, 'TIME');
}

function metadata(pairs) {
  const result = [];
  for (const [key, values] of Object.entries(pairs?.toJSON() ?? {})) {
    for (const value of values) result.push([key, key === 'date' ? 'TIME' : shown(value)]);
  }
  return result.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)); // stable: repeated values keep their order
}

function pairsOf(pairs = []) {
  const result = new grpc.Metadata();
  for (const [key, value] of pairs) result.add(key, value);
  return result;
}

const callOptions = ({ timeout = PATIENCE } = {}) => (timeout === null ? {} : { deadline: Date.now() + timeout });
// The runtime ends a call at its deadline too; which of the two is first is chance, and only their texts differ.
const textOf = (status) => (status.code === grpc.status.DEADLINE_EXCEEDED ? status.details.replace(/^deadline exceeded.*/is, 'deadline exceeded') : status.details);
const sameStatus = (status) => ({ code: grpc.status[status.code], message: shown(textOf(status)), trailers: metadata(status.metadata) });

/** Headers and status of a call as they come. */
function watch(call) {
  const seen = { headers: [] };
  call.on('metadata', (headers) => { seen.headers = metadata(headers); });
  seen.ended = new Promise((resolve) => { call.on('status', (status) => resolve({ ...sameStatus(status), headers: seen.headers })); });
  call.on('error', () => {}); // the status says it
  return seen;
}

/** A unary call and all that can be seen of it. */
async function one(client, path, message = empty, { pairs, ...options } = {}) {
  let answer;
  const call = client.makeUnaryRequest(path, plain, plain, message, pairsOf(pairs), callOptions(options), (error, bytes) => { answer = bytes; });
  const ended = await watch(call).ended;
  await new Promise(setImmediate);
  return answer === undefined ? ended : { ...ended, answer: shown(answer) };
}

async function answerOf(client, path, message = empty, { pairs, ...options } = {}) {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, plain, plain, message, pairsOf(pairs), callOptions(options), (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

const jsonOf = async (...parameters) => JSON.parse(await answerOf(...parameters));

/** A stream to its end: how many messages, what they were, how it ended. */
async function collect(call, seen) {
  const hash = createHash('sha256');
  let messages = 0;
  call.on('data', (message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    hash.update(length).update(message);
    messages++;
  });
  const ended = await seen.ended;
  return { ...ended, messages, sha256: hash.digest('hex') };
}

function start(client, path, message, { pairs, ...options } = {}) {
  const call = client.makeServerStreamRequest(path, plain, plain, message, pairsOf(pairs), callOptions(options));
  return [call, watch(call)];
}

function few(client, path, message = empty, options = {}) {
  return collect(...start(client, path, message, options));
}

function open(client, path, { pairs, ...options } = {}) {
  const call = client.makeBidiStreamRequest(path, plain, plain, pairsOf(pairs), callOptions(options));
  return [call, watch(call)];
}

/** The next message of a stream whose flow the scenario controls. */
const next = (call) => new Promise((resolve, reject) => {
  const fail = ({ code, details }) => reject(new Error(`ended: ${code} ${details}`));
  const give = () => {
    const message = call.read();
    if (message === null) return;
    call.off('readable', give).off('status', fail);
    resolve(message);
  };
  call.on('readable', give).once('status', fail);
  give();
});

function tally(results) {
  const counts = {};
  for (const result of results) counts[JSON.stringify(result)] = (counts[JSON.stringify(result)] ?? 0) + 1;
  return counts;
}

const hangs = (call) => new Promise((resolve) => { call.once('metadata', resolve); });

Object.assign(groups.calls, {
  async unary(client) {
    return [await one(client, '/test.Fake/Unary', Buffer.from('hello')), await one(client, '/test.Fake/Unary'),
      await one(client, '/runtime.v1.RuntimeService/Version'), await one(client, '/runtime.v1alpha2.RuntimeService/Version', proto.field(1, 'v1alpha2')),
      await one(client, '/runtime.v1.ImageService/ImageFsInfo')];
  },

  async many_unary_calls_on_one_connection(client) {
    const answers = [];
    for (let number = 0; number < 300; number++) answers.push(await one(client, '/test.Fake/Unary', Buffer.alloc((number % 7) * 1000, 'x')));
    return tally(answers);
  },

  server_streaming_of_10000_messages: (client) => few(client, '/test.Fake/ServerStream', asked({ count: 10_000, size: 120 }), { pairs: [['echo-a', 'b']] }),

  async bidirectional_streaming(client) {
    const [call, seen] = open(client, '/test.Fake/Bidi');
    const echoes = [];
    for (let number = 0; number < 200; number++) {
      call.write(Buffer.from(String(number).repeat(number + 1)));
      echoes.push(await next(call));
    }
    call.end();
    return { sha256: sha256(Buffer.concat(echoes)), rest: await collect(call, seen) };
  },

  async client_streaming(client) {
    let answer;
    const call = client.makeClientStreamRequest('/test.Fake/ClientStream', plain, plain, pairsOf(), callOptions(), (error, bytes) => { answer = bytes; });
    const seen = watch(call);
    for (let number = 0; number < 2000; number++) {
      if (!call.write(Buffer.from(String(number).repeat(50)))) await new Promise((resolve) => { call.once('drain', resolve); });
    }
    call.end();
    const ended = await seen.ended;
    await new Promise(setImmediate);
    return { ...ended, answer: JSON.parse(answer) };
  },

  async a_stalled_stream_beside_live_ones(client) {
    const [stalled, seen] = start(client, '/test.Fake/ServerStream', asked({ count: 400, size: 16384 }));
    const first = await next(stalled); // it has begun; nothing more is read while others live
    const live = [];
    for (let number = 0; number < 200; number++) live.push(await one(client, '/test.Fake/Unary', Buffer.alloc(5000, 'x')));
    const streamed = await few(client, '/test.Fake/ServerStream', asked({ count: 50, size: 30_000 }));
    return { first: shown(first), live: tally(live), streamed, rest: await collect(stalled, seen) };
  },

  async streams_at_once_300(client) {
    const calls = Array.from({ length: 300 }, () => open(client, '/test.Fake/Bidi'));
    calls.forEach(([call], number) => call.write(Buffer.from(String(number))));
    const first = await Promise.all(calls.map(([call]) => next(call))); // all of them are open when the last has answered
    calls.forEach(([call]) => call.end());
    return { first: shown(first.join()), ends: tally(await Promise.all(calls.map((call) => collect(...call)))) };
  },

  messages_of_32_MB_both_ways: (client) => one(client, '/test.Fake/Unary', Buffer.alloc(BIG, Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)))),

  metadata_of_60_KB: (client) => one(client, '/test.Fake/Unary', Buffer.from('x'), { pairs: [['echo-big', 'abcdefgh'.repeat(7500)]] }),

  async repeated_and_binary_metadata(client) {
    const octets = Buffer.from(Array.from({ length: 256 }, (_, octet) => octet));
    const pairs = [['echo-a', '1'], ['echo-b', 'x'], ['echo-a', '2'], ['echo-data-bin', octets], ['echo-data-bin', Buffer.from([0, 1])], ['echo-a', '3, 4'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']];
    return [await one(client, '/test.Fake/Unary', Buffer.from('x'), { pairs }), await few(client, '/test.Fake/ServerStream', asked({ count: 2, size: 10 }), { pairs }),
      await jsonOf(client, '/test.Fake/Inspect', empty, { pairs })];
  },

  async trailers_only_answers(client) {
    const options = { pairs: [['echo-a', 'b']] };
    return [await one(client, '/test.Fake/Fail', asked({ code: 9, message: 'not now' }), options), await few(client, '/test.Fake/Fail', asked({ code: 9, message: 'not now' }), options)];
  },

  errors_after_data: (client) => Promise.all([0, 1, 50].map((after) => few(client, '/test.Fake/Fail', asked({ code: 14, message: 'gone', after }), { pairs: [['echo-a', 'b']] }))),

  every_status_code: (client) => Promise.all(Array.from({ length: 16 }, (_, index) => few(client, '/test.Fake/Fail', asked({ code: index + 1, message: `text of ${index + 1}` })))),

  status_texts: (client) => Promise.all(['a "quoted" text: 100%', 'lines\nand\ttabs', 'снимок 镜像 🐳', '%41 stays', 'x'.repeat(3000)]
    .map((message) => few(client, '/test.Fake/Fail', asked({ code: 2, message })))),

  async status_details(client) {
    const details = Buffer.concat([proto.field(1, 8), proto.field(2, 'full'), proto.field(3, Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)))]).toString('base64');
    return [await few(client, '/test.Fake/Fail', asked({ code: 8, message: 'full', details })), await few(client, '/test.Fake/Fail', asked({ code: 8, message: 'full', details, after: 2 }))];
  },

  async deadline_exceeded(client) {
    const ended = await few(client, '/test.Fake/Hang', asked({ id: `deadline ${now()}` }), { timeout: 300 });
    const id = `seen ${now()}`;
    await few(client, '/test.Fake/Hang', asked({ id }), { timeout: 200 });
    return { ended: [ended.code, ended.message], deadline: (await jsonOf(client, '/test.Fake/Seen', asked({ id }))).deadline };
  },

  async cancellation_is_seen(client, measured) {
    let result;
    measured['cancellation ms'] = [];
    for (let attempt = 0; attempt < 5; attempt++) {
      const id = `cancel ${attempt} ${now()}`;
      const [call, seen] = start(client, '/test.Fake/Hang', asked({ id }));
      const ending = collect(call, seen);
      await hangs(call); // the runtime has the call
      const before = now();
      call.cancel();
      const { at, deadline } = await jsonOf(client, '/test.Fake/Seen', asked({ id }));
      measured['cancellation ms'].push((at - before) / 1e6);
      const { code, message } = await ending;
      result = { code, message, deadline };
    }
    return result;
  },

  async unknown_service_and_method(client) {
    const paths = ['/test.Nope/Unary', '/test.Fake/Nope', '/runtime.v1.RuntimeService/FromTheFuture', '/runtime.v2.ImageService/PullImage', '/grpc.health.v1.Health/Watch', '/made.up/Call'];
    const results = [];
    for (const path of paths) results.push([await one(client, path), await few(client, path)]);
    return results;
  },

  what_the_runtime_sees: async (client) => [
    await jsonOf(client, '/test.Fake/Inspect', empty, { pairs: [['a', 'b'], ['traceparent', '00-01-02-03']] }), await jsonOf(client, '/test.Fake/Inspect', empty, { timeout: null })],

  async compressed_messages(client) {
    const gzip = connect({ 'grpc.default_compression_algorithm': grpc.compressionAlgorithms.gzip });
    const message = Buffer.from('compressible '.repeat(10_000));
    try {
      return [await one(gzip, '/test.Fake/Unary', message), await one(gzip, '/test.Fake/GzipUnary', message), await one(client, '/test.Fake/GzipUnary', message),
        await jsonOf(gzip, '/test.Fake/Inspect')];
    } finally {
      gzip.close();
    }
  },

  async authorities() {
    const result = {};
    for (const authority of ['localhost', '%2Frun%2Fx.sock', 'example.com:1234']) {
      const other = connect({ 'grpc.default_authority': authority });
      result[authority] = [await one(other, '/test.Fake/Unary', Buffer.from('x')), await jsonOf(other, '/test.Fake/Inspect')];
      other.close();
    }
    return result;
  },

  async keepalive_that_the_runtime_allows() {
    const eager = connect({ 'grpc.keepalive_time_ms': 50, 'grpc.keepalive_timeout_ms': 5000 });
    const ended = await few(eager, '/test.Fake/Hang', asked({ id: 'keepalive' }), { timeout: 700 });
    const another = await one(eager, '/test.Fake/Unary', Buffer.from('x'));
    eager.close();
    return [ended.code, ended.message, another];
  },
});

Object.assign(groups.age, {
  async calls_outlive_the_age_of_their_connection(client) {
    const [call, seen] = open(client, '/test.Fake/Bidi');
    call.write(Buffer.from('first'));
    const first = await next(call);
    await sleep(900); // the runtime says GOAWAY at 0.4 s, give or take a tenth; the call goes on
    call.write(Buffer.from('second'));
    const second = await next(call);
    call.end();
    return { first: shown(first), second: shown(second), rest: await collect(call, seen), another: await one(client, '/test.Fake/Unary', Buffer.from('x')) };
  },
});

Object.assign(groups.shutdown, {
  async a_runtime_that_stops_lets_calls_finish(client) {
    const [call, seen] = open(client, '/test.Fake/Bidi');
    call.write(Buffer.from('first'));
    const echoes = [await next(call)];
    const stop = await one(client, '/test.Fake/Control', asked({ op: 'stop', grace: 30 }));
    for (let number = 0; number < 20; number++) {
      call.write(Buffer.from(String(number)));
      echoes.push(await next(call));
    }
    call.end();
    return { echoes: echoes.join(), stop, rest: await collect(call, seen) };
  },
});

const namespace = [['containerd-namespace', 'peers']];
const subscribe = '/containerd.services.events.v1.Events/Subscribe';

Object.assign(groups.containerd, {
  cri_version_and_status: (client) => Promise.all(['v1', 'v1alpha2'].flatMap((version) => ['Version', 'Status'].map((method) => one(client, `/runtime.${version}.RuntimeService/${method}`)))),

  cri_lists: (client) => Promise.all(['ImageService/ListImages', 'RuntimeService/ListContainers', 'RuntimeService/ListPodSandbox'].map((method) => one(client, `/runtime.v1.${method}`))),

  async cri_image_fs_info(client) {
    const answer = await answerOf(client, '/runtime.v1.ImageService/ImageFsInfo');
    return proto.read(answer).map(({ number, value }) => [number, shown(proto.without(value, 1, 3, 4))]); // 1 is the time, 3 and 4 what is used
  },

  cri_missing_things: (client) => Promise.all(['ContainerStatus', 'StopContainer', 'PodSandboxStatus', 'ExecSync'].map((method) => one(client, `/runtime.v1.RuntimeService/${method}`, proto.field(1, 'nope')))),

  unknown_methods_and_services: (client) => Promise.all(['/runtime.v1.RuntimeService/FromTheFuture', '/runtime.v2.ImageService/PullImage', '/runtime.v1.ImageService/StreamImages', '/made.up/Call']
    .map((path) => few(client, path))),

  async container_events(client) {
    const { code, message, messages } = await few(client, '/runtime.v1.RuntimeService/GetContainerEvents', empty, { timeout: 500 });
    return [code, message, messages];
  },

  async health(client) {
    const [call, seen] = start(client, '/grpc.health.v1.Health/Watch', empty);
    const first = shown(await next(call));
    call.cancel();
    return [await one(client, '/grpc.health.v1.Health/Check'), first, await collect(call, seen)];
  },

  async events_reach_300_subscribers(client) {
    const calls = Array.from({ length: 300 }, () => start(client, subscribe, proto.field(1, 'topic=="/peers/test"'), { pairs: namespace }));
    let waiting = calls.length;
    const received = Promise.all(calls.map(async ([call]) => {
      const envelope = await next(call);
      waiting--;
      return shown(proto.without(envelope, 1)); // 1 is the time
    }));
    const event = Buffer.concat([proto.field(1, '/peers/test'), proto.field(2, Buffer.concat([proto.field(1, 'peers'), proto.field(2, 'event')]))]);
    const published = [];
    const until = Date.now() + PATIENCE;
    while (waiting > 0 && Date.now() < until) {
      published.push(await one(client, '/containerd.services.events.v1.Events/Publish', event, { pairs: namespace }));
      await sleep(50); // nothing tells that a subscription has begun, so the event is published until all have one
    }
    const envelopes = tally(await received);
    const ends = calls.map(([call, seen]) => { call.cancel(); return seen.ended; });
    return { published: Object.keys(tally(published)), envelopes, ends: tally((await Promise.all(ends)).map(({ code, message }) => [code, message])) };
  },

  async content_is_written_and_read(client) {
    const blob = Buffer.alloc(24 * 1024 * 1024, 'node');
    const digest = `sha256:${sha256(blob)}`;
    const step = 4 * 1024 * 1024;
    const [call, seen] = open(client, '/containerd.services.content.v1.Content/Write', { pairs: namespace });
    const answers = [];
    const request = (action, offset, ...more) => Buffer.concat([proto.field(1, action), proto.field(2, 'peers-node'), proto.field(3, blob.length),
      proto.field(4, digest), proto.field(5, offset), ...more]);
    for (let offset = 0; offset < blob.length; offset += step) {
      call.write(request(1, offset, proto.field(6, blob.subarray(offset, offset + step))));
      answers.push(shown(proto.without(await next(call), 2, 3))); // 2 and 3 are times
    }
    call.write(request(2, blob.length, proto.field(7, Buffer.concat([proto.field(1, 'containerd.io/gc.root'), proto.field(2, 'peers')]))));
    answers.push(shown(proto.without(await next(call), 2, 3)));
    call.end();
    const end = await collect(call, seen);
    const read = await few(client, '/containerd.services.content.v1.Content/Read', proto.field(1, digest), { pairs: namespace });
    return { answers, end, read, removed: await one(client, '/containerd.services.content.v1.Content/Delete', proto.field(1, digest), { pairs: namespace }) };
  },

  metadata_of_60_KB_to_containerd: (client) => one(client, '/runtime.v1.RuntimeService/Version', empty, { pairs: [['big', 'abcdefgh'.repeat(7500)], ['big-bin', Buffer.alloc(256, 7)]] }),

  async deadline_on_containerd(client) {
    const { code, message } = await few(client, subscribe, empty, { timeout: 300, pairs: namespace });
    // containerd ends it at its deadline too, with a status of its own; which of the two is first is chance.
    return /deadline exceeded/i.test(message) ? 'ended at the deadline' : [code, message];
  },

  async authorities_on_containerd() {
    const result = {};
    for (const authority of ['localhost', '%2Frun%2Fx.sock']) {
      const other = connect({ 'grpc.default_authority': authority });
      result[authority] = await one(other, '/runtime.v1.RuntimeService/Version');
      other.close();
    }
    return result;
  },
});

async function main() {
  for (const name of names.length > 0 ? names : Object.keys(groups[group])) {
    const measured = {};
    const started = now();
    const client = connect();
    let result;
    try {
      result = await groups[group][name](client, measured);
    } catch (error) { // a scenario that breaks is a result too: it must break alike on both sides
      result = { broke: shown(String(error)) };
      console.error(error);
    }
    client.close();
    measured.seconds = (now() - started) / 1e9;
    await new Promise((resolve) => { process.stdout.write(`${JSON.stringify({ scenario: name, result, measured })}\n`, resolve); });
  }
  process.exit(0);
}

main();
