//! A file's bytes as UTF-8, piece by piece.

use std::io::Read;

use encoding_rs::{Decoder, DecoderResult, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::error::{Code, Refusal};

use super::content::{Content, ContentReader};
use super::{Encoding, TabularError, WANTED};

const RAW_BYTES: usize = 32 * 1024;
/// Room for what [`RAW_BYTES`] become: three bytes of UTF-8 for each byte of Windows-1252, and no encoding makes more.
const DECODED_BYTES: usize = 3 * RAW_BYTES + 16;
/// What is looked at to find the separator: a header and 50 rows of any table that is meant as one.
pub(super) const HEAD_BYTES: usize = 256 * 1024;

fn not_decodable() -> Refusal {
    Refusal::new(
        Code::FileEncoding,
        "The file's encoding can't be read. Please save it as UTF-8; UTF-16 with a byte order mark and Windows-1252 \
         are read too.",
    )
}

/// Where bytes come from: a file or a piece of memory.
pub(super) trait Feed {
    /// What is there, without taking it. Empty only at the end, and then always.
    fn chunk(&mut self) -> Result<&[u8], TabularError>;
    /// Takes as many of them.
    fn take(&mut self, count: usize);
}

impl Feed for &[u8] {
    fn chunk(&mut self) -> Result<&[u8], TabularError> {
        Ok(self)
    }

    fn take(&mut self, count: usize) {
        *self = self.get(count..).unwrap_or_default();
    }
}

pub(super) struct Source {
    file: ContentReader,
    decoder: Decoder,
    raw: Box<[u8]>,
    decoded: Vec<u8>,
    /// How many of `decoded` were taken.
    taken: usize,
    has_ended: bool,
    /// The last line that was taken ended by a carriage return, whose line feed may follow.
    is_after_return: bool,
}

impl Source {
    pub(super) fn open(content: &Content, encoding: Encoding) -> Result<Self, TabularError> {
        let encoding = match encoding {
            Encoding::Utf8 => UTF_8,
            Encoding::Utf16Le => UTF_16LE,
            Encoding::Utf16Be => UTF_16BE,
            Encoding::Windows1252 => WINDOWS_1252,
        };
        Ok(Self {
            file: content.reader(),
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; RAW_BYTES].into_boxed_slice(),
            decoded: Vec::new(),
            taken: 0,
            has_ended: false,
            is_after_return: false,
        })
    }

    /// The beginning, without taking it, and whether that is all.
    pub(super) fn head(&mut self) -> Result<(&[u8], bool), TabularError> {
        while !self.has_ended && self.decoded.len() < HEAD_BYTES {
            self.decode()?;
        }
        Ok((self.decoded.get(self.taken..).unwrap_or_default(), self.has_ended))
    }

    /// Takes what [`Self::head`] showed, as far as this.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.taken = self.decoded.len().min(self.taken + bytes);
    }

    /// The next line without its end, or ERR-1006 when it is too long.
    pub(super) fn line(&mut self, bytes_most: usize, number: u64) -> Result<Option<String>, TabularError> {
        if std::mem::take(&mut self.is_after_return) && self.chunk()?.first() == Some(&b'\n') {
            self.take(1);
        }
        let mut line: Vec<u8> = Vec::new();
        let mut is_any = false;
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(is_any.then(|| String::from_utf8_lossy(&line).into_owned()));
            }
            is_any = true;
            let end = chunk.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            let ends_by = end.and_then(|end| chunk.get(end)).copied();
            if line.len() + part.len() > bytes_most {
                return Err(Refusal::new(Code::FileTooWide, format!("Line {number} is over 64 KiB.")).into());
            }
            line.extend_from_slice(part);
            let count = part.len() + usize::from(end.is_some());
            self.take(count);
            if ends_by.is_some() {
                self.is_after_return = ends_by == Some(b'\r');
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
        }
    }

    /// Appends a piece to `decoded`.
    fn decode(&mut self) -> Result<(), TabularError> {
        let read = read(&mut self.file, &mut self.raw)?;
        self.has_ended = read == 0;
        let mut bytes = self.raw.get(..read).unwrap_or_default();
        loop {
            let before = self.decoded.len();
            self.decoded.resize(before + DECODED_BYTES, 0);
            let room = self.decoded.get_mut(before..).unwrap_or_default();
            let (result, used, written) =
                self.decoder.decode_to_utf8_without_replacement(bytes, room, self.has_ended);
            self.decoded.truncate(before + written);
            bytes = bytes.get(used..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => return Err(not_decodable().into()),
            }
        }
    }
}

