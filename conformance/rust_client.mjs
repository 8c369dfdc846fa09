// A Rust client that graphql_client generates from schema.graphql: tests/generated_client.rs, which compiles it and has it
// ask a server of its own.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { check, finish, given } from './lib.mjs';

const cargo = given('cargo', 'CARGO') ?? finish();

const TEST = 'generated_client::a_generated_client_reads_what_is_answered::on_sqlite';
const repository = fileURLToPath(new URL('..', import.meta.url));

await check('what is generated compiles, and reads what is answered', async () => {
  const { error, output } = await new Promise((resolve) => {
    const test = ['test', '--locked', '--workspace', '--test', 'suite', '--', '--exact', TEST];
    execFile(cargo, test, { cwd: repository }, (error, stdout, stderr) => resolve({ error, output: stderr + stdout }));
  });
  if (error) throw new Error(output.slice(-1000));
  // A name that no test has is no error to cargo.
  if (!/^test result: ok\. 1 passed;/m.test(output)) throw new Error(`the test did not run: ${output.slice(-1000)}`);
});

finish();
