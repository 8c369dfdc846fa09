//! Each platform is known by its header, and its words are read as it means them.

use chrono::NaiveDate;
use entity::enums::{Condition, Currency, Finish, Provider};

use super::{cells, copies, detect, problem, read_one};
use crate::domain::import::{Line, Plan, Platform};
use crate::domain::market::Money;
use crate::error::Code;

/// Platform, header, a row of it; then what must be read: quantity, name, set code, number, finish, condition, language.
type Case = (
    Platform,
    &'static str,
    &'static str,
    (i32, &'static str, &'static str, &'static str, Option<Finish>, Condition, &'static str),
);

use Condition::{Damaged, HeavilyPlayed, LightlyPlayed, ModeratelyPlayed, NearMint};

const CASES: &[Case] = &[
    (
        Platform::Archidekt,
        "Quantity,Name,Finish,Condition,Date Added,Language,Purchase Price,Tags,Edition Name,Edition Code,Multiverse Id,Scryfall ID,Collector Number",
        "2,Shock,Foil,LP,2025-02-03,JP,1.50,trade,Core Set 2021,m21,0,,159",
        (2, "Shock", "m21", "159", Some(Finish::Foil), LightlyPlayed, "ja"),
    ),
    (
        Platform::Archidekt,
        "Quantity,Name,Finish,Condition,Date Added,Language,Purchase Price,Tags,Edition Name,Edition Code,Multiverse Id,Scryfall ID,MTGO ID,Collector Number,Mana Value,Colors,Identities,Mana cost,Types,Sub-types,Super-types,Rarity,Price (Card Kingdom),Price (TCG Player),Price (Star City Games),Price (Card Hoarder),Price (Card Market),Scryfall Oracle ID",
        "1,Shock,Etched,D,,KR,,,Core Set 2021,M21,5,,77,159,1,Red,R,{R},Instant,,,common,0.1,0.1,0.1,0.1,0.1,",
        (1, "Shock", "m21", "159", Some(Finish::Etched), Damaged, "ko"),
    ),
    (
        Platform::Cardcastle,
        "Card Name,Set Name,Condition,Foil,Language,Multiverse ID,JSON ID,Price USD",
        "Shock,Core Set 2021,Near Mint,true,English,12345,abc,0.25",
        (1, "Shock", "", "", Some(Finish::Foil), NearMint, "en"),
    ),
    (
        Platform::Cardcastle,
        "Count,Card Name,Set Name,Collector Number,Foil",
        "3,Shock,Core Set 2021,159,false",
        (3, "Shock", "", "159", Some(Finish::Nonfoil), NearMint, ""),
    ),
    (
        Platform::Cardkingdom,
        "title,edition,foil,quantity",
        "Shock (Promo),Core Set 2021,TRUE,4",
        (4, "Shock", "", "", Some(Finish::Foil), NearMint, ""),
    ),
    (
        Platform::Cardmarket,
        "idArticle,idProduct,English Name,Local Name,Exp.,Exp. Name,Price,Language,Condition,Foil?,Signed?,Playset?,Altered?,Comments,Amount,onSale,idCurrency,Currency Code",
        "9,4711,Shock,Schock,M21,Core 2021,0.50,3,GD,X,,,,,2,1,1,EUR",
        (2, "Shock", "", "", Some(Finish::Foil), ModeratelyPlayed, "de"),
    ),
    (
        Platform::Cardsphere,
        "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Scryfall ID,Last Modified",
        "1,1,Shock,Core Set 2021,Slightly Played,English,N,,,2025-01-01",
        (1, "Shock", "", "", Some(Finish::Nonfoil), LightlyPlayed, "en"),
    ),
    (
        Platform::Cubecobra,
        "name,CMC,Type,Color,Set,Collector Number,Rarity,Color Category,status,Finish,maybeboard,image URL,image Back URL,tags,Notes,MTGO ID",
        "Shock,1,Instant,R,m21,159,common,Red,Owned,Non-foil,false,,,burn;cheap,,83000",
        (1, "Shock", "m21", "159", Some(Finish::Nonfoil), NearMint, ""),
    ),
    (
        Platform::Deckbox,
        "Count,Tradelist Count,Name,Edition,Edition Code,Card Number,Condition,Language,Foil,Signed,Artist Proof,Altered Art,Misprint,Promo,Textless,Printing Id,Printing Note,Tags,My Price,Cost,Rarity,Price,TcgPlayer ID,Scryfall ID",
        "1,0,Shock,Core Set 2021,m21,159,Good (Lightly Played),Traditional Chinese,foil,,,,,,,1,,,$0.00,{R},Common,$5.48,900,",
        (1, "Shock", "m21", "159", Some(Finish::Foil), LightlyPlayed, "zht"),
    ),
    (
        Platform::Deckbox,
        "Count,Tradelist Count,Decks Count Built,Decks Count All,Name,Edition,Edition Code,Card Number,Condition,Language,Foil,Signed,Artist Proof,Altered Art,Misprint,Promo,Textless,Printing Id,Printing Note,Tags,My Price,Type,Cost,Rarity,Price,Image URL,Last Updated,TcgPlayer ID,Scryfall ID",
        "1,0,0,0,Shock,Core Set 2021,m21,159,Played,English,,signed,,,,,,1,,,$1.00,Instant,{R},Common,$5.48,,,,",
        (1, "Shock", "m21", "159", Some(Finish::Nonfoil), ModeratelyPlayed, "en"),
    ),
    (
        Platform::Deckstats,
        "amount,card_name,is_foil,is_pinned,is_signed,set_id,set_code,collector_number,language,condition,comment,added",
        "2,Shock,1,,,,PLIST,M21-159,de,,,",
        (2, "Shock", "plst", "M21-159", Some(Finish::Foil), NearMint, "de"),
    ),
    (
        Platform::DelverLens,
        "Name,Acquired Price,Language,Set Code,TCGPlayer Product ID,Number,Foil,Quantity",
        "Shock,$13.94,,M21,215000,159,Foil,1",
        (1, "Shock", "m21", "159", Some(Finish::Foil), NearMint, ""),
    ),
    (
        Platform::DragonShield,
        "Folder Name,Quantity,Trade Quantity,Card Name,Set Code,Set Name,Card Number,Condition,Printing,Language,Price Bought,Date Bought,AVG,LOW,TREND",
        "Red things,1,0,Goblin Token,TM21,Core Set 2021 Tokens,9,LightPlayed,Normal,German,0.02,2022-01-30,0,0,0",
        (1, "Goblin", "tm21", "9", Some(Finish::Nonfoil), ModeratelyPlayed, "de"),
    ),
    (
        Platform::EchoMtg,
        "name,set,set_code, foil, condition,language,acquired_price,acquired_date",
        "Shock, Core Set 2021, M21, true,NM,GR,5.00,09/10/2020",
        (1, "Shock", "m21", "", Some(Finish::Foil), NearMint, "de"),
    ),
    (
        Platform::Helvault,
        "cmc,collector_number,color_identity,colors,estimated_price,extras,language,mana_cost,name,oracle_id,quantity,rarity,scryfall_id,set_code,set_name,type_line",
        "1,159,R,R,0.1,foil,en,{R},Shock,,2,common,,m21,Core Set 2021,Instant",
        (2, "Shock", "m21", "159", Some(Finish::Foil), NearMint, "en"),
    ),
    (
        Platform::Helvault,
        "extras,name,scryfall_id,quantity",
        ",Shock,00000000-0000-0000-0000-000000000001,2",
        (2, "Shock", "", "", None, NearMint, ""),
    ),
    (
        Platform::Manabox,
        "Binder Name,Binder Type,Name,Set code,Set name,Collector number,Foil,Rarity,Quantity,ManaBox ID,Scryfall ID,Purchase price,Misprint,Altered,Condition,Language,Purchase price currency",
        "Red,binder,Shock,M21,Core Set 2021,159,etched,common,1,5,,0.1,false,false,played,zh_TW,EUR",
        (1, "Shock", "m21", "159", Some(Finish::Etched), HeavilyPlayed, "zht"),
    ),
    (
        Platform::Moxfield,
        "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Last Modified,Collector Number,Alter,Proxy,Purchase Price",
        "4,4,Shock,m21,Played,Simplified Chinese,,,2025-10-09 19:20:29.120000,159,False,True,",
        (4, "Shock", "m21", "159", Some(Finish::Nonfoil), ModeratelyPlayed, "zhs"),
    ),
    (
        Platform::Mtggoldfish,
        "Card,Set ID,Set Name,Quantity,Foil,Variation,Collector Number,Scryfall ID",
        "Shock,GK1_BOROS,,3,foil_etched,,159,",
        (3, "Shock", "gk1", "159", Some(Finish::Etched), NearMint, ""),
    ),
    (
        Platform::Mtgo,
        "Card Name,Quantity,ID #,Rarity,Set,Collector #,Premium,Sideboarded,Annotation",
        "Shock,4,7000,Common,ST,116/350,Yes,No,0",
        (4, "Shock", "sth", "116", Some(Finish::Foil), NearMint, ""),
    ),
    (
        Platform::Tappedout,
        "Qty,Name,Set,Set Number,Foil,Alter,Signed,Condition,Languange,Proxy",
        "1,Shock,M21,159,-,-,-,SL,EN,-",
        (1, "Shock", "m21", "159", Some(Finish::Nonfoil), LightlyPlayed, "en"),
    ),
    (
        Platform::Tcgplayer,
        "Quantity,Name,Simple Name,Set,Card Number,Set Code,Printing,Condition,Language,Rarity,Product ID,SKU",
        "1,Shock (Retro Frame) (Foil Etched),Shock,Core Set 2021,159,PPM21,Foil,Heavily Played,English,Common,5,6",
        (1, "Shock", "pm21", "159", Some(Finish::Etched), HeavilyPlayed, "en"),
    ),
    (
        Platform::Tcgplayer,
        "TCGplayer Id,Product Line,Set Name,Product Name,Title,Number,Rarity,Condition,TCG Market Price,Total Quantity,Add to Quantity",
        "9,Magic,Magic 2010 (M10),Shock,,146,C,Near Mint Foil - Japanese,0.3,2,0",
        (2, "Shock", "m10", "146", Some(Finish::Foil), NearMint, "ja"),
    ),
    (
        Platform::Topdecked,
        "QUANTITY,NAME,SETCODE,SETNAME,COLLECTOR NUMBER,FINISH,PRICE,RARITY,ID,ACQUIRED DATE,ACQUIRED PRICE,LANG,PRICE SALE,SIGNING,ALTERATION,CONDITION,NOTES,TAGS",
        "1,Shock,m21,Core Set 2021,159,nonfoil,€0.04,common,,2023-04-11T13:49:14.808Z",
        (1, "Shock", "m21", "159", Some(Finish::Nonfoil), NearMint, ""),
    ),
];

