//! What a file begins as. A list of what is refused, because a table has no magic bytes of its own.

use std::io::Read;

use encoding_rs::{UTF_16BE, UTF_16LE};

use crate::error::{Code, Refusal};

use super::content::Content;
use super::{TabularError, WANTED};

/// As much as any signature needs: a tar's is at 257.
const START_BYTES: usize = 512;

const PROGRAM: &str = "a program";
const ARCHIVE: &str = "an archive";
const PICTURE: &str = "a picture";
const PDF: &str = "a PDF";
const DOCUMENT: &str = "an office document";
const SCRIPT: &str = "a script";
const PAGE: &str = "a web page";

const SIGNATURES: &[(&[u8], &str)] = &[
    (b"\x7fELF", PROGRAM),
    (b"MZ", PROGRAM),
    (b"\xfe\xed\xfa\xce", PROGRAM),
    (b"\xfe\xed\xfa\xcf", PROGRAM),
    (b"\xce\xfa\xed\xfe", PROGRAM),
    (b"\xcf\xfa\xed\xfe", PROGRAM),
    (b"\xca\xfe\xba\xbe", PROGRAM),
    (b"\0asm", PROGRAM),
    (b"dex\n", PROGRAM),
    (b"L\0\0\0\x01\x14\x02", PROGRAM),
    (b"PK\x03\x04", ARCHIVE),
    (b"PK\x05\x06", ARCHIVE),
    (b"PK\x07\x08", ARCHIVE),
    (b"\x1f\x8b", ARCHIVE),
    (b"\x1f\x9d", ARCHIVE),
    (b"Rar!\x1a\x07", ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE),
    (b"\xfd7zXZ\0", ARCHIVE),
    (b"\x28\xb5\x2f\xfd", ARCHIVE),
    (b"\x04\x22\x4d\x18", ARCHIVE),
    (b"MSCF\0", ARCHIVE),
    (b"!<arch>", ARCHIVE),
    (b"\x89PNG", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"GIF87a", PICTURE),
    (b"GIF89a", PICTURE),
    (b"II*\0", PICTURE),
    (b"MM\0*", PICTURE),
    (b"\0\0\x01\0", PICTURE),
    (b"\0\0\x02\0", PICTURE),
    (b"8BPS\0", PICTURE),
    (b"%PDF", PDF),
    (b"%!PS", DOCUMENT),
    (b"{\\rtf", DOCUMENT),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCUMENT),
    (b"#!", SCRIPT),
];

/// In whatever case.
const TAGS: &[(&[u8], &str)] = &[
    (b"<!doctype", PAGE),
    (b"<!--", PAGE),
    (b"<html", PAGE),
    (b"<head", PAGE),
    (b"<body", PAGE),
    (b"<iframe", PAGE),
    (b"<svg", PICTURE),
    (b"<script", SCRIPT),
    (b"<?xml", PAGE),
    (b"<?", SCRIPT),
    (b"<%", SCRIPT),
    (b"@echo off", SCRIPT),
];

/// ERR-1005 for what begins as something dangerous; also behind a byte order mark and spaces, which browsers skip.
pub(super) fn check(content: &Content) -> Result<(), TabularError> {
    let mut file = content.reader();
    let mut start = Vec::with_capacity(START_BYTES);
    file.by_ref().take(START_BYTES as u64).read_to_end(&mut start)?;
    let found = match kind(&start) {
        Some(kind) => Some(kind),
        None => kind(&behind_spaces(content.reader())?),
    };
    match found {
        None => Ok(()),
        Some(kind) => {
            let message = format!("{WANTED} This one begins as {kind} does.");
            Err(Refusal::new(Code::FileDangerous, message).into())
        }
    }
}

/// The first bytes that are neither mark nor space, of UTF-16 as UTF-8. Bytes that do not decode are not minded here.
fn behind_spaces(mut file: impl Read) -> Result<Vec<u8>, TabularError> {
    let mut raw = vec![0; 16 * 1024];
    let mut decoded = vec![0; 64 * 1024];
    let mut start: Vec<u8> = Vec::new();
    let mut decoder = None;
    let mut is_first = true;
    while start.len() < START_BYTES {
        let read = fill(&mut file, &mut raw)?;
        let mut bytes = raw.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        if std::mem::take(&mut is_first) {
            decoder = match bytes {
                [0xff, 0xfe, ..] => Some(UTF_16LE.new_decoder_with_bom_removal()),
                [0xfe, 0xff, ..] => Some(UTF_16BE.new_decoder_with_bom_removal()),
                _ => None,
            };
        }
        if let Some(decoder) = &mut decoder {
            // 16 KiB of UTF-16 are 8 Ki units of at most three bytes each: all of it fits.
            let (_, _, written, _) = decoder.decode_to_utf8(bytes, &mut decoded, false);
            bytes = decoded.get(..written).unwrap_or_default();
        }
        if start.is_empty() {
            bytes = trimmed(bytes);
        }
        start.extend(bytes.iter().take(START_BYTES));
    }
    Ok(start)
}

/// As much as there is, and less than asked only at the end: a mark must not fall between two reads.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | b' ', rest @ ..]
            | [0xef, 0xbb, 0xbf, rest @ ..]
            | [0xc2, 0xa0, rest @ ..] => rest,
            _ => return bytes,
        };
    }
}

fn kind(start: &[u8]) -> Option<&'static str> {
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Some(kind);
    }
    let at =
        |from: usize, signature: &[u8]| start.get(from..).is_some_and(|rest| rest.starts_with(signature));
    let is_tag = |tag: &[u8]| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
    match start {
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Some(ARCHIVE),
        // Two letters that a header may begin with too. A bitmap has zeros behind its length, a text has none.
        [b'B', b'M', rest @ ..] if rest.iter().take(30).any(|byte| *byte == 0) => Some(PICTURE),
        _ if at(257, b"ustar") => Some(ARCHIVE),
        _ if at(0, b"RIFF") && at(8, b"WEBP") => Some(PICTURE),
        _ if at(4, b"ftyp") && at(0, b"\0\0\0") => Some(PICTURE),
        _ => TAGS.iter().find(|(tag, _)| is_tag(tag)).map(|(_, kind)| *kind),
    }
}
