//! Walking over one JSON document of any size while holding no more than one record of it.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use super::{BUFFER_BYTES, REASON_CHARS, SourceError};

/// The most that one record may take, unpacked, so that a crafted file cannot fill the memory. A record is
/// what stands directly in a document's list or under its `data`: a card, a card's prices, a whole MTGJSON
/// set. The largest sets take well under half of this.
const RECORD_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
const RECORD_DEPTH: usize = 2;

const KEY_CHARS: usize = 40;

/// What one format does with the values of a document, each known by its place in it.
pub(in crate::ingest) trait Handler {
    /// What the format is called where a file turns out to be something else.
    const FORMAT: &'static str;

    /// What to do with the value at a place.
    fn plan(&self, at: &Place) -> Plan;

    /// A value to go into was met. Answers whether to do so: not if its shape is wrong.
    fn enter(&mut self, at: &Place, shape: Shape) -> Result<bool, SourceError>;

    /// A whole value, as JSON text.
    fn take(&mut self, at: &Place, value: &str) -> Result<(), SourceError>;

    /// A value that was gone into has ended.
    fn leave(&mut self, at: &Place) -> Result<(), SourceError>;

    fn not_this_format(found: impl Into<String>) -> SourceError {
        SourceError::NotThisFormat { expected: Self::FORMAT, found: found.into() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Plan {
    /// Go into it, member by member.
    Enter,
    /// Read it whole.
    Take,
    Skip,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Shape {
    Object,
    List,
    /// A text, a number, true, false or null.
    Plain,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::List => "a list",
            Self::Plain => "a plain value",
        })
    }
}

/// A place in a document, written as `data.ISD.cards[12]`.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Place {
    steps: Vec<Step>,
    byte: u64,
}

#[derive(Debug)]
enum Step {
    Key(String),
    Index(usize),
}

impl Place {
    /// How many containers are around it.
    pub(in crate::ingest) fn depth(&self) -> usize {
        self.steps.len()
    }

    /// The key that it stands under; empty for a member of a list and for the document itself.
    pub(in crate::ingest) fn key(&self) -> &str {
        match self.steps.last() {
            Some(Step::Key(key)) => key,
            _ => "",
        }
    }

    /// Which member of a list it is, counted from 0.
    pub(in crate::ingest) fn index(&self) -> Option<usize> {
        match self.steps.last() {
            Some(Step::Index(index)) => Some(*index),
            _ => None,
        }
    }

    /// Where a taken value begins, in bytes of the unpacked file.
    pub(in crate::ingest) fn byte(&self) -> u64 {
        self.byte
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if number == 0 => f.write_str(&clip(key, KEY_CHARS))?,
                Step::Key(key) => write!(f, ".{}", clip(key, KEY_CHARS))?,
            }
        }
        Ok(())
    }
}

/// Walks over the JSON document in `input`, in its own order, and shows it to the handler.
pub(in crate::ingest) fn walk<H: Handler>(input: impl Read, handler: &mut H) -> Result<(), SourceError> {
    walk_within(RECORD_LIMIT_BYTES, input, handler)
}

fn walk_within<H: Handler>(limit: u64, input: impl Read, handler: &mut H) -> Result<(), SourceError> {
    let meter = Rc::new(Meter { byte: Cell::new(0), record_start: Cell::new(0), limit });
    let buffer = vec![0; BUFFER_BYTES].into_boxed_slice();
    let input = Metered { input, buffer, next: 0, end: 0, meter: Rc::clone(&meter) };
    let mut json = serde_json::Deserializer::from_reader(input);
    let mut walk = Walk { handler, place: Place::default(), meter, begun: false, failure: None };
    let end = walk.deserialize(&mut json).and_then(|()| json.end());
    end.map_err(|error| walk.failure.take().unwrap_or_else(|| walk.broken_off(error)))
}

struct Walk<'h, H> {
    handler: &'h mut H,
    place: Place,
    meter: Rc<Meter>,
    /// Whether there was a value at all.
    begun: bool,
    /// The handler's error, while one of serde's, which cannot hold it, ends the walk.
    failure: Option<SourceError>,
}

