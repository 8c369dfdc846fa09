// Files as apollo-upload-client and urql send them, to the stage: the GraphQL multipart request specification, and what of
// it the server refuses.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import { Client, fetchExchange } from '@urql/core';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { assertNone, check, finish, given } from './lib.mjs';

const stage = given('stage', 'DUALCASTER_STAGE_URL') ?? finish();
const endpoint = `${stage.replace(/\/+$/, '')}/graphql`;

const FILES = 3;
const MAP_BYTES = 1024;
const PREFLIGHT = ['GraphQL-Require-Preflight', 'Apollo-Require-Preflight', 'X-Requested-With'];

// Apollo Client asks for __typename in any case.
const RECEIVED = '{ __typename filename sizeBytes sha256 }';
const ONE = `mutation ($file: Upload!) { upload(file: $file) ${RECEIVED} }`;
const SEVERAL = `mutation ($files: [Upload!]!) { uploadAll(files: $files) ${RECEIVED} }`;

// A file whose content nobody can guess, and what the server must say of it.
function make(filename, size) {
  const bytes = randomBytes(size);
  return {
    file: new File([bytes], filename, { type: 'text/csv' }),
    received: {
      __typename: 'ReceivedFile',
      filename,
      sizeBytes: size,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
  };
}

async function withApollo(fetch, headers, mutation, variables) {
  const client = new ApolloClient({
    link: new UploadHttpLink({ uri: endpoint, fetch, headers }),
    cache: new InMemoryCache(),
  });
  try {
    return (await client.mutate({ mutation: gql(mutation), variables, fetchPolicy: 'no-cache' })).data;
  } finally {
    client.stop();
  }
}

async function withUrql(fetch, headers, mutation, variables) {
  const client = new Client({ url: endpoint, fetch, fetchOptions: { headers }, exchanges: [fetchExchange] });
  const { data, error } = await client.mutation(mutation, variables).toPromise();
  if (error) throw error;
  return data;
}

// How each numbers the parts of its form, and whether a file that is given twice is sent once, for both its places.
const CLIENTS = [
  { name: 'apollo-upload-client', send: withApollo, first: 1, sendsOnce: true },
  { name: 'urql', send: withUrql, first: 0, sendsOnce: false },
];

// Asks as an app does, and keeps what was sent and what was answered: of a refusal the client tells less.
async function via({ send }, mutation, variables, headers = { [PREFLIGHT[1]]: '1' }) {
  const answers = [];
  const keep = async (url, options) => {
    const response = await fetch(url, options);
    answers.push({ status: response.status, json: await response.clone().json(), url, sent: options });
    return response;
  };
  let data, trouble;
  try {
    data = await send(keep, headers, mutation, variables);
  } catch (error) {
    trouble = error;
  }
  if (answers.length === 0) throw trouble;
  assert.equal(answers.length, 1, `${answers.length} requests`);
  const [answer] = answers;
  if (!answer.json.errors && trouble) throw trouble;
  return { ...answer, data };
}

// One POST of a form: the operations with null in place of each file, the map, and the files in its order.
function assertForm({ first }, { url, sent }, mutation, variables, files) {
  assert.deepEqual([sent.method, String(url)], ['POST', endpoint]);
  assert.ok(sent.body instanceof FormData, 'the client did not send a form');
  const [operations, map, ...parts] = [...sent.body];
  assert.deepEqual([operations[0], map[0]], ['operations', 'map']);
  const { query, variables: rest } = JSON.parse(operations[1]);
  assert.equal(query.replace(/\s+/g, ''), mutation.replace(/\s+/g, ''));
  assert.deepEqual(rest, variables);
  const names = files.map(({ path }, index) => [String(first + index), [path]]);
  assert.deepEqual(Object.entries(JSON.parse(map[1])), names);
  assert.deepEqual(parts.map(([name]) => name), names.map(([name]) => name));
  assert.deepEqual(parts.map(([, part]) => [part.name, part.size]), files.map(({ file }) => [file.name, file.size]));
}

async function viaForm(parts, headers = { [PREFLIGHT[0]]: '1' }) {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    form.append(name, value instanceof File ? value : JSON.stringify(value));
  }
  const response = await fetch(endpoint, { method: 'POST', headers, body: form });
  return { status: response.status, json: await response.json() };
}

function assertData({ json }, expected) {
  assertNone(json.errors);
  assert.deepEqual(json.data, expected);
}

