//! What is read, several times over.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

/// A file's content. Each reader begins anew and has a place of its own, whether the file has a name or not.
#[derive(Debug, Clone)]
pub struct Content(Arc<File>);

impl Content {
    pub fn new(file: File) -> Self {
        Self(Arc::new(file))
    }

    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self::new)
    }

    /// From the beginning.
    pub fn reader(&self) -> ContentReader {
        ContentReader { file: Arc::clone(&self.0), place: 0 }
    }
}

/// A reader of [`Content`].
#[derive(Debug)]
pub struct ContentReader {
    file: Arc<File>,
    place: u64,
}

impl Read for ContentReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}
