// Automatic persisted queries, by hand and as Apollo Client and urql ask them, and both clients' way of turning Relay's
// pages: over GET and POST, with the text of the query and by its hash.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, fetchExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { persistedExchange } from '@urql/exchange-persisted';
import { filter, firstValueFrom } from 'rxjs';
import { ask, check, endpoint, finish, post } from './lib.mjs';

const PLAIN = 'application/json';
const PAGE = 10;
const PAGES = 3;

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
// A name that no earlier run has registered.
const fresh = () => `Q${randomBytes(8).toString('hex')}`;
const persisted = (sha256Hash) => ({ persistedQuery: { version: 1, sha256Hash } });

async function get({ extensions, ...rest }) {
  const parameters = new URLSearchParams({ ...rest, extensions: JSON.stringify(extensions) });
  const response = await fetch(`${endpoint}?${parameters}`, { headers: { accept: PLAIN } });
  return response.json();
}

function assertNotFound(answer) {
  // The clients compare the message.
  assert.ok(answer.errors?.[0]?.message === 'PersistedQueryNotFound', JSON.stringify(answer).slice(0, 300));
  assert.equal(answer.errors[0].extensions.errorCode, 'ERR-4004');
}

for (const [method, send] of [['POST', post], ['GET', get]]) {
  await check(`${method}: not found, registered, then by hash alone`, async () => {
    const query = `query ${fresh()} { __typename }`;
    const extensions = persisted(sha256(query));
    assertNotFound(await send({ extensions }));
    assert.deepEqual((await send({ query, extensions })).data, { __typename: 'Query' });
    assert.deepEqual((await send({ extensions })).data, { __typename: 'Query' });
  });

  await check(`${method}: a hash of something else is refused and registers nothing`, async () => {
    const query = `query ${fresh()} { __typename }`;
    const extensions = persisted(sha256(`${query} `));
    const answer = await send({ query, extensions });
    assert.ok(answer.errors?.length > 0 && !answer.data, JSON.stringify(answer).slice(0, 300));
    assertNotFound(await send({ extensions }));
    assertNotFound(await send({ extensions: persisted(sha256(query)) }));
  });
}

await check('what POST registered GET finds', async () => {
  const query = `query ${fresh()} { __typename }`;
  const extensions = persisted(sha256(query));
  await post({ query, extensions });
  assert.deepEqual((await get({ extensions })).data, { __typename: 'Query' });
});

await check('a mutation by its hash over GET is refused', async () => {
  const query = `mutation ${fresh()} { __typename }`;
  const extensions = persisted(sha256(query));
  await post({ query, extensions });
  const answer = await get({ extensions });
  assert.ok(answer.errors?.length > 0 && !answer.data, JSON.stringify(answer).slice(0, 300));
});

await check('a hash that is none is refused', async () => {
  const answer = await post({ query: '{__typename}', extensions: persisted('x') });
  assert.ok(answer.errors?.length > 0 && !answer.data, JSON.stringify(answer).slice(0, 300));
});

// --- the clients