impl<H: Handler> Walk<'_, H> {
    fn keep<T, E: de::Error>(&mut self, answer: Result<T, SourceError>) -> Result<T, E> {
        answer.map_err(|failure| {
            self.failure = Some(failure);
            E::custom("the handler ended the walk")
        })
    }

    fn enter<E: de::Error>(&mut self, shape: Shape) -> Result<bool, E> {
        self.begun = true;
        let answer = self.handler.enter(&self.place, shape);
        self.keep(answer)
    }

    fn leave<E: de::Error>(&mut self) -> Result<(), E> {
        let answer = self.handler.leave(&self.place);
        self.keep(answer)
    }

    fn step(&mut self, step: Step) {
        self.place.steps.push(step);
        if self.place.depth() <= RECORD_DEPTH {
            self.meter.record_start.set(self.meter.byte.get());
        }
    }

    fn broken_off(&self, error: serde_json::Error) -> SourceError {
        let byte = self.meter.byte.get();
        if error.is_io() {
            return damaged_or_unreadable(error.into(), byte);
        }
        if !self.begun {
            let found = if byte == 0 { "an empty file" } else { "something other than JSON" };
            return H::not_this_format(found);
        }
        let position = format!("line {}, column {}", error.line(), error.column());
        SourceError::Malformed { position, reason: plain(&error) }
    }
}

/// Tells what gzip says of a damaged file, and the meter of a record that is too large, from a failing disk.
fn damaged_or_unreadable(error: io::Error, byte: u64) -> SourceError {
    use io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, UnexpectedEof};
    match error.kind() {
        FileTooLarge | InvalidData | InvalidInput | UnexpectedEof => SourceError::Malformed {
            position: format!("byte {byte}"),
            reason: clip(&error.to_string(), REASON_CHARS),
        },
        _ => SourceError::Io(error),
    }
}

impl<'de, H: Handler> DeserializeSeed<'de> for &mut Walk<'_, H> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        match self.handler.plan(&self.place) {
            Plan::Enter => value.deserialize_any(self),
            Plan::Skip => IgnoredAny::deserialize(value).map(drop),
            Plan::Take => {
                let value = Box::<RawValue>::deserialize(value)?;
                self.place.byte = self.meter.byte.get().saturating_sub(value.get().len() as u64);
                let answer = self.handler.take(&self.place, value.get());
                self.keep(answer)
            }
        }
    }
}

impl<'de, H: Handler> Visitor<'de> for &mut Walk<'_, H> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if !self.enter(Shape::Object)? {
            return IgnoredAny.visit_map(members).map(drop);
        }
        while let Some(key) = members.next_key()? {
            self.step(Step::Key(key));
            members.next_value_seed(&mut *self)?;
            self.place.steps.pop();
        }
        self.leave()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if !self.enter(Shape::List)? {
            return IgnoredAny.visit_seq(members).map(drop);
        }
        for index in 0.. {
            self.step(Step::Index(index));
            let member = members.next_element_seed(&mut *self)?;
            self.place.steps.pop();
            if member.is_none() {
                break;
            }
        }
        self.leave()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.enter(Shape::Plain).map(drop)
    }
}

/// How much the walk has read, in bytes of the unpacked file.
struct Meter {
    byte: Cell<u64>,
    record_start: Cell<u64>,
    /// The most that one record may take.
    limit: u64,
}

/// What serde reads from, a byte at a time. It has a buffer of its own: to count in front of a `BufReader`
/// takes twice the time.
struct Metered<R> {
    input: R,
    buffer: Box<[u8]>,
    next: usize,
    end: usize,
    meter: Rc<Meter>,
}

impl<R: Read> Metered<R> {
    fn fill(&mut self) -> io::Result<()> {
        if self.meter.byte.get() - self.meter.record_start.get() > self.meter.limit {
            let reason = format!("one record takes more than {} bytes", self.meter.limit);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
        }
        self.end = self.input.read(&mut self.buffer)?;
        self.next = 0;
        Ok(())
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.next == self.end {
            self.fill()?;
        }
        let count = (&self.buffer[self.next..self.end]).read(out)?;
        self.next += count;
        self.meter.byte.set(self.meter.byte.get() + count as u64);
        Ok(count)
    }
}

