//! Files that come with an operation.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use async_graphql::{Context, InputValueError, InputValueResult, Scalar, ScalarType, Value};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Characters that are kept of a file's name.
const NAME_CHARS: usize = 255;
/// Characters that an extension has at most, with its dot: what is longer is none.
const EXTENSION_CHARS: usize = 16;

/// What is shown of a file's name: no folders, no control characters, and of a long one its beginning and its extension.
fn shown(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let letters: Vec<char> = base.chars().filter(|letter| !letter.is_control()).collect();
    if letters.len() <= NAME_CHARS {
        return letters.into_iter().collect();
    }
    let extension = letters.iter().rev().position(|letter| *letter == '.').map_or(0, |behind| behind + 1);
    let kept = if extension <= EXTENSION_CHARS { extension } else { 0 };
    let beginning = letters.iter().take(NAME_CHARS - kept);
    beginning.chain(letters.iter().skip(letters.len() - kept)).collect()
}

/// A file as it was sent, on disk for as long as its request lasts.
#[derive(Debug)]
pub struct ReceivedFile {
    /// Its base name, without control characters; for people, never a path.
    pub filename: String,
    /// The name as it came, by which it is taken or not: of what is shown, some may be missing.
    pub sent_as: String,
    pub size_bytes: u64,
    content: File,
}

impl ReceivedFile {
    pub fn new(sent_as: String, size_bytes: u64, content: File) -> Self {
        Self { filename: shown(&sent_as), sent_as, size_bytes, content }
    }

    /// The content, from its beginning.
    ///
    /// # Errors
    /// The system's.
    pub fn open(&self) -> io::Result<File> {
        let mut content = self.content.try_clone()?;
        content.rewind()?;
        Ok(content)
    }
}

/// The files of one request.
#[derive(Debug, Clone, Default)]
pub struct Uploads(Arc<[ReceivedFile]>);

impl Uploads {
    pub fn new(files: Vec<ReceivedFile>) -> Self {
        Self(files.into())
    }

    /// A digest of the files, name and content. Reads them: not for an async thread.
    ///
    /// # Errors
    /// The system's.
    pub fn digest(&self) -> io::Result<Vec<u8>> {
        let mut digest = Sha256::new();
        for file in self.0.iter() {
            digest.update((file.sent_as.len() as u64).to_be_bytes());
            digest.update(&file.sent_as);
            digest.update(file.size_bytes.to_be_bytes());
            let (mut content, mut piece) = (file.open()?, vec![0; 1 << 16]);
            loop {
                match content.read(&mut piece)? {
                    0 => break,
                    read => digest.update(&piece[..read]),
                }
            }
        }
        Ok(digest.finalize().to_vec())
    }
}

/// A file, sent with the GraphQL multipart request specification. Inside it is the file's number in its request.
#[derive(Debug, Clone, Copy)]
pub struct Upload(u8);

/// The value of a variable in whose place a file came. Neither JSON nor a document can say it, so that no text is ever
/// taken for a file.
pub fn upload_value(number: usize) -> Value {
    Value::Binary(u8::try_from(number).map_or_else(|_| Vec::new(), |number| vec![number]).into())
}

impl Upload {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Binary(number) if number.len() == 1 => Some(Self(number[0])),
            _ => None,
        }
    }

    /// The file.
    ///
    /// # Errors
    /// When it did not come with this request.
    pub fn received<'a>(self, context: &Context<'a>) -> Result<&'a ReceivedFile> {
        let uploads = context.data_opt::<Uploads>();
        uploads
            .and_then(|uploads| uploads.0.get(usize::from(self.0)))
            .ok_or_else(|| Error::internal("an upload is not among its request's files"))
    }
}

/// A file, sent with the GraphQL multipart request specification.
#[Scalar(name = "Upload", specified_by_url = "https://github.com/jaydenseric/graphql-multipart-request-spec")]
impl ScalarType for Upload {
    fn parse(value: Value) -> InputValueResult<Self> {
        Self::of(&value).ok_or_else(|| InputValueError::custom("Send a file in a form of several parts."))
    }

    fn is_valid(value: &Value) -> bool {
        Self::of(value).is_some()
    }

    fn to_value(&self) -> Value {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_folders_and_control_characters() {
        for (name, expected) in [
            ("cards.csv", "cards.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\folder\\a.csv", "a.csv"),
            ("a\u{0}\r\nb.csv", "ab.csv"),
            ("folder/", ""),
        ] {
            assert_eq!(shown(name), expected);
        }
    }

    #[test]
    fn of_a_long_name_the_beginning_and_the_extension_are_shown() {
        let long = |letters: usize, end: &str| format!("{}{end}", "é".repeat(letters));
        for (name, expected) in [
            (long(251, ".csv"), long(251, ".csv")),
            (long(252, ".csv"), long(251, ".csv")),
            (long(300, ".csv"), long(251, ".csv")),
            (long(251, ".csv.exe"), long(251, ".exe")),
            (long(300, ""), long(255, "")),
            (long(300, "."), long(254, ".")),
            (long(10, &format!(".{}", "x".repeat(300))), long(10, &format!(".{}", "x".repeat(244)))),
        ] {
            assert_eq!(shown(&name), expected);
        }
    }
}
