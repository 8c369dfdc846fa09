// GraphiQL with what is ours: examples, the price of an answer, a name.

import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { ToolbarButton, ToolbarMenu, useGraphiQL, useGraphiQLActions } from "@graphiql/react";

import { CostPanel } from "./cost-panel.jsx";
import { cost, useCost } from "./cost.js";
import { EXAMPLES } from "./examples.js";
import { fetcher } from "./fetcher.js";

const PLUGINS = [HISTORY_PLUGIN];
const TABS = EXAMPLES.map(({ query }) => ({ query }));
const EMPTY = "# Examples are in the menu on the right. Ctrl+Space completes, Ctrl+Enter runs.\n";

export function Page() {
    return (
        <GraphiQL
            fetcher={fetcher}
            plugins={PLUGINS}
            defaultTabs={TABS}
            defaultQuery={EMPTY}
            defaultEditorToolsVisibility={true}
        >
            <GraphiQL.Logo>Dualcaster</GraphiQL.Logo>
            <GraphiQL.Toolbar>
                {({ prettify, merge, copy }) => (
                    <>
                        {prettify}
                        {merge}
                        {copy}
                        <Examples />
                        <CostButton />
                    </>
                )}
            </GraphiQL.Toolbar>
            <GraphiQL.Footer>
                <CostPanel />
            </GraphiQL.Footer>
        </GraphiQL>
    );
}

function Examples() {
    const { addTab } = useGraphiQLActions();
    const editor = useGraphiQL((state) => state.queryEditor);
    const open = (query) => {
        // What stands in the editor is somebody's work: an example gets a tab of its own.
        addTab();
        editor?.setValue(query);
    };
    const button = (
        <ToolbarButton label="Examples">
            <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" aria-hidden="true">
                <g fill="none" stroke="currentColor" strokeWidth="1.5">
                    <path d="M4 6h16M4 12h16M4 18h10" />
                </g>
            </svg>
        </ToolbarButton>
    );
    return (
        <ToolbarMenu button={button}>
            {EXAMPLES.map(({ title, query }) => (
                <ToolbarMenu.Item key={title} onSelect={() => open(query)}>
                    {title}
                </ToolbarMenu.Item>
            ))}
        </ToolbarMenu>
    );
}

function CostButton() {
    const { isAsked } = useCost();
    return (
        <ToolbarButton
            label="What did it cost?"
            aria-pressed={isAsked}
            className={isAsked ? "cost-button pressed" : "cost-button"}
            onClick={cost.toggle}
        >
            <svg className="graphiql-toolbar-icon" viewBox="0 0 24 24" aria-hidden="true">
                <g fill="none" stroke="currentColor" strokeWidth="1.5">
                    <circle cx="12" cy="13" r="8" />
                    <path d="M12 13V8.5M9.5 2.5h5M18.5 5.5l1.5 1.5" />
                </g>
            </svg>
        </ToolbarButton>
    );
}
