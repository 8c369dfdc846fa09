// Manifests of trusted documents, made by clients' own tools: `dualcaster operations add` takes each, and the server runs
// what is in it by its id, asked as that tool's client asks.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import persistedQueryLists from '@apollo/persisted-query-lists';
import relay from 'relay-runtime';
import { command } from './binary.mjs';
import { ask, assertNone, check, endpoint, finish, given, outFolder, post, until } from './lib.mjs';
import { OPERATIONS, tag, tools } from './manifest-tools.mjs';

const PLAIN = 'application/json';
// The server looks for changes every five seconds.
const NOTICED_S = 12;

const binary = given('binary', 'DUALCASTER_BINARY') ?? finish();

function get({ variables, ...rest }, headers = {}) {
  const parameters = new URLSearchParams({ ...rest, variables: JSON.stringify(variables) });
  return fetch(`${endpoint}?${parameters}`, { headers: { accept: PLAIN, ...headers } });
}

// The answer to an id is the answer to the text that it stands for.
async function assertAnswer({ data, errors }, { name, text }) {
  assertNone(errors);
  assert.deepEqual(data, await ask(text, OPERATIONS[name].variables));
  if (data.cards) assert.equal(data.cards.nodes.length, OPERATIONS[name].variables.first);
}

// --- made, and added

await rm(await outFolder('manifests'), { recursive: true });
const nothing = { operations: [] };
const made = { apollo: nothing, codegen: nothing, relay: nothing };
for (const [tool, make] of Object.entries(tools)) {
  await check(`${tool}: the tool makes a manifest of both operations`, async () => {
    made[tool] = await make(await outFolder(`manifests/${tool}`));
    assert.deepEqual(made[tool].operations.map(({ name }) => name).sort(), Object.keys(OPERATIONS));
  });
}
const all = Object.values(made).flatMap(({ operations }) => operations);

async function areKnown() {
  const answers = await Promise.all(
    all.map(({ id, name }) => post({ documentId: id, variables: OPERATIONS[name].variables })),
  );
  for (const { errors } of answers) if (errors) assert.equal(errors[0].extensions.errorCode, 'ERR-4004');
  return answers.map(({ data }) => Boolean(data));
}

await check('before, no id is known', async () => assert.deepEqual(await areKnown(), all.map(() => false)));

for (const [tool, { manifest, operations }] of Object.entries(made)) {
  if (!manifest) continue;
  await check(`${tool}: operations add reads the manifest`, async () => {
    const said = await command(binary, 'operations', 'add', manifest, '--client', `conformance-${tool}`);
    assert.equal(said, `${operations.length} operations read: ${operations.length} are new.\n`);
  });
}

await check('the server notices', async () => {
  const what = 'the server does not know what was added. Do both have the same DUALCASTER_DATA_DIR or DATABASE_URL?';
  await until(what, NOTICED_S, async () => !(await areKnown()).includes(false));
});

// --- asked

for (const { id, name, text } of made.apollo.operations) {
  for (const method of ['POST', 'GET']) {
    await check(`apollo: Apollo Client asks ${name} by ${method} with the id alone`, async () => {
      const sent = [];
      // The text would make it known as an automatic persisted query, and the next check would find that.
      const idOnly = (url, options) => {
        const asked = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(url).searchParams);
        assert.ok(!('query' in asked), `the server did not know ${id}, and the client would send the text`);
        sent.push(options.method ?? 'GET');
        return fetch(url, options);
      };
      const loadManifest = () => ({ operations: made.apollo.operations });
      const ids = persistedQueryLists.generatePersistedQueryIdsFromManifest({ loadManifest });
      const client = new ApolloClient({
        link: createPersistedQueryLink({ ...ids, useGETForHashedQueries: method === 'GET' }).concat(
          new HttpLink({ uri: endpoint, fetch: idOnly }),
        ),
        cache: new InMemoryCache(),
      });
      try {
        const { source, variables } = OPERATIONS[name];
        const { data } = await client.query({ query: gql(source), variables, fetchPolicy: 'no-cache' });
        await assertAnswer({ data }, { name, text });
        assert.deepEqual(sent, [method]);
      } finally {
        client.stop();
      }
    });
  }
}

for (const operation of made.codegen.operations) {
  const asked = { documentId: operation.id, variables: OPERATIONS[operation.name].variables };

  await check(`codegen: ${operation.name} by documentId over POST`, async () => {
    await assertAnswer(await post(asked), operation);
  });

  await check(`codegen: ${operation.name} by documentId over GET, which a cache may keep`, async () => {
    const response = await get(asked);
    await assertAnswer(await response.json(), operation);
    assert.match(response.headers.get('cache-control') ?? '', /\bmax-age=\d/);
    const again = await get(asked, { 'if-none-match': response.headers.get('etag') });
    assert.deepEqual([again.status, await again.text()], [304, '']);
  });
}

// In Relay the network layer is the app's own; these are the usual names of the id.
for (const operation of made.relay.operations) {
  for (const key of ['doc_id', 'id']) {
    for (const [method, send] of [['POST', post], ['GET', async (asked) => (await get(asked)).json()]]) {
      await check(`relay: Relay's runtime asks ${operation.name} by ${key} over ${method}`, async () => {
        let answer;
        const network = relay.Network.create(async ({ id, text }, variables) => {
          assert.equal(text, null);
          answer = await send({ [key]: id, variables });
          return answer;
        });
        const environment = new relay.Environment({ network, store: new relay.Store(new relay.RecordSource()) });
        const { variables } = OPERATIONS[operation.name];
        await relay.fetchQuery(environment, operation.artifact, variables).toPromise();
        await assertAnswer(answer, operation);
      });
    }
  }
}

// --- and taken away

await check('operations remove takes each away', async () => {
  for (const { id } of all) assert.equal(await command(binary, 'operations', 'remove', id), 'Removed.\n');
  assert.ok(!(await command(binary, 'operations', 'list')).includes(tag));
});

await check('the server forgets them', async () => {
  await until('the server still knows what was removed', NOTICED_S, async () => !(await areKnown()).includes(true));
});

finish();