impl Feed for Source {
    fn chunk(&mut self) -> Result<&[u8], TabularError> {
        while self.taken >= self.decoded.len() && !self.has_ended {
            self.decoded.clear();
            self.taken = 0;
            self.decode()?;
        }
        Ok(self.decoded.get(self.taken..).unwrap_or_default())
    }

    fn take(&mut self, count: usize) {
        self.taken += count;
    }
}

fn read(file: &mut ContentReader, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A mark decides; without one it is UTF-8 if it can be, else Windows-1252 if it can be that.
///
/// ERR-1004 where it is neither; ERR-1001 for text with NUL characters, which no table has.
pub(super) fn find_encoding(content: &Content) -> Result<Encoding, TabularError> {
    let mut start = Vec::with_capacity(4);
    content.reader().take(4).read_to_end(&mut start)?;
    let marked = match start.as_slice() {
        // UTF-32, which would pass for UTF-16 with a NUL in it.
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => return Err(not_decodable().into()),
        [0xef, 0xbb, 0xbf, ..] => Encoding::Utf8,
        [0xff, 0xfe, ..] => Encoding::Utf16Le,
        [0xfe, 0xff, ..] => Encoding::Utf16Be,
        _ => return find_unmarked(content),
    };
    let mut source = Source::open(content, marked)?;
    let mut seen = Seen::default();
    loop {
        let chunk = source.chunk()?;
        if chunk.is_empty() {
            break;
        }
        seen.look_at(chunk);
        let count = chunk.len();
        source.take(count);
    }
    seen.refuse_nul()?;
    Ok(marked)
}

fn find_unmarked(content: &Content) -> Result<Encoding, TabularError> {
    let mut file = content.reader();
    let mut raw = vec![0; RAW_BYTES];
    let mut room = vec![0; DECODED_BYTES];
    let mut utf_8 = Some(UTF_8.new_decoder_without_bom_handling());
    let mut seen = Seen::default();
    loop {
        let read = read(&mut file, &mut raw)?;
        let bytes = raw.get(..read).unwrap_or_default();
        seen.look_at(bytes);
        let is_utf_8 = utf_8.as_mut().is_some_and(|decoder| {
            let (result, ..) = decoder.decode_to_utf8_without_replacement(bytes, &mut room, read == 0);
            matches!(result, DecoderResult::InputEmpty)
        });
        if !is_utf_8 {
            utf_8 = None;
        }
        if read == 0 {
            break;
        }
    }
    if utf_8.is_none() && seen.is_no_windows_1252 {
        return Err(not_decodable().into());
    }
    seen.refuse_nul()?;
    Ok(if utf_8.is_some() { Encoding::Utf8 } else { Encoding::Windows1252 })
}

/// What bytes tell by themselves.
#[derive(Default)]
struct Seen {
    /// Line ends before the byte that is looked at.
    line_ends: u64,
    is_after_return: bool,
    nul_line: Option<u64>,
    is_no_windows_1252: bool,
}

impl Seen {
    fn look_at(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            let is_after_return = std::mem::replace(&mut self.is_after_return, byte == b'\r');
            match byte {
                b'\n' if is_after_return => {}
                b'\n' | b'\r' => self.line_ends += 1,
                b'\t' | 0x0c => {}
                0 => {
                    self.nul_line.get_or_insert(self.line_ends + 1);
                }
                // Controls, and the five bytes that stand for nothing.
                0x01..=0x1f | 0x7f | 0x81 | 0x8d | 0x8f | 0x90 | 0x9d => self.is_no_windows_1252 = true,
                _ => {}
            }
        }
    }

    fn refuse_nul(&self) -> Result<(), Refusal> {
        match self.nul_line {
            None => Ok(()),
            Some(line) => {
                let message = format!("{WANTED} Line {line} of this one has a NUL character.");
                Err(Refusal::new(Code::FileNotCsv, message))
            }
        }
    }
}
