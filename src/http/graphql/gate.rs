//! What a caller may still ask for: looked at before an operation is executed, settled after.

use async_graphql::{Name, Value};
use axum::http::StatusCode;
use uuid::Uuid;

use super::caller::Caller;
use super::request::Rejected;
use super::unauthorized;
use crate::app::App;
use crate::config::Budget;
use crate::engine::{Call, Prepared};
use crate::error::{Code, Refusal};
use crate::gates::{Charge, Level, Limit, Taken, rate_limited};
use crate::graphql::{Misses, objects_in};
use crate::jobs::Jobs;
use crate::principal::{self, Role};

/// So many bytes of a document are read for a point.
const BYTES_A_POINT: usize = 1_024;

/// What a document was charged for before it is read.
pub(super) struct Reading {
    key: String,
    points: u32,
    limit: Limit,
}

/// An operation that was let in, and what it was charged for.
pub(super) struct Ticket {
    /// Whose budget it is.
    key: String,
    misses: MissesOf,
    limit: Limit,
    charged: u32,
    level: Level,
}

/// Whom a caller's misses count for.
enum MissesOf {
    Caller(String),
    /// A bot is never shut out as a whole: its misses are of the users that it acts for, whom only its answer tells.
    UsersOfBot(String),
}

fn limit(app: &App, caller: &Caller) -> Limit {
    let budgets = &app.settings().budget;
    let Budget { points, points_per_second } = match (&caller.principal.caller, caller.principal.role()) {
        (principal::Caller::Client { points_per_second: Some(own), .. }, _) => {
            Budget { points: own.saturating_mul(20), points_per_second: *own }
        }
        (principal::Caller::Client { .. }, _) => budgets.client,
        (_, Some(Role::Admin)) => budgets.admin,
        (_, Some(_)) => budgets.user,
        (_, None) => budgets.anonymous,
    };
    Limit::per_second(points, points_per_second)
}

/// Lets a document be read and checked, so that nobody has a server do that over and over for what is refused. It is charged
/// beside the budget, which who makes a mistake keeps, and on this server alone, which it costs and no other.
///
/// # Errors
/// ERR-4001 for who has sent too much of late that was refused.
pub(super) async fn admit_document(
    app: &App,
    caller: &Caller,
    call: &Call,
) -> Result<Option<Reading>, Refusal> {
    // What a hash or an id stands for was valid when it was kept.
    let Some(query) = &call.query else { return Ok(None) };
    let limit = limit(app, caller);
    // One that is too long is not read.
    let bytes = query.len().min(app.settings().guard.document_bytes);
    let points = u32::try_from(1 + bytes / BYTES_A_POINT).unwrap_or(u32::MAX).min(limit.capacity());
    let reading = Reading { key: format!("documents:{}", caller.key()), points, limit };
    if let Err(refusal) = app.gates().pass_here(reading.charge()).await {
        metrics::counter!("dualcaster_rate_limited_total", "kind" => "document").increment(1);
        return Err(refusal);
    }
    Ok(Some(reading))
}

impl Reading {
    fn charge(&self) -> Charge<'_> {
        Charge { key: &self.key, points: self.points, limit: self.limit }
    }

    /// Gives all back: there is an operation to execute, which has a cost of its own.
    pub async fn give_back(self, app: &App) {
        app.gates().give_back_here(self.charge()).await;
    }
}

/// Lets an operation in, for the cost that it may have at most.
///
/// # Errors
/// ERR-4001 where the budget is used up for now, ERR-4002 for who has missed too often; nothing is executed then.
pub(super) async fn admit(app: &App, caller: &Caller, prepared: &Prepared) -> Result<Ticket, Refusal> {
    let key = caller.key();
    let misses = if caller.principal.role() == Some(Role::Bot) {
        MissesOf::UsersOfBot(key.clone())
    } else {
        app.gates().check_block(&key).await?;
        MissesOf::Caller(key.clone())
    };
    let limit = limit(app, caller);
    // What costs more than a budget ever holds would never be let in: the guard's limit is what refuses it.
    let charged = u32::try_from(prepared.cost()).unwrap_or(u32::MAX).min(limit.capacity());
    let budget = format!("cost:{key}");
    match app.gates().take(&[Charge { key: &budget, points: charged, limit }]).await {
        Taken::Granted(level) => Ok(Ticket { key: budget, misses, limit, charged, level }),
        Taken::Refused { retry_after, .. } => {
            metrics::counter!("dualcaster_rate_limited_total", "kind" => prepared.kind().name()).increment(1);
            Err(rate_limited(retry_after))
        }
    }
}

/// A place among the uploads that a user may send, held while the files come.
pub(super) struct UploadPlace<'a>(Option<(&'a Jobs, Uuid)>);

/// Lets files come, before any of them is taken: from who may change something, is not shut out, and has not sent too many.
/// A schema that is not the product's has rules of its own.
pub(super) async fn admit_files<'a>(app: &'a App, caller: &Caller) -> Result<UploadPlace<'a>, Rejected> {
    let Some(jobs) = app.jobs() else { return Ok(UploadPlace(None)) };
    let user = caller.principal.writer().map_err(|refusal| match refusal.code {
        Code::Unauthenticated => unauthorized(refusal),
        _ => Rejected::new(StatusCode::FORBIDDEN, refusal),
    })?;
    app.gates().check_block(&caller.key()).await.map_err(Rejected::limited)?;
    jobs.count_upload(user.id).await.map_err(Rejected::limited)?;
    Ok(UploadPlace(Some((jobs, user.id))))
}

impl UploadPlace<'_> {
    /// Gives the place up: the files have come, and what takes them in counts them. Those that did not come stay counted.
    pub async fn give_up(self) {
        if let Some((jobs, user)) = self.0 {
            jobs.uncount_upload(user).await;
        }
    }
}

impl Ticket {
    /// Gives all back: nothing is executed after all.
    pub async fn cancel(self, app: &App) {
        app.gates().give_back(&self.key, self.charged, self.limit).await;
    }

    /// Gives back what was not used, counts a miss, and tells the answer's reader.
    ///
    /// # Errors
    /// ERR-4002 where a bot has acted for a user who has missed too often: nobody is to read the answer.
    pub async fn settle(
        self,
        app: &App,
        response: &mut async_graphql::Response,
        misses_of_answer: &Misses,
    ) -> Result<(), Refusal> {
        let Self { key, misses, limit, charged, level } = self;
        // The root is no object of ours; an operation costs one point at least.
        let objects = objects_in(&response.data).saturating_sub(1).max(1);
        let actual = u32::try_from(objects).unwrap_or(u32::MAX).min(charged);
        let unspent = charged - actual;
        app.gates().give_back(&key, unspent, limit).await;
        let whose = match misses {
            MissesOf::Caller(key) => vec![key],
            MissesOf::UsersOfBot(bot) => {
                let of = |id: String| format!("{bot}:discord:{id}");
                let users: Vec<_> = misses_of_answer.acted_for().into_iter().map(of).collect();
                for user in &users {
                    app.gates().check_block(user).await?;
                }
                users
            }
        };
        if misses_of_answer.any() {
            for key in &whose {
                app.gates().miss(key).await;
            }
        }
        if let Some(Value::Object(cost)) = response.extensions.get_mut("cost") {
            let available = level.available.saturating_add(unspent).min(limit.capacity());
            for (name, value) in
                [("actual", actual), ("available", available), ("refill", limit.points_per_second())]
            {
                cost.insert(Name::new(name), value.into());
            }
        }
        Ok(())
    }
}
