//! Regular expressions of a search, in a language that Postgres and the `regex` crate read alike.
//!
//! A pattern is parsed, and printed anew for each store from its syntax tree, in constructs of which the two agree:
//! classes are spelled out as ranges of characters, and what is left to a store's locale or its options is not used.
//! What can't be said to both is refused, and so is what would be costly to compile.
//!
//! A search is without regard to case, and anywhere within the text. `.` is any character of a line, `^` and `$` are
//! where a line begins and ends, `\d`, `\s`, `\w` and `\b` are about ASCII. A brace is a character (`{t}: add`) unless
//! it opens a count of what is before it: in `{u}{2}` the `}` is repeated, and `{u}\{2\}` is two symbols.

mod shorthand;

use std::ops::Range;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{
    AssertionKind, Ast, ClassAsciiKind, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, ErrorKind, Flag,
    Flags, FlagsItemKind, GroupKind, Literal, RepetitionKind, RepetitionRange, Span,
};
use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use self::shorthand::shorthand;
use super::super::names::fold_character;

/// Characters of a pattern at most.
const MAX_SOURCE: usize = 200;
/// Groups within groups at most.
const MAX_DEPTH: u32 = 50;
/// A count at most: Postgres takes no larger one.
const MAX_COUNT: u32 = 255;
/// Characters and anchors of a pattern at most, with its counted repetitions written out.
const MAX_SIZE: usize = 1_000;
/// What may be absent weighs so much more in a count, and what has anchors: the time that Postgres takes grows faster
/// than these do.
const OPTIONAL: usize = 4;
const ANCHORED: usize = 16;
/// Anchors of a pattern at most: what Postgres does with those that meet doubles with each.
const MAX_ANCHORS: usize = 6;

/// `\b` for Postgres, whose own goes by the locale in what a word is.
const BOUNDARY: &str = "(?:(?<![0-9A-Z_a-z])(?=[0-9A-Z_a-z])|(?<=[0-9A-Z_a-z])(?![0-9A-Z_a-z]))";

/// A regular expression that both stores read alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    postgres: String,
    sqlite: String,
}

/// Why a pattern is refused, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// Bytes of the source.
    pub at: Range<usize>,
    /// A phrase to go after `At character 3: `.
    pub message: String,
}

impl Pattern {
    /// The pattern that is written so, without the slashes around it.
    ///
    /// # Errors
    /// A pattern that is malformed, too large, or not of the language that both stores read alike.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if let Some((end, _)) = source.char_indices().nth(MAX_SOURCE) {
            let message = format!("this pattern is too long: at most {MAX_SOURCE} characters");
            return Err(PatternError { at: end..source.len(), message });
        }
        let (text, escapes) = escape_braces(source);
        // In either, `^` and `$` are then about lines, and nothing else is.
        let (postgres, sqlite) = ("(?w)".to_owned(), "(?m)".to_owned());
        let mut printer = Printer { text: &text, escapes, postgres, sqlite, anchors: 0 };
        let ast = ParserBuilder::new().nest_limit(MAX_DEPTH).build().parse(&text).map_err(|error| {
            let message = match error.kind() {
                ErrorKind::UnsupportedLookAround => {
                    "lookahead and lookbehind are not supported: write a term of the search for each part"
                        .to_owned()
                }
                kind => kind.to_string(),
            };
            printer.refuse(error.span(), message)
        })?;
        if printer.print(&ast)?.size > MAX_SIZE {
            return Err(PatternError { at: 0..source.len(), message: too_large("pattern") });
        }
        Ok(Self { postgres: printer.postgres, sqlite: printer.sqlite })
    }

    /// What to bind for Postgres, on the right of `~`.
    pub fn postgres(&self) -> &str {
        &self.postgres
    }

    /// What to make a `regex::Regex` of.
    pub fn sqlite(&self) -> &str {
        &self.sqlite
    }
}

