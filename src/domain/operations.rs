//! Trusted documents: the operations that clients have registered, by client and version.

use std::collections::{HashMap, HashSet};

use entity::trusted_operation::{ActiveModel, Column, Entity, Model};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};

use crate::error::{Refusal, Result};

/// An operation of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub document_id: String,
    pub name: Option<String>,
    pub document: String,
}

/// Rows of one statement.
const ROWS: usize = 500;

/// Registers the operations and answers how many this client's version did not have yet.
///
/// # Errors
/// ERR-3002 where an id stands for another document, whosever: callers name an id alone. The database's.
pub async fn add_operations(
    connection: &impl ConnectionTrait,
    client: &str,
    version: &str,
    operations: &[Operation],
) -> Result<u64> {
    let mut there = Vec::new();
    for some in operations.chunks(ROWS) {
        let ids = some.iter().map(|operation| operation.document_id.as_str());
        there.extend(Entity::find().filter(Column::DocumentId.is_in(ids)).all(connection).await?);
    }
    let mut documents: HashMap<_, _> =
        there.iter().map(|row| (row.document_id.as_str(), row.document.as_str())).collect();
    let of_client = there.iter().filter(|row| row.client == client && row.version == version);
    let mut had: HashSet<_> = of_client.map(|row| row.document_id.as_str()).collect();
    let mut new = Vec::new();
    for operation in operations {
        let id = operation.document_id.as_str();
        if *documents.entry(id).or_insert(&operation.document) != operation.document {
            return Err(
                Refusal::invalid_value(format!("The id {id} stands for another document already.")).into()
            );
        }
        if had.insert(id) {
            new.push(ActiveModel {
                id: NotSet,
                client: Set(client.to_owned()),
                version: Set(version.to_owned()),
                document_id: Set(id.to_owned()),
                name: Set(operation.name.clone()),
                document: Set(operation.document.clone()),
            });
        }
    }
    let mut added = 0;
    for rows in new.chunks(ROWS) {
        let key = [Column::DocumentId, Column::Client, Column::Version];
        added += Entity::insert_many(rows.to_vec())
            .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
            .exec_without_returning(connection)
            .await?;
    }
    Ok(added)
}

/// All of them, by client, version and name.
///
/// # Errors
/// The database's.
pub async fn list_operations(connection: &impl ConnectionTrait) -> Result<Vec<Model>> {
    let mut rows = Entity::find().order_by_asc(Column::Id).all(connection).await?;
    rows.sort_by(|a, b| (&a.client, &a.version, &a.name).cmp(&(&b.client, &b.version, &b.name)));
    Ok(rows)
}

/// Takes an operation away, of whichever clients and versions, and answers how many rows that were.
///
/// # Errors
/// The database's.
pub async fn remove_operation(connection: &impl ConnectionTrait, document_id: &str) -> Result<u64> {
    let removed = Entity::delete_many().filter(Column::DocumentId.eq(document_id)).exec(connection).await?;
    Ok(removed.rows_affected)
}

/// What changes whenever an operation is added or removed.
///
/// # Errors
/// The database's.
pub async fn operations_version(connection: &impl ConnectionTrait) -> Result<(i64, i64)> {
    let found: Option<(i64, Option<i32>)> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "rows")
        .column_as(Column::Id.max(), "newest")
        .into_tuple()
        .one(connection)
        .await?;
    Ok(found.map_or((0, 0), |(rows, newest)| (rows, newest.unwrap_or(0).into())))
}
