// Uses the GraphiQL page of a running server as a person would, and fails on any error in the browser's console and on
// any request to another host.
//
//     npm ci && node check.mjs http://127.0.0.1:8080 [screenshot.png]
//
// CHROMIUM names the browser where it is not /usr/bin/chromium. The server is on this machine, in development, with its
// metrics at the same address; it needs the demo market, or any other. An account is made there, and deleted at the end.
//
// Prints a line a step: "ok: …", or "not ok: …" and, indented, what was wrong. After a step that could not be done it ends.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";

import { chromium } from "playwright-core";

const [base, screenshot] = process.argv.slice(2);
if (!base) {
    console.error("Say which server to check: node check.mjs http://127.0.0.1:8080 [screenshot.png]");
    process.exit(2);
}
const { origin } = new URL(base);
const PATIENCE_MS = 20_000;

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A page that wants another host must fail here as it would on a machine without a network. The rule holds for
        // addresses in figures, too.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    ],
});

// --- steps, and what went wrong in them

const faults = [];
let failed = false;

class Stuck extends Error {}

async function step(name, body) {
    let isStuck = false;
    try {
        await body();
    } catch (error) {
        isStuck = true;
        faults.push(error.message);
        // What it looked like then says more than the message.
        if (screenshot) await page?.screenshot({ path: screenshot }).catch(() => {});
    }
    const found = faults.splice(0);
    console.log(`${found.length === 0 ? "ok" : "not ok"}: ${name}`);
    for (const fault of found) console.log(`    ${fault.trim().replaceAll("\n", "\n    ")}`);
    failed ||= found.length > 0;
    if (isStuck) throw new Stuck();
}

