//! Files in, and the jobs that are about them.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};

use super::super::global_id::GlobalId;
use super::super::misses::Misses;
use super::super::nullable::nullable;
use super::super::planned::Items;
use super::super::types::{
    CollectionImport, ImportMode, ImportPlatform, InventoryItem, Job, UserError, told,
};
use super::super::upload::Upload;
use crate::domain::jobs::{cancel_job, discard_dead_letters, retry_dead_letters};
use crate::error::Error;
use crate::jobs::{Jobs as BackgroundJobs, NewImport};
use crate::principal::{Principal, Role, Visit};

/// A collection to import.
#[derive(InputObject)]
pub struct ImportCollectionInput {
    /// The file: a table in CSV, or a list as decks are written. At most 50 MiB.
    file: Upload,
    /// Detected from the header line and the first rows where not given.
    platform: Option<ImportPlatform>,
    /// Whether it adds to what is held, or takes its place.
    #[graphql(default_with = "ImportMode::Merge")]
    mode: ImportMode,
    /// Checks and reports only.
    #[graphql(default)]
    dry_run: bool,
}

/// The import that was queued.
#[derive(SimpleObject)]
pub struct ImportCollectionPayload {
    /// It waits, or is under way: watch it with `jobProgress`.
    collection_import: Option<CollectionImport>,
    /// What is wrong with the file.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which job is stopped.
#[derive(InputObject)]
pub struct CancelJobInput {
    /// The job's `id`.
    id: ID,
}

/// The job that was stopped.
#[derive(SimpleObject)]
pub struct CancelJobPayload {
    /// As it now is: one that is under way ends within two seconds.
    job: Option<Job>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which import is taken back.
#[derive(InputObject)]
pub struct UndoImportInput {
    /// The import's `id`.
    id: ID,
}

/// What was taken back.
#[derive(SimpleObject)]
pub struct UndoImportPayload {
    /// The import.
    collection_import: Option<CollectionImport>,
    /// Items that were changed by hand since, and so stay as they are; the first 500.
    #[graphql(tag = "most=500")]
    kept_items: Items<InventoryItem>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which file is deleted.
#[derive(InputObject)]
pub struct DeleteUploadInput {
    /// The file's `id`.
    id: ID,
}

/// Which file was deleted.
#[derive(SimpleObject)]
pub struct DeleteUploadPayload {
    /// Its `id`.
    deleted_id: Option<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=10")]
    user_errors: Vec<UserError>,
}

/// Which dead letters are tried again.
#[derive(InputObject)]
pub struct RetryDeadLettersInput {
    /// Their `id`s, 1,000 at most.
    #[graphql(tag = "most=1000")]
    ids: Vec<ID>,
}

/// Which dead letters are tried again.
#[derive(SimpleObject)]
pub struct RetryDeadLettersPayload {
    /// Their `id`s, and those of letters that were retried already; none of one that was discarded.
    retried_ids: Vec<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// Which dead letters are put away.
#[derive(InputObject)]
pub struct DiscardDeadLettersInput {
    /// Their `id`s, 1,000 at most.
    #[graphql(tag = "most=1000")]
    ids: Vec<ID>,
}

/// Which dead letters are put away.
#[derive(SimpleObject)]
pub struct DiscardDeadLettersPayload {
    /// Their `id`s.
    discarded_ids: Vec<ID>,
    /// What is wrong with the input.
    #[graphql(tag = "most=input")]
    user_errors: Vec<UserError>,
}

/// Items of an answer at most.
const MOST_KEPT: usize = 500;

/// Files and jobs.
#[derive(Default)]
pub struct Jobs;

#[Object]
impl Jobs {
    /// Queues a collection export of another platform for import into the caller's inventory. The same file, sent again while
    /// its import is under way, is the same import.
    async fn import_collection(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The file, and how it is taken.")] input: ImportCollectionInput,
    ) -> Option<Result<ImportCollectionPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let file = input.file.received(context)?;
            let content = file.open().map_err(|error| Error::internal(format!("an upload: {error}")))?;
            let new = NewImport {
                filename: file.filename.clone(),
                sent_as: file.sent_as.clone(),
                size_bytes: file.size_bytes,
                content,
                platform: input.platform.map(Into::into),
                mode: input.mode.into(),
                dry_run: input.dry_run,
                request_id: context.data::<Visit>()?.request_id.clone(),
            };
            let outcome = context.data::<BackgroundJobs>()?.import(user.id, new).await;
            let (job, user_errors) = told(outcome, &[])?;
            let collection_import = job.map(|job| Arc::new(job).into());
            Ok(Some(ImportCollectionPayload { collection_import, user_errors }))
        })
        .await
    }

