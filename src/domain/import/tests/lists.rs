//! Lists that are no table.

use entity::enums::Finish;

use super::copies;
use crate::domain::import::{ImportRow, Line, Plan, RowProblem, Section};
use crate::error::Code;

fn read(lines: &str) -> Vec<Result<ImportRow, RowProblem>> {
    let (plan, mut section) = (Plan::decklist(), Section::default());
    let read = |(at, text)| match plan.read_line(&mut section, at as u64 + 1, text) {
        Ok(line) => copies(line).pop().map(Ok),
        Err(problem) => Some(Err(problem)),
    };
    lines.lines().enumerate().filter_map(read).collect()
}

#[test]
fn lines_of_every_app() {
    for (line, quantity, name, set, number, finish, tags) in [
        ("4 Llanowar Elves (M19) 314", 4, "Llanowar Elves", "m19", "314", None, &[][..]),
        ("4x Llanowar Elves", 4, "Llanowar Elves", "", "", None, &[]),
        ("x4 Llanowar Elves", 4, "Llanowar Elves", "", "", None, &[]),
        ("Llanowar Elves", 1, "Llanowar Elves", "", "", None, &[]),
        ("SB: 2 Duress (m21) 96", 2, "Duress", "m21", "96", None, &["Sideboard"]),
        ("1 Fire // Ice (APC) 128 *F*", 1, "Fire // Ice", "apc", "128", Some(Finish::Foil), &[]),
        ("1 Fire/Ice", 1, "Fire // Ice", "", "", None, &[]),
        ("1 Shock [M21] (F)", 1, "Shock", "m21", "", Some(Finish::Foil), &[]),
        ("1 Shock <159> [M21]", 1, "Shock", "m21", "159", None, &[]),
        ("1 [M21#159] Shock", 1, "Shock", "m21", "159", None, &[]),
        (
            "1x Shock (m21) 159 *E* [Burn,Cheap{top}] ^Have,#37d67a^",
            1,
            "Shock",
            "m21",
            "159",
            Some(Finish::Etched),
            &["Have", "Burn", "Cheap"],
        ),
        ("1 Shock (M21) 159 #burn #!cheap red", 1, "Shock", "m21", "159", None, &["burn", "cheap red"]),
        ("1x Sol Ring (C21:263) *F*", 1, "Sol Ring", "c21", "263", Some(Finish::Foil), &[]),
        ("1x Sol Ring (C21:263) *F-ETCH*", 1, "Sol Ring", "c21", "263", Some(Finish::Etched), &[]),
        ("1x Sol Ring (C21:263) *f-pre*", 1, "Sol Ring", "c21", "263", Some(Finish::Foil), &["prerelease"]),
        ("1x Sol Ring (C21:263) *list*", 1, "Sol Ring", "c21", "263", Some(Finish::Nonfoil), &["The List"]),
        ("1x Sol Ring *list*", 1, "Sol Ring", "plst", "", Some(Finish::Nonfoil), &["The List"]),
        ("1x Krenko, Mob Boss *CMDR*", 1, "Krenko, Mob Boss", "", "", None, &["Commander"]),
        (
            "1x Sol Ring (c21) 263 [Ramp] ^Don't Have,#37d67a^",
            1,
            "Sol Ring",
            "c21",
            "263",
            None,
            &["Don't Have", "Ramp"],
        ),
        ("1 [C21#263] Sol Ring # !Commander", 1, "Sol Ring", "c21", "263", None, &["Commander"]),
        ("SB: 1 [C21:263] Sol Ring", 1, "Sol Ring", "c21", "263", None, &["Sideboard"]),
        ("1 [Ramp: rocks] Sol Ring", 1, "Sol Ring", "", "", None, &["Ramp: rocks"]),
        ("1 [Burn: 2] Shock", 1, "Shock", "", "", None, &["Burn: 2"]),
        ("1 Who (Dr: what)", 1, "Who (Dr: what)", "", "", None, &[]),
        ("1 Demonic Tutor (PLST) DDC-49", 1, "Demonic Tutor", "plst", "DDC-49", None, &[]),
        ("1 Erase (Not the Urza's Legacy One)", 1, "Erase (Not the Urza's Legacy One)", "", "", None, &[]),
        ("1 Borrowing 100,000 Arrows", 1, "Borrowing 100,000 Arrows", "", "", None, &[]),
        ("+2 Mace", 1, "+2 Mace", "", "", None, &[]),
    ] {
        let row = read(line).remove(0).unwrap();
        assert_eq!((row.quantity, row.name.as_deref()), (quantity, Some(name)), "{line}");
        assert_eq!(row.set_code.unwrap_or_default(), set, "{line}");
        assert_eq!(row.collector_number.unwrap_or_default(), number, "{line}");
        assert_eq!(
            (row.finish, row.tags),
            (finish, tags.iter().map(|tag| (*tag).to_owned()).collect()),
            "{line}"
        );
    }
}

