use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::*;

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content.as_ref()).expect("written");
    file
}

fn of(path: &Path) -> Content {
    Content::open(path).expect("a file")
}

fn inspected(content: impl AsRef<[u8]>, expect_table: bool) -> Result<Inspected, Refusal> {
    match inspect(&of(file(content).path()), expect_table) {
        Ok(inspected) => Ok(inspected),
        Err(TabularError::Refused(refusal)) => Err(refusal),
        Err(TabularError::Io(error)) => panic!("{error}"),
    }
}

/// What is refused, of a table and of lines alike.
fn refused(content: impl AsRef<[u8]>) -> Code {
    let code = inspected(&content, true).expect_err("refused as a table").code;
    assert_eq!(inspected(&content, false).expect_err("refused as lines").code, code);
    code
}

fn refused_as_table(content: impl AsRef<[u8]>) -> Refusal {
    inspected(content, true).expect_err("refused")
}

/// A table's header and rows, whose number must be what was promised.
fn table(content: impl AsRef<[u8]>) -> (Vec<String>, Vec<TableRow>) {
    let file = file(content);
    let inspected = inspect(&of(file.path()), true).expect("inspected");
    let table = Table::open(&of(file.path()), &inspected).expect("opened");
    let header = table.header().to_vec();
    let rows: Vec<_> = table.map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len() as u64, inspected.rows);
    (header, rows)
}

/// Rows as line, cells and what is wrong.
fn rows(content: impl AsRef<[u8]>) -> Vec<(u64, Vec<String>, Option<Malformed>)> {
    table(content).1.into_iter().map(|row| (row.line, row.cells, row.malformed)).collect()
}

fn row(line: u64, cells: &[&str]) -> (u64, Vec<String>, Option<Malformed>) {
    (line, cells.iter().map(|cell| (*cell).to_owned()).collect(), None)
}

fn malformed(line: u64, cells: &[&str], what: Malformed) -> (u64, Vec<String>, Option<Malformed>) {
    (line, row(line, cells).1, Some(what))
}

