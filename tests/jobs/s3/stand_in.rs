//! A store that speaks as S3 does, as far as the server speaks to it: objects are put, got and deleted one at a time, put in
//! parts, and listed page by page. What else is asked of it is answered with 501, and so fails the test that asks.
//!
//! Requests must be signed in the form of AWS's version 4 by the key that is known here, and a body must be the one whose digest
//! was signed. The signature itself is not computed again: who makes it is no code of ours.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use dualcaster::app::now;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Where the server keeps its files, and what their keys begin with.
pub const URL: &str = "s3://shelf/of/dualcaster";
pub const PREFIX: &str = "of/dualcaster/uploads/";
const BUCKET: &str = "shelf";
const ACCESS_KEY: &str = "the-shelf-s-key";

/// What becomes of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Takes no more: what would need room is refused.
    Full,
    /// Requests are taken and not looked at. What is asked by who has gone meanwhile is forgotten.
    Frozen,
}

struct Object {
    content: Bytes,
    modified: DateTime<Utc>,
}

/// A file that is sent in parts: its key, and what came of it by number.
type Upload = (String, BTreeMap<usize, Bytes>);

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, Upload>,
    uploads_begun: usize,
    /// Requests that were looked at: `PUT uploads/1 partNumber,uploadId`.
    asked: Vec<String>,
    /// So many requests pass, and so many after them are refused.
    passes: usize,
    refuses: usize,
    /// So many requests pass before all freezes.
    until_frozen: Option<usize>,
}

/// The store, for as long as the test's runtime.
#[derive(Clone)]
pub struct StandIn {
    pub address: String,
    /// Keys of a page.
    page: usize,
    mood: watch::Sender<Mood>,
    kept: Arc<Mutex<Kept>>,
}

impl StandIn {
    /// One whose lists have pages of so many keys.
    pub async fn start(page: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address").to_string();
        let store = Self { address, page, mood: watch::Sender::new(Mood::Well), kept: Arc::default() };
        let router = Router::new().fallback(answer).with_state(store.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        store
    }

    /// What is told to a server that reaches it at an address.
    pub fn options(address: &str) -> Vec<(String, String)> {
        let options = [
            ("AWS_ENDPOINT_URL", format!("http://{address}")),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "nobody is to read this".to_owned()),
            // Of no meaning here: another tool's.
            ("AWS_PROFILE", "shelf".to_owned()),
        ];
        options.map(|(name, value)| (name.to_owned(), value)).into()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("not poisoned")
    }

    /// All is well from now on.
    pub fn heal(&self) {
        let mut kept = self.kept();
        (kept.passes, kept.refuses, kept.until_frozen) = (0, 0, None);
        drop(kept);
        self.mood.send_replace(Mood::Well);
    }

    pub fn fill(&self) {
        self.mood.send_replace(Mood::Full);
    }

    pub fn freeze(&self) {
        self.mood.send_replace(Mood::Frozen);
    }

    /// Freezes when so many more requests have passed.
    pub fn freeze_after(&self, requests: usize) {
        self.kept().until_frozen = Some(requests);
    }

    /// How many requests are taken and not looked at.
    pub fn waiting(&self) -> usize {
        self.mood.receiver_count()
    }

    /// Lets so many requests pass, and refuses so many of those that follow.
    pub fn refuse(&self, passes: usize, refuses: usize) {
        let mut kept = self.kept();
        (kept.passes, kept.refuses) = (passes, refuses);
    }

    /// Puts an object there that was changed last at that moment.
    pub fn lay(&self, key: &str, modified: DateTime<Utc>) {
        self.kept().objects.insert(key.to_owned(), Object { content: Bytes::new(), modified });
    }

    /// Makes an object older.
    pub fn age(&self, key: &str, by: TimeDelta) {
        self.kept().objects.get_mut(key).expect("an object").modified -= by;
    }

    /// The keys of all objects.
    pub fn keys(&self) -> Vec<String> {
        self.kept().objects.keys().cloned().collect()
    }

    pub fn content(&self, key: &str) -> Bytes {
        self.kept().objects.get(key).expect("an object").content.clone()
    }

    /// How many files were begun in parts and neither finished nor given up.
    pub fn unfinished(&self) -> usize {
        self.kept().uploads.len()
    }

    /// How many requests there were that begin so.
    pub fn asked(&self, beginning: &str) -> usize {
        self.kept().asked.iter().filter(|asked| asked.starts_with(beginning)).count()
    }
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>")).into_response()
}

