// The SDL under the schema rules of @graphql-eslint: recommended and relay. Each rule counts once.
import plugin from '@graphql-eslint/eslint-plugin';
import { ESLint } from 'eslint';
import { fail, fetchSdl, finish, outFolder, pass, writeSdl } from './lib.mjs';

const SHOWN = 5;

const rules = {
  ...plugin.configs['flat/schema-recommended'].rules,
  ...plugin.configs['flat/schema-relay'].rules,
  // Values such as a price have no identity.
  '@graphql-eslint/strict-id-in-types': 'off',
  // The connections of the contract have `nodes` beside `edges`, and not every node is a Node.
  '@graphql-eslint/relay-edge-types': [
    'error',
    { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
  ],
};

const schemaFile = await writeSdl(await outFolder('eslint'));
const eslint = new ESLint({
  overrideConfigFile: true,
  overrideConfig: [
    {
      files: ['**/*.graphql'],
      languageOptions: {
        parser: plugin.parser,
        parserOptions: { graphQLConfig: { schema: schemaFile } },
      },
      plugins: { '@graphql-eslint': plugin },
      rules,
    },
  ],
});
const [{ messages }] = await eslint.lintText(await fetchSdl(), { filePath: schemaFile });

for (const [rule, setting] of Object.entries(rules)) {
  if (setting === 'off') continue;
  const found = messages.filter((message) => message.ruleId === rule);
  if (found.length === 0) pass();
  else {
    const lines = found.slice(0, SHOWN).map(({ line, message }) => `line ${line}: ${message}`);
    if (found.length > SHOWN) lines.push(`and ${found.length - SHOWN} more`);
    fail(rule, lines.join('\n'));
  }
}
const others = messages.filter((message) => !(message.ruleId in rules));
if (others.length > 0) fail('the SDL', others.map(({ message }) => message).join('\n'));
finish();