#[test]
fn each_export_is_known_by_its_header_and_read_in_its_own_words() {
    for (platform, header, row, expected) in CASES {
        let (plan, read) = read_one(header, row);
        assert_eq!(plan.platform, *platform, "{header}");
        let found = (
            read.quantity,
            read.name.as_deref().unwrap_or_default(),
            read.set_code.as_deref().unwrap_or_default(),
            read.collector_number.as_deref().unwrap_or_default(),
            read.finish,
            read.condition,
            read.language.as_deref().unwrap_or_default(),
        );
        assert_eq!(found, *expected, "{} {row}", platform.name());
    }
}

#[test]
fn every_platform_with_a_header_has_an_example_here() {
    let own = [Platform::UrzasGatherer, Platform::DeckedBuilder, Platform::Generic, Platform::Decklist];
    for platform in Platform::ALL.iter().filter(|platform| !own.contains(platform)) {
        assert!(CASES.iter().any(|case| case.0 == *platform), "{}", platform.name());
    }
}

#[test]
fn folders_tags_and_marks_become_tags() {
    let find = |platform| CASES.iter().find(|case| case.0 == platform).unwrap();
    let tags = |case: &Case| read_one(case.1, case.2).1.tags;
    assert_eq!(tags(find(Platform::DragonShield)), ["Red things"]);
    assert_eq!(tags(find(Platform::Cubecobra)), ["burn", "cheap"]);
    assert_eq!(tags(find(Platform::Moxfield)), ["proxy"]);
    assert_eq!(tags(find(Platform::Archidekt)), ["trade"]);
    let topdecked = find(Platform::Topdecked).1;
    let row = "1,Shock,m11,Core Set 2021,159,nonfoil,,common,,Fri May 31 2024 16:43:29 GMT+0200,,en,,false,true,near mint,,burn";
    let read = read_one(topdecked, row).1;
    assert_eq!(
        (read.tags.as_slice(), read.acquired_on),
        (["altered".to_owned(), "burn".to_owned()].as_slice(), NaiveDate::from_ymd_opt(2024, 5, 31))
    );
    for (answers, marks) in
        [("true,false", "signed"), ("UNSIGNED,ALTERED", "altered"), ("signed,not altered", "signed")]
    {
        let row = row.replace("false,true", answers);
        assert_eq!(read_one(topdecked, &row).1.tags, [marks, "burn"], "{answers}");
    }
}