fn utf_16(text: &str, is_little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

#[test]
fn takes_a_name_by_its_last_extension() {
    for name in [
        "a.csv",
        "A.CSV",
        "b.Tsv",
        "c.txt",
        "hack.py.csv",
        "../../etc/passwd.csv",
        "C:\\x\\a.csv",
        ".csv",
        "ä ö.csv",
    ] {
        assert_eq!(check_name(name), Ok(()), "{name}");
    }
    let names = [
        "",
        "csv",
        "hack.py",
        "run.sh",
        "a.csv.exe",
        "a.csv ",
        "a.csv/",
        "a.csv/b",
        "x.csv\\b.exe",
        "a.csv.",
        "a.xlsx",
        "a.exe\0.csv",
        "a.csv\0",
        "a\n.csv",
        "a\u{85}.csv",
        "a.csv::$DATA",
        "a.csv%00",
    ];
    for name in names {
        let refusal = check_name(name).expect_err(name);
        assert_eq!(
            (refusal.code, refusal.message.as_ref()),
            (Code::FileNotCsv, "Please upload a CSV file."),
            "{name}"
        );
    }
}

#[test]
fn refuses_what_begins_as_something_else() {
    let mut tar = vec![b'a'; 257];
    tar.extend(b"ustar\x0000");
    let starts: &[&[u8]] = &[
        b"\x7fELF\x02",
        b"MZ\x90\0",
        b"\xfe\xed\xfa\xce",
        b"\xfe\xed\xfa\xcf",
        b"\xce\xfa\xed\xfe",
        b"\xcf\xfa\xed\xfe",
        b"\xca\xfe\xba\xbe",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x1f\x8b\x08",
        b"Rar!\x1a\x07\x01",
        b"7z\xbc\xaf\x27\x1c",
        b"BZh91AY&SY",
        b"\xfd7zXZ\0",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"GIF87a",
        b"RIFF\x01\x02\x03\x04WEBPVP8 ",
        b"BM\x46\x01\0\0\0\0\0\0",
        b"II*\0",
        b"MM\0*",
        b"\0\0\x01\0",
        b"%PDF-1.7",
        b"#!/bin/sh",
        b"<!DOCTYPE html>",
        b"<html>",
        b"<HTML lang=en>",
        b"<?xml version=\"1.0\"?>",
        b"<script>",
        b"<?php echo 1;",
        b"<svg xmlns=\"a\">",
        b"@echo off",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\xef\xbb\xbf#!/bin/sh",
        b"\xef\xbb\xbf \r\n\t<html>",
        b"  \n%PDF-1.4",
        &tar,
    ];
    for start in starts {
        // What comes after is a table, and is no excuse.
        let content = [start, b"\nName,Quantity\nShock,1\n".as_slice()].concat();
        assert_eq!(refused(&content), Code::FileDangerous, "{:?}", String::from_utf8_lossy(start));
    }
    for is_little in [true, false] {
        assert_eq!(refused(utf_16("  \n<html>,a\nb,c\n", is_little)), Code::FileDangerous);
    }
    assert_eq!(refused([" ".repeat(100_000), "<html>,a\nb,c\n".to_owned()].concat()), Code::FileDangerous);
    let refusal = refused_as_table(b"#!/bin/sh\n");
    assert_eq!(refusal.message, "Please upload a CSV file. This one begins as a script does.");
}

#[test]
fn takes_a_header_that_begins_nearly_as_something_else() {
    for start in ["BMW", "GIF", "RIFF4321WAVE", "PK", "<1", "#", "%", "BZh", "M", "7z"] {
        assert_eq!(rows(format!("{start},b\n1,2\n")), [row(2, &["1", "2"])], "{start}");
    }
}

#[test]
fn finds_and_decodes_each_encoding() {
    let text = "Name,Qty\nJötun “Grunt”,1\n";
    let latin = b"Name,Qty\nJ\xf6tun \x93Grunt\x94,1\n".to_vec();
    let cases = [
        (text.as_bytes().to_vec(), Encoding::Utf8, "UTF-8"),
        ([b"\xef\xbb\xbf", text.as_bytes()].concat(), Encoding::Utf8, "UTF-8"),
        (utf_16(text, true), Encoding::Utf16Le, "UTF-16LE"),
        (utf_16(text, false), Encoding::Utf16Be, "UTF-16BE"),
        (latin, Encoding::Windows1252, "Windows-1252"),
    ];
    for (content, encoding, name) in cases {
        let inspected = inspected(&content, true).expect("inspected");
        assert_eq!(inspected, Inspected { encoding, separator: Some(b','), rows: 1 });
        assert_eq!(inspected.encoding.name(), name);
        let (header, rows) = table(&content);
        assert_eq!((header[0].as_str(), rows[0].cells[0].as_str()), ("Name", "Jötun “Grunt”"));
    }
}

#[test]
fn finds_windows_1252_by_its_last_byte_too() {
    let mut content = b"a,b\n".to_vec();
    content.extend(b"1,2\n".repeat(50_000));
    content.extend(b"3,\xe9\n");
    assert_eq!(inspected(&content, true).expect("inspected").encoding, Encoding::Windows1252);
    assert_eq!(table(&content).1.last().expect("a row").cells[1], "é");
}

#[test]
fn decodes_characters_that_lie_across_two_reads() {
    for shift in 0..4 {
        let content = format!("a,b{}\n{}", "x".repeat(shift), "€😀é,1\n".repeat(20_000));
        assert!(table(&content).1.iter().all(|row| row.cells[0] == "€😀é"), "UTF-8, {shift}");
        assert!(table(utf_16(&content, false)).1.iter().all(|row| row.cells[0] == "€😀é"), "UTF-16, {shift}");
    }
}

#[test]
fn refuses_bytes_that_do_not_decode() {
    // A mark decides, and nothing else is tried.
    assert_eq!(refused(b"\xef\xbb\xbfa,b\n\xe9,2\n"), Code::FileEncoding);
    assert_eq!(refused(b"\xef\xbb\xbfa,b\n1,\xc3"), Code::FileEncoding);
    let mut odd = utf_16("a,b\n1,2\n", true);
    odd.pop();
    assert_eq!(refused(&odd), Code::FileEncoding);
    let mut unpaired = utf_16("a,b\n1,2\n", true);
    unpaired.extend([0x00, 0xd8, b'x', 0]);
    assert_eq!(refused(&unpaired), Code::FileEncoding);
    assert_eq!(refused(b"\xff\xfe\0\0a\0\0\0,\0\0\0"), Code::FileEncoding);
    assert_eq!(refused(b"\0\0\xfe\xff\0\0\0a"), Code::FileEncoding);
    // Neither UTF-8 nor Windows-1252.
    for byte in [0x81, 0x8d, 0x8f, 0x90, 0x9d, 0x01, 0x1b, 0x7f] {
        assert_eq!(
            refused([b"a,b\n\xe9,", [byte].as_slice(), b"\n"].concat()),
            Code::FileEncoding,
            "{byte:x}"
        );
    }
    // The encoding comes before the table.
    assert_eq!(refused(b"\xe9\x81"), Code::FileEncoding);
}

#[test]
fn refuses_nul_characters_and_tells_the_line() {
    let line_3 = "Please upload a CSV file. Line 3 of this one has a NUL character.";
    for content in [
        b"a,b\r\n1,2\r\n\0,4\r\n5,\0\n".to_vec(),
        b"a,b\r\xe9,2\r\0,4\r".to_vec(),
        utf_16("a,b\n1,2\n\0,4\n", true),
    ] {
        assert_eq!(refused(&content), Code::FileNotCsv);
        assert_eq!(refused_as_table(&content).message, line_3);
    }
    // UTF-16 without a mark.
    assert_eq!(refused(&utf_16("a,b\n1,2\n", true)[2..]), Code::FileNotCsv);
}

#[test]
fn refuses_what_is_empty() {
    for content in ["", " ", "\n\n\r\n", "\u{feff}", "\u{feff}\n  \n"] {
        assert_eq!(refused(content), Code::FileEmpty, "{content:?}");
    }
    for content in [
        "a,b",
        "a,b\n",
        "a;b\r\n \r\n\r\n",
        "sep=;\na;b\n",
        "sep=;",
        "\"sep=,\"\n",
        ",,\n1,2,3\n",
        " , \n1,2\n",
    ] {
        assert_eq!(refused_as_table(content).code, Code::FileEmpty, "{content:?}");
    }
}

#[test]
fn refuses_text_that_is_no_table_where_one_is_expected() {
    for content in
        ["hello", "hello\nworld\n", "4 Lightning Bolt\n4 Jace, the Mind Sculptor\n", "\"\"\"\"\"\"\n\"\"\n"]
    {
        let refusal = refused_as_table(content);
        assert_eq!((refusal.code, refusal.message.as_ref()), (Code::FileNotCsv, WANTED), "{content:?}");
        assert_eq!(inspected(content, false).expect("lines").separator, None);
    }
    let refusal = refused_as_table("a,\"b\n1,2\n");
    assert_eq!(refusal.code, Code::FileNotCsv);
    assert_eq!(refusal.message, "Please upload a CSV file. The quotes of the header, line 1, are broken.");
}

#[test]
fn finds_the_separator() {
    let cases: &[(&str, u8)] = &[
        ("a,b\n1,2\n", b','),
        ("a;b\n1,5;2,5\n3,5;4\n", b';'),
        ("a\tb,c\n1\t2\n3\t4\n", b'\t'),
        ("a;b,c\n1;2\n3;4\n", b';'),
        ("\"a;b;c;d\",e\n\"1;2;3;4\",5\n", b','),
        ("sep=;\na,b;c\n1,2;3\n", b';'),
        ("SEP=\t\na\tb\n1\t2\n", b'\t'),
        ("\"sep=,\"\r\na,b\r\n1,2\r\n", b','),
        ("sep=;;;;\na;b\n1;2\n", b';'),
        ("\u{feff}sep=|\na|b\n1|2\n", b'|'),
        // One column, and told so.
        ("sep=,\na\n1\n", b','),
        // Every row is ragged, and it is a table all the same.
        ("a,b,c,d\n1,2\n3,4\n", b','),
        // Rows that are blank count for nothing.
        ("a;b\n\n\n\n1;2\n", b';'),
    ];
    for (content, separator) in cases {
        let inspected = inspected(content, true).expect("inspected");
        assert_eq!(inspected.separator, Some(*separator), "{content:?}");
        assert!(inspected.rows > 0, "{content:?}");
    }
}

#[test]
fn counts_the_line_that_names_the_separator() {
    for first in ["sep=;\n", "sep=;\r\n", "\"sep=;\"\r"] {
        let (header, rows) = table(format!("{first}a;b\n1;2\n"));
        assert_eq!((header, rows[0].line), (vec!["a".to_owned(), "b".to_owned()], 3), "{first:?}");
    }
    // Only there, and only with a separator.
    assert_eq!(rows("a,b\nsep=,\n"), [row(2, &["sep=", ""])]);
    assert_eq!(table("sep=x,b\n1,2\n").0, ["sep=x", "b"]);
}

#[test]
fn takes_a_decklist_as_lines_unless_a_table_is_expected() {
    let lists = [
        "4 Lightning Bolt\n\n4x Jace, the Mind Sculptor\n",
        "1 Jace, the Mind Sculptor\n2 Liliana, Heretical Healer\n",
        "Deck\r1 Jace, the Mind Sculptor\r\r2 Shock\r",
        "Jace, the Mind Sculptor\nShock\nIsland\n",
    ];
    for list in lists {
        assert_eq!(inspected(list, false).expect("lines").separator, None, "{list:?}");
    }
    let list = file(lists[2]);
    let found = inspect(&of(list.path()), false).expect("lines");
    assert_eq!(found.rows, 3);
    let read: Vec<_> =
        lines(&of(list.path()), &found).expect("opened").map(|line| line.expect("a line")).collect();
    let expected = [(1, "Deck"), (2, "1 Jace, the Mind Sculptor"), (4, "2 Shock")];
    assert_eq!(read, expected.map(|(number, line)| (number, line.to_owned())));
    assert!(matches!(Table::open(&of(list.path()), &found), Err(TabularError::Refused(_))));

    for content in ["Name,Qty\nJace,1\n", "Name;Qty\nJace, the Mind Sculptor;1\n"] {
        assert!(inspected(content, false).expect("a table").separator.is_some(), "{content:?}");
    }
    assert_eq!(inspected(lists[1], true).expect("a table").separator, Some(b','));
}

#[test]
fn lines_end_as_they_like_also_across_two_reads() {
    for end in ["\n", "\r", "\r\n"] {
        let content = format!("x{end}{end} {end}").repeat(30_000);
        let list = file(&content);
        let inspected = inspect(&of(list.path()), false).expect("lines");
        let numbers: Vec<_> = lines(&of(list.path()), &inspected)
            .expect("opened")
            .map(|line| line.expect("a line").0)
            .collect();
        assert!(numbers.iter().copied().eq((0..30_000).map(|at| 3 * at + 1)), "{end:?}");
    }
}

#[test]
fn rows_end_as_they_like_and_blank_ones_are_none() {
    for end in ["\n", "\r", "\r\n"] {
        let content = ["a,b", "", "1,2", "  ", "", "3,\"4", "5\"", "6,7", "", ""].join(end);
        let quoted = format!("4{end}5");
        assert_eq!(
            rows(&content),
            [row(3, &["1", "2"]), row(6, &["3", &quoted]), row(8, &["6", "7"])],
            "{end:?}"
        );
    }
    assert_eq!(rows("a,b\n1,2"), [row(2, &["1", "2"])]);
    // Separators are no blank line, and an empty cell in quotes is a cell.
    assert_eq!(rows("a\tb\n\t\n"), [row(2, &["", ""])]);
    assert_eq!(rows("a,b\n\"\"\n"), [malformed(2, &[""], Malformed::FewerCells)]);
}

#[test]
fn cells_are_as_they_came() {
    let content = "a,b\n\"x\"\"y\", z \n\"1,2\",\"3\"  \n5\" disk,=1+1\n \"q\",'\n";
    let expected = [
        row(2, &["x\"y", " z "]),
        row(3, &["1,2", "3  "]),
        row(4, &["5\" disk", "=1+1"]),
        row(5, &[" \"q\"", "'"]),
    ];
    assert_eq!(rows(content), expected);
}

#[test]
fn marks_ragged_rows_with_their_line() {
    let content = "a,b,c\n1,2,3\n1,2\n1,2,3,4\n1,2,3,,\n1,2,3, \n\n1\n";
    let expected = [
        row(2, &["1", "2", "3"]),
        malformed(3, &["1", "2"], Malformed::FewerCells),
        malformed(4, &["1", "2", "3", "4"], Malformed::MoreCells),
        row(5, &["1", "2", "3", "", ""]),
        row(6, &["1", "2", "3", " "]),
        malformed(8, &["1"], Malformed::FewerCells),
    ];
    assert_eq!(rows(content), expected);
    let what =
        [Malformed::FewerCells, Malformed::MoreCells, Malformed::BrokenQuoting].map(Malformed::message);
    assert!(what[0].contains("fewer") && what[1].contains("more") && what[2].contains("quotes"));
}

#[test]
fn a_broken_quote_costs_its_own_row_only() {
    let broken = |line, cells: &[&str]| malformed(line, cells, Malformed::BrokenQuoting);
    for end in ["\n", "\r", "\r\n"] {
        let of = |lines: &[&str]| rows(lines.join(end));
        // Text behind a closed quote.
        let seen = of(&["a,b", "\"x\"y,1", "2,3", ""]);
        assert_eq!(seen, [broken(2, &["xy", "1"]), row(3, &["2", "3"])], "{end:?}");
        // And a quote behind that.
        let seen = of(&["a,b", "\"x\"y,\"1", "2,3", ""]);
        assert_eq!(seen, [broken(2, &["xy", "1"]), row(3, &["2", "3"])], "{end:?}");
        // Never closed, up to the end.
        let seen = of(&["a,b", "1,\"x", "2,3", "4,5"]);
        assert_eq!(seen, [broken(2, &["1", "x"]), row(3, &["2", "3"]), row(4, &["4", "5"])], "{end:?}");
        // Closed by where the next one opens.
        let seen = of(&["a,b", "1,\"x", "2,3", "4,\"5\"", "6,\"7", "8\"", ""]);
        let rest = [row(3, &["2", "3"]), row(4, &["4", "5"]), row(5, &["6", &format!("7{end}8")])];
        assert_eq!(seen, [[broken(2, &["1", "x"])].as_slice(), &rest].concat(), "{end:?}");
    }
    // The line's end ends it, though the second quote closes well.
    let seen = rows("a,b\n\"x\"y,\"1\n2,3\n4\",5\n");
    assert_eq!(seen, [broken(2, &["xy", "1"]), row(3, &["2", "3"]), row(4, &["4\"", "5"])]);
    // Whole cells behind its first line are not its own.
    let seen = rows("a,b\n1,\"x\n2\",\"y\n3,\"4\"\n");
    assert_eq!(seen, [broken(2, &["1", "x"]), broken(3, &["2\"", "y"]), row(4, &["3", "4"])]);
    assert_eq!(rows("a,b\n1,\""), [broken(2, &["1", ""])]);
}

#[test]
fn holds_the_limits_to_the_byte() {
    let wide = |columns: usize| [vec!["a"; columns].join(","), vec!["1"; columns].join(",")].join("\n");
    assert_eq!(table(wide(COLUMNS_MOST)).0.len(), COLUMNS_MOST);
    assert_eq!(refused_as_table(wide(COLUMNS_MOST + 1)).code, Code::FileTooWide);
    let row = format!("a,b\n1,2\n{}\n", ",".repeat(COLUMNS_MOST));
    let refusal = refused_as_table(row);
    assert_eq!(refusal.code, Code::FileTooWide);
    assert_eq!(refusal.message, "The row that begins in line 3 has over 100 columns.");

    for (before, after) in [("", ""), ("\"", "\"")] {
        let long = |bytes: usize| format!("a,b\n1,2\n3,{before}{}{after}\n", "x".repeat(bytes));
        assert_eq!(table(long(CELL_BYTES_MOST)).1[1].cells[1].len(), CELL_BYTES_MOST);
        let refusal = refused_as_table(long(CELL_BYTES_MOST + 1));
        assert_eq!(refusal.code, Code::FileTooWide);
        assert!(refusal.message.contains("line 3"), "{}", refusal.message);
    }
    let line = |bytes: usize| format!("Deck\n{}\n", "x".repeat(bytes));
    assert_eq!(inspected(line(CELL_BYTES_MOST), false).expect("lines").rows, 2);
    let refusal = inspected(line(CELL_BYTES_MOST + 1), false).expect_err("too long");
    assert_eq!(refusal.code, Code::FileTooWide);
    assert_eq!(refusal.message, "Line 2 is over 64 KiB.");
}

#[test]
fn a_row_over_many_lines_that_breaks_late_is_one_malformed_row() {
    // Longer than what is kept to be read again.
    let cell = format!("\"{}\",", "x\n".repeat(30_000));
    let content = format!("{}\n{}\"y\"z\n1,2\n", ["a"; 10].join(","), cell.repeat(8));
    let rows = rows(content);
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].0, rows[0].1.len(), rows[0].2), (2, 9, Some(Malformed::BrokenQuoting)));
    assert_eq!(rows[1].0, 2 + 8 * 30_000 + 1);
}

