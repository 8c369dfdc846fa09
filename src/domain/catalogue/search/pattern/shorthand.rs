//! Scryfall's own words for symbols and for changes of power and toughness. Where `\s` is followed by one of these letters
//! it is no space, as it is not at Scryfall's: `\smana` is a symbol and `ana`.

/// Each, and what it stands for; of two that begin alike, the longer one first.
const SHORTHANDS: &[(&str, &str)] = &[
    // Two halves, of which the second is not Phyrexian, or three.
    (r"\smh", r"(?:\{[0-9a-z]+/(?:[0-9a-z]+/p|[0-9a-oq-z])\})"),
    (r"\smp", r"(?:\{(?:[0-9a-z/]+/p|h)\})"),
    // The same again can't be said to both stores, but each of them can.
    (r"\smr", r"(?:\{w\}\{w\}|\{u\}\{u\}|\{b\}\{b\}|\{r\}\{r\}|\{g\}\{g\}|\{c\}\{c\}|\{s\}\{s\}|\{x\}\{x\})"),
    (r"\smm", r"(?:-[0-9x*]+/-[0-9x*]+)"),
    (r"\spp", r"(?:\+[0-9x*]+/\+[0-9x*]+)"),
    (r"\spt", r"(?:[0-9x*]+/[0-9x*]+)"),
    (r"\sm", r"(?:\{(?:[0-9]+|[wubrgcsxyz]|h[wubrg]?|p|[0-9a-z]+/[0-9a-z/]+)\})"),
    (r"\sc", r"(?:\{(?:[0-9a-z]+/)*[wubrg](?:/[0-9a-z]+)*\})"),
    (r"\ss", r"(?:\{[^{}]+\})"),
];

/// The shorthand that a text begins with, and what it stands for, which is longer.
pub(super) fn shorthand(text: &str) -> Option<(&'static str, &'static str)> {
    SHORTHANDS.iter().copied().find(|(short, _)| text.starts_with(*short))
}