const pages = () => `query ${fresh()}($first: Int, $after: String) {
  cards(sort: {field: COLLECTOR_NUMBER}, first: $first, after: $after) {
    edges { cursor node { id name } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;

// What a client sent, and what came of it, a line a request. A text must be the one of its hash, and a request must be in
// one place only: the body of a POST, or the parameters of a GET.
function recorder() {
  const seen = [];
  const texts = new Set();
  const record = async (url, options) => {
    const method = options.method ?? 'GET';
    const parameters = Object.fromEntries(new URL(url, endpoint).searchParams);
    assert.deepEqual([Boolean(options.body), Object.keys(parameters).length > 0], [method === 'POST', method === 'GET']);
    const { query, extensions } = options.body ? JSON.parse(options.body) : parameters;
    const hash = (typeof extensions === 'string' ? JSON.parse(extensions) : extensions)?.persistedQuery?.sha256Hash;
    if (query) {
      texts.add(sha256(query));
      if (hash) assert.equal(hash, sha256(query));
    }
    const what = [hash && 'hash', query && 'text'].filter(Boolean).join(' and ');
    const response = await fetch(url, options);
    const { data, errors } = await response.clone().json();
    const came = errors ? errors[0].extensions.errorCode : Object.keys(data).join();
    seen.push({ line: `${method} ${what}: ${came}`, hash });
    return response;
  };
  const assertSeen = (lines) => {
    assert.deepEqual(seen.map(({ line }) => line), lines);
    // One document for all pages.
    assert.equal(texts.size, 1);
    for (const { hash } of seen) assert.ok(!hash || texts.has(hash), `another hash: ${hash}`);
  };
  return { record, assertSeen };
}

const NOT_FOUND = 'ERR-4004';
const pagesBy = (how, count = PAGES) => Array(count).fill(`${how}: cards`);
// The hash first, in vain; then the text with it; from then on the hash alone.
const hashFirst = (first, second) => [
  `${first} hash: ${NOT_FOUND}`,
  `${second} hash and text: cards`,
  ...pagesBy(`${first} hash`, PAGES - 1),
];

async function inOnePage() {
  return ids(await ask(pages(), { first: PAGE * PAGES }));
}

const ids = (data) => data.cards.edges.map(({ node }) => node.id);

async function turnWithApollo(link) {
  const client = new ApolloClient({
    link,
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { cards: relayStylePagination(['search', 'filter', 'unique', 'sort']) } } },
    }),
  });
  const list = client.watchQuery({ query: gql(pages()), variables: { first: PAGE } });
  const subscription = list.subscribe({ error() {} });
  // The list shows a page a moment after it was fetched.
  const shows = (count) =>
    firstValueFrom(list.pipe(filter(({ data, error }) => error || data?.cards?.edges.length === count)));
  try {
    for (let page = 1; page <= PAGES; page += 1) {
      const { data, error } = await shows(PAGE * page);
      if (error) throw error;
      if (page === PAGES) return data;
      await list.fetchMore({ variables: { after: data.cards.pageInfo.endCursor } });
    }
  } finally {
    subscription.unsubscribe();
    client.stop();
  }
}

async function turnWithUrql(options, exchanges) {
  const client = new Client({
    url: endpoint,
    ...options,
    exchanges: [cacheExchange({ resolvers: { Query: { cards: relayPagination() } } }), ...exchanges, fetchExchange],
  });
  const query = pages();
  let data;
  for (let page = 0; page < PAGES; page += 1) {
    const result = await client.query(query, { first: PAGE, after: data?.cards.pageInfo.endCursor }).toPromise();
    if (result.error) throw result.error;
    data = result.data;
  }
  return data;
}

// The ways in which each client may be told to ask, and what it then sends. Apollo Client sends a text that goes with its
// hash by POST, whatever sends the hash; urql sends both alike.
const apolloPersisted = (fetch, useGETForHashedQueries) =>
  new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink({ uri: endpoint, fetch }));
const WAYS = [
  {
    name: 'Apollo Client, the text by POST',
    turn: (fetch) => turnWithApollo(new HttpLink({ uri: endpoint, fetch })),
    sends: pagesBy('POST text'),
  },
  {
    name: 'Apollo Client, the text by GET',
    turn: (fetch) => turnWithApollo(new HttpLink({ uri: endpoint, fetch, useGETForQueries: true })),
    sends: pagesBy('GET text'),
  },
  {
    name: 'Apollo Client, persisted-query link by POST',
    turn: (fetch) => turnWithApollo(apolloPersisted(fetch, false)),
    sends: hashFirst('POST', 'POST'),
  },
  {
    name: 'Apollo Client, persisted-query link by GET',
    turn: (fetch) => turnWithApollo(apolloPersisted(fetch, true)),
    sends: hashFirst('GET', 'POST'),
  },
  {
    name: 'urql, the text by POST',
    turn: (fetch) => turnWithUrql({ fetch, preferGetMethod: false }, []),
    sends: pagesBy('POST text'),
  },
  {
    name: 'urql, the text by GET',
    turn: (fetch) => turnWithUrql({ fetch, preferGetMethod: true }, []),
    sends: pagesBy('GET text'),
  },
  {
    name: 'urql, persisted exchange by POST',
    turn: (fetch) => turnWithUrql({ fetch }, [persistedExchange({ preferGetForPersistedQueries: false })]),
    sends: hashFirst('POST', 'POST'),
  },
  {
    name: 'urql, persisted exchange by GET',
    turn: (fetch) => turnWithUrql({ fetch }, [persistedExchange({ preferGetForPersistedQueries: true })]),
    sends: hashFirst('GET', 'GET'),
  },
];

for (const { name, turn, sends } of WAYS) {
  await check(`${name}: three pages`, async () => {
    const { record, assertSeen } = recorder();
    assert.deepEqual(ids(await turn(record)), await inOnePage());
    assertSeen(sends);
  });
}

finish();
