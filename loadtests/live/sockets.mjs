// Many sockets with live subscriptions: what they take of the server's memory, and how soon new prices reach them all.
// See ../README.md.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkDescriptors, memory, printTable, quantile, randomNumbers, readArguments, sorted,
} from '../front-door/lib.mjs';
import { CLOSE, PING, PONG, TEXT, frame, frameLength } from './frames.mjs';

const USAGE =
  'node sockets.mjs http://127.0.0.1:PORT [--pid PID] [--sockets 1000] [--subscriptions 20] [--cards 5] ' +
  '[--timeout 120] [--ingest "COMMAND"]';

const CARDS = '{ cards(first: 100) { nodes { id } } }';
const UPDATES = `subscription($ids: [ID!]!) {
  priceUpdates(cardIds: $ids) {
    card { id name }
    price { marketplace { slug } finish price observedAt }
    previousPrice
  }
}`;

const SEED = 1;
// Opened or subscribed at a time, so that the system's queue of those not yet taken does not run over.
const AT_ONCE = 50;
// What a greeting and its like may take.
const GIVE_UP_MS = 20_000;
// Memory that moves by less than this stands still.
const STILL_MIB = 0.5;
const STILL_MS = 1_500;
// What is not still by then is taken as it is; without a process id it is waited for so long in any case.
const SETTLED_MS = 15_000;
const SETTLED_UNSEEN_MS = 3_000;
const LOOK_EVERY_MS = 100;
// After the last delivery.
const QUIET_MS = 5_000;

const NOTHING = Buffer.alloc(0);

const { url, pid, ingest, ...numbers } = readArguments(
  USAGE,
  {
    sockets: { type: 'string', default: '1000' },
    subscriptions: { type: 'string', default: '20' },
    cards: { type: 'string', default: '5' },
    timeout: { type: 'string', default: '120' },
    ingest: { type: 'string' },
  },
  ['ingest'],
);
const count = Number(numbers.sockets);
const each = Number(numbers.subscriptions);
const cards = Number(numbers.cards);
const timeoutMs = Number(numbers.timeout) * 1_000;

// What came on all sockets together.
const seen = {
  // When each event came.
  times: [],
  // Subscriptions that an event came for.
  told: 0,
  // What is not as it should be, and how often.
  troubles: new Map(),
  open: 0,
  isLeaving: false,
  note(trouble) {
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
  },
};

async function main() {
  checkDescriptors(pid, count);
  const ids = await cardIds();
  if (ids.length < cards) throw new Error(`the server shows ${ids.length} cards: load a catalogue, or pass fewer --cards`);

  const before = memory(pid, 'VmRSS');
  const random = randomNumbers(SEED);
  const clients = Array.from({ length: count }, () => new Client());
  await eachOf(clients, (client) => client.open());
  const greeted = await settledMemory();
  await eachOf(clients, (client) => client.subscribe(Array.from({ length: each }, () => draw(ids, cards, random))));
  const subscribed = await settledMemory();
  if (seen.troubles.size > 0) {
    reportMemory({ before, greeted, subscribed });
    finish([]);
  }

  const idle = process.cpuUsage();
  const command = await deliveries();
  const { user, system } = process.cpuUsage(idle);
  reportMemory({ before, greeted, subscribed, delivered: memory(pid, 'VmRSS') });
  reportDeliveries(command);
  console.log(`\nthis script itself took ${((user + system) / 1e6).toFixed(1)} s of a core meanwhile`);

  const problems = seen.times.length === 0 ? ['nothing was delivered'] : [];
  if (command.failure) problems.push(command.failure);
  seen.isLeaving = true;
  for (const client of clients) client.leave();
  finish(problems);
}

