// Ordinary traffic, alone and then beside connections that begin something and never go on. See ../README.md.
import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { checkDescriptors, descriptors, memory, printTable, quantile, readArguments, sorted } from './lib.mjs';

const USAGE = 'node half-open.mjs http://127.0.0.1:PORT [--pid PID] [--connections 2000] [--seconds 30]';

const CLIENTS = 8;
const GIVE_UP_MS = 5_000;
const ALONE_SECONDS = 5;
// How often somebody comes who has no connection yet: a cap on connections would turn away him, not those who are in.
const NEWCOMER_EVERY_MS = 200;
// Opened at a time, so that the system's queue of those not yet taken does not run over.
const OPENED_AT_ONCE = 50;
// Each is renewed so often at most, in the mean.
const RENEWALS = 4;
// What the server gives headers, a body and a greeting by default is 10 s.
const ENDED_WITHIN_SECONDS = 15;

const SEARCH = `query ($search: String!) {
  cards(search: $search, first: 20) { nodes { id name set { code } price { price } } }
}`;

async function main() {
  const { url, pid, connections = 2_000, seconds = 30 } = readArguments(USAGE, {
    connections: { type: 'string' },
    seconds: { type: 'string' },
  });
  const count = Number(connections);
  checkDescriptors(pid, count);

  const ordinary = new Worker(new URL(import.meta.url), { workerData: url.href });
  ordinary.on('error', (error) => {
    console.error(`the ordinary traffic: ${error.message}`);
    process.exit(1);
  });
  const figures = () => new Promise((resolve) => {
    ordinary.once('message', resolve);
    ordinary.postMessage('figures');
  });

  // What comes before is to fill the caches.
  await sleep(1_000);
  await figures();
  await sleep(ALONE_SECONDS * 1_000);
  const alone = { ...(await figures()), rss: memory(pid, 'VmRSS'), files: descriptors(pid) };

  const crowd = new Crowd(url, count);
  let files = 0;
  let rss = 0;
  const end = performance.now() + Number(seconds) * 1_000;
  while (performance.now() < end) {
    crowd.fill();
    await sleep(50);
    files = Math.max(files, descriptors(pid));
    rss = Math.max(rss, memory(pid, 'VmRSS'));
  }
  const beside = { ...(await figures()), rss, files };
  crowd.leave();
  await ordinary.terminate();

  report(alone, beside, crowd, pid);
}

function report(alone, beside, crowd, pid) {
  const at = (sample, q) => (sample.length ? quantile(sample, q).toFixed(2) : '-');
  const row = (what, { requests, newcomers, errors, rss, files, elapsed }) => [
    what, requests.length, (requests.length / elapsed).toFixed(0), at(requests, 0.5), at(requests, 0.99), at(requests, 1),
    newcomers.length, at(newcomers, 0.5), at(newcomers, 0.99), at(newcomers, 1), errors.length,
    pid ? rss.toFixed(0) : '-', pid ? files : '-',
  ];
  printTable(
    [
      'ordinary traffic', 'requests', '/s', 'p50 ms', 'p99 ms', 'worst', 'newcomers', 'p50 ms', 'p99 ms', 'worst', 'errors',
      'RSS MiB', 'files',
    ],
    [row('alone', alone), row(`beside ${crowd.count}`, beside)],
  );
  if (pid) console.log(`\nthe server's memory at its peak: ${memory(pid).toFixed(0)} MiB`);

  const rows = [];
  for (const { what, opened, endings } of crowd.kinds) {
    for (const [how, ages] of endings) {
      const sample = sorted(ages);
      rows.push([what, opened, sample.length, at(sample, 0), at(sample, 0.5), at(sample, 1), how]);
    }
    if (endings.size === 0) rows.push([what, opened, 0, '-', '-', '-', 'not ended']);
  }
  console.log('');
  printTable(['half-open', 'opened', 'ended', 'first after s', 'median', 'last', 'how'], rows);
  console.log(`\nopen at a time: ${crowd.most} at most; opened in all: ${crowd.opened}`);

  const failures = new Set([...alone.errors, ...beside.errors]);
  const problems = [...failures].map((failure) => `an ordinary request failed: ${failure}`);
  if (crowd.oldest > ENDED_WITHIN_SECONDS) {
    problems.push(`a half-open connection was there for ${crowd.oldest.toFixed(0)} s; in part it may have waited to be taken`);
  }
  if (problems.length > 0 && beside.newcomers.length < alone.newcomers.length) {
    console.log('\nNewcomers waited to be taken: see DUALCASTER_MAX_CONNECTIONS, and `ulimit -n` of the server.');
  }
  for (const problem of problems) console.log(`not ok: ${problem}`);
  process.exit(problems.length === 0 ? 0 : 1);
}

// --- those that never go on

const KINDS = [
  ['headers half sent', 'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: applicat'],
  [
    'body half sent',
    'POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: application/graphql-response+json\r\n' +
      'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"query": "{ __type',
  ],
  [
    'WebSocket not greeted',
    'GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n' +
      'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n',
  ],
];

