// What these scripts and those beside them share: where the server is, and what the system tells of its process.
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

// A load test pointed at somebody else's server by a slip is an attack: only this machine's own address will do.
const LOOPBACK = /^http:\/\/127\.0\.0\.1(:\d{1,5})?\/?$/;

// All options are whole numbers but those that are named as `texts`.
export function readArguments(usage, options, texts = []) {
  try {
    const { values, positionals } = parseArgs({ options: { pid: { type: 'string' }, ...options }, allowPositionals: true });
    if (positionals.length !== 1 || !LOOPBACK.test(positionals[0])) throw new Error('URL must be http://127.0.0.1:PORT.');
    for (const [name, value] of Object.entries(values)) {
      if (!texts.includes(name) && !/^[1-9]\d{0,6}$/.test(value)) throw new Error(`--${name} must be a whole number.`);
    }
    return { url: new URL(positionals[0]), ...values };
  } catch (error) {
    console.error(`${error.message}\nusage: ${usage}`);
    process.exit(2);
  }
}

// The process's memory in MiB: `VmRSS` now, `VmHWM` at its peak. NaN where no process was named.
export function memory(pid, what = 'VmHWM') {
  if (!pid) return NaN;
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(status)[1]) / 1024;
}

export const descriptors = (pid) => (pid ? readdirSync(`/proc/${pid}/fd`).length : NaN);

// How many files a process may have open.
function mostDescriptors(pid) {
  const most = /^Max open files\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))[1];
  return most === 'unlimited' ? Infinity : Number(most);
}

// Files that a process has open beside the connections.
const SPARE_DESCRIPTORS = 100;

// Ends where this script or the server may not have so many connections.
export function checkDescriptors(pid, count) {
  const needed = count + SPARE_DESCRIPTORS;
  for (const [who, id] of [['this script', process.pid], ['the server', pid]]) {
    if (!id || mostDescriptors(id) >= needed) continue;
    console.error(
      `${who} may have ${mostDescriptors(id)} files open, and ${count} connections need ${needed}: ` +
        `start it after \`ulimit -n ${needed}\`, or ask for fewer.`,
    );
    process.exit(2);
  }
}

export const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];

export function sorted(numbers) {
  return [...numbers].sort((a, b) => a - b);
}

export function printTable(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  cells.splice(1, 0, widths.map((width) => '-'.repeat(width)));
  // The first column is words, the others are figures.
  const pad = (text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  for (const row of cells) console.log(`| ${row.map(pad).join(' | ')} |`);
}

// The same numbers for the same seed: Tommy Ettinger's mulberry32.
export function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
