// Each limit lets its figure pass and refuses one more, quickly; what is meant to exhaust the server is refused too.
// See ../README.md.
import http from 'node:http';
import net from 'node:net';
import { memory, printTable, quantile, readArguments, sorted } from './lib.mjs';

const USAGE = 'node limits.mjs http://127.0.0.1:PORT [--pid PID]';
const { url, pid } = readArguments(USAGE, {});

const MIB = 1_048_576;
const TIMES = 7;
const REFUSED_WITHIN_US = 5_000;
// What has this many bytes takes most of its time to arrive; what is no more than wrong has to be looked at.
const BIG = 100_000;
const OTHERS_WITHIN_US = 100_000;
// What may be answered as well as refused, as long as that is not much work.
const ANSWERED_WITHIN_US = 500_000;
const GIVE_UP_MS = 20_000;
// A body of more is not read to its end by every server, and then its sender may find the connection cut before it finds
// the answer: refused as well, if without a word.
const CUT_BYTES = 4 * MIB;
// Over the peak before the attacks.
const MEMORY_MIB = 64;

const STRICT = { accept: 'application/graphql-response+json', 'content-type': 'application/json' };

// One connection, so that one request follows the other.
const kept = new http.Agent({ keepAlive: true, maxSockets: 1 });
// A new one for each: a server that answers before it has read all closes the connection then.
const fresh = new http.Agent();
// It may have answered and gone while a body is still being sent: that is no error of this script's.
for (const agent of [kept, fresh]) agent.createConnection = (options) => net.connect(options).on('error', () => {});

// Sends a body. Of an answer its status, the first error's code, whether anything was executed, and what it took.
function send(body, headers = STRICT, agent = kept) {
  const bytes = Buffer.from(body);
  return new Promise((resolve) => {
    const began = performance.now();
    const end = (answer) => resolve({ micros: (performance.now() - began) * 1_000, sent: bytes.length, ...answer });
    const request = http.request(new URL('/graphql', url), {
      method: 'POST',
      agent,
      headers: { ...headers, 'content-length': bytes.length },
      timeout: GIVE_UP_MS,
    });
    request.on('response', (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => end(read(response.statusCode, Buffer.concat(pieces))));
      response.on('error', (error) => end({ status: response.statusCode, code: error.code, size: 0 }));
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'NO ANSWER' })));
    request.on('error', (error) => end({ status: 0, code: error.code, size: 0 }));
    request.end(bytes);
  });
}

function read(status, body) {
  const answer = { status, size: body.length };
  try {
    const { errors: [error] = [], data } = JSON.parse(body);
    return { ...answer, code: error?.extensions?.errorCode, message: error?.message, executed: data !== undefined };
  } catch {
    return answer;
  }
}

const ask = (query, variables) => JSON.stringify({ query, variables });
const times = (count, make) => Array.from({ length: count }, (_, index) => make(index)).join(' ');
const nested = (count) => '['.repeat(count) + ']'.repeat(count);
// Spaces around JSON are no part of it.
const padded = (text, length) => text + ' '.repeat(length - text.length);

// A query so many levels deep, of which the last is a leaf.
function deep(levels) {
  const steps = ['set', 'cards(first: 0)', 'nodes'];
  const below = times(levels - 2, (level) => `{ ${steps[level % 3]}`);
  return `{ card(by: {name: "none"}) ${below} { __typename } ${'}'.repeat(levels - 1)}`;
}

// All around the names are 10.
const tokens = (count) => `{ cardSet(code: "x") { ${'name '.repeat(count - 10)} } }`;

// 1 connection, and of each of 99 cards itself, its set, a connection and 98 cards: 1 + 99 × (1 + 1 + 1 + 98).
const cost = (more, fields = 'id', fragment = '') =>
  `{ cards(first: 99) { nodes { set { cards(first: 98) { nodes { ${fields} } } } } } ${more} } ${fragment}`;

const BOUNDARY = 'border';
const MULTIPART = {
  ...STRICT,
  'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
  'graphql-require-preflight': '1',
};

