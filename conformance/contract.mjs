// The operations of the contract that is handed in as a folder: one document an operation, with the fragments it uses.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kind, concatAST, parse, print, separateOperations, validate } from 'graphql';
import { finish, given } from './lib.mjs';

// Without the folder there is nothing to check: a failure, unless --without-contract allowed it.
export function contractFolder() {
  return given('contract', 'DUALCASTER_CONTRACT') ?? finish();
}

export async function readOperations(folder, schema) {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.graphql')).sort();
  const groups = new Map();
  for (const name of names) {
    if (name === 'schema.graphql') continue;
    // A client is a folder: its files share fragments, other clients' do not.
    const client = name.split(/[\\/]/)[0];
    const group = groups.get(client) ?? [];
    group.push(parse(await readFile(join(folder, name), 'utf8')));
    groups.set(client, group);
  }
  const operations = [];
  for (const [client, documents] of groups) {
    for (const [name, document] of Object.entries(separateOperations(concatAST(documents)))) {
      const { operation, variableDefinitions } = document.definitions.find(
        (definition) => definition.kind === Kind.OPERATION_DEFINITION,
      );
      operations.push({
        client,
        name,
        kind: operation,
        needsVariables: variableDefinitions.some((v) => v.type.kind === Kind.NON_NULL_TYPE && !v.defaultValue),
        text: print(document),
        errors: problems(schema, operation, document),
      });
    }
  }
  return operations;
}

// Validation does not ask whether the schema has such operations at all.
function problems(schema, operation, document) {
  if (!schema.getRootType(operation)) return [`The schema has no ${operation} type.`];
  return validate(schema, document).map(({ message }) => message);
}
