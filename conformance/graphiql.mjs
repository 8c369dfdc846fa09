// GraphiQL in headless Chromium: tests/graphiql/check.mjs, each of its steps a check.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { fail, finish, given, pass, server } from './lib.mjs';

given('browser', 'CHROMIUM') ?? finish();

const script = fileURLToPath(new URL('../tests/graphiql/check.mjs', import.meta.url));
const walk = spawn(process.execPath, [script, server], { stdio: ['ignore', 'pipe', 'inherit'] });
const ended = once(walk, 'close');

// Each step, and the lines below it.
const steps = [];
for await (const line of createInterface({ input: walk.stdout })) {
  const [, not, name] = /^(not )?ok: (.*)$/.exec(line) ?? [];
  if (name) steps.push({ name, isDone: !not, reason: [] });
  else steps.at(-1)?.reason.push(line.trim());
}
for (const { name, isDone, reason } of steps) {
  if (isDone) pass();
  else fail(name, reason.join('\n'));
}

const [code] = await ended;
const isDone = steps.length > 0 && steps.every((step) => step.isDone);
if (isDone !== (code === 0)) fail('check.mjs', `it ended with ${code} after ${steps.length} steps`);
finish();
