// What the HTTP handler must refuse and how, in development mode. The last checks are meant to hurt a server without limits.
import assert from 'node:assert/strict';
import { buildClientSchema, getIntrospectionQuery } from 'graphql';
import { assertNone, check, endpoint, finish } from './lib.mjs';

const STRICT = 'application/graphql-response+json';
const PLAIN = 'application/json';
const REFUSED_WITHIN_MS = 100;
const GIVE_UP_MS = 5_000;
const MIB = 1_048_576;

// Words of Rust, its libraries and SQL that no client may read.
const INTERNALS = [
  /panicked|RUST_BACKTRACE|\bunwrap|\.rs\b|\bsrc\//,
  /async[_-]graphql|\bserde|\bsqlx\b|\bsea[_-]orm|\baxum\b|\bhyper\b|\btokio\b|\brusqlite\b/,
  /\bOption<|\bVec<|\bResult<|\bSome\(|\bErr\(|\bstruct \w|&str\b|\b[ui](?:8|16|32|64)\b|::\w/,
  /\bError\(|\buntagged\b|EOF while parsing|at line \d+ column \d+|--> \d+:\d+/,
  /\bSELECT\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bFROM \w+ WHERE\b|\bSQL|[Ss]qlite|[Pp]ostgres/,
];
const bodies = [];

async function ask(url, options = {}) {
  const began = performance.now();
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(GIVE_UP_MS), ...options });
  const text = await response.text();
  const took = performance.now() - began;
  bodies.push(text);
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json, took };
}

function post(body, headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return ask(endpoint, { method: 'POST', headers: { 'content-type': PLAIN, ...headers }, body: text });
}

function get(parameters, headers = {}) {
  return ask(`${endpoint}?${new URLSearchParams(parameters)}`, { headers });
}

// POSTs a body of exactly these headers: from a Blob without a type fetch makes no content-type of its own.
function postRaw(body, headers) {
  return ask(endpoint, { method: 'POST', headers, body: new Blob([body]) });
}

const run = (query, variables) => post({ query, variables }, { accept: STRICT });

function assertStatus(answer, status) {
  assert.ok(answer.status === status, `expected ${status}, got ${answer.status}: ${answer.text.slice(0, 200)}`);
}

// A request error: `errors`, no `data`, and each error with the catalogue's codes.
function assertErrors(answer, errorCode) {
  assert.ok(Array.isArray(answer.json?.errors) && answer.json.errors.length > 0, `no errors: ${answer.text.slice(0, 200)}`);
  assert.ok(!('data' in answer.json), 'there is a data entry');
  for (const { extensions, message } of answer.json.errors) {
    assert.match(extensions?.code ?? '', /^[A-Z][A-Z_]+$/, `no extensions.code on: ${message.slice(0, 100)}`);
    assert.match(extensions?.errorCode ?? '', /^ERR-\d{4}$/, `no extensions.errorCode on: ${message.slice(0, 100)}`);
    assert.ok(extensions.requestId, 'no extensions.requestId');
    assert.equal(extensions.requestId, answer.headers.get('x-request-id'));
  }
  if (errorCode) assert.equal(answer.json.errors[0].extensions.errorCode, errorCode);
}

function assertFewShortErrors(answer) {
  const { errors } = answer.json;
  assert.ok(errors.length <= 10, `${errors.length} errors`);
  const longest = Math.max(...errors.map(({ message }) => [...message].length));
  assert.ok(longest <= 200, `a message of ${longest} characters`);
}

function assertFast(answer) {
  assert.ok(answer.took < REFUSED_WITHIN_MS, `took ${answer.took.toFixed(0)} ms`);
}

function assertData(answer) {
  assertStatus(answer, 200);
  assertNone(answer.json.errors);
  return answer.json.data;
}