/// The source with its shorthands written out and a backslash before each brace that is a character and would be read as
/// the start of a count, and where what is new stands. An anchor can't be repeated, so a brace after one is a character too.
fn escape_braces(source: &str) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(source.len() + 8);
    let mut escapes = Vec::new();
    let mut depth = 0_usize;
    let mut repeatable = false;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let mut length = first.len_utf8();
        let mut after = true;
        match first {
            '\\' => {
                if depth == 0
                    && let Some((short, full)) = shorthand(rest)
                {
                    // What it is longer by is at no place of the source.
                    escapes.extend(text.len() + short.len()..text.len() + full.len());
                    text.push_str(full);
                    rest = rest.split_at(short.len()).1;
                    repeatable = true;
                    continue;
                }
                let escaped = rest.chars().nth(1);
                length += escaped.map_or(0, char::len_utf8);
                if matches!(escaped, Some('x' | 'u' | 'U' | 'p' | 'P')) && rest[length..].starts_with('{') {
                    length = rest.find('}').map_or(length, |end| end + 1);
                }
                after = !matches!(escaped, Some('b' | 'B' | 'A' | 'z'));
            }
            '[' => {
                depth += 1;
                length += usize::from(rest[length..].starts_with('^'));
                length += usize::from(rest[length..].starts_with(']'));
            }
            ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            '(' => {
                if rest.starts_with("(?") {
                    length = rest.find([':', '>', ')']).map_or(length, |end| end + 1);
                }
                after = false;
            }
            '|' | '^' | '$' => after = false,
            '{' => match count_length(rest) {
                Some(counted) if repeatable => length = counted,
                _ => {
                    escapes.push(text.len());
                    text.push('\\');
                }
            },
            _ => {}
        }
        repeatable = after;
        let (taken, left) = rest.split_at(length);
        text.push_str(taken);
        rest = left;
    }
    (text, escapes)
}

