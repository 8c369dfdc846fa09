//! Texts put aside in a file without a name, so that what is gathered of a large import fits in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Where a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spilled {
    at: u64,
    length: u32,
}

/// The texts. The file is made with the first, and goes with this.
#[derive(Debug, Default)]
pub(super) struct Spill {
    file: Option<BufWriter<File>>,
    end: u64,
}

impl Spill {
    /// # Errors
    /// When it can't be written.
    pub fn put(&mut self, text: &str) -> io::Result<Spilled> {
        let length = u32::try_from(text.len()).map_err(io::Error::other)?;
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        file.write_all(text.as_bytes())?;
        let spilled = Spilled { at: self.end, length };
        self.end += u64::from(length);
        Ok(spilled)
    }

    /// Writes what is still held back, to be read.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }

    /// To read what was put before the last [`Spill::flush`].
    ///
    /// # Errors
    /// When the file can't be opened a second time.
    pub fn reader(&self) -> io::Result<Reader> {
        let file = self.file.as_ref().map(|file| file.get_ref().try_clone()).transpose()?;
        let mut file = file.map(BufReader::new);
        if let Some(file) = &mut file {
            file.seek(SeekFrom::Start(0))?;
        }
        Ok(Reader { file, at: 0 })
    }
}

/// Reads texts, fastest in the order in which they were put.
pub(super) struct Reader {
    file: Option<BufReader<File>>,
    at: u64,
}

impl Reader {
    /// # Errors
    /// When it can't be read.
    pub fn get(&mut self, spilled: Spilled) -> io::Result<String> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let away = i64::try_from(spilled.at).and_then(|to| i64::try_from(self.at).map(|from| to - from));
        file.seek_relative(away.map_err(io::Error::other)?)?;
        let mut text = vec![0; usize::try_from(spilled.length).map_err(io::Error::other)?];
        file.read_exact(&mut text)?;
        self.at = spilled.at + u64::from(spilled.length);
        String::from_utf8(text).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_in_whatever_order_they_are_asked_for() {
        let mut spill = Spill::default();
        let texts = ["one".to_owned(), String::new(), "ü".repeat(40_000), "four".to_owned()];
        let places: Vec<Spilled> = texts.iter().map(|text| spill.put(text).expect("put")).collect();
        spill.flush().expect("written");
        let mut reader = spill.reader().expect("a reader");
        for place in [0, 1, 2, 3, 2, 0, 3] {
            assert_eq!(reader.get(places[place]).expect("read"), texts[place], "{place}");
        }
        // Another begins at the front, wherever the first was.
        assert_eq!(spill.reader().expect("a reader").get(places[0]).expect("read"), "one");
        assert!(Spill::default().reader().expect("a reader").get(places[0]).is_err(), "nothing was put");
    }
}
