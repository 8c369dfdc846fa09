//! Amounts with their currency.

use async_graphql::{InputObject, SimpleObject};

use super::enums::Currency;
use crate::domain::market;
use crate::graphql::planned::plan;
use crate::graphql::scalars::Decimal;

/// An amount of a currency.
#[derive(Debug, Clone, SimpleObject)]
pub struct Money {
    /// With two decimals.
    pub amount: Decimal,
    /// What it is counted in.
    pub currency: Currency,
}

plan!(Money: fields {
    "amount" => amount,
    "currency" => currency,
});

impl From<market::Money> for Money {
    fn from(money: market::Money) -> Self {
        Self { amount: Decimal(money.amount), currency: money.currency.into() }
    }
}

/// An amount of a currency, as it is given.
#[derive(Debug, Clone, InputObject)]
pub struct MoneyInput {
    /// With at most two decimals.
    amount: Decimal,
    /// What it is counted in.
    #[graphql(default_with = "Currency::Usd")]
    currency: Currency,
}

impl From<MoneyInput> for market::Money {
    fn from(input: MoneyInput) -> Self {
        Self { amount: input.amount.0, currency: input.currency.into() }
    }
}
