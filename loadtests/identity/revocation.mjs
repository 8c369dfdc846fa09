// How soon what one server takes back is refused by another. See ../README.md.
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import net from 'node:net';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { printTable, quantile, sorted } from '../front-door/lib.mjs';
import {
  Server, atTheEnd, eachOf, finish, freePort, makeDatabase, makeMarket, printTroubles,
} from '../faults/lib.mjs';
import { Socket } from '../faults/socket.mjs';
import { PASSWORD, addressOf, ask, described, load, login, register } from './lib.mjs';

const USAGE =
  'node revocation.mjs BINARY POSTGRES_URL REDIS_URL [--tries 1000] [--users 20] [--sockets 10] [--within 100]';

const LOOPBACK = ['127.0.0.1', 'localhost'];
// Tokens that are younger than what Redis holds by so much are believed without a look into the database.
const COME_OF_AGE_MS = 6_000;
// A token that is still accepted then is never refused.
const GIVE_UP_MS = 30_000;
const LOGOUT = 'mutation { logout { success userErrors { errorCode } } }';
const REVOKE_ALL = 'mutation { revokeAllSessions(input: {keepCurrent: false}) { revokedCount userErrors { errorCode } } }';
const WHO = '{ viewer { email } }';
const HITS = 'subscription { wantListHits { id } }';

const { binary, database, redis, tries, users, sockets, within } = readArguments();

function readArguments() {
  try {
    const numbers = { tries: '1000', users: '20', sockets: '10', within: '100' };
    const options = Object.entries(numbers).map(([name, value]) => [name, { type: 'string', default: value }]);
    const { values, positionals } = parseArgs({ options: Object.fromEntries(options), allowPositionals: true });
    if (positionals.length !== 3) throw new Error('Three arguments are needed.');
    const [binary, database, redis] = positionals;
    accessSync(binary, constants.X_OK);
    const urls = { database: new URL(database), redis: new URL(redis) };
    // A database is made and dropped there, and keys are written: only this machine's own will do.
    if (!/^postgres(ql)?:$/.test(urls.database.protocol) || !LOOPBACK.includes(urls.database.hostname)) {
      throw new Error('POSTGRES_URL must be postgres://USER@127.0.0.1:PORT/DATABASE.');
    }
    if (urls.redis.protocol !== 'redis:' || !LOOPBACK.includes(urls.redis.hostname) || urls.redis.password) {
      throw new Error('REDIS_URL must be redis://127.0.0.1:PORT/NUMBER, without a password.');
    }
    for (const [name, value] of Object.entries(values)) {
      if (!/^\d{1,6}$/.test(value)) throw new Error(`--${name} must be a whole number.`);
      values[name] = Number(value);
    }
    return { binary: resolve(binary), ...urls, ...values };
  } catch (error) {
    console.error(`${error.message}\nusage: ${USAGE}`);
    process.exit(2);
  }
}

// --- Redis as the second server sees it

// What a client sends that listens from then on.
const LISTENS = /(?:^|\n)\*\d+\r\n\$\d+\r\n[PS]?SUBSCRIBE\r\n/i;
// And what says to it that it does.
const CONFIRMED = /\$\d+\r\n[ps]?subscribe\r\n\$\d+\r\n[^\r]*\r\n:\d+\r\n/;

// Hands everything on, until the published messages are lost: who listens hears nothing, on a connection that stays open.
class Proxy {
  isDeaf = false;
  listening = 0;
  lostBytes = 0;
  #server;

  async open({ hostname, port }) {
    this.#server = net.createServer((client) => this.#join(client, net.connect(Number(port || 6379), hostname)));
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    return this.#server.address().port;
  }