/// How long the count is that this begins with: `{2}`, `{2,}` or `{2,3}`.
fn count_length(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let (least, most) = text.get(1..end)?.split_once(',').unwrap_or((text.get(1..end)?, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(end + 1)
}

fn too_large(what: &str) -> String {
    format!("this {what} is too large: at most 1,000 in all, with what is repeated counted each time")
}

/// What is known of a part that was printed.
#[derive(Default)]
struct Shape {
    /// Characters and anchors, with counted repetitions written out.
    size: usize,
    /// Whether it may match the empty text.
    empty: bool,
    anchored: bool,
}

struct Printer<'t> {
    /// What was parsed, and where backslashes were added to it.
    text: &'t str,
    escapes: Vec<usize>,
    postgres: String,
    sqlite: String,
    anchors: usize,
}

impl Printer<'_> {
    fn refuse(&self, span: &Span, message: impl Into<String>) -> PatternError {
        let place = |offset: usize| offset - self.escapes.partition_point(|escape| *escape < offset);
        PatternError { at: place(span.start.offset)..place(span.end.offset), message: message.into() }
    }

    fn push(&mut self, text: &str) {
        self.postgres.push_str(text);
        self.sqlite.push_str(text);
    }

    fn print(&mut self, ast: &Ast) -> Result<Shape, PatternError> {
        let one = Shape { size: 1, ..Shape::default() };
        match ast {
            Ast::Empty(_) => Ok(Shape { empty: true, ..Shape::default() }),
            Ast::Flags(set) => {
                self.check_flags(&set.flags)?;
                Ok(Shape { empty: true, ..Shape::default() })
            }
            Ast::Literal(literal) => {
                let folded = self.fold(literal)?;
                let size = folded.chars().count();
                let printed: String =
                    folded.chars().map(|character| escape(character, r"\.+*?()|[]{}^$")).collect();
                self.push(&if size == 1 { printed } else { format!("(?:{printed})") });
                Ok(Shape { size, empty: size == 0, anchored: false })
            }
            Ast::Dot(_) => {
                self.push(r"[^\n]");
                Ok(one)
            }
            Ast::Assertion(assertion) => {
                let refuse = |message: &str| Err(self.refuse(&assertion.span, message));
                let (postgres, sqlite) = match assertion.kind {
                    AssertionKind::StartLine => ("^", "^"),
                    AssertionKind::EndLine => ("$", "$"),
                    AssertionKind::StartText => (r"\A", r"\A"),
                    AssertionKind::EndText => (r"\Z", r"\z"),
                    AssertionKind::WordBoundary => (BOUNDARY, r"(?-u:\b)"),
                    // The crate finds it within a character of several bytes too, and then misses what else matches.
                    AssertionKind::NotWordBoundary => {
                        return refuse(r"\B is not supported: write the character, \w or \W, that is there");
                    }
                    _ => return refuse(r"the two ends of a word are not told apart: write \b for either"),
                };
                self.anchors += 1;
                if self.anchors > MAX_ANCHORS {
                    let message =
                        format!("there are too many anchors: at most {MAX_ANCHORS} of ^, $ and \\b");
                    return Err(self.refuse(&assertion.span, message));
                }
                self.postgres.push_str(postgres);
                self.sqlite.push_str(sqlite);
                Ok(Shape { size: 1, empty: true, anchored: true })
            }
            Ast::ClassUnicode(class) => Err(self.refuse_unicode(&class.span)),
            Ast::ClassPerl(class) => self.print_class(perl(class), &class.span),
            Ast::ClassBracketed(class) => {
                let mut set = self.set(&class.kind)?;
                if class.negated {
                    // As at Scryfall, it stays within the line, as a dot does.
                    set.union(&ranges(&[('\n', '\n')]));
                }
                self.print_class(negate_if(class.negated, set), &class.span)
            }
            Ast::Repetition(repetition) => {
                // Postgres refuses `a+*`, and takes `a+?` for another thing.
                let nested = matches!(*repetition.ast, Ast::Repetition(_));
                self.push(if nested { "(?:" } else { "" });
                let shape = self.print(&repetition.ast)?;
                self.push(if nested { ")" } else { "" });
                if shape.size == 0 || shape.empty && shape.anchored {
                    let message =
                        "there is nothing to repeat here: what is repeated must be more than an anchor";
                    return Err(self.refuse(&repetition.span, message));
                }
                let (least, most, printed) = match &repetition.op.kind {
                    RepetitionKind::ZeroOrOne => (0, 1, "?".to_owned()),
                    RepetitionKind::ZeroOrMore => (0, 1, "*".to_owned()),
                    RepetitionKind::OneOrMore => (1, 1, "+".to_owned()),
                    RepetitionKind::Range(RepetitionRange::Exactly(n)) => (*n, *n, format!("{{{n}}}")),
                    RepetitionKind::Range(RepetitionRange::AtLeast(n)) => (*n, *n, format!("{{{n},}}")),
                    RepetitionKind::Range(RepetitionRange::Bounded(n, m)) => (*n, *m, format!("{{{n},{m}}}")),
                };
                if most > MAX_COUNT {
                    let message = format!("this count is too large: at most {MAX_COUNT}");
                    return Err(self.refuse(&repetition.op.span, message));
                }
                let weight = match &shape {
                    _ if most < 2 => 1,
                    Shape { anchored: true, .. } => ANCHORED,
                    Shape { empty: true, .. } => OPTIONAL,
                    _ => 1,
                };
                let size = shape.size.saturating_mul(most.max(1) as usize).saturating_mul(weight);
                if size > MAX_SIZE {
                    return Err(self.refuse(&repetition.span, too_large("repetition")));
                }
                self.push(&printed);
                Ok(Shape { size, empty: shape.empty || least == 0, anchored: shape.anchored })
            }
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.check_flags(flags)?;
                }
                self.push("(?:");
                let shape = self.print(&group.ast)?;
                self.push(")");
                Ok(shape)
            }
            Ast::Alternation(alternation) => self.print_all(&alternation.asts, "|"),
            Ast::Concat(concat) => self.print_all(&concat.asts, ""),
        }
    }

    fn print_all(&mut self, parts: &[Ast], between: &str) -> Result<Shape, PatternError> {
        let sequence = between.is_empty();
        let mut all = Shape { empty: sequence, ..Shape::default() };
        for (index, part) in parts.iter().enumerate() {
            self.push(if index == 0 { "" } else { between });
            let shape = self.print(part)?;
            all.size += shape.size;
            all.empty = if sequence { all.empty && shape.empty } else { all.empty || shape.empty };
            all.anchored |= shape.anchored;
        }
        Ok(all)
    }

    fn check_flags(&self, flags: &Flags) -> Result<(), PatternError> {
        let mut negated = false;
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation => negated = true,
                FlagsItemKind::Flag(Flag::CaseInsensitive) if negated => {
                    return Err(self.refuse(&flags.span, "a search is without regard to case: leave out -i"));
                }
                FlagsItemKind::Flag(Flag::CaseInsensitive) => {}
                FlagsItemKind::Flag(_) => {
                    let letter = &self.text[item.span.start.offset..item.span.end.offset];
                    return Err(self.refuse(&item.span, format!("the flag {letter} is not supported")));
                }
            }
        }
        Ok(())
    }

    fn fold(&self, literal: &Literal) -> Result<String, PatternError> {
        if literal.c == '\0' {
            return Err(self.refuse(&literal.span, "no text holds the character NUL"));
        }
        let mut folded = String::new();
        fold_character(&mut folded, literal.c);
        Ok(folded)
    }

    fn refuse_unicode(&self, span: &Span) -> PatternError {
        self.refuse(span, r"classes of Unicode are not supported: write the characters, or \w, \d or \s")
    }

    /// The characters of a class, before its negation.
    fn set(&self, class: &ClassSet) -> Result<ClassUnicode, PatternError> {
        match class {
            ClassSet::Item(item) => self.set_of_item(item),
            ClassSet::BinaryOp(operation) => Err(self.refuse(
                &operation.span,
                r"operations on classes are not supported: write \& for the character",
            )),
        }
    }

    fn set_of_item(&self, item: &ClassSetItem) -> Result<ClassUnicode, PatternError> {
        match item {
            ClassSetItem::Empty(_) => Ok(ClassUnicode::empty()),
            ClassSetItem::Literal(literal) => {
                let folded = self.fold(literal)?;
                let mut characters = folded.chars();
                match (characters.next(), characters.next()) {
                    (Some(only), None) => Ok(ranges(&[(only, only)])),
                    _ => Err(self.refuse(
                        &literal.span,
                        "this is searched as none or several characters: write it outside of the class",
                    )),
                }
            }
            ClassSetItem::Range(range) => {
                for end in [&range.start, &range.end] {
                    let folded = self.fold(end)?;
                    if !end.c.is_ascii() && !folded.chars().eq([end.c]) {
                        let message = "texts are searched without this character: write the class without it";
                        return Err(self.refuse(&end.span, message));
                    }
                }
                let (start, end) = (range.start.c, range.end.c);
                let mut set = ranges(&[(start, end)]);
                let (upper_start, upper_end) = (start.max('A'), end.min('Z'));
                if upper_start <= upper_end {
                    set.union(&ranges(&[(upper_start.to_ascii_lowercase(), upper_end.to_ascii_lowercase())]));
                }
                Ok(set)
            }
            ClassSetItem::Ascii(class) => Ok(negate_if(class.negated, ranges(ascii(&class.kind)))),
            ClassSetItem::Perl(class) => Ok(perl(class)),
            ClassSetItem::Unicode(class) => Err(self.refuse_unicode(&class.span)),
            ClassSetItem::Bracketed(class) => Err(self
                .refuse(&class.span, r"a class within a class is not supported: write \[ for the character")),
            ClassSetItem::Union(union) => {
                union.items.iter().try_fold(ClassUnicode::empty(), |mut all, item| {
                    all.union(&self.set_of_item(item)?);
                    Ok(all)
                })
            }
        }
    }

    fn print_class(&mut self, mut set: ClassUnicode, span: &Span) -> Result<Shape, PatternError> {
        // A set that goes up to the last character is shorter to say by what is not in it. NUL is in no text, and
        // Postgres has no way to name it.
        let nul = ranges(&[('\0', '\0')]);
        let negated = set.ranges().last().is_some_and(|range| range.end() == char::MAX);
        if negated {
            set.union(&nul);
            set.negate();
        } else {
            set.difference(&nul);
        }
        let size = 1 + set.iter().filter(|range| !range.end().is_ascii()).count();
        if set.ranges().is_empty() {
            if !negated {
                return Err(self.refuse(span, "no character is in this class"));
            }
            self.push(r"(?:[^\n]|\n)");
            return Ok(Shape { size, ..Shape::default() });
        }
        self.push(if negated { "[^" } else { "[" });
        for range in set.iter() {
            self.push(&escape(range.start(), r"\[]^-&~"));
            if range.start() < range.end() {
                self.push("-");
                self.push(&escape(range.end(), r"\[]^-&~"));
            }
        }
        self.push("]");
        Ok(Shape { size, ..Shape::default() })
    }
}

