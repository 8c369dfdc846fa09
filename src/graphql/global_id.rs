//! Ids that are unique across types: base64url of `Type:uuid`, the same on every store.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::error::Refusal;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalId {
    /// By its Scryfall id.
    Card(Uuid),
    CardSet(Uuid),
    Marketplace(Uuid),
    User(Uuid),
    Session(Uuid),
    ApiToken(Uuid),
    InventoryItem(Uuid),
    WantListItem(Uuid),
    CollectionImport(Uuid),
    UploadedFile(Uuid),
    DeadLetter(Uuid),
}

impl GlobalId {
    pub fn encode(self) -> ID {
        let (name, uuid) = match self {
            Self::Card(uuid) => ("Card", uuid),
            Self::CardSet(uuid) => ("CardSet", uuid),
            Self::Marketplace(uuid) => ("Marketplace", uuid),
            Self::User(uuid) => ("User", uuid),
            Self::Session(uuid) => ("Session", uuid),
            Self::ApiToken(uuid) => ("ApiToken", uuid),
            Self::InventoryItem(uuid) => ("InventoryItem", uuid),
            Self::WantListItem(uuid) => ("WantListItem", uuid),
            Self::CollectionImport(uuid) => ("CollectionImport", uuid),
            Self::UploadedFile(uuid) => ("UploadedFile", uuid),
            Self::DeadLetter(uuid) => ("DeadLetter", uuid),
        };
        ID(URL_SAFE_NO_PAD.encode(format!("{name}:{uuid}")))
    }

    /// Absent for whatever is no id of ours.
    pub fn decode(id: &str) -> Option<Self> {
        // The longest of ours is far shorter.
        if id.len() > 128 {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(id.trim_end_matches('=')).ok()?;
        let (name, uuid) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
        let uuid = Uuid::try_parse(uuid).ok()?;
        Some(match name {
            "Card" => Self::Card(uuid),
            "CardSet" => Self::CardSet(uuid),
            "Marketplace" => Self::Marketplace(uuid),
            "User" => Self::User(uuid),
            "Session" => Self::Session(uuid),
            "ApiToken" => Self::ApiToken(uuid),
            "InventoryItem" => Self::InventoryItem(uuid),
            "WantListItem" => Self::WantListItem(uuid),
            "CollectionImport" => Self::CollectionImport(uuid),
            "UploadedFile" => Self::UploadedFile(uuid),
            "DeadLetter" => Self::DeadLetter(uuid),
            _ => return None,
        })
    }

    /// The Scryfall id of a card's id.
    ///
    /// # Errors
    /// ERR-3002 for what is no card's id.
    pub fn card(id: &str) -> Result<Uuid, Refusal> {
        match Self::decode(id) {
            Some(Self::Card(uuid)) => Ok(uuid),
            _ => Err(Refusal::invalid_value("This is not the id of a card.")),
        }
    }
}

/// Of each kind of thing that is somebody's, what an id of it names. Of whatever else it is one that nobody has, so that it is
/// looked for and not found, like another's.
macro_rules! or_nobodys {
    ($($name:ident => $kind:ident),* $(,)?) => {
        impl GlobalId {
            $(pub fn $name(id: &str) -> Uuid {
                match Self::decode(id) {
                    Some(Self::$kind(uuid)) => uuid,
                    _ => Uuid::nil(),
                }
            })*
        }
    };
}

or_nobodys! {
    session => Session,
    api_token => ApiToken,
    inventory_item => InventoryItem,
    want_list_item => WantListItem,
    collection_import => CollectionImport,
    uploaded_file => UploadedFile,
    dead_letter => DeadLetter,
}

impl GlobalId {
    /// The Scryfall id of a card's id; of whatever else it is one that no card has, so that it is not found.
    pub fn card_or_none(id: &str) -> Uuid {
        Self::card(id).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_what_it_names() {
        let uuid = Uuid::from_u128(0x4618_4f97_d5c9_4a98_9fd9_e190_57ce_9b7e);
        for id in [GlobalId::Card(uuid), GlobalId::CardSet(uuid), GlobalId::Marketplace(uuid)] {
            assert_eq!(GlobalId::decode(&id.encode()), Some(id));
        }
        assert!(GlobalId::card(&GlobalId::CardSet(uuid).encode()).is_err());
        for nonsense in ["", "x", "Q2FyZA", "Q2FyZDpub3QtYS11dWlk", "💥", &"A".repeat(500)] {
            assert_eq!(GlobalId::decode(nonsense), None, "{nonsense}");
        }
    }
}
