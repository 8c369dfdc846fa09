//! What is asked: the same arguments for both sides, taken at random from what the database holds.

use clap::ValueEnum;
use serde_json::json;
use tokio_postgres::{Config, NoTls};
use uuid::Uuid;

use crate::Result;
use crate::client::Target;
use crate::holders::{Holder, signed_in};
use crate::json::card_id_text;

/// Changes every choice below.
const SEED: &str = "dualcaster";
const POINTS: i64 = 500;
const TERMS: i64 = 300;
const HISTORIES: usize = 100;
/// Cards of one history request.
const CARDS: usize = 20;
/// What people look for most, and find.
const WELL_KNOWN: [&str; 5] = ["lightning", "bolt", "counterspell", "lotus", "force"];

const Q1: &str = "query($id: ID!) { card(by: {id: $id}) { id name collectorNumber rarity typeLine \
    set { code name releasedOn } \
    marketPrices { marketplace { slug name } finish condition price low high market observedAt } } }";
const Q2: &str = "query { viewer { inventory(first: 50) { nodes { id quantity condition finish language createdAt \
    card { id name collectorNumber rarity set { code name } \
    marketPrices { marketplace { slug name } finish condition price observedAt } } } } } }";
const Q3: &str = "query($search: String!) { cards(search: $search, first: 20) { nodes { id name collectorNumber rarity \
    set { code name } marketPrices { marketplace { slug name } finish price observedAt } } } }";
const Q4: &str = "query($ids: [ID!]!, $marketplace: String!) { nodes(ids: $ids) { id ... on Card { name \
    priceHistory(interval: RAW, window: ALL, marketplace: $marketplace, first: 10) { nodes { time price } } } } }";

/// The queries that have a yardstick, by the names they have in the recorded figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Query {
    /// A card by its id.
    Q1,
    /// The beginning of the asker's inventory.
    Q2,
    /// A search.
    Q3,
    /// The price histories of twenty cards.
    Q4,
}

impl Query {
    pub fn name(self) -> &'static str {
        match self {
            Self::Q1 => "q1",
            Self::Q2 => "q2",
            Self::Q3 => "q3",
            Self::Q4 => "q4",
        }
    }
}

/// One question, ready to be sent to either side.
#[derive(Debug)]
pub struct Question {
    /// The argument, for a message.
    pub argument: String,
    pub to_server: Vec<u8>,
    pub to_yardstick: Vec<u8>,
}

/// The arguments of all queries.
#[derive(Debug)]
pub struct Arguments {
    points: Vec<Uuid>,
    holders: Vec<Holder>,
    terms: Vec<String>,
    histories: Vec<Vec<Uuid>>,
    marketplace: String,
}

impl Arguments {
    /// Takes them from the database: always the same ones from the same cards. Where Q2 is among the queries, those who
    /// ask it are made there if they are missing, and signed in.
    ///
    /// # Errors
    /// The database's, and one without cards or marketplaces; the server's, for Q2.
    pub async fn take(config: &Config, queries: &[Query], server: &Target) -> Result<Self> {
        let (client, connection) = config.connect(NoTls).await?;
        // Ends with the client; what goes wrong on it, the statement that waits for an answer reports.
        let connection = tokio::spawn(connection);
        // A hash of id and seed is a random order that stays.
        let ids = "select scryfall_id from cards order by md5($1 || scryfall_id::text) limit $2";
        let names = "select name_key from cards where place = 1 and not extra
            order by md5($1 || scryfall_id::text) limit $2";
        let marketplace = "select slug from marketplaces where enabled order by id limit 1";
        let uuids = async |salt: &str, limit: i64| -> Result<Vec<Uuid>> {
            let rows = client.query(ids, &[&format!("{SEED} {salt}"), &limit]).await?;
            Ok(rows.iter().map(|row| row.try_get(0)).collect::<std::result::Result<_, _>>()?)
        };
        let points = uuids("points", POINTS).await?;
        let histories = uuids("histories", i64::try_from(HISTORIES * CARDS)?).await?;
        let mut terms: Vec<String> = WELL_KNOWN.map(str::to_owned).into();
        for row in client.query(names, &[&format!("{SEED} terms"), &TERMS]).await? {
            terms.extend(term(row.try_get(0)?));
        }
        let Some(marketplace) = client.query_opt(marketplace, &[]).await? else {
            return Err("the database has no marketplace: load a catalogue first".into());
        };
        let marketplace = marketplace.try_get(0)?;
        if points.is_empty() {
            return Err("the database has no cards: load a catalogue first".into());
        }
        let holders =
            if queries.contains(&Query::Q2) { signed_in(&client, server).await? } else { Vec::new() };
        drop(client);
        connection.await??;
        let histories = histories.chunks(CARDS).map(<[Uuid]>::to_vec).collect();
        Ok(Self { points, holders, terms, histories, marketplace })
    }

