// Files as apollo-upload-client sends them, to the stage: the GraphQL multipart request specification, and what of it the
// server refuses.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { ApolloClient, InMemoryCache, gql } from '@apollo/client';
import UploadHttpLink from 'apollo-upload-client/UploadHttpLink.mjs';
import { assertNone, check, finish, given } from './lib.mjs';

const stage = given('stage', 'DUALCASTER_STAGE_URL') ?? finish();
const endpoint = `${stage.replace(/\/+$/, '')}/graphql`;

const FILES = 3;
const MAP_BYTES = 1024;
const PREFLIGHT = ['GraphQL-Require-Preflight', 'Apollo-Require-Preflight', 'X-Requested-With'];

const ONE = 'mutation ($file: Upload!) { upload(file: $file) { filename sizeBytes sha256 } }';
const SEVERAL = 'mutation ($files: [Upload!]!) { uploadAll(files: $files) { filename sizeBytes sha256 } }';

// A file whose content nobody can guess, and what the server must say of it. Apollo Client asks for __typename as well.
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

// Asks as an app does, and keeps what was answered: of a refusal the client tells less.
async function viaClient(mutation, variables, headers = { [PREFLIGHT[1]]: '1' }) {
  let answer;
  const keep = async (url, options) => {
    assert.ok(options.body instanceof FormData, 'the client did not send a form');
    const response = await fetch(url, options);
    answer = { status: response.status, json: await response.clone().json() };
    return response;
  };
  const client = new ApolloClient({
    link: new UploadHttpLink({ uri: endpoint, fetch: keep, headers }),
    cache: new InMemoryCache(),
  });
  try {
    const result = await client.mutate({ mutation: gql(mutation), variables, fetchPolicy: 'no-cache' });
    return { ...answer, data: result.data };
  } catch (error) {
    if (answer) return answer;
    throw error;
  } finally {
    client.stop();
  }
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

await check('one file', async () => {
  const { file, received } = make('cards.csv', 10_000);
  const answer = await viaClient(ONE, { file });
  assertData(answer, { upload: received });
  assert.deepEqual(answer.data, { upload: received });
});

await check('a file of many pieces', async () => {
  const { file, received } = make('many pieces.csv', 900_000);
  assertData(await viaClient(ONE, { file }), { upload: received });
});

await check('a name of letters beyond ASCII', async () => {
  const { file, received } = make('Æther – карты.csv', 10);
  assertData(await viaClient(ONE, { file }), { upload: received });
});

for (const count of [2, FILES]) {
  await check(`a list of ${count} files, in their order`, async () => {
    const made = Array.from({ length: count }, (_, i) => make(`${i}.csv`, 1_000 * (count - i)));
    const answer = await viaClient(SEVERAL, { files: made.map(({ file }) => file) });
    assertData(answer, { uploadAll: made.map(({ received }) => received) });
  });
}

for (const header of PREFLIGHT) {
  await check(`with ${header} it is taken`, async () => {
    const { file, received } = make('cards.csv', 100);
    assertData(await viaClient(ONE, { file }, { [header]: '1' }), { upload: received });
  });
}

await check('without a header that forces a preflight it is refused', async () => {
  assertRefused(await viaClient(ONE, { file: make('cards.csv', 100).file }, {}));
});

await check('without such a header nothing else is executed either', async () => {
  assertRefused(await viaForm({ operations: { query: 'mutation { change }' }, map: {} }, {}));
});

await check(`${FILES + 1} files are refused`, async () => {
  const files = Array.from({ length: FILES + 1 }, (_, i) => make(`${i}.csv`, 10).file);
  assertRefused(await viaClient(SEVERAL, { files }));
});

await check('a part that is mapped to two paths is refused', async () => {
  const { file } = make('cards.csv', 10);
  // What the client makes of one file that is there twice.
  assertRefused(await viaClient(SEVERAL, { files: [file, file] }));
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
