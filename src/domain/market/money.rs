//! Amounts: whole minor units inside, decimals at the edge. See docs/adr/0003-money.md.

use entity::enums::{Condition, Currency};

/// An amount in minor units, of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}

/// What a played copy is worth, in thousandths of a near-mint one, where no marketplace says: the steps that large
/// shops' published grading guides have in common, rounded.
pub const CONDITION_PER_MILLE: [(Condition, i64); 5] = [
    (Condition::NearMint, 1_000),
    (Condition::LightlyPlayed, 850),
    (Condition::ModeratelyPlayed, 700),
    (Condition::HeavilyPlayed, 500),
    (Condition::Damaged, 350),
];

/// A near-mint amount, estimated for another condition; half a unit rounds up.
pub(super) fn estimate(near_mint: i64, condition: Condition) -> i64 {
    let per_mille =
        CONDITION_PER_MILLE.iter().find(|(of, _)| *of == condition).map_or(1_000, |(_, figure)| *figure);
    (near_mint * per_mille + 500).div_euclid(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_rounds_half_a_cent_up() {
        assert_eq!(estimate(1_000, Condition::NearMint), 1_000);
        assert_eq!(estimate(1_010, Condition::LightlyPlayed), 859); // 858.5
        assert_eq!(estimate(1, Condition::Damaged), 0);
        assert_eq!(estimate(-1_000, Condition::HeavilyPlayed), -500);
    }
}
