// The database is away for a while during reads, mutations and imports: what is refused says so, nothing acknowledged is
// lost, and all goes on when it is back. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable, quantile, randomNumbers, sorted } from '../front-door/lib.mjs';
import { Ledger, printTally } from './ledger.mjs';
import {
  Cluster, Server, finish, freePort, makeMarket, makePeople, parsed, printTroubles, readCommand, send,
} from './lib.mjs';

const USAGE =
  'node away.mjs BINARY [--seconds 10] [--before 10] [--after 20] [--rate 50] [--imports 60] [--users 20] [--seed 1]';

const MARKET = { sets: 6, cards: 300, days: 3 };
const WARM_UP_MS = 2_000;
// Of what comes.
const READS_PERCENT = 30;
const SEARCH = 'query($search: String!) { cards(search: $search, first: 20) { nodes { id name price { price } } } }';
const PROBE_EVERY_MS = 100;
// A probe that takes longer has failed.
const PROBE_MS = 2_500;
// The server's own deadline is 10 s.
const ANSWERED_WITHIN_MS = 10_500;
const NOT_READY_WITHIN_MS = 3_000;
const BACK_WITHIN_MS = 5_000;
const BACK_SHARE = 0.95;
// What waits until the database is back is good in the end, but nobody would call it served.
const PROMPT_MS = 1_000;
const WINDOW_MS = 1_000;
const STEP_MS = 100;
// After the return: claims of requests are let go after two minutes, orphans after thirty seconds.
const PATIENCE_MS = 300_000;

const { binary, seed, seconds, before, after, rate, imports, users } = readCommand(USAGE, {
  numbers: { seconds: 10, before: 10, after: 20, rate: 50, imports: 60, users: 20 },
  takesDatabase: false,
});

console.log(
  `seed ${seed}, a Postgres of its own, away for ${seconds} s: ${rate} requests a second for ` +
    `${before + seconds + after} s, ${imports} imports, of ${users} users`,
);
const cluster = new Cluster();
const env = makeMarket(binary, await cluster.make(), MARKET);
const server = new Server(binary, env, await freePort());
await server.start().ready;
const random = randomNumbers(seed);
const { people, cards } = await makePeople(server.url, users);
const ledger = new Ledger(people, cards, random);

// Of each request that came: when, of which kind, what its first answer was and when. Who asks again is not in it.
const arrivals = [];
const waiting = [];

function arrive(kind) {
  const arrival = { kind, at: performance.now(), isGood: false, answer: undefined };
  arrivals.push(arrival);
  const answered = (answer, isGood) => {
    arrival.answer = answer;
    arrival.isGood = isGood && answer.ms <= ANSWERED_WITHIN_MS;
  };
  if (kind === 'read') {
    waiting.push(search().then((answer) => answered(answer, answer.isGood)));
    return;
  }
  const onTry = (answer, tries) => {
    if (tries === 1) answered(answer, answer.outcome === 'acknowledged');
  };
  waiting.push(ledger.untilAnswered(ledger.plan(kind), { onTry }));
}

async function search() {
  const person = people[Math.floor(random() * people.length)];
  const card = cards[Math.floor(random() * cards.length)];
  const answer = await person.post(SEARCH, { search: card.name.split(' ')[0].replaceAll(/\W/g, '') });
  const { data, errors, errorCode } = parsed(answer.text);
  const isGood = answer.status === 200 && data !== undefined && errors === undefined;
  const code = errors?.[0]?.extensions?.errorCode ?? errorCode;
  return { ...answer, isGood, code, retryAfter: answer.headers['retry-after'] };
}

let isOver = false;

// So many a second, whatever became of those before.
async function comeAndGo(everyMs, kindOf, total = Infinity) {
  const began = performance.now();
  for (let number = 0; number < total && !isOver; number += 1) {
    await sleep(began + number * everyMs - performance.now());
    arrive(kindOf());
  }
}

// When a probe was answered by something else than 200, and by 200.
function probe(path) {
  const seen = [];
  const look = async () => {
    while (!isOver) {
      const at = performance.now();
      send(server.url, { path, agent: false, giveUpMs: PROBE_MS }).then(({ status }) => {
        seen.push({ at, end: performance.now(), status });
      });
      await sleep(PROBE_EVERY_MS);
    }
  };
  return { seen, done: look() };
}

const live = probe('/live');
const ready = probe('/ready');
const all = (before + seconds + after) * 1_000 + WARM_UP_MS;
const load = [
  comeAndGo(1_000 / rate, () => (random() * 100 < READS_PERCENT ? 'read' : 'add')),
  comeAndGo(all / imports, () => 'import', imports),
];
await sleep(WARM_UP_MS);
const warm = performance.now();
await sleep(before * 1_000);
const stopping = performance.now();
await cluster.stop();
const stopped = performance.now();
await sleep(Math.max(0, stopping + seconds * 1_000 - stopped));
const starting = performance.now();
await cluster.start();
const returned = performance.now();
await sleep(after * 1_000);
const end = performance.now();
isOver = true;
ledger.deadline = Date.now() + PATIENCE_MS;
await Promise.all([...load, ...waiting, live.done, ready.done]);
const answered = performance.now();
await ledger.untilJobsEnd();
const ended = performance.now();
const found = await ledger.check();
await server.stop();