#[test]
fn sections_give_tags_and_headings_give_nothing() {
    let list = "About\nName My deck\n\nCommander\n1 Krenko, Mob Boss\n\nDeck\n// burn\n# cheap\nCreatures (2)\n\
                2 Goblin Guide\nInstants\n4 Shock\n\nSideboard (15):\n3 Smash to Smithereens\n//Maybeboard\n1 Opt\nTotal: 60";
    let rows: Vec<_> = read(list).into_iter().map(Result::unwrap).collect();
    let found: Vec<_> =
        rows.iter().map(|row| (row.quantity, row.name.as_deref().unwrap(), row.tags.join(","))).collect();
    let expected = [
        (1, "Krenko, Mob Boss", "Commander"),
        (2, "Goblin Guide", ""),
        (4, "Shock", ""),
        (3, "Smash to Smithereens", "Sideboard"),
        (1, "Opt", "Maybeboard"),
    ]
    .map(|(count, name, tags)| (count, name, tags.to_owned()));
    assert_eq!(found, expected);
    assert_eq!((rows[0].line, rows[4].line), (5, 18));
}

#[test]
fn a_heading_of_a_kind_ends_a_section_of_a_card_or_two() {
    let tags = |list: &str| {
        let rows = read(list).into_iter().map(Result::unwrap);
        rows.map(|row| row.tags.join(",")).collect::<Vec<_>>()
    };
    for heading in
        ["Creatures (2)", "Lands", "Lands (1 card)", "Ramp:", "Ramp (3)", "// Creatures", "//Ramp (3)"]
    {
        for section in ["Commander (1)", "Companion", "// COMMANDER"] {
            let found = tags(&format!("{section}\n1 Krenko, Mob Boss\n\n{heading}\n4 Shock"));
            let section = if section == "Companion" { "Companion" } else { "Commander" };
            assert_eq!(found, [section, ""], "{heading}");
        }
        let found = tags(&format!("Sideboard (2 cards)\n1 Duress\n{heading}\n4 Shock\nMaybeboard:\n1 Opt"));
        assert_eq!(found, ["Sideboard", "Sideboard", "Maybeboard"], "{heading}");
    }
    // A remark is no heading.
    assert_eq!(tags("Commander\n// my general\n1 Krenko, Mob Boss\n# of old\n1 Tymna"), ["Commander"; 2]);
}

#[test]
fn what_tells_of_a_list_is_passed_over_up_to_its_first_section() {
    let list =
        "About\nName Ramp (3)\n\nCompanion\n1 Lurrus of the Dream-Den (IKO) 226\n\nDeck\n4 Shock (M21) 159";
    let rows: Vec<_> = read(list).into_iter().map(Result::unwrap).collect();
    assert_eq!((rows.len(), rows[0].tags.as_slice()), (2, ["Companion".to_owned()].as_slice()));
    let list = "[metadata]\nName=Burn\n[main]\n4 Shock\n[sideboard]\n1 Duress";
    let rows: Vec<_> = read(list).into_iter().map(Result::unwrap).collect();
    assert_eq!(rows.iter().map(|row| row.tags.len()).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_list_says_languages_between_stars() {
    let row = read("1x Abrade (VOW:139) *F* *JA*").remove(0).unwrap();
    assert_eq!((row.finish, row.language.as_deref()), (Some(Finish::Foil), Some("ja")));
    assert_eq!((row.collector_number.as_deref(), row.tags.len()), (Some("139"), 0));
}

#[test]
fn a_line_that_holds_nothing_says_why() {
    let (plan, mut section) = (Plan::decklist(), Section::default());
    for (line, why) in [
        ("// burn", "The line is a comment or a heading."),
        ("Sideboard", "The line is a heading."),
        ("About", "The line tells of the list, and of no card."),
        ("Name My deck", "The line tells of the list, and of no card."),
    ] {
        assert_eq!(plan.read_line(&mut section, 1, line), Ok(Line::Nothing(why)), "{line}");
    }
}

#[test]
fn counts_that_are_none_are_refused() {
    for line in ["100001 Shock", "-1 Shock", "0 Shock", "SB: 0x Shock"] {
        assert_eq!(read(line).remove(0).unwrap_err().code, Code::RowInvalidValue, "{line}");
    }
    assert_eq!(read(&"x".repeat(70_000)).remove(0).unwrap_err().code, Code::RowCardNotFound);
}

#[test]
fn lists_are_told_from_tables() {
    let looks = |text: &str| Plan::looks_like_decklist(&text.lines().map(str::to_owned).collect::<Vec<_>>());
    assert!(looks("4 Shock\n2 Opt\n\nSideboard\n1 Duress"));
    assert!(looks("My list\nDeck\n4 Krenko, Mob Boss\n20 Mountain (M21) 270"));
    for table in [
        "Quantity,Name\n4,Shock\n2,Opt",
        "Count\tName\n4\tShock",
        "\"Count\",\"Name\"\n\"1\",\"Shock\"",
        "title\nShock",
        "",
    ] {
        assert!(!looks(table), "{table}");
    }
}
