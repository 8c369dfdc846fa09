//! Revocations of which other servers have not heard where they listen: as long as there is one, they ask the store.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, FromQueryResult};
use uuid::Uuid;

use crate::db::Sql;
use crate::error::Result;

/// # Errors
/// The database's.
pub async fn note_unheard(connection: &impl ConnectionTrait, id: Uuid, until: DateTime<Utc>) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("insert into unheard_revocations (id, doubted_until) values (");
    sql.bind(id).push(", ").bind(until).push(")").run(connection).await?;
    Ok(())
}

/// # Errors
/// The database's.
pub async fn forget_unheard(connection: &impl ConnectionTrait, id: Uuid) -> Result<()> {
    let mut sql = Sql::new(connection);
    sql.push("delete from unheard_revocations where id = ").bind(id).run(connection).await?;
    Ok(())
}

/// Until when there is something that was not heard.
///
/// # Errors
/// The database's.
pub async fn unheard_until(connection: &impl ConnectionTrait) -> Result<Option<DateTime<Utc>>> {
    #[derive(FromQueryResult)]
    struct Until {
        doubted_until: DateTime<Utc>,
    }
    let mut sql = Sql::new(connection);
    sql.push("select doubted_until from unheard_revocations order by doubted_until desc limit 1");
    Ok(sql.one::<Until>(connection).await?.map(|until| until.doubted_until))
}
