//! Each platform is known by its header, and its words are read as it means them.

use chrono::NaiveDate;
use entity::enums::{Condition, Currency, Finish, Provider};
use uuid::Uuid;

use super::{cells, copies, detect, problem, read_one};
use crate::domain::import::{Line, Plan, Platform, RowProblem};
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
        "Shock,Core Set 2021,Near Mint,true,tw,12345,00000000-0000-0000-0000-0000000000010,0.25",
        (1, "Shock", "", "", Some(Finish::Foil), NearMint, "zht"),
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
        Platform::Cardsphere,
        "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Scryfall ID,Last Modified",
        "1,1,Shock,Core Set 2021,MP,EN,F,,,2025-06-13 21:24:43.015018",
        (1, "Shock", "", "", Some(Finish::Foil), ModeratelyPlayed, "en"),
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
        Platform::DragonShield,
        "Folder Name,Quantity,Trade Quantity,Card Name,Set Code,Set Name,Card Number,Condition,Printing,Language,Price Bought,Date Bought",
        "Red things,1,0,Shock,M21,Core Set 2021,159etc,Excellent,Etched,Simplified Chinese,4.33,3/2/2021",
        (1, "Shock", "m21", "159", Some(Finish::Etched), LightlyPlayed, "zhs"),
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
        Platform::Moxfield,
        "Count,Tradelist Count,Name,Edition,Condition,Language,Foil,Tags,Last Modified,Collector Number,Alter,Playtest Card,Purchase Price",
        "1,1,Shock,m21,Damaged,Japanese,etched,,2025-10-09 19:20:29.120000,159,False,False,",
        (1, "Shock", "m21", "159", Some(Finish::Etched), Damaged, "ja"),
    ),
    (
        Platform::Mtggoldfish,
        "Card,Set ID,Set Name,Quantity,Foil",
        "Shock,M21,,3,",
        (3, "Shock", "m21", "", Some(Finish::Nonfoil), NearMint, ""),
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
        "1,Shock,Shock,Core Set 2021,159,M21,Foil,Near Mint,Chinese (S),Common,5,6",
        (1, "Shock", "m21", "159", Some(Finish::Foil), NearMint, "zhs"),
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
        Platform::Tcgplayer,
        "TCGplayer Id,Product Line,Set Name,Product Name,Title,Number,Rarity,Condition,TCG Market Price,Total Quantity,Add to Quantity",
        "9,Magic,Magic 2010 (M10),Shock,,146,C,Lightly Played Foil - Chinese (T),0.3,2,0",
        (2, "Shock", "m10", "146", Some(Finish::Foil), LightlyPlayed, "zht"),
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
    let manabox = "Name,Set code,Collector number,Foil,Quantity,ManaBox ID,Misprint,Altered,Signed,Condition,Language,Proxy";
    let row = "Shock,M21,159,normal,1,5,false,false,true,near_mint,en,true";
    assert_eq!(read_one(manabox, row).1.tags, ["signed", "proxy"]);
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

const URZAS_GATHERER: &str = "Name,Type,Color,Rarity,Author,Power,Toughness,Mana cost,Converted mana cost,Count,Foil count,Special foil count,Price,Foil price,Number,Set,Set code,ID,Multiverse ID,Comments,To trade,Condition,Grading,Languages,TCG ID,Cardmarket ID,Scryfall ID";

/// Such a row of Urza's Gatherer.
fn gathering(counts: &str, conditions: &str, languages: &str) -> Result<Line, RowProblem> {
    let mut row = cells("Shock,,,,,,,,,COUNTS,1,2,159,Core Set 2021,M21,1,7,,0,,,,3,4,");
    row.splice(9..10, counts.split(',').map(str::to_owned));
    (row[21], row[23]) = (conditions.to_owned(), languages.to_owned());
    let plan = Plan::detect(&cells(URZAS_GATHERER), std::slice::from_ref(&row), None).unwrap();
    assert_eq!(plan.platform, Platform::UrzasGatherer);
    plan.read(2, &row)
}

/// What it comes to: quantity, finish, condition and language of each part; and what is said of it.
fn gathered(counts: &str, conditions: &str, languages: &str) -> (Vec<Part>, Option<String>) {
    let rows = copies(gathering(counts, conditions, languages).unwrap());
    let told = rows.first().and_then(|row| row.left_out.clone());
    let parts = rows.into_iter().map(|row| {
        let language = row.language.unwrap_or_default();
        (row.quantity, row.finish.unwrap(), row.condition, language)
    });
    (parts.collect(), told)
}

type Part = (i32, Finish, Condition, String);

#[test]
fn urzas_gatherer_counts_foils_among_all_copies() {
    let counts = |counts| {
        let (parts, told) = gathered(counts, "", "");
        assert_eq!(told, None);
        parts.into_iter().map(|(quantity, finish, ..)| (quantity, finish)).collect::<Vec<_>>()
    };
    assert_eq!(counts("10,3,0"), [(7, Finish::Nonfoil), (3, Finish::Foil)]);
    assert_eq!(counts("6,2,1"), [(3, Finish::Nonfoil), (2, Finish::Foil), (1, Finish::Etched)]);
    assert_eq!(counts("1,1,0"), [(1, Finish::Foil)]);
    assert_eq!(counts("1,0,1"), [(1, Finish::Etched)]);
    assert_eq!(counts("4,0,0"), [(4, Finish::Nonfoil)]);
    assert_eq!(counts("1,2,0"), [(2, Finish::Foil)], "never fewer than none");
    assert_eq!(gathering("0,0,0", "", "").unwrap_err().code, Code::RowInvalidValue);
}

#[test]
fn urzas_gatherer_says_of_each_copy_what_it_is_like() {
    use Finish::{Foil, Nonfoil};
    let part =
        |quantity, finish, condition, language: &str| (quantity, finish, condition, language.to_owned());
    let (parts, told) = gathered("6,2,1", "6xGood", "6xGerman");
    assert_eq!(parts.iter().map(|part| part.0).collect::<Vec<_>>(), [3, 2, 1]);
    assert!(parts.iter().all(|part| (part.2, part.3.as_str()) == (ModeratelyPlayed, "de")), "{parts:?}");
    assert_eq!(told, None);

    let (parts, told) = gathered("3,0,0", "1xMint, 1xExcellent, 1xPoor", "");
    let expected = [NearMint, LightlyPlayed, Damaged].map(|condition| part(1, Nonfoil, condition, ""));
    assert_eq!((parts.as_slice(), told), (expected.as_slice(), None));

    let (parts, told) = gathered("3,0,0", "1xLight played, 2xPlayed", "2xEnglish, 1xGerman");
    let expected = [
        part(1, Nonfoil, ModeratelyPlayed, "en"),
        part(1, Nonfoil, HeavilyPlayed, "en"),
        part(1, Nonfoil, HeavilyPlayed, "de"),
    ];
    assert_eq!(parts, expected);
    assert!(told.unwrap().contains("languages"), "which are German is a guess");

    let (parts, told) = gathered("3,1,0", "2xMint, 1xGood", "");
    assert_eq!(parts, [part(2, Nonfoil, NearMint, ""), part(1, Foil, ModeratelyPlayed, "")]);
    assert!(told.unwrap().contains("conditions"), "that the foil is the worse one is a guess");

    for (conditions, condition) in
        [("1xGood", ModeratelyPlayed), ("1xPoor, 1xMint", Damaged), ("9xMint, 9xPoor", NearMint)]
    {
        let (parts, told) = gathered("4,1,0", conditions, "");
        assert_eq!(parts, [part(3, Nonfoil, condition, ""), part(1, Foil, condition, "")], "{conditions}");
        assert_eq!(
            told.as_deref(),
            Some("Its conditions are not as many as its copies: the first is taken for all."),
            "{conditions}"
        );
    }
    let row = "Shock,,,,,,,,,1,0,0,1,2,159,Core Set 2021,M21,1,7,,0,1xFine,,,3,4,";
    assert_eq!(problem(URZAS_GATHERER, row).code, Code::RowInvalidValue);
}

#[test]
fn tappedout_says_more_than_a_finish_in_one_cell() {
    let case = CASES.iter().find(|case| case.0 == Platform::Tappedout).unwrap();
    for (said, finish, tags, is_told) in [
        ("-", Finish::Nonfoil, &[][..], false),
        ("f", Finish::Foil, &[], false),
        ("f-etch", Finish::Etched, &[], false),
        ("pp", Finish::Nonfoil, &["promo pack"], true),
        ("f-pp", Finish::Foil, &["promo pack"], true),
        ("f-pre", Finish::Foil, &["prerelease"], true),
        ("pre", Finish::Nonfoil, &["prerelease"], true),
        ("list", Finish::Nonfoil, &["The List"], true),
    ] {
        let row = read_one(case.1, &format!("1,Shock,M21,159,{said},-,-,SL,EN,-")).1;
        assert_eq!((row.finish, row.set_code.as_deref()), (Some(finish), Some("m21")), "{said}");
        assert_eq!(
            (row.tags, row.left_out.is_some()),
            (tags.iter().map(|tag| (*tag).to_owned()).collect(), is_told)
        );
    }
    for set in ["", "PLIST"] {
        let row = read_one(case.1, &format!("1,Shock,{set},,list,-,-,SL,EN,-")).1;
        assert_eq!((row.set_code.as_deref(), row.left_out), (Some("plst"), None), "{set}");
    }
    let row = read_one(case.1, "1,Shock,000,2,f,-,-,SL,EN,-").1;
    assert_eq!(
        (row.set_code, row.finish),
        (None, Some(Finish::Foil)),
        "a promo of a set that it does not know"
    );
    // Its cell may hold a language, and the number a promo pack.
    let row = read_one(case.1, "1,Shock,M21,PromoPack,JA,-,-,SL,EN,-").1;
    assert_eq!((row.finish, row.language.as_deref()), (Some(Finish::Nonfoil), Some("ja")));
    assert_eq!((row.collector_number, row.tags.as_slice()), (None, ["promo pack".to_owned()].as_slice()));
    assert_eq!(problem(case.1, "1,Shock,M21,159,perhaps,-,-,SL,EN,-").code, Code::RowInvalidValue);
}

#[test]
fn an_f_is_for_foil_unless_the_column_asks_whether_it_is() {
    for (header, said, finish) in [
        ("Foil", "F", Finish::Foil),
        ("Foil", "f", Finish::Foil),
        ("Foil", "N", Finish::Nonfoil),
        ("Finish", "F", Finish::Foil),
        ("Foil?", "F", Finish::Nonfoil),
        ("Foil?", "T", Finish::Foil),
        ("is_foil", "F", Finish::Nonfoil),
    ] {
        let (plan, row) =
            read_one(&format!("Quantity,Card Name,Set Code,{header}"), &format!("1,Shock,M21,{said}"));
        assert_eq!((plan.platform, row.finish), (Platform::Generic, Some(finish)), "{header} {said}");
    }
}

#[test]
fn cardcastle_has_scryfalls_ids_under_another_name() {
    let id = "8b2f8b1c-6c3e-4a25-9d0c-6f1f5f0c7a10";
    let scryfall = Uuid::parse_str(id).unwrap();
    let header =
        "Card Name,Set Name,Condition,Foil,Language,Multiverse ID,JSON ID,Price USD,TCGPlayer Product ID";
    for written in [id.to_owned(), format!("{id}0")] {
        let row = read_one(header, &format!("Shock,Core Set 2021,Near Mint,true,en,,{written},0.25,55")).1;
        assert_eq!((row.scryfall_id, row.left_out), (Some(scryfall), None), "{written}");
        let ids = [(Provider::Mtgjson, id.to_owned()), (Provider::Tcgplayer, "55".to_owned())];
        assert_eq!(row.outside_ids, ids, "{written}");
    }
    let header = "Count,Card Name,Set Name,Collector Number,Foil,JSON ID";
    let row = read_one(header, &format!("2,Shock,Core Set 2021,159,false,{id}")).1;
    assert_eq!((row.quantity, row.scryfall_id), (2, Some(scryfall)));
    // A figure too many is a mistake elsewhere.
    let row = read_one("extras,name,scryfall_id,quantity", &format!(",Shock,{id}0,1")).1;
    assert_eq!((row.scryfall_id, row.left_out.is_some()), (None, true));
}

#[test]
fn sets_that_are_called_etched_are_the_etched_cards_of_another() {
    let find = |platform| CASES.iter().find(|case| case.0 == platform).unwrap();
    let cardsphere = find(Platform::Cardsphere);
    for set in ["Commander Legends - Etched Foil", "Commander Legends Etched Foil"] {
        let row = read_one(cardsphere.1, &format!("1,1,Shock,{set},SP,EN,F,,,2025-01-01")).1;
        assert_eq!(
            (row.set_name.as_deref(), row.finish),
            (Some("Commander Legends"), Some(Finish::Etched)),
            "{set}"
        );
    }
    let deckbox = find(Platform::Deckbox);
    let row = deckbox.2.replace("Core Set 2021,m21", "Commander Legends Etched,CMR_E");
    let row = read_one(deckbox.1, &row).1;
    assert_eq!(row.set_code.as_deref(), Some("cmr"));
    assert_eq!((row.set_name.as_deref(), row.finish), (Some("Commander Legends"), Some(Finish::Etched)));
}

#[test]
fn helvaults_extras_are_a_finish_and_marks() {
    let case = CASES.iter().rfind(|case| case.0 == Platform::Helvault).unwrap();
    for (extras, finish, tags) in [
        ("proxy/signed/alteredArt", None, &["proxy", "signed", "altered"][..]),
        ("preRelease/foil", Some(Finish::Foil), &["preRelease"]),
        ("etchedFoil", Some(Finish::Etched), &[]),
    ] {
        let row = read_one(case.1, &format!("{extras}{}", case.2)).1;
        assert_eq!(
            (row.finish, row.tags.iter().map(String::as_str).collect::<Vec<_>>()),
            (finish, tags.to_vec())
        );
    }
}

#[test]
fn finishes_that_are_counted_apart_are_rows_of_their_own() {
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
    for status in ["Not Owned", "Ordered", "Borrowed"] {
        let not_owned = plan.read(2, &cells(&case.2.replace("Owned", status)));
        assert_eq!(not_owned, Ok(Line::Nothing("The row is of a card that is not owned.")), "{status}");
    }
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
