// Frames of WebSockets, as a client sends and reads them: RFC 6455.
import { randomBytes } from 'node:crypto';

export const TEXT = 1;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

// What is sent is masked: section 5.3.
export function frame(kind, payload) {
  const { length } = payload;
  const head = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 0xff] : undefined;
  if (!head) throw new Error('a message is too long: 65,535 bytes at most');
  const mask = randomBytes(4);
  const masked = Buffer.from(payload);
  for (let at = 0; at < length; at += 1) masked[at] ^= mask[at & 3];
  return Buffer.concat([Buffer.from([0x80 | kind, 0x80 | head[0], ...head.slice(1)]), mask, masked]);
}

// The length of the frame that begins here, and of its head; nothing where that is still to come.
export function frameLength(bytes, at) {
  const there = bytes.length - at;
  if (there < 2) return undefined;
  const short = bytes[at + 1] & 0x7f;
  if (short < 126) return { head: 2, whole: 2 + short };
  if (short === 126) return there < 4 ? undefined : { head: 4, whole: 4 + bytes.readUInt16BE(at + 2) };
  return there < 10 ? undefined : { head: 10, whole: 10 + Number(bytes.readBigUInt64BE(at + 2)) };
}