// `operations`, `map`, and files of one byte.
function multipart(parts) {
  const files = Array.from({ length: parts - 2 }, (_, index) => [String(index), 'x']);
  const map = JSON.stringify(Object.fromEntries(files.map(([name]) => [name, ['variables.file']])));
  const part = ([name, content]) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
  const all = [['operations', ask('{ __typename }', { file: null })], ['map', map], ...files];
  return `${all.map(part).join('')}--${BOUNDARY}--\r\n`;
}

const isServed = async (body, headers) => ![413, 415].includes((await send(body, headers)).status);
const batch = (count) => `[${Array(count).fill(ask('{ __typename }')).join(',')}]`;
// Both are a matter of settings or versions; where they are not served, all of them are refused.
const servesBatches = await isServed(batch(1));
const servesMultipart = await isServed(multipart(2), MULTIPART);

const answered = ({ status, code }) => status === 200 && code === undefined;
const refused = (status, code) => (answer) => answer.status === status && answer.code === code && !answer.executed;
const isRefused = ({ status, executed }) => status >= 400 && status < 500 && !executed;
const tooComplex = refused(400, 'ERR-4003');
const tooLarge = refused(413, 'ERR-4006');
const invalid = refused(400, 'ERR-3002');

const LIMITS = [
  { what: 'depth', figures: [15, 16], make: (n) => ask(deep(n)) },
  { what: 'cost', figures: [10_000, 10_001], make: (n) => ask(cost(n > 10_000 ? '__typename' : '')) },
  {
    what: 'aliases',
    figures: [30, 31],
    make: (n) => ask(`{ cards(first: 1) { ${times(n, (i) => `a${i}: __typename`)} } }`),
  },
  { what: 'root fields', figures: [20, 21], make: (n) => ask(`{ ${'__typename '.repeat(n)} }`) },
  { what: 'tokens', figures: [5_000, 5_001], make: (n) => ask(tokens(n)) },
  {
    what: 'directives on a field',
    figures: [10, 11],
    make: (n) => ask(`{ __typename ${'@include(if: true) '.repeat(n)} }`),
    // There are no ten different ones, and no directive may be given twice: not valid, but not too complex either.
    passes: invalid,
    note: '10 are over no limit, but not valid',
  },
  { what: 'fields', figures: [10_000, 10_001], make: (n) => ask(written(n)) },
  {
    what: 'operations of a document',
    figures: [50, 51],
    make: (n) => JSON.stringify({ query: times(n, (i) => `query q${i}{__typename}`), operationName: 'q7' }),
  },
  { what: 'page size', figures: [100, 101], make: (n) => ask(`{ cards(first: ${n}) { totalCount } }`), refuses: invalid },
  {
    what: 'page size in a variable',
    figures: [100, 101],
    make: (n) => ask('query ($n: Int) { cards(first: $n) { totalCount } }', { n }),
    refuses: invalid,
  },
  { what: 'ids', figures: [100, 101], make: (n) => ask(`{ nodes(ids: [${'"x" '.repeat(n)}]) { id } }`), refuses: invalid },
  {
    what: 'items of a list in an input',
    figures: [100, 101],
    make: (n) => ask('query ($x: [String!]) { cards(filter: {setCodes: $x}) { totalCount } }', { x: Array(n).fill('x') }),
    refuses: invalid,
  },
  { what: 'bytes of a document', figures: [65_536, 65_537], make: (n) => ask(`{ __typename }#${'x'.repeat(n - 15)}`) },
  { what: 'bytes of a body', figures: [MIB, MIB + 1], make: (n) => padded(ask('{ __typename }'), n), refuses: tooLarge },
  {
    what: 'depth of variables',
    figures: [32, 33],
    make: (n) => `{"query": "{ __typename }", "variables": {"x": ${nested(n)}}}`,
    refuses: invalid,
  },
  {
    what: 'items of a list in variables',
    figures: [10_000, 10_001],
    make: (n) => ask('{ __typename }', { x: Array(n).fill(1) }),
    refuses: invalid,
  },
  servesBatches
    ? { what: 'operations in a batch', figures: [10, 11], make: batch, refuses: tooLarge }
    : {
        what: 'operations in a batch',
        figures: ['-', 1],
        make: (n) => (n === 1 ? batch(1) : ask('{ __typename }')),
        refuses: tooLarge,
        note: 'batches are not on: any is refused',
      },
  servesMultipart
    ? {
        what: 'parts of a multipart body',
        figures: [3, 4],
        make: multipart,
        headers: MULTIPART,
        passes: refused(401, 'ERR-2001'),
        refuses: invalid,
        note: 'files are taken from who is signed in: 3 pass the limit alone',
      }
    : {
        what: 'parts of a multipart body',
        figures: [3, 4],
        make: multipart,
        headers: MULTIPART,
        passes: refused(415, 'ERR-3002'),
        refuses: refused(415, 'ERR-3002'),
        note: 'not served: any is refused',
      },
];