  #join(client, redis) {
    let isListening = false;
    let confirmation = '';
    for (const [from, to] of [[client, redis], [redis, client]]) {
      from.setNoDelay();
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
    client.on('data', (piece) => {
      if (!isListening && LISTENS.test(piece.toString('latin1'))) {
        isListening = true;
        this.listening += 1;
        client.on('close', () => (this.listening -= 1));
      }
      redis.write(piece);
    });
    redis.on('data', (piece) => {
      const isConfirmed = CONFIRMED.test(confirmation);
      if (isListening && !isConfirmed) confirmation += piece.toString('latin1');
      // It is heard that it listens, and nothing else.
      if (!(this.isDeaf && isListening && isConfirmed)) client.write(piece);
      else this.lostBytes += piece.length;
    });
  }
}

// Keys that begin so; done at the end, where nothing may wait, by a process of its own.
function forget(redis, prefix) {
  const script = `
    const words = (...list) => '*' + list.length + '\\r\\n' + list.map((word) => '$' + word.length + '\\r\\n' + word + '\\r\\n').join('');
    const [host, port, number, pattern] = process.argv.slice(1);
    const socket = require('node:net').connect(Number(port), host);
    socket.on('error', () => process.exit(1));
    const all = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end";
    socket.write(words('SELECT', number) + words('EVAL', all, '0', pattern) + words('QUIT'));
    socket.resume();`;
  const at = [redis.hostname, redis.port || '6379', redis.pathname.slice(1) || '0', `${prefix}*`];
  const { status } = spawnSync(process.execPath, ['-e', script, ...at], { timeout: 10_000 });
  if (status !== 0) throw new Error(`the keys ${prefix}* are left in Redis`);
}

// --- the servers

const prefix = `dualcaster-revocation-${process.pid}:`;
atTheEnd(() => forget(redis, prefix));
const env = makeMarket(binary, makeDatabase(database), { sets: 1, cards: 10, days: 1 });
env.DUALCASTER_REDIS_PREFIX = prefix;
const proxy = new Proxy();
const behind = new URL(redis);
behind.hostname = '127.0.0.1';
behind.port = await proxy.open(redis);
const one = new Server(binary, { ...env, REDIS_URL: redis.href }, await freePort());
const two = new Server(binary, { ...env, REDIS_URL: behind.href }, await freePort());
await Promise.all([one.start().ready, two.start().ready]);
console.log(
  `${tries} tries with ${users} users, then ${tries} without published messages; ` +
    `${availableParallelism()} cores, load ${load()} before`,
);

const problems = [];
const people = Array.from({ length: users }, (_, number) => ({
  email: `person-${number}@revocation.invalid`,
  address: addressOf(number),
}));
await eachOf(people, 2, ({ email, address }) => register(one.url, email, address));

async function signIn({ email, address }) {
  const answer = await login(one.url, email, PASSWORD, address);
  if (!answer.field?.accessToken) throw new Error(`nobody can sign in: ${described(answer)}`);
  return answer.field.accessToken;
}

const isHers = ({ status, code, field }, { email }) => status === 200 && code === undefined && field?.email === email;
const isRefused = ({ status, code }) => status === 401 && code === 'ERR-2003';

// The notes begin with the first who is looked up.
await ask(two.url, WHO, { token: await signIn(people[0]), address: people[0].address });
await sleep(COME_OF_AGE_MS);

// From the answer that says that it was taken back: to the answer that refuses it, and to the last that still takes it.
const phases = [];
for (const isDeaf of [false, true]) {
  proxy.isDeaf = isDeaf;
  const lostBefore = proxy.lostBytes;
  const phase = { isDeaf, refused: [], asks: [], accepted: [] };
  for (let number = 0; number < tries; number += 1) await tryOnce(phase, people[number % users], number % 2 === 1);
  phase.closed = await closeSockets();
  phase.lost = proxy.lostBytes - lostBefore;
  phases.push(phase);
}

