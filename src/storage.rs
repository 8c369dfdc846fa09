//! Where files are kept: a folder, or a store that speaks as S3 does.
//!
//! Every call is tried three times. The tries are counted here and object_store's own are switched off: they would multiply
//! with these, a folder has none, and a call of S3 that ran out of time is tried again by some methods only.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path as Key;
use object_store::{
    ClientOptions, GetOptions, GetResultPayload, MultipartId, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutOptions, PutPayload, RetryConfig,
};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::error::{Code, Error, Refusal, Result};

/// Bytes that are sent at once: S3 takes no smaller parts of one file but the last.
const PART: usize = 5 << 20;
/// Names of files that are told at once at most.
const NAMES: usize = 500;
/// Tries of one call.
const TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const BACKOFF: Duration = Duration::from_millis(100);
/// The time that S3 has to answer, so that three tries of a small call end before the request that needs them does.
const ANSWER: Duration = Duration::from_millis(2_500);
/// What is sent slower than this, in bytes a second, is taken for standing still.
const SLOWEST: u64 = 1 << 20;

/// Files by name.
#[derive(Clone)]
pub struct Storage {
    place: Place,
    prefix: Key,
}

#[derive(Clone)]
enum Place {
    Folder(LocalFileSystem),
    Bucket(AmazonS3),
}

/// A file of the store as one on this machine, for as long as this is held.
pub enum LocalFile {
    /// The store's own.
    There(PathBuf),
    Fetched(NamedTempFile),
}

impl LocalFile {
    pub fn path(&self) -> &Path {
        match self {
            Self::There(path) => path,
            Self::Fetched(file) => file.path(),
        }
    }
}

fn failed(error: object_store::Error) -> Error {
    tracing::error!(error = in_short(&error), "the store of files failed");
    let message = "Files can't be kept just now. Please try again in a moment.";
    Error::Refused(Refusal { retry_after: Some(5), ..Refusal::new(Code::Overloaded, message) })
}

/// What went wrong. Of S3's own words only the code: they may repeat what a request was signed with.
fn in_short(error: &object_store::Error) -> String {
    let text = error.to_string();
    let Some((before, answer)) = text.split_once('<') else { return text };
    let code = answer.split_once("Code>").and_then(|(_, rest)| rest.split_once('<'));
    format!("{before}{}", code.map_or("", |(code, _)| code))
}

fn trouble(source: io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "files", source: source.into() }
}