async function cardIds() {
  const response = await fetch(new URL('/graphql', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: CARDS }),
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the server answers ${response.status} with ${text.slice(0, 200)}`);
  const { data, errors } = JSON.parse(text);
  if (errors || !data) throw new Error(text.slice(0, 200));
  return data.cards.nodes.map(({ id }) => id);
}

// Waits for the deliveries, having begun the command if there is one.
async function deliveries() {
  seen.times.length = 0;
  const command = { began: performance.now(), ended: undefined, failure: '' };
  const child = ingest === undefined ? undefined : run(command);
  if (!child) console.log(`all are subscribed: ingest new prices now, within ${timeoutMs / 1_000} s`);
  while (seen.open > 0) {
    await sleep(LOOK_EVERY_MS);
    const now = performance.now();
    if (now - command.began > timeoutMs) break;
    const last = seen.times.at(-1);
    const isRunning = child && command.ended === undefined;
    if (last !== undefined && !isRunning && now - Math.max(last, command.ended ?? 0) > QUIET_MS) break;
  }
  if (child && command.ended === undefined) {
    command.failure = 'the command was still under way, and is ended';
    child.kill();
  }
  return command;
}

// No shell: what is between spaces is a word.
function run(command) {
  const [program, ...words] = ingest.trim().split(/\s+/);
  const child = spawn(program, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  const end = (failure) => {
    command.ended ??= performance.now();
    command.failure ||= failure;
  };
  child.on('error', (error) => end(`the command did not start: ${error.message}`));
  child.on('exit', (code, signal) => end(code === 0 ? '' : `the command ended with ${code ?? signal}`));
  return child;
}

// The server's memory once it stands still. Nothing in the protocol says that a subscription is there.
async function settledMemory() {
  const began = performance.now();
  if (!pid) {
    await sleep(SETTLED_UNSEEN_MS);
    return NaN;
  }
  let rss = memory(pid, 'VmRSS');
  let since = began;
  while (performance.now() - began < SETTLED_MS && performance.now() - since < STILL_MS) {
    await sleep(LOOK_EVERY_MS);
    const now = memory(pid, 'VmRSS');
    if (Math.abs(now - rss) < STILL_MIB) continue;
    rss = now;
    since = performance.now();
  }
  return memory(pid, 'VmRSS');
}

function reportMemory({ before, greeted, subscribed, delivered }) {
  const total = count * each;
  const mib = (figure) => (Number.isNaN(figure) ? '-' : figure.toFixed(1));
  const kib = (figure, parts) => mib(((figure - before) * 1_024) / parts);
  const rows = [
    ['before', mib(before), '-', '-'],
    [`${count} sockets greeted`, mib(greeted), kib(greeted, count), '-'],
    [`${total} subscriptions`, mib(subscribed), kib(subscribed, count), kib(subscribed, total)],
  ];
  if (delivered !== undefined) rows.push(['after the deliveries', mib(delivered), '-', '-']);
  printTable(["the server's memory", 'RSS MiB', 'KiB a socket', 'KiB a subscription'], rows);
}

function reportDeliveries({ began, ended }) {
  const times = sorted(seen.times);
  const seconds = (from) => [0, 0.5, 0.99, 1].map((q) => ((quantile(times, q) - from) / 1_000).toFixed(3));
  console.log(`\nevents: ${times.length}, to ${seen.told} of ${count * each} subscriptions`);
  if (ended !== undefined) console.log(`the command took ${((ended - began) / 1_000).toFixed(1)} s`);
  if (times.length === 0) return;
  const start = ingest === undefined ? ['from the first', times[0]] : ["from the command's start", began];
  const rows = [[start[0], ...seconds(start[1])]];
  if (ended !== undefined) rows.push(['from its end', ...seconds(ended)]);
  printTable(['deliveries, in seconds', 'first', 'p50', 'p99', 'last'], rows);
}

function finish(problems) {
  for (const [trouble, times] of seen.troubles) problems.push(`${times} × ${trouble}`);
  if (problems.some((problem) => problem.includes('ERR-4001'))) {
    console.log('\nThe limits on what one address may ask must be raised for this: see DUALCASTER_BUDGET_ANONYMOUS.');
  }
  for (const problem of problems) console.log(`not ok: ${problem}`);
  process.exit(problems.length === 0 ? 0 : 1);
}

// --- one socket

class Client {
  #socket;
  // Of each subscription: its cards, and whether it was told of any.
  #subscriptions = [];
  #waiting = new Map();
  #isUpgraded = false;
  #rest = NOTHING;
  #pieces = [];
  #isClosed = false;
  #ending = '';

  // Until the server has answered the greeting.
  async open() {
    const socket = net.connect(Number(url.port || 80), url.hostname);
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('data', (piece) => this.#receive(piece));
    socket.on('error', (error) => {
      this.#ending ||= error.code;
    });
    socket.on('close', () => this.#close());
    seen.open += 1;
    const upgraded = this.#told('upgrade');
    socket.write(
      `GET /graphql HTTP/1.1\r\nhost: ${url.host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-protocol: graphql-transport-ws\r\n' +
        `sec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await upgraded;
    const greeted = this.#told('connection_ack');
    this.#send({ type: 'connection_init' });
    await greeted;
  }

  // Until the server has heard of all of them.
  async subscribe(choices) {
    const heard = this.#told('pong');
    choices.forEach((ids, place) => {
      this.#subscriptions.push({ ids: new Set(ids), isTold: false });
      this.#send({ type: 'subscribe', id: String(place), payload: { query: UPDATES, variables: { ids } } });
    });
    this.#send({ type: 'ping' });
    await heard;
  }

  leave() {
    this.#socket.destroy();
  }

  // The next message of a kind. One that closes instead is counted where all of them are.
  #told(kind) {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(new Error('a socket is closed'));
        return;
      }
      const timer = setTimeout(() => reject(new Error(`no ${kind} within ${GIVE_UP_MS / 1_000} s`)), GIVE_UP_MS);
      this.#waiting.set(kind, { resolve, reject, timer });
    });
  }

  #heard(kind) {
    const waiting = this.#waiting.get(kind);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(kind);
    waiting.resolve();
  }

  #send(message) {
    this.#socket.write(frame(TEXT, Buffer.from(JSON.stringify(message))));
  }

  #receive(piece) {
    const now = performance.now();
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, piece]) : piece;
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      const head = bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
      if (!'HTTP/1.1 101'.startsWith(head.slice(0, 12))) {
        this.#ending ||= `no WebSocket, but ${head.split('\r\n')[0]}`;
        this.#socket.destroy();
        return;
      }
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      this.#isUpgraded = true;
      this.#heard('upgrade');
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    for (;;) {
      const length = frameLength(bytes, at);
      if (length === undefined || at + length.whole > bytes.length) break;
      this.#take(bytes[at], bytes.subarray(at + length.head, at + length.whole), now);
      at += length.whole;
    }
    this.#rest = at === bytes.length ? NOTHING : bytes.subarray(at);
  }

  // A frame: its first byte says whether it is a message's last, and of what kind.
  #take(first, payload, now) {
    const kind = first & 0x0f;
    if (kind === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.#ending ||= `${code} ${payload.subarray(2)}`.trim();
      this.#socket.end(frame(CLOSE, payload));
    } else if (kind === PING) {
      this.#socket.write(frame(PONG, payload));
    } else if (kind < CLOSE) {
      const isLast = (first & 0x80) !== 0;
      if (isLast && this.#pieces.length === 0) {
        this.#hear(payload.toString(), now);
        return;
      }
      this.#pieces.push(Buffer.from(payload));
      if (!isLast) return;
      const message = Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#hear(message.toString(), now);
    }
  }

  #hear(text, now) {
    const { type, id, payload } = JSON.parse(text);
    switch (type) {
      case 'next':
        this.#count(this.#subscriptions[id], payload, now);
        break;
      case 'error':
        seen.note(`a subscription is refused: ${inShort(payload)}`);
        break;
      case 'complete':
        seen.note('a subscription is ended by the server');
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        break;
      default:
        this.#heard(type);
    }
  }

  #count(subscription, { data, errors }, now) {
    const update = data?.priceUpdates;
    if (errors || !update) seen.note(`an event has no price: ${inShort(errors)}`);
    else if (!subscription.ids.has(update.card.id)) seen.note('an event is of a card that was not asked for');
    else {
      seen.times.push(now);
      if (!subscription.isTold) seen.told += 1;
      subscription.isTold = true;
    }
  }

  #close() {
    this.#isClosed = true;
    seen.open -= 1;
    const how = this.#ending || '1006';
    if (!seen.isLeaving) seen.note(`a socket is closed: ${how}`);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new Error(`a socket is closed: ${how}`));
    }
  }
}

function inShort(errors) {
  const error = errors?.[0];
  return error ? `${error.extensions?.errorCode ?? ''} ${error.message}`.trim() : 'without a reason';
}

// --- in turn, and by chance

async function eachOf(items, work) {
  let next = 0;
  const turn = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, turn));
}

function draw(ids, number, random) {
  const drawn = new Set();
  while (drawn.size < number) drawn.add(ids[Math.floor(random() * ids.length)]);
  return [...drawn];
}

try {
  await main();
} catch (error) {
  finish([error.cause?.message ?? error.message]);
}
