// Automatic persisted queries as Apollo Client and urql use them, and both clients' way of turning Relay's pages.
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

// What a client sent: the method, and whether the text of the query went along.
function recorder() {
  const sent = [];
  const record = (url, options) => {
    const withText = options.body ? 'query' in JSON.parse(options.body) : new URL(url, endpoint).searchParams.has('query');
    sent.push(`${options.method ?? 'GET'} ${withText ? 'text' : 'hash'}`);
    return fetch(url, options);
  };
  return { sent, record };
}

// The hash first, in vain; its text once, by POST (Apollo Client) or GET (urql); from then on the hash alone.
const hashFirst = (method) => ['GET hash', `${method} text`, ...Array(PAGES - 1).fill('GET hash')];

async function inOnePage() {
  return ids(await ask(pages(), { first: PAGE * PAGES }));
}

const ids = (data) => data.cards.edges.map(({ node }) => node.id);

await check('Apollo Client: three pages through the persisted-query link', async () => {
  const { sent, record } = recorder();
  const client = new ApolloClient({
    link: new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(
      new HttpLink({ uri: endpoint, fetch: record }),
    ),
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
      if (page < PAGES) await list.fetchMore({ variables: { after: data.cards.pageInfo.endCursor } });
      else assert.deepEqual(ids(data), await inOnePage());
    }
    assert.deepEqual(sent, hashFirst('POST'));
  } finally {
    subscription.unsubscribe();
    client.stop();
  }
});

await check('urql: three pages through the persisted exchange', async () => {
  const { sent, record } = recorder();
  const client = new Client({
    url: endpoint,
    fetch: record,
    exchanges: [
      cacheExchange({ resolvers: { Query: { cards: relayPagination() } } }),
      persistedExchange({ preferGetForPersistedQueries: true }),
      fetchExchange,
    ],
  });
  const query = pages();
  let data;
  for (let page = 0; page < PAGES; page += 1) {
    const result = await client.query(query, { first: PAGE, after: data?.cards.pageInfo.endCursor }).toPromise();
    if (result.error) throw result.error;
    data = result.data;
  }
  assert.deepEqual(ids(data), await inOnePage());
  assert.deepEqual(sent, hashFirst('GET'));
});

finish();