#[test]
fn nothing_follows_an_error() {
    let content = file(format!("a,b\n1,2\n{}\n3,4\n", ",".repeat(200)));
    let inspected = Inspected { encoding: Encoding::Utf8, separator: Some(b','), rows: 3 };
    let mut table = Table::open(&of(content.path()), &inspected).expect("opened");
    assert!(matches!(table.next(), Some(Ok(_))));
    assert!(matches!(table.next(), Some(Err(TabularError::Refused(_)))));
    assert!(table.next().is_none());
    let list = file("x".repeat(CELL_BYTES_MOST + 1));
    let mut lines = lines(&of(list.path()), &inspected).expect("opened");
    assert!(matches!(lines.next(), Some(Err(TabularError::Refused(_)))));
    assert!(lines.next().is_none());
}

#[test]
fn a_file_that_is_not_there_is_the_disks_failure() {
    assert!(Content::open(Path::new("/nowhere/a.csv")).is_err());
}

#[test]
fn hostile_files_end_soon() {
    const MANY: usize = 4 * 1024 * 1024;
    let wide = Some(Code::FileTooWide);
    let cases: Vec<(&str, Vec<u8>, Option<Code>)> = vec![
        ("a million columns", "a,".repeat(1_000_000).into(), wide),
        ("a cell of megabytes", format!("a,b\n1,{}\n", "x".repeat(MANY)).into(), wide),
        ("a quote that never closes", format!("a,b\n1,\"{}", "2,3\n".repeat(MANY / 4)).into(), wide),
        ("only quotes", "\"".repeat(MANY).into(), Some(Code::FileNotCsv)),
        ("only quotes behind a header", format!("a,b\n{}", "\"".repeat(MANY)).into(), wide),
        ("only separators", ",".repeat(MANY).into(), wide),
        ("only separators in lines", ",\n".repeat(MANY / 2).into(), Some(Code::FileEmpty)),
        ("one line", "x".repeat(MANY).into(), Some(Code::FileNotCsv)),
        ("only line ends", "\n".repeat(MANY).into(), Some(Code::FileEmpty)),
        ("blank lines", format!("a,b\n{}", " \r\n".repeat(MANY / 3)).into(), Some(Code::FileEmpty)),
        ("broken quotes", format!("a,b\n{}", "1,\"x\n".repeat(MANY / 5)).into(), None),
        // Each row goes over as many lines as may be before it turns out broken.
        (
            "late broken quotes",
            format!("a,b\n{}", format!("{}\"b\n", "a\",\"\n".repeat(98)).repeat(MANY / 591)).into(),
            None,
        ),
    ];
    for (name, content, code) in cases {
        let began = Instant::now();
        assert_eq!(inspected(&content, true).err().map(|refusal| refusal.code), code, "{name}");
        let _ = inspected(&content, false);
        // Of a build without optimisation, on a machine that does other things too.
        assert!(began.elapsed() < Duration::from_secs(30), "{name}: {:?}", began.elapsed());
    }
}