// Refused before anything is executed: no `data`, by a code of the catalogue that is no fault of the server's.
function assertRefused({ status, json }) {
  assert.ok(status >= 400 && status < 500, `status ${status}: ${JSON.stringify(json).slice(0, 200)}`);
  assert.ok(!('data' in json), `it was executed: ${JSON.stringify(json).slice(0, 200)}`);
  assert.match(json.errors?.[0].extensions?.errorCode ?? '', /^ERR-[1-4]\d{3}$/, JSON.stringify(json).slice(0, 200));
}

// The second variable is nobody's: a server that is not strict would execute without it.
const single = { query: ONE, variables: { file: null, other: null } };

for (const client of CLIENTS) {
  const { name } = client;

  await check(`${name}: one file`, async () => {
    const { file, received } = make('cards.csv', 10_000);
    const answer = await via(client, ONE, { file });
    assertForm(client, answer, ONE, { file: null }, [{ path: 'variables.file', file }]);
    assertData(answer, { upload: received });
    assert.deepEqual(answer.data, { upload: received });
  });

  await check(`${name}: a file of many pieces`, async () => {
    const { file, received } = make('many pieces.csv', 900_000);
    assertData(await via(client, ONE, { file }), { upload: received });
  });

  await check(`${name}: a name of letters beyond ASCII`, async () => {
    const { file, received } = make('Æther – карты.csv', 10);
    assertData(await via(client, ONE, { file }), { upload: received });
  });

  for (const count of [2, FILES]) {
    await check(`${name}: a list of ${count} files, in their order`, async () => {
      const made = Array.from({ length: count }, (_, i) => make(`${i}.csv`, 1_000 * (count - i)));
      const files = made.map(({ file }) => file);
      const answer = await via(client, SEVERAL, { files });
      const parts = files.map((file, index) => ({ path: `variables.files.${index}`, file }));
      assertForm(client, answer, SEVERAL, { files: files.map(() => null) }, parts);
      assertData(answer, { uploadAll: made.map(({ received }) => received) });
      assert.deepEqual(answer.data, answer.json.data);
    });
  }

  for (const header of PREFLIGHT) {
    await check(`${name}: with ${header} it is taken`, async () => {
      const { file, received } = make('cards.csv', 100);
      assertData(await via(client, ONE, { file }, { [header]: '1' }), { upload: received });
    });
  }

  await check(`${name}: without a header that forces a preflight it is refused`, async () => {
    assertRefused(await via(client, ONE, { file: make('cards.csv', 100).file }, {}));
  });

  await check(`${name}: ${FILES + 1} files are refused`, async () => {
    const files = Array.from({ length: FILES + 1 }, (_, i) => make(`${i}.csv`, 10).file);
    assertRefused(await via(client, SEVERAL, { files }));
  });

  await check(`${name}: a file that is there twice is ${client.sendsOnce ? 'refused' : 'sent twice, and taken'}`, async () => {
    const { file, received } = make('cards.csv', 10);
    const answer = await via(client, SEVERAL, { files: [file, file] });
    if (client.sendsOnce) assertRefused(answer);
    else assertData(answer, { uploadAll: [received, received] });
  });
}

await check('without such a header nothing else is executed either', async () => {
  assertRefused(await viaForm({ operations: { query: 'mutation { change }' }, map: {} }, {}));
});

await check('a part that is mapped to two paths is refused', async () => {
  const { file } = make('cards.csv', 10);
  const map = { 0: ['variables.file', 'variables.other'] };
  assertRefused(await viaForm({ operations: single, map, 0: file }));
});

await check('a map that names a part that does not come is refused', async () => {
  const { file } = make('cards.csv', 10);
  assertRefused(await viaForm({ operations: single, map: { 0: ['variables.file'] } }));
  assertRefused(await viaForm({ operations: single, map: { 0: ['variables.file'], 1: ['variables.other'] }, 0: file }));
});

await check('a map to a place that is not there is refused', async () => {
  const { file } = make('cards.csv', 10);
  const map = { 0: ['variables.file'], 1: ['variables.nowhere.0'] };
  assertRefused(await viaForm({ operations: single, map, 0: file, 1: file }));
});

await check(`a map of more than ${MAP_BYTES} bytes is refused`, async () => {
  const { file } = make('cards.csv', 10);
  const key = 'k'.repeat(MAP_BYTES);
  assertRefused(await viaForm({ operations: single, map: { [key]: ['variables.file'] }, [key]: file }));
});

await check('a file that is no part of a form is no file', async () => {
  for (const file of ['#__graphql_file__:0', 'cards.csv', null, 0, {}]) {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
      body: JSON.stringify({ query: ONE, variables: { file } }),
    });
    assertRefused({ status: response.status, json: await response.json() });
  }
});

finish();