/// Parses one record, or says plainly what is wrong with it.
pub(in crate::ingest) fn parse<'de, T: Deserialize<'de>>(record: &'de str) -> Result<T, String> {
    if holds_nul(record) {
        return Err("a text holds a NUL character, which no database stores".to_owned());
    }
    serde_json::from_str(record).map_err(|error| plain(&error))
}

/// Whether a text of a JSON document holds a NUL, which can stand there as an escape only. A backslash before
/// it that is itself escaped makes it plain letters.
fn holds_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let before = &json[..at];
        (before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2)
    })
}

/// serde's message, without the line and column, which are counted from a record's own start.
fn plain(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    clip(&message[..end], REASON_CHARS)
}

/// At most `most` characters of a text that a file holds, on one line.
pub(in crate::ingest) fn clip(text: &str, most: usize) -> String {
    let printable = |letter: char| if letter.is_control() { ' ' } else { letter };
    let mut clipped: String = text.chars().take(most).map(printable).collect();
    if text.chars().nth(most).is_some() {
        clipped.pop();
        clipped.push('…');
    }
    clipped
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::super::Source;
    use super::*;

    /// Goes into every list, takes all else, and writes both down.
    #[derive(Default)]
    struct Lists(Vec<String>);

    impl Handler for Lists {
        const FORMAT: &'static str = "a list of lists";

        fn plan(&self, at: &Place) -> Plan {
            if at.depth() < 2 { Plan::Enter } else { Plan::Take }
        }

        fn enter(&mut self, at: &Place, shape: Shape) -> Result<bool, SourceError> {
            match shape {
                Shape::List => Ok(true),
                _ if at.depth() == 0 => Err(Self::not_this_format(shape.to_string())),
                _ => {
                    self.0.push(format!("{at} is {shape}"));
                    Ok(false)
                }
            }
        }

        fn take(&mut self, at: &Place, value: &str) -> Result<(), SourceError> {
            self.0.push(format!("{at} at {} is {value}", at.byte()));
            Ok(())
        }

        fn leave(&mut self, _: &Place) -> Result<(), SourceError> {
            Ok(())
        }
    }

    fn lists(text: &str) -> Result<Vec<String>, String> {
        let mut lists = Lists::default();
        walk(text.as_bytes(), &mut lists).map(|()| lists.0).map_err(|error| error.to_string())
    }

    #[test]
    fn shows_every_value_with_its_place() {
        let seen = lists(r#"[["a", {"b": [1]}], 7, [null]]"#).unwrap();
        assert_eq!(
            seen,
            [
                r#"[0][0] at 2 is "a""#,
                r#"[0][1] at 7 is {"b": [1]}"#,
                "[1] is a plain value",
                "[2][0] at 24 is null"
            ]
        );
    }

    #[test]
    fn tells_another_format_from_a_damaged_file() {
        let refusal = |text| lists(text).unwrap_err();
        assert_eq!(refusal(""), "this is not a list of lists, but an empty file");
        assert_eq!(refusal("<!doctype html>"), "this is not a list of lists, but something other than JSON");
        assert_eq!(refusal("{}"), "this is not a list of lists, but an object");
        assert_eq!(
            refusal(
                "[[1],
[2"
            ),
            "the file is damaged at line 2, column 2: EOF while parsing a list"
        );
        assert_eq!(refusal("[] []"), "the file is damaged at line 1, column 4: trailing characters");
    }

    #[test]
    fn a_packed_file_that_is_cut_short_is_damaged() {
        let text = format!("[[{}1]]", "1,".repeat(100_000));
        let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        let mut bytes = packer.finish().unwrap();
        bytes.truncate(bytes.len() / 2);
        let source = Source::new(io::Cursor::new(bytes), 0).unwrap();
        let error = walk(source, &mut Lists::default()).unwrap_err();
        assert!(matches!(error, SourceError::Malformed { .. }), "{error}");
    }

    #[test]
    fn a_record_without_end_is_refused_before_it_fills_the_memory() {
        let endless = b"[[1], [\"".chain(io::repeat(b'a'));
        let error = walk_within(1_000, endless, &mut Lists::default()).unwrap_err();
        assert!(error.to_string().ends_with("one record takes more than 1000 bytes"), "{error}");
    }
}
