// What the scripts here share: how a server is asked, and what its metrics say.
import { readFileSync } from 'node:fs';
import { LOGIN, PASSWORD, REGISTER, parsed, send } from '../faults/lib.mjs';

export { PASSWORD };

// One operation: its status, how long it took, the first code that is wrong with it, and its first root field.
export async function ask(base, query, { variables = {}, token, address }) {
  const body = Buffer.from(JSON.stringify({ query, variables }));
  const answer = await send(base, {
    path: '/graphql',
    method: 'POST',
    headers: {
      accept: 'application/graphql-response+json',
      'content-type': 'application/json',
      'content-length': body.length,
      'x-forwarded-for': address,
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body,
  });
  const { data, errors } = parsed(answer.text);
  const [field] = Object.values(data ?? {});
  const code = errors?.[0]?.extensions?.errorCode ?? field?.userErrors?.[0]?.errorCode;
  return { ...answer, code, field };
}

export async function register(base, email, address) {
  const input = { email, password: PASSWORD, displayName: 'Ada' };
  const answer = await ask(base, REGISTER, { variables: { input }, address });
  if (!answer.field?.accessToken) throw new Error(`nobody can register: ${described(answer)}`);
}

export function login(base, email, password, address) {
  return ask(base, LOGIN, { variables: { input: { email, password } }, address });
}

export const described = ({ status, failure, code, text }) =>
  `${status} ${failure ?? code ?? ''} ${text.slice(0, 200)}`.trim();

// An address that nobody has had: each is counted for itself.
export const addressOf = (number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;

// A number of the server's metrics; NaN where it has none of this name.
export async function metric(base, name) {
  const { text } = await send(base, { path: '/metrics' });
  const line = text.split('\n').find((line) => line.startsWith(`${name} `));
  return line === undefined ? NaN : Number(line.slice(name.length + 1));
}

// How much the machine had to do of late: runnable tasks in the last minute.
export const load = () => readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