async function until(holds, otherwise) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await holds())) {
        if (Date.now() > deadline) throw new Error(otherwise());
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

// --- the server, asked by the check itself

async function ask(body, headers = {}) {
    const isForm = body instanceof FormData;
    const response = await fetch(`${origin}/graphql`, {
        method: "POST",
        headers: { ...(isForm ? { "graphql-require-preflight": "1" } : { "content-type": "application/json" }), ...headers },
        body: isForm ? body : JSON.stringify(body),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    const [[, payload]] = Object.entries(data);
    assert.deepEqual(payload.userErrors ?? [], []);
    return payload;
}

async function priceListeners() {
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    return Number(/^dualcaster_listeners\{to="prices"\} (\d+)$/m.exec(metrics)?.[1] ?? 0);
}

// Somebody for a while: what is asked for is answered to them.
const account = { email: `${randomBytes(8).toString("hex")}@example.com`, password: randomBytes(12).toString("hex"), bearer: null };

async function register() {
    const { email, password } = account;
    const query = "mutation ($input: RegisterInput!) { register(input: $input) { accessToken userErrors { message } } }";
    const { accessToken } = await ask({ query, variables: { input: { email, password, displayName: "GraphiQL" } } });
    account.bearer = `Bearer ${accessToken}`;
}

async function unregister() {
    const query = "mutation ($input: DeleteAccountInput!) { deleteAccount(input: $input) { deletedId userErrors { message } } }";
    const { password, bearer } = account;
    if (bearer) await ask({ query, variables: { input: { password } } }, { authorization: bearer });
}

// A job of theirs: a file of one card, looked at and not imported.
async function queueImport({ name, set, collectorNumber }) {
    const query = `mutation ($file: Upload!) {
        importCollection(input: {file: $file, dryRun: true}) { collectionImport { id } userErrors { message } }
    }`;
    const row = [1, name, set.code, collectorNumber].map((cell) => `"${String(cell).replaceAll('"', '""')}"`);
    const form = new FormData();
    form.append("operations", JSON.stringify({ query, variables: { file: null } }));
    form.append("map", JSON.stringify({ 0: ["variables.file"] }));
    form.append("0", new File([`Quantity,Name,Set code,Collector number\n${row}\n`], "one.csv", { type: "text/csv" }));
    return (await ask(form, { authorization: account.bearer })).collectionImport.id;
}

// --- the page

let page;
const sent = [];
const sockets = [];

function watch(context) {
    page.on("console", (message) => {
        if (message.type() === "error") faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
    // The context's, for the page's own event leaves out what workers ask for.
    context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && url.origin !== origin) faults.push(`another host: ${url.href}`);
        if (url.pathname === "/graphql") sent.push(request.postData() ?? "");
    });
    context.on("requestfailed", (request) => {
        // A request that the page gives up itself is no fault.
        const why = request.failure()?.errorText ?? "";
        if (!why.includes("ERR_ABORTED")) faults.push(`failed: ${request.url()} ${why}`);
    });
    context.on("response", (response) => {
        const policy = response.headers()["content-security-policy"];
        if (new URL(response.url()).pathname.startsWith("/graphiql")) {
            if (response.status() !== 200) faults.push(`${response.status()}: ${response.url()}`);
            if (!policy?.includes("default-src 'none'")) faults.push(`no policy: ${response.url()}`);
        }
    });
    page.on("websocket", (socket) => {
        const seen = { sent: [], received: [], isClosed: false };
        sockets.push(seen);
        if (socket.url() !== `${origin.replace(/^http/, "ws")}/graphql`) faults.push(`another socket: ${socket.url()}`);
        socket.on("framesent", ({ payload }) => seen.sent.push(JSON.parse(payload)));
        socket.on("framereceived", ({ payload }) => seen.received.push(JSON.parse(payload)));
        socket.on("close", () => (seen.isClosed = true));
    });
}

const query = () => page.locator(".graphiql-query-editor");
const executeButton = () => page.getByRole("button", { name: /Execute query/ });
const stopButton = () => page.getByRole("button", { name: /Stop query/ });
const costPanel = () => page.getByRole("region", { name: "What did it cost?" });

async function write(editor, text) {
    await editor.click();
    await page.keyboard.press("ControlOrMeta+A");
    // Emptied first and not typed key by key, or the editor adds brackets of its own.
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(text);
}

const writeQuery = (text) => write(query().locator(".view-lines").first(), text);
const writeHeaders = (headers) =>
    write(page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines"), JSON.stringify(headers));

// Presses the button, and returns what was sent and what came.
async function execute() {
    const [response] = await Promise.all([
        page.waitForResponse((response) => new URL(response.url()).pathname === "/graphql"),
        executeButton().click(),
    ]);
    const request = response.request();
    const answer = await response.json();
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    return { headers: await request.allHeaders(), query: request.postDataJSON().query, answer };
}

async function expectShown(text) {
    await page.locator(".graphiql-response .result-window").getByText(text).first().waitFor();
}

// The socket that a subscription opens, once it was sent.
async function subscribe(text) {
    await writeQuery(text);
    const before = sockets.length;
    await executeButton().click();
    await until(
        () => sockets[before]?.sent.some(({ type }) => type === "subscribe"),
        () => "the subscription was not sent",
    );
    return sockets[before];
}

const ofType = (messages, type) => messages.filter((message) => message.type === type);

// The panel's figures, and its tables without their times.
function readCost() {
    return costPanel().evaluate((panel) => {
        const texts = (within, what) => [...within.querySelectorAll(what)].map(({ textContent }) => textContent);
        const tables = [...panel.querySelectorAll("table")].map((table) => ({
            title: table.caption.textContent.replace(/, [\d.]+ ms$/, ""),
            rows: [...table.querySelectorAll("tbody tr")].map((row) => texts(row, "td").slice(0, 2)),
        }));
        return { figures: texts(panel, "dt").map((name, index) => [name, texts(panel, "dd")[index]]), tables };
    });
}

function costOf({ extensions: { cost, explain } }) {
    const count = (many, one, more) => `${many.length} ${many.length === 1 ? one : more}`;
    const figure = (value) => (value === undefined || value === null ? "–" : String(value));
    const { statements, batches } = explain;
    return {
        figures: Object.entries(cost).map(([name, value]) => [name, String(value)]),
        tables: [
            {
                title: count(statements, "SQL statement", "SQL statements"),
                rows: statements.map(({ sql, rows }) => [sql, figure(rows)]),
            },
            {
                title: count(batches, "batch of loads", "batches of loads"),
                rows: batches.map(({ loader, keys }) => [loader, figure(keys)]),
            },
        ].filter(({ rows }) => rows.length > 0),
    };
}

async function expectCost(answer) {
    // The panel changes a moment after the answer came. `available` makes each answer's figures its own.
    let shown;
    await until(
        async () => {
            shown = await readCost();
            return JSON.stringify(shown.figures) === JSON.stringify(costOf(answer).figures);
        },
        () => `the panel has ${JSON.stringify(shown.figures)}, and the answer ${JSON.stringify(answer.extensions.cost)}`,
    );
    assert.deepEqual(shown, costOf(answer));
}

try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(PATIENCE_MS);

    await step("reach no other host", async () => {
        // Stays open: this browser ends with its last page.
        const probe = await context.newPage();
        for (const url of ["http://example.com/", "http://192.0.2.1/"]) {
            await assert.rejects(probe.goto(url), /ERR_NAME_NOT_RESOLVED/);
        }
    });

    page = await context.newPage();
    watch(context);

    await step("open the page", async () => {
        await page.goto(`${origin}/graphiql`);
        await query().locator(".view-line").first().waitFor();
    });

    await step("read the schema", () =>
        until(
            () => sent.some((body) => body.includes("IntrospectionQuery")),
            () => "the page never asked for the schema",
        ),
    );

    await step("find the examples", async () => {
        for (const name of ["SearchCards", "CardPrices", "PriceHistory", "Sets", "Marketplaces"]) {
            await page.locator(".graphiql-tabs").getByRole("button", { name, exact: true }).waitFor();
        }
    });

    await step("change the tab", async () => {
        await page.locator(".graphiql-tabs").getByRole("button", { name: "Sets", exact: true }).click();
        await query().getByText("cardCount").waitFor();
    });

    await step("complete a field, and run the query", async () => {
        await writeQuery("{ marketpl { slug name } }");
        await page.keyboard.press("ControlOrMeta+Home");
        for (const _ of "{ marketpl") await page.keyboard.press("ArrowRight");
        await page.keyboard.press("Control+Space");
        // Whether the page knows the schema shows here: nothing but the schema has this word.
        await page.locator(".suggest-widget .monaco-list-row.focused").getByText("marketplaces").first().waitFor();
        await page.keyboard.press("Enter");
        const { headers, query, answer } = await execute();
        assert.equal(query.replace(/\s+/g, " "), "{ marketplaces { slug name } }");
        assert.ok(answer.data.marketplaces.length > 0, "there are no marketplaces");
        await expectShown(`"${answer.data.marketplaces[0].slug}"`);
        assert.equal(headers["x-dualcaster-explain"], undefined, "the price was asked for before anybody wanted it");
        assert.equal(answer.extensions.explain, undefined, "the price was told before anybody wanted it");
    });

    await step("send a header", async () => {
        await page.getByRole("button", { name: "Headers", exact: true }).click();
        await writeHeaders({ "X-Dualcaster-Explain": "1" });
        const { headers, answer } = await execute();
        assert.equal(headers["x-dualcaster-explain"], "1");
        // The server heard it.
        assert.ok(answer.extensions.explain?.statements.length > 0, JSON.stringify(answer.extensions));
        await writeHeaders({});
        assert.equal((await execute()).answer.extensions.explain, undefined);
    });

    let card;
    await step("ask what it cost", async () => {
        await page.getByRole("button", { name: "What did it cost?" }).click();
        await costPanel().waitFor();
        const text = "{ cardSets(first: 2) { nodes { code cards(first: 1) { nodes { id name collectorNumber } } } } }";
        await writeQuery(text);
        const { headers, query, answer } = await execute();
        assert.equal(query, text);
        assert.equal(headers["x-dualcaster-explain"], "1", "the price was not asked for");
        assert.ok(answer.extensions.explain.statements.length >= 2, JSON.stringify(answer.extensions.explain));
        await expectShown('"cardSets"');
        await expectCost(answer);
        const [set] = answer.data.cardSets.nodes.filter(({ cards }) => cards.nodes.length > 0);
        card = { set, ...set.cards.nodes[0] };
    });

    await step("ask what another one cost", async () => {
        await writeQuery("{ marketplaces { slug } }");
        await expectCost((await execute()).answer);
    });

    await step("run a subscription until it ends, as who the header says", async () => {
        await register();
        const id = await queueImport(card);
        await writeHeaders({ Authorization: account.bearer });
        const socket = await subscribe(`subscription { jobProgress(id: ${JSON.stringify(id)}) { id status finishedAt } }`);
        await until(
            () => ofType(socket.received, "complete").length > 0 && socket.isClosed,
            () => `the subscription did not end: ${JSON.stringify(socket)}`,
        );
        assert.deepEqual(ofType(socket.sent, "connection_init")[0].payload, { Authorization: account.bearer });
        const told = ofType(socket.received, "next").map(({ payload }) => payload);
        assert.ok(told.length > 0, "it ended before anything was told");
        for (const { errors, data } of told) {
            assert.equal(errors, undefined, JSON.stringify(errors));
            assert.equal(data.jobProgress.id, id);
        }
        const { status, finishedAt } = told.at(-1).data.jobProgress;
        assert.deepEqual([status, typeof finishedAt], ["COMPLETED", "string"]);
        await expectShown('"COMPLETED"');
        await executeButton().waitFor();
    });

    await step("listen to prices without a name, and stop", async () => {
        await writeHeaders({});
        const before = await priceListeners();
        const socket = await subscribe(
            `subscription { priceUpdates(cardIds: [${JSON.stringify(card.id)}]) { card { name } price { price } } }`,
        );
        await until(
            async () => (await priceListeners()) === before + 1,
            () => `the server counts no listener: ${JSON.stringify(socket)}`,
        );
        assert.equal(socket.isClosed, false);
        await stopButton().click();
        await until(
            () => socket.isClosed && ofType(socket.sent, "complete").length > 0,
            () => `it was not stopped: ${JSON.stringify(socket)}`,
        );
        await until(
            async () => (await priceListeners()) === before,
            () => "the server still counts the listener",
        );
        assert.deepEqual(ofType(socket.received, "error"), []);
        await executeButton().waitFor();
    });

    await step("open the documentation", async () => {
        await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
        await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Query", exact: true }).click();
        await page.locator(".graphiql-doc-explorer").getByText("marketplaces", { exact: true }).waitFor();
        if (screenshot) await page.screenshot({ path: screenshot });
    });

    await step("look at the history", async () => {
        await page.getByRole("button", { name: "Show History" }).click();
        await page.locator(".graphiql-history").getByText(/marketplaces/).first().waitFor();
    });

    await step("open an example", async () => {
        await page.getByRole("button", { name: "Examples" }).click();
        await page.getByRole("menuitem", { name: "Marketplaces" }).click();
        await execute();
        await expectShown('"pricedCards"');
    });

    // An error that came late is the last step's.
    await step("leave the page", () => page.close());
} catch (error) {
    if (!(error instanceof Stuck)) throw error;
} finally {
    await browser.close();
    await unregister();
}

process.exitCode = failed ? 1 : 0;
