//! docs/search.md, printed from the tables that the parser reads by.

use super::is::{ABSENT, IS};
use super::keys::{KEYS, Operators};

const BEGINNING: &str = "# Searching for cards

The `search` of `cards` is in Scryfall's syntax. This page is made by `dualcaster search-reference`.

| | |
|---|---|
| `wick tender` | both words are in the name, wherever; case, accents, ligatures and punctuation do not matter |
| `\"wick tender\"` | one after the other |
| `!wick tender`, `!\"wick tender\"` | the whole name of the card or of a face |
| `t:goblin c:r` | both: what stands side by side must all be true |
| `t:goblin or t:elf` | one or the other; binds less than side by side |
| `-t:goblin`, `not (t:goblin or t:elf)` | the opposite |
| `(t:goblin or t:elf) c:r` | parentheses |
| `++`, `@@` | as `unique:prints` and `unique:art` |
| `{w/u}` | a mana symbol in the rules |
| `o:/deals \\d+ damage/` | a regular expression, within the text and without regard to case; a slash in it has a backslash before it |

`:` is what the key means most often; `=` is equal and `!=` the opposite; `<`, `<=`, `>` and `>=` compare, be there a colon
before them or not (`pow:>=4`). An operand with spaces stands in quotes, straight or curly. Tokens and other extras are found
with `include:extras`, or where one of their types (`t:token`, `t:plane`) or the code of their set (`e:ohop`) is asked for. A
search has at most 500 characters, 50 terms and 20 parentheses within each other; with what `is:` stands for written out, 100
conditions, of which 20 may be regular expressions. What can't be understood is ERR-3006: where, and what was expected.

Some of Scryfall's words are unknown here, and refused: the orders `power`, `toughness`, `color`, `artist`, `spoiled`, `edhrec`,
`penny` and `review`, `prefer:atypical`, and the qualities
";

const PATTERNS: &str = "
Regular expressions know classes (`[a-f]`, `\\d`, `\\s`, `\\w`), repetitions, alternatives, groups, `^` and `$` for the ends of a
line and `\\b`; `.` and a class such as `[^.]` stay within a line. Lookaround, back references and Unicode classes are refused.
Scryfall's own words are known too: `\\ss` is a symbol, `\\sm` one of mana, `\\sc` a coloured, `\\smh` a hybrid and `\\smp` a Phyrexian
one, `\\smr` the same twice (not of hybrids or numbers), `\\spt` a power and toughness, `\\spp` a change such as +1/+1 and `\\smm` one
such as -1/-1.

## Keys

| key | also | takes | operators | meaning | example |
|---|---|---|---|---|---|
";

/// The reference of the language, in Markdown.
pub fn reference() -> String {
    let mut text = BEGINNING.to_owned();
    let absent: Vec<_> = ABSENT.iter().map(|(name, _)| format!("`{name}`")).collect();
    text.push_str(&absent.join(" "));
    text.push_str(".\n");
    text.push_str(PATTERNS);
    for key in KEYS {
        let also: Vec<_> = key.names[1..].iter().map(|name| format!("`{name}`")).collect();
        let operators = match key.operators {
            Operators::Comparison => "`:` `=` `!=` `<` `<=` `>` `>=`",
            Operators::Equality => "`:` `=` `!=`",
            Operators::Setting => "`:` `=`",
        };
        text.push_str(&format!(
            "| `{}` | {} | {} | {operators} | {} | `{}` |\n",
            key.names[0],
            also.join(" "),
            key.operand.described(),
            key.help,
            key.example
        ));
    }
    text.push_str("\n## `is:` and `not:`\n\n| | |\n|---|---|\n");
    for (name, _, help) in IS {
        text.push_str(&format!("| `{name}` | {help} |\n"));
    }
    text
}