    /// Stops a job of the caller's that has not finished. An import that is stopped leaves the inventory as it was.
    async fn cancel_job(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which job.")] input: CancelJobInput,
    ) -> Option<Result<CancelJobPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let jobs = context.data::<BackgroundJobs>()?;
            let id = GlobalId::collection_import(&input.id);
            let outcome = cancel_job(jobs.databases().write(), user.id, id, jobs.outside().now()).await;
            Misses::note_of(context, &outcome);
            let (job, user_errors) = told(outcome, &[])?;
            Ok(Some(CancelJobPayload { job: job.map(|job| Arc::new(job).into()), user_errors }))
        })
        .await
    }

    /// Takes back an import within 24 hours: the inventory is as it was, but for what was changed by hand since, which is
    /// reported.
    async fn undo_import(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which import.")] input: UndoImportInput,
    ) -> Option<Result<UndoImportPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let jobs = context.data::<BackgroundJobs>()?;
            let outcome = jobs.undo_import(user.id, GlobalId::collection_import(&input.id)).await;
            Misses::note_of(context, &outcome);
            let (undone, user_errors) = told(outcome, &[])?;
            let (job, kept) = undone.unzip();
            let kept_items = kept.into_iter().flatten().take(MOST_KEPT).collect();
            let collection_import = job.map(|job| Arc::new(job).into());
            Ok(Some(UndoImportPayload { collection_import, kept_items, user_errors }))
        })
        .await
    }

    /// Deletes a file that the caller uploaded, and the report made of it.
    async fn delete_upload(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which file.")] input: DeleteUploadInput,
    ) -> Option<Result<DeleteUploadPayload>> {
        nullable(async {
            let user = context.data::<Principal>()?.writer()?;
            let id = GlobalId::uploaded_file(&input.id);
            let outcome = context.data::<BackgroundJobs>()?.delete_upload(user.id, id).await;
            Misses::note_of(context, &outcome);
            let (deleted, user_errors) = told(outcome, &[])?;
            let deleted_id = deleted.map(|()| GlobalId::UploadedFile(id).encode());
            Ok(Some(DeleteUploadPayload { deleted_id, user_errors }))
        })
        .await
    }

    /// Queues the jobs of dead letters again; those that were retried or discarded already stay as they are. For
    /// administrators only.
    async fn retry_dead_letters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: RetryDeadLettersInput,
    ) -> Option<Result<RetryDeadLettersPayload>> {
        nullable(async {
            context.data::<Principal>()?.with_role(&[Role::Admin])?;
            context.data::<Principal>()?.writer()?;
            let jobs = context.data::<BackgroundJobs>()?;
            let ids: Vec<_> = input.ids.iter().map(|id| GlobalId::dead_letter(id)).collect();
            let outcome = retry_dead_letters(jobs.databases().write(), &ids, jobs.outside().now()).await;
            let (done, user_errors) = told(outcome, &[])?;
            let retried_ids =
                done.into_iter().flatten().map(|id| GlobalId::DeadLetter(id).encode()).collect();
            Ok(Some(RetryDeadLettersPayload { retried_ids, user_errors }))
        })
        .await
    }

    /// Puts dead letters away; nothing else becomes of them. For administrators only.
    async fn discard_dead_letters(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which.")] input: DiscardDeadLettersInput,
    ) -> Option<Result<DiscardDeadLettersPayload>> {
        nullable(async {
            context.data::<Principal>()?.with_role(&[Role::Admin])?;
            context.data::<Principal>()?.writer()?;
            let jobs = context.data::<BackgroundJobs>()?;
            let ids: Vec<_> = input.ids.iter().map(|id| GlobalId::dead_letter(id)).collect();
            let outcome = discard_dead_letters(jobs.databases().write(), &ids, jobs.outside().now()).await;
            let (done, user_errors) = told(outcome, &[])?;
            let discarded_ids =
                done.into_iter().flatten().map(|id| GlobalId::DeadLetter(id).encode()).collect();
            Ok(Some(DiscardDeadLettersPayload { discarded_ids, user_errors }))
        })
        .await
    }
}
