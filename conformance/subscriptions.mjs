// Subscriptions through the clients of graphql-ws and graphql-sse, on the stage; and who asks, over sockets.
import assert from 'node:assert/strict';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';
import { assertNone, check, finish, given } from './lib.mjs';

const stage = given('stage', 'DUALCASTER_STAGE_URL') ?? finish();
const endpoint = `${stage.replace(/\/+$/, '')}/graphql`;
const url = endpoint.replace(/^http/, 'ws');

const COUNT = { query: 'subscription { count(to: 5) }' };
const FOREVER = { query: 'subscription { forever }' };
const FAILS = { query: 'subscription { fails }' };
const HELLO = { query: '{ hello }' };
const WHO = { query: '{ whoAmI }' };
const OPERATIONS = 20;
const BRIEF_MS = 300;
const UNAUTHORIZED = 4401;
const TOO_MANY = 4429;

// A client over one socket that stays open, and what became of it.
function socket(token) {
  const seen = { opened: 0, acknowledged: 0 };
  let close;
  seen.closed = new Promise((resolve) => (close = resolve));
  const client = createSocket({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    // As apps have it: what is final must not be tried again.
    retryAttempts: 3,
    onNonLazyError() {},
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
    on: {
      opened: () => (seen.opened += 1),
      connected: () => (seen.acknowledged += 1),
      closed: ({ code }) => close({ code, at: performance.now() }),
    },
  });
  return { client, seen };
}

const sse = (headers) => createSse({ url: endpoint, retryAttempts: 0, headers });

async function all(client, payload) {
  const results = [];
  for await (const result of client.iterate(payload)) results.push(result);
  return results;
}

async function only(client, payload) {
  const results = await all(client, payload);
  assert.equal(results.length, 1, `${results.length} results`);
  assertNone(results[0].errors);
  return results[0].data;
}

// The errors of a subscription that fails: as a result, or instead of one.
async function errorsOf(client, payload) {
  try {
    return (await all(client, payload)).flatMap(({ errors }) => errors ?? []);
  } catch (errors) {
    if (Array.isArray(errors)) return errors;
    throw new Error(`ended with ${errors.code ?? errors.message}`);
  }
}

async function assertEnded(iterator) {
  await assert.rejects(iterator.next(), ({ code }) => code === UNAUTHORIZED || code === TOO_MANY);
}

for (const [name, make] of Object.entries({ 'graphql-ws': () => socket().client, 'graphql-sse': sse })) {
  await check(`${name}: what is counted arrives in order, and completes`, async () => {
    const results = await all(make(), COUNT);
    assertNone(results.find(({ errors }) => errors)?.errors);
    assert.deepEqual(results.map(({ data }) => data), [1, 2, 3, 4, 5].map((count) => ({ count })));
  });

  await check(`${name}: one that fails gives its errors, and ends`, async () => {
    const errors = await errorsOf(make(), FAILS);
    assert.equal(errors.length, 1, JSON.stringify(errors));
    assert.match(errors[0].extensions?.errorCode ?? '', /^ERR-\d{4}$/, JSON.stringify(errors));
  });

  await check(`${name}: one without an end can be left, and the client asks on`, async () => {
    const client = make();
    const iterator = client.iterate(FOREVER);
    const { value } = await iterator.next();
    assert.equal(typeof value.data?.forever, 'number', JSON.stringify(value));
    assert.equal((await iterator.return()).done, true);
    assert.equal(typeof (await only(client, HELLO)).hello, 'string');
    assert.equal((await all(client, COUNT)).length, 5);
  });

  await check(`${name}: a mutation is executed once`, async () => {
    assert.deepEqual(await only(make(), { query: 'mutation { change }' }), { change: true });
  });
}

// --- one socket for all

await check('what is left does not end its socket, nor what else is under way on it', async () => {
  const { client, seen } = socket();
  const [left, kept] = [client.iterate(FOREVER), client.iterate(FOREVER)];
  await Promise.all([left.next(), kept.next()]);
  await left.return();
  for (let i = 0; i < OPERATIONS + 1; i += 1) assert.equal((await all(client, COUNT)).length, 5);
  let ended = false;
  kept.next().then(() => (ended = true), () => (ended = true));
  assert.equal(typeof (await only(client, HELLO)).hello, 'string');
  assert.deepEqual([ended, seen.opened], [false, 1]);
  await client.dispose();
});

await check(`${OPERATIONS} operations share a socket; one more closes it with ${TOO_MANY}`, async () => {
  const { client, seen } = socket();
  const running = Array.from({ length: OPERATIONS }, () => client.iterate(FOREVER));
  for (const { value } of await Promise.all(running.map((iterator) => iterator.next()))) {
    assert.equal(typeof value.data?.forever, 'number', JSON.stringify(value));
  }
  const more = client.iterate(FOREVER);
  await assertEnded(more);
  assert.equal((await seen.closed).code, TOO_MANY);
  await Promise.all(running.map(assertEnded));
  assert.equal(seen.opened, 1);
});

// --- who asks

await check('nobody: over HTTP and over a socket', async () => {
  assert.deepEqual(await only(sse(), WHO), { whoAmI: null });
  assert.deepEqual(await only(socket().client, WHO), { whoAmI: null });
});

await check('somebody: by the header, and by the greeting of a socket', async () => {
  assert.deepEqual(await only(sse({ authorization: 'Bearer chandra' }), WHO), { whoAmI: 'chandra' });
  const { client } = socket('chandra');
  assert.deepEqual(await only(client, WHO), { whoAmI: 'chandra' });
  assert.deepEqual(await only(client, WHO), { whoAmI: 'chandra' });
});

await check('two sockets do not share who asks', async () => {
  const asked = ['chandra', 'nissa'].map((name) => only(socket(name).client, WHO));
  assert.deepEqual(await Promise.all(asked), [{ whoAmI: 'chandra' }, { whoAmI: 'nissa' }]);
});

await check(`a token that ends closes its socket with ${UNAUTHORIZED}`, async () => {
  const { client, seen } = socket('brief');
  const began = performance.now();
  const iterator = client.iterate(FOREVER);
  assert.equal(typeof (await iterator.next()).value.data?.forever, 'number');
  await assertEnded(iterator);
  const { code, at } = await seen.closed;
  assert.equal(code, UNAUTHORIZED);
  // Not at once, and without waiting for the next message or ping.
  const took = at - began;
  assert.ok(took > BRIEF_MS / 2 && took < BRIEF_MS + 2000, `after ${took.toFixed(0)} ms`);
  assert.deepEqual([seen.acknowledged, seen.opened], [1, 1]);
});

await check(`a wrong token closes its socket with ${UNAUTHORIZED}, without an acknowledgement`, async () => {
  const { client, seen } = socket('wrong');
  await assertEnded(client.iterate(HELLO));
  assert.equal((await seen.closed).code, UNAUTHORIZED);
  assert.deepEqual([seen.acknowledged, seen.opened], [0, 1]);
});

for (const accept of ['application/graphql-response+json', 'application/json', 'text/event-stream']) {
  await check(`a wrong token is 401 over HTTP, under ${accept}`, async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: 'Bearer wrong' },
      body: JSON.stringify(HELLO),
    });
    const text = await response.text();
    assert.equal(response.status, 401, text.slice(0, 200));
    assert.doesNotMatch(text, /"data"/);
    assert.match(text, /"errorCode": ?"ERR-200\d"/);
  });
}

finish();
