//! What callers may ask for in the long run, in points of cost.

use super::Environment;

/// Budgets: how much at once, and how much a second. A bucket that leaks.
#[derive(Debug, Clone, Copy)]
pub struct BudgetSettings {
    /// Of each address that says nothing of who it is.
    pub anonymous: Budget,
    /// Of each user.
    pub user: Budget,
    /// Of each administrator.
    pub admin: Budget,
    /// Of each client that has no budget of its own.
    pub client: Budget,
}

/// A bucket's size, and what it refills by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    pub points: u32,
    pub points_per_second: u32,
}

impl std::str::FromStr for Budget {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "must be two numbers with a slash between: points at once, points a second";
        let (points, points_per_second) = text.split_once('/').ok_or(wrong)?;
        let number =
            |text: &str| text.trim().parse::<u32>().ok().filter(|number| (1..=1_000_000).contains(number));
        match (number(points), number(points_per_second)) {
            (Some(points), Some(points_per_second)) => Ok(Self { points, points_per_second }),
            _ => Err(wrong),
        }
    }
}

impl BudgetSettings {
    pub(super) fn read(environment: &mut Environment) -> Self {
        Self {
            anonymous: environment.get(
                "DUALCASTER_BUDGET_ANONYMOUS",
                "20000/500",
                "What one address may ask for without signing in, in points of cost: at once, and a second.",
            ),
            user: environment.get("DUALCASTER_BUDGET_USER", "40000/2000", "The same of a user."),
            admin: environment.get(
                "DUALCASTER_BUDGET_ADMIN",
                "1000000/100000",
                "The same of an administrator.",
            ),
            client: environment.get(
                "DUALCASTER_BUDGET_CLIENT",
                "200000/10000",
                "The same of a client, such as the Discord bot, that was not made with a rate of its own.",
            ),
        }
    }
}
