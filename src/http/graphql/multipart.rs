//! Operations that bring files, as the GraphQL multipart request specification has them:
//! <https://github.com/jaydenseric/graphql-multipart-request-spec>. First the operation, then the map of parts to
//! variables, then the files, each of which goes to disk as it comes, once it is known that their sender may send any.

mod paced;

use std::io::Write;

use async_graphql::{Name, Value};
use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, StatusCode, header};
use multer::{Constraints, Field, Multipart, SizeLimit};
use serde_json::Map;

use self::paced::{Late, Paced, Search};
use super::caller::Caller;
use super::gate::admit_files;
use super::request::{Rejected, call_of, drain};
use super::too_late;
use crate::app::App;
use crate::config::Settings;
use crate::engine::Call;
use crate::error::{Code, Refusal};
use crate::graphql::{ReceivedFile, Uploads, upload_value};

/// Files of one request at most.
const FILES: usize = 3;
/// Bytes of the map at most.
const MAP_BYTES: u64 = 1_024;
/// A page of another site can send a form without asking, but not one of these headers.
const PREFLIGHT: [&str; 3] = ["graphql-require-preflight", "apollo-require-preflight", "x-requested-with"];

/// Whether a request brings files.
pub(super) fn is_multipart(headers: &HeaderMap) -> bool {
    content_type(headers).trim_start().to_ascii_lowercase().starts_with("multipart/form-data")
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default()
}

fn malformed(message: &'static str) -> Rejected {
    Rejected::new(StatusCode::BAD_REQUEST, Refusal::invalid_value(message))
}

/// The operation, and its files.
pub(super) async fn read(
    app: &App,
    headers: &HeaderMap,
    body: Body,
    caller: &Caller,
) -> Result<(Call, Uploads), Rejected> {
    let mut body = body.into_data_stream();
    let settings = app.settings();
    let read = read_parts(headers, &mut body, settings, admit_files(app, caller)).await;
    match read {
        Ok((call, uploads, place)) => {
            place.give_up().await;
            Ok((call, uploads))
        }
        Err(rejected) => {
            // In vain, where its sender takes too long.
            let _ = tokio::time::timeout(settings.server.request_timeout, drain(body)).await;
            Err(rejected)
        }
    }
}

/// `admit` says whether files may come; no byte of one is kept before.
async fn read_parts<T>(
    headers: &HeaderMap,
    body: &mut BodyDataStream,
    settings: &Settings,
    admit: impl Future<Output = Result<T, Rejected>>,
) -> Result<(Call, Uploads, T), Rejected> {
    if !PREFLIGHT.iter().any(|name| headers.contains_key(*name)) {
        return Err(malformed("Send files with the header GraphQL-Require-Preflight: 1."));
    }
    let boundary = multer::parse_boundary(content_type(headers))
        .map_err(|_| malformed("The form's Content-Type has no boundary."))?;
    let most = settings.server.max_upload_bytes;
    let limit = SizeLimit::new()
        .for_field("operations", settings.server.max_body_bytes as u64)
        .for_field("map", MAP_BYTES)
        .per_field(most)
        .whole_stream(most_bytes(settings));
    let constraints = Constraints::new().size_limit(limit);
    let search = Search::default();
    let pace = (settings.server.request_timeout, settings.server.upload_bytes_per_second);
    let paced = Paced::new(body, search.clone(), pace);
    let mut form = Form { parts: Multipart::with_constraints(paced, boundary, constraints), search, most };

    let operation = form.next().await?.filter(|part| part.name() == Some("operations"));
    let operation = operation.ok_or_else(|| malformed("The form begins with the part operations."))?;
    let operation = operation.bytes().await.map_err(|error| trouble(&error, most))?;
    let operation: serde_json::Value =
        serde_json::from_slice(&operation).map_err(|_| malformed("The part operations is not JSON."))?;
    if !operation.is_object() {
        return Err(malformed("Files are sent for one operation a request."));
    }
    let map = form.next().await?.filter(|part| part.name() == Some("map"));
    let map = map.ok_or_else(|| malformed("After the part operations comes the part map."))?;
    let map = map.bytes().await.map_err(|error| trouble(&error, most))?;
    let places = places(&map)?;
    let mut call = call_of(operation, &settings.guard)?;
    let admitted = admit.await?;

    let mut files = Vec::new();
    let mut left = places;
    while let Some(part) = form.next().await? {
        let place = part.name().and_then(|name| left.iter().position(|(part, _)| part == name));
        let place =
            place.ok_or_else(|| malformed("A part of the form is not in the map, or comes twice."))?;
        let (_, path) = left.swap_remove(place);
        put(&mut call, &path, files.len())?;
        files.push(receive(part, most).await?);
    }
    if !left.is_empty() {
        return Err(malformed("The map names a part that is not in the form."));
    }
    Ok((call, Uploads::new(files), admitted))
}

/// Bytes that a form may have as a whole.
fn most_bytes(settings: &Settings) -> u64 {
    let (files, around) = (FILES as u64, paced::MOST_SEARCHED * (FILES as u64 + 3));
    let files = settings.server.max_upload_bytes.saturating_mul(files);
    files.saturating_add(settings.server.max_body_bytes as u64 + MAP_BYTES + around)
}

/// A form as it comes.
struct Form<'r> {
    parts: Multipart<'r>,
    search: Search,
    /// Bytes of a file at most.
    most: u64,
}