function assertTooComplex(answer, limit, figure) {
  assertStatus(answer, 400);
  assertErrors(answer, 'ERR-4003');
  assert.equal(answer.json.errors[0].extensions.code, 'QUERY_TOO_COMPLEX');
  assertFast(answer);
  if (limit === undefined) return;
  const { message } = answer.json.errors[0];
  const numbers = message.replaceAll(/(?<=\d)[, ](?=\d{3})/g, '').match(/\d+/g) ?? [];
  assert.ok(numbers.includes(String(limit)) && numbers.includes(String(figure)), `not ${limit} and ${figure} in: ${message}`);
}

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(' ');

await run('{__typename}'); // The first request pays for the connection.

// --- methods and media types

for (const accept of [STRICT, PLAIN]) {
  await check(`a mutation over GET is 405 with Allow, under ${accept}`, async () => {
    const answer = await get({ query: 'mutation { __typename }' }, { accept });
    assertStatus(answer, 405);
    assert.match(answer.headers.get('allow') ?? '', /\bPOST\b/);
    assertErrors(answer);
  });
}

await check('another method is 405 with Allow', async () => {
  const answer = await ask(endpoint, { method: 'PUT', headers: { 'content-type': PLAIN }, body: '{"query":"{__typename}"}' });
  assertStatus(answer, 405);
  assert.match(answer.headers.get('allow') ?? '', /\bGET\b.*\bPOST\b|\bPOST\b.*\bGET\b/);
});

const QUERY = '{"query":"{__typename}"}';
for (const [what, type, body] of [
  ['text/plain', 'text/plain', QUERY],
  ['a form', 'application/x-www-form-urlencoded', new URLSearchParams({ query: '{__typename}' }).toString()],
  ['application/graphql', 'application/graphql', '{__typename}'],
  ['no content type', undefined, QUERY],
]) {
  await check(`a POST of ${what} is 415`, async () => {
    const answer = await postRaw(body, type ? { 'content-type': type } : {});
    assertStatus(answer, 415);
    assertErrors(answer);
  });
}

await check('JSON with charset=utf-8 is taken', async () => {
  assertData(await post(QUERY, { 'content-type': 'application/json; charset=utf-8' }));
});

await check('multipart without a header that forces a preflight is refused', async () => {
  const form = new FormData();
  form.append('operations', QUERY);
  form.append('map', '{}');
  const answer = await ask(endpoint, { method: 'POST', body: form });
  assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
  assertErrors(answer);
});

for (const accept of ['text/html', 'image/png', 'application/xml;q=0.9', 'application/json;q=0']) {
  await check(`Accept: ${accept} is 406`, async () => assertStatus(await post(QUERY, { accept }), 406));
}

for (const [accept, type] of [
  [STRICT, STRICT],
  [PLAIN, PLAIN],
  ['*/*', PLAIN],
  ['application/*', PLAIN],
  [`${STRICT}, ${PLAIN};q=0.9`, STRICT],
  [`${PLAIN}, ${STRICT};q=0.1`, PLAIN],
  [`${PLAIN};q=0, ${STRICT}`, STRICT],
]) {
  await check(`Accept: ${accept} is answered as ${type}`, async () => {
    const answer = await post(QUERY, { accept });
    assertData(answer);
    assert.equal(answer.headers.get('content-type').split(';')[0], type);
  });
}

await check('Vary names Accept', async () => {
  const answer = await post(QUERY, { accept: PLAIN });
  assert.match(answer.headers.get('vary') ?? '', /(^|[\s,])accept([\s,]|$)/i);
});

// --- request errors

for (const [what, body] of [
  ['malformed JSON', '{"query": "{__typename}"'],
  ['an empty body', ''],
  ['JSON that is no object', '"{__typename}"'],
  ['no query', '{}'],
  ['a query that is no string', '{"query": 1}'],
  ['variables that are no object', '{"query": "{__typename}", "variables": "x"}'],
  ['extensions that are no object', '{"query": "{__typename}", "extensions": 7}'],
  ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
]) {
  await check(`${what}: 400 with the catalogue's codes`, async () => {
    const answer = await postRaw(body, { 'content-type': PLAIN });
    assertStatus(answer, 400);
    assertErrors(answer);
  });
}