class Crowd {
  kinds = KINDS.map(([what, text]) => ({ what, text, opened: 0, endings: new Map() }));
  sockets = new Set();
  opened = 0;
  most = 0;
  oldest = 0;
  isLeaving = false;

  constructor(url, count) {
    this.url = url;
    this.count = count;
  }

  // Opens some of those that are missing, and looks how long the others have been there.
  fill() {
    for (let some = 0; some < OPENED_AT_ONCE && this.sockets.size < this.count; some += 1) {
      if (this.opened >= this.count * RENEWALS) break;
      this.open(this.kinds[this.opened % this.kinds.length]);
    }
    this.most = Math.max(this.most, this.sockets.size);
    const now = performance.now();
    for (const { began } of this.sockets) this.oldest = Math.max(this.oldest, (now - began) / 1_000);
  }

  open(kind) {
    this.opened += 1;
    kind.opened += 1;
    const socket = net.connect(Number(this.url.port), this.url.hostname, () => socket.write(kind.text));
    const held = { socket, began: performance.now() };
    this.sockets.add(held);
    const pieces = [];
    let failure = '';
    socket.on('data', (piece) => pieces.push(piece));
    socket.on('error', (error) => {
      failure = error.code;
    });
    socket.on('close', () => {
      this.sockets.delete(held);
      if (this.isLeaving) return;
      const how = [told(Buffer.concat(pieces)), failure].filter(Boolean).join(', ') || 'closed without a word';
      if (!kind.endings.has(how)) kind.endings.set(how, []);
      kind.endings.get(how).push((performance.now() - held.began) / 1_000);
    });
  }

  leave() {
    this.isLeaving = true;
    for (const { socket } of this.sockets) socket.destroy();
  }
}

// What the server said: an answer's status and error, or a WebSocket's close frame.
function told(bytes) {
  const text = bytes.toString('latin1');
  const [, status] = /^HTTP\/1\.1 (\d+)/.exec(text) ?? [];
  if (!status) return text.slice(0, 40);
  if (status !== '101') return `${status} ${/ERR-\d{4}/.exec(text)?.[0] ?? ''}`.trim();
  const frames = bytes.subarray(text.indexOf('\r\n\r\n') + 4);
  // Frames of a server are not masked, and a close frame is short: its kind, its length, its code.
  return frames[0] === 0x88 ? `close ${frames.readUInt16BE(2)}` : 'no close frame';
}

// --- those that do

async function ordinaryTraffic(base) {
  let figures = fresh();
  parentPort.on('message', () => {
    const { began, requests, newcomers, ...rest } = figures;
    const elapsed = (performance.now() - began) / 1_000;
    parentPort.postMessage({ ...rest, elapsed, requests: sorted(requests), newcomers: sorted(newcomers) });
    figures = fresh();
  });

  const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });
  const names = await send(base, agent, { query: '{ cards(first: 50) { nodes { name } } }' });
  const terms = [...new Set(names.cards.nodes.map(({ name }) => name.split(' ')[0]))];

  let next = 0;
  const search = async (through, sample) => {
    const term = terms[(next += 1) % terms.length];
    const began = performance.now();
    try {
      await send(base, through, { query: SEARCH, variables: { search: term } });
      figures[sample].push(performance.now() - began);
    } catch (error) {
      figures.errors.push(`one of the ${sample}: ${error.code ?? ''} ${error.message}`);
      // One that fails at once must not make this a storm.
      await sleep(100);
    }
  };
  for (let client = 0; client < CLIENTS; client += 1) {
    (async () => {
      for (;;) await search(agent, 'requests');
    })();
  }
  for (;;) {
    await sleep(NEWCOMER_EVERY_MS);
    await search(false, 'newcomers');
  }
}

function fresh() {
  return { began: performance.now(), requests: [], newcomers: [], errors: [] };
}

function send(base, agent, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(new URL('/graphql', base), {
      method: 'POST',
      agent,
      headers: { 'content-type': 'application/json' },
      timeout: GIVE_UP_MS,
    });
    // A connection that the server does not take is as bad as an answer that does not come.
    request.on('timeout', () => request.destroy(new Error(`no answer within ${GIVE_UP_MS / 1_000} s`)));
    request.on('error', reject);
    request.on('response', (response) => {
      const pieces = [];
      response.on('error', reject);
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        try {
          const { data, errors } = JSON.parse(text);
          if (response.statusCode !== 200 || errors || !data) throw new Error(text.slice(0, 200));
          resolve(data);
        } catch (error) {
          reject(Object.assign(error, { code: response.statusCode }));
        }
      });
    });
    request.end(JSON.stringify(body));
  });
}

// The half-open ones must not take the time of those who measure: these have a thread of their own.
if (isMainThread) await main();
else await ordinaryTraffic(workerData);
