//! Forms of values and words of the platforms, as tables.

use chrono::NaiveDate;
use entity::enums::{Condition, Currency, Finish};

use crate::domain::import::{Platform, marks, sets, values, vocabulary};
use crate::domain::market::Money;

#[test]
fn quantities() {
    for (text, expected) in [
        ("1", Some(1)),
        ("4x", Some(4)),
        ("x4", Some(4)),
        ("4 ×", Some(4)),
        ("4.0", Some(4)),
        ("4.00", Some(4)),
        ("007", Some(7)),
        ("0", Some(0)),
        ("100000", Some(100_000)),
        ("100001", None),
        ("99999999999999999999", None),
        ("1.5", None),
        ("1,000", None),
        ("4,0", Some(4)),
        ("4,00", Some(4)),
        ("4,5", None),
        ("1,0.0", None),
        ("-1", None),
        ("+1", None),
        ("x", None),
        ("", None),
        ("1e3", None),
        ("NaN", None),
        ("٤", None),
    ] {
        assert_eq!(values::quantity(text), expected, "{text}");
    }
}

#[test]
fn prices() {
    let usd = |amount| Some(Money { amount, currency: Currency::Usd });
    let eur = |amount| Some(Money { amount, currency: Currency::Eur });
    for (text, has_decimal_comma, expected) in [
        ("$5.48", false, usd(548)),
        ("€ 1,77", false, eur(177)),
        ("1,234.50", false, usd(123_450)),
        ("1.234,50 €", false, eur(123_450)),
        ("1 234,50", false, usd(123_450)),
        ("1'234.50", false, usd(123_450)),
        ("1,234", false, usd(123_400)),
        ("1,234", true, usd(123)),
        ("1.234", false, usd(123)),
        ("1.234", true, usd(123_400)),
        ("0.125", false, usd(13)),
        ("0,125", false, usd(13)),
        ("0.124", false, usd(12)),
        ("1,234,567.00", false, usd(123_456_700)),
        (".5", false, usd(50)),
        ("5", false, usd(500)),
        ("US$ 3", false, usd(300)),
        ("2.50 EUR", false, eur(250)),
        ("0.02 tix", false, Some(Money { amount: 2, currency: Currency::Tix })),
        ("9999999.99", false, usd(999_999_999)),
        ("9999999.995", false, None),
        ("10000000", false, None),
        ("-1", false, None),
        ("£5", false, None),
        ("1.2.3", false, None),
        ("1,2,3", false, None),
        ("1.234,567.8", false, None),
        (",", false, None),
        ("", false, None),
        ("1e5", false, None),
        ("99999999999999999999999", false, None),
        ("inf", false, None),
        ("٣", false, None),
    ] {
        assert_eq!(values::price(text, Currency::Usd, has_decimal_comma), expected, "{text}");
    }
}

