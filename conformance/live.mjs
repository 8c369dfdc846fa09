// The product's own subscriptions through the clients of graphql-ws and graphql-sse: new prices and met wants, on a server
// with two cards of its own, while another process ingests a day after the other.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient as createSse } from 'graphql-sse';
import { createClient as createSocket } from 'graphql-ws';
import WebSocket from 'ws';
import { development } from './binary.mjs';
import { assertNone, check, finish, given, until } from './lib.mjs';

const binary = given('binary', 'DUALCASTER_BINARY') ?? finish();

const PATIENCE_SECONDS = 20;
const UNAUTHORIZED = 4401;
// Who listens to prices asks for the first, and the second is wanted.
const BOLT = { number: 1, name: 'Lightning Bolt' };
const LOTUS = { number: 2, name: 'Black Lotus' };
const TARGET = '90.00';

// The days' prices, the last of them yesterday's: the first card's in two marketplaces, and the second's in one. Each
// client is told of three: all prices fall, the second's to its target, rise and fall again.
const DAYS = [
  { cardkingdom: '10.00', tcgplayer: '11.00', lotus: '100.00' },
  { cardkingdom: '10.10', tcgplayer: '11.10', lotus: '101.00' },
  { cardkingdom: '8.20', tcgplayer: '8.70', lotus: '80.20' },
  { cardkingdom: '10.30', tcgplayer: '11.30', lotus: '103.00' },
  { cardkingdom: '8.40', tcgplayer: '8.90', lotus: '80.40' },
  { cardkingdom: '10.50', tcgplayer: '11.50', lotus: '105.00' },
  { cardkingdom: '8.60', tcgplayer: '9.10', lotus: '80.60' },
  { cardkingdom: '10.70', tcgplayer: '11.70', lotus: '107.00' },
  { cardkingdom: '8.80', tcgplayer: '9.30', lotus: '80.80' },
].map((prices, index, all) => {
  const date = new Date(Date.now() - (all.length - index) * 86_400_000).toISOString().slice(0, 10);
  return { date, ...prices };
});

const PRICES = `subscription ($ids: [ID!]!) {
  priceUpdates(cardIds: $ids) { card { name } price { marketplace { slug } price observedAt } previousPrice }
}`;
const HITS = { query: 'subscription { wantListHits { belowTarget card { name price { price } } targetPrice { amount } } }' };

// --- files as MTGJSON has them

const id = (kind, { number }) => `${kind}0000000-0000-4000-8000-00000000000${number}`;
const scryfallId = (card) => id(1, card);
const mtgjsonId = (card) => id(2, card);
const cardId = (card) => Buffer.from(`Card:${scryfallId(card)}`).toString('base64url');

function catalogue(cards) {
  const entry = (card) => ({
    artist: 'A. Painter', availability: ['paper'], borderColor: 'black', colorIdentity: ['R'], colors: ['R'],
    convertedManaCost: 1, frameVersion: '2015', hasFoil: true, hasNonFoil: true,
    identifiers: { scryfallId: scryfallId(card), scryfallOracleId: id(3, card) },
    keywords: [], layout: 'normal', legalities: { vintage: 'Restricted' }, manaCost: '{R}', name: card.name,
    number: String(card.number), purchaseUrls: {}, rarity: 'rare', rulings: [], setCode: 'LEA', subtypes: [],
    supertypes: [], text: 'Some rules.', type: 'Instant', types: ['Instant'], uuid: mtgjsonId(card),
  });
  const set = {
    baseSetSize: cards.length, cards: cards.map(entry), code: 'LEA', isOnlineOnly: false, keyruneCode: 'LEA',
    name: 'Limited Edition Alpha', releaseDate: '1993-08-05', tokens: [], totalSetSize: cards.length, type: 'core',
  };
  return { meta: { date: '2026-01-01', version: '5.0.1' }, data: { LEA: set } };
}

function pricesOf(days) {
  const points = (name) => ({
    retail: { normal: Object.fromEntries(days.map((day) => [day.date, Number(day[name])])) },
    buylist: {},
    currency: 'USD',
  });
  const data = {
    [mtgjsonId(BOLT)]: { paper: { cardkingdom: points('cardkingdom'), tcgplayer: points('tcgplayer') } },
    [mtgjsonId(LOTUS)]: { paper: { cardkingdom: points('lotus') } },
  };
  return { meta: { date: days.at(-1).date, version: '5.2.2' }, data };
}

// --- the server

let server;

async function ingest(format, content) {
  const file = join(server.folder, `${format}.json`);
  await writeFile(file, JSON.stringify(content));
  await server.command('ingest', format, file);
}

async function ask(query, token) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assertNone(errors);
  const [[, payload]] = Object.entries(data);
  assert.deepEqual(payload.userErrors ?? [], []);
  return payload;
}

