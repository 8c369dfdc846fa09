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

// Runs a command with the settings and in the folder of the server under test: those that run.sh was called with.
export async function command(binary, ...args) {
  const options = { env: environment(OURS), cwd: process.env.DUALCASTER_CALLER ?? REPOSITORY };
  try {
    const { stdout } = await promisify(execFile)(binary, args, options);
    return stdout;
  } catch (error) {
    throw new Error(`dualcaster ${args.join(' ')}: ${error.stderr || error.message}`);
  }
}

// Where a server in production with an empty database of its own listens. It ends with the check.
export async function production(binary) {
  const folder = await mkdtemp(join(tmpdir(), 'dualcaster-'));
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
  let server;
  process.on('exit', () => {
    server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, maxRetries: 3 });
  });
  await promisify(execFile)(binary, ['migrate', 'up'], { env });
  server = spawn(binary, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let log = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream.on('data', (data) => {
        log += data;
        const found = /"address":"([^"]+)"/.exec(log);
        if (found) resolve(`http://${found[1]}`);
      });
    }
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`the server in production did not start: ${log}`)));
  });
}
