// The client of graphql-ws, over graphql-transport-ws.
import assert from 'node:assert/strict';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { assertNone, check, endpoint, finish } from './lib.mjs';

const url = endpoint.replace(/^http/, 'ws');
const connect = (options = {}) => createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0, ...options });

async function one(client, payload) {
  const results = [];
  try {
    for await (const result of client.iterate(payload)) results.push(result);
  } catch (error) {
    // What the server says by `error` comes as a list, a socket that closes as an event.
    if (Array.isArray(error)) return { errors: error };
    throw error instanceof Error ? error : toError(error);
  } finally {
    await client.dispose();
  }
  assert.equal(results.length, 1, `${results.length} results`);
  return results[0];
}

await check('a query completes with one result', async () => {
  const { data, errors } = await one(connect(), {
    query: 'query ($first: Int) { cards(first: $first) { nodes { id name } } }',
    variables: { first: 2 },
  });
  assertNone(errors);
  assert.equal(data.cards.nodes.length, 2);
});

await check('keys come in the order of the selection', async () => {
  const query = '{ z: __typename cards(first: 1) { totalCount nodes { name id } } a: __typename }';
  const { data } = await one(connect(), { query });
  assert.deepEqual(Object.keys(data), ['z', 'cards', 'a']);
  assert.deepEqual(Object.keys(data.cards.nodes[0]), ['name', 'id']);
});

await check('a query that does not validate is an error message, not a closed socket', async () => {
  const client = connect();
  const { errors } = await one(client, { query: '{ noSuchField }' });
  assert.ok(errors.length > 0);
  assert.match(errors[0].extensions?.errorCode ?? '', /^ERR-\d{4}$/, JSON.stringify(errors[0]).slice(0, 300));
});

await check('the limits hold here too', async () => {
  const aliases = Array.from({ length: 31 }, (_, i) => `a${i}: __typename`).join(' ');
  const { errors } = await one(connect(), { query: `{ ${aliases} }` });
  assert.equal(errors?.[0].extensions.errorCode, 'ERR-4003', JSON.stringify(errors));
});

await check('ten queries share a socket', async () => {
  let sockets = 0;
  const client = connect({ on: { opened: () => (sockets += 1) } });
  const answers = Array.from({ length: 10 }, (_, i) =>
    new Promise((resolve, reject) => {
      let result;
      client.subscribe(
        { query: `{ a${i}: __typename }` },
        { next: (next) => (result = next), error: (error) => reject(toError(error)), complete: () => resolve(result) },
      );
    }),
  );
  const results = await Promise.all(answers);
  results.forEach(({ data }, i) => assert.deepEqual(data, { [`a${i}`]: 'Query' }));
  assert.equal(sockets, 1);
  await client.dispose();
});

await check('a ping is answered', async () => {
  let ponged = () => {};
  const pong = new Promise((resolve) => (ponged = resolve));
  const client = connect({ lazy: false, keepAlive: 50, onNonLazyError() {}, on: { pong: (received) => received && ponged() } });
  await withinSeconds(5, pong);
  await client.dispose();
});

await check('a socket of another protocol is not taken', async () => {
  const socket = new WebSocket(url, 'graphql-ws-unknown');
  const accepted = await withinSeconds(
    5,
    new Promise((resolve) => {
      socket.on('error', () => resolve(false));
      socket.on('close', () => resolve(false));
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode >= 500));
    }),
  );
  assert.equal(accepted, false);
});

finish();

function toError(error) {
  return new Error(Array.isArray(error) ? JSON.stringify(error) : `closed with ${error.code ?? error.message} ${error.reason ?? ''}`);
}

function withinSeconds(seconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, seconds * 1000, new Error(`nothing within ${seconds} s`));
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
