//! Headers that nobody foresaw.

use chrono::NaiveDate;
use entity::enums::{Condition, Currency, Finish};

use super::{cells, copies, detect, field_of, problem, read_one};
use crate::domain::import::{Field, Plan, Platform};
use crate::domain::market::Money;
use crate::error::Code;

/// What a column of the field may hold, so that its look does not speak against it.
fn example(field: Field) -> &'static str {
    match field {
        Field::Quantity => "3",
        Field::Name => "Lightning Bolt",
        Field::Set | Field::SetCode => "M21",
        Field::SetName => "Core Set 2021",
        Field::CollectorNumber => "159",
        Field::Finish => "foil",
        Field::Condition => "NM",
        Field::Language => "de",
        Field::Price => "1.50",
        Field::Currency => "EUR",
        Field::AcquiredOn => "2024-05-31",
        Field::TcgplayerId | Field::CardmarketId | Field::MultiverseId | Field::MtgoId => "4711",
        Field::ScryfallId => "00000000-0000-0000-0000-000000000001",
        _ => "a word",
    }
}

/// Field, language, and what its speakers may call it.
const VARIATIONS: &[(Field, &[&str])] = &[
    (
        Field::Quantity,
        &[
            "Qty",
            "QUANTITY",
            "# of cards",
            "Quantitty",
            "Anzahl",
            "Menge",
            "Quantité",
            "Cantidad",
            "Quantità",
            "Quantidade",
            "枚数",
            "Количество",
            "Aantal",
        ],
    ),
    (
        Field::Name,
        &[
            "Card_Name",
            "cardName",
            "Card",
            "Kartenname",
            "Karte",
            "Nom de la carte",
            "Nombre de la carta",
            "Carta",
            "Nome della carta",
            "Nome da carta",
            "カード名",
            "カード",
            "Название",
            "카드 이름",
        ],
    ),
    (
        Field::SetCode,
        &[
            "Set Code",
            "SetCode",
            "set-code",
            "Expansion Code",
            "Set",
            "Ausgabe",
            "Code édition",
            "Código de edición",
            "Codice set",
            "セットコード",
        ],
    ),
    (
        Field::SetName,
        &[
            "Set Name",
            "Edition Name",
            "Expansion",
            "Erweiterung",
            "Extension",
            "Edición",
            "Espansione",
            "Coleção",
            "セット名",
        ],
    ),
    (
        Field::CollectorNumber,
        &[
            "Collector Number",
            "Collectors No.",
            "Collector #",
            "No.",
            "Sammlernummer",
            "Numéro de collection",
            "Número",
            "Numero carta",
            "Número da carta",
            "コレクター番号",
            "Nr.",
        ],
    ),
    (
        Field::Finish,
        &["Foil?", "Is Foil", "Finish", "Foliert", "Finition", "Acabado", "Finitura", "フォイル"],
    ),
    (
        Field::Condition,
        &[
            "Condition",
            "Cond.",
            "Card condition",
            "Zustand",
            "Erhaltung",
            "État",
            "Estado",
            "Condizioni",
            "Condição",
            "状態",
            "Состояние",
        ],
    ),
    (
        Field::Language,
        &["Lang", "LANGUAGE", "Languages", "Sprache", "Langue", "Idioma", "Lingua", "言語", "Язык"],
    ),
    (
        Field::Price,
        &[
            "Price paid",
            "Purchase_Price",
            "Kaufpreis",
            "Prix d'achat",
            "Precio de compra",
            "Prezzo di acquisto",
            "Preço",
            "購入価格",
            "Цена",
        ],
    ),
    (Field::Currency, &["Currency", "Währung", "Devise", "Moneda", "Valuta", "Moeda", "通貨"]),
    (
        Field::AcquiredOn,
        &[
            "Date acquired",
            "Purchase Date",
            "Kaufdatum",
            "Date d'achat",
            "Fecha de compra",
            "Data di acquisto",
            "Data de compra",
            "購入日",
        ],
    ),
    (Field::Notes, &["Notes", "Comment", "Bemerkung", "Commentaire", "Comentarios", "Commenti", "メモ"]),
    (Field::Tags, &["Tags", "Labels", "Schlagwörter", "Étiquettes", "Etiquetas", "Etichette", "タグ"]),
    (
        Field::Folder,
        &["Binder", "Folder", "Ordner", "Classeur", "Carpeta", "Raccoglitore", "Fichário", "バインダー"],
    ),
    (Field::ScryfallId, &["Scryfall ID", "scryfall_id", "ScryfallId", "uid"]),
    (Field::MultiverseId, &["Multiverse ID", "MVID"]),
    (Field::TcgplayerId, &["TCGplayer ID", "tcgplayer_product_id"]),
    (Field::CardmarketId, &["MKM ID", "idProduct"]),
];

