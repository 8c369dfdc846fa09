//! Tables whose headings or cells mean something else than they seem to.

use chrono::NaiveDate;
use entity::enums::{Condition, Currency, Finish};

use super::{cells, copies, detect, field_of, read_one};
use crate::domain::import::{Field, Line, Plan, Platform, values};
use crate::domain::market::Money;
use crate::error::Code;

const UID: &str = "1f8cdb18-4e62-4ee2-98b9-5c9e1f0a4c0e";
const OTHER_UID: &str = "00000000-0000-0000-0000-000000000001";

fn day(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

#[test]
fn a_row_is_no_heading() {
    let uids = [format!("4,{UID}"), format!("2,{OTHER_UID}"), format!("{UID},{OTHER_UID}")];
    for (header, rows) in [
        ("4,Lightning Bolt,NM", ["2,Counterspell,NM", "1,Llanowar Elves,NM"]),
        ("4,Lightning Bolt", ["2,Counterspell", "1,Llanowar Elves"]),
        ("Lightning Bolt,NM", ["Counterspell,NM", "Llanowar Elves,LP"]),
        ("4x,Lightning Bolt,M10,NM", ["2x,Counterspell,7ED,NM", "1x,Llanowar Elves,M19,NM"]),
        (uids[0].as_str(), [uids[1].as_str(), uids[1].as_str()]),
        (uids[2].as_str(), [uids[2].as_str(), uids[2].as_str()]),
    ] {
        let refusal = detect(header, &rows).unwrap_err();
        assert_eq!(refusal.code, Code::PlatformUnknown, "{header}: {}", refusal.message);
        let first = values::quoted(header.split(',').next().unwrap());
        assert!(refusal.message.contains(&first), "what was found is told: {}", refusal.message);
    }
    // A word that is a heading elsewhere, above itself or in a row of numbers.
    for (header, rows) in [
        ("4,Lightning Bolt,foil", ["2,Counterspell,foil", "1,Llanowar Elves,normal"]),
        ("Lightning Bolt,foil", ["Counterspell,foil", "Llanowar Elves,normal"]),
        ("4,Lightning Bolt,foil", ["2,Counterspell,normal", "1,Llanowar Elves,normal"]),
    ] {
        assert_eq!(detect(header, &rows).unwrap_err().code, Code::ColumnsMissing, "{header}");
    }
    // One heading that says what it is will do for the look of the others.
    let plan = detect("Qty,Kortin nimi", &["4,Lightning Bolt", "2,Counterspell"]).unwrap();
    assert_eq!(field_of(&plan, "Kortin nimi"), Some(Field::Name));
    let rows = [format!("4,{UID}"), format!("2,{OTHER_UID}")];
    let plan = detect("Qty,uid", &[&rows[0], &rows[1]]).unwrap();
    assert_eq!(field_of(&plan, "uid"), Some(Field::ScryfallId));
    // A list is none of these.
    let lines = ["4 Llanowar Elves (M19) 314", "1 Jace, the Mind Sculptor"].map(str::to_owned);
    assert!(Plan::looks_like_decklist(&lines));
}

#[test]
fn a_bare_word_gives_way_to_a_plain_one() {
    for (header, row, bare, plain, field) in [
        ("Qty,Card,Price,Purchase Price", "2,Shock,0.25,1.50", "Price", "Purchase Price", Field::Price),
        ("Qty,Card,Preis,Kaufpreis", "2,Shock,0.25,1.50", "Preis", "Kaufpreis", Field::Price),
        ("Qty,Card,Cost,Price paid", "2,Shock,0.25,1.50", "Cost", "Price paid", Field::Price),
        ("Qty,Card,Price,Purchase Price", "2,Shock,0.25,", "Price", "Purchase Price", Field::Price),
        (
            "Qty,Card,Date,Purchase Date",
            "2,Shock,2020-01-02,2021-03-04",
            "Date",
            "Purchase Date",
            Field::AcquiredOn,
        ),
        ("Total,Quantity,Card", "9,2,Shock", "Total", "Quantity", Field::Quantity),
        (
            "Qty,Card,Number,Collector Number",
            "2,Shock,7,156",
            "Number",
            "Collector Number",
            Field::CollectorNumber,
        ),
        ("Qty,Name,Card Name", "2,Jo Doe,Shock", "Name", "Card Name", Field::Name),
    ] {
        let plan = detect(header, &[row]).unwrap();
        assert_eq!(field_of(&plan, plain), Some(field), "{header}");
        assert_ne!(field_of(&plan, bare), Some(field), "{header}");
        // Alone, the bare word means the same.
        let plan = detect(&header.replace(plain, "Rarity"), &[row]).unwrap();
        if field != Field::Name {
            assert_eq!(field_of(&plan, bare), Some(field), "{header}");
        }
    }
    let (plan, row) = read_one("Quantity,Name,Set Code,Price,Purchase Price", "2,Shock,m11,0.25,1.50");
    assert_eq!(plan.platform, Platform::Generic);
    assert_eq!(row.price, Some(Money { amount: 150, currency: Currency::Usd }));
    let (_, row) = read_one("Quantity,Name,Price", "2,Shock,0.25");
    assert_eq!(row.price, Some(Money { amount: 25, currency: Currency::Usd }));
}

#[test]
fn years_of_two_digits_are_of_either_century() {
    for (text, month_first, expected) in [
        ("12/25/94", Some(true), day(1994, 12, 25)),
        ("12/25/94", None, day(1994, 12, 25)),
        ("25.12.94", None, day(1994, 12, 25)),
        ("25.12.93", None, day(1993, 12, 25)),
        ("25.12.00", None, day(2000, 12, 25)),
        ("31-May-24", None, day(2024, 5, 31)),
        ("31-May-2024", None, day(2024, 5, 31)),
        ("May 31, 98", None, day(1998, 5, 31)),
        ("5.31.2024", None, day(2024, 5, 31)),
        ("25.12.4", None, None),
        ("25.12.194", None, None),
    ] {
        assert_eq!(values::date(text, month_first), expected, "{text}");
    }
}

#[test]
fn what_comes_first_in_a_date_is_learnt_from_the_column() {
    let read = |rows: &[&str], row: &str| {
        let plan = detect("Card name,Purchase date", rows).unwrap();
        plan.read(2, &cells(row)).map(|line| copies(line).remove(0).acquired_on)
    };
    let us = ["Shock,1/5/2024", "Opt,1/31/2024"];
    assert_eq!(read(&us, us[0]), Ok(day(2024, 1, 5)));
    assert_eq!(read(&us, us[1]), Ok(day(2024, 1, 31)));
    let others = ["Shock,1/5/2024", "Opt,31/1/2024", "Duress,2024-05-31"];
    assert_eq!(read(&others, others[0]), Ok(day(2024, 5, 1)));
    // Where nothing decides, or both ways are there, it is asked for.
    for rows in [&["Shock,1/5/2024", "Opt,31.1.2024"], &["Opt,1/31/2024", "Shock,31/1/2024"]] {
        assert_eq!(read(rows, "Shock,1/5/2024").unwrap_err().code, Code::RowInvalidValue, "{rows:?}");
    }
    // An app writes its own way, but for whoever has another.
    let header = "name,set,set_code,foil,condition,language,acquired_price,acquired_date";
    for (sample, expected) in [("09/30/2020", day(2020, 9, 10)), ("30/09/2020", day(2020, 10, 9))] {
        let row = |date: &str| format!("Shock,,m11,,,,,{date}");
        let plan = detect(header, &[&row(sample)]).unwrap();
        assert_eq!(plan.platform, Platform::EchoMtg);
        let read = copies(plan.read(2, &cells(&row("09/10/2020"))).unwrap()).remove(0);
        assert_eq!(read.acquired_on, expected, "{sample}");
    }
}

#[test]
fn nothing_was_acquired_after_tomorrow() {
    let plan = detect("Card name,Purchase date", &["Shock,2024-05-31"]).unwrap();
    let today = NaiveDate::from_ymd_opt(2024, 5, 31).unwrap();
    let on = plan.clone().on(today);
    for (text, fits) in
        [("2024-05-31", true), ("2024-06-01", true), ("2024-06-02", false), ("25.12.50", false)]
    {
        let row = cells(&format!("Shock,{text}"));
        let read = on.read(2, &row);
        assert_eq!(read.as_ref().err().map(|problem| problem.code), (!fits).then_some(Code::RowInvalidValue));
        if let Err(problem) = read {
            assert!(problem.message.contains(text) && problem.message.contains("Purchase date"), "{text}");
        }
        assert!(plan.read(2, &row).is_ok(), "no day is given: {text}");
    }
    for nothing in ["0000-00-00", "00/00/0000", "0", "N/A"] {
        let read = copies(on.read(2, &cells(&format!("Shock,{nothing}"))).unwrap()).remove(0);
        assert_eq!(read.acquired_on, None, "{nothing}");
    }
}

#[test]
fn names_stand_among_the_codes_of_sets() {
    let rows = ["Shock,M21", "Opt,XLN", "Duress,M19", "Forest,LEA", "Naturalize,Weatherlight"];
    let plan = detect("Card name,Set", &rows).unwrap();
    assert_eq!(field_of(&plan, "Set"), Some(Field::SetCode));
    let set = |row: &str| {
        let row = copies(plan.read(2, &cells(row)).unwrap()).remove(0);
        (row.set_code, row.set_name)
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(set("Shock,M21"), (some("m21"), None));
    assert_eq!(set("Shock,Weatherlight"), (None, some("Weatherlight")), "too long for a code");
    assert_eq!(set("Shock,Core Set 2021"), (None, some("Core Set 2021")));
    assert_eq!(set("Shock,ex_127"), (None, None));
}

#[test]
fn a_day_is_no_set() {
    let row = "Shock,M11,2010-07-16,1";
    let plan = detect("Card name,Set Code,Release Date,Qty", &[row]).unwrap();
    assert!(
        !matches!(field_of(&plan, "Release Date"), Some(Field::Set | Field::SetName)),
        "{:?}",
        plan.columns
    );
    let row = copies(plan.read(2, &cells(row)).unwrap()).remove(0);
    assert_eq!((row.set_code.as_deref(), row.set_name), (Some("m11"), None));
}

#[test]
fn a_column_of_foils_may_count_them() {
    let plan = detect("Card name,Qty,Foil", &["Shock,3,2", "Opt,1,0", "Duress,0,1"]).unwrap();
    assert_eq!(field_of(&plan, "Foil"), Some(Field::FoilQuantity));
    let parts = |row: &str| {
        let rows = copies(plan.read(2, &cells(row)).unwrap());
        rows.iter().map(|row| (row.quantity, row.finish)).collect::<Vec<_>>()
    };
    assert_eq!(parts("Shock,3,2"), [(3, Some(Finish::Nonfoil)), (2, Some(Finish::Foil))]);
    assert_eq!(parts("Duress,0,1"), [(1, Some(Finish::Foil))]);
    // Where there is never more than one, it is a yes.
    let (plan, row) = read_one("Card name,Qty,Foil", "Shock,3,1");
    assert_eq!((field_of(&plan, "Foil"), row.finish), (Some(Field::Finish), Some(Finish::Foil)));
    let (_, row) = read_one("Card name,Qty,Etched", "Shock,3,yes");
    assert_eq!((row.quantity, row.finish), (3, Some(Finish::Etched)));
}

#[test]
fn foils_are_told_from_the_others_by_their_headings() {
    for header in [
        "Card name,Non-foil Qty,Foil Qty",
        "Card name,Normal,Foil",
        "Card name,Regular Count,Foil Count",
        "Card name,Count,Count (Foil)",
        "Card name,Owned,Owned Foil",
        "Card name,Anzahl,Anzahl Foil",
    ] {
        let plan = detect(header, &["Shock,3,2", "Opt,4,0"]).unwrap();
        let fields: Vec<_> = plan.columns.iter().map(|column| column.field).collect();
        let expected = [Field::Name, Field::Quantity, Field::FoilQuantity].map(Some);
        assert_eq!(fields, expected, "{header}");
        let rows = copies(plan.read(2, &cells("Shock,3,2")).unwrap());
        let parts: Vec<_> = rows.iter().map(|row| (row.quantity, row.finish)).collect();
        assert_eq!(parts, [(3, Some(Finish::Nonfoil)), (2, Some(Finish::Foil))], "{header}");
    }
    // Beside the others even a single one is counted.
    let plan = detect("Card name,Normal,Foil", &["Shock,3,1"]).unwrap();
    let rows = copies(plan.read(2, &cells("Shock,3,1")).unwrap());
    assert_eq!(rows.iter().map(|row| row.quantity).collect::<Vec<_>>(), [3, 1]);
    let plan = detect("Card name,Normal,Foil,Etched", &["Shock,3,1,0", "Opt,0,0,2"]).unwrap();
    let rows = copies(plan.read(2, &cells("Opt,0,0,2")).unwrap());
    let parts: Vec<_> = rows.iter().map(|row| (row.quantity, row.finish)).collect();
    assert_eq!(parts, [(2, Some(Finish::Etched))]);
    let plan = detect("Card name,Quantity,Normal", &["Shock,3,2"]).unwrap();
    assert_eq!([field_of(&plan, "Quantity"), field_of(&plan, "Normal")], [Some(Field::Quantity), None]);
}

#[test]
fn what_a_market_asks_is_not_what_was_paid() {
    for heading in ["Price Trend", "Price (Low)", "Price Foil", "Price Sale", "Market Price"] {
        let (plan, row) = read_one(&format!("Qty,Card name,{heading}"), "2,Shock,0.25");
        assert_eq!((field_of(&plan, heading), row.price), (None, None), "{heading}");
    }
    let plan = detect("Card name,Regular Price,Total Price", &["Shock,2,4"]).unwrap();
    assert_eq!(field_of(&plan, "Regular Price").or(field_of(&plan, "Total Price")), None, "nor a quantity");
    let (plan, _) = read_one("Qty,Kortin nimi,Card Set,Card Text", "2,Shock,Core Set 2021,Two damage");
    assert_eq!(field_of(&plan, "Kortin nimi"), Some(Field::Name));
    assert_eq!([field_of(&plan, "Card Set"), field_of(&plan, "Card Text")], [Some(Field::SetName), None]);
}

#[test]
fn odd_cells_are_read_as_they_are_meant() {
    let usd = |amount| Some(Money { amount, currency: Currency::Usd });
    let eur = |amount| Some(Money { amount, currency: Currency::Eur });
    for (text, expected) in [
        ("1.234,50", usd(123_450)),
        ("1'234.50", usd(123_450)),
        ("$ 5", usd(500)),
        ("5,48 €", eur(548)),
        ("€ 5,-", eur(500)),
        ("5.–", usd(500)),
        ("-5", None),
        (",-", None),
    ] {
        assert_eq!(values::price(text, Currency::Usd, false), expected, "{text}");
    }
    for nothing in ["-", "--", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "Null", " \u{a0} "] {
        assert_eq!(values::clean(nothing), "", "{nothing}");
        let (_, row) = read_one("Card name,Purchase price", &format!("Shock,{nothing}"));
        assert_eq!(row.price, None, "{nothing}");
    }
    for (text, expected) in
        [("116/350", "116"), ("#12", "12"), ("012", "12"), ("12★", "12★"), ("A-25", "A-25")]
    {
        assert_eq!(values::collector_number(text).as_deref(), Some(expected));
    }
    for (text, expected) in [("3x", 3), ("x3", 3), (" 4 ", 4), ("1.0", 1)] {
        assert_eq!(read_one("Qty,Card name", &format!("{text},Shock")).1.quantity, expected, "{text}");
    }
    // One thousand, or one: nobody can say.
    let plan = detect("Card name,Qty", &["Shock,1"]).unwrap();
    let row = ["Shock", "1,000"].map(str::to_owned);
    assert_eq!(plan.read(2, &row).unwrap_err().code, Code::RowInvalidValue);
}

const NOT_KEPT: &str = "Its price is not in dollars, euros or tix, and was left out.";

#[test]
fn a_price_in_another_currency_is_left_out_and_the_copy_is_not() {
    for (header, row, price, is_told) in [
        ("Card name,Purchase price,Currency", "Shock,1.50,AUD", None, true),
        ("Card name,Purchase price,Currency", "Shock,$1.50,CAD", None, true),
        ("Card name,Purchase price,Currency", "Shock,0.00,GBP", None, false),
        ("Card name,Purchase price,Currency", "Shock,,JPY", None, false),
        ("Card name,Purchase price,Currency", "Shock,1.50,EUR", Some((150, Currency::Eur)), false),
        ("Card name,Purchase price,Currency", "Shock,1.50,", Some((150, Currency::Usd)), false),
        ("Card name,Purchase price", "Shock,£1.50", None, true),
        ("Card name,Purchase price", "Shock,12.50 CHF", None, true),
        ("Card name,Purchase price", "Shock,$ -", None, false),
        ("Card name,Purchase price (GBP)", "Shock,1.50", None, true),
        ("Card name,Purchase price (EUR)", "Shock,1.50", Some((150, Currency::Eur)), false),
        ("Card name,Kaufpreis in €", "Shock,1.50", Some((150, Currency::Eur)), false),
    ] {
        let (_, read) = read_one(header, row);
        let price = price.map(|(amount, currency)| Money { amount, currency });
        assert_eq!(
            (read.price, read.left_out.as_deref()),
            (price, is_told.then_some(NOT_KEPT)),
            "{header} {row}"
        );
    }
    let manabox =
        "Name,Set code,Collector number,Foil,Quantity,ManaBox ID,Purchase price,Purchase price currency";
    let (plan, read) = read_one(manabox, "Shock,M21,159,normal,1,5,2.50,AUD");
    assert_eq!((plan.platform, read.left_out.as_deref()), (Platform::Manabox, Some(NOT_KEPT)));
    assert_eq!(read_one(manabox, "Shock,M21,159,normal,1,5,0,AUD").1.left_out, None);
    // What is no price at all is refused still.
    let plan = detect("Card name,Purchase price", &["Shock,1.50"]).unwrap();
    assert_eq!(plan.read(2, &cells("Shock,cheap")).unwrap_err().code, Code::RowInvalidValue);
}

#[test]
fn foil_and_etched_may_stand_side_by_side() {
    for (header, turn) in [("Card name,Foil,Etched", false), ("Card name,Etched,Foil", true)] {
        let plan = detect(header, &["Shock,yes,no", "Opt,no,yes", "Duress,no,no"]).unwrap();
        for (foil, etched, finish) in [
            ("yes", "no", Finish::Foil),
            ("no", "yes", Finish::Etched),
            ("yes", "yes", Finish::Etched),
            ("no", "no", Finish::Nonfoil),
            ("yes", "", Finish::Foil),
            ("", "yes", Finish::Etched),
            ("", "", Finish::Nonfoil),
        ] {
            let [first, second] = if turn { [etched, foil] } else { [foil, etched] };
            let read = copies(plan.read(2, &cells(&format!("Shock,{first},{second}"))).unwrap()).remove(0);
            assert_eq!(read.finish, Some(finish), "{header}: {first} {second}");
        }
    }
}

#[test]
fn what_is_wanted_is_not_owned() {
    let wanted = Line::Nothing("The row is of a card that is wanted, and not owned.");
    for heading in ["Wishlist Quantity", "Qty Wanted", "Want", "Wanted Qty", "Anzahl gesucht"] {
        let plan = detect(&format!("Card name,Set Code,{heading}"), &["Shock,m21,4", "Opt,m21,0"]).unwrap();
        assert_eq!(field_of(&plan, heading), Some(Field::Wanted), "{heading}");
        assert_eq!(plan.read(2, &cells("Shock,m21,4")), Ok(wanted.clone()), "{heading}");
        assert_eq!(copies(plan.read(2, &cells("Opt,m21,0")).unwrap()).remove(0).quantity, 1, "{heading}");
        // Beside what is owned it is another number.
        let (plan, read) = read_one(&format!("Card name,{heading},Have"), "Shock,4,2");
        assert_eq!((field_of(&plan, "Have"), read.quantity), (Some(Field::Quantity), 2), "{heading}");
    }
    let (_, read) = read_one("Card name,Qty,Wishlist", "Shock,2,yes");
    assert_eq!((read.quantity, read.tags.as_slice()), (2, ["Wishlist".to_owned()].as_slice()));
}

#[test]
fn in_a_list_of_all_cards_those_are_held_that_have_a_mark() {
    let not_owned = Ok(Line::Nothing("The row is of a card that is not owned."));
    for (yes, no) in [("TRUE", "FALSE"), ("x", ""), ("ja", "nein"), ("✓", "")] {
        let rows = [format!("1,Shock,{yes}"), format!("2,Opt,{no}")];
        let plan = detect("No,Card name,Owned", &[&rows[0], &rows[1]]).unwrap();
        assert_eq!(field_of(&plan, "Owned"), Some(Field::Owned), "{yes}");
        assert_eq!(copies(plan.read(2, &cells(&rows[0])).unwrap()).remove(0).quantity, 1, "{yes}");
        assert_eq!(plan.read(3, &cells(&rows[1])), not_owned, "{no}");
    }
    let (plan, read) = read_one("Card name,Owned", "Shock,3");
    assert_eq!((field_of(&plan, "Owned"), read.quantity), (Some(Field::Quantity), 3));
}

#[test]
fn what_would_not_be_read_may_be_missing() {
    let header = "Qty,Card name,Rarity,,";
    let sample = ["2,Shock,common,,", "2,Shock,common", "1,Opt,common", "2,Shock", "1,Opt"];
    let plan = detect(header, &sample).unwrap();
    for row in ["2,Shock,common,,", "2,Shock,common", "2,Shock"] {
        assert_eq!(copies(plan.read(2, &cells(row)).unwrap()).remove(0).quantity, 2, "{row}");
    }
    for row in ["2", "2,Shock,common,"] {
        assert_eq!(plan.read(2, &cells(row)).unwrap_err().code, Code::RowMalformed, "{row}");
    }
}

#[test]
fn a_row_that_alone_is_short_lacks_a_cell_somewhere() {
    let header = "Qty,Card name,Set Code,Number,Rarity,Artist";
    let short = "2,Shock,159,common,Jo Doe";
    let plan = detect(header, &["2,Shock,m21,159,common,Jo Doe", short, "1,Opt,xln,65,common,"]).unwrap();
    assert_eq!(plan.read(3, &cells(short)).unwrap_err().code, Code::RowMalformed);
    let plan = detect(header, &["2,Shock,m21,159,common", "1,Opt,xln,65,common"]).unwrap();
    assert_eq!(copies(plan.read(2, &cells("2,Shock,m21,159,common")).unwrap()).remove(0).quantity, 2);
    // What is read may be missing in no row.
    let plan = detect(header, &["2,Shock,m21", "1,Opt,xln"]).unwrap();
    assert_eq!(plan.read(2, &cells("2,Shock,m21")).unwrap_err().code, Code::RowMalformed);
}

#[test]
fn an_f_is_for_false_where_a_t_is_for_true() {
    for (heading, rows, expected) in [
        ("Foil", ["T", "F"], [Finish::Foil, Finish::Nonfoil]),
        ("Foil", ["t", "f"], [Finish::Foil, Finish::Nonfoil]),
        ("Finish", ["F", "T"], [Finish::Nonfoil, Finish::Foil]),
        ("Foil", ["F", "N"], [Finish::Foil, Finish::Nonfoil]),
        ("Foil", ["F", ""], [Finish::Foil, Finish::Nonfoil]),
        ("Etched", ["T", "F"], [Finish::Etched, Finish::Nonfoil]),
        ("Etched", ["F", "N"], [Finish::Nonfoil, Finish::Nonfoil]),
    ] {
        let lines = rows.map(|row| format!("Shock,{row}"));
        let plan = detect(&format!("Card name,{heading}"), &[&lines[0], &lines[1]]).unwrap();
        let read = lines.each_ref().map(|line| copies(plan.read(2, &cells(line)).unwrap()).remove(0).finish);
        assert_eq!(read, expected.map(Some), "{heading} {rows:?}");
    }
}

#[test]
fn foil_under_foil_or_etched_is_not_etched() {
    let plan = detect("Card name,Foil/Etched", &["Shock,foil", "Opt,etched", "Duress,"]).unwrap();
    for (said, finish) in [
        ("foil", Finish::Foil),
        ("etched", Finish::Etched),
        ("Foil Etched", Finish::Etched),
        ("yes", Finish::Etched),
        ("no", Finish::Nonfoil),
        ("normal", Finish::Nonfoil),
        ("", Finish::Nonfoil),
    ] {
        let read = copies(plan.read(2, &cells(&format!("Shock,{said}"))).unwrap()).remove(0);
        assert_eq!(read.finish, Some(finish), "{said}");
    }
}

#[test]
fn a_quantity_beside_both_finishes_is_of_all() {
    for (header, row) in [
        ("Name,Set,Quantity,Normal,Foil", "Shock,M21,3,2,1"),
        ("Name,Set,Normal,Foil,Quantity", "Shock,M21,2,1,3"),
        ("Name,Set,Total,Regular,Foil Qty", "Shock,M21,3,2,1"),
        ("Name,Set,Qty,Nonfoil,Foil", "Shock,M21,3,2,1"),
    ] {
        let plan = detect(header, &[row]).unwrap();
        let rows = copies(plan.read(2, &cells(row)).unwrap());
        let parts: Vec<_> = rows.iter().map(|row| (row.quantity, row.finish)).collect();
        assert_eq!(parts, [(2, Some(Finish::Nonfoil)), (1, Some(Finish::Foil))], "{header}");
    }
    // Without foils, and where it has words, "normal" counts nothing.
    for (header, row) in [
        ("Name,Set,Quantity,Normal", "Shock,M21,3,2"),
        ("Name,Set,Quantity,Normal,Foil Qty", "Shock,M21,3,yes,1"),
    ] {
        let plan = detect(header, &[row]).unwrap();
        assert_eq!(field_of(&plan, "Quantity"), Some(Field::Quantity), "{header}");
    }
}

#[test]
fn a_column_of_names_must_be_filled_to_stand_for_another() {
    for (rows, named) in [
        (["2,Schock,", "1,Zwang,"], "Name"),
        (["2,Schock,", "1,Zwang,Duress"], "Name"),
        (["2,Schock,Shock", "1,Zwang,Duress"], "English Name"),
        (["2,,Shock", "1,Zwang,Duress"], "English Name"),
    ] {
        let plan = detect("Qty,Name,English Name", &rows).unwrap();
        let found = plan.columns.iter().find(|column| column.field == Some(Field::Name)).unwrap();
        assert_eq!(found.column, named, "{rows:?}");
    }
}

#[test]
fn what_is_had_is_a_yes_beside_a_quantity() {
    for heading in ["Have", "Own", "Owned"] {
        let header = format!("{heading},Card name,Qty");
        let plan = detect(&header, &["1,Shock,4", "0,Opt,1"]).unwrap();
        assert_eq!(field_of(&plan, heading), Some(Field::Owned), "{heading}");
        assert_eq!(field_of(&plan, "Qty"), Some(Field::Quantity), "{heading}");
        assert_eq!(copies(plan.read(2, &cells("1,Shock,4")).unwrap()).remove(0).quantity, 4, "{heading}");
        assert!(copies(plan.read(3, &cells("0,Opt,1")).unwrap()).is_empty(), "{heading}");
    }
}

#[test]
fn headings_and_sums_among_the_rows_are_no_cards() {
    let plan = detect("Qty,Card name,Price", &["2,Shock,0.25"]).unwrap();
    let headings = Line::Nothing("The row is of headings.");
    assert_eq!(plan.read(9, &cells("Qty,Card name,Price")), Ok(headings));
    for sums in ["Total: 42,,", ",Total,10.50", "Subtotal,,", "Gesamtsumme 7,,"] {
        assert_eq!(plan.read(9, &cells(sums)), Ok(Line::Nothing("The row is of sums.")), "{sums}");
    }
}

#[test]
fn people_write_more_than_one_thing_in_a_cell() {
    let (_, read) = read_one("Qty,Card name", "2,Shock (M21)");
    assert_eq!((read.name.as_deref(), read.set_code.as_deref()), (Some("Shock"), Some("m21")));
    let (_, read) = read_one("Qty,Card name,Set Code", "2,Shock [M21],m11");
    assert_eq!((read.name.as_deref(), read.set_code.as_deref()), (Some("Shock"), Some("m11")));
    let plan = detect("Qty,Card name,Condition", &["2,Shock,NM"]).unwrap();
    for (said, condition) in [
        ("NM (Near Mint)", Condition::NearMint),
        ("Near Mint (NM)", Condition::NearMint),
        ("LP - Lightly Played", Condition::LightlyPlayed),
    ] {
        let read = copies(plan.read(2, &cells(&format!("2,Shock,{said}"))).unwrap()).remove(0);
        assert_eq!(read.condition, condition, "{said}");
    }
    assert_eq!(plan.read(2, &cells("2,Shock,NM (Played)")).unwrap_err().code, Code::RowInvalidValue);
}

#[test]
fn odd_headings_do_no_harm() {
    let (plan, row) = read_one("\u{feff}Qty,Card name,,Qty,", "2,Shock,,9,");
    assert_eq!((row.quantity, row.name.as_deref()), (2, Some("Shock")), "the first of two");
    assert_eq!(plan.columns.iter().filter(|column| column.field.is_some()).count(), 2, "{:?}", plan.columns);
    // Spreadsheets append empty cells.
    let row = copies(plan.read(3, &cells("2,Shock,,9,,,,")).unwrap()).remove(0);
    assert_eq!(row.quantity, 2);
    assert_eq!(plan.read(3, &cells("2,Shock,,9,,,x")).unwrap_err().code, Code::RowMalformed);
    let row = ["Shock", "first\r\nsecond"].map(str::to_owned);
    let plan = Plan::detect(&cells("Card name,Notes"), std::slice::from_ref(&row.to_vec()), None).unwrap();
    let read = copies(plan.read(2, &row).unwrap()).remove(0);
    assert_eq!(read.notes.as_deref(), Some("first\nsecond"));
}