    /// The questions of a query.
    pub fn questions(&self, query: Query, server: &Target, yardstick: &Target) -> Vec<Question> {
        let question =
            |argument: &str, document: &str, variables: serde_json::Value, path: String| Question {
                argument: argument.to_owned(),
                to_server: server.post(&json!({ "query": document, "variables": variables }).to_string()),
                to_yardstick: yardstick.get(&path),
            };
        match query {
            Query::Q1 => self
                .points
                .iter()
                .map(|id| {
                    let variables = json!({ "id": card_id_text(*id) });
                    question(&id.to_string(), Q1, variables, format!("/q1?id={id}"))
                })
                .collect(),
            Query::Q2 => self
                .holders
                .iter()
                .map(|Holder { id, token }| Question {
                    argument: id.to_string(),
                    to_server: server.post_as(token, &json!({ "query": Q2 }).to_string()),
                    to_yardstick: yardstick.get(&format!("/q2?user={id}")),
                })
                .collect(),
            Query::Q3 => self
                .terms
                .iter()
                .map(|term| question(term, Q3, json!({ "search": term }), format!("/q3?term={term}")))
                .collect(),
            Query::Q4 => self.histories.iter().map(|ids| self.history(ids, question)).collect(),
        }
    }

    fn history(
        &self,
        ids: &[Uuid],
        question: impl Fn(&str, &str, serde_json::Value, String) -> Question,
    ) -> Question {
        let global: Vec<String> = ids.iter().map(|id| card_id_text(*id)).collect();
        let plain = ids.iter().map(Uuid::to_string).collect::<Vec<_>>().join(",");
        let marketplace = self.marketplace.as_str();
        let variables = json!({ "ids": global, "marketplace": marketplace });
        question(&plain, Q4, variables, format!("/q4?ids={plain}&marketplace={marketplace}"))
    }
}

/// Four to six letters of a word of the name. Its own length and letters choose them, so that a name gives the same
/// term always; ASCII only, so that a term needs no escape in a URL.
fn term(name: &str) -> Option<String> {
    let chance = name.bytes().fold(17_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) >> 8;
    let words: Vec<&str> = name
        .split(|character: char| !character.is_ascii_lowercase())
        .filter(|word| word.len() >= 4)
        .collect();
    let word = words.get(chance % words.len().max(1))?;
    let length = (4 + chance / 7 % 3).min(word.len());
    let start = chance / 31 % (word.len() - length + 1);
    word.get(start..start + length).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_four_to_six_letters_of_a_word() {
        for name in
            ["black lotus", "fire // ice", "lim-duls vault", "counterspell", "jotun grunt of the æons"]
        {
            let term = term(name).expect("a term");
            assert!((4..=6).contains(&term.len()) && name.contains(&term), "{name}: {term}");
        }
        assert_eq!(term("ow"), None);
        assert_eq!(term(""), None);
    }
}
