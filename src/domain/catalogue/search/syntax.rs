//! The grammar of a search. What a key means is not known here, only which keys there are.
//!
//! ```text
//! search  = all { "or" all }
//! all     = factor { [ "and" ] factor }
//! factor  = "-" factor | "not" group | group | term
//! group   = "(" search ")"
//! term    = "!" name | text | symbol | key operator operand | word
//! operand = text | "/" pattern "/" | plain
//! ```

use std::ops::Range;

use winnow::ascii::Caseless;
use winnow::combinator::{alt, cut_err, delimited, eof, fail, not, opt, peek, preceded, terminated};
use winnow::error::{ErrMode, ModalResult, ParserError};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location, Stateful, Stream};
use winnow::token::{any, one_of, rest, take_while};

use super::keys::{Key, Operand, Operators};
use super::tree::{Expression, Wrong};

/// Parentheses and nots within each other at most.
const MAX_DEPTH: usize = 20;

/// A term as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Term<'s> {
    /// A word, or a text in quotes, of the name.
    Name { text: &'s str, quoted: bool, span: Range<usize> },
    /// The whole name.
    Exact { text: &'s str, span: Range<usize> },
    /// A mana symbol in braces.
    Symbol { text: &'s str, span: Range<usize> },
    /// A key with its operand.
    Keyed(Asked<'s>),
}

/// What is asked with a key.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked<'s> {
    pub key: &'static Key,
    /// As it was written: one of the key's names.
    pub name: &'s str,
    pub operator: Operator,
    pub operand: &'s str,
    pub form: Form,
    /// Of the operand, without quotes.
    pub span: Range<usize>,
    /// Of the whole term.
    pub whole: Range<usize>,
}

/// How an operand is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Plain,
    Quoted,
    Pattern,
}

/// What stands between a key and its operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `:`
    Has,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The text, and how many parentheses and nots lie around the place.
type Input<'s> = Stateful<LocatingSlice<&'s str>, usize>;
type Parsed<T> = ModalResult<T, Wrong>;

impl<'s> ParserError<Input<'s>> for Wrong {
    type Inner = Self;

    fn from_input(input: &Input<'s>) -> Self {
        let at = input.current_token_start();
        let message = match input.chars().next() {
            None => "the search ends where a term was expected.".to_owned(),
            Some(')') => "there is no “(” for this “)”.".to_owned(),
            Some(other) => format!("expected a term, found “{other}”. In a name, put it in quotes."),
        };
        Self { at, message }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

/// Reads a search that is not blank.
///
/// # Errors
/// Where it stops being one, and why.
pub fn parse(text: &str) -> Result<Expression<Term<'_>>, Wrong> {
    let mut input = Stateful { input: LocatingSlice::new(text), state: 0 };
    delimited(space0, alternatives, (space0, eof)).parse_next(&mut input).map_err(|error| match error {
        ErrMode::Backtrack(wrong) | ErrMode::Cut(wrong) => wrong,
        ErrMode::Incomplete(_) => Wrong::from_input(&input),
    })
}

/// Goes one deeper. Bounded, for each step takes a part of the stack.
fn within<'s, T>(input: &mut Input<'s>, inner: impl FnOnce(&mut Input<'s>) -> Parsed<T>) -> Parsed<T> {
    let at = input.current_token_start();
    if input.state == MAX_DEPTH {
        return wrong(&(at..at), format!("at most {MAX_DEPTH} parentheses and nots lie within each other."));
    }
    input.state += 1;
    let parsed = inner(input);
    input.state -= 1;
    parsed
}

fn space0(input: &mut Input<'_>) -> Parsed<()> {
    take_while(0.., char::is_whitespace).void().parse_next(input)
}

fn space1(input: &mut Input<'_>) -> Parsed<()> {
    take_while(1.., char::is_whitespace).void().parse_next(input)
}

/// An error that no other reading can mend.
fn wrong<T>(span: &Range<usize>, message: impl Into<String>) -> Parsed<T> {
    Err(ErrMode::Cut(Wrong::at(span, message)))
}

fn alternatives<'s>(input: &mut Input<'s>) -> Parsed<Expression<Term<'s>>> {
    let mut parts = vec![all(input)?];
    while opt((space0, reserved("or"), space0)).parse_next(input)?.is_some() {
        parts.push(cut_err(all).parse_next(input)?);
    }
    Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::Any(parts) })
}

fn all<'s>(input: &mut Input<'s>) -> Parsed<Expression<Term<'s>>> {
    let mut parts = vec![factor(input)?];
    loop {
        if opt((space0, reserved("and"), space0)).parse_next(input)?.is_some() {
            // Nothing else may follow, and what does is told.
            parts.push(cut_err(factor).parse_next(input)?);
        } else if let Some(part) = opt(preceded((space0, not(reserved("or"))), factor)).parse_next(input)? {
            parts.push(part);
        } else {
            break;
        }
    }
    Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Expression::All(parts) })
}