#[test]
fn prices_are_in_what_the_platform_or_its_column_says() {
    let find = |platform| CASES.iter().find(|case| case.0 == platform).unwrap();
    let price = |case: &Case| read_one(case.1, case.2).1.price;
    let money = |amount, currency| Some(Money { amount, currency });
    assert_eq!(price(find(Platform::DelverLens)), money(1_394, Currency::Usd));
    assert_eq!(price(find(Platform::Manabox)), money(10, Currency::Eur));
    assert_eq!(price(find(Platform::Cardmarket)), money(50, Currency::Eur));
    assert_eq!(price(find(Platform::Deckbox)), None, "nothing was written down, and the market's is another");
    let echo = find(Platform::EchoMtg);
    assert_eq!(read_one(echo.1, echo.2).1.acquired_on, NaiveDate::from_ymd_opt(2020, 9, 10));
}

#[test]
fn magic_online_counts_foils_under_ids_of_their_own() {
    let case = CASES.iter().find(|case| case.0 == Platform::Mtgo).unwrap();
    let row = read_one(case.1, case.2).1;
    assert_eq!(row.outside_ids, [(Provider::MtgoFoil, "7000".to_owned())]);
}

#[test]
fn cardmarket_has_numbers_for_grades_and_languages_and_sells_by_four() {
    let header = "idProduct,groupCount,price,idLanguage,condition,isFoil,isSigned,isAltered,isPlayset";
    for (grade, condition) in [
        (1, NearMint),
        (2, NearMint),
        (3, LightlyPlayed),
        (4, ModeratelyPlayed),
        (5, ModeratelyPlayed),
        (6, HeavilyPlayed),
        (7, Damaged),
    ] {
        let (plan, row) = read_one(header, &format!("42,1,2.00,11,{grade},,1,,1"));
        assert_eq!((plan.platform, row.condition), (Platform::Cardmarket, condition));
        assert_eq!(row.outside_ids, [(Provider::Cardmarket, "42".to_owned())]);
        assert_eq!((row.quantity, row.price.unwrap().amount, row.language.as_deref()), (4, 50, Some("zht")));
        assert_eq!(row.tags, ["signed"]);
    }
}

