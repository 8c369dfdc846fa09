// What the checks share: where the server is, and counting. Only failures are printed, then the line that run.sh adds up.
import { basename } from 'node:path';
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export const server = (process.env.DUALCASTER_URL ?? 'http://127.0.0.1:8080').replace(/\/+$/, '');
export const endpoint = `${server}/graphql`;
// With --complete what is not built yet counts as a failure.
export const complete = process.env.DUALCASTER_COMPLETE === '1';

const script = basename(process.argv[1], '.mjs');
const LIMIT_MS = 30_000;
let passed = 0;
let failed = 0;
let finished = false;

export function pass() {
  passed += 1;
}

export function fail(name, reason) {
  failed += 1;
  console.log(`not ok: ${name}\n    ${String(reason).trim().replaceAll('\n', '\n    ')}`);
}

export async function check(name, body) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(reject, LIMIT_MS, new Error(`no end after ${LIMIT_MS / 1000} s`));
  });
  try {
    await Promise.race([body(), late]);
    pass();
  } catch (error) {
    fail(name, describe(error));
  } finally {
    clearTimeout(timer);
  }
}

// Ends the process too: a client's open socket must not keep a check alive.
export function finish() {
  finished = true;
  process.exit(failed === 0 ? 0 : 1);
}

// A client may fail where nobody waits for it. One that has its answer aborts the rest, which is no failure.
process.on('uncaughtException', (error) => {
  if (error?.name === 'AbortError') return;
  fail('the check itself', describe(error));
  finish();
});

process.on('exit', () => {
  if (!finished) fail('the check itself', 'it ended early');
  console.log(`${script}: ${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
});

// What a check needs beside the server. Without it the check has failed, unless that was allowed.
export function given(what, variable) {
  const value = process.env[variable];
  if (value) return value;
  if (process.env[`DUALCASTER_WITHOUT_${what.toUpperCase()}`] === '1') {
    console.log(`skipped: no ${what}, as allowed by --without-${what}; the option --${what} of run.sh names one`);
  } else {
    fail(what, `${variable} is not set: the option --${what} of run.sh names one; --without-${what} leaves this out`);
  }
  return undefined;
}

export async function post(body) {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });
  return response.json();
}

export const execute = (query, variables) => post({ query, variables });

// The data of a query that must be answered without errors.
export async function ask(query, variables) {
  const { data, errors } = await execute(query, variables);
  assertNone(errors);
  return data;
}

export function assertNone(errors) {
  if (errors) throw new Error(JSON.stringify(errors).slice(0, 600));
}

let sdl;

export async function fetchSdl() {
  sdl ??= await (async () => {
    const response = await fetch(`${server}/schema.graphql`);
    if (!response.ok) throw new Error(`GET /schema.graphql answered ${response.status}`);
    return response.text();
  })();
  return sdl;
}

// Waits for what comes a moment later.
export async function until(what, seconds, look) {
  const end = performance.now() + seconds * 1000;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`after ${seconds} s ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

// A folder for what a check writes; git ignores it.
export async function outFolder(name) {
  const folder = fileURLToPath(new URL(`out/${name}/`, import.meta.url));
  await mkdir(folder, { recursive: true });
  return folder;
}

export async function writeSdl(folder) {
  const file = `${folder}schema.graphql`;
  await writeFile(file, await fetchSdl());
  return file;
}

function describe(error) {
  const text = error?.message || String(error);
  const cause = error?.cause?.code ?? error?.cause?.message;
  return (cause ? `${text} (${cause})` : text).slice(0, 1200);
}
