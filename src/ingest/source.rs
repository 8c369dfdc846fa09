//! What all sources of data share: opening a file, packed or not, and walking over one JSON document of any
//! size while holding no more than one record of it.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::domain::catalogue::record::{CardRecord, SetRecord};

mod document;

pub(super) use document::{Handler, Place, Plan, Shape, clip, parse, walk};

const BUFFER_BYTES: usize = 128 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const REASON_CHARS: usize = 200;

/// Why a source was not read to its end. What was accepted until then was sound.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{} can't be opened: {error}", .path.display())]
    Unopened { path: PathBuf, error: io::Error },
    #[error("the file cannot be read: {0}")]
    Io(#[from] io::Error),
    /// Found out before anything was accepted.
    #[error("this is not {expected}, but {found}")]
    NotThisFormat { expected: &'static str, found: String },
    /// Of the format, as far as one can tell.
    #[error("there is nothing in the file: no card, and no price")]
    Empty,
    /// Broken JSON, or a packed file that is damaged or cut short.
    #[error("the file is damaged at {position}: {reason}")]
    Malformed { position: String, reason: String },
    /// The service that should give the file fails.
    #[error("{0}")]
    Upstream(String),
    #[error("reading was stopped before the end of the file")]
    Stopped,
}

/// A record that was left out, while reading went on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Where it stands: `card 17, byte 1048576`, `data.ISD.cards[12]`.
    pub position: String,
    /// At most 200 characters.
    pub reason: String,
}

impl BadRecord {
    pub(super) fn new(position: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self { position: position.to_string(), reason: clip(&reason.to_string(), REASON_CHARS) }
    }
}

/// What takes the records of a source. `Break` stops the reading, which then answers
/// [`SourceError::Stopped`].
pub trait Sink<T> {
    fn accept(&mut self, item: T) -> ControlFlow<()>;
    fn reject(&mut self, bad: BadRecord) -> ControlFlow<()>;
}

/// What a catalogue is made of. A set comes before its cards.
#[derive(Debug, Clone, PartialEq)]
pub enum CatalogueItem {
    Set(SetRecord),
    Card(Box<CardRecord>),
}

/// A sink's answer as a result.
pub(super) fn obey(answer: ControlFlow<()>) -> Result<(), SourceError> {
    match answer {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(SourceError::Stopped),
    }
}

/// Reads a source in which there must be something.
pub(super) fn read_some<T>(
    sink: &mut dyn Sink<T>,
    read: impl FnOnce(&mut dyn Sink<T>) -> Result<(), SourceError>,
) -> Result<(), SourceError> {
    let mut watched = Watched { sink, has_met: false };
    read(&mut watched)?;
    if watched.has_met { Ok(()) } else { Err(SourceError::Empty) }
}

/// A sink, and whether anything has come.
struct Watched<'s, T> {
    sink: &'s mut dyn Sink<T>,
    has_met: bool,
}

impl<T> Sink<T> for Watched<'_, T> {
    fn accept(&mut self, item: T) -> ControlFlow<()> {
        self.has_met = true;
        self.sink.accept(item)
    }

    fn reject(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.has_met = true;
        self.sink.reject(bad)
    }
}

/// Opens a file for reading, unpacked if it is packed with gzip. Its name does not matter.
///
/// # Errors
/// [`SourceError::Unopened`], also of a folder.
pub fn open_file(path: &Path) -> Result<Source, SourceError> {
    File::open(path)
        .and_then(|file| {
            let size = file.metadata()?.len();
            Source::new(file, size)
        })
        .map_err(|error| SourceError::Unopened { path: path.to_owned(), error })
}

/// A file's content, unpacked, with a count of how much of the file itself has been read.
pub struct Source {
    content: Box<dyn Read + Send>,
    bytes_read: Arc<AtomicU64>,
    size: u64,
}

impl Source {
    /// The content of `input`, which is `size` bytes long before unpacking.
    pub fn new(input: impl Read + Send + 'static, size: u64) -> io::Result<Self> {
        let bytes_read = Arc::<AtomicU64>::default();
        let input = Counted { input, bytes_read: Arc::clone(&bytes_read) };
        let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
        // Not by a look into the buffer: a pipe may fill it a byte at a time.
        let mut start = Vec::new();
        input.by_ref().take(GZIP_MAGIC.len() as u64).read_to_end(&mut start)?;
        let packed = start == GZIP_MAGIC;
        let input = io::Cursor::new(start).chain(input);
        let content: Box<dyn Read + Send> =
            if packed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
        Ok(Self { content, bytes_read, size })
    }

    /// How many bytes of the file have been read, packed ones if it is packed; it counts on while the source
    /// is read.
    pub fn bytes_read(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// The size of the file in bytes, packed if it is packed.
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl Read for Source {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.content.read(out)
    }
}

struct Counted<R> {
    input: R,
    bytes_read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(out)?;
        self.bytes_read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Keeps all that it gets.
    #[derive(Debug)]
    pub(crate) struct Kept<T> {
        pub(crate) items: Vec<T>,
        pub(crate) bad: Vec<BadRecord>,
        pub(crate) stop_after: usize,
    }

    impl<T> Kept<T> {
        pub(crate) fn new() -> Self {
            Self { items: Vec::new(), bad: Vec::new(), stop_after: usize::MAX }
        }
    }

    impl<T> Sink<T> for Kept<T> {
        fn accept(&mut self, item: T) -> ControlFlow<()> {
            self.items.push(item);
            if self.items.len() < self.stop_after {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }

        fn reject(&mut self, bad: BadRecord) -> ControlFlow<()> {
            self.bad.push(bad);
            ControlFlow::Continue(())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(text: &str) -> Vec<u8> {
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        packer.finish().unwrap()
    }

    /// Gives its bytes one at a time, as a slow pipe does.
    struct Drip(io::Cursor<Vec<u8>>);

    impl Read for Drip {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let most = out.len().min(1);
            self.0.read(&mut out[..most])
        }
    }

    fn content(bytes: Vec<u8>) -> String {
        let mut source = Source::new(Drip(io::Cursor::new(bytes)), 0).unwrap();
        io::read_to_string(&mut source).unwrap()
    }

    #[test]
    fn unpacks_by_content_whatever_the_name_and_however_many_members() {
        assert_eq!(content(b"[1]".to_vec()), "[1]");
        assert_eq!(content(b"[".to_vec()), "[");
        assert_eq!(content(Vec::new()), "");
        assert_eq!(content([packed("[1,"), packed("2]")].concat()), "[1,2]");
    }

    #[test]
    fn counts_the_bytes_of_the_file_itself() {
        let bytes = packed(&"[]".repeat(10_000));
        let size = bytes.len() as u64;
        let mut source = Source::new(io::Cursor::new(bytes), size).unwrap();
        let read = source.bytes_read();
        io::copy(&mut source, &mut io::sink()).unwrap();
        assert_eq!((read.load(Ordering::Relaxed), source.size()), (size, size));
    }
}
