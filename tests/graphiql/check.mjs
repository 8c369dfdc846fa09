// Uses the GraphiQL page of a running server as a person would, and fails on any error in the browser's console and on
// any request to another host.
//
//     npm ci && node check.mjs http://127.0.0.1:8080 [screenshot.png]
//
// CHROMIUM names the browser where it is not /usr/bin/chromium. The server needs the demo market, or any other.

import { chromium } from "playwright-core";

const [base, screenshot] = process.argv.slice(2);
if (!base) {
    console.error("Say which server to check: node check.mjs http://127.0.0.1:8080 [screenshot.png]");
    process.exit(2);
}
const { origin } = new URL(base);
const PATIENCE_MS = 20_000;

const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // A page that wants another host must fail here as it would on a machine without a network.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
    ],
});

const faults = [];
let page;
const sent = [];
let step = "open the page";

try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    context.setDefaultTimeout(PATIENCE_MS);
    page = await context.newPage();
    page.on("console", (message) => {
        if (message.type() === "error") faults.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => faults.push(`uncaught: ${error.message}`));
    // The context's, for the page's own event leaves out what workers ask for.
    context.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && url.origin !== origin) faults.push(`another host: ${url.href}`);
        if (url.pathname === "/graphql") sent.push({ headers: request.headers(), body: request.postData() ?? "" });
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

    await page.goto(`${origin}/graphiql`);
    const query = page.locator(".graphiql-query-editor");
    const answer = page.locator(".graphiql-response .result-window");
    await query.locator(".view-line").first().waitFor();

    const ask = async (text) => {
        await query.locator(".view-lines").first().click();
        await page.keyboard.press("ControlOrMeta+A");
        // Emptied first and not typed key by key, or the editor adds brackets of its own.
        await page.keyboard.press("Delete");
        await page.keyboard.insertText(text);
        await page.getByRole("button", { name: /Execute query/ }).click();
    };
    const expectAnswer = async (text) => {
        await answer.getByText(text).first().waitFor();
    };

    step = "read the schema";
    await until(() => sent.some(({ body }) => body.includes("IntrospectionQuery")), "the page never asked for the schema");

    step = "find the examples";
    for (const name of ["SearchCards", "CardPrices", "PriceHistory", "Sets", "Marketplaces"]) {
        await page.locator(".graphiql-tabs").getByRole("button", { name, exact: true }).waitFor();
    }

    step = "change the tab";
    await page.locator(".graphiql-tabs").getByRole("button", { name: "Sets", exact: true }).click();
    await query.getByText("cardCount").waitFor();

    step = "set a header";
    await page.getByRole("button", { name: "Headers", exact: true }).click();
    await page.locator(".graphiql-editor-tool .graphiql-editor:not(.hidden) .view-lines").click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText('{ "X-Checked-By": "check" }');

    step = "run a query";
    await ask("{ marketplaces { slug name } }");
    await expectAnswer('"marketplaces"');
    await expectAnswer('"slug"');
    const run = sent.at(-1);
    if (run.headers["x-checked-by"] !== "check") faults.push("the header of the header editor was not sent");
    if (run.headers["x-dualcaster-explain"]) faults.push("the price was asked for before anybody wanted it");

    step = "ask what it cost";
    await page.getByRole("button", { name: "What did it cost?" }).click();
    await page.getByRole("region", { name: "What did it cost?" }).waitFor();
    await ask("{ cardSets(first: 2) { nodes { code cards(first: 1) { nodes { name } } } } }");
    await expectAnswer('"cardSets"');
    if (sent.at(-1).headers["x-dualcaster-explain"] !== "1") faults.push("the price was not asked for");

    step = "open the documentation";
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    await page.locator(".graphiql-doc-explorer").getByRole("link", { name: "Query", exact: true }).click();
    await page.locator(".graphiql-doc-explorer").getByText("marketplaces", { exact: true }).waitFor();
    if (screenshot) await page.screenshot({ path: screenshot });

    step = "look at the history";
    await page.getByRole("button", { name: "Show History" }).click();
    await page.locator(".graphiql-history").getByText(/marketplaces/).first().waitFor();

    step = "open an example";
    await page.getByRole("button", { name: "Examples" }).click();
    await page.getByRole("menuitem", { name: "Marketplaces" }).click();
    await page.getByRole("button", { name: /Execute query/ }).click();
    await expectAnswer('"pricedCards"');
} catch (error) {
    faults.push(`could not ${step}: ${error.message}`);
    // What it looked like then says more than the message.
    if (screenshot) await page?.screenshot({ path: screenshot });
} finally {
    await browser.close();
}

async function until(holds, otherwise) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds()) {
        if (Date.now() > deadline) throw new Error(otherwise);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

for (const fault of faults) console.error(fault);
if (faults.length === 0) console.log(`GraphiQL works: ${sent.length} questions asked, nothing of another host.`);
process.exitCode = faults.length === 0 ? 0 : 1;
