// What was sent, what was answered, and whether what is there is exactly that.
//
// Each operation adds 4^n copies of some cards, with an n of its own for each card of each user. So a card's quantity,
// written to the base of four, says of every operation how often it was done: 0 to 3 times.
import { setTimeout as sleep } from 'node:timers/promises';
import { printTable } from '../front-door/lib.mjs';
import { csvOf, parsed } from './lib.mjs';

const ADD = `mutation($items: [InventoryItemInput!]!) {
  addInventoryItems(input: { items: $items }) { items { id quantity } userErrors { errorCode message } }
}`;
const ITEM = 'quantity condition finish card { id }';
const JOB = `id status createdAt startedAt finishedAt error { errorCode message }
  ... on CollectionImport { rowsImported rowsRejected file { filename } }`;

// 4^8 copies are too many: 100,000 is the limit of an item.
const DIGITS = 8;
// Cards of a user that are in use at a time: few, so that operations meet on them.
const ACTIVE = 30;
const ADD_CARDS = [1, 4];
const IMPORT_CARDS = [3, 12];
// Of those whose connection breaks, so many in a hundred do not ask again.
const GIVEN_UP_PERCENT = 10;
// What is answered badly so often is not asked again.
const MOST_WRONG = 20;
// A server that is not there is there again soon.
const UNREACHED_MS = 20;
const LONGEST_WAIT_MS = 10_000;

// What was answered means that it is done.
export const ONCE = ['acknowledged', 'executed'];
export const AT_MOST_ONCE = ['given up', 'never answered'];

export class Ledger {
  operations = [];
  // Of each kind and answer, how often.
  answers = new Map();
  // What is not as it should be.
  problems = [];
  // Answers that should not be, and how often.
  #wrong = new Map();
  #slots;
  #cards = new Map();
  // When who asks in vain stops.
  deadline = Infinity;

