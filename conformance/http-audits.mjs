// GraphQL over HTTP: the audits of graphql-http. A notice or a warning fails as an error does.
import { serverAudits } from 'graphql-http';
import { check, endpoint, fail, finish, pass } from './lib.mjs';

const EXPECTED = 61;

const audits = serverAudits({ url: endpoint, fetchFn: fetch });
if (audits.length === EXPECTED) pass();
else fail('the number of audits', `expected ${EXPECTED}, the package has ${audits.length}`);

for (const audit of audits) {
  await check(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn();
    if (result.status !== 'ok') throw new Error(`${result.status}: ${result.reason}`);
  });
}
finish();