async function tryOnce(phase, person, all) {
  const { address } = person;
  const token = await signIn(person);
  const mine = await ask(two.url, WHO, { token, address });
  if (!isHers(mine, person)) {
    problems.push(`a new token was not accepted by the other server: ${described(mine)}`);
    return;
  }
  phase.asks.push(mine.ms);
  const revoked = await ask(one.url, all ? REVOKE_ALL : LOGOUT, { token, address });
  const answered = performance.now();
  if (revoked.status !== 200 || revoked.code || !(revoked.field?.success || revoked.field?.revokedCount > 0)) {
    problems.push(`nothing was taken back: ${described(revoked)}`);
    return;
  }
  let last;
  let accepted = 0;
  for (;;) {
    const answer = await ask(two.url, WHO, { token, address });
    const after = performance.now() - answered;
    if (isRefused(answer)) {
      phase.refused.push(after);
      break;
    }
    if (!isHers(answer, person)) problems.push(`neither accepted nor refused: ${described(answer)}`);
    accepted += 1;
    last = after;
    if (after > GIVE_UP_MS) {
      problems.push('a token that was taken back is accepted for ever');
      break;
    }
  }
  if (accepted > 0) phase.accepted.push({ accepted, last });
}

// What published messages are for: sockets of sessions that are ended elsewhere. The milliseconds until each was closed.
async function closeSockets() {
  const ms = [];
  await Promise.all(
    Array.from({ length: sockets }, async (_, number) => {
      const person = people[number % users];
      const token = await signIn(person);
      const socket = new Socket();
      await socket.open(two.url, token);
      const closed = new Promise((done) => socket.subscribe('1', HITS, {}, ({ type }) => type === 'closed' && done(true)));
      const revoked = await ask(one.url, LOGOUT, { token, address: person.address });
      const answered = performance.now();
      if (revoked.status !== 200) problems.push(`nothing was taken back: ${described(revoked)}`);
      const isClosed = await Promise.race([closed, sleep(GIVE_UP_MS, false, { ref: false })]);
      if (isClosed) ms.push(performance.now() - answered);
      else problems.push(`a socket was open ${GIVE_UP_MS / 1_000} s after its session had ended`);
      socket.close();
    }),
  );
  return sorted(ms);
}

const listening = proxy.listening;
await Promise.all([one.stop(), two.stop()]);
problems.push(...one.ends, ...two.ends);

const at = (sample, q) => (sample.length > 0 ? quantile(sample, q).toFixed(1) : '-');
console.log('');
printTable(
  ['published messages', 'tries', 'median ms', 'p99', 'worst', 'accepted after', 'for ms', 'an ask before'],
  phases.map(({ isDeaf, refused, asks, accepted }) => {
    const all = sorted(refused);
    const longest = Math.max(0, ...accepted.map(({ last }) => last));
    const times = accepted.reduce((sum, { accepted }) => sum + accepted, 0);
    return [
      isDeaf ? 'lost' : 'heard', all.length, at(all, 0.5), at(all, 0.99), at(all, 1), times,
      accepted.length > 0 ? longest.toFixed(1) : '-', at(sorted(asks), 0.5),
    ];
  }),
);
console.log('');
printTable(
  ['sockets of ended sessions', 'closed', 'median ms', 'worst', 'bytes that were lost'],
  phases.map(({ isDeaf, closed, lost }) => [isDeaf ? 'lost' : 'heard', closed.length, at(closed, 0.5), at(closed, 1), lost]),
);
console.log(`${listening} connections listened through the proxy; load ${load()} after`);
printTroubles([one, two]);

for (const { isDeaf, refused, accepted, lost } of phases) {
  const which = isDeaf ? 'without published messages' : 'with published messages';
  const worst = Math.max(0, ...refused);
  if (worst > within) problems.push(`${which} the worst took ${worst.toFixed(1)} ms; the limit is ${within}`);
  if (accepted.length > 0) problems.push(`${which} ${accepted.length} tokens were accepted after they were taken back`);
  if (refused.length === 0 && tries > 0) problems.push(`${which} nothing was refused`);
  if (isDeaf && lost === 0) problems.push('no message was lost: the proxy has cut nothing');
}
if (listening === 0) problems.push('no connection listened through the proxy');
finish(problems);
