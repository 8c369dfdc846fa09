// The panel below the answer: what it cost.

import { useCost } from "./cost.js";

export function CostPanel() {
    const { isAsked, last } = useCost();
    if (!isAsked) return null;
    return (
        <section className="cost" aria-label="What did it cost?">
            <h2>What did it cost?</h2>
            {last ? <Price {...last} /> : <p>Run a query, and its price is shown here.</p>}
        </section>
    );
}

function Price({ cost, explain }) {
    if (cost === undefined && !explain) {
        return <p>The last answer does not say. Run it again: the request now asks for it.</p>;
    }
    const batches = listOf(explain?.batches);
    const statements = listOf(explain?.statements);
    const milliseconds = statements.reduce((sum, { milliseconds }) => sum + (Number(milliseconds) || 0), 0);
    return (
        <>
            <Points cost={cost} />
            {statements.length > 0 && (
                <Table
                    title={`${statements.length} SQL ${statements.length === 1 ? "statement" : "statements"}, ${short(milliseconds)} ms`}
                    columns={["Statement", "Rows", "ms"]}
                    rows={statements.map(({ sql, rows, milliseconds }) => [
                        <code>{sql}</code>,
                        plain(rows),
                        short(milliseconds),
                    ])}
                />
            )}
            {batches.length > 0 && (
                <Table
                    title={`${batches.length} ${batches.length === 1 ? "batch" : "batches"} of loads`}
                    columns={["Loader", "Keys"]}
                    rows={batches.map(({ loader, keys }) => [<code>{loader}</code>, plain(keys)])}
                />
            )}
            {explain && statements.length === 0 && batches.length === 0 && <p>It took no SQL statement.</p>}
        </>
    );
}

// A number of points, or several figures by name.
function Points({ cost }) {
    if (cost === undefined || cost === null) return null;
    const figures = typeof cost === "object" ? Object.entries(cost) : [["cost", cost]];
    return (
        <dl>
            {figures.map(([name, figure]) => (
                <div key={name}>
                    <dt>{name}</dt>
                    <dd>{plain(figure)}</dd>
                </div>
            ))}
        </dl>
    );
}

// The last column or two are figures; the first is what they are of.
function Table({ title, columns, rows }) {
    return (
        <table>
            <caption>{title}</caption>
            <thead>
                <tr>
                    {columns.map((column) => (
                        <th key={column} scope="col">
                            {column}
                        </th>
                    ))}
                </tr>
            </thead>
            <tbody>
                {rows.map((cells, row) => (
                    <tr key={row}>
                        {cells.map((cell, column) => (
                            <td key={column}>{cell}</td>
                        ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}

function listOf(value) {
    return Array.isArray(value) ? value.filter((part) => part && typeof part === "object") : [];
}

// A batch's keys are a number, or the keys themselves.
function plain(value) {
    if (value === undefined || value === null) return "–";
    if (Array.isArray(value)) return String(value.length);
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function short(milliseconds) {
    const number = Number(milliseconds);
    return Number.isFinite(number) ? number.toFixed(number < 10 ? 2 : 0) : "–";
}
