// The editor's workers, as files of this server. Without this the editor works in the page itself, and stutters.

import Editor from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import Json from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQL from "monaco-graphql/esm/graphql.worker.js?worker";

const workers = new Map([
    ["json", Json],
    ["graphql", GraphQL],
]);

globalThis.MonacoEnvironment = {
    getWorker: (_, language) => new (workers.get(language) ?? Editor)(),
};
