// What the audit tool graphql-cop looks for, under its names: in the server under test, and with the program in one in
// production, where the schema is nobody's business.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { production } from './binary.mjs';
import { assertNone, check, finish, given, server } from './lib.mjs';

const PLAIN = 'application/json';
const TYPENAME = 'query cop { __typename }';
// The paths on which it looks for a server, and what gives a page for asking away.
const PATHS = ['/', '/graphiql', '/playground', '/console', '/graphql'];
const IDE = /graphiql\.min\.css|graphql[- ]playground|graphiql/i;

const times = (count, text) => `${text} `.repeat(count);
const circle = (levels) =>
  `query cop { __schema { types { ${'fields { type { '.repeat(levels)} name ${'} }'.repeat(levels)} } } }`;

async function ask(url, options) {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(5000), ...options });
  const text = await response.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json };
}

function post(url, body, headers = {}) {
  const all = { 'content-type': PLAIN, accept: PLAIN, ...headers };
  return ask(url, { method: 'POST', headers: all, body: JSON.stringify(body) });
}

const run = (url, query, headers) => post(`${url}/graphql`, { query }, headers);
const get = (url, query, headers = {}) =>
  ask(`${url}/graphql?${new URLSearchParams({ query })}`, { headers: { accept: PLAIN, ...headers } });

function assertRefused({ json, text }, errorCode) {
  assert.ok(json && !('data' in json), text.slice(0, 200));
  assert.equal(json.errors[0].extensions.errorCode, errorCode);
}

function assertData({ json }) {
  assertNone(json.errors);
  return json.data;
}

// What holds in whatever mode.
async function audit(mode, url) {
  const look = (title, body) => check(`${mode}: ${title}`, body);

  await look('Alias Overloading', async () => {
    const aliases = Array.from({ length: 101 }, (_, i) => `alias${i}:__typename`);
    assertRefused(await run(url, `query cop { ${aliases.join(' ')} }`), 'ERR-4003');
  });

  await look('Array-based Query Batching', async () => {
    assertRefused(await post(`${url}/graphql`, Array(10).fill({ query: TYPENAME })), 'ERR-4006');
  });

  await look('Directive Overloading', async () => {
    const { json } = await run(url, `query cop { __typename ${times(10, '@aa')} }`);
    assert.ok(!('data' in json));
    assert.equal(json.errors.length, 1, JSON.stringify(json.errors).slice(0, 300));
  });

  await look('Field Duplication', async () => {
    assertRefused(await run(url, `query cop { ${times(500, '__typename')} }`), 'ERR-4003');
    assertRefused(await run(url, `query cop { cards(first: 100) { ${times(500, 'nodes { id }')} } }`), 'ERR-4003');
    // Of a field without fields of its own it is only said again.
    const data = assertData(await run(url, `query cop { cards(first: 1) { ${times(500, 'totalCount')} } }`));
    assert.deepEqual(Object.keys(data.cards), ['totalCount']);
  });

  await look('Field Suggestions', async () => {
    for (const query of [
      'query cop { __schema { directive } }',
      'query cop { card }',
      'query cop { cards { node { id } } }',
      'query cop { cards(firs: 1) { totalCount } }',
      'query cop { card(by: {nam: "x"}) { id } }',
      'query cop { cards(sort: {field: NAM}) { totalCount } }',
      'query cop { ... on Quer { __typename } }',
      'query cop ($n: In) { cards(first: $n) { totalCount } }',
      'query cop ($first: Int) { cards(first: $firs) { totalCount } }',
      'query cop { cards(first: 1) @inclde(if: true) { totalCount } }',
      'query cop { ...Car } fragment Card on Query { __typename }',
    ]) {
      const { json, text } = await run(url, query);
      assert.ok(json.errors?.length > 0 && !('data' in json), `${query} was answered`);
      assert.doesNotMatch(text, /did you mean|perhaps|similar/i);
    }
  });

  await look('Mutation is allowed over GET (possible CSRF)', async () => {
    assert.equal((await get(url, 'mutation cop { __typename }')).status, 405);
  });

  // Queries by GET are meant to be there; another site may neither ask them nor read the answers.
  await look('GET Method Query Support', async () => {
    const answer = await get(url, TYPENAME, { origin: 'https://elsewhere.example' });
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
    assert.match(answer.headers.get('content-type'), /^application\/json\b/);
    const foreign = await get(url, TYPENAME, { 'sec-fetch-site': 'cross-site' });
    assert.equal(foreign.status, 403);
    assertRefused(foreign, 'ERR-2005');
  });

  await look('POST based url-encoded query (possible CSRF)', async () => {
    const answer = await ask(`${url}/graphql`, { method: 'POST', body: new URLSearchParams({ query: TYPENAME }) });
    assert.equal(answer.status, 415);
    assert.ok(!('data' in answer.json));
  });

  await look('GraphQL IDE', async () => {
    const answering = [];
    for (const path of PATHS) {
      const { json } = await post(`${url}${path}`, { query: TYPENAME });
      if (!json) continue;
      answering.push(path);
      const { text } = await ask(`${url}${path}`, { headers: { accept: 'text/html' } });
      assert.doesNotMatch(text, IDE, path);
    }
    assert.deepEqual(answering, ['/graphql']);
  });

  await look('Unhandled Errors Detection', async () => {
    for (const query of ['qwerty cop { abc }', 'query cop { abc }', 'query cop { cards(first: -1) { totalCount } }', '']) {
      const { json } = await run(url, query);
      for (const { extensions } of json.errors) {
        assert.deepEqual(Object.keys(extensions).sort(), ['code', 'errorCode', 'requestId']);
      }
    }
  });
}

