//! Files by link: tables, as attachments.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use entity::enums::JobStatus;
use futures_util::{StreamExt, stream};
use uuid::Uuid;

use super::plain_refusal;
use crate::app::App;
use crate::domain::accounts::{FIRST_LISTED, export_account, export_listed, find_user};
use crate::domain::collection::{Layout, export_header, export_page, report_header, report_page};
use crate::domain::jobs::load_jobs;
use crate::error::{Code, Error, Refusal};
use crate::jobs::ImportPayload;
use crate::links::Link;
use crate::pagination::Key;

pub fn routes() -> Router<App> {
    Router::new().route("/files/{token}", get(file))
}

/// What is not there, and what is not any more, look alike.
pub(super) fn no_such_link() -> Response {
    let refusal = Refusal::new(Code::NotFound, "This link is unknown, or too old. Ask for a new one.");
    plain_refusal(StatusCode::NOT_FOUND, &refusal)
}

/// What went wrong inside, in a word to the caller and whole in the log.
pub(super) fn failed(error: &Error) -> Response {
    tracing::error!(error = error.log_text(), "a file or a picture could not be made");
    let refusal = error.refusal();
    let status = match refusal.code {
        Code::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        Code::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    plain_refusal(status, &refusal)
}

async fn file(State(app): State<App>, Path(token): Path<String>) -> Response {
    match app.links().open(&token) {
        Some((Link::Inventory { user, layout }, _)) => match Layout::of_name(&layout) {
            Some(layout) => inventory(&app, user, layout).await.unwrap_or_else(|error| failed(&error)),
            None => no_such_link(),
        },
        Some((Link::Account { user }, _)) => account(&app, user).await.unwrap_or_else(|error| failed(&error)),
        Some((Link::Report { user, job }, _)) => {
            report(&app, user, job).await.unwrap_or_else(|error| failed(&error))
        }
        Some((Link::Portfolio { .. }, _)) | None => no_such_link(),
    }
}

async fn inventory(app: &App, user: Uuid, layout: Layout) -> Result<Response, Error> {
    // The link of who has left since opens nothing.
    if find_user(app.databases().write(), user).await?.is_none() {
        return Ok(no_such_link());
    }
    let pages = inventory_pages(app, user, layout, export_header(layout)?);
    Ok(attachment(&format!("inventory-{}.csv", layout.name()), Body::from_stream(pages)))
}

/// The lines of an inventory, page by page as they are read.
fn inventory_pages(
    app: &App,
    user: Uuid,
    layout: Layout,
    head: Vec<u8>,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + use<> {
    enum Next {
        Head(Vec<u8>),
        Page(Option<Key>),
        End,
    }
    let app = app.clone();
    stream::try_unfold(Next::Head(head), move |next| {
        let app = app.clone();
        async move {
            let after = match next {
                Next::Head(head) => return Ok(Some((Bytes::from(head), Next::Page(None)))),
                Next::Page(after) => after,
                Next::End => return Ok(None),
            };
            match export_page(app.databases().write(), user, layout, after).await {
                Ok((lines, Some(after))) => Ok(Some((Bytes::from(lines), Next::Page(Some(after))))),
                Ok((lines, None)) => Ok(Some((Bytes::from(lines), Next::End))),
                Err(error) => Err(cut(&error)),
            }
        }
    })
}

/// Every line of a file that was imported, with what became of it.
async fn report(app: &App, user: Uuid, job: Uuid) -> Result<Response, Error> {
    let Some(row) = load_jobs(app.databases().write(), user, &[job]).await?.pop() else {
        return Ok(no_such_link());
    };
    let header = ImportPayload::of(&row)?.header;
    let (columns, is_completed) = (header.len(), row.status == JobStatus::Completed);
    let head = report_header(&header)?;
    let app = app.clone();
    let pages = stream::try_unfold(Some((Some(head), 0_i64)), move |next| {
        let app = app.clone();
        async move {
            let Some((head, after)) = next else { return Ok(None) };
            if let Some(head) = head {
                return Ok(Some((Bytes::from(head), Some((None, after)))));
            }
            match report_page(app.databases().write(), job, is_completed, columns, after).await {
                Ok((lines, after)) => Ok(Some((Bytes::from(lines), after.map(|after| (None, after))))),
                Err(error) => Err(cut(&error)),
            }
        }
    });
    Ok(attachment("import-report.csv", Body::from_stream(pages)))
}

async fn account(app: &App, user: Uuid) -> Result<Response, Error> {
    let Some(facts) = export_account(app.databases().write(), user).await? else {
        return Ok(no_such_link());
    };
    let mut head = b"\r\n".to_vec();
    head.extend(export_header(Layout::Generic)?);
    let inventory = inventory_pages(app, user, Layout::Generic, head);
    let app = app.clone();
    let listed = stream::try_unfold(Some((FIRST_LISTED, None)), move |next| {
        let app = app.clone();
        async move {
            let Some((list, after)) = next else { return Ok(None) };
            match export_listed(app.databases().write(), user, list, after).await {
                Ok((lines, next)) => Ok(Some((Bytes::from(lines), next))),
                Err(error) => Err(cut(&error)),
            }
        }
    });
    let facts = stream::once(async { Ok(Bytes::from(facts)) });
    Ok(attachment("account.csv", Body::from_stream(facts.chain(listed).chain(inventory))))
}

/// Cuts the connection, so that nobody takes half a file for the whole.
fn cut(error: &Error) -> std::io::Error {
    tracing::error!(error = error.log_text(), "a file ended before its end");
    std::io::Error::other("the file could not be read on")
}

fn attachment(name: &str, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    (headers, body).into_response()
}
