// How long searches take: 200 of many kinds, their first page and their 200th. See ../README.md.
import { printTable, quantile, randomNumbers, readArguments, sorted } from '../front-door/lib.mjs';
import { parsed, send } from '../faults/lib.mjs';

const USAGE =
  'node latency.mjs http://127.0.0.1:PORT [--searches 200] [--times 5] [--page 200] [--later 200] [--slowest 10] [--seed 1] [--within 1000]';
const asked = readArguments(USAGE, {
  searches: { type: 'string', default: '200' },
  times: { type: 'string', default: '5' },
  page: { type: 'string', default: '200' },
  later: { type: 'string', default: '200' },
  slowest: { type: 'string', default: '10' },
  seed: { type: 'string', default: '1' },
  within: { type: 'string', default: '1000' },
});
const [count, times, page, later, slowest, seed, within] = [
  'searches', 'times', 'page', 'later', 'slowest', 'seed', 'within',
].map((name) => Number(asked[name]));

const PAGE = 20;
// What one request asks for at most, on the way to a later page.
const STEP = 100;
const ONE = `query CardSearch($search: String, $first: Int, $after: String) {
  cards(search: $search, first: $first, after: $after) {
    totalCount
    nodes {
      id name collectorNumber rarity typeLine finishes set { id code name releasedOn } images { small }
      price { hasPriceData currency price change24h { amount percent } observedAt }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;
// The same without what is counted and looked up: only the way to the next page.
const WALK = `query Walk($search: String, $first: Int, $after: String) {
  cards(search: $search, first: $first, after: $after) { pageInfo { hasNextPage endCursor } }
}`;

// Terms of every kind; a search is one to four of them, and some have an order or a way to be made unique.
const TERMS = [
  'bolt', 'dragon', 'of the', 'a', '"light"', '!forest', 'name:/^s.*r$/', 't:goblin', 't:creature', 't:"legendary creature"',
  't:land', '-t:land', 't:artifact', 't:instant', 't:sorcery', 't:enchantment', 't:planeswalker', 'c:r', 'c=uw', 'c<=gw', 'c:c', 'c:m', 'id:esper',
  'id<=g', 'o:draw', 'o:"draw a card"', 'o:/\\d damage/', 'fo:flying', 'kw:flying', 'kw:trample', 'm:2rr', 'm>=gg', 'mv=3', 'mv<=2',
  'mv>=6', 'mv:even', 'pow>=4', 'tou<2', 'pow>tou', 'pt>=10', 'loy>=4', 'r:mythic', 'r>=rare', 'r:common', 's:m11', 'set:set', 'cn<=20', 'cn:100',
  'f:modern', 'f:commander', 'banned:legacy', 'usd<1', 'usd>=10', 'eur<0.5', 'tix>1', 'usd>5', 'a:john', 'ft:death', 'wm:izzet', 'border:black',
  'frame:2015', 'game:paper', 'year>=2015', 'year<2005', 'date>=2020-01-01', 'lang:en', 'is:foil', 'is:reprint', '-is:reprint', 'is:promo',
  'is:commander', 'is:permanent', 'is:spell', 'is:vanilla', 'not:nonfoil', 'devotion:rr', 'produces:g', 'is:fetchland', '(t:elf or t:goblin)',
  '(c:r or c:g)', '-(c:u t:creature)', 'in:mythic', 'st:core',
];
const ORDERS = ['', '', '', 'order:usd', 'order:usd direction:desc', 'order:name', 'order:set', 'order:released', 'order:rarity', 'order:mv'];
const UNIQUE = ['', '', '', 'unique:prints', 'unique:art'];

function makeSearches() {
  const random = randomNumbers(seed);
  const pick = (from) => from[Math.floor(random() * from.length)];
  const searches = new Set();
  for (let tries = 0; searches.size < count && tries < 100 * count; tries += 1) {
    // Each term alone once, then several together.
    const terms = TERMS[searches.size] ? [TERMS[searches.size]] : Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(TERMS));
    const search = TERMS[searches.size] ? terms : [...new Set(terms), pick(ORDERS), pick(UNIQUE)].filter(Boolean);
    searches.add(search.join(' '));
  }
  return [...searches];
}

async function ask(query, variables) {
  const body = Buffer.from(JSON.stringify({ query, variables }));
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const { ms, text, status, failure } = await send(asked.url, { path: '/graphql', method: 'POST', headers, body });
  if (status === 0) throw new Error(`no answer: ${failure}`);
  return { millis: ms, answer: parsed(text) };
}

const troubles = [];

// The median of some times, and the last answer; nothing where it is refused.
async function measured(search, variables) {
  const millis = [];
  let cards;
  for (let time = 0; time < times; time += 1) {
    const asking = await ask(ONE, { search, first: PAGE, ...variables });
    if (asking.answer.errors) {
      troubles.push(`${search}: ${JSON.stringify(asking.answer.errors[0]).slice(0, 200)}`);
      return undefined;
    }
    millis.push(asking.millis);
    cards = asking.answer.data.cards;
  }
  return { millis: quantile(sorted(millis), 0.5), cards };
}

// The cursor before the page that is asked for; nothing where the list is shorter.
async function cursorBefore(search, wanted) {
  let [after, left] = [undefined, (wanted - 1) * PAGE];
  while (left > 0) {
    const first = Math.min(left, STEP);
    const { answer } = await ask(WALK, { search, first, after });
    if (!answer.data?.cards.pageInfo.hasNextPage) return undefined;
    after = answer.data.cards.pageInfo.endCursor;
    left -= first;
  }
  return after;
}

const results = [];
let walks = 0;
for (const search of makeSearches()) {
  const first = await measured(search, {});
  if (!first) continue;
  const result = { search, total: first.cards.totalCount, first: first.millis };
  const isLong = result.total >= page * PAGE;
  walks += Number(isLong);
  const after = isLong && walks <= later ? await cursorBefore(search, page) : undefined;
  if (after) result.later = (await measured(search, { after }))?.millis;
  results.push(result);
}

const shown = (millis) => (millis === undefined ? '' : millis.toFixed(1));
const figures = (name, values) => {
  const all = sorted(values);
  const at = (q) => (all.length ? shown(quantile(all, q)) : '');
  return [name, all.length, at(0.5), at(0.9), at(0.99), shown(all.at(-1))];
};
const both = results.filter(({ later }) => later !== undefined);
printTable(
  ['milliseconds', 'searches', 'p50', 'p90', 'p99', 'worst'],
  [
    figures('page 1 of all', results.map(({ first }) => first)),
    figures('page 1 where there are that many pages', both.map(({ first }) => first)),
    figures(`page ${page}`, both.map(({ later }) => later)),
  ],
);
console.log(`${results.filter(({ total }) => total > 0).length} of ${results.length} found something.\n`);
const worst = [...results].sort((a, b) => Math.max(b.first, b.later ?? 0) - Math.max(a.first, a.later ?? 0));
printTable(
  ['the slowest', 'found', 'page 1', `page ${page}`],
  worst.slice(0, slowest).map(({ search, total, first, later }) => [search, total, shown(first), shown(later)]),
);
for (const { search, first, later } of results) {
  if (Math.max(first, later ?? 0) > within) troubles.push(`${search}: over ${within} ms`);
}
for (const trouble of troubles) console.error(trouble);
process.exit(troubles.length > 0 ? 1 : 0);