fn factor<'s>(input: &mut Input<'s>) -> Parsed<Expression<Term<'s>>> {
    let inner = |input: &mut Input<'s>| within(input, factor);
    let negated = alt((
        // A dash between spaces is a word: `fire - ice`.
        preceded(('-', not(alt((space1, eof.void())))), cut_err(inner)),
        preceded((Caseless("not"), space0, peek('(')), cut_err(group)),
    ));
    alt((negated.map(Expression::negated), group, term.map(Expression::Term))).parse_next(input)
}

fn group<'s>(input: &mut Input<'s>) -> Parsed<Expression<Term<'s>>> {
    let start = input.current_token_start();
    let inside = |input: &mut Input<'s>| within(input, alternatives);
    preceded(('(', space0), cut_err(inside)).parse_next(input).and_then(|inner| {
        let closed = opt((space0, ')')).parse_next(input)?;
        match (closed, input.chars().next()) {
            (Some(_), _) => Ok(inner),
            (None, None) => wrong(&(start..start), "this “(” is not closed."),
            (None, Some(_)) => Err(ErrMode::Cut(Wrong::from_input(input))),
        }
    })
}

/// `or` or `and`, as a word of its own.
fn reserved<'s>(word: &'static str) -> impl Parser<Input<'s>, (), ErrMode<Wrong>> {
    (Caseless(word), peek(alt((space1.void(), '('.void(), ')'.void(), eof.void())))).void()
}

fn term<'s>(input: &mut Input<'s>) -> Parsed<Term<'s>> {
    let start = input.current_token_start();
    if opt(peek(alt((reserved("or"), reserved("and"))))).parse_next(input)?.is_some() {
        return wrong(&(start..start), "expected a term before this word. In a name, put it in quotes.");
    }
    alt((exact, text_term, symbol, keyed.map(Term::Keyed), word)).parse_next(input)
}

/// `!name`: in quotes, or all the words that follow where nothing but words does, or one word.
fn exact<'s>(input: &mut Input<'s>) -> Parsed<Term<'s>> {
    let plain = |text: &str| {
        !text.contains(['"', '(', ')', ':', '=', '<', '>'])
            && !text.contains(is_curly)
            && !text.split_whitespace().any(|word| {
                word.eq_ignore_ascii_case("or") || (word.len() > 1 && word.starts_with(['-', '!']))
            })
    };
    let all_that_follows =
        rest.verify(move |text: &str| plain(text) && !text.trim().is_empty()).map(str::trim);
    let one_word = take_while(1.., in_word);
    preceded('!', cut_err(alt((text_in_quotes, all_that_follows, one_word))).with_span())
        .map(|(text, span)| Term::Exact { text, span })
        .parse_next(input)
}

fn text_term<'s>(input: &mut Input<'s>) -> Parsed<Term<'s>> {
    terminated(text_in_quotes.with_span(), boundary)
        .map(|(text, span)| Term::Name { text, quoted: true, span })
        .parse_next(input)
}

/// A text in double quotes: straight ones, or those that phones and word processors make of them.
fn text_in_quotes<'s>(input: &mut Input<'s>) -> Parsed<&'s str> {
    alt((quoted('"'), in_curly_quotes)).parse_next(input)
}

fn in_curly_quotes<'s>(input: &mut Input<'s>) -> Parsed<&'s str> {
    let start = input.current_token_start();
    let ends = |c: char| is_curly(c) || c == '"';
    let text = preceded(one_of(is_curly), take_while(0.., move |c| !ends(c))).parse_next(input)?;
    match opt(one_of(ends)).parse_next(input)? {
        Some(_) => Ok(text),
        None => wrong(&(start..start), "this quote is not closed."),
    }
}

fn is_curly(c: char) -> bool {
    matches!(c, '“' | '”' | '„')
}

/// A text in quotes, of which there must be two.
fn quoted<'s>(quote: char) -> impl Parser<Input<'s>, &'s str, ErrMode<Wrong>> {
    move |input: &mut Input<'s>| {
        let start = input.current_token_start();
        let text = preceded(quote, take_while(0.., move |c| c != quote)).parse_next(input)?;
        match opt(quote).parse_next(input)? {
            Some(_) => Ok(text),
            None => wrong(&(start..start), "this quote is not closed."),
        }
    }
}

fn symbol<'s>(input: &mut Input<'s>) -> Parsed<Term<'s>> {
    (peek('{'), take_while(1.., in_word))
        .with_span()
        .map(|((_, text), span)| Term::Symbol { text, span })
        .parse_next(input)
}

