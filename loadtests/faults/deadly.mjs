// A job that ends its process each time that it is begun: it is given up after five attempts, and the others go on. See
// ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable, sorted } from '../front-door/lib.mjs';
import {
  Server, csvOf, finish, freePort, inShort, makeDatabase, makeMarket, makePeople, parsed, printTroubles, readCommand,
} from './lib.mjs';

const USAGE = 'node deadly.mjs BINARY [DATABASE_URL] [--rows 20000] [--every 2000] [--cards 2000] [--seed 1]';

const MARKET = { sets: 20, days: 2 };
const MOST_ATTEMPTS = 5;
const SMALL_ROWS = 10;
// A user may send ten files a minute.
const SENDERS = 6;
const LOOK_EVERY_MS = 10;
const PATIENCE_MS = 900_000;
const JOB = `query($id: ID!) {
  node(id: $id) { ... on CollectionImport { status finishedAt rowsImported error { errorCode message } } }
}`;

const { binary, database, seed, rows, every, ...market } = readCommand(USAGE, {
  numbers: { rows: 20_000, every: 2_000, cards: 2_000 },
});

const env = makeMarket(binary, makeDatabase(database), { ...MARKET, cards: market.cards });
const server = new Server(binary, env, await freePort());
await server.start().ready;
const { people: [unlucky, ...others], cards } = await makePeople(server.url, 1 + SENDERS);
const problems = [];
const rowsOf = (count, from) =>
  Array.from({ length: count }, (_, row) => ({ card: cards[(from + row) % cards.length], quantity: 1 }));

// The job of a file, once a server takes it. The key keeps one that was taken from being taken again.
async function sent(person, filename, content) {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const answer = await person.upload(filename, content, { 'idempotency-key': filename });
    const { data, errors } = parsed(answer.text);
    const id = data?.importCollection?.collectionImport?.id;
    if (id) return id;
    if (answer.status === 401) await person.signIn();
    else if (answer.status === 200) throw new Error(`${filename}: ${JSON.stringify(errors ?? data).slice(0, 300)}`);
    else if (/answer is lost/.test(errors?.[0]?.message)) {
      // It was taken, and the server was killed before it could say so.
      const jobs = await person.list('jobs', 'id ... on CollectionImport { file { filename } }');
      const its = jobs.find(({ file }) => file.filename === filename);
      if (!its) throw new Error(`${filename} is said to be taken, and is not there`);
      return its.id;
    }
    await sleep(100 + 1_000 * Number(answer.headers['retry-after'] ?? 0));
  }
  throw new Error(`${filename} is not taken in time`);
}

const deadly = await sent(unlucky, 'deadly.csv', csvOf(rowsOf(rows, 0)));
// As the log names it: an id is base64url of a type and a UUID.
const job = Buffer.from(deadly, 'base64url').toString().split(':')[1];
const attempts = () => server.begun.filter(({ id }) => id === job).length;
const sentAt = Date.now();
let isOver = false;

// Ends the process whenever the job is begun, as often as that is.
const killing = (async () => {
  let seen = 0;
  while (!isOver) {
    if (attempts() > seen) {
      seen = attempts();
      await server.kill();
      await server.start().ready;
    }
    await sleep(LOOK_EVERY_MS);
  }
})();

// Of each small import: the seconds until it was taken, and from then to its end.
const taking = [];
const waits = [];
const small = (async () => {
  for (let number = 0; !isOver; number += 1) {
    const person = others[number % others.length];
    const began = performance.now();
    const id = await sent(person, `small-${number}.csv`, csvOf(rowsOf(SMALL_ROWS, seed + number * SMALL_ROWS)));
    const taken = performance.now();
    taking.push((taken - began) / 1_000);
    const { node } = await ended(person, id);
    waits.push((performance.now() - taken) / 1_000);
    if (node.status !== 'COMPLETED' || node.rowsImported !== SMALL_ROWS) {
      problems.push(`small-${number}.csv: ${node.status}, ${node.rowsImported} of ${SMALL_ROWS} rows`);
    }
    await sleep(every);
  }
})();

async function ended(person, id) {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const answer = await person.ask(JOB, { id });
    if (answer.node.finishedAt) return answer;
    await sleep(100);
  }
  throw new Error('a job has not ended in time');
}

const { node } = await ended(unlucky, deadly);
const took = (Date.parse(node.finishedAt) - sentAt) / 1_000;
isOver = true;
await Promise.all([killing, small]);
const items = await unlucky.list('inventory', 'id');
await server.stop();
problems.push(...server.ends);

console.log(`${database ? 'Postgres' : 'SQLite'}: a job of ${rows} rows whose process is killed as soon as it has begun\n`);
const inSeconds = (sample) => {
  const [, median, worst] = inShort(sorted(sample), 1);
  return `${median}, ${worst}`;
};
printTable(
  ['what', 'figure'],
  [
    ['attempts', attempts()],
    ['seconds until it was given up', took.toFixed(1)],
    ['how it ended', `${node.status} ${node.error?.errorCode ?? ''}`.trim()],
    ['small imports meanwhile', waits.length],
    ['seconds until one was taken, median and worst', inSeconds(taking)],
    ['seconds from then to its end, median and worst', inSeconds(waits)],
  ],
);
printTroubles([server]);
if (attempts() !== MOST_ATTEMPTS) problems.push(`it was begun ${attempts()} times, and should have been ${MOST_ATTEMPTS} times`);
if (node.status !== 'FAILED') problems.push(`it ended as ${node.status}`);
if (items.length > 0) problems.push(`${items.length} of its items are there`);
if (waits.length === 0) problems.push('no small import came to its end');
finish(problems);
