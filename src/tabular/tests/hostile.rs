//! Limits, errors, and files that are made to do harm.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

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
