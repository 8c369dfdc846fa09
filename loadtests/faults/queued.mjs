// How soon somebody with a small file sees that it goes on, while large ones wait. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable, quantile, sorted } from '../front-door/lib.mjs';
import {
  Server, csvOf, eachOf, finish, freePort, makeDatabase, makeMarket, makePeople, parsed, printTroubles, readCommand,
} from './lib.mjs';
import { Socket } from './socket.mjs';

const USAGE =
  'node queued.mjs BINARY [DATABASE_URL] [--large 50] [--rows 20000] [--small 100] [--every 150] [--cards 4000] ' +
  '[--within 1000] [--seed 1]';

const MARKET = { sets: 20, days: 3 };
const CONDITIONS = ['Near Mint', 'Lightly Played', 'Moderately Played', 'Heavily Played', 'Damaged'];
const SMALL_ROWS = 10;
// Of one user, under way at a time; a user may have 5, and send 10 a minute.
const LARGE_EACH = 5;
const SMALL_EACH = 4;
const SENDERS = 2;
// A small import that has not ended by then is lost.
const PATIENCE_MS = 120_000;
const PROGRESS = `subscription($id: ID!) {
  jobProgress(id: $id) { id status progress { processed total } ... on CollectionImport { rowsImported rowsRejected } }
}`;

const { binary, database, seed, large, rows, small, every, within, ...market } = readCommand(USAGE, {
  numbers: { large: 50, rows: 20_000, small: 100, every: 150, cards: 4_000, within: 1_000 },
});

console.log(
  `seed ${seed}, ${database ? 'Postgres' : 'SQLite'}: ${small} imports of ${SMALL_ROWS} rows, ${every} ms apart, ` +
    `while ${large} of ${rows} rows wait`,
);
const env = makeMarket(binary, makeDatabase(database), { ...MARKET, cards: market.cards });
const server = new Server(binary, env, await freePort());
await server.start().ready;
const holders = Math.max(10, Math.ceil(large / LARGE_EACH));
const { people, cards } = await makePeople(server.url, holders + Math.ceil(small / SMALL_EACH));
const problems = [];

// Different rows first, then the same cards in other conditions; and each file is another.
const rowsOf = (count, from) =>
  Array.from({ length: count }, (_, row) => ({
    card: cards[(from + row) % cards.length],
    quantity: 1 + (row % 4),
    condition: CONDITIONS[Math.floor(row / cards.length) % CONDITIONS.length],
  }));

// The job of a file that is taken; or nothing, and a problem.
async function sent(person, filename, content) {
  const answer = await person.upload(filename, content);
  const { data, errors } = parsed(answer.text);
  const id = data?.importCollection?.collectionImport?.id;
  if (id) return id;
  const error = errors?.[0]?.message ?? JSON.stringify(data?.importCollection?.userErrors) ?? answer.failure;
  problems.push(`${filename} was not taken: ${answer.status} ${error}`);
  return undefined;
}

const began = performance.now();
const numbers = (count) => Array.from({ length: count }, (_, number) => number);
await eachOf(numbers(large), SENDERS, async (number) => {
  await sent(people[number % holders], `large-${number}.csv`, csvOf(rowsOf(rows, seed + number * 37)));
});
const queuing = performance.now() - began;

// Of each small import: the milliseconds from its answer to its first event, to the first that is not of a waiting job,
// and to its end.
const seen = [];
const watchers = people.slice(holders).map((person) => ({ person, socket: new Socket() }));
await eachOf(watchers, SENDERS, ({ person, socket }) => socket.open(server.url, person.token));
const isWaiting = ['QUEUED', 'RUNNING'];
const waitingBefore = await largeOnes();
const ends = [];
const start = performance.now();
for (const number of numbers(small)) {
  await sleep(start + number * every - performance.now());
  // Who sends does not wait for those before.
  ends.push(watched(number, watchers[number % watchers.length]));
}
await Promise.all(ends);
const took = performance.now() - start;
const waitingAfter = await largeOnes();

for (const { socket } of watchers) socket.close();
await server.stop();
problems.push(...server.ends);

async function watched(number, { person, socket }) {
  const filename = `small-${number}.csv`;
  const began = performance.now();
  const id = await sent(person, filename, csvOf(rowsOf(SMALL_ROWS, seed + number * SMALL_ROWS)));
  if (id === undefined) return;
  const answered = performance.now();
  const times = { sending: answered - began };
  const state = await new Promise((end) => {
    const timer = setTimeout(() => end('is not there in time'), PATIENCE_MS);
    const over = (how) => {
      clearTimeout(timer);
      end(how);
    };
    socket.subscribe(String(number), PROGRESS, { id }, ({ type, payload }) => {
      const job = payload?.data?.jobProgress;
      const now = performance.now() - answered;
      if (type !== 'next') over(`is told no more: ${type} ${payload?.[0]?.message ?? ''}`);
      else if (payload.errors || job?.id !== id) over(`has a wrong event: ${JSON.stringify(payload).slice(0, 200)}`);
      else {
        times.first ??= now;
        if (job.status !== 'QUEUED') times.begun ??= now;
        if (isWaiting.includes(job.status)) return;
        times.end = now;
        const isRight = job.status === 'COMPLETED' && job.rowsImported === SMALL_ROWS && job.rowsRejected === 0;
        over(isRight ? '' : `ended as ${job.status}, with ${job.rowsImported} of ${SMALL_ROWS} rows`);
      }
    });
  });
  if (state !== '') problems.push(`${filename} ${state}`);
  seen.push(times);
}

async function largeOnes() {
  let count = 0;
  for (const person of people.slice(0, holders)) {
    const jobs = await person.list('jobs', 'status');
    count += jobs.filter(({ status }) => isWaiting.includes(status)).length;
  }
  return count;
}

const row = ([what, name]) => {
  const sample = sorted(seen.map((times) => times[name]).filter((time) => time !== undefined));
  const at = (q) => (sample.length > 0 ? quantile(sample, q).toFixed(1) : '-');
  return [what, sample.length, at(0.5), at(0.99), at(1)];
};
const inSeconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
console.log(`the large ones were sent in ${inSeconds(queuing)}; the small ones took ${inSeconds(took)}`);
console.log(`large ones under way: ${waitingBefore} before the first small one, ${waitingAfter} after the last\n`);
printTable(
  ['small imports, in ms', 'count', 'p50', 'p99', 'worst'],
  [
    ['the upload', 'sending'],
    ['from its answer to the first event', 'first'],
    ['to the first event of a job that has begun', 'begun'],
    ['to its end', 'end'],
  ].map(row),
);
printTroubles([server]);

if (large > 0 && waitingAfter === 0) problems.push('no large one was under way at the end: pass more --large or --rows');
// That it waits is told at once; what counts is that it goes on.
const p99 = quantile(sorted(seen.map(({ begun }) => begun ?? Infinity)), 0.99) ?? Infinity;
if (p99 > within) problems.push(`p99 of the first event of a job that has begun is ${p99.toFixed(0)} ms; the limit is ${within}`);
finish(problems);
