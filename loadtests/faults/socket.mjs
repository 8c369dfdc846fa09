// A client of `graphql-transport-ws`, for what few sockets tell.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { CLOSE, PING, PONG, TEXT, frame, frameLength } from '../live/frames.mjs';
import { GIVE_UP_MS } from './lib.mjs';

export class Socket {
  #socket;
  #rest = Buffer.alloc(0);
  #pieces = [];
  // Of each subscription, whom its messages go to.
  #listeners = new Map();
  #greeted;

  // Until the server has answered the greeting.
  async open(base, token) {
    const request = http.get(new URL('/graphql', base), {
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'graphql-transport-ws',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    });
    const [socket, head] = await new Promise((resolve, reject) => {
      request.on('upgrade', (_, socket, head) => resolve([socket, head]));
      request.on('response', ({ statusCode }) => reject(new Error(`no WebSocket, but ${statusCode}`)));
      request.on('error', reject);
    });
    this.#socket = socket;
    socket.setNoDelay();
    socket.on('data', (piece) => this.#receive(piece));
    socket.on('error', () => {});
    socket.on('close', () => {
      for (const listener of this.#listeners.values()) listener({ type: 'closed' });
    });
    await new Promise((resolve, reject) => {
      this.#greeted = resolve;
      setTimeout(() => reject(new Error('no answer to a greeting')), GIVE_UP_MS).unref();
      this.#send({ type: 'connection_init', payload: { Authorization: `Bearer ${token}` } });
      if (head.length > 0) this.#receive(head);
    });
  }

  // `listener` is given every message of the subscription.
  subscribe(id, query, variables, listener) {
    this.#listeners.set(id, listener);
    this.#send({ type: 'subscribe', id, payload: { query, variables } });
  }

  close() {
    this.#listeners.clear();
    this.#socket.destroy();
  }

  #send(message) {
    this.#socket.write(frame(TEXT, Buffer.from(JSON.stringify(message))));
  }

  #receive(piece) {
    const bytes = Buffer.concat([this.#rest, piece]);
    let at = 0;
    for (;;) {
      const length = frameLength(bytes, at);
      if (length === undefined || at + length.whole > bytes.length) break;
      this.#take(bytes[at], bytes.subarray(at + length.head, at + length.whole));
      at += length.whole;
    }
    this.#rest = bytes.subarray(at);
  }

  // A frame: its first byte says whether it is a message's last, and of what kind.
  #take(first, payload) {
    const kind = first & 0x0f;
    if (kind === CLOSE) this.#socket.end(frame(CLOSE, payload));
    else if (kind === PING) this.#socket.write(frame(PONG, payload));
    else if (kind < CLOSE) {
      this.#pieces.push(Buffer.from(payload));
      if ((first & 0x80) === 0) return;
      const message = JSON.parse(Buffer.concat(this.#pieces).toString());
      this.#pieces = [];
      this.#hear(message);
    }
  }

  #hear(message) {
    if (message.type === 'connection_ack') this.#greeted();
    else if (message.type === 'ping') this.#send({ type: 'pong' });
    else this.#listeners.get(message.id)?.(message);
  }
}
