// The page: GraphiQL, with examples of this schema and the price of each answer.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import "./workers.js";
import "graphiql/style.css";
import "./page.css";
import { Page } from "./page.jsx";

createRoot(document.getElementById("page")).render(
    <StrictMode>
        <Page />
    </StrictMode>,
);