/// Tries a call until it is answered or has failed three times. That there is no such file is an answer.
async fn tried<T, F>(call: impl Fn() -> F) -> object_store::Result<T>
where
    F: Future<Output = object_store::Result<T>>,
{
    let mut wait = BACKOFF;
    for _ in 1..TRIES {
        match call().await {
            Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => {
                tracing::debug!(error = in_short(&error), "the store of files is asked again");
            }
            answered => return answered,
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    call().await
}

/// A call of S3, which fails where it takes longer than a call with so many bytes may.
async fn in_time<T>(
    bytes: usize,
    call: impl Future<Output = object_store::Result<T>>,
) -> object_store::Result<T> {
    let limit = ANSWER + Duration::from_millis(bytes as u64 * 1_000 / SLOWEST);
    let answered = tokio::time::timeout(limit, call).await;
    answered.unwrap_or_else(|_| Err(trouble(io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))))
}

/// The folder of a `file:` URL.
fn folder_of(url: &str) -> Option<Result<&str, String>> {
    let path = url.strip_prefix("file:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(if path.is_empty() { Err("names no folder".to_owned()) } else { Ok(path) })
}

impl Storage {
    /// Looks at what [`Self::open`] is to be given, and makes nothing.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn check(url: &str, options: &[(String, String)]) -> Result<(), String> {
        match folder_of(url) {
            Some(folder) => folder.map(drop),
            None => Self::open(url, options).map(drop),
        }
    }

    /// `url` is `file:PATH` or `s3://BUCKET/PREFIX`; what S3 needs besides are the usual `AWS_…` variables, as `options`.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn open(url: &str, options: &[(String, String)]) -> Result<Self, String> {
        if let Some(folder) = folder_of(url) {
            let path = folder?;
            make_folder(Path::new(path)).map_err(|error| format!("{path} can't be made: {error}"))?;
            let store = LocalFileSystem::new_with_prefix(path).map_err(|error| error.to_string())?;
            return Ok(Self { place: Place::Folder(store), prefix: Key::default() });
        }
        let Some(place) = url.strip_prefix("s3://") else {
            return Err("must begin with file: or s3://".to_owned());
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err("names no bucket".to_owned());
        }
        let mut builder = AmazonS3Builder::new()
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            // A large file may take its time as long as it moves: `in_time` sees to that.
            .with_client_options(ClientOptions::new().with_timeout_disabled())
            // Not all that speak as S3 does can delete several at once, and we delete one.
            .with_disable_bulk_delete(true);
        for (name, value) in options {
            // A name that it does not know is for somebody else.
            if let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
                builder = builder.with_config(key, value);
            }
        }
        let store = builder.with_bucket_name(bucket).build().map_err(|error| error.to_string())?;
        Ok(Self { place: Place::Bucket(store), prefix: Key::from(prefix) })
    }

    fn store(&self) -> &dyn ObjectStore {
        match &self.place {
            Place::Folder(folder) => folder,
            Place::Bucket(bucket) => bucket,
        }
    }

    fn key(&self, name: &str) -> Key {
        let whole = format!("{}/{name}", self.prefix);
        Key::from(whole.trim_start_matches('/'))
    }

    /// Keeps a file's content under a name, whole or not at all. Once it is kept, a power cut does not take it away.
    ///
    /// # Errors
    /// ERR-5003 after three tries.
    pub async fn put(&self, name: &str, content: &File) -> Result<()> {
        let key = self.key(name);
        let kept = match &self.place {
            Place::Folder(folder) => put_in_folder(folder, &key, content).await,
            Place::Bucket(bucket) => put_in_bucket(bucket, &key, content).await,
        };
        kept.map_err(failed)
    }

    /// A file's content, on this machine; nothing where there is none of the name.
    ///
    /// # Errors
    /// ERR-5003 after three tries.
    pub async fn fetch(&self, name: &str) -> Result<Option<LocalFile>> {
        let key = self.key(name);
        match tried(|| self.fetch_once(&key)).await {
            Ok(file) => Ok(Some(file)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    async fn fetch_once(&self, key: &Key) -> object_store::Result<LocalFile> {
        let found = self.store().get_opts(key, GetOptions::default());
        let found = match &self.place {
            Place::Folder(_) => found.await?,
            Place::Bucket(_) => in_time(0, found).await?,
        };
        match found.payload {
            GetResultPayload::File(_, path) => Ok(LocalFile::There(path)),
            GetResultPayload::Stream(mut stream) => {
                let file = NamedTempFile::new().map_err(trouble)?;
                let mut writer = tokio::fs::File::from_std(file.reopen().map_err(trouble)?);
                while let Some(piece) = in_time(0, stream.try_next()).await? {
                    writer.write_all(&piece).await.map_err(trouble)?;
                }
                writer.flush().await.map_err(trouble)?;
                Ok(LocalFile::Fetched(file))
            }
        }
    }

    /// Deletes a file; one that is not there is deleted already.
    ///
    /// # Errors
    /// ERR-5003 after three tries.
    pub async fn delete(&self, name: &str) -> Result<()> {
        let key = self.key(name);
        let deleted = match &self.place {
            Place::Folder(folder) => tried(|| folder.delete(&key)).await,
            Place::Bucket(bucket) => tried(|| in_time(0, bucket.delete(&key))).await,
        };
        match deleted {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The names of the files below a folder that are older than this, at most 500 at once and no more of them held than that.
    /// They may be deleted meanwhile.
    ///
    /// # Errors
    /// ERR-5003, as the last that comes.
    pub fn older_than(&self, folder: &str, moment: DateTime<Utc>) -> BoxStream<'_, Result<Vec<String>>> {
        let place = self.key(folder);
        let listed = match &self.place {
            Place::Folder(folder) => {
                folder.list(Some(&place)).try_chunks(NAMES).map_err(|error| error.1).boxed()
            }
            Place::Bucket(bucket) => pages(bucket, format!("{place}/")),
        };
        let names = move |files: Vec<ObjectMeta>| -> Vec<String> {
            let old = files.iter().filter(|file| file.last_modified < moment);
            old.filter_map(|file| file.location.filename()).map(str::to_owned).collect()
        };
        listed.map_ok(names).try_filter(|names| ready(!names.is_empty())).map_err(failed).boxed()
    }
}

// ---- a folder ----------------------------------------------------------------------------------------------------

async fn put_in_folder(folder: &LocalFileSystem, key: &Key, content: &File) -> object_store::Result<()> {
    let path = folder.path_to_filesystem(key)?;
    tried(|| {
        let (path, content) = (path.clone(), content.try_clone());
        let written = tokio::task::spawn_blocking(move || write_durably(&path, content?));
        async { written.await.map_err(io::Error::other).flatten().map_err(trouble) }
    })
    .await
}

/// Writes a file so that it is there whole or not at all, even if the power is cut.
///
/// object_store's own way leaves a draft behind where the process is killed, under a name that its list leaves out. This one's
/// is listed, and no upload's, so that it is swept with what else was left behind.
fn write_durably(path: &Path, mut content: File) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file in no folder"))?;
    make_folder(folder)?;
    let mut draft = NamedTempFile::new_in(folder)?;
    content.rewind()?;
    io::copy(&mut content, &mut draft)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    sync_folder(folder)
}

/// Makes a folder, and those above it, where there is none.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(above)?;
    match std::fs::create_dir(folder) {
        // Another was first.
        Err(_) if folder.is_dir() => {}
        made => made?,
    }
    sync_folder(above)
}

/// Keeps what is in a folder through a power cut: a file that is on the disk is lost without its name.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        match File::open(folder)?.sync_all() {
            // Some file systems have no such thing for folders.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {}
            synced => synced?,
        }
    }
    Ok(())
}