#[test]
fn dates() {
    let day = |year, month, day| NaiveDate::from_ymd_opt(year, month, day);
    for (text, has_us_dates, expected) in [
        ("2024-05-31", false, day(2024, 5, 31)),
        ("2023-04-11T13:49:14.808Z", false, day(2023, 4, 11)),
        ("2025-10-09 19:20:29.120000", false, day(2025, 10, 9)),
        ("2024/05/31", false, day(2024, 5, 31)),
        ("20240531", false, day(2024, 5, 31)),
        ("1717113600", false, day(2024, 5, 31)),
        ("1717113600000", false, day(2024, 5, 31)),
        ("31.05.2024", false, day(2024, 5, 31)),
        ("5/31/2024", false, day(2024, 5, 31)),
        ("31/5/2024", false, day(2024, 5, 31)),
        ("09/10/2020", true, day(2020, 9, 10)),
        ("09/10/2020", false, None),
        ("9/10/20", true, day(2020, 9, 10)),
        ("May 31, 2024", false, day(2024, 5, 31)),
        ("31 May 2024", false, day(2024, 5, 31)),
        ("Fri May 31 2024 16:43:29 GMT+0200 (Central European Summer Time)", false, day(2024, 5, 31)),
        ("Thursday, 30 May 2024", false, day(2024, 5, 30)),
        ("May 31st, 2024", false, day(2024, 5, 31)),
        ("31. Mai 2024", false, day(2024, 5, 31)),
        ("Freitag, 31. Mai 2024", false, day(2024, 5, 31)),
        ("3. März 2024", false, day(2024, 3, 3)),
        ("31 mai 2024", false, day(2024, 5, 31)),
        ("1er févr. 2024", false, day(2024, 2, 1)),
        ("31 de mayo de 2024", false, day(2024, 5, 31)),
        ("31 maggio 2024", false, day(2024, 5, 31)),
        ("5 Sept. 2024", false, day(2024, 9, 5)),
        ("2024-Dez-31", false, day(2024, 12, 31)),
        ("2024年5月31日", false, day(2024, 5, 31)),
        ("31/05/2024, 16:43", false, day(2024, 5, 31)),
        ("2024-05-31 4:43 pm", false, day(2024, 5, 31)),
        ("45443", false, day(2024, 5, 31)),
        ("45443.69", false, day(2024, 5, 31)),
        ("33969", false, None),
        ("80000", false, None),
        ("32 mai 2024", false, None),
        ("2024-02-30", false, None),
        ("1992-12-31", false, None),
        ("0000-00-00", false, None),
        ("yesterday", false, None),
        ("Friday", false, None),
        ("Fri Fri May 31 2024", false, None),
        ("", false, None),
        ("99999999999999999999", false, None),
    ] {
        assert_eq!(values::date(text, has_us_dates.then_some(true)), expected, "{text}");
    }
}

#[test]
fn collector_numbers_and_names() {
    for (text, expected) in [
        ("116/350", "116"),
        ("#7", "7"),
        ("0042", "42"),
        ("741z", "741z"),
        ("DDC-49", "DDC-49"),
        ("128★", "128★"),
        ("0", "0"),
        ("12.0", "12"),
    ] {
        assert_eq!(values::collector_number(text).as_deref(), Some(expected));
    }
    assert_eq!(values::collector_number(" # "), None);
    for (text, expected) in [
        ("Fire // Ice", "Fire // Ice"),
        ("Fire / Ice", "Fire // Ice"),
        ("Fire/Ice", "Fire // Ice"),
        ("Fire//Ice", "Fire // Ice"),
        ("Who/What/When/Where/Why", "Who // What // When // Where // Why"),
        ("SP//dr, Piloted by Peni", "SP//dr, Piloted by Peni"),
        ("  Lightning   Bolt ", "Lightning Bolt"),
        ("Servo 1/1", "Servo 1/1"),
    ] {
        assert_eq!(values::name(text).as_deref(), Some(expected));
    }
    assert_eq!((values::name(" / "), values::outside_id("0"), values::outside_id("12a")), (None, None, None));
}

#[test]
fn conditions_by_platform() {
    use Condition::{Damaged, HeavilyPlayed, LightlyPlayed, ModeratelyPlayed, NearMint};
    for (words, expected) in [
        ("M MT NM Mint NearMint near_mint NM/M NM- neuwertig", NearMint),
        (
            "EX Excellent LP LightlyPlayed lightly_played SP light-play exzellent excelente Eccellente",
            LightlyPlayed,
        ),
        (
            "GD Good VG MP moderately_played PL Played gut bon bueno buono bom gespielt jugada",
            ModeratelyPlayed,
        ),
        ("HP heavily_played stark-bespielt très-joué muy-jugado molto-giocata muito_jogada", HeavilyPlayed),
        ("PO Poor D DMG Damaged beschädigt abîmé mauvais malo dañada rovinato danificado", Damaged),
        ("neuf nuevo nuovo novo parfait perfecto perfetto", NearMint),
    ] {
        for word in words.split_whitespace().filter(|word| *word != "light-play") {
            assert_eq!(vocabulary::condition(Platform::Generic, word), Some(expected), "{word}");
        }
    }
    for (platform, word, expected) in [
        (Platform::Cardmarket, "EX", LightlyPlayed),
        (Platform::Cardmarket, "GD", ModeratelyPlayed),
        (Platform::Cardmarket, "LP", ModeratelyPlayed),
        (Platform::Cardmarket, "PL", HeavilyPlayed),
        (Platform::Cardmarket, "PO", Damaged),
        (Platform::Deckbox, "Good (Lightly Played)", LightlyPlayed),
        (Platform::Deckbox, "Played", ModeratelyPlayed),
        (Platform::Deckbox, "Poor", Damaged),
        (Platform::Manabox, "good", LightlyPlayed),
        (Platform::Manabox, "light_played", ModeratelyPlayed),
        (Platform::DragonShield, "Played", HeavilyPlayed),
        (Platform::Cardkingdom, "VG", ModeratelyPlayed),
        (Platform::Cardkingdom, "G", HeavilyPlayed),
        (Platform::Generic, "PSA 9", NearMint),
        (Platform::Generic, "BGS 4.5", HeavilyPlayed),
    ] {
        assert_eq!(vocabulary::condition(platform, word), Some(expected), "{platform:?} {word}");
    }
    for word in ["", "2", "fine", "PSA", "PSA 99", "PSA NaN"] {
        assert_eq!(vocabulary::condition(Platform::Generic, word), None, "{word}");
    }
}