const problems = [...server.ends];
const inSeconds = (ms) => `${(ms / 1_000).toFixed(1)} s`;
console.log(
  `the database stopped within ${inSeconds(stopped - stopping)}, and took connections again ` +
    `${inSeconds(returned - starting)} after its start, ${inSeconds(returned - stopping)} after it was stopped`,
);
reportGoodput();
reportAnswers();
reportProbes();
const since = (moment) => inSeconds(moment - returned);
console.log(`all was answered ${since(answered)} after the return, and all jobs had ended after ${since(ended)}\n`);
ledger.printAnswers();
console.log('');
printTally(found);
printTroubles([server]);
finish([...problems, ...ledger.problems]);

// Imports have limits of their own a user, and are not in it.
function goodput(from, to) {
  const those = arrivals.filter(({ kind, at }) => kind !== 'import' && at >= from && at < to);
  const times = sorted(those.filter(({ isGood }) => isGood).map(({ answer }) => answer.ms));
  const prompt = times.filter((ms) => ms <= PROMPT_MS).length;
  const took = (to - from) / 1_000;
  const rates = { offered: those.length / took, good: times.length / took, prompt: prompt / took };
  return { ...rates, share: prompt / those.length, times };
}

function reportGoodput() {
  const phases = [['before', warm, stopping], ['away', stopping, returned], ['after', returned, end]];
  const rows = phases.map(([name, from, to]) => {
    const { offered, good, prompt, share, times } = goodput(from, to);
    const at = (q) => (times.length > 0 ? quantile(times, q).toFixed(0) : '-');
    const rates = [offered, good, prompt].map((figure) => figure.toFixed(1));
    return [name, ...rates, `${(share * 100).toFixed(1)} %`, at(0.5), at(0.99), at(1)];
  });
  console.log('');
  printTable(
    ['requests, by when they came', 'a second', 'good', 'good in 1 s', 'of all', 'p50 ms', 'p99 ms', 'worst ms'],
    rows,
  );
  const aim = goodput(warm, stopping).share * BACK_SHARE;
  let at = returned;
  while (at + WINDOW_MS <= end && goodput(at, at + WINDOW_MS).share < aim) at += STEP_MS;
  const isBack = at + WINDOW_MS <= end;
  const after = at - returned;
  const when = isBack ? `${inSeconds(after)} after the return` : 'never';
  console.log(`\n95 % of what was good within 1 s before were back: ${when}`);
  if (!isBack || after > BACK_WITHIN_MS) {
    problems.push(`95 % of the goodput were not back within ${inSeconds(BACK_WITHIN_MS)} of the return`);
  }
}

// The first answers to those that were not good.
function reportAnswers() {
  const kinds = new Map();
  for (const { kind, answer, isGood } of arrivals) {
    if (isGood) continue;
    const { status, code, failure, retryAfter, ms } = answer;
    const what = [kind, status || '-', failure ?? code ?? '-', retryAfter ?? '-'].join('|');
    kinds.set(what, [...(kinds.get(what) ?? []), ms]);
  }
  const rows = [...kinds].sort().map(([what, times]) => {
    const sample = sorted(times);
    return [...what.split('|'), sample.length, quantile(sample, 0.5).toFixed(0), quantile(sample, 1).toFixed(0)];
  });
  console.log('');
  printTable(['first tries not good', 'status', 'reason', 'Retry-After', 'times', 'p50 ms', 'worst ms'], rows);
  for (const [kind, status, reason, retryAfter, times] of rows) {
    // Mutations and imports that are answered badly are the ledger's to tell; those that are cut are not bad for it.
    const isTold = kind !== 'read' && status !== '-';
    if (!isTold && !(status === '503' && retryAfter !== '-')) {
      problems.push(`${times} × ${kind}: ${status} ${reason}, Retry-After ${retryAfter}`);
    }
  }
  const slowest = Math.max(...arrivals.map(({ answer }) => answer.ms));
  console.log(`\nthe slowest of all ${arrivals.length} first answers came after ${inSeconds(slowest)}\n`);
  if (slowest > ANSWERED_WITHIN_MS) problems.push(`an answer took ${inSeconds(slowest)}: longer than the deadline`);
}

function reportProbes() {
  const dead = live.seen.filter(({ status }) => status !== 200);
  if (dead.length > 0) problems.push(`liveness failed ${dead.length} times: ${dead[0].status}`);
  const refused = ready.seen.find(({ end, status }) => end >= stopping && status !== 200);
  const again = ready.seen.find(({ at, status }) => at >= returned && status === 200);
  const notAfter = refused ? refused.end - stopping : Infinity;
  const isAgain = again ? `${inSeconds(again.end - returned)} after the return` : 'never again';
  const isNot = refused ? `not ready ${inSeconds(notAfter)} after the stop` : 'never told that it was not ready';
  console.log(`live: ${live.seen.length - dead.length} of ${live.seen.length} probes; ${isNot}; ready ${isAgain}`);
  if (notAfter > NOT_READY_WITHIN_MS) problems.push('readiness was not false within 3 s of the stop');
  if (!again) problems.push('readiness did not come back');
}