// ---- S3 ----------------------------------------------------------------------------------------------------------

async fn put_in_bucket(bucket: &AmazonS3, key: &Key, content: &File) -> object_store::Result<()> {
    let mut part = part_at(content, 0).await.map_err(trouble)?;
    if part.len() < PART {
        let (bytes, payload) = (part.len(), PutPayload::from(part));
        tried(|| in_time(bytes, bucket.put_opts(key, payload.clone(), PutOptions::default()))).await?;
        return Ok(());
    }
    let id = tried(|| in_time(0, bucket.create_multipart(key))).await?;
    let mut upload = Unfinished { bucket: bucket.clone(), key: key.clone(), id, is_finished: false };
    let (mut parts, mut offset) = (Vec::new(), 0);
    while !part.is_empty() {
        offset += part.len() as u64;
        let (number, bytes, payload) = (parts.len(), part.len(), PutPayload::from(part));
        let sent = tried(|| in_time(bytes, bucket.put_part(key, &upload.id, number, payload.clone())));
        parts.push(sent.await?);
        part = part_at(content, offset).await.map_err(trouble)?;
    }
    tried(|| in_time(0, bucket.complete_multipart(key, &upload.id, parts.clone()))).await?;
    upload.is_finished = true;
    Ok(())
}

/// The next part of a file; nothing at its end.
async fn part_at(content: &File, offset: u64) -> io::Result<Vec<u8>> {
    let mut content = content.try_clone()?;
    let read = tokio::task::spawn_blocking(move || -> io::Result<Vec<u8>> {
        content.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::with_capacity(PART);
        content.take(PART as u64).read_to_end(&mut part)?;
        Ok(part)
    });
    read.await.map_err(io::Error::other).flatten()
}

/// A file that is sent in parts. Where this is dropped before its end, by an error or with a request whose time is over, what
/// was sent of it is given up: else it would stay, and be paid for.
struct Unfinished {
    bucket: AmazonS3,
    key: Key,
    id: MultipartId,
    is_finished: bool,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.is_finished {
            return;
        }
        let (bucket, key, id) = (self.bucket.clone(), self.key.clone(), std::mem::take(&mut self.id));
        // Not waited for: a store that is away would take the time of the answer that says so.
        runtime.spawn(async move {
            match tried(|| in_time(0, bucket.abort_multipart(&key, &id))).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => {
                    tracing::warn!(error = in_short(&error), "an unfinished upload stays in the bucket");
                }
            }
        });
    }
}

