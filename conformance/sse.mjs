// The client of graphql-sse, each operation on a connection of its own.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-sse';
import { assertNone, check, endpoint, finish } from './lib.mjs';

async function one(payload) {
  // Not disposed of: that would abort the body of a response that is still to be read.
  const client = createClient({ url: endpoint, retryAttempts: 0 });
  const results = [];
  for await (const result of client.iterate(payload)) results.push(result);
  assert.equal(results.length, 1, `${results.length} results`);
  return results[0];
}

await check('a query completes with one result', async () => {
  const { data, errors } = await one({
    query: 'query ($first: Int) { cards(first: $first) { nodes { id name } } }',
    variables: { first: 2 },
  });
  assertNone(errors);
  assert.equal(data.cards.nodes.length, 2);
});

await check('the stream is text/event-stream with next and complete', async () => {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: '{"query":"{__typename}"}',
    signal: AbortSignal.timeout(5000),
  });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream\b/);
  const text = await response.text();
  const events = [...text.matchAll(/^event: ?(\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(events, ['next', 'complete'], text.slice(0, 300));
});

await check('the same by GET', async () => {
  const response = await fetch(`${endpoint}?query=%7B__typename%7D`, {
    headers: { accept: 'text/event-stream' },
    signal: AbortSignal.timeout(5000),
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream\b/);
  assert.match(await response.text(), /"__typename": ?"Query"/);
});

await check('keys come in the order of the selection', async () => {
  const query = '{ z: __typename cards(first: 1) { totalCount nodes { name id } } a: __typename }';
  const { data } = await one({ query });
  assert.deepEqual(Object.keys(data), ['z', 'cards', 'a']);
  assert.deepEqual(Object.keys(data.cards.nodes[0]), ['name', 'id']);
});

await check('a query that does not validate ends with errors of the catalogue', async () => {
  let errors;
  try {
    ({ errors } = await one({ query: '{ noSuchField }' }));
  } catch (error) {
    // Refused before a stream begins: the client hands out the response.
    assert.ok(error.response, `no answer: ${error.message}`);
    ({ errors } = await error.response.json());
  }
  assert.match(errors?.[0].extensions?.errorCode ?? '', /^ERR-\d{4}$/, JSON.stringify(errors));
});

finish();