for (const [what, query] of [
  ['parse', '{ cards('],
  ['validation', '{ noSuchField }'],
]) {
  await check(`a ${what} error is 400 without data under ${STRICT}`, async () => {
    const answer = await post({ query }, { accept: STRICT });
    assertStatus(answer, 400);
    assertErrors(answer);
  });
  await check(`a ${what} error is 200 without data under ${PLAIN}`, async () => {
    const answer = await post({ query }, { accept: PLAIN });
    assertStatus(answer, 200);
    assertErrors(answer);
  });
}

await check('a variable that cannot be coerced is 400 before anything runs', async () => {
  const answer = await run('query ($n: Int) { cards(first: $n) { totalCount } }', { n: 'many' });
  assertStatus(answer, 400);
  assertErrors(answer);
});

await check('an operation that is not named among several is 400', async () => {
  const answer = await run('query A { __typename } query B { __typename }');
  assertStatus(answer, 400);
  assertErrors(answer);
});

await check('a page that is too large is refused before anything runs', async () => {
  const answer = await run('{ marketplaces { slug } cards(first: 101) { totalCount } }');
  assertStatus(answer, 400);
  assert.equal(answer.json.data, undefined);
  assert.equal(answer.json.errors[0].extensions.errorCode, 'ERR-3002');
});

await check('a field that fails is null beside its neighbours', async () => {
  const answer = await run('{ cards(after: "forged") { totalCount } __typename }');
  assertStatus(answer, 200);
  assert.deepEqual(answer.json.data, { cards: null, __typename: 'Query' });
  assert.equal(answer.json.errors[0].extensions.errorCode, 'ERR-3003');
  assert.deepEqual(answer.json.errors[0].path, ['cards']);
});

// --- bodies and batches

const padded = (bytes) => QUERY + ' '.repeat(bytes - QUERY.length);

await check('a body of 1 MiB is taken', async () => assertData(await post(padded(MIB))));

await check('a body of a byte more is 413 with ERR-4006', async () => {
  const answer = await post(padded(MIB + 1));
  assertStatus(answer, 413);
  assertErrors(answer, 'ERR-4006');
});

for (const count of [1, 2, 11]) {
  await check(`a batch of ${count} is refused`, async () => {
    const answer = await post(`[${Array(count).fill(QUERY).join(',')}]`);
    assert.ok(answer.status >= 400 && answer.status < 500, `status ${answer.status}`);
    assertErrors(answer);
  });
}

// --- other sites

await check('a cross-site POST is 403', async () => {
  const answer = await post(QUERY, { 'sec-fetch-site': 'cross-site' });
  assertStatus(answer, 403);
  assertErrors(answer);
});

await check('a cross-site GET is 403', async () => {
  assertStatus(await get({ query: '{__typename}' }, { 'sec-fetch-site': 'cross-site' }), 403);
});

for (const site of ['same-origin', 'none']) {
  await check(`Sec-Fetch-Site: ${site} passes`, async () => assertData(await post(QUERY, { 'sec-fetch-site': site })));
}

// --- answers

await check('introspection is answered in development, and makes a schema', async () => {
  const options = { inputValueDeprecation: true, specifiedByUrl: true, schemaDescription: true, oneOf: true };
  buildClientSchema(assertData(await run(getIntrospectionQuery(options))));
});

await check('keys come in the order of the selection', async () => {
  const query = `{
    z: marketplaces { slug }
    cards(first: 2) {
      totalCount
      nodes { price { price } name set { name code } __typename collectorNumber marketPrices { price } id }
      pageInfo { endCursor hasNextPage }
    }
    a: __typename
  }`;
  const data = assertData(await run(query));
  assert.deepEqual(Object.keys(data), ['z', 'cards', 'a']);
  assert.deepEqual(Object.keys(data.cards), ['totalCount', 'nodes', 'pageInfo']);
  assert.deepEqual(Object.keys(data.cards.nodes[0]), [
    'price', 'name', 'set', '__typename', 'collectorNumber', 'marketPrices', 'id',
  ]);
  assert.deepEqual(Object.keys(data.cards.nodes[0].set), ['name', 'code']);
});

