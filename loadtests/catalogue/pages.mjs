// How long the frontend's two pages take that everybody opens: a list of cards, and a card. See ../README.md.
import { printTable, quantile, randomNumbers, readArguments, sorted } from '../front-door/lib.mjs';
import { parsed, send } from '../faults/lib.mjs';

const USAGE = 'node pages.mjs http://127.0.0.1:PORT [--cards 500] [--page 500] [--times 50] [--seed 1]';
const asked = readArguments(USAGE, {
  cards: { type: 'string', default: '500' },
  page: { type: 'string', default: '500' },
  times: { type: 'string', default: '50' },
  seed: { type: 'string', default: '1' },
});
const [count, page, times, seed] = ['cards', 'page', 'times', 'seed'].map((name) => Number(asked[name]));

const PAGE = 20;
// What one request asks for at most, on the way to a later page.
const STEP = 100;
const SUMMARY = `fragment CardSummary on Card {
  id scryfallId name collectorNumber rarity typeLine finishes set { id code name releasedOn } images { small }
  price { hasPriceData currency price market change24h { amount percent } change7d { amount percent } observedAt }
}`;
const CARD_SEARCH = `query CardSearch($search: String, $sort: CardSort, $after: String) {
  cards(search: $search, sort: $sort, first: ${PAGE}, after: $after) {
    totalCount
    edges { cursor node { ...CardSummary } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
} ${SUMMARY}`;
const CARD_PAGE = `query CardPage($id: ID!) {
  card(by: {id: $id}) {
    ...CardSummary
    oracleText manaCost manaValue colors legalities { format status } images { normal artCrop }
    marketPrices { marketplace { slug name } currency finish condition price market observedAt }
    priceHistory(window: DAYS_90, interval: DAY, first: 90) {
      nodes { time price low high }
      pageInfo { hasNextPage endCursor }
    }
    printings(first: 10) { totalCount nodes { ...CardSummary } }
  }
} ${SUMMARY}`;
const WALK = `query Walk($sort: CardSort, $first: Int, $after: String) {
  cards(sort: $sort, first: $first, after: $after) { nodes { id name } pageInfo { hasNextPage endCursor } }
}`;

const SORTS = [
  ['by name', { field: 'NAME' }],
  ['by price, highest first', { field: 'PRICE', direction: 'DESC' }],
  ['by release, newest first', { field: 'RELEASED_ON', direction: 'DESC' }],
  ['by set', { field: 'SET_CODE' }],
  ['by number', { field: 'COLLECTOR_NUMBER' }],
  ['by rarity', { field: 'RARITY' }],
  ['by mana value', { field: 'MANA_VALUE' }],
];

async function ask(query, variables) {
  const body = Buffer.from(JSON.stringify({ query, variables }));
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const { ms, text, status, failure } = await send(asked.url, { path: '/graphql', method: 'POST', headers, body });
  const answer = parsed(text);
  if (status !== 200 || answer.errors) {
    console.error(`status ${status}: ${failure ?? JSON.stringify(answer.errors?.[0] ?? text).slice(0, 300)}`);
    process.exit(1);
  }
  return { millis: ms, data: answer.data };
}

async function each(list, document) {
  const millis = [];
  for (const variables of list) millis.push((await ask(document, variables)).millis);
  return millis;
}

// The cursor before the page that is asked for, and some cards on the way to it; no cursor where the list is shorter.
async function walk(sort) {
  let [after, left] = [undefined, (page - 1) * PAGE];
  const cards = [];
  while (left > 0) {
    const { cards: list } = (await ask(WALK, { sort, first: Math.min(left, STEP), after })).data;
    cards.push(...list.nodes);
    if (!list.pageInfo.hasNextPage) return { cards };
    after = list.pageInfo.endCursor;
    left -= STEP;
  }
  return { after, cards };
}

const random = randomNumbers(seed);
const drawn = (from, number) => Array.from({ length: number }, () => from[Math.floor(random() * from.length)]);
const figures = (name, millis) => {
  const all = sorted(millis);
  return [name, all.length, ...[0.5, 0.9, 0.99].map((q) => quantile(all, q).toFixed(1)), all.at(-1).toFixed(1)];
};

const rows = [];
const ratios = [];
let known = [];
for (const [name, sort] of SORTS) {
  const { after, cards } = await walk(sort);
  known = known.concat(drawn(cards, 2000));
  await ask(CARD_SEARCH, { sort });
  // In turn, so that whatever else the machine does meets both.
  const [first, later] = [[], []];
  for (let time = 0; time < times; time += 1) {
    first.push((await ask(CARD_SEARCH, { sort })).millis);
    if (after) later.push((await ask(CARD_SEARCH, { sort, after })).millis);
  }
  rows.push(figures(`${name}, page 1`, first));
  if (after) {
    rows.push(figures(`${name}, page ${page}`, later));
    ratios.push([name, (quantile(sorted(later), 0.5) / quantile(sorted(first), 0.5)).toFixed(2)]);
  }
}
const cards = drawn(known, count);
rows.push(figures('CardSearch, a name', await each(cards.map(({ name }) => ({ search: `"${name.replaceAll('"', '')}"` })), CARD_SEARCH)));
const words = cards.map(({ name }) => name.split(/[^\p{L}]+/u).filter((word) => word.length > 3)[0]).filter(Boolean);
rows.push(figures('CardSearch, a word', await each(words.map((search) => ({ search })), CARD_SEARCH)));
rows.push(figures('CardPage', await each(cards.map(({ id }) => ({ id })), CARD_PAGE)));

printTable(['milliseconds', 'requests', 'p50', 'p90', 'p99', 'worst'], rows);
console.log('');
printTable(['lists', `page ${page} / page 1, p50`], ratios);