// So many fields with the fragments written out: `cards`, then its connection's type again and again.
function written(count) {
  const leaves = count - 1;
  const hundreds = Math.floor(leaves / 100);
  return `{ cards(first: 1) { ${'...A '.repeat(hundreds)} ${'__typename '.repeat(leaves % 100)} } }
    fragment A on CardConnection { ${'__typename '.repeat(100)} }`;
}

const problems = [];
const rows = [];
for (const { what, figures, make, headers, passes = answered, refuses = tooComplex, note = '' } of LIMITS) {
  const [most, more] = figures.map((figure) => make(figure));
  const answers = { most: [], more: [] };
  for (let round = 0; round < TIMES; round += 1) {
    answers.most.push(await send(most, headers));
    answers.more.push(await send(more, headers));
  }
  const median = (which) => quantile(sorted(answers[which].map(({ micros }) => micros)), 0.5);
  const passed = answers.most.filter(passes).length;
  const [last] = answers.more.slice(-1);
  const isBig = last.sent > BIG;
  const within = isBig ? OTHERS_WITHIN_US : REFUSED_WITHIN_US;
  rows.push([
    what, figures.join(' / '), passed === TIMES ? 'yes' : `${passed} of ${TIMES}`,
    last.status || '-', last.code ?? '-', last.size,
    median('most').toFixed(0), median('more').toFixed(0), Math.max(...answers.more.map(({ micros }) => micros)).toFixed(0),
    [note, isBig ? 'sending it takes the time' : ''].filter(Boolean).join('; '),
  ]);
  const describe = ({ status, code, message, executed }) =>
    `${status} ${code ?? ''} ${message ?? ''}${executed ? ' (with data: it was executed)' : ''}`;
  for (const answer of answers.most.filter((answer) => !passes(answer)).slice(0, 1)) {
    problems.push(`${what}: ${figures[0]} must pass: ${describe(answer)}`);
  }
  for (const answer of answers.more.filter((answer) => !refuses(answer)).slice(0, 1)) {
    problems.push(`${what}: ${figures[1]} must be refused: ${describe(answer)}`);
  }
  const took = median('more');
  if (took > within) problems.push(`${what}: refused after ${took.toFixed(0)} µs; the limit is ${within}`);
}
printTable(['limit', 'N / N+1', 'N passes', 'N+1', 'code', 'bytes', 'N µs', 'N+1 µs', 'its worst', ''], rows);

// --- attacks

// Doubles thirty times.
const bomb = `{...F0}${times(30, (i) => `fragment F${i} on Query{...F${i + 1} ...F${i + 1}}`)}fragment F30 on Query{__typename}`;
// 200 × 200 × 250.
const wide = `{ cards { ${'...A '.repeat(200)} } } fragment A on CardConnection { nodes { ${'...B '.repeat(200)} } }
  fragment B on Card { ${'name '.repeat(250)} }`;