for (const [what, variables] of [
  ['left unset', {}],
  ['of null', { condition: null, sort: null, window: null }],
]) {
  await check(`a variable ${what} takes the argument's default`, async () => {
    const query = `query ($condition: Condition, $sort: CardSort, $window: HistoryWindow) {
      cards(first: 3, sort: $sort) {
        nodes { id price(condition: $condition) { price } priceHistory(window: $window) { totalCount } }
      }
      plain: cards(first: 3) { nodes { id price { price } priceHistory { totalCount } } }
    }`;
    const { cards, plain } = assertData(await run(query, variables));
    assert.ok(plain.nodes.length > 0);
    assert.deepEqual(cards, plain);
  });
}

await check("a variable left unset takes an input field's default", async () => {
  const lookup = '{ cards(first: 1) { nodes { language collectorNumber set { code } } } }';
  const [card] = assertData(await run(lookup)).cards.nodes;
  assert.equal(card.language, 'en');
  const query = `query ($set: String!, $number: String!, $language: String) {
    card(by: {printing: {setCode: $set, collectorNumber: $number, language: $language}}) { collectorNumber }
  }`;
  const answer = await run(query, { set: card.set.code, number: card.collectorNumber });
  assert.deepEqual(assertData(answer).card, { collectorNumber: card.collectorNumber });
});

await check('hostile values are values like any other', async () => {
  const hostile = ["' OR 1=1; --", '"; DROP TABLE card; --', '%_\\', '../../etc/passwd', '%2e%2e%2f', '\u0000', '<script>'];
  for (const value of hostile) {
    const query = `query ($s: String!, $id: ID!) {
      card(by: {name: $s}) { id }
      node(id: $id) { id }
      cardSet(code: $s) { id }
      cards(search: $s, after: $s, first: 1) { totalCount }
    }`;
    const answer = await run(query, { s: value, id: value });
    assert.ok(answer.status < 500, `status ${answer.status} for ${JSON.stringify(value)}`);
    assert.ok(answer.json, 'no JSON');
  }
  for (const [type, value] of [['UUID', 'x'], ['Decimal', 'x'], ['Decimal', 1e400], ['Decimal', '1e999999999']]) {
    const use = type === 'UUID' ? 'card(by: {scryfallId: $v}) { id }' : 'cards(filter: {price: {minimum: $v}}) { totalCount }';
    const answer = await run(`query ($v: ${type}${type === 'UUID' ? '!' : ''}) { ${use} }`, { v: value });
    assert.ok(answer.status < 500, `status ${answer.status} for ${type} ${value}`);
  }
});

// --- limits: each is refused before anything runs, and one less is not

// `cards { nodes { printings { nodes { … leaf } } } }`, of any depth from 3.
function deep(depth) {
  let [inner, used] = depth % 2 === 1 ? ['name', 1] : ['set { name }', 2];
  for (; used < depth - 2; used += 2) inner = `printings(first: 1) { nodes { ${inner} } }`;
  return `{ cards(first: 1) { nodes { ${inner} } } }`;
}

// One of `name` with a directive is 8 tokens, without one 1; all around them are 13.
function ofTokens(count) {
  const withDirective = Math.floor((count - 13) / 8);
  const fields = 'name @include(if: true) '.repeat(withDirective) + 'name '.repeat((count - 13) % 8);
  return `{ cards(first: 1) { nodes { ${fields} } } }`;
}

const aliases = (count) => `{ cards(first: 1) { nodes { ${times(count, (i) => `a${i}: name`)} } } }`;
const rootFields = (count) => `{ ${times(count, (i) => `r${i}: card(by: {name: "none"}) { id }`)} }`;