// The keys of `extensions`, where the caller asks for what tracers give.
async function traced(url, headers) {
  const { json } = await run(url, 'query cop { cards(first: 1) { nodes { name } } }', headers);
  return Object.keys(json.extensions ?? {});
}

await audit('development', server);

await check('development: Introspection-based Circular Query, as deep as others may be', async () => {
  assertData(await run(server, circle(6)));
  assertRefused(await run(server, circle(7)), 'ERR-4003');
});

await check('development: Trace Mode', async () => {
  assert.deepEqual(await traced(server, { 'x-apollo-tracing': '1' }), ['cost']);
});

const binary = given('binary', 'DUALCASTER_BINARY');
if (!binary) finish();
let url;
await check('a server in production starts', async () => {
  url = await production(binary);
});
if (!url) finish();

await audit('production', url);

const SCHEMA = 'query cop { __schema { types { name fields { name } } } }';

await check('production: Introspection', async () => {
  for (const query of [
    SCHEMA,
    'query cop { __type(name: "Card") { name } }',
    'query cop { __typename ...F } fragment F on Query { s: __schema { queryType { name } } }',
    'query cop ($s: Boolean = false) { __schema @include(if: $s) { queryType { name } } }',
  ]) {
    assertRefused(await run(url, query), 'ERR-2005');
    assertRefused(await get(url, query), 'ERR-2005');
  }
});

await check('production: Introspection, as events', async () => {
  const { text } = await run(url, SCHEMA, { accept: 'text/event-stream' });
  assert.match(text, /"errorCode": ?"ERR-2005"/);
  assert.doesNotMatch(text, /"data"/);
});

await check('production: Introspection, over WebSocket', async () => {
  const client = createClient({ url: `${url.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0 });
  const results = (async () => {
    for await (const result of client.iterate({ query: SCHEMA })) assert.fail(JSON.stringify(result).slice(0, 200));
  })();
  await assert.rejects(results, (errors) => errors[0]?.extensions?.errorCode === 'ERR-2005');
  await client.dispose();
});

await check('production: Introspection, as a file', async () => {
  assert.equal((await ask(`${url}/schema.graphql`)).status, 404);
});

await check('production: Introspection-based Circular Query', async () => {
  assertRefused(await run(url, circle(4)), 'ERR-2005');
});

await check('production: Trace Mode', async () => {
  assert.deepEqual(await traced(url, { 'x-apollo-tracing': '1', 'x-dualcaster-explain': '1' }), ['cost']);
});

finish();
