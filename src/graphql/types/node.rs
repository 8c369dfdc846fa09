//! What has a global id.

use async_graphql::{ID, Interface};

use super::{
    ApiToken, Card, CardSet, CollectionImport, DeadLetter, InventoryItem, Marketplace, Session, UploadedFile,
    User, WantListItem,
};

/// An object with a globally unique, opaque id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Globally unique and opaque; give it to `node`."))]
pub enum Node {
    Card(Card),
    CardSet(CardSet),
    Marketplace(Marketplace),
    User(User),
    Session(Session),
    ApiToken(ApiToken),
    InventoryItem(InventoryItem),
    WantListItem(WantListItem),
    CollectionImport(CollectionImport),
    UploadedFile(UploadedFile),
    DeadLetter(DeadLetter),
}
