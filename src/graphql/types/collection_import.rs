//! An import of a collection.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Json, Object, SimpleObject};
use entity::job;
use uuid::Uuid;

use super::job::{JobKind, JobProgress, JobStatus, UploadedFile, error_of};
use super::user::Asker;
use super::user_error::UserError;
use crate::db::Connection;
use crate::domain::collection::{
    self, RejectedLine, RejectedList, count_rejected_by_job, list_rejected, load_rejected_by_job,
};
use crate::domain::import::Platform;
use crate::error::Result;
use crate::graphql::Loaders;
use crate::graphql::batch::{Load, promised};
use crate::graphql::connection::{Edges, connection, int};
use crate::graphql::global_id::GlobalId;
use crate::graphql::nullable::nullable;
use crate::graphql::planned::plan;
use crate::graphql::scalars::{DateTime, Url};
use crate::jobs::{ImportPayload, ImportResult};
use crate::links::{Link, Links};
use crate::pagination::{CursorSecret, End, Page, PageArguments, Slice};

macro_rules! platforms {
    ($($(#[doc = $doc:literal])* $variant:ident,)*) => {
        /// Whose export a file is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
        #[graphql(remote = "Platform")]
        pub enum ImportPlatform { $($(#[doc = $doc])* $variant,)* }
    };
}

platforms! {
    /// archidekt.com
    Archidekt,
    /// cardcastle.co
    Cardcastle,
    /// cardkingdom.com
    Cardkingdom,
    /// cardmarket.com
    Cardmarket,
    /// cardsphere.com
    Cardsphere,
    /// cubecobra.com
    Cubecobra,
    /// deckbox.org
    Deckbox,
    /// Decked Builder
    DeckedBuilder,
    /// A list as decks are written: `4 Llanowar Elves (M19) 314`.
    Decklist,
    /// deckstats.net
    Deckstats,
    /// Delver Lens
    DelverLens,
    /// Dragon Shield
    DragonShield,
    /// echomtg.com
    EchoMtg,
    /// Any table whose columns can be told by their headings and values.
    Generic,
    /// Helvault
    Helvault,
    /// ManaBox
    Manabox,
    /// moxfield.com
    Moxfield,
    /// mtggoldfish.com
    Mtggoldfish,
    /// Magic Online
    Mtgo,
    /// tappedout.net
    Tappedout,
    /// tcgplayer.com
    Tcgplayer,
    /// topdecked.com
    Topdecked,
    /// Urza's Gatherer
    UrzasGatherer,
}

/// Whether what a file brings is added to what is held, or takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(remote = "collection::ImportMode")]
pub enum ImportMode {
    /// Adds to what is held.
    Merge,
    /// Replaces the whole inventory.
    Replace,
}

/// A file of a collection that is read into an inventory.
#[derive(Clone)]
pub struct CollectionImport {
    row: Arc<job::Model>,
}

impl From<Arc<job::Model>> for CollectionImport {
    fn from(row: Arc<job::Model>) -> Self {
        Self { row }
    }
}

/// A file of a collection that is read into an inventory. What is held changes as a whole, at its end, or not at all.
#[Object]
impl CollectionImport {
    /// Globally unique and opaque; give it to `node`, `cancelJob`, `jobProgress` or `undoImport`.
    pub async fn id(&self) -> ID {
        GlobalId::CollectionImport(self.row.id).encode()
    }

    /// What it does.
    pub async fn kind(&self) -> JobKind {
        self.row.kind.into()
    }

    /// How far it is.
    pub async fn status(&self) -> JobStatus {
        self.row.status.into()
    }

    /// How much of it is done.
    pub async fn progress(&self) -> JobProgress {
        JobProgress::of(&self.row)
    }

    /// Why it failed, for people.
    pub async fn error(&self) -> Option<UserError> {
        error_of(&self.row)
    }

    /// When it was queued.
    pub async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// When it was begun for the first time.
    pub async fn started_at(&self) -> Option<DateTime> {
        self.row.started_at.map(DateTime)
    }

    /// When it ended.
    pub async fn finished_at(&self) -> Option<DateTime> {
        self.row.finished_at.map(DateTime)
    }

    /// When it last went on.
    pub async fn updated_at(&self) -> DateTime {
        DateTime(self.row.updated_at)
    }

    /// Whose export the file is, as it was told or detected.
    async fn platform(&self) -> Option<async_graphql::Result<ImportPlatform>> {
        nullable(async { Ok(Platform::of_name(&ImportPayload::of(&self.row)?.platform).map(Into::into)) })
            .await
    }

    /// Whether it adds to what is held, or takes its place.
    async fn mode(&self) -> async_graphql::Result<ImportMode> {
        Ok(ImportPayload::of(&self.row)?.mode.into())
    }

    /// Whether it only checks and reports.
    async fn dry_run(&self) -> async_graphql::Result<bool> {
        Ok(ImportPayload::of(&self.row)?.dry_run)
    }

    /// The file.
    async fn file(&self, context: &Context<'_>) -> async_graphql::Result<UploadedFile> {
        let asker = Asker { user: self.row.user_id.unwrap_or_default(), sees_all: false };
        let key = (asker, self.row.upload_id.unwrap_or_default());
        let file = context.data::<Loaders>()?.uploads.load(key).await?;
        Ok(promised(file, "an import's file is not there")?.into())
    }

    /// How the file's columns were understood.
    #[graphql(tag = "most=100")]
    async fn columns(&self) -> async_graphql::Result<Vec<ColumnMapping>> {
        let columns = ImportPayload::of(&self.row)?.columns.into_iter();
        let mapping = |column: crate::jobs::PlannedColumn| ColumnMapping {
            column: column.column,
            field: column.field,
            confidence: column.confidence,
        };
        Ok(columns.map(mapping).collect())
    }

    /// Rows that were imported, those among them that were added to an equal item. 0 until it has ended.
    async fn rows_imported(&self) -> i32 {
        int(i64::try_from(ImportResult::of(&self.row).imported).unwrap_or(i64::MAX))
    }

    /// Rows that were rejected: `rejectedRows` has each. A row of no copies is counted neither here nor there: one that is blank, of
    /// sums, a heading or a comment of a decklist, or of a card that it says is not owned; the report says so. 0 until it has ended.
    async fn rows_rejected(&self) -> i32 {
        int(i64::try_from(ImportResult::of(&self.row).rejected).unwrap_or(i64::MAX))
    }

    /// Whether it was taken back.
    async fn undone(&self) -> bool {
        ImportResult::of(&self.row).undone
    }

    /// The rows that were rejected, in the order of the file.
    async fn rejected_rows(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The first so many, 100 at most; 20 where neither first nor last is given.")] first: Option<i32>,
        #[graphql(desc = "Those after this cursor.")] after: Option<String>,
        #[graphql(desc = "The last so many, 100 at most.")] last: Option<i32>,
        #[graphql(desc = "Those before this cursor.")] before: Option<String>,
    ) -> async_graphql::Result<RejectedRowConnection> {
        let secret = context.data::<CursorSecret>()?;
        let list = RejectedList { job: self.row.id };
        let page = PageArguments { first, after, last, before }.page(&list.id(), secret)?;
        let slice =
            context.data::<Loaders>()?.rejected.load((list, page)).await?.unwrap_or_else(Slice::empty);
        let header: Arc<[String]> = ImportPayload::of(&self.row)?.header.into();
        let slice = slice.map(|line| RejectedOf { line, header: Arc::clone(&header) });
        let edges = Edges::new(slice, secret, list.id(), |row: &RejectedOf| RejectedList::key(&row.line));
        Ok(RejectedRowConnection::new(edges, RejectedTotal(self.row.id)))
    }

    /// A CSV that opens safely in a spreadsheet: every row with what became of it. The URL expires after an hour.
    async fn report_url(&self, context: &Context<'_>) -> Option<async_graphql::Result<Url>> {
        nullable(async {
            let Some(user) = self.row.user_id.filter(|_| self.row.finished_at.is_some()) else {
                return Ok(None);
            };
            Ok(context.data::<Links>()?.url(Link::Report { user, job: self.row.id }, "").map(Url))
        })
        .await
    }
}

/// How a column of the file was understood.
#[derive(Debug, Clone, SimpleObject)]
pub struct ColumnMapping {
    /// Its heading.
    column: String,
    /// What it holds: `name`, `setCode`, `quantity`, …; null for one that is not used.
    field: Option<String>,
    /// How sure that is, from 0 to 1.
    confidence: f64,
}

/// A rejected line, and the headings that it stands under.
#[derive(Clone)]
pub struct RejectedOf {
    line: RejectedLine,
    header: Arc<[String]>,
}

/// A row that was not imported.
#[derive(Debug, Clone, SimpleObject)]
pub struct RejectedRow {
    /// The line of the file at which it begins.
    line: i32,
    /// Its number in the error catalogue: ERR-1101.
    code: String,
    /// Why, for people.
    message: String,
    /// Its cells as they came, by heading.
    row: Json<serde_json::Value>,
}

plan!(RejectedRow: fields {
    "line" => line,
    "code" => code,
    "message" => message,
});

impl From<RejectedOf> for RejectedRow {
    fn from(RejectedOf { line, header }: RejectedOf) -> Self {
        let cells: Vec<serde_json::Value> = serde_json::from_value(line.cells).unwrap_or_default();
        let mut row = serde_json::Map::new();
        for (position, cell) in cells.into_iter().enumerate() {
            let heading = header.get(position).filter(|heading| !row.contains_key(*heading));
            row.insert(heading.cloned().unwrap_or_else(|| format!("column {}", position + 1)), cell);
        }
        Self {
            line: int(line.line),
            code: line.code,
            message: line.message.unwrap_or_default(),
            row: Json(serde_json::Value::Object(row)),
        }
    }
}

/// What counts rejected rows.
pub struct RejectedTotal(Uuid);

impl RejectedTotal {
    pub async fn count(&self, loaders: &Loaders) -> Result<i64> {
        Ok(loaders.rejected_totals.load(self.0).await?.unwrap_or(0))
    }
}

connection! {
    /// A page of rejected rows.
    RejectedRowConnection, RejectedRowEdge, RejectedOf => RejectedRow, total: RejectedTotal
}

/// Pages of rejected rows. The same first page of many imports is one statement.
pub struct RejectedPages;

impl Load for RejectedPages {
    type Key = (RejectedList, Page);
    type Value = Slice<RejectedLine>;
    const NAME: &'static str = "rejected";

    async fn load(connection: &Connection, keys: Vec<Self::Key>) -> Result<HashMap<Self::Key, Self::Value>> {
        let mut loaded = HashMap::new();
        let mut firsts: HashMap<usize, Vec<Uuid>> = HashMap::new();
        for (list, page) in keys {
            if page.end == End::Start && page.after.is_none() && page.before.is_none() {
                firsts.entry(page.size).or_default().push(list.job);
            } else {
                let slice = list_rejected(connection, &list, &page).await?;
                loaded.insert((list, page), slice);
            }
        }
        for (size, jobs) in firsts {
            for (job, slice) in load_rejected_by_job(connection, &jobs, size).await? {
                loaded.insert((RejectedList { job }, Page::first(size)), slice);
            }
        }
        Ok(loaded)
    }
}

/// How many rows imports have rejected.
pub struct RejectedTotals;

impl Load for RejectedTotals {
    type Key = Uuid;
    type Value = i64;
    const NAME: &'static str = "rejected_totals";

    async fn load(connection: &Connection, keys: Vec<Uuid>) -> Result<HashMap<Uuid, i64>> {
        count_rejected_by_job(connection, &keys).await
    }
}