const ATTACKS = [
  ['a fragment bomb of 2^30 leaves', ask(bomb)],
  ['fragments of 10^7 fields', ask(wide)],
  ['100,000 aliases of __typename', ask(`{ ${times(100_000, (i) => `a${i}: __typename`)} }`)],
  // What fits in a body of them.
  ['50,000 aliases of __typename', ask(`{ ${times(50_000, (i) => `a${i}:__typename`)} }`)],
  ['50,000 unknown fields', ask(`{ ${times(50_000, (i) => `u${i}`)} }`)],
  ['4,900 unknown fields', ask(`{ cards { ${times(4_900, (i) => `u${i}`)} } }`)],
  ['100,000 open braces', ask('{a'.repeat(100_000))],
  ['variables of 500,000 brackets', `{"query": "{ __typename }", "variables": {"x": ${nested(250_000)}}}`],
  ['a query of 50 MB', ask(`{ __typename }#${'x'.repeat(50_000_000)}`)],
  ['a list of a million integers', ask('{ __typename }', { x: Array(1_000_000).fill(1) })],
  // In a body that is not too large.
  ['a list of 500,000 integers', ask('{ __typename }', { x: Array(500_000).fill(1) })],
  ['50,000 parts of one byte', multipart(50_000), { headers: MULTIPART }],
  // No more objects than the cost allows, no more fields than a document may have: but each object has all of these fields,
  // which is much work for a server that does not see that they are one.
  ...[
    ['9,702 cards of 1,000 times a field', 'name '],
    ['the same in fragments of its own', '... on Card { name } '],
    ['the same with directives', 'name @include(if: true) '],
  ].map(([what, field]) => [
    what,
    ask(cost('', '...A '.repeat(10), `fragment A on Card { ${field.repeat(100)} }`)),
    { mayBeAnswered: true },
  ]),
];

const before = memory(pid);
const attacked = [];
for (const [what, body, { headers, mayBeAnswered = false } = {}] of ATTACKS) {
  const answers = [];
  const peak = memory(pid);
  // What works is not done again and again.
  while (answers.length < TIMES && !answers.some(({ micros }) => micros > 1_000_000)) {
    answers.push(await send(body, headers, fresh));
  }
  const median = quantile(sorted(answers.map(({ micros }) => micros)), 0.5);
  const unanswered = answers.filter(({ status }) => status === 0);
  const [first] = answers.filter(({ status }) => status !== 0).concat(unanswered);
  attacked.push([
    what, first.sent, first.status || '-', first.code ?? '-', first.size, (median / 1_000).toFixed(2),
    unanswered.length === 0 ? '' : `${unanswered.length} of ${answers.length}: ${unanswered[0].code}`,
    pid ? peak.toFixed(0) : '-', pid ? memory(pid).toFixed(0) : '-',
  ]);
  const isCut = ({ status, code, sent }) => status === 0 && ['EPIPE', 'ECONNRESET'].includes(code) && sent > CUT_BYTES;
  const passed = answers.find((answer) => !isRefused(answer) && !isCut(answer));
  let within = first.sent > BIG || first.code === 'ERR-3002' ? OTHERS_WITHIN_US : REFUSED_WITHIN_US;
  if (passed && mayBeAnswered && answered(passed)) within = ANSWERED_WITHIN_US;
  else if (passed) problems.push(`${what}: must be refused: ${passed.status || 'no answer'} ${passed.code ?? ''}`);
  if (median > within) problems.push(`${what}: answered after ${median.toFixed(0)} µs; the limit is ${within}`);
}
console.log('');
printTable(['attack', 'bytes sent', 'status', 'code', 'bytes', 'ms', 'no answer', 'peak MiB before', 'after'], attacked);
if (memory(pid) - before > MEMORY_MIB) {
  problems.push(`the peak of memory grew by ${(memory(pid) - before).toFixed(0)} MiB; the limit is ${MEMORY_MIB}`);
}

kept.destroy();
for (const problem of problems) console.log(`not ok: ${problem}`);
console.log(`${LIMITS.length} limits, ${ATTACKS.length} attacks, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;