  constructor(people, cards, random) {
    this.people = people;
    this.random = random;
    for (const card of cards) this.#cards.set(card.id, card);
    this.#slots = new Map(
      people.map((person) => [
        person,
        { waiting: shuffled(cards, random), active: [], used: new Map() },
      ]),
    );
  }

  #between([least, most]) {
    return least + Math.floor(this.random() * (most - least + 1));
  }

  // Some cards of a user's, each with the digit that is this operation's.
  #draw(person, count) {
    const { waiting, active, used } = this.#slots.get(person);
    while (active.length < ACTIVE && waiting.length > 0) active.push(waiting.pop());
    if (active.length < count) throw new Error('too few cards for so many operations: pass more --users');
    const drawn = shuffled(active, this.random).slice(0, count);
    return drawn.map((card) => {
      const digit = used.get(card.id) ?? 0;
      used.set(card.id, digit + 1);
      if (digit + 1 === DIGITS) active.splice(active.indexOf(card), 1);
      return { card, digit, quantity: 4 ** digit };
    });
  }

  // An operation to be: `add` or `import`.
  plan(kind) {
    const number = this.operations.length;
    const person = this.people[number % this.people.length];
    const operation = {
      kind,
      number,
      person,
      key: `faults-${number}`,
      rows: this.#draw(person, this.#between(kind === 'add' ? ADD_CARDS : IMPORT_CARDS)),
      filename: `import-${number}.csv`,
      givesUp: this.random() * 100 < GIVEN_UP_PERCENT,
      state: 'not sent',
      job: undefined,
    };
    this.operations.push(operation);
    return operation;
  }

  // One try: what it means, and what is to be done.
  async #try({ kind, person, key, rows, filename }) {
    const headers = { 'idempotency-key': key };
    const items = rows.map(({ card, quantity }) => ({ cardId: card.id, quantity }));
    const answer =
      kind === 'add'
        ? await person.post(ADD, { items }, headers)
        : await person.upload(filename, csvOf(rows), headers);
    const { data, errors, ...plain } = parsed(answer.text);
    const payload = Object.values(data ?? {})[0];
    const error = errors?.[0];
    // What no part of GraphQL answers has no `errors`.
    const code = error?.extensions?.errorCode ?? payload?.userErrors?.[0]?.errorCode ?? plain.errorCode;
    const retryAfter = answer.headers['retry-after'];
    const seen = { ...answer, code, retryAfter, job: payload?.collectionImport?.id };
    const means = (outcome) => ({ ...seen, outcome });
    if (answer.status === 0) return means(answer.failure === 'ECONNREFUSED' ? 'unreached' : 'cut');
    if (answer.status === 200 && payload && !error && payload.userErrors.length === 0) return means('acknowledged');
    if (answer.status === 401) return means('unknown caller');
    if (answer.status === 409 && retryAfter !== undefined) return means('under way');
    if (answer.status === 409 && /answer is lost/.test(error?.message)) return means('executed');
    if ([429, 503].includes(answer.status) && retryAfter !== undefined) return means('refused');
    const message = error?.message ?? payload?.userErrors?.[0]?.message ?? plain.message ?? answer.text.slice(0, 100);
    return { ...means('wrong'), message };
  }

  // Sends an operation until there is an answer to it. `onTry` is told of each try; `onWait` when it takes longer.
  async untilAnswered(operation, { onTry = () => {}, onWait = () => {} } = {}) {
    operation.state = 'never answered';
    let wait = 500;
    let wrong = 0;
    for (let tries = 1; ; tries += 1) {
      const answer = await this.#try(operation);
      this.#count(operation, answer);
      onTry(answer, tries);
      switch (answer.outcome) {
        case 'acknowledged':
        case 'executed':
          operation.state = answer.outcome;
          operation.job = answer.job;
          return;
        case 'cut':
          if (operation.givesUp) {
            operation.state = 'given up';
            return;
          }
          await sleep(UNREACHED_MS);
          break;
        case 'unreached':
          await sleep(UNREACHED_MS);
          break;
        case 'unknown caller':
          await operation.person.signIn();
          break;
        default: {
          wrong += answer.outcome === 'wrong' ? 1 : 0;
          if (wrong === MOST_WRONG) return;
          onWait();
          wait = Math.min(wait * 2, LONGEST_WAIT_MS);
          const least = 1_000 * Number(answer.retryAfter ?? 0);
          await sleep(least + this.random() * wait);
        }
      }
      if (Date.now() > this.deadline) return;
    }
  }

  #count({ kind }, { outcome, status, code, failure, retryAfter, message }) {
    if (outcome === 'wrong') {
      const what = `${kind}: ${status} ${code ?? ''} ${message}`;
      this.#wrong.set(what, (this.#wrong.get(what) ?? 0) + 1);
    }
    const reason = outcome === 'acknowledged' ? '' : (failure ?? code ?? '');
    const after = outcome !== 'acknowledged' && retryAfter !== undefined ? 'yes' : '-';
    const answer = [kind, outcome, status || '-', reason, after].join('|');
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }

  printAnswers() {
    const rows = [...this.answers].sort().map(([answer, times]) => [...answer.split('|'), times]);
    printTable(['tries', 'meaning', 'status', 'reason', 'Retry-After', 'times'], rows);
  }

  // Until no job of anybody's is under way; or, in vain, until the deadline.
  async untilJobsEnd() {
    for (const person of this.people) {
      for (;;) {
        const jobs = await person.list('jobs', 'status');
        if (!jobs.some(({ status }) => ['QUEUED', 'RUNNING'].includes(status))) break;
        if (Date.now() > this.deadline) return;
        await sleep(250);
      }
    }
  }

  // Compares what was acknowledged with what is there.
  async check() {
    for (const [what, times] of this.#wrong) this.problems.push(`${times} × ${what}`.trim());
    const found = { jobs: 0, acknowledged: 0, there: 0, longestJob: 0 };
    const tally = { add: new Map(), import: new Map() };
    const count = (kind, what) => tally[kind].set(what, (tally[kind].get(what) ?? 0) + 1);
    for (const person of this.people) {
      const operations = this.operations.filter((operation) => operation.person === person);
      const held = await this.#held(person, operations);
      const jobs = new Map();
      for (const job of await person.list('jobs', JOB)) {
        const { filename } = job.file;
        jobs.set(filename, [...(jobs.get(filename) ?? []), job]);
        found.jobs += 1;
        const took = (Date.parse(job.finishedAt) - Date.parse(job.createdAt)) / 1_000;
        found.longestJob = Math.max(found.longestJob, took || 0);
      }
      for (const operation of operations) {
        const times = operation.rows.map(({ card, digit }) => Math.floor((held.get(card.id) ?? 0) / 4 ** digit) % 4);
        const there = times.every((time) => time === times[0]) ? times[0] : NaN;
        const its = jobs.get(operation.filename) ?? [];
        jobs.delete(operation.filename);
        const verdict = this.#judge(operation, there, its);
        count(operation.kind, `${operation.state}, ${there === 0 ? 'not there' : there === 1 ? 'there' : 'wrong'}`);
        if (verdict) {
          const named = `${operation.kind} ${operation.number} of ${person.email} (${operation.state})`;
          this.problems.push(`${named}: ${verdict}; done to its cards so many times: ${times.join(' ')}`);
        }
        const copies = operation.rows.reduce((sum, { quantity }) => sum + quantity, 0);
        if (ONCE.includes(operation.state)) found.acknowledged += copies;
        else if (AT_MOST_ONCE.includes(operation.state) && there === 1) found.acknowledged += copies;
      }
      for (const filename of jobs.keys()) this.problems.push(`a job of ${person.email} is of no upload: ${filename}`);
      for (const quantity of held.values()) found.there += quantity;
    }
    if (found.acknowledged !== found.there) {
      this.problems.push(`${found.there} copies are there, and ${found.acknowledged} should be`);
    }
    return { ...found, tally };
  }

  // How many copies of each card there are. Whatever no operation brings is a problem.
  async #held(person, operations) {
    const held = new Map();
    for (const { quantity, condition, finish, card } of await person.list('inventory', ITEM)) {
      if (condition !== 'NEAR_MINT' || finish !== 'NONFOIL' || held.has(card.id)) {
        this.problems.push(`${person.email} has an item that nobody added: ${quantity} ${condition} ${finish} ${card.id}`);
      }
      held.set(card.id, (held.get(card.id) ?? 0) + quantity);
    }
    const used = new Map();
    for (const { card, digit } of operations.flatMap(({ rows }) => rows)) {
      used.set(card.id, Math.max(used.get(card.id) ?? 0, digit + 1));
    }
    for (const [id, quantity] of held) {
      if (quantity >= 4 ** (used.get(id) ?? 0)) {
        this.problems.push(`${person.email} has ${quantity} of ${id}: more than ever was sent`);
      }
    }
    return held;
  }

  // What is wrong with an operation that is there so many times, with these jobs; nothing where nothing is.
  #judge({ kind, state, rows, job }, there, jobs) {
    if (Number.isNaN(there)) return 'it is there in part';
    if (there > 1) return 'it was done more than once';
    if (state === 'not sent' && there > 0) return 'it is there without having been sent';
    if (ONCE.includes(state) && there === 0) return `it is lost${kind === 'import' ? `: ${described(jobs)}` : ''}`;
    if (kind === 'add') return undefined;
    if (jobs.length > 1) return `it has ${jobs.length} jobs`;
    if (jobs.length === 0) return there === 1 || ONCE.includes(state) ? 'it has no job' : undefined;
    const [{ id, status, rowsImported, rowsRejected }] = jobs;
    if (job !== undefined && job !== id) return 'its job is another one';
    if (status !== 'COMPLETED') return `its job has not completed: ${described(jobs)}`;
    if (rowsImported !== rows.length || rowsRejected !== 0) {
      return `its job imported ${rowsImported} of ${rows.length} rows, and rejected ${rowsRejected}`;
    }
    return there === 1 ? undefined : 'its job is completed, and its cards are not there';
  }
}

function described(jobs) {
  return jobs.map(({ status, error }) => `${status} ${error?.errorCode ?? ''} ${error?.message ?? ''}`.trim()).join(', ');
}

export function printTally({ tally, jobs, acknowledged, there, longestJob }) {
  const rows = [];
  for (const [kind, counts] of Object.entries(tally)) {
    for (const [what, times] of [...counts].sort()) rows.push([`${kind}: ${what}`, times]);
  }
  printTable(['operations', 'times'], rows);
  console.log(`\ncopies that should be there: ${acknowledged}; that are there: ${there}`);
  console.log(`jobs: ${jobs}; the longest from its upload to its end: ${longestJob.toFixed(1)} s`);
}

function shuffled(list, random) {
  const all = [...list];
  for (let at = all.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1));
    [all[at], all[other]] = [all[other], all[at]];
  }
  return all;
}