#[test]
fn finishes_that_are_counted_apart_are_rows_of_their_own() {
    let header = "Name,Type,Color,Rarity,Author,Power,Toughness,Mana cost,Converted mana cost,Count,Foil count,Special foil count,Price,Foil price,Number,Set,Set code,ID,Multiverse ID,Comments,To trade,Condition,Grading,Languages,TCG ID,Cardmarket ID,Scryfall ID";
    let row = cells("Shock,,,,,,,,,3,2,1,1,2,159,Core Set 2021,M21,1,7,,0,6xGood,,6xGerman,3,4,");
    let plan = Plan::detect(&cells(header), std::slice::from_ref(&row), None).unwrap();
    let rows = copies(plan.read(2, &row).unwrap());
    let parts: Vec<_> = rows.iter().map(|row| (row.quantity, row.finish)).collect();
    let expected = [(3, Some(Finish::Nonfoil)), (2, Some(Finish::Foil)), (1, Some(Finish::Etched))];
    assert_eq!((plan.platform, parts.as_slice()), (Platform::UrzasGatherer, expected.as_slice()));
    assert_eq!((rows[0].condition, rows[0].language.as_deref()), (ModeratelyPlayed, Some("de")));

    let header = "Total Qty,Reg Qty,Foil Qty,Card,Set,Mana Cost,Card Type,Color,Rarity,Mvid,Single Price,Single Foil Price,Total Price,Price Source,Notes";
    let plan = detect(header, &["3,1,2,Shock,Core Set 2021,,,,,99,1,2,5,TCG,gift"]).unwrap();
    let rows = copies(plan.read(2, &cells("3,0,2,Shock,Core Set 2021,,,,,99,1,2,5,TCG,gift")).unwrap());
    assert_eq!(plan.platform, Platform::DeckedBuilder);
    assert_eq!((rows.len(), rows[0].quantity, rows[0].finish), (1, 2, Some(Finish::Foil)));
    assert_eq!(rows[0].outside_ids, [(Provider::Multiverse, "99".to_owned())]);
    let none = plan.read(2, &cells("0,0,0,Shock,Core Set 2021,,,,,99,1,2,5,TCG,gift")).unwrap_err();
    assert_eq!(none.code, Code::RowInvalidValue);
}

