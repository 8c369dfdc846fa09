//! What patterns become, and what they match.

use regex::Regex;

use super::*;

#[test]
fn a_pattern_is_printed_for_both_stores() {
    for (source, printed) in [
        ("", ""),
        ("Whenever .* attacks", r"whenever [^\n]* attacks"),
        ("{T}: add", r"\{t\}: add"),
        ("^{2}{u}|{2}", r"^\{2\}\{u\}|\{2\}"),
        ("{u}{2}", r"\{u\}{2}"),
        (r"{u}\{2\}", r"\{u\}\{2\}"),
        (r"a{,2}\u{41}{2}", r"a\{,2\}a{2}"),
        ("(?i)(?P<n>a)(?i:B)()", "(?:a)(?:b)(?:)"),
        ("a*?b{2}{3}", "a*(?:b{2}){3}"),
        ("Æther—É’“", "(?:ae)ther-e'\""),
        (r"[\]Aé^&-]", r"[\&\-\]-\^ae]"),
        ("[^X-Z]", r"[^\nX-Zx-z]"),
        (r"\d\S[\W_]", r"[0-9][^\u0009-\u000D ][^0-9A-Za-z]"),
        (r"[\s\S][[:^punct:]a]\/", r"(?:[^\n]|\n)[^!-/:-@\[-`{-\~]/"),
    ] {
        let pattern = Pattern::parse(source).unwrap();
        assert_eq!(pattern.postgres(), format!("(?w){printed}"), "{source}");
        assert_eq!(pattern.sqlite(), format!("(?m){printed}"), "{source}");
    }
    let anchors = Pattern::parse(r"\b\A\z").unwrap();
    assert_eq!(anchors.postgres(), format!(r"(?w){BOUNDARY}\A\Z"));
    assert_eq!(anchors.sqlite(), r"(?m)(?-u:\b)\A\z");
}

#[test]
fn a_refusal_says_why_and_where() {
    let long = "a".repeat(201);
    let deep = format!("{}{}", "(".repeat(60), ")".repeat(60));
    for (source, at, message) in [
        (long.as_str(), 200..201, "this pattern is too long: at most 200 characters"),
        ("{t}(?=a)", 3..6, "lookahead and lookbehind are not supported"),
        (r"{t}(a)\1", 6..8, "backreferences are not supported"),
        ("{t}(a", 3..4, "unclosed group"),
        (r"\spp(a", 4..5, "unclosed group"),
        ("é*{t}**(?s)", 10..11, "the flag s is not supported"),
        ("(?-i)a", 2..4, "a search is without regard to case"),
        (r"a\pL", 1..4, "classes of Unicode are not supported"),
        ("[a&&b]", 1..5, "operations on classes are not supported"),
        ("[a[b]]", 2..5, "a class within a class is not supported"),
        ("[½]", 1..3, "this is searched as none or several characters"),
        ("[à-ü]", 1..3, "texts are searched without this character"),
        (r"[^\s\S]", 0..7, "no character is in this class"),
        (r"\x00", 0..4, "no text holds the character NUL"),
        (r"{t}\B", 3..5, r"\B is not supported"),
        (r"\<a", 0..2, "the two ends of a word are not told apart"),
        ("^*", 0..2, "there is nothing to repeat here"),
        ("x(?:^|a)?", 1..9, "there is nothing to repeat here"),
        ("()+", 0..3, "there is nothing to repeat here"),
        ("a{256}", 1..6, "this count is too large: at most 255"),
        ("b(?:a{30}){34}", 1..14, "this repetition is too large: at most 1,000 in all"),
        ("(?:a?){251}", 0..11, "this repetition is too large"),
        ("(?:^ab){21}", 0..11, "this repetition is too large"),
        ("a{250}b{250}c{250}d{250}e", 0..25, "this pattern is too large"),
        (r"^$\b^$\b\b", 8..10, "there are too many anchors: at most 6"),
        (deep.as_str(), 50..70, "exceed the maximum number of nested parentheses"),
    ] {
        let error = Pattern::parse(source).unwrap_err();
        assert!(error.message.starts_with(message), "{source}: {}", error.message);
        assert_eq!(error.at, at, "{source}");
    }
}

#[test]
fn a_pattern_matches_within_lines_without_regard_to_case() {
    let text = "flying\n{t}: add {g}. ½ of it's\n• aether_b2";
    for (source, matches) in [
        ("FLYING$", true),
        ("^{T}: Add", true),
        ("flying.*add", false),
        ("flying[^x]*add", false),
        (r"flying[^x]*\n[^x]*add", true),
        (r"flying\sx?[^x]t", true),
        (r"\Aflying\n", true),
        (r"it’s$\n^•", true),
        (r"\A{t}", false),
        (r"of it's\z", false),
        (r"\b½|\bther|aether\b", false),
        (r"\bÆTHER_B2\b", true),
        ("[^A-Z]lying", false),
        ("[F-G]lying", true),
        ("x|", true),
    ] {
        let pattern = Pattern::parse(source).unwrap();
        assert_eq!(Regex::new(pattern.sqlite()).unwrap().is_match(text), matches, "{source}");
    }
}

#[test]
fn shorthands_are_symbols_and_changes_of_power() {
    for (source, text, matches) in [
        (r"^\spp$", "+x/+10", true),
        (r"\spp", "+1/-1", false),
        (r"^\smm$", "-13/-x", true),
        (r"^\spt$", "1/*", true),
        (r"\spt", "+1/+1", false),
        (r"^\sm{2}$", "{2}{w/u}", true),
        (r"\sm", "{t}{e}", false),
        (r"\smana", "{x}ana", true),
        (r"\sc", "{2/w}", true),
        (r"\sc", "{c}{hr}", false),
        (r"\smh", "{w/u/p}", true),
        (r"\smh", "{2/u}", true),
        (r"\smh", "{w/p}", false),
        (r"\smp", "{w/p}", true),
        (r"\smp", "{p}", false),
        (r"\smr", "{u}{g}{g}", true),
        (r"\smr", "{g}{u}", false),
        (r"^\ss: \ss$", "{t}: {chaos}", true),
        (r"[\sm]x", " x", true),
        (r"a\sx", "a x", true),
    ] {
        let pattern = Pattern::parse(source).unwrap();
        assert_eq!(Regex::new(pattern.sqlite()).unwrap().is_match(text), matches, "{source}");
    }
}
