// Makes the page that the server carries in its binary. Everything it needs becomes a file of its own under
// /graphiql/assets/, so that the page works without a network and under a content security policy of 'self'.

import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { defineConfig } from "vite";

// GraphiQL's style sheet carries its fonts as data: URLs. As files they pass `font-src 'self'`, and a browser loads
// only those that the text on the page needs.
function fontsAsFiles() {
    const font = /url\(["']?data:font\/(\w+)(?:;[^;,]+)?;base64,([A-Za-z0-9+/=]+)["']?\)/g;
    return {
        name: "fonts-as-files",
        apply: "build",
        generateBundle(_, bundle) {
            for (const file of Object.values(bundle)) {
                if (file.type !== "asset" || !file.fileName.endsWith(".css")) continue;
                const css = String(file.source);
                file.source = css.replace(font, (_, kind, base64) => {
                    const source = Buffer.from(base64, "base64");
                    const made = this.emitFile({ type: "asset", name: `font.${kind}`, source });
                    // Style sheets and fonts are in the same folder.
                    return `url(${this.getFileName(made).replace(/^.*\//, "")})`;
                });
                if (file.source.includes("data:font")) this.error("a font was left in the style sheet");
            }
        },
    };
}

// What the page is made of. build.rs has the same list, and makes the same hash of it: a page with another stamp is
// older than its sources, and is made anew.
const INPUTS = [".npmrc", "index.html", "package-lock.json", "package.json", "src", "vite.config.js"];

function stamp() {
    // By UTF-8 bytes, as Rust sorts.
    const sorted = (names) => names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const list = (path) =>
        statSync(join(import.meta.dirname, path)).isDirectory()
            ? sorted(readdirSync(join(import.meta.dirname, path))).flatMap((name) => list(`${path}/${name}`))
            : [path];
    // FNV-1a, 64 bits.
    let hash = 0xcbf29ce484222325n;
    const take = (bytes) => {
        for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    };
    for (const path of INPUTS.flatMap(list)) {
        take(Buffer.from(`${path}\0`));
        take(readFileSync(join(import.meta.dirname, path)));
        take([0]);
    }
    return hash.toString(16).padStart(16, "0");
}

function stamped() {
    let folder;
    return {
        name: "stamped",
        apply: "build",
        configResolved(config) {
            folder = join(config.root, config.build.outDir);
        },
        // Last of all, so that a page with a stamp is whole.
        closeBundle() {
            writeFileSync(join(folder, ".stamp"), `${stamp()}\n`);
        },
    };
}

export default defineConfig({
    base: "/graphiql/",
    plugins: [fontsAsFiles(), stamped()],
    worker: { format: "es" },
    build: {
        outDir: "dist",
        emptyOutDir: true,
        target: "es2022",
        assetsInlineLimit: 0,
        // The polyfill is for browsers that don't know the modules of this target either.
        modulePreload: { polyfill: false },
        // Most of it is the editor, which one file holds as well as ten.
        chunkSizeWarningLimit: 4096,
        // Whose work the page contains, and on what terms.
        license: { fileName: "licenses.md" },
        rolldownOptions: {
            onLog(level, log, handler) {
                // "use client" means nothing here: there is no server that renders.
                if (log.code !== "MODULE_LEVEL_DIRECTIVE") handler(level, log);
            },
        },
    },
    server: {
        // `npm run dev` shows the page from its sources, with the answers of a server on its usual address.
        proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true } },
    },
});
