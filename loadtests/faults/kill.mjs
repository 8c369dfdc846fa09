// Servers are killed at any moment during imports and mutations: nothing acknowledged is lost, nothing is done twice.
// See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable, randomNumbers, sorted } from '../front-door/lib.mjs';
import { Ledger, printTally } from './ledger.mjs';
import {
  Server, finish, freePort, inShort, makeDatabase, makeMarket, makePeople, orphansOf, printTroubles, readCommand,
} from './lib.mjs';

const USAGE =
  'node kill.mjs BINARY [DATABASE_URL] [--kills 100] [--gap 700] [--imports 200] [--mutations 2000] [--users 20] ' +
  '[--seed 1] [--two-servers]';

const MARKET = { sets: 6, cards: 300, days: 3 };
// The shortest time to a kill.
const SHORTEST_MS = 3;
// So many in a hundred are counted from a server's start, and so mostly hit it before it is ready; the others from when it
// is ready.
const EARLY_PERCENT = 25;
const WRITERS = 8;
const SENDERS = 3;
const PACE_MS = 5;
// After the last kill: claims of requests are let go after two minutes, orphans after thirty seconds.
const PATIENCE_MS = 300_000;
const READY_WITHIN_MS = 2_000;
const RESUMED_WITHIN_SECONDS = 45;

const { binary, database, seed, kills, gap, imports, mutations, users, 'two-servers': hasTwo } = readCommand(USAGE, {
  numbers: { kills: 100, gap: 700, imports: 200, mutations: 2_000, users: 20 },
  flags: ['two-servers'],
});
if (hasTwo && !database) {
  console.error(`SQLite is one server's: pass a DATABASE_URL.\nusage: ${USAGE}`);
  process.exit(2);
}

console.log(
  `seed ${seed}, ${database ? 'Postgres' : 'SQLite'}: ${kills} kills of ${hasTwo ? 'two servers in turn' : 'one server'}, ` +
    `${imports} imports and ${mutations} mutations of ${users} users`,
);
const env = makeMarket(binary, makeDatabase(database), MARKET);
const servers = [new Server(binary, hasTwo ? { ...env, DUALCASTER_JOB_WORKERS: '0' } : env, await freePort())];
// What the first has made in its folder, the second finds there.
await servers[0].start().ready;
if (hasTwo) {
  servers.push(new Server(binary, env, await freePort()));
  await servers[1].start().ready;
}

const random = randomNumbers(seed);
const moments = Array.from({ length: kills }, () => ({
  wait: SHORTEST_MS + random() * Math.max(0, gap - SHORTEST_MS),
  isEarly: random() * 100 < EARLY_PERCENT,
}));
const { people, cards } = await makePeople(servers[0].url, users);
const ledger = new Ledger(people, cards, random);

// As many operations may have begun as kills have been: so all of them are hit, not the first ones.
let killed = 0;
const begun = { add: 0, import: 0 };
const waiting = [];
async function turns(kind, total) {
  while (begun[kind] < total) {
    if (begun[kind] >= Math.ceil((total * (killed + 1)) / kills)) {
      await sleep(PACE_MS);
      continue;
    }
    begun[kind] += 1;
    const operation = ledger.plan(kind);
    // Who has to wait long does not keep the next.
    await new Promise((goOn) => {
      waiting.push(ledger.untilAnswered(operation, { onWait: goOn }).then(goOn));
    });
  }
}
const turn = (count, kind, total) => Array.from({ length: count }, () => turns(kind, total));
const load = [...turn(WRITERS, 'add', mutations), ...turn(SENDERS, 'import', imports)];

for (const { wait, isEarly } of moments) {
  const server = servers[killed % servers.length];
  if (!isEarly) await server.runs.at(-1).ready;
  await sleep(wait);
  await server.kill();
  server.start();
  killed += 1;
}
const during = { ...begun };
ledger.deadline = Date.now() + PATIENCE_MS;
const last = performance.now();
await Promise.all(servers.map((server) => server.runs.at(-1).ready));
await Promise.all(load);
await Promise.all(waiting);
const answered = performance.now();
await ledger.untilJobsEnd();
const ended = performance.now();
const found = await ledger.check();
await Promise.all(servers.map((server) => server.stop()));

const problems = [...servers.flatMap((server) => server.ends), ...ledger.problems];
console.log(`begun before the last kill: ${during.add} mutations, ${during.import} imports`);
const after = (moment) => `${((moment - last) / 1_000).toFixed(1)} s`;
console.log(`after the last kill, all was answered in ${after(answered)}, and all jobs had ended in ${after(ended)}\n`);
ledger.printAnswers();
console.log('');
printTally(found);

const runs = servers.flatMap((server) => server.runs.slice(1));
const ready = sorted(runs.map(({ readyAfter }) => readyAfter).filter((after) => after !== undefined));
const orphans = orphansOf(servers);
console.log('');
printTable(
  ['', 'count', 'p50', 'worst'],
  [
    ['from restart to ready, in ms', ...inShort(ready, 0)],
    ['orphans, from the kill to the next attempt, in s', ...inShort(orphans.waits, 1)],
  ],
);
console.log(`\nkilled before they were ready: ${runs.length - ready.length} of ${runs.length}`);
console.log(`attempts of one job: ${orphans.attempts} at most; attempts that are in no log: ${orphans.unseen}`);
printTroubles(servers);

// Without a kill nobody was started again.
const slow = ready.at(-1) ?? (runs.length > 0 ? Infinity : 0);
if (slow > READY_WITHIN_MS) {
  problems.push(`a server was ready after ${slow.toFixed(0)} ms; the limit is ${READY_WITHIN_MS}`);
}
const longest = orphans.waits.at(-1) ?? 0;
if (longest > RESUMED_WITHIN_SECONDS) {
  problems.push(`an orphan waited for ${longest.toFixed(1)} s; the limit is ${RESUMED_WITHIN_SECONDS}`);
}
finish(problems);
