//! A Rust client that graphql_client generates from `schema.graphql`: the SDL that is committed is one that clients can be
//! made of, and what they are made to expect is what comes.

use graphql_client::{GraphQLQuery, Response};

use dualcaster::ingest::Format;

use crate::harness::{Printing, TestFile, on_both_stores, scryfall_cards};

type Decimal = String;
type DateTime = String;
type Date = String;

#[derive(GraphQLQuery)]
#[graphql(
    schema_path = "schema.graphql",
    query_path = "tests/generated_client/search.graphql",
    response_derives = "Debug, PartialEq"
)]
struct Search;

on_both_stores! { Tables:
    async fn a_generated_client_reads_what_is_answered(app: TestApp) {
        let vial = Printing { number: 4, name: "Æther Vial", set: "m11", collector_number: "9", rarity: "mythic" };
        let cards = scryfall_cards(&[vial], |_, _| {});
        app.ingest(Format::Scryfall, &TestFile::json(&cards)).await.expect("a catalogue");
        let asked = Search::build_query(search::Variables { search: Some("aether".to_owned()), first: Some(5) });
        let answer = app.client.post(format!("{}/graphql", app.base)).json(&asked).send().await.expect("an answer");
        let answer: Response<search::ResponseData> = answer.json().await.expect("what the client expects");
        assert_eq!(answer.errors, None);
        let cards = answer.data.and_then(|data| data.cards).expect("cards");
        assert_eq!(cards.total_count, 1);
        let card = &cards.nodes[0];
        assert_eq!((card.name.as_str(), &card.rarity, card.set.code.as_str()), ("Æther Vial", &search::Rarity::MYTHIC, "m11"));
        assert_eq!((card.price.has_price_data, card.price.price.as_str(), &card.price.observed_at), (false, "0.00", &None));
    }
}
