// The program itself, for what can't be seen from outside: its commands, and a server in production.
import { execFile, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

// The checks' own variables: to the program one that it does not know is a mistake.
const OURS = /^DUALCASTER_(URL|CONTRACT|COMPLETE|BINARY|CALLER|STAGE_URL|WITHOUT_\w+)$/;
// What would lead a server of our own to somebody's data.
const SETTINGS = /^(DUALCASTER_|OTEL_|DATABASE_|REDIS_URL$|RUST_LOG$)/;
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));

const environment = (left) => Object.fromEntries(Object.entries(process.env).filter(([name]) => !left.test(name)));

// What ends with the check: the servers first, for they write into the folders.
const servers = [];
const folders = [];

process.on('exit', () => {
  for (const server of servers) server.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

async function ownFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'dualcaster-'));
  folders.push(folder);
  return folder;
}

async function run(binary, args, options) {
  try {
    const { stdout } = await promisify(execFile)(binary, args, options);
    return stdout;
  } catch (error) {
    throw new Error(`dualcaster ${args.join(' ')}: ${error.stderr || error.message}`);
  }
}

// Starts a server, and says where it listens: `told` finds the address in what it prints.
function serve(binary, env, told) {
  const server = spawn(binary, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  servers.push(server);
  return new Promise((resolve, reject) => {
    let log = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (data) => {
        log += data;
        const found = told.exec(log);
        if (found) resolve(`http://${found[1]}`);
      });
    }
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`the server in ${env.DUALCASTER_ENV} did not start: ${log}`)));
  });
}

// Runs a command with the settings and in the folder of the server under test: those that run.sh was called with.
export function command(binary, ...args) {
  return run(binary, args, { env: environment(OURS), cwd: process.env.DUALCASTER_CALLER ?? REPOSITORY });
}

// Where a server in production with an empty database of its own listens.
export async function production(binary) {
  const folder = await ownFolder();
  const env = {
    ...environment(SETTINGS),
    DUALCASTER_ENV: 'production',
    DUALCASTER_SECRET: 'a secret of the checks and of nobody else',
    DUALCASTER_JWT_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }),
    // Nothing is sent there.
    DUALCASTER_SMTP_URL: 'smtp://127.0.0.1:1',
    DUALCASTER_LISTEN: '127.0.0.1:0',
    DUALCASTER_ADMIN_LISTEN: '127.0.0.1:0',
    DUALCASTER_DATA_DIR: folder,
    DATABASE_URL: `sqlite://${join(folder, 'production.db')}?mode=rwc`,
  };
  await run(binary, ['migrate', 'up'], { env });
  return serve(binary, env, /"address":"([^"]+)"/);
}

// Where a server in development with an empty data folder of its own listens, and what runs commands and keeps files there.
export async function development(binary) {
  const folder = await ownFolder();
  const env = {
    ...environment(SETTINGS),
    DUALCASTER_ENV: 'development',
    DUALCASTER_LISTEN: '127.0.0.1:0',
    DUALCASTER_DATA_DIR: folder,
    DUALCASTER_DEMO: 'false',
  };
  const url = await serve(binary, env, /GraphiQL: http:\/\/(\S+)\/graphiql/);
  return { url, folder, command: (...args) => run(binary, args, { env }) };
}
