// The floor of the card search: 10, 50 and 100 users who search without a pause. See ../README.md.

import http from 'k6/http';
import exec from 'k6/execution';
import { check } from 'k6';
import { Rate } from 'k6/metrics';

const BASE_URL = (__ENV.BASE_URL || 'http://127.0.0.1:8080').replace(/\/+$/, '');
const SMOKE = __ENV.SMOKE === '1';

// A load test pointed at somebody else's server by a slip is an attack. The whole address is matched, so that
// neither http://127.0.0.1@example.org nor http://localhost.example.org passes.
const LOOPBACK = /^https?:\/\/(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(:\d{1,5})?$/;
if (!LOOPBACK.test(BASE_URL) && __ENV.ALLOW_REMOTE !== '1') {
  throw new Error(`BASE_URL is ${BASE_URL}, which is not this machine. Set ALLOW_REMOTE=1 if that server is yours.`);
}

const TERMS = ['lightning', 'bolt', 'counterspell', 'black lotus', 'force of will'];

const DOCUMENT = `
query CardSearch($search: String, $first: Int = 20) {
  cards(search: $search, first: $first) {
    totalCount
    edges {
      cursor
      node {
        id
        name
        set { code name }
        price { hasPriceData currency price market }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

// Searches that were not answered with cards: another status than 200, no data, or errors beside it.
const searchErrors = new Rate('search_errors');

const FULL = {
  stages: [
    { duration: '30s', target: 10 },
    { duration: '1m', target: 50 },
    { duration: '30s', target: 100 },
    { duration: '30s', target: 0 },
  ],
  thresholds: {
    'http_req_duration{operation:CardSearch}': ['p(95)<500'],
    'http_reqs{operation:CardSearch}': ['rate>100'],
    search_errors: ['rate<0.01'],
  },
};

// Whether the script and the server understand each other; too short to tell how fast anything is.
const BRIEF = {
  vus: 2,
  duration: '5s',
  thresholds: {
    'http_req_duration{operation:CardSearch}': ['p(95)<500'],
    search_errors: ['rate<0.01'],
  },
};

export const options = Object.assign(
  {
    userAgent: 'dualcaster-loadtest',
    // A redirect could lead off this machine.
    maxRedirects: 0,
    summaryTrendStats: ['avg', 'med', 'p(95)', 'p(99)', 'max'],
  },
  SMOKE ? BRIEF : FULL,
);

function search(variables, operation) {
  return http.post(
    `${BASE_URL}/graphql`,
    JSON.stringify({ operationName: 'CardSearch', query: DOCUMENT, variables }),
    {
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json, application/json',
      },
      tags: { operation },
      timeout: '10s',
    },
  );
}

function parse(response) {
  try {
    return response.json();
  } catch (_) {
    return null;
  }
}

// An empty database answers every search at once, and the floor would mean nothing.
export function setup() {
  const response = search({ first: 1 }, 'setup');
  const answer = parse(response);
  if (!answer || !answer.data || !answer.data.cards) {
    exec.test.abort(`${BASE_URL} does not answer a card search: status ${response.status} ${response.error || response.body}`);
  } else if (!(answer.data.cards.totalCount > 0)) {
    exec.test.abort(`${BASE_URL} has no cards: load a catalogue first (dualcaster generate, or dualcaster ingest).`);
  }
}

export default function () {
  const term = TERMS[(exec.vu.idInTest + exec.vu.iterationInInstance) % TERMS.length];
  const response = search({ search: term, first: 20 }, 'CardSearch');
  const answer = parse(response);
  const good = check(
    { response, answer },
    {
      'status is 200': (it) => it.response.status === 200,
      'has data': (it) => Boolean(it.answer && it.answer.data && it.answer.data.cards && Array.isArray(it.answer.data.cards.edges)),
      'has no errors': (it) => Boolean(it.answer) && it.answer.errors === undefined,
    },
  );
  searchErrors.add(!good);
}