for (const [what, limit, make] of [
  ['depth', 15, deep],
  ['aliases', 30, aliases],
  ['root fields', 20, rootFields],
  ['tokens', 5000, ofTokens],
]) {
  await check(`${what}: ${limit} pass`, async () => assertData(await run(make(limit))));
  await check(`${what}: ${limit + 1} are refused`, async () => {
    assertTooComplex(await run(make(limit + 1)), limit, limit + 1);
  });
}

await check('aliases: 1,000 of one root field are refused', async () => {
  assertTooComplex(await run(`{ ${times(1000, (i) => `a${i}: marketplaces { slug }`)} }`));
});

await check('directives: 11 on a field are refused', async () => {
  assertTooComplex(await run(`{ __typename ${'@include(if: true) '.repeat(11)} }`), 10, 11);
});

await check('directives: 1,000 on a field are refused', async () => {
  assertTooComplex(await run(`{ __typename ${times(1000, (i) => `@d${i}`)} }`));
});

await check('cost: pages of 100 in pages of 100 in pages of 100 are refused', async () => {
  const query = '{ cardSets(first: 100) { nodes { cards(first: 100) { nodes { printings(first: 100) { nodes { id } } } } } } }';
  assertTooComplex(await run(query));
});

await check('a document over 64 KiB is refused', async () => {
  const answer = await run(`{ card(by: {name: "${'x'.repeat(65_536)}"}) { id } }`);
  assert.ok([400, 413].includes(answer.status), `status ${answer.status}`);
  assertErrors(answer);
  assertFast(answer);
});

await check('variables nested deeper than 32 are refused', async () => {
  const nested = '['.repeat(5000) + ']'.repeat(5000);
  const answer = await post(`{"query":"query ($k: [String!]) { cardSets(kinds: $k) { totalCount } }","variables":{"k":${nested}}}`, {
    accept: STRICT,
  });
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFast(answer);
});

await check('a document of 5,000 open braces is refused', async () => {
  const answer = await run('{a'.repeat(5000));
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFast(answer);
});

await check('50,000 unknown fields are refused by their tokens', async () => {
  assertTooComplex(await run(`{ cards(first: 1) { nodes { ${times(50_000, () => 'x')} } } }`));
});

await check('4,900 unknown fields: at most 10 errors of at most 200 characters', async () => {
  const answer = await run(`{ cards(first: 1) { nodes { ${times(4900, (i) => `x${i}`)} } } }`);
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFewShortErrors(answer);
});

await check('one unknown field with a name of 50,000 letters: a message of at most 200 characters', async () => {
  const answer = await run(`{ ${'x'.repeat(50_000)} }`);
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFewShortErrors(answer);
});

await check('a parse error in a long document does not repeat it', async () => {
  const answer = await run(`{ cards(search: "${'y'.repeat(50_000)}" `);
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFewShortErrors(answer);
});

await check('a fragment cycle is refused', async () => {
  const answer = await run('{...A} fragment A on Query {...B} fragment B on Query {...A}');
  assertStatus(answer, 400);
  assertErrors(answer);
  assertFast(answer);
});

await check('a fragment bomb of 2^30 leaves in under 1 KB is refused', async () => {
  const names = [...'abcdefghijklmnopqrstuvwxyzABCDE'];
  const fragments = names.map((name, i) => {
    const next = names[i + 1];
    return `fragment ${name} on Query{${next ? `...${next}...${next}` : '__typename'}}`;
  });
  const bomb = `{...a}${fragments.join('')}`;
  assert.ok(bomb.length < 1024, `${bomb.length} bytes`);
  assertTooComplex(await run(bomb));
});

await check('no body holds words of Rust or SQL', async () => {
  const found = new Set();
  for (const body of bodies) {
    for (const pattern of INTERNALS) {
      const match = pattern.exec(body);
      if (match) found.add(`${match[0].slice(0, 40)}  in  ${body.slice(Math.max(0, match.index - 60), match.index + 60)}`);
    }
  }
  assert.equal(found.size, 0, `${found.size} of ${bodies.length} bodies:\n${[...found].slice(0, 6).join('\n')}`);
});

finish();
