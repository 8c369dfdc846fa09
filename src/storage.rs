//! Where files are kept: a folder, or a store that speaks as S3 does.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;

use crate::error::{Code, Error, Refusal, Result};

/// Bytes that are moved at once.
const PIECE: usize = 1 << 20;
/// Tries of one call.
const TRIES: u32 = 3;
/// The wait before the second try; it doubles.
const BACKOFF: std::time::Duration = std::time::Duration::from_millis(100);

/// Files by name.
#[derive(Clone)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
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
    tracing::error!(%error, "the store of files failed");
    let message = "Files can't be kept just now. Please try again in a moment.";
    Error::Refused(Refusal { retry_after: Some(5), ..Refusal::new(Code::Overloaded, message) })
}

impl Storage {
    /// `url` is `file:PATH` or `s3://BUCKET/PREFIX`; what S3 needs besides is in the usual `AWS_…` variables.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn open(url: &str) -> Result<Self, String> {
        if let Some(path) = url.strip_prefix("file:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            std::fs::create_dir_all(path).map_err(|error| format!("{path} can't be made: {error}"))?;
            let store = LocalFileSystem::new_with_prefix(path).map_err(|error| error.to_string())?;
            return Ok(Self { store: Arc::new(store.with_automatic_cleanup(true)), prefix: Key::default() });
        }
        let Some(place) = url.strip_prefix("s3://") else {
            return Err("must begin with file: or s3://".to_owned());
        };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let store = object_store::aws::AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let store = store.map_err(|error| error.to_string())?;
        Ok(Self { store: Arc::new(store), prefix: Key::from(prefix) })
    }

    fn key(&self, name: &str) -> Key {
        let whole = format!("{}/{name}", self.prefix);
        Key::from(whole.trim_start_matches('/'))
    }

    /// Keeps a file's content under a name, whole or not at all.
    ///
    /// # Errors
    /// ERR-5003 after three tries.
    pub async fn put(&self, name: &str, content: &File) -> Result<()> {
        let mut tried = 1;
        loop {
            match self.put_once(name, content).await {
                Ok(()) => return Ok(()),
                Err(error) if tried == TRIES => return Err(failed(error)),
                Err(_) => tokio::time::sleep(BACKOFF * 2_u32.pow(tried - 1)).await,
            }
            tried += 1;
        }
    }

    async fn put_once(&self, name: &str, content: &File) -> object_store::Result<()> {
        let io =
            |source: std::io::Error| object_store::Error::Generic { store: "upload", source: source.into() };
        let mut writer = BufWriter::new(Arc::clone(&self.store), self.key(name));
        let mut offset = 0;
        loop {
            let content = content.try_clone().map_err(io)?;
            let read = tokio::task::spawn_blocking(move || read_at(&content, offset)).await;
            let piece = read.map_err(|error| io(std::io::Error::other(error)))?.map_err(io)?;
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
            writer.write_all(&piece).await.map_err(io)?;
        }
        writer.shutdown().await.map_err(io)
    }

    /// A file's content, on this machine; nothing where there is none of the name.
    ///
    /// # Errors
    /// ERR-5003.
    pub async fn fetch(&self, name: &str) -> Result<Option<LocalFile>> {
        let found = match self.store.get(&self.key(name)).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match found.payload {
            GetResultPayload::File(_, path) => Ok(Some(LocalFile::There(path))),
            GetResultPayload::Stream(mut stream) => {
                let broken = |error: std::io::Error| Error::internal(format!("a fetched file: {error}"));
                let file = NamedTempFile::new().map_err(broken)?;
                let mut writer = tokio::fs::File::from_std(file.reopen().map_err(broken)?);
                while let Some(piece) = stream.try_next().await.map_err(failed)? {
                    writer.write_all(&piece).await.map_err(broken)?;
                }
                writer.flush().await.map_err(broken)?;
                Ok(Some(LocalFile::Fetched(file)))
            }
        }
    }

    /// Deletes a file; one that is not there is deleted already.
    ///
    /// # Errors
    /// ERR-5003.
    pub async fn delete(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The names of the files below a folder that are older than this, a handful at a time.
    ///
    /// # Errors
    /// ERR-5003.
    pub async fn older_than(
        &self,
        folder: &str,
        moment: chrono::DateTime<chrono::Utc>,
    ) -> Result<Vec<String>> {
        let place = self.key(folder);
        let mut found = self.store.list(Some(&place));
        let mut names = Vec::new();
        while let Some(object) = found.try_next().await.map_err(failed)? {
            if object.last_modified < moment {
                names.extend(object.location.filename().map(str::to_owned));
            }
        }
        Ok(names)
    }
}

/// The next piece of a file; nothing at its end.
fn read_at(mut content: &File, offset: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Seek;
    content.seek(std::io::SeekFrom::Start(offset))?;
    let mut piece = Vec::with_capacity(PIECE);
    content.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_file_comes_back_whole_and_is_gone_when_it_is_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let storage =
            Storage::open(&format!("file:{}", folder.path().join("new").display())).expect("a store");
        let mut content = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        content.write_all(&bytes).expect("written");
        storage.put("uploads/one", &content).await.expect("kept");
        let there = storage.fetch("uploads/one").await.expect("an answer").expect("a file");
        assert_eq!(std::fs::read(there.path()).expect("read"), bytes);
        let later = crate::app::now() + chrono::TimeDelta::seconds(5);
        assert_eq!(storage.older_than("uploads", later).await.expect("names"), ["one"]);
        assert!(storage.older_than("uploads", chrono::DateTime::UNIX_EPOCH).await.expect("names").is_empty());
        storage.delete("uploads/one").await.expect("gone");
        storage.delete("uploads/one").await.expect("gone already");
        assert!(storage.fetch("uploads/one").await.expect("an answer").is_none());
        // Names lead nowhere else.
        storage.put("../../x", &content).await.expect("kept inside");
        assert!(!folder.path().join("x").exists());
        for wrong in ["ftp://x", "", "/tmp"] {
            assert!(Storage::open(wrong).is_err(), "{wrong}");
        }
    }
}