impl<'r> Form<'r> {
    /// The next part, which is not far.
    async fn next(&mut self) -> Result<Option<Field<'r>>, Rejected> {
        self.search.begin();
        let part = self.parts.next_field().await.map_err(|error| trouble(&error, self.most))?;
        self.search.end();
        Ok(part)
    }
}

fn trouble(error: &multer::Error, most: u64) -> Rejected {
    let too_large =
        |code, message: String| Rejected::new(StatusCode::PAYLOAD_TOO_LARGE, Refusal::new(code, message));
    match error {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "map" => {
            malformed("The part map is longer than 1,024 bytes.")
        }
        multer::Error::FieldSizeExceeded { limit, field_name: Some(name) } if name == "operations" => {
            too_large(
                Code::BodyTooLarge,
                format!("The part operations is too large; the limit is {limit} bytes."),
            )
        }
        multer::Error::FieldSizeExceeded { .. } => {
            too_large(Code::FileTooLarge, format!("File too large. Maximum {}MB.", most >> 20))
        }
        multer::Error::StreamReadFailed(cause) if cause.is::<Late>() => too_late(),
        _ => malformed("The request's body is no form of parts, or ended too early."),
    }
}

/// Each part with the path of its variable.
fn places(map: &[u8]) -> Result<Vec<(String, String)>, Rejected> {
    let map: Map<String, serde_json::Value> =
        serde_json::from_slice(map).map_err(|_| malformed("The part map is no JSON object."))?;
    if map.is_empty() || map.len() > FILES {
        return Err(malformed("Send one to three files a request."));
    }
    let mut places: Vec<(String, String)> = Vec::new();
    for (part, paths) in map {
        let path = match paths.as_array().map(Vec::as_slice) {
            Some([serde_json::Value::String(path)]) => path.clone(),
            _ => return Err(malformed("In the map each part has one path in a list.")),
        };
        if places.iter().any(|(_, taken)| *taken == path) {
            return Err(malformed("The map has a path twice."));
        }
        places.push((part, path));
    }
    Ok(places)
}

/// Puts a file in the place of the null that stands at a path: `variables.files.0`.
fn put(call: &mut Call, path: &str, file: usize) -> Result<(), Rejected> {
    let wrong = || malformed("A path of the map leads to no null among the variables.");
    let mut steps = path.split('.');
    if steps.next() != Some("variables") {
        return Err(wrong());
    }
    let name = steps.next().ok_or_else(wrong)?;
    let mut place = call.variables.get_mut(&Name::new(name)).ok_or_else(wrong)?;
    for step in steps {
        place = match place {
            Value::Object(fields) => fields.get_mut(step),
            Value::List(items) => step.parse().ok().and_then(|index: usize| items.get_mut(index)),
            _ => None,
        }
        .ok_or_else(wrong)?;
    }
    if *place != Value::Null {
        return Err(wrong());
    }
    *place = upload_value(file);
    Ok(())
}

async fn receive(mut part: Field<'_>, most: u64) -> Result<ReceivedFile, Rejected> {
    let sent_as = part.file_name().unwrap_or_default().to_owned();
    let broken = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be kept");
        Rejected::new(StatusCode::INTERNAL_SERVER_ERROR, crate::error::internal_refusal())
    };
    let mut file = on_disk(tempfile::tempfile).await.map_err(broken)?;
    let mut size = 0;
    while let Some(piece) = part.chunk().await.map_err(|error| trouble(&error, most))? {
        size += piece.len() as u64;
        file = on_disk(move || file.write_all(&piece).map(|()| file)).await.map_err(broken)?;
    }
    Ok(ReceivedFile::new(sent_as, size, file))
}

/// Work with files, where it keeps nobody waiting.
async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_byte_of_a_file_is_taken_of_who_may_not_send_it() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};

        use crate::config::Environment;

        let settings = Settings::read(&mut Environment::new([])).expect("settings");
        let part = |name: &str, content: &str| {
            format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{content}")
        };
        let head = [
            part("operations", r#"{"query": "{ a }", "variables": {"file": null}}"#),
            part("map", r#"{"0": ["variables.file"]}"#),
            part("0", ""),
        ]
        .join("\r\n");
        for (may, most) in [(true, 200), (false, 20)] {
            let taken = Arc::new(AtomicUsize::new(0));
            let counting = Arc::clone(&taken);
            let pieces = std::iter::once(head.clone().into_bytes())
                .chain((0..200).map(|_| vec![b'x'; 40_000]))
                .inspect(move |_| {
                    counting.fetch_add(1, Ordering::Relaxed);
                });
            let body = futures_util::stream::iter(pieces.map(Ok::<_, std::io::Error>));
            let mut body = Body::from_stream(body).into_data_stream();
            let headers = [
                (header::CONTENT_TYPE, "multipart/form-data; boundary=edge"),
                (header::HeaderName::from_static("x-requested-with"), "a test"),
            ];
            let headers =
                headers.into_iter().map(|(name, value)| (name, header::HeaderValue::from_static(value)));
            let refused = Rejected::new(StatusCode::FORBIDDEN, Refusal::invalid_value("no"));
            let admit = std::future::ready(if may { Ok(()) } else { Err(refused) });
            let read = read_parts(&headers.collect(), &mut body, &settings, admit).await;
            // The form has no end, so that it is refused in any case.
            let status = read.map(|_| ()).expect_err("refused").status;
            assert_eq!(status == StatusCode::FORBIDDEN, !may);
            let taken = taken.load(Ordering::Relaxed);
            assert!(if may { taken >= most } else { taken <= most }, "{taken}");
        }
    }
}
