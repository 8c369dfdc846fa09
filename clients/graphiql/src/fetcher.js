// How the page asks: queries over HTTP, subscriptions over a web socket, both at the address the page came from.

import { getOperationAST, parse } from "graphql";
import { createClient } from "graphql-ws";

import { cost } from "./cost.js";

const ENDPOINT = "/graphql";

// The page's own question about the schema: its price is of no interest.
const INTROSPECTION = "IntrospectionQuery";

/** GraphiQL's fetcher: a promise of one answer, or an observable of a subscription's answers. */
export function fetcher(operation, { headers } = {}) {
    const { operationName, ...rest } = operation;
    const document = read(operation.query);
    const named = document && getOperationAST(document, operationName);
    // GraphiQL reads the text a moment after it has changed. Who runs it sooner, as by pasting, would ask for the name
    // of an operation that is gone.
    const asked = document && !named ? rest : operation;
    const kind = document && (named ?? getOperationAST(document))?.operation;
    return kind === "subscription" ? subscribe(asked, headers) : post(asked, headers);
}

function read(query) {
    try {
        return parse(query);
    } catch {
        // The server says better what is wrong with it.
        return null;
    }
}

async function post(operation, headers) {
    const isOfInterest = operation.operationName !== INTROSPECTION;
    const response = await fetch(ENDPOINT, {
        method: "POST",
        headers: {
            "Content-Type": "application/json",
            Accept: "application/graphql-response+json, application/json",
            ...(isOfInterest && cost.isAsked() ? { "X-Dualcaster-Explain": "1" } : {}),
            ...headers,
        },
        body: JSON.stringify(operation),
    });
    const text = await response.text();
    let answer;
    try {
        answer = JSON.parse(text);
    } catch {
        // A proxy in between, or a server that is going down.
        throw new Error(`The server answered ${response.status}, and not in JSON: ${text.slice(0, 200)}`);
    }
    if (isOfInterest) cost.keep(answer);
    return answer;
}

// Something to subscribe to, and no generator: one that waits for its next answer can't be left before that has come.
function subscribe(operation, headers) {
    const url = new URL(ENDPOINT, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    // Its socket closes with its only subscription.
    const client = createClient({
        url: url.href,
        // A browser sets no headers on a web socket; the first message carries them instead.
        connectionParams: headers,
        // A socket that the server refuses is reported at once. Press run to try again.
        retryAttempts: 0,
    });
    return {
        subscribe(observer) {
            let isLeft = false;
            const leave = client.subscribe(operation, {
                next(answer) {
                    if (isLeft) return;
                    cost.keep(answer);
                    observer.next(answer);
                },
                // Who has left may have begun another by then, which this must not end.
                error: (trouble) => isLeft || observer.error(readable(trouble)),
                complete: () => isLeft || observer.complete(),
            });
            return {
                unsubscribe() {
                    isLeft = true;
                    leave();
                },
            };
        },
    };
}

// What ends a subscription is an error, the answer's errors, or the event of the socket that closed.
function readable(trouble) {
    if (trouble instanceof Error) return trouble;
    if (Array.isArray(trouble)) return new Error(trouble.map(({ message }) => message).join("\n"));
    if (trouble instanceof CloseEvent) {
        return new Error(`The subscription's connection was closed (${trouble.code}). ${trouble.reason}`.trim());
    }
    return new Error("The subscription's connection could not be opened.");
}