#[test]
fn nothing_is_held_where_nothing_is() {
    let case = CASES.iter().find(|case| case.0 == Platform::Moxfield).unwrap();
    let plan = detect(case.1, &[case.2]).unwrap();
    for (row, why) in [
        (",,,,,,,,,,,,", "The row is blank."),
        ("999999,,Total,,,,,,,,,,", "The row is of sums."),
        ("Total,12", "The row is of sums."),
        ("", "The row is blank."),
    ] {
        assert_eq!(plan.read(2, &cells(row)), Ok(Line::Nothing(why)), "{row}");
    }
    let case = CASES.iter().find(|case| case.0 == Platform::Cubecobra).unwrap();
    let plan = detect(case.1, &[case.2]).unwrap();
    let not_owned = plan.read(2, &cells(&case.2.replace("Owned", "Not Owned")));
    assert_eq!(not_owned, Ok(Line::Nothing("The row is of a card that is not owned.")));
}

#[test]
fn what_cannot_be_read_is_named() {
    let header = "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Last Modified,Collector Number,Alter,Proxy,Purchase Price";
    for (row, column, value) in [
        ("many,,Shock,m21,,,,,,1,,,", "Count", "many"),
        ("-1,,Shock,m21,,,,,,1,,,", "Count", "-1"),
        ("1.5,,Shock,m21,,,,,,1,,,", "Count", "1.5"),
        ("100001,,Shock,m21,,,,,,1,,,", "Count", "100001"),
        ("1,,Shock,m21,Fine,,,,,1,,,", "Condition", "Fine"),
        ("1,,Shock,m21,,Klingon,,,,1,,,", "Language", "Klingon"),
        ("1,,Shock,m21,,,perhaps,,,1,,,", "Foil", "perhaps"),
        ("1,,Shock,m21,,,,,,1,,,cheap", "Purchase Price", "cheap"),
        ("1,,Shock,m21,,,,,,1,,,£3", "Purchase Price", "£3"),
        ("1,,Shock,m21,,,,,,1,,,10000000.00", "Purchase Price", "10000000.00"),
    ] {
        let problem = problem(header, row);
        assert_eq!(problem.code, Code::RowInvalidValue, "{row}");
        assert!(problem.message.contains(column) && problem.message.contains(value), "{}", problem.message);
    }
    let none = problem(header, "0,4,Shock,m21,,,,,,1,,,");
    assert_eq!(
        (none.code, none.message.as_str()),
        (Code::RowInvalidValue, "The row has a quantity of 0: the least is 1.")
    );
    assert_eq!(problem(header, "1,,Shock").code, Code::RowMalformed);
    assert_eq!(problem(header, "1,,Shock,m21,,,,,,1,,,,x").code, Code::RowMalformed);
    assert_eq!(problem(header, "1,,,m21,,,,,,,,,").code, Code::RowCardNotFound);
    let plan = detect(header, &["2,,Shock,m21,,,,,,1,,,"]).unwrap();
    assert_eq!(plan.read(2, &cells(",,Shock,m21,,,,,,1,,,")).unwrap_err().code, Code::RowInvalidValue);
    let plan = detect(header, &[",,Shock,m21,,,,,,1,,,"]).unwrap();
    let read = copies(plan.read(2, &cells(",,Shock,m21,,,,,,1,,,")).unwrap());
    assert_eq!(read[0].quantity, 1, "one card a row");
}