#[test]
fn columns_are_known_by_what_they_are_called_in_seven_languages() {
    let count: usize = VARIATIONS.iter().map(|(_, names)| names.len()).sum();
    assert!(count >= 100, "{count}");
    for (field, names) in VARIATIONS {
        for name in *names {
            let beside = if *field == Field::Name { ("Qty", "2") } else { ("Card name", "Shock") };
            let header =
                vec![beside.0.to_owned(), (*name).to_owned(), "Rarity".to_owned(), "Artist".to_owned()];
            let row: Vec<_> =
                [beside.1, example(*field), "common", "Jo Doe"].into_iter().map(str::to_owned).collect();
            let plan = Plan::detect(&header, &[row], None).unwrap();
            assert_eq!(field_of(&plan, name), Some(*field), "{name}: {:?}", plan.columns);
            assert_eq!((plan.platform, field_of(&plan, "Rarity")), (Platform::Generic, None));
            assert!(plan.columns.iter().all(|column| (0.0..=1.0).contains(&column.confidence)));
        }
    }
}

#[test]
fn a_german_table_is_read_whole() {
    let header: Vec<_> = [
        "Anzahl",
        "Kartenname",
        "Erweiterung",
        "Nummer",
        "Zustand",
        "Sprache",
        "Foliert",
        "Kaufpreis",
        "Kaufdatum",
        "Ordner",
        "Notizen",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    let row: Vec<_> = [
        "2x",
        "Feuer/Eis",
        "Apocalypse (APC)",
        "#128/143",
        "leicht bespielt",
        "deutsch",
        "ja",
        "€ 1,77",
        "31.05.2024",
        "Rote Karten",
        "vom Markt",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    let plan = Plan::detect(&header, std::slice::from_ref(&row), None).unwrap();
    let read = copies(plan.read(2, &row).unwrap()).remove(0);
    assert_eq!((read.quantity, read.name.as_deref()), (2, Some("Feuer // Eis")));
    assert_eq!((read.set_name.as_deref(), read.set_code.as_deref()), (Some("Apocalypse"), Some("apc")));
    assert_eq!((read.collector_number.as_deref(), read.language.as_deref()), (Some("128"), Some("de")));
    assert_eq!((read.condition, read.finish), (Condition::LightlyPlayed, Some(Finish::Foil)));
    assert_eq!(read.price, Some(Money { amount: 177, currency: Currency::Eur }));
    assert_eq!(read.acquired_on, NaiveDate::from_ymd_opt(2024, 5, 31));
    assert_eq!(
        (read.tags.as_slice(), read.notes.as_deref()),
        (["Rote Karten".to_owned()].as_slice(), Some("vom Markt"))
    );
}

#[test]
fn what_a_column_holds_outweighs_its_header() {
    let (plan, row) = read_one("Count,Set,Copies", "Lightning Bolt,M21,4");
    assert_eq!((field_of(&plan, "Count"), row.quantity), (Some(Field::Name), 4));
    let sure = |header: &str| plan.columns.iter().find(|column| column.column == header).unwrap().confidence;
    assert!(sure("Count") < sure("Copies"), "and is less sure");

    let (plan, row) = read_one("Card,Number,Edition", "00000000-0000-0000-0000-000000000001,7,Core Set 2021");
    assert_eq!(field_of(&plan, "Card"), Some(Field::ScryfallId));
    assert_eq!((row.name, row.set_name.as_deref()), (None, Some("Core Set 2021")));

    let (plan, row) = read_one("Name,Edition,Set code", "Shock,M21,Core Set 2021");
    assert_eq!(field_of(&plan, "Set code"), Some(Field::SetName));
    assert_eq!((row.set_code.as_deref(), row.set_name.as_deref()), (Some("m21"), Some("Core Set 2021")));
}

#[test]
fn a_decimal_comma_is_learnt_from_the_column() {
    let rows = ["Shock;1,50", "Opt;1.234", "Duress;2,5"]
        .map(|row| row.split(';').map(str::to_owned).collect::<Vec<_>>());
    let plan = Plan::detect(&cells("Card name,Price"), &rows, None).unwrap();
    let price = |row: &[String]| copies(plan.read(2, row).unwrap()).remove(0).price.unwrap().amount;
    assert_eq!([price(&rows[0]), price(&rows[1]), price(&rows[2])], [150, 123_400, 250]);
}

#[test]
fn values_of_known_columns_are_refused_not_dropped() {
    for (header, row) in [
        ("Card name,Condition", "Shock,so so"),
        ("Card name,Foil", "Shock,so so"),
        ("Card name,Language", "Shock,so so"),
        ("Card name,Purchase date", "Shock,09/10/2020"),
    ] {
        let problem = problem(header, row);
        assert_eq!(problem.code, Code::RowInvalidValue, "{header}");
        assert!(problem.message.contains(header.split(',').next_back().unwrap()), "{}", problem.message);
    }
}

#[test]
fn too_little_is_refused_with_what_was_found() {
    let refusal = detect("Anzahl,Zustand,Namen der Spieler", &["3,NM,7"]).unwrap_err();
    assert_eq!(refusal.code, Code::ColumnsMissing);
    for word in ["quantity", "condition", "\"Namen der Spieler\""] {
        assert!(refusal.message.contains(word), "{}", refusal.message);
    }
    for (header, row) in [
        ("a,b,c", "1,2,3"),
        ("Name,Email,Phone", "Jo Doe,jo@example.org,123"),
        ("customerID,gender,Partner,tenure,Contract", "7590-VHVEG,Female,Yes,1,Month-to-month"),
        ("", ""),
    ] {
        let refusal = detect(header, &[row]).unwrap_err();
        assert_eq!(refusal.code, Code::PlatformUnknown, "{header}: {}", refusal.message);
    }
    assert_eq!(Plan::detect(&[], &[], None).unwrap_err().code, Code::PlatformUnknown);
}

#[test]
fn hostile_cells_are_values_like_any_other() {
    let long = "x".repeat(70_000);
    let hostile = [
        "=cmd|'/c calc'!A0",
        "'; drop table cards; --",
        "<script>",
        "\0\0",
        "\u{202e}",
        "🇩",
        "(",
        ")",
        "[",
        "//",
        "/",
        "(()",
        " (",
        "ä",
        "€",
        "-",
        "x",
        "×",
        "9999999999999999999999",
        "1e999",
        "NaN",
        "'",
        "\"",
        "\u{feff}",
        "日本",
        "🇩🇪",
        "^",
        "*",
        "**",
        "SB:",
        "SB",
        "sb:é",
        "1 (",
        "4 *F*",
        "4 [",
        "1 <",
        "1 ^^",
        "1 #",
        "ab€cdef",
        "SP//d€",
        long.as_str(),
    ];
    let headers = [
        "Count,Name,Edition,Condition,Language,Foil,Collector Number,Alter,Proxy,Purchase Price,Tags",
        "Quantity,Card name,Set,Number,Price,Date,Foil,Condition,Language,Notes,Scryfall ID",
    ];
    for header in headers {
        let header = cells(header);
        let plan = Plan::detect(&header, &[], None).unwrap();
        for cell in hostile {
            for at in 0..header.len() {
                let mut row = vec![String::new(); header.len()];
                row[0] = "1".to_owned();
                row[1] = "Shock".to_owned();
                row[at] = cell.to_owned();
                let _ = plan.read(2, &row);
            }
            // As headers, as samples, as lines of a list.
            let _ = Plan::detect(&vec![cell.to_owned(); 3], &[vec![cell.to_owned(); 5]], None);
            let _ = Plan::decklist().read_line(&mut crate::domain::import::Section::default(), 1, cell);
            let _ = Plan::looks_like_decklist(&[cell.to_owned()]);
            for platform in Platform::ALL {
                let _ = Plan::detect(&[cell.to_owned()], &[], Some(*platform));
            }
        }
    }
    let (_, row) = read_one("Card name,Notes", "=1+1 is a name,two\u{0}words");
    assert_eq!((row.name.as_deref(), row.notes.as_deref()), (Some("=1+1 is a name"), Some("twowords")));
}
