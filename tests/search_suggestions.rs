//! Names that are suggested to whoever is typing one.

use dualcaster::ingest::Format;
use serde_json::{Value, json};

use crate::harness::{TestApp, TestFile, on_both_stores, scryfall_cards};
use crate::search::{DRAKE, DUSK, MARSH, MIRROR, SPARK, WICK, load, printing};

const EMBER: &str = "Wicklight Ember";
const MOTH: &str = "Wicklight Moth";

/// What is typed with mistakes, and the names that are suggested.
const TYPED: &[(&str, &[&str])] = &[
    ("wcklight", &[EMBER, MOTH]),
    ("xwicklight", &[EMBER, MOTH]),
    ("eicklight", &[EMBER, MOTH]),
    ("wikclight m", &[EMBER, MOTH]),
    ("wicklihgtm", &[EMBER, MOTH]),
    ("lantren of the sall", &["Lantern of the Salt Marsh"]),
    ("minnor thing", &[MIRROR]),
    ("minnor", &[]),
    ("opla", &["Opal"]),
    ("ope", &[]),
    ("æmebr", &[DRAKE]),
    ("Ombrla", &["Ømbral Drake"]),
    ("qqqq", &[]),
    ("1234567", &[]),
    ("' or 1=1 --", &[]),
    ("\u{0}\u{0}\u{0}\u{0}", &[]),
    ("%_%_", &[]),
    ("\\\\\\\\\\\\\\", &[]),
    ("\"\"\"\"\"\"\"", &[]),
];

async fn suggestions(app: &TestApp, prefix: &str) -> Value {
    let query = "query($p: String!) { searchSuggestions(prefix: $p, first: 3) }";
    app.data(query, json!({"p": prefix})).await["searchSuggestions"].clone()
}

on_both_stores! { Tables:
    async fn names_are_suggested_by_beginning_then_word_then_likeness(app: TestApp) {
        load(&app).await;
        assert_eq!(suggestions(&app, "S").await, json!(["Spark", MARSH]), "the one with more printings first");
        assert_eq!(suggestions(&app, "the").await, json!([WICK]));
        assert_eq!(suggestions(&app, "daw").await, json!([DUSK]), "by a face, the whole name");
        assert_eq!(suggestions(&app, "ÆMB").await, json!([DRAKE]));
        assert_eq!(suggestions(&app, "mirrro th").await, json!([MIRROR]));
        assert_eq!(suggestions(&app, "mirorr").await, json!([MIRROR]), "few of whose runs are the same");
        assert_eq!(suggestions(&app, "moth").await, json!([]), "a token");
        for nothing in ["", "  ", "\"\"\"\"", "!!!!", "\u{0}", "%", "zzzzzzzz", &"a".repeat(500)] {
            assert_eq!(suggestions(&app, nothing).await, json!([]), "{nothing:?}");
        }
        let query = "{ searchSuggestions(prefix: \"s\", first: 51) }";
        assert_eq!(app.error(query, json!(null)).await, "ERR-3002");
    }

    async fn names_are_suggested_in_spite_of_mistakes(app: TestApp) {
        let cards = scryfall_cards(
            &[
                printing(1, MOTH, "lmp", "common"),
                printing(2, EMBER, "lmp", "common"),
                printing(3, EMBER, "tst", "common"),
                printing(4, "Lantern of the Salt Marsh", "lmp", "rare"),
                printing(5, MIRROR, "lmp", "rare"),
                printing(6, "Ømbral Drake", "lmp", "rare"),
                printing(7, DRAKE, "lmp", "rare"),
                printing(8, "Opal", "lmp", "rare"),
            ],
            |printing, card| {
                if printing.name == EMBER {
                    card["oracle_id"] = json!(SPARK);
                }
            },
        );
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        for (typed, found) in TYPED {
            assert_eq!(suggestions(&app, typed).await, json!(found), "{typed:?}");
        }
    }

    async fn a_suggestion_costs_four_statements_at_most(app: TestApp) {
        load(&app).await;
        for (typed, most) in [("", 0), ("s", 1), ("spa", 2), ("zzzzzzzz", 3), ("mirrro th", 4), ("spark", 4)] {
            let before = app.statements();
            suggestions(&app, typed).await;
            assert_eq!(app.statements() - before, most, "{typed}");
        }
    }
}