#[test]
fn finishes() {
    for (words, expected) in [
        (
            "foil,Foil,F,Yes,1,true,TRUE,x,✓,ja,oui,はい,Premium,Surge Foil,holofoil,フォイル",
            Some(Finish::Foil),
        ),
        ("Regular (non-foil),Not foil", Some(Finish::Nonfoil)),
        ("etched,Foil Etched,foil_etched,F-Etch,etchedFoil", Some(Finish::Etched)),
        ("normal,nonfoil,Non-foil,regular,No,0,false,nein", Some(Finish::Nonfoil)),
        ("perhaps,2,?,nonsense", None),
    ] {
        for word in words.split(',') {
            assert_eq!(vocabulary::finish(word), expected, "{word}");
        }
    }
}

#[test]
fn answers_to_whether_a_copy_has_a_mark() {
    for (words, expected) in [
        ("signed,Yes,S,x,X,1,true,TRUE,ja,oui,sì,✓,Artist Signed,altered by a friend", true),
        ("no,N,F,0,false,None,nein,non,não,faux,falsch,falso,いいえ,-", false),
        ("unsigned,UNALTERED,not signed,non-promo,No Proxy,nicht signiert,unsigniert,non signé", false),
    ] {
        for word in words.split(',') {
            assert_eq!(marks::is_yes(word), expected, "{word}");
        }
    }
}

#[test]
fn languages() {
    for (words, expected) in [
        ("en EN English eng US gb en-US 🇬🇧 Englisch inglés", Some("en")),
        ("de DE German Deutsch allemand 🇩🇪 de_DE", Some("de")),
        ("ja JP jp Japanese 日本語 🇯🇵", Some("ja")),
        ("zht CT zh_TW Traditional-Chinese T-Chinese Chinese(T) 🇹🇼 繁體中文 繁体中文", Some("zht")),
        ("zhs CS zh_CN zh-Hans S-Chinese Chinese(S) Chinese 🇨🇳 简体中文 中文 chinois-simplifié", Some("zhs")),
        ("pt PT pt-BR Portuguese Português", Some("pt")),
        ("ko KR 한국어 Koreanisch корейский", Some("ko")),
        ("ru русский Русский Russisch", Some("ru")),
        ("fr Français französisch французский", Some("fr")),
        ("es Español Spanisch испанский", Some("es")),
        ("it Italiano Italienisch", Some("it")),
        ("ph Phyrexian", Some("ph")),
        ("xx Klingon 🇽🇽 1", None),
    ] {
        for word in words.split(' ') {
            assert_eq!(vocabulary::language(Platform::Generic, word), expected, "{word}");
        }
    }
    for (text, expected) in [
        ("English (US)", Some("en")),
        ("English (UK)", Some("en")),
        ("Portuguese (Brazil)", Some("pt")),
        ("Spanish (Latin America)", Some("es")),
        ("de-AT", Some("de")),
        ("Chinese (Taiwan)", Some("zht")),
        ("Chinese (of some kind)", None),
        ("Klingon (US)", None),
        ("no-no", None),
    ] {
        assert_eq!(vocabulary::language(Platform::Generic, text), expected, "{text}");
    }
    assert_eq!(vocabulary::language(Platform::Cardmarket, "6"), Some("zhs"));
    assert_eq!(vocabulary::language(Platform::Cardmarket, "12"), None);
    assert_eq!(vocabulary::language(Platform::EchoMtg, "GR"), Some("de"));
}