#[test]
fn a_named_platform_is_held_to_its_columns() {
    let header = cells("Count,Nmae,Edition");
    let refusal = Plan::detect(&cells("Count,Title,Edition"), &[], Some(Platform::Moxfield)).unwrap_err();
    assert_eq!(refusal.code, Code::ColumnsMissing);
    assert!(
        refusal.message.contains("MOXFIELD") && refusal.message.contains("\"Title\""),
        "{}",
        refusal.message
    );
    let plan = Plan::detect(&header, &[], Some(Platform::Moxfield)).unwrap();
    assert!(plan.columns[1].confidence > 0.9 && plan.columns[1].confidence < 1.0, "misspelt, and seen to be");
    let plan = Plan::detect(&header, &[], Some(Platform::Decklist)).unwrap();
    assert_eq!(plan.platform, Platform::Decklist);
}

#[test]
fn notes_and_tags_are_cut_not_refused() {
    let case = CASES.iter().find(|case| case.0 == Platform::Topdecked).unwrap();
    let tags: Vec<String> = (0..30).map(|n| format!("{n}{}", "t".repeat(60))).collect();
    let mut row = cells("1,Shock,m21,Core Set 2021,159,nonfoil,,common,,,,,,,,,,");
    row[16] = "ä\n".repeat(3_000);
    row[17] = tags.join(";");
    let plan = Plan::detect(&cells(case.1), std::slice::from_ref(&row), None).unwrap();
    let read = copies(plan.read(2, &row).unwrap()).remove(0);
    assert!((1_998..=2_000).contains(&read.notes.unwrap().chars().count()));
    assert_eq!((read.tags.len(), read.tags[0].chars().count()), (20, 50));
    let told = read.left_out.unwrap();
    for said in [
        "The notes are cut after 2,000 characters.",
        "A tag is cut after 50 characters.",
        "Of the tags the first 20 are kept.",
    ] {
        assert_eq!(told.matches(said).count(), 1, "{told}");
    }
    // Of what is kept whole nothing is said, and what is no id is passed over.
    row[16] = "ä".repeat(2_000);
    row[17] = (0..20).map(|n| format!("{n:050}")).collect::<Vec<_>>().join("; ");
    assert_eq!(copies(plan.read(2, &row).unwrap())[0].left_out, None);
    let plan =
        detect("Quantity,Name,Scryfall ID", &["1,Shock,1f8cdb18-4e62-4ee2-98b9-5c9e1f0a4c0e"]).unwrap();
    let read = copies(plan.read(3, &cells("1,Shock,not-an-id")).unwrap()).remove(0);
    assert_eq!(read.left_out.as_deref(), Some("Its Scryfall id is none, and was passed over."));
}
