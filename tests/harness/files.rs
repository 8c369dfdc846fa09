//! Small files in the formats of others, with contents of our own.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

/// A file that is gone with the test.
pub struct TestFile(NamedTempFile);

impl TestFile {
    pub fn new(content: &[u8]) -> Self {
        let mut file = NamedTempFile::new().expect("a file");
        file.write_all(content).expect("written");
        Self(file)
    }

    pub fn json(value: &Value) -> Self {
        Self::new(value.to_string().as_bytes())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What tests say of a printing; the rest is filled in.
#[derive(Debug, Clone, Copy)]
pub struct Printing {
    /// Makes the ids.
    pub number: u128,
    pub name: &'static str,
    pub set: &'static str,
    pub collector_number: &'static str,
    pub rarity: &'static str,
}

impl Printing {
    pub fn scryfall_id(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + self.number)
    }

    pub fn mtgjson_id(&self) -> uuid::Uuid {
        uuid::Uuid::from_u128(0x2000_0000_0000_4000_8000_0000_0000_0000 + self.number)
    }

    /// One a name.
    fn oracle_id(&self) -> uuid::Uuid {
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, self.name.as_bytes())
    }

    /// As its global id.
    pub fn id(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(format!("Card:{}", self.scryfall_id()))
    }
}

/// MTGJSON's AllPrintings of these printings, by set; each entry may be changed by `change`.
pub fn all_printings(printings: &[Printing], change: impl Fn(&Printing, &mut Value)) -> Value {
    let mut sets: Map<String, Value> = Map::new();
    for printing in printings {
        let code = printing.set.to_uppercase();
        let set = sets.entry(code.clone()).or_insert_with(|| {
            json!({"baseSetSize": 1, "cards": [], "code": code, "isOnlineOnly": false, "keyruneCode": code,
                   "name": format!("Set {code}"), "releaseDate": "2011-09-30", "tokens": [], "totalSetSize": 1,
                   "type": "expansion"})
        });
        let mut entry = json!({
            "artist": "A. Painter", "availability": ["paper"], "borderColor": "black", "colorIdentity": ["R"],
            "colors": ["R"], "convertedManaCost": 1.0, "frameVersion": "2015", "hasFoil": true, "hasNonFoil": true,
            "identifiers": {"scryfallId": printing.scryfall_id(), "scryfallOracleId": printing.oracle_id(),
                            "tcgplayerProductId": printing.number.to_string()},
            "layout": "normal", "legalities": {"modern": "Legal", "vintage": "Restricted", "legacy": "Banned"},
            "manaCost": "{R}", "name": printing.name, "number": printing.collector_number, "purchaseUrls": {
                "cardKingdom": "https://example.com/buy"},
            "rarity": printing.rarity, "rulings": [], "setCode": code, "subtypes": [], "supertypes": [],
            "text": "Some rules.", "type": "Instant", "types": ["Instant"], "uuid": printing.mtgjson_id(),
            "keywords": ["Haste"],
        });
        change(printing, &mut entry);
        set["cards"].as_array_mut().expect("cards").push(entry);
    }
    json!({"meta": {"date": "2026-01-01", "version": "5.0.1"}, "data": sets})
}

/// Scryfall's bulk file of these printings.
pub fn scryfall_cards(printings: &[Printing], change: impl Fn(&Printing, &mut Value)) -> Value {
    let card = |printing: &Printing| {
        let mut card = json!({
            "object": "card", "id": printing.scryfall_id(), "oracle_id": printing.oracle_id(), "lang": "en",
            "name": printing.name, "released_at": "2011-09-30", "layout": "normal", "mana_cost": "{R}", "cmc": 1.0,
            "scryfall_uri": "https://scryfall.com/card/x/1?utm_source=api",
            "type_line": "Instant", "oracle_text": "Some rules.", "colors": ["R"], "color_identity": ["R"],
            "keywords": [], "legalities": {"modern": "legal", "standard": "not_legal"}, "reserved": false,
            "foil": true, "nonfoil": true, "finishes": ["nonfoil", "foil"], "promo": false, "digital": false,
            "set": printing.set, "set_name": format!("Set {}", printing.set.to_uppercase()),
            "set_type": "expansion", "collector_number": printing.collector_number, "rarity": printing.rarity,
            "artist": "A. Painter", "image_uris": {"normal": "https://example.com/normal/front/1.jpg?1"},
            "prices": {"usd": "1.00"},
        });
        change(printing, &mut card);
        card
    };
    Value::from_iter(printings.iter().map(card))
}

/// A printing, a marketplace, `retail` or `buylist`, a finish, and prices by day.
pub type Series<'a> = (&'a Printing, &'a str, &'a str, &'a str, &'a [(&'a str, f64)]);

/// MTGJSON's AllPrices of these series.
pub fn all_prices(series: &[Series<'_>]) -> Value {
    let mut data = Map::new();
    for (printing, marketplace, list, finish, points) in series {
        let currency = if *marketplace == "cardmarket" { "EUR" } else { "USD" };
        let record = data.entry(printing.mtgjson_id().to_string()).or_insert_with(|| json!({"paper": {}}));
        let paper = &mut record["paper"][*marketplace];
        if paper.is_null() {
            *paper = json!({"retail": {}, "buylist": {}, "currency": currency});
        }
        paper[*list][*finish] =
            Value::Object(points.iter().map(|(day, price)| ((*day).to_owned(), json!(price))).collect());
    }
    json!({"meta": {"date": "2026-06-30", "version": "5.2.2"}, "data": data})
}
