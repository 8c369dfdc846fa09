// Whether a login tells by its time that there is no such account. See ../README.md.
import { availableParallelism } from 'node:os';
import { printTable, quantile, sorted } from '../front-door/lib.mjs';
import {
  Server, eachOf, finish, freePort, makeDatabase, makeMarket, printTroubles, readCommand,
} from '../faults/lib.mjs';
import { PASSWORD, addressOf, described, load, login, metric, register } from './lib.mjs';

const USAGE = 'node logins.mjs BINARY [DATABASE_URL] [--logins 500] [--users 50] [--apart 10] [--seed 1]';

// Thrown away: the first ones find nothing warm.
const WARM_UP = 20;
// Of each kind, to count their hashes.
const COUNTED = 20;
const WRONG = 'seven llamas juggle candles';
const HASHES = 'dualcaster_password_hashes_total';
// Wrong guesses at one account, from everywhere, before they are refused.
const GUESSES = 20;

const { binary, database, logins, users, apart } = readCommand(USAGE, {
  numbers: { logins: 500, users: 50, apart: 10 },
});
if (users * GUESSES < WARM_UP + logins + COUNTED) {
  console.error(`${users} users can bear ${users * GUESSES} wrong guesses: ask for more --users or fewer --logins`);
  process.exit(2);
}

const env = makeMarket(binary, makeDatabase(database), { sets: 1, cards: 10, days: 1 });
const server = new Server(binary, env, await freePort());
await server.start().ready;
console.log(
  `${logins} logins of each kind, in turn, on ${database ? 'Postgres' : 'SQLite'}; ` +
    `${availableParallelism()} cores, load ${load()} before`,
);

// Every request is from an address of its own, so that no limit by address is reached and nobody is known at theirs.
let addresses = 0;
const elsewhere = () => addressOf((addresses += 1));
const emails = Array.from({ length: users }, (_, number) => `person-${number}@logins.invalid`);
await eachOf(emails, 2, (email) => register(server.url, email, elsewhere()));

const email = (number) => emails[number % users];
const KINDS = [
  { what: 'unknown address', who: (number) => `nobody-${number}@logins.invalid`, password: PASSWORD, code: 'ERR-2004' },
  { what: 'wrong password', who: email, password: WRONG, code: 'ERR-2004' },
  { what: 'right password', who: email, password: PASSWORD, code: undefined },
].map((kind) => ({ ...kind, ms: [], hashes: NaN }));

const problems = [];
async function tryOnce({ what, who, password, code }, number) {
  const answer = await login(server.url, who(number), password, elsewhere());
  if (answer.status !== 200 || answer.code !== code) problems.push(`${what}: ${described(answer)}`);
  return answer.ms;
}

for (let number = 0; number < WARM_UP + logins; number += 1) {
  // Nobody always comes after the same one.
  for (let place = 0; place < KINDS.length; place += 1) {
    const kind = KINDS[(number + place) % KINDS.length];
    const ms = await tryOnce(kind, number);
    if (number >= WARM_UP) kind.ms.push(ms);
  }
}
for (const kind of KINDS) {
  const before = await metric(server.url, HASHES);
  for (let number = 0; number < COUNTED; number += 1) await tryOnce(kind, WARM_UP + logins + number);
  kind.hashes = ((await metric(server.url, HASHES)) - before) / COUNTED;
}
await server.stop();
problems.push(...server.ends);

const median = ({ ms }) => quantile(sorted(ms), 0.5);
const wrong = KINDS.find(({ what }) => what === 'wrong password');
console.log('');
printTable(
  ['login', 'count', 'median ms', 'p5', 'p95', 'to a wrong one', 'hashes each'],
  KINDS.map((kind) => {
    const all = sorted(kind.ms);
    return [
      kind.what, all.length, ...[0.5, 0.05, 0.95].map((q) => quantile(all, q).toFixed(2)),
      (median(kind) / median(wrong)).toFixed(3), Number.isNaN(kind.hashes) ? '-' : kind.hashes,
    ];
  }),
);
if (Number.isNaN(wrong.hashes)) console.log('the server does not tell how many hashes it has computed');
console.log(`load ${load()} after`);
printTroubles([server]);

const [unknown] = KINDS;
const difference = Math.abs(median(unknown) / median(wrong) - 1) * 100;
if (difference > apart) {
  problems.push(`an unknown address and a wrong password are ${difference.toFixed(1)} % apart; the limit is ${apart}`);
}
for (const { what, hashes } of KINDS) {
  if (!Number.isNaN(hashes) && hashes !== 1) problems.push(`${what}: ${hashes} hashes each`);
}
finish(problems);
