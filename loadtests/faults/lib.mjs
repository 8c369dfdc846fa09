// What the scripts here share: servers and stores that they start and end themselves, and those who ask the servers.
import { execFile, spawn, spawnSync } from 'node:child_process';
import {
  accessSync, chmodSync, chownSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync,
} from 'node:fs';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { printTable, quantile, sorted } from '../front-door/lib.mjs';

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];
const READY_PATIENCE_MS = 60_000;
const LOOK_EVERY_MS = 5;
// Above the server's own deadline, so that what is not answered by then is not answered.
export const GIVE_UP_MS = 20_000;
// What a stopping server has to hand its jobs back.
const STOP_PATIENCE_MS = 30_000;

// --- how a script is called

// Options are whole numbers, with their defaults, or flags. The seed is one of them.
export function readCommand(usage, { numbers, flags = [], takesDatabase = true }) {
  try {
    const options = { seed: { type: 'string', default: '1' } };
    for (const [name, value] of Object.entries(numbers)) options[name] = { type: 'string', default: String(value) };
    for (const name of flags) options[name] = { type: 'boolean', default: false };
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [binary, database, ...more] = positionals;
    if (!binary || more.length > 0 || (database && !takesDatabase)) throw new Error('Wrong arguments.');
    accessSync(binary, constants.X_OK);
    // Databases are made and dropped there: only this machine's own will do.
    const url = database === undefined ? undefined : new URL(database);
    if (url && !(/^postgres(ql)?:$/.test(url.protocol) && LOOPBACK.includes(url.hostname))) {
      throw new Error('DATABASE_URL must be postgres://USER@127.0.0.1:PORT/DATABASE.');
    }
    const read = ([name, value]) => {
      if (typeof value === 'boolean') return [name, value];
      if (!/^\d{1,9}$/.test(value)) throw new Error(`--${name} must be a whole number.`);
      return [name, Number(value)];
    };
    return { binary: resolve(binary), database: url, ...Object.fromEntries(Object.entries(values).map(read)) };
  } catch (error) {
    console.error(`${error.message}\nusage: ${usage}`);
    process.exit(2);
  }
}

// --- nothing is left behind

const undone = [];