/// The files whose keys begin so, page by page.
fn pages(bucket: &AmazonS3, prefix: String) -> BoxStream<'_, object_store::Result<Vec<ObjectMeta>>> {
    // The first page has no token.
    let first = Some(String::new());
    let page = move |token: Option<String>| {
        let prefix = prefix.clone();
        async move {
            let Some(token) = token else { return Ok(None) };
            let options = PaginatedListOptions {
                max_keys: Some(NAMES),
                page_token: Some(token).filter(|token| !token.is_empty()),
                ..PaginatedListOptions::default()
            };
            let page = tried(|| in_time(0, bucket.list_paginated(Some(&prefix), options.clone()))).await?;
            Ok(Some((page.result.objects, page.page_token.filter(|token| !token.is_empty()))))
        }
    };
    stream::try_unfold(first, page).boxed()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn content(bytes: &[u8]) -> File {
        let mut content = tempfile::tempfile().expect("a file");
        content.write_all(bytes).expect("written");
        content
    }

    fn open(folder: &Path) -> Storage {
        Storage::open(&format!("file:{}", folder.display()), &[]).expect("a store")
    }

    async fn older_than(storage: &Storage, moment: DateTime<Utc>) -> Vec<Vec<String>> {
        storage.older_than("uploads", moment).try_collect().await.expect("names")
    }

    fn later() -> DateTime<Utc> {
        crate::app::now() + chrono::TimeDelta::seconds(5)
    }

    #[tokio::test]
    async fn a_file_comes_back_whole_and_is_gone_when_it_is_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = open(&folder.path().join("new").join("deep"));
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        storage.put("uploads/one", &content(&bytes)).await.expect("kept");
        let there = storage.fetch("uploads/one").await.expect("an answer").expect("a file");
        assert_eq!(std::fs::read(there.path()).expect("read"), bytes);
        assert_eq!(older_than(&storage, later()).await, [["one"]]);
        assert!(older_than(&storage, DateTime::UNIX_EPOCH).await.is_empty());
        // Once more under the same name takes its place.
        storage.put("uploads/one", &content(b"another")).await.expect("kept");
        assert_eq!(std::fs::read(there.path()).expect("read"), b"another");
        storage.delete("uploads/one").await.expect("gone");
        storage.delete("uploads/one").await.expect("gone already");
        assert!(storage.fetch("uploads/one").await.expect("an answer").is_none());
        // Names lead nowhere else.
        storage.put("../../x", &content(b"x")).await.expect("kept inside");
        assert!(!folder.path().join("x").exists() && !folder.path().join("new/x").exists());
        std::fs::write(folder.path().join("file"), b"").expect("written");
        let file = format!("file:{}", folder.path().join("file").display());
        for wrong in ["ftp://x", "", "/tmp", "file:", "s3://", file.as_str()] {
            assert!(Storage::open(wrong, &[]).is_err(), "{wrong}");
            // What is there is found out when it is opened.
            assert_eq!(Storage::check(wrong, &[]).is_err(), wrong != file, "{wrong}");
        }
        let unmade = folder.path().join("unmade");
        assert_eq!(Storage::check(&format!("file:{}", unmade.display()), &[]), Ok(()));
        assert!(!unmade.exists());
    }

    #[tokio::test]
    async fn of_a_file_that_can_t_be_read_nothing_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = open(folder.path());
        let unreadable = File::create(folder.path().join("unreadable")).expect("a file");
        let error = storage.put("uploads/one", &unreadable).await.expect_err("a refusal");
        assert_eq!(error.refusal().code, Code::Overloaded);
        let left = std::fs::read_dir(folder.path().join("uploads")).expect("a folder").count();
        assert_eq!(left, 0, "no draft either");
    }

    #[tokio::test]
    async fn old_files_are_told_in_pieces() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage = open(folder.path());
        assert!(older_than(&storage, later()).await.is_empty());
        std::fs::create_dir(folder.path().join("uploads")).expect("a folder");
        for number in 0..=NAMES {
            File::create(folder.path().join("uploads").join(number.to_string())).expect("a file");
        }
        let pieces = older_than(&storage, later()).await;
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [NAMES, 1]);
    }

    #[test]
    fn what_s3_says_is_told_by_its_code_alone() {
        let told = |text: &str| {
            in_short(&object_store::Error::Generic { store: "S3", source: text.to_owned().into() })
        };
        let answer = "403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>x-amz-security-token:hunter2</CanonicalRequest></Error>";
        assert_eq!(told(answer), "Generic S3 error: 403 Forbidden: SignatureDoesNotMatch");
        assert_eq!(told("507: <html>full"), "Generic S3 error: 507: ");
        assert_eq!(told("no route to host"), "Generic S3 error: no route to host");
    }
}
