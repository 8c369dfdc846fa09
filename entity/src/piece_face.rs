//! A face of a game piece, as searches compare it. A card without faces is one itself.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "piece_faces")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub piece_id: Uuid,
    /// From 0.
    pub face: i16,
    /// The folded type line.
    pub types: String,
    /// The folded rules text without reminders.
    pub rules: String,
    /// With reminders, where it has any.
    pub rules_full: Option<String>,
    /// `rules` with `~` wherever the card speaks of itself, where it does.
    pub rules_self: Option<String>,
    /// The symbols of the cost in one order: `{w}{w}{u/r}`. Null where there is no cost.
    pub mana: Option<String>,
    pub generic_mana: Option<i32>,
    /// A letter for each coloured symbol of the cost: `@` and its colours' bits.
    pub pips: String,
    /// The whole card's.
    pub mana_value: f64,
    /// A star counts as 0, and stands in the next column with its sign.
    pub power: Option<f64>,
    pub power_star: Option<String>,
    pub toughness: Option<f64>,
    pub toughness_star: Option<String>,
    pub loyalty: Option<f64>,
    pub loyalty_star: Option<String>,
    /// The mana that it can make: the colours' bits, then one for colourless, then one where a source has said so.
    pub produces: i16,
    /// Each between spaces: ` is:vanilla kw:flying `.
    pub marks: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
