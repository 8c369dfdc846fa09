// Large files: how long each kind of import takes, and how much memory the server takes for it. See ../README.md.
import { setTimeout as sleep } from 'node:timers/promises';
import { memory, printTable } from '../front-door/lib.mjs';
import {
  Server, csvOf, finish, freePort, makeDatabase, makeMarket, makePeople, parsed, printTroubles, readCommand,
} from '../faults/lib.mjs';

const USAGE = 'node sizes.mjs BINARY [DATABASE_URL] [--rows 100000] [--cards 20000] [--bytes 52000000] [--most 64]';

const MARKET = { sets: 40, days: 2 };
const CONDITIONS = ['Near Mint', 'Lightly Played', 'Moderately Played', 'Heavily Played', 'Damaged'];
// Characters of notes of a row, and of each of the many cells that mean nothing.
const NOTES = 1_900;
const FILLER = 60_000;
const FILLERS = 90;
const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 1_800_000;
const JOB = `query($id: ID!) {
  node(id: $id) { ... on CollectionImport { status startedAt finishedAt undone rowsImported rowsRejected error { message } } }
}`;
const UNDO = 'mutation($id: ID!) { undoImport(input: { id: $id }) { userErrors { errorCode message } } }';

const { binary, database, rows, cards: size, bytes, most } = readCommand(USAGE, {
  numbers: { rows: 100_000, cards: 20_000, bytes: 52_000_000, most: 64 },
});

const env = makeMarket(binary, makeDatabase(database), { ...MARKET, cards: size });
const server = new Server(binary, env, await freePort());
await server.start().ready;
const { people, cards } = await makePeople(server.url, 3);
const problems = [];

// Different cards first, then the same in other conditions.
const rowsOf = (count) =>
  Array.from({ length: count }, (_, row) => ({
    card: cards[row % cards.length],
    quantity: 1 + (row % 4),
    condition: CONDITIONS[Math.floor(row / cards.length) % CONDITIONS.length],
  }));

// The same file with cells behind each row.
const widened = (count, headings, cells) => {
  const [first, ...lines] = csvOf(rowsOf(count)).trimEnd().split('\n');
  return `${[`${first},${headings}`, ...lines.map((line) => `${line},${cells}`)].join('\n')}\n`;
};
const fillers = Array.from({ length: FILLERS }, (_, n) => `filler ${n}`).join(',');
const filled = Array.from({ length: FILLERS }, () => 'x'.repeat(FILLER)).join(',');
const FILES = [
  [`${rows} rows`, rows, () => csvOf(rowsOf(rows))],
  ['long notes', Math.floor(bytes / (NOTES + 80)), (count) => widened(count, 'Notes', 'n'.repeat(NOTES))],
  ['wide rows', Math.floor(bytes / (FILLER * FILLERS + 200)), (count) => widened(count, fillers, filled)],
];

const pid = server.pid;
// What the server holds itself: pages of the database that it maps are the system's.
const held = () => memory(pid, 'RssAnon');
let peak = 0;
await sleep(2_000);
const base = held();
const table = [];

function note(file, what, count, seconds) {
  const over = peak - base;
  table.push([file, what, count, seconds.toFixed(1), Math.round(count / seconds), over.toFixed(0)]);
  if (over > most) problems.push(`${file}, ${what}: ${over.toFixed(0)} MiB over the base; the limit is ${most}`);
}

async function looked(person, id, isOver) {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const { node } = await person.ask(JOB, { id });
    peak = Math.max(peak, held());
    if (isOver(node)) return node;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error('an import is not over in time');
}

async function imported(person, file, what, mode, count, content) {
  peak = 0;
  const answer = await person.upload('cards.csv', content, {}, mode);
  const id = parsed(answer.text).data?.importCollection?.collectionImport?.id;
  if (!id) {
    problems.push(`${file}, ${what}: not taken: ${answer.status} ${answer.failure ?? answer.text.slice(0, 300)}`);
    return undefined;
  }
  const job = await looked(person, id, ({ finishedAt }) => finishedAt);
  note(file, what, count, (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1_000);
  if (job.status !== 'COMPLETED' || job.rowsImported !== count) {
    problems.push(`${file}, ${what}: ${job.status}, ${job.rowsImported} of ${count} rows: ${job.error?.message ?? ''}`);
  }
  return id;
}

for (const [number, [file, count, make]] of FILES.entries()) {
  const person = people[number];
  const content = make(count);
  await imported(person, file, 'MERGE into nothing', 'MERGE', count, content);
  await imported(person, file, 'MERGE into the same', 'MERGE', count, content);
  const id = await imported(person, file, 'REPLACE', 'REPLACE', count, content);
  if (!id) continue;
  peak = 0;
  const began = performance.now();
  await person.post(UNDO, { id });
  await looked(person, id, ({ undone }) => undone);
  note(file, 'undone', count, (performance.now() - began) / 1_000);
}

await server.stop();
problems.push(...server.ends);
console.log(`${database ? 'Postgres' : 'SQLite'}: ${cards.length} cards; the server's base is ${base.toFixed(0)} MiB\n`);
printTable(['file', 'what', 'rows', 'seconds', 'rows/s', 'peak MiB over base'], table);
printTroubles([server]);
finish(problems);
