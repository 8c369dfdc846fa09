//! Values that are stored as small numbers. A number never changes its meaning: new values get new numbers.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// How rare a printing is. The numbers are the order of the sort by rarity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Rarity {
    Common = 0,
    Uncommon = 1,
    Rare = 2,
    Mythic = 3,
    Special = 4,
    Bonus = 5,
}

/// The surface of a card. The numbers are also the bit positions in `cards.finishes`, and the order in which a card's
/// own finish is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Finish {
    Nonfoil = 0,
    Foil = 1,
    Etched = 2,
}

/// The state of a copy, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Condition {
    NearMint = 0,
    LightlyPlayed = 1,
    ModeratelyPlayed = 2,
    HeavilyPlayed = 3,
    Damaged = 4,
}

/// Whose price it is: what a buyer pays, or what the marketplace pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum PriceKind {
    Retail = 0,
    Buylist = 1,
}

/// What amounts are counted in. TIX are Magic Online's event tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Currency {
    Usd = 0,
    Eur = 1,
    Tix = 2,
}

/// Who knows a card by an outside id.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    EnumIter,
    DeriveActiveEnum,
    Serialize,
    Deserialize,
)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Provider {
    Mtgjson = 0,
    Tcgplayer = 1,
    TcgplayerEtched = 2,
    Cardmarket = 3,
    CardKingdom = 4,
    CardKingdomFoil = 5,
    CardKingdomEtched = 6,
    Mtgo = 7,
    MtgoFoil = 8,
    Arena = 9,
    Multiverse = 10,
}

/// What an account or a client may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum Role {
    User = 0,
    Admin = 1,
    Bot = 2,
}

/// What a token that is sent by mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum TokenPurpose {
    VerifyEmail = 0,
    ResetPassword = 1,
}

/// How much somebody wants a card. The numbers are the order of the sort by priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum WantPriority {
    Low = 0,
    Medium = 1,
    High = 2,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum JobKind {
    CollectionImport = 0,
    ChurnPrediction = 1,
    CatalogueRefresh = 2,
    PriceRefresh = 3,
    Analytics = 4,
    TournamentRefresh = 5,
    Maintenance = 6,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum JobStatus {
    Queued = 0,
    Running = 1,
    Completed = 2,
    Failed = 3,
    Cancelled = 4,
}

/// What became of a line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i16", db_type = "SmallInteger")]
pub enum RowOutcome {
    Imported = 0,
    Merged = 1,
    Rejected = 2,
    /// It is of no copies, and so it is no row that could be taken or not: a heading, a sum, what is not owned.
    Skipped = 3,
}
