// What the last answer cost, as its extensions say, and whether the next request asks for it in detail.

import { useSyncExternalStore } from "react";

const REMEMBERED = "dualcaster:asks-cost";

let state = { isAsked: remembered(), last: null };
const listeners = new Set();

function remembered() {
    try {
        return localStorage.getItem(REMEMBERED) === "1";
    } catch {
        return false;
    }
}

function change(part) {
    state = { ...state, ...part };
    for (const listener of listeners) listener();
}

export const cost = {
    isAsked: () => state.isAsked,

    toggle() {
        const isAsked = !state.isAsked;
        change({ isAsked });
        try {
            localStorage.setItem(REMEMBERED, isAsked ? "1" : "0");
        } catch {
            // A browser that keeps nothing: the button starts unpressed next time.
        }
    },

    /** Takes over what an answer says of itself; an answer may say nothing. */
    keep(answer) {
        const { cost, explain } = answer?.extensions ?? {};
        change({ last: { cost, explain } });
    },
};

export function useCost() {
    return useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => state,
    );
}