#[test]
fn whatever_the_bytes_nothing_panics_and_every_row_is_in_order() {
    // The usual multiplier of a linear congruence: the same bytes in every run.
    let mut state = 1_u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let pieces: [&[u8]; 14] = [
        b"\"",
        b"\"\"",
        b",",
        b";",
        b"\t",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"x",
        b"sep=;",
        "€".as_bytes(),
        b"\xe9",
        b"\xff\xfe",
    ];
    let (mut tables, mut compared) = (0, 0);
    for _ in 0..1500 {
        let count = 1 + next(40);
        let mut content = b"a,b\n".to_vec();
        content.extend((0..count).flat_map(|_| pieces[next(pieces.len())].iter().copied()));
        let _ = inspected(&content, false);
        let file = file(&content);
        let Ok(inspected) = inspect(&of(file.path()), true) else { continue };
        let read: Vec<_> = Table::open(&of(file.path()), &inspected)
            .expect("opened")
            .map(|row| row.expect("a row"))
            .collect();
        assert_eq!(read.len() as u64, inspected.rows);
        assert!(
            read.windows(2).all(|pair| pair[0].line < pair[1].line),
            "{:?}",
            String::from_utf8_lossy(&content)
        );
        tables += 1;
        // Where quotes are whole, the csv crate sees the same cells.
        if inspected.encoding == Encoding::Utf8
            && read.iter().all(|row| row.malformed != Some(Malformed::BrokenQuoting))
        {
            same_as_the_crate(&content, &inspected, &read);
            compared += 1;
        }
    }
    assert!(tables > 500 && compared > 100, "{tables} of them were tables, {compared} with whole quotes");
}

