//! A table's separator, rows and cells, and the lines of what is no table.

use super::*;

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
fn a_title_above_the_headings_is_passed_over() {
    for (content, line) in [
        ("Table 1\na,b,c\n1,2,3\n", 3),
        ("Table 1,,\na,b,c\n1,2,3\n", 3),
        ("My cards\n\nof 2024\n,,\n\na,b,c\n1,2,3\n", 7),
        ("sep=,\nMy cards,,\na,b,c\n1,2,3\n", 4),
        ("My cards;;\r\na;b;c\r\n1;2;3\r\n", 3),
    ] {
        let (header, rows) = table(content);
        assert_eq!((header, rows), (["a", "b", "c"].map(str::to_owned).to_vec(), whole(line)), "{content:?}");
        assert!(inspected(content, false).expect("a table").separator.is_some(), "{content:?}");
    }
    // Headings without a title, though there be few of them or one has the others in it.
    for (content, header) in [
        ("a,,\n1,2,\n", &["a", "", ""][..]),
        ("a,b\n1,2\n", &["a", "b"]),
        ("a,b,c\nx,,\n1,2,3\n", &["a", "b", "c"]),
        ("\"a;b;c\",\n1,2,3\n", &["a;b;c", ""]),
    ] {
        assert_eq!(table(content).0, header, "{content:?}");
    }
}

/// The one row of such a table.
fn whole(line: u64) -> Vec<TableRow> {
    let cells = ["1", "2", "3"].map(str::to_owned).to_vec();
    vec![TableRow { line, cells, malformed: None }]
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