// Waits until so many listen: a subscription is active only a moment after it was sent.
function listeners(prices, hits) {
  return until(`not ${prices} listen to prices and ${hits} to hits`, PATIENCE_SECONDS, async () => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const count = (to) => Number(new RegExp(`^dualcaster_listeners\\{to="${to}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0);
    return count('prices') === prices && count('hits') === hits;
  });
}

// --- the clients

function socket(token) {
  const seen = { opened: 0 };
  seen.closed = new Promise((resolve) => (seen.close = resolve));
  const client = createSocket({
    url: `${server.url.replace(/^http/, 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    // As apps have it: what is final must not be tried again.
    retryAttempts: 3,
    connectionParams: token ? { authorization: `Bearer ${token}` } : undefined,
    on: { opened: () => (seen.opened += 1), closed: seen.close },
  });
  return { client, seen };
}

const sse = (token) =>
  createSse({
    url: `${server.url}/graphql`,
    retryAttempts: 0,
    headers: token ? { authorization: `Bearer ${token}` } : undefined,
  });

// Each with the index of the first day that it is told of.
const CLIENTS = [
  { name: 'graphql-ws', make: (token) => socket(token).client, from: 2 },
  { name: 'graphql-sse', make: sse, from: 6 },
];

// What a subscription has told so far, and how it ends.
function listen(client, payload) {
  const told = [];
  let leave;
  const ended = new Promise((resolve) => {
    leave = client.subscribe(payload, {
      next: (result) => told.push(result),
      error: (error) => resolve(error),
      complete: () => resolve(),
    });
  });
  return { told, ended, leave };
}

// The errors of what is refused: as a result, or instead of one.
async function refusal(client, payload) {
  const { told, ended } = listen(client, payload);
  const error = await ended;
  if (Array.isArray(error)) return error;
  // Refused before a stream begins: the client hands out the response.
  if (error?.response) return (await error.response.json()).errors;
  if (error) throw error instanceof Error ? error : new Error(`closed with ${error.code}`);
  return told.flatMap(({ errors }) => errors ?? []);
}

// --- what has to be told of the day at this index, over that of the day before

function pricesTold(index) {
  const [before, now] = [DAYS[index - 1], DAYS[index]];
  return ['cardkingdom', 'tcgplayer'].map((slug) => ({
    priceUpdates: {
      card: { name: BOLT.name },
      price: { marketplace: { slug }, price: now[slug], observedAt: `${now.date}T00:00:00Z` },
      previousPrice: before[slug],
    },
  }));
}

function hitsTold(index) {
  const { lotus } = DAYS[index];
  if (Number(lotus) > Number(TARGET)) return [];
  const card = { name: LOTUS.name, price: { price: lotus } };
  return [{ wantListHits: { belowTarget: true, card, targetPrice: { amount: TARGET } } }];
}

const slugOf = (data) => data.priceUpdates?.price.marketplace.slug ?? '';

// Without a promise about the order of what one ingest brings.
function assertTold(results, expected) {
  assertNone(results.find(({ errors }) => errors)?.errors);
  const told = results.map(({ data }) => data);
  assert.deepEqual(told.sort((a, b) => slugOf(a).localeCompare(slugOf(b))), expected);
}

let token;
await check('a server with two cards starts, and a user wants one of them', async () => {
  server = await development(binary);
  await ingest('mtgjson', catalogue([BOLT, LOTUS]));
  await ingest('prices', pricesOf(DAYS.slice(0, 2)));
  const person = '{email: "live@example.com", password: "of nobody but this check", displayName: "Live"}';
  const made = await ask(`mutation { register(input: ${person}) { accessToken userErrors { message } } }`);
  token = made.accessToken;
  const want = `{cardId: "${cardId(LOTUS)}", targetPrice: {amount: "${TARGET}", currency: USD}}`;
  const { item } = await ask(
    `mutation { addWantListItem(input: ${want}) { item { belowTarget } userErrors { message } } }`,
    token,
  );
  assert.deepEqual(item, { belowTarget: false });
});
if (!token) finish();

// The day that was ingested last.
let today = 1;

async function nextDay() {
  today += 1;
  await ingest('prices', pricesOf([DAYS[today]]));
}

for (const { name, make, from } of CLIENTS) {
  await check(`${name}: new prices of the asked card arrive once, and so do falls to the target of a want`, async () => {
    // What nobody listens to is past.
    while (today < from - 1) await nextDay();
    const prices = listen(make(), { query: PRICES, variables: { ids: [cardId(BOLT)] } });
    const hits = listen(make(token), HITS);
    try {
      await listeners(1, 1);
      // A fall, a rise and a fall: what is told twice is found by what comes after it.
      while (today < from + 2) {
        await nextDay();
        const expected = [pricesTold(today), hitsTold(today)];
        await until(`not all is told of ${DAYS[today].date}`, PATIENCE_SECONDS, () => {
          return prices.told.length >= expected[0].length && hits.told.length >= expected[1].length;
        });
        assertTold(prices.told.splice(0), expected[0]);
        assertTold(hits.told.splice(0), expected[1]);
      }
    } finally {
      prices.leave();
      hits.leave();
    }
    await listeners(0, 0);
    assert.deepEqual([prices.told, hits.told], [[], []]);
  });

  await check(`${name}: nobody's wants can't be listened to`, async () => {
    const errors = await refusal(make(), HITS);
    assert.deepEqual(errors.map(({ extensions }) => extensions?.errorCode), ['ERR-2001'], JSON.stringify(errors));
  });
}

await check(`a token that is revoked by logout closes its socket with ${UNAUTHORIZED}, for good`, async () => {
  const { client, seen } = socket(token);
  const { told, ended } = listen(client, HITS);
  await listeners(0, 1);
  assert.deepEqual(await ask('mutation { logout { success } }', token), { success: true });
  assert.equal((await seen.closed).code, UNAUTHORIZED);
  assert.equal((await ended)?.code, UNAUTHORIZED);
  assert.deepEqual([told, seen.opened], [[], 1]);
  await listeners(0, 0);
});

finish();
