// The client preset of graphql-codegen over the contract's operations that validate today, with its persisted documents.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { generate } from '@graphql-codegen/cli';
import { buildSchema } from 'graphql';
import { contractFolder, readOperations } from './contract.mjs';
import { assertNone, check, execute, fetchSdl, finish, outFolder, writeSdl } from './lib.mjs';

const contract = contractFolder();
await rm(await outFolder('codegen'), { recursive: true });
const folder = await outFolder('codegen');
const operations = await readOperations(contract, buildSchema(await fetchSdl()));
const valid = operations.filter(({ errors }) => errors.length === 0);
console.log(`${valid.length} of ${operations.length} operations validate: ${valid.map(({ name }) => name).join(', ')}`);

await check('an operation validates', async () => assert.ok(valid.length > 0));

// Each client by itself, as they share no fragments. Within one a fragment may be in several documents: all parts, once.
for (const client of new Set(valid.map((operation) => operation.client))) {
  const mine = valid.filter((operation) => operation.client === client);
  const home = await outFolder(`codegen/${client}`);
  let persisted = {};

  await check(`${client}: the preset generates`, async () => {
    const schema = await writeSdl(home);
    const parts = new Set(mine.flatMap(({ text }) => text.split(/\n\n(?=query|mutation|subscription|fragment)/)));
    await writeFile(`${home}operations.graphql`, [...parts].join('\n\n'));
    await generate(
      {
        schema,
        documents: `${home}operations.graphql`,
        generates: {
          [`${home}gql/`]: {
            preset: 'client',
            presetConfig: { persistedDocuments: { hashAlgorithm: 'sha256' } },
          },
        },
        silent: true,
      },
      true,
    );
  });

  await check(`${client}: the manifest holds each operation as sha256:<hex>`, async () => {
    persisted = JSON.parse(await readFile(`${home}gql/persisted-documents.json`, 'utf8'));
    assert.equal(Object.keys(persisted).length, mine.length);
    for (const [id, text] of Object.entries(persisted)) {
      assert.equal(id, `sha256:${createHash('sha256').update(text).digest('hex')}`);
    }
  });

  for (const { name } of mine.filter(({ kind, needsVariables }) => kind === 'query' && !needsVariables)) {
    await check(`${client}: ${name} is answered as generated`, async () => {
      const text = Object.values(persisted).find((candidate) => new RegExp(`\\bquery ${name}\\b`).test(candidate));
      assert.ok(text, 'it is not in the manifest');
      const { errors = [] } = await execute(text);
      // Nobody is signed in here, and some are refused for that.
      const others = errors.filter(({ extensions }) => !['ERR-2001', 'ERR-2005'].includes(extensions?.errorCode));
      if (others.length > 0) assertNone(others);
    });
  }
}

finish();