process.on('exit', () => {
  // What came last stands on what came first.
  for (const undo of undone.reverse()) {
    try {
      undo();
    } catch (error) {
      console.error(`something is left behind: ${error.message}`);
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// Done when the script ends, however it does. Nothing in it may wait.
export function atTheEnd(undo) {
  undone.push(undo);
}

function makeFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `dualcaster-${name}-`));
  // What was killed just now may still write for a moment.
  atTheEnd(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

function run(program, words, options = {}) {
  const { status, error, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', ...options });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${words[0]} ended with ${status}: ${stderr.trim().slice(-500)}`);
  return stdout;
}

// --- stores

// A small market, in an empty database or in a SQLite of its own; what a server must be told to use it.
export function makeMarket(binary, database, { sets, cards, days }) {
  const env = { ...process.env };
  for (const name of ['DATABASE_URL', 'DATABASE_REPLICA_URL', 'REDIS_URL', 'STORAGE_URL']) delete env[name];
  Object.assign(env, {
    DUALCASTER_DATA_DIR: makeFolder('faults'),
    DUALCASTER_DEMO: 'false',
    // So that everybody has an address of their own.
    DUALCASTER_TRUSTED_PROXIES: '127.0.0.0/8',
    RUST_LOG: 'info',
    NO_COLOR: '1',
  });
  if (database) {
    env.DATABASE_URL = database.href;
    run(binary, ['migrate', 'up'], { env });
  }
  run(binary, ['generate', '--sets', sets, '--cards', cards, '--days', days].map(String), { env });
  return env;
}

// One of its own, where others have theirs; none where SQLite is meant.
export function makeDatabase(server) {
  if (!server) return undefined;
  const psql = postgresProgram('psql');
  const ask = (sql) => run(psql, [server.href, '-XAtqc', sql]);
  const name = `dualcaster_faults_${process.pid}_${Math.random().toString(36).slice(2, 8)}`;
  ask(`create database ${name}`);
  atTheEnd(() => ask(`drop database ${name} with (force)`));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url;
}

function postgresProgram(name) {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, 'bin')), ...process.env.PATH.split(':')];
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
  if (!found) throw new Error(`there is no ${name}: install Postgres`);
  return found;
}

// A Postgres of its own, to be stopped and started again.
export class Cluster {
  #folder = makeFolder('postgres');
  // Postgres does not run as root.
  #as = { cwd: '/' };

  async make() {
    const data = join(this.#folder, 'data');
    mkdirSync(data, { mode: 0o700 });
    if (process.getuid() === 0) {
      const [uid, gid] = ['-u', '-g'].map((which) => Number(run('id', [which, 'postgres'])));
      Object.assign(this.#as, { uid, gid });
      chmodSync(this.#folder, 0o711);
      chownSync(data, uid, gid);
    }
    run(postgresProgram('initdb'), ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-sync'], this.#as);
    this.data = data;
    this.port = await freePort();
    atTheEnd(() => {
      if (!existsSync(join(data, 'postmaster.pid'))) return;
      run(postgresProgram('pg_ctl'), ['stop', ...this.#words('immediate')], this.#as);
    });
    await this.start();
    return new URL(`postgres://postgres@127.0.0.1:${this.port}/postgres?sslmode=disable`);
  }

  #words(mode) {
    return ['-D', this.data, '-s', '-w', '-t', '60', ...(mode ? ['-m', mode] : [])];
  }

  // Until it takes connections.
  async start() {
    const settings = `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
    await this.#control(['start', ...this.#words(), '-l', join(this.data, 'log'), '-o', settings]);
  }

  // As a machine that is switched off: what was not committed is gone.
  async stop() {
    await this.#control(['stop', ...this.#words('immediate')]);
  }

  #control(words) {
    return promisify(execFile)(postgresProgram('pg_ctl'), words, this.#as);
  }
}

// Below the range from which the system takes ports for outgoing connections: nobody else's connection takes it while a
// server is down.
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = net.createServer();
    const isFree = await new Promise((answer) => {
      probe.on('error', () => answer(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => answer(true)));
    });
    if (isFree) return port;
  }
}

// --- servers

const JOB_LINE = /^(\S+)\s+INFO job\{job=(\S+) .*?\battempt=(\d+) .*\}: (a job begins|a job's attempt has ended)/;
const TROUBLE_LINE = /^\S+\s+(WARN|ERROR) (?:\S+\{.*?\}: ?)*([^=]*?)(?= \S+=|$)/;

// One process after the other on one port.
export class Server {
  // Of each process: when it began, was ready, was killed.
  runs = [];
  // What its log says of jobs: which, which attempt, when, in which run.
  begun = [];
  ended = new Set();
  // Warnings and errors of its log, and how often.
  troubles = new Map();
  // Of processes that ended without being told to.
  ends = [];
  #child;

  constructor(binary, env, port) {
    this.binary = binary;
    this.port = port;
    this.url = new URL(`http://127.0.0.1:${port}`);
    this.env = { ...env, DUALCASTER_LISTEN: `127.0.0.1:${port}` };
    atTheEnd(() => this.#child?.kill('SIGKILL'));
  }

  start() {
    const run = { began: performance.now(), readyAfter: undefined, killedAt: undefined, isOver: false };
    const child = spawn(this.binary, ['serve'], { env: this.env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    this.runs.push(run);
    const last = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      last.push(line);
      if (last.length > 3) last.shift();
      this.#hear(line, run);
    });
    run.exit = once(child, 'exit').then(([code, signal]) => {
      if (!run.isOver) this.ends.push(`a server ended by itself, with ${code ?? signal}: ${last.join(' / ')}`);
      run.isOver = true;
      this.#child = undefined;
    });
    run.ready = this.#watch(run);
    return run;
  }

  get pid() {
    return this.#child?.pid;
  }

  // Until it says that it is ready, or is over.
  async #watch(run) {
    while (!run.isOver) {
      const { status } = await send(this.url, { path: '/ready', giveUpMs: 1_000, agent: false });
      const after = performance.now() - run.began;
      if (status === 200 && !run.isOver) {
        run.readyAfter = after;
        return;
      }
      if (after > READY_PATIENCE_MS) return;
      await sleep(LOOK_EVERY_MS);
    }
  }

  #hear(line, run) {
    const job = JOB_LINE.exec(line);
    if (job) {
      const [, at, id, attempt, what] = job;
      if (what === 'a job begins') this.begun.push({ id, attempt: Number(attempt), at: Date.parse(at), run });
      else this.ended.add(`${id} ${attempt}`);
      return;
    }
    const [, level, what] = TROUBLE_LINE.exec(line) ?? [];
    if (!level) return;
    const trouble = `${level} ${what}`;
    this.troubles.set(trouble, (this.troubles.get(trouble) ?? 0) + 1);
  }

  // Without a word.
  async kill() {
    const run = this.runs.at(-1);
    if (run.isOver) return;
    run.isOver = true;
    run.killedAt = Date.now();
    this.#child.kill('SIGKILL');
    await run.exit;
  }

  // As an operator does.
  async stop() {
    const run = this.runs.at(-1);
    if (run.isOver) return;
    run.isOver = true;
    this.#child.kill('SIGTERM');
    await Promise.race([run.exit, sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
    this.#child?.kill('SIGKILL');
    await run.exit;
  }
}

// How long jobs whose server was killed waited for another attempt, as the logs have it; and how many attempts are in no
// log, since the server was killed before it could say so.
export function orphansOf(servers) {
  const ended = new Set(servers.flatMap((server) => [...server.ended]));
  const jobs = new Map();
  for (const begun of servers.flatMap((server) => server.begun)) {
    if (!jobs.has(begun.id)) jobs.set(begun.id, []);
    jobs.get(begun.id).push(begun);
  }
  const waits = [];
  let unseen = 0;
  let attempts = 0;
  for (const list of jobs.values()) {
    list.sort((a, b) => a.attempt - b.attempt);
    attempts = Math.max(attempts, list.at(-1).attempt);
    unseen += list.at(-1).attempt - list.length;
    list.slice(1).forEach(({ attempt, at }, place) => {
      const before = list[place];
      const isNext = before.attempt === attempt - 1;
      if (isNext && before.run.killedAt && !ended.has(`${before.id} ${before.attempt}`)) {
        waits.push((at - before.run.killedAt) / 1_000);
      }
    });
  }
  return { waits: sorted(waits), unseen, attempts };
}

export function printTroubles(servers) {
  const all = new Map();
  for (const [trouble, times] of servers.flatMap((server) => [...server.troubles])) {
    all.set(trouble, (all.get(trouble) ?? 0) + times);
  }
  if (all.size === 0) return;
  const rows = [...all].sort(([, a], [, b]) => b - a).slice(0, 12);
  console.log('');
  printTable(["what the servers' logs warn of", 'times'], rows);
}

// Of a sample, in words of its unit: how many, the median, the worst.
export function inShort(sample, digits) {
  const at = (q) => (sample.length > 0 ? quantile(sample, q).toFixed(digits) : '-');
  return [sample.length, at(0.5), at(1)];
}

// --- those who ask

const kept = new http.Agent({ keepAlive: true });

// An answer's status, headers and text; status 0 and why, where there is none. Never fails.
export function send(base, { path, method = 'GET', headers, body, agent = kept, giveUpMs = GIVE_UP_MS }) {
  return new Promise((resolve) => {
    const began = performance.now();
    const end = (answer) => resolve({ ms: performance.now() - began, headers: {}, text: '', ...answer });
    const failed = (error) => end({ status: 0, failure: error.code ?? error.message });
    const request = http.request(new URL(path, base), { method, agent, headers });
    // Not of silence, but in all.
    const timer = setTimeout(() => request.destroy(Object.assign(new Error(), { code: 'NO ANSWER' })), giveUpMs);
    request.on('close', () => clearTimeout(timer));
    request.on('error', failed);
    request.on('response', (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('error', failed);
      response.on('end', () => {
        end({ status: response.statusCode, headers: response.headers, text: Buffer.concat(pieces).toString() });
      });
    });
    request.end(body);
  });
}

export const PASSWORD = 'seven llamas juggle torches';
export const REGISTER = `mutation($input: RegisterInput!) {
  register(input: $input) { accessToken userErrors { errorCode message } }
}`;
export const LOGIN = `mutation($input: LoginInput!) {
  login(input: $input) { accessToken userErrors { errorCode message } }
}`;
const IMPORT = `mutation($file: Upload!, $mode: ImportMode! = MERGE) {
  importCollection(input: { file: $file, mode: $mode }) { collectionImport { id } userErrors { errorCode message } }
}`;
const TRIES = 50;

// Somebody with an account, at an address of their own.
export class Person {
  token;
  #signing;

  constructor(base, number) {
    this.base = base;
    this.email = `person-${number}@faults.invalid`;
    this.address = `10.1.${number >> 8}.${number & 255}`;
  }

  async register() {
    const input = { email: this.email, password: PASSWORD, displayName: 'Ada' };
    const { register } = await this.ask(REGISTER, { input });
    if (!register.accessToken) throw new Error(`nobody can register: ${JSON.stringify(register.userErrors)}`);
    this.token = register.accessToken;
  }

  // However many find at once that the token is too old.
  async signIn() {
    this.#signing ??= (async () => {
      // Sent along, it would be refused, and this would wait for itself.
      this.token = undefined;
      try {
        const { login } = await this.ask(LOGIN, { input: { email: this.email, password: PASSWORD } });
        this.token = login.accessToken;
      } finally {
        this.#signing = undefined;
      }
    })();
    await this.#signing;
  }

  #send(headers, body) {
    return send(this.base, {
      path: '/graphql',
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json',
        'x-forwarded-for': this.address,
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...headers,
        'content-length': body.length,
      },
      body,
    });
  }

  post(query, variables, headers = {}) {
    const body = Buffer.from(JSON.stringify({ query, variables }));
    return this.#send({ 'content-type': 'application/json', ...headers }, body);
  }

  upload(filename, content, headers = {}, mode = 'MERGE') {
    const edge = 'edge-of-a-part';
    const part = (name, text) => `--${edge}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
    const operations = JSON.stringify({ query: IMPORT, variables: { file: null, mode } });
    const body = Buffer.from(
      part('operations', operations) + part('map', '{"0": ["variables.file"]}') +
        part(`0"; filename="${filename}`, content) + `--${edge}--\r\n`,
    );
    const type = `multipart/form-data; boundary=${edge}`;
    return this.#send({ 'content-type': type, 'graphql-require-preflight': '1', ...headers }, body);
  }

  // The data of an answer, of a server that is there. Only for what may be asked twice.
  async ask(query, variables = {}) {
    let answer;
    for (let tries = 0; tries < TRIES; tries += 1) {
      answer = await this.post(query, variables);
      const { data, errors } = parsed(answer.text);
      if (answer.status === 200 && data && !errors) return data;
      if (answer.status === 401 && this.token) {
        await this.signIn();
      } else {
        await sleep(100 + 1_000 * Number(answer.headers['retry-after'] ?? 0));
      }
    }
    throw new Error(`the server answers ${answer.status} ${answer.failure ?? answer.text.slice(0, 300)}`);
  }

  // All nodes of a list of the viewer's.
  async list(list, fields) {
    const query = `query($after: String) {
      viewer { ${list}(first: 100, after: $after) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }
    }`;
    return pages((after) => this.ask(query, { after }).then(({ viewer }) => viewer[list]));
  }
}

export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

async function pages(ask) {
  const nodes = [];
  for (let after = null; ; ) {
    const page = await ask(after);
    nodes.push(...page.nodes);
    if (!page.pageInfo.hasNextPage) return nodes;
    after = page.pageInfo.endCursor;
  }
}

const CARDS = `query($after: String) {
  cards(unique: PRINTINGS, first: 100, after: $after) {
    nodes { id name collectorNumber language finishes set { code } } pageInfo { hasNextPage endCursor }
  }
}`;

// So many people, and the cards that are added without saying more: those that are there in the ordinary finish.
export async function makePeople(base, count) {
  const people = Array.from({ length: count }, (_, number) => new Person(base, number));
  // Hashing takes a core each, and only so many may wait.
  await eachOf(people, 4, (person) => person.register());
  const cards = await pages((after) => people[0].ask(CARDS, { after }).then((data) => data.cards));
  const isOrdinary = ({ language, finishes }) => language === 'en' && finishes.includes('NONFOIL');
  return { people, cards: cards.filter(isOrdinary) };
}

const HEADINGS = 'Quantity,Name,Set Code,Collector Number,Finish,Condition';

// A file of cards: of each row, which card, how many, and in which condition.
export function csvOf(rows) {
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  const line = ({ card, quantity, condition = 'Near Mint' }) =>
    [quantity, quoted(card.name), card.set.code, card.collectorNumber, 'nonfoil', condition].join(',');
  return `${[HEADINGS, ...rows.map(line)].join('\n')}\n`;
}

// --- in turn

export async function eachOf(items, atOnce, work) {
  let next = 0;
  const turn = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: atOnce }, turn));
}

// Says what is wrong, and ends the script accordingly.
export function finish(problems) {
  console.log('');
  for (const problem of problems.slice(0, 40)) console.log(`not ok: ${problem}`);
  if (problems.length > 40) console.log(`not ok: and ${problems.length - 40} more`);
  console.log(problems.length === 0 ? 'ok' : `${problems.length} problems`);
  process.exit(problems.length === 0 ? 0 : 1);
}