#[test]
fn codes_and_names_of_sets() {
    for (platform, text, expected) in [
        (Platform::Mtgo, "MI", Some("mir")),
        (Platform::Mtgo, "MED", Some("me1")),
        (Platform::Moxfield, "MED", Some("med")),
        (Platform::Deckbox, "ex_127", None),
        (Platform::Deckbox, "1e", Some("lea")),
        (Platform::Tcgplayer, "LIST", Some("plst")),
        (Platform::Tcgplayer, "PPBLB", Some("pblb")),
        (Platform::Deckbox, "m21_pp", Some("pm21")),
        (Platform::Deckbox, "M21_PR", Some("pm21")),
        (Platform::Tappedout, "MYS1", Some("mb1")),
        (Platform::Tappedout, "EO2", Some("e02")),
        (Platform::Tappedout, "PFL", Some("pd2")),
        (Platform::Generic, "[M19]", Some("m19")),
        (Platform::Generic, "Core Set 2019", None),
    ] {
        assert_eq!(sets::set_code(platform, text).as_deref(), expected, "{text}");
    }
    for (text, expected) in [
        ("Magic 2010 (M10)", "Magic 2010"),
        ("10th Edition", "Tenth Edition"),
        ("Tenth Edition", "Tenth Edition"),
        ("Extras: Modern Horizons 2", "Modern Horizons 2 Tokens"),
        ("Universes Beyond: Fallout", "Fallout"),
        ("Commander: Bloomburrow", "Bloomburrow Commander"),
        ("Guild Kit: Azorius", "RNA Guild Kit"),
        ("Secret Lair Drop Series", "Secret Lair Drop"),
        ("Some Set Nobody Knows", "Some Set Nobody Knows"),
    ] {
        assert_eq!(sets::set_name(text).unwrap().0, expected);
    }
    for (text, name, code) in [
        ("Magic 2010 (M10)", "Magic 2010", Some("m10")),
        ("Core Set 2021 (m21)", "Core Set 2021", Some("m21")),
        ("Core Set 2021 [M21]", "Core Set 2021", Some("m21")),
        ("M21 - Core Set 2021", "Core Set 2021", Some("m21")),
        ("Core Set 2021 – M21", "Core Set 2021", Some("m21")),
        ("Dominaria (foil)", "Dominaria (foil)", None),
        ("Throne of Eldraine - Showcase", "Throne of Eldraine", None),
        ("Throne of Eldraine - Extended Art", "Throne of Eldraine", None),
        ("The List - Core Set 2021", "The List", None),
        ("The List - M21", "The List", None),
        ("Kaldheim Commander Decks", "Kaldheim Commander", None),
        ("Starter Commander Decks", "Starter Commander Decks", None),
        ("Magic 2015 Core Set", "Magic 2015", None),
        ("Art Series: Kaldheim", "Kaldheim Art Series", None),
    ] {
        let expected = Some((name.to_owned(), code.map(str::to_owned)));
        assert_eq!(sets::set_name(text), expected, "{text}");
    }
    let bare = |name| sets::bare_name(Platform::Tcgplayer, name).0;
    assert_eq!(bare("Forest (265)"), "Forest");
    assert_eq!(bare("Erase (Not the Urza's Legacy One)"), "Erase (Not the Urza's Legacy One)");
    assert_eq!(bare("Clue // Food Double-Sided Token"), "Clue // Food");
    assert_eq!(bare("Island (237) - Full Art"), "Island");
    assert_eq!(bare("Human (001) // Vampire (016) Double-Sided Token"), "Human // Vampire");
    let own = |name| sets::bare_name(Platform::Generic, name);
    assert_eq!(own("Shock (Foil)"), ("Shock".to_owned(), Some(Finish::Foil)));
    assert_eq!(own("Shock (Foil Etched)"), ("Shock".to_owned(), Some(Finish::Etched)));
    assert_eq!(own("Hazmat Suit (Used)"), ("Hazmat Suit (Used)".to_owned(), None));
}
