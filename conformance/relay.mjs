// relay-compiler over relay-app/ against the server's SDL, and what it makes against the server.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import compiler from 'relay-compiler';
import { ask, check, finish, outFolder, writeSdl } from './lib.mjs';

const QUERIES = ['CardListQuery', 'CardListPageQuery', 'CardRowPrintingsQuery'];

await rm(await outFolder('relay'), { recursive: true });
const folder = await outFolder('relay');
let persisted = {};

await check('relay-compiler compiles the app', async () => {
  await writeSdl(folder);
  await cp(new URL('relay-app', import.meta.url), `${folder}app`, { recursive: true });
  const config = {
    src: './app',
    schema: './schema.graphql',
    language: 'javascript',
    persistConfig: { file: './persisted.json', algorithm: 'SHA256' },
  };
  await writeFile(`${folder}relay.config.json`, JSON.stringify(config));
  // The compiler adds to this file, and wants it to be there.
  await writeFile(`${folder}persisted.json`, '{}');
  try {
    await promisify(execFile)(compiler, ['relay.config.json'], { cwd: folder });
  } catch (error) {
    throw new Error(`${error.stdout}${error.stderr}` || error.message);
  }
});

await check('the persisted file holds each query under its hash', async () => {
  persisted = JSON.parse(await readFile(`${folder}persisted.json`, 'utf8'));
  const texts = Object.entries(persisted);
  assert.equal(texts.length, QUERIES.length);
  for (const [id, text] of texts) assert.equal(createHash('sha256').update(text).digest('hex'), id);
});

const textOf = (name) => {
  const text = Object.values(persisted).find((candidate) => new RegExp(`^query ${name}\\b`).test(candidate));
  assert.ok(text, `${name} is not in the persisted file`);
  return text;
};

await check('the list turns its page', async () => {
  const { cards } = await ask(textOf('CardListQuery'), {});
  assert.equal(cards.edges.length, 10);
  const next = await ask(textOf('CardListPageQuery'), { count: 10, cursor: cards.pageInfo.endCursor });
  const ids = [...cards.edges, ...next.cards.edges].map(({ node }) => node.id);
  assert.equal(new Set(ids).size, 20);
});

await check('a row is refetched by its id', async () => {
  const { cards } = await ask(textOf('CardListQuery'), {});
  const [{ node }] = cards.edges;
  const answer = await ask(textOf('CardRowPrintingsQuery'), { id: node.id });
  assert.equal(answer.node.id, node.id);
  assert.equal(answer.node.name, node.name);
});

finish();