fn same_as_the_crate(content: &[u8], inspected: &Inspected, read: &[TableRow]) {
    let begins_at = content
        .iter()
        .position(|byte| *byte == b'\n')
        .filter(|_| content.starts_with(b"\"sep"))
        .map_or(0, |at| at + 1);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(inspected.separator.expect("a table"))
        .flexible(true)
        .from_reader(&content[begins_at..]);
    let is_blank = |cells: &csv::StringRecord| cells.len() == 1 && cells[0].trim_ascii().is_empty();
    let expected: Vec<_> =
        reader.records().map(|record| record.expect("a record")).filter(|cells| !is_blank(cells)).collect();
    let read = read.iter().filter(|row| row.cells.len() != 1 || !row.cells[0].trim_ascii().is_empty());
    assert!(
        read.map(|row| row.cells.as_slice())
            .eq(expected.iter().map(|cells| cells.iter().map(str::to_owned).collect::<Vec<_>>())),
        "{:?}",
        String::from_utf8_lossy(content)
    );
}

#[test]
fn reads_the_real_exports() {
    let folder = std::env::var("DUALCASTER_TEST_DATA")
        .map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if !folder.is_dir() {
        eprintln!("did not run: {} is not there", folder.display());
        return;
    }
    let counts = [
        ("archidekt", 43),
        ("deckbox", 41),
        ("deckstats", 15),
        ("delverlens", 15),
        ("dragonshield", 2453),
        ("manabox", 253),
        ("moxfield", 12784),
        ("mtggoldfish", 535),
        ("tcgplayer", 1010),
        ("topdecked", 3169),
        ("cardmarket", 40),
        ("telco", 7043),
    ];
    let mut seen = 0;
    let files = ["collections", "churn"].map(|sub| std::fs::read_dir(folder.join(sub)).expect("a folder"));
    for entry in files.into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let inspected = inspect(&of(&path), true).expect(&name);
        assert_eq!(inspect(&of(&path), false).expect(&name), inspected, "{name}");
        let table = Table::open(&of(&path), &inspected).expect(&name);
        let columns = table.header().len();
        assert!(columns >= 2, "{name}");
        let rows: Vec<_> = table.map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len() as u64, inspected.rows, "{name}");
        let malformed = if name == "topdecked" { Some(Malformed::FewerCells) } else { None };
        for row in &rows {
            assert_eq!(row.malformed, malformed, "{name}, line {}", row.line);
        }
        let separator = if name == "cardmarket" { b';' } else { b',' };
        assert_eq!((inspected.encoding, inspected.separator), (Encoding::Utf8, Some(separator)), "{name}");
        if let Some((_, count)) = counts.iter().find(|(known, _)| *known == name) {
            assert_eq!(inspected.rows, *count, "{name}");
            seen += 1;
        }
        let content = std::fs::read(&path).expect(&name);
        same_as_the_crate(&content, &inspected, &rows);
    }
    assert_eq!(seen, counts.len());
}