fn in_word(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '(' | ')' | '"') && !is_curly(c)
}

/// A word of the name. One that ends in a colon is a word too: `Circle of Protection: Red`.
fn word<'s>(input: &mut Input<'s>) -> Parsed<Term<'s>> {
    let (text, span) = take_while(1.., in_word).with_span().parse_next(input)?;
    let plain = text.strip_suffix(':').unwrap_or(text);
    match plain.find([':', '=', '<', '>']) {
        Some(at) => {
            let at = span.start + at;
            wrong(&(at..at), "there is no key before this sign. In a name, put it in quotes.")
        }
        None => Ok(Term::Name { text: plain, quoted: false, span }),
    }
}

fn operator(input: &mut Input<'_>) -> Parsed<Operator> {
    alt((
        "!=".value(Operator::NotEqual),
        "<=".value(Operator::LessOrEqual),
        ">=".value(Operator::GreaterOrEqual),
        "<".value(Operator::Less),
        ">".value(Operator::Greater),
        "=".value(Operator::Equal),
        ":".value(Operator::Has),
    ))
    .parse_next(input)
}

fn keyed<'s>(input: &mut Input<'s>) -> Parsed<Asked<'s>> {
    let start = input.checkpoint();
    let (name, name_span) =
        take_while(1.., |c: char| c.is_ascii_alphabetic() || c == '_').with_span().parse_next(input)?;
    let key = Key::find(name);
    // With a space on both sides only where it can be nothing else.
    let mut spaced = delimited(space1, preceded(not(':'), operator), space0);
    let sign = match opt(operator).parse_next(input)? {
        Some(sign) => sign,
        None if key.is_some() => spaced.parse_next(input)?,
        None => return fail.parse_next(input),
    };
    let ends = opt(peek(alt((space1.void(), eof.void())))).parse_next(input)?.is_some();
    let Some(key) = key else {
        if sign == Operator::Has && ends {
            input.reset(&start);
            return fail.parse_next(input);
        }
        return wrong(&name_span, Key::unknown(name));
    };
    let operator = if sign == Operator::Has { after_colon(key, input)? } else { sign };
    let ((operand, form), span) = operand.with_span().parse_next(input)?;
    let quotes = (span.len() - operand.len()) / 2;
    let whole = name_span.start..span.end;
    let span = span.start + quotes..span.end - quotes;
    Ok(Asked { key, name, operator, operand, form, span, whole })
}

/// What a colon means: the sign behind it, where the key compares (`pow:>=4`). A space behind it (`t: elf`) is passed over,
/// unless the key may do without an operand.
fn after_colon(key: &Key, input: &mut Input<'_>) -> Parsed<Operator> {
    let sign = match key.operators {
        Operators::Comparison => opt(preceded(not(':'), operator)).parse_next(input)?,
        Operators::Equality | Operators::Setting => None,
    };
    if key.operand != Operand::Mana {
        opt((space1, not(alt((reserved("or"), reserved("and"), ')'.void(), eof.void())))))
            .void()
            .parse_next(input)?;
    }
    Ok(sign.unwrap_or(Operator::Has))
}

fn operand<'s>(input: &mut Input<'s>) -> Parsed<(&'s str, Form)> {
    let single = (peek(('\'', take_while(1.., |c| c != '\''), '\'')), quoted('\'')).map(|(_, text)| text);
    alt((
        terminated(alt((text_in_quotes, single)), boundary).map(|text| (text, Form::Quoted)),
        terminated(pattern, boundary).map(|text| (text, Form::Pattern)),
        take_while(0.., in_word).map(|text| (text, Form::Plain)),
    ))
    .parse_next(input)
}

/// A regular expression between slashes; a slash within it has a backslash before it.
fn pattern<'s>(input: &mut Input<'s>) -> Parsed<&'s str> {
    let start = input.current_token_start();
    '/'.parse_next(input)?;
    let inside = winnow::combinator::repeat::<_, _, (), _, _>(
        0..,
        alt((('\\', any).void(), one_of(|c| c != '/' && c != '\\').void())),
    );
    let text = inside.take().parse_next(input)?;
    match opt('/').parse_next(input)? {
        Some(_) => Ok(text),
        None => wrong(&(start..start), "this regular expression is not closed by a slash."),
    }
}

/// What may follow a closing quote.
fn boundary(input: &mut Input<'_>) -> Parsed<()> {
    let at = input.current_token_start();
    match input.chars().next() {
        None | Some(')') => Ok(()),
        Some(c) if c.is_whitespace() => Ok(()),
        Some(_) => wrong(&(at..at), "expected a space after the closing quote."),
    }
}
