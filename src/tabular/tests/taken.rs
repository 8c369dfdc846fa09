//! What is taken at all: by its name, by what it begins as, by its encoding.

use super::*;

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