fn xml(root: &str, content: &str) -> Response {
    let head = [(header::CONTENT_TYPE, "application/xml")];
    (head, format!("<?xml version=\"1.0\"?><{root}>{content}</{root}>")).into_response()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tag(content: &[u8]) -> String {
    format!("\"{}\"", hex(&Sha256::digest(content)[..16]))
}

/// Whether the headers have a signature's form, and the digest of this body.
fn is_signed(headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let claims = text("authorization").strip_prefix("AWS4-HMAC-SHA256 Credential=");
    let is_known = claims.is_some_and(|claims| {
        claims.starts_with(&format!("{ACCESS_KEY}/"))
            && claims.contains("SignedHeaders=host;")
            && claims.split_once("Signature=").is_some_and(|(_, signature)| signature.len() == 64)
    });
    is_known && text("x-amz-content-sha256") == hex(&Sha256::digest(body))
}

async fn answer(State(store): State<StandIn>, request: Request) -> Response {
    // A request's body first: who waits for an answer has sent it.
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return error(StatusCode::BAD_REQUEST, "IncompleteBody");
    };
    if store.kept().until_frozen.take_if(|requests| *requests == 0).is_some() {
        store.freeze();
    }
    let mut mood = store.mood.subscribe();
    if mood.wait_for(|mood| *mood != Mood::Frozen).await.is_err() {
        return error(StatusCode::SERVICE_UNAVAILABLE, "Gone");
    }
    let mood = *store.mood.borrow();
    let mut kept = store.kept();
    if let Some(requests) = &mut kept.until_frozen {
        *requests -= 1;
    }
    let query: HashMap<String, String> =
        form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = head.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let mut names: Vec<&str> = query.keys().map(String::as_str).collect();
    names.sort_unstable();
    kept.asked.push(format!("{} {key} {}", head.method, names.join(",")));
    if !is_signed(&head.headers, &body) {
        return error(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    if kept.passes > 0 {
        kept.passes -= 1;
    } else if kept.refuses > 0 {
        kept.refuses -= 1;
        return error(StatusCode::SERVICE_UNAVAILABLE, "SlowDown");
    }
    if bucket != BUCKET {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    if mood == Mood::Full && head.method == Method::PUT {
        return error(StatusCode::INSUFFICIENT_STORAGE, "InsufficientStorage");
    }
    kept.answer(&head.method, key, &names, &query, &body, store.page)
}

impl Kept {
    fn answer(
        &mut self,
        method: &Method,
        key: &str,
        names: &[&str],
        query: &HashMap<String, String>,
        body: &Bytes,
        page: usize,
    ) -> Response {
        let of = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        match (method.as_str(), key, names) {
            ("GET", "", ["list-type", "max-keys", "prefix"])
            | ("GET", "", ["continuation-token", "list-type", "max-keys", "prefix"]) => {
                let most = of("max-keys").parse().unwrap_or(page).min(page);
                self.list(of("prefix"), of("continuation-token"), most)
            }
            ("GET", _, []) => match self.objects.get(key) {
                Some(object) => {
                    let modified = object.modified.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
                    let head = [(header::ETAG, tag(&object.content)), (header::LAST_MODIFIED, modified)];
                    (head, Body::from(object.content.clone())).into_response()
                }
                None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
            },
            ("PUT", _, []) => {
                let object = Object { content: body.clone(), modified: now() };
                self.objects.insert(key.to_owned(), object);
                [(header::ETAG, tag(body))].into_response()
            }
            ("DELETE", _, []) => {
                self.objects.remove(key);
                StatusCode::NO_CONTENT.into_response()
            }
            ("POST", _, ["uploads"]) => {
                self.uploads_begun += 1;
                let id = format!("upload-{}", self.uploads_begun);
                self.uploads.insert(id.clone(), (key.to_owned(), BTreeMap::new()));
                xml("InitiateMultipartUploadResult", &format!("<UploadId>{id}</UploadId>"))
            }
            ("PUT", _, ["partNumber", "uploadId"]) => match self.uploads.get_mut(of("uploadId")) {
                Some((of_key, parts)) if of_key == key => {
                    parts.insert(of("partNumber").parse().expect("a number"), body.clone());
                    [(header::ETAG, tag(body))].into_response()
                }
                _ => error(StatusCode::NOT_FOUND, "NoSuchUpload"),
            },
            ("POST", _, ["uploadId"]) => self.complete(key, of("uploadId"), body),
            ("DELETE", _, ["uploadId"]) => match self.uploads.remove(of("uploadId")) {
                Some(_) => StatusCode::NO_CONTENT.into_response(),
                None => error(StatusCode::NOT_FOUND, "NoSuchUpload"),
            },
            _ => error(StatusCode::NOT_IMPLEMENTED, "NotImplemented"),
        }
    }

    /// A page of the keys that begin so: those after the one that is the token.
    fn list(&self, prefix: &str, token: &str, most: usize) -> Response {
        let mut found =
            self.objects.iter().filter(|(key, _)| key.starts_with(prefix) && key.as_str() > token).peekable();
        let (mut contents, mut last) = (String::new(), "");
        for (key, object) in found.by_ref().take(most) {
            last = key;
            contents.push_str(&format!(
                "<Contents><Key>{key}</Key><LastModified>{}</LastModified><Size>{}</Size><ETag>{}</ETag></Contents>",
                object.modified.to_rfc3339_opts(SecondsFormat::Millis, true),
                object.content.len(),
                tag(&object.content).replace('"', "&quot;"),
            ));
        }
        if found.peek().is_some() {
            contents.push_str(&format!("<NextContinuationToken>{last}</NextContinuationToken>"));
        }
        xml("ListBucketResult", &contents)
    }

    /// Makes an object of the parts that are named, which must be all, each by its number and its tag.
    fn complete(&mut self, key: &str, id: &str, body: &[u8]) -> Response {
        let Some((of_key, parts)) = self.uploads.get(id) else {
            return error(StatusCode::NOT_FOUND, "NoSuchUpload");
        };
        let named: String = parts
            .iter()
            .map(|(number, part)| {
                let tag = tag(part);
                format!("<Part><ETag>{tag}</ETag><PartNumber>{number}</PartNumber></Part>")
            })
            .collect();
        let named = format!("<CompleteMultipartUpload>{named}</CompleteMultipartUpload>");
        let told = String::from_utf8_lossy(body).replace("&quot;", "\"");
        // S3 takes no parts under 5 MiB but the last.
        let too_small = parts.values().rev().skip(1).any(|part| part.len() < 5 << 20);
        if of_key != key || told != named || too_small {
            return error(StatusCode::BAD_REQUEST, "InvalidPart");
        }
        let content: Vec<u8> = parts.values().flatten().copied().collect();
        let tag = tag(&content).replace('"', "&quot;");
        self.uploads.remove(id);
        self.objects.insert(key.to_owned(), Object { content: content.into(), modified: now() });
        xml("CompleteMultipartUploadResult", &format!("<ETag>{tag}</ETag>"))
    }
}