/// A character as a pattern names it, where some are special.
fn escape(character: char, special: &str) -> String {
    match character {
        '\n' => r"\n".to_owned(),
        control if control.is_ascii_control() => format!("\\u{:04X}", u32::from(control)),
        other if special.contains(other) => format!("\\{other}"),
        other => other.to_string(),
    }
}

fn ranges(of: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(of.iter().map(|(start, end)| ClassUnicodeRange::new(*start, *end)))
}

fn negate_if(negated: bool, mut set: ClassUnicode) -> ClassUnicode {
    if negated {
        set.negate();
    }
    set
}

fn perl(class: &ClassPerl) -> ClassUnicode {
    let kind = match class.kind {
        ClassPerlKind::Digit => ClassAsciiKind::Digit,
        ClassPerlKind::Space => ClassAsciiKind::Space,
        ClassPerlKind::Word => ClassAsciiKind::Word,
    };
    negate_if(class.negated, ranges(ascii(&kind)))
}

fn ascii(kind: &ClassAsciiKind) -> &'static [(char, char)] {
    match kind {
        ClassAsciiKind::Alnum => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Alpha | ClassAsciiKind::Lower | ClassAsciiKind::Upper => &[('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Ascii => &[('\0', '\x7f')],
        ClassAsciiKind::Blank => &[('\t', '\t'), (' ', ' ')],
        ClassAsciiKind::Cntrl => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        ClassAsciiKind::Digit => &[('0', '9')],
        ClassAsciiKind::Graph => &[('!', '~')],
        ClassAsciiKind::Print => &[(' ', '~')],
        ClassAsciiKind::Punct => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        ClassAsciiKind::Space => &[('\t', '\r'), (' ', ' ')],
        ClassAsciiKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        ClassAsciiKind::Xdigit => &[('0', '9'), ('A', 'F'), ('a', 'f')],
    }
}

#[cfg(test)]
mod tests;
