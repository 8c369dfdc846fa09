// Three clients' tools, each of which makes a manifest of the same two operations.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generate } from '@graphql-codegen/cli';
import compiler from 'relay-compiler';
import { writeSdl } from './lib.mjs';

const run = promisify(execFile);
const APOLLO = fileURLToPath(new URL('node_modules/@apollo/generate-persisted-query-manifest/cli.js', import.meta.url));

// With a tag, so that their ids are new to the server and nobody else's. Relay wants names to begin with their file's.
export const tag = randomBytes(4).toString('hex');
const list = `List${tag}`;
const places = `Places${tag}`;
const FILES = {
  [list]: [
    `query ${list}Query($first: Int) { cards(first: $first) { nodes { id ...${list}_card } } }`,
    `fragment ${list}_card on Card { name set { code } }`,
  ],
  [places]: [`query ${places}Query { marketplaces { slug } }`],
};

// By name: as its author wrote it, and the variables to ask it with.
export const OPERATIONS = {
  [`${list}Query`]: { source: FILES[list].join('\n'), variables: { first: 2 } },
  [`${places}Query`]: { source: FILES[places].join('\n'), variables: {} },
};

async function writeFiles(folder, extension, form = (definition) => definition) {
  await mkdir(folder, { recursive: true });
  for (const [name, definitions] of Object.entries(FILES)) {
    await writeFile(`${folder}/${name}.${extension}`, definitions.map(form).join('\n'));
  }
}

const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));
const named = ([id, text]) => ({ id, text, name: /\bquery (\w+)/.exec(text)?.[1] });

// Each answers where its manifest is, and what it says the operations are: id, name, text.

async function apollo(folder) {
  await writeFiles(`${folder}src`, 'graphql');
  await run(process.execPath, [APOLLO], { cwd: folder });
  const manifest = `${folder}persisted-query-manifest.json`;
  const { format, operations } = await readJson(manifest);
  assert.equal(format, 'apollo-persisted-query-manifest');
  return { manifest, operations: operations.map(({ id, name, body }) => ({ id, name, text: body })) };
}

async function codegen(folder) {
  await writeFiles(`${folder}src`, 'graphql');
  const output = { preset: 'client', presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } } };
  const input = { schema: await writeSdl(folder), documents: `${folder}src/*.graphql` };
  await generate({ ...input, generates: { [`${folder}gql/`]: output }, silent: true }, true);
  const manifest = `${folder}gql/persisted-documents.json`;
  const operations = Object.entries(await readJson(manifest)).map(named);
  const code = await readFile(`${folder}gql/graphql.ts`, 'utf8');
  for (const { id } of operations) {
    assert.match(id, /^sha256:[0-9a-f]{64}$/);
    assert.ok(code.includes(`"hash":"${id}"`), `no generated document has the id ${id}`);
  }
  return { manifest, operations };
}

// Answers its artifacts too: what an app hands to Relay's runtime.
async function relay(folder) {
  await writeFiles(`${folder}src`, 'js', (definition) => `graphql\`${definition}\`;`);
  await writeSdl(folder);
  const manifest = `${folder}persisted.json`;
  const config = {
    src: './src',
    schema: './schema.graphql',
    language: 'javascript',
    eagerEsModules: true,
    persistConfig: { file: './persisted.json', algorithm: 'SHA256' },
  };
  await writeFile(`${folder}relay.config.json`, JSON.stringify(config));
  // The compiler adds to this file, and wants it to be there.
  await writeFile(manifest, '{}');
  await run(compiler, ['relay.config.json'], { cwd: folder });
  const operations = [];
  for (const operation of Object.entries(await readJson(manifest)).map(named)) {
    const { default: artifact } = await import(`${folder}src/__generated__/${operation.name}.graphql.js`);
    operations.push({ ...operation, artifact });
  }
  return { manifest, operations };
}

export const tools = { apollo, codegen, relay };
