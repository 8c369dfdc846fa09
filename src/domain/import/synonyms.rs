//! What fields are called by people who make their own tables, in several languages.

use super::columns::Field;
use Field::*;

/// Names of fields, apart by commas: English, German, French, Spanish, Italian, Portuguese, Japanese, Chinese, Korean,
/// Russian, and some of Dutch and Polish. A word that means one thing here and another there stands in both places: the
/// look of the values decides.
pub(super) const SYNONYMS: &[(Field, &str)] = &[
    (
        Quantity,
        "quantity, qty, count, amount, copies, number of copies, owned, qty owned, how many, total, \
         total quantity, # of cards, anzahl, menge, stückzahl, stück, quantité, qté, nombre, \
         exemplaires, nombre d'exemplaires, cantidad, cant, unidades, copias, quantità, qta, copie, \
         numero di copie, quantidade, qtd, qtde, cópias, 枚数, 数量, 수량, количество, кол-во, aantal, \
         ilość, reg qty, nonfoil, normal, regular, have, have qty, own",
    ),
    (FoilQuantity, "foil qty, foil quantity, foil count, foils, quantity foil, anzahl foil"),
    (EtchedQuantity, "etched qty, etched quantity, etched count, special foil count"),
    (
        Name,
        "name, card name, card, cardname, title, card title, english name, product name, name of card, \
         nombre, karte, kartenname, name der karte, englischer name, nom, nom de la carte, carte, \
         titre, nombre de la carta, carta, nombre carta, nombre en inglés, nome, nome carta, \
         nome della carta, nome da carta, カード名, カード, 名前, 名称, 卡牌名称, 卡名, 카드 이름, \
         카드명, название, имя карты, карта, kaartnaam, nazwa, nazwa karty",
    ),
    (
        Set,
        "set, card set, edition, expansion, series, release, printed in, ausgabe, erweiterung, édition, \
         extension, série, edición, expansión, colección, edizione, espansione, edição, expansão, \
         coleção, セット, エキスパンション, 系列, 版本, 세트, издание, набор, выпуск, editie, edycja",
    ),
    (
        SetCode,
        "set code, edition code, set id, set abbreviation, set abbr, expansion code, set symbol, \
         setcode, abbreviation, kürzel, set-kürzel, editionscode, code édition, code de l'extension, \
         code extension, código de edición, código de expansión, código edición, codice set, \
         codice edizione, codice espansione, código da edição, código da coleção, セットコード, \
         セット略号, 系列代码, код издания, код набора",
    ),
    (
        SetName,
        "set name, edition name, expansion name, name of set, setname, set-name, editionsname, \
         name der edition, name der erweiterung, nom de l'extension, nom de l'édition, nom extension, \
         nombre de edición, nombre de la edición, nombre de expansión, nome set, nome edizione, \
         nome dell'espansione, nome da edição, nome da coleção, セット名, エキスパンション名, \
         название набора, название издания",
    ),
    (
        CollectorNumber,
        "collector number, collector no, collector #, collectors number, collector's number, \
         card number, card no, card #, set number, number, no, nr, #, cn, num, sammlernummer, \
         kartennummer, nummer, numéro, numéro de collection, numéro de carte, \
         numéro de collectionneur, número, número de coleccionista, número de colección, numero, \
         numero di collezione, numero collezionista, numero carta, número de colecionador, \
         número de coleção, número da carta, コレクター番号, カード番号, 番号, 编号, 收藏编号, номер, \
         номер карты, коллекционный номер",
    ),
    (ScryfallId, "scryfall id, scryfall uuid, scryfall, scryfall card id, sf id, scryfall-id"),
    (
        TcgplayerId,
        "tcgplayer id, tcgplayer product id, tcg id, tcg product id, tcgplayer, tcgplayer etched id",
    ),
    (CardmarketId, "cardmarket id, mkm id, mcm id, id product, cardmarket product id, magiccardmarket id"),
    (CardKingdomId, "card kingdom id, ck id, cardkingdom id, card kingdom product id"),
    (MtgoId, "mtgo id, mtgo, magic online id, mtgo card id, cat id"),
    (ArenaId, "arena id, mtga id, arena, mtg arena id"),
    (MultiverseId, "multiverse id, mvid, gatherer id, multiverseid, gatherer, multiverse"),
    (MtgjsonId, "mtgjson id, mtgjson uuid, mtgjson, mtg json id"),
    (
        Finish,
        "foil, finish, is foil, foil?, printing, premium, foiling, foil status, foil/normal, etched, \
         is etched, foil etched, etched foil, is etched foil, \
         treatment, foliert, folie, oberfläche, ausführung, finition, brillante, premium?, est foil, \
         acabado, es foil, finitura, é foil, acabamento, laminada, フォイル, 仕上げ, 加工, 闪卡, 闪, \
         포일, фойл, фольга",
    ),
    (
        Condition,
        "condition, cond, grade, quality, card condition, state, wear, grading, zustand, erhaltung, \
         qualität, erhaltungszustand, état, qualité, condition de la carte, estado, condición, \
         calidad, condizione, condizioni, stato, qualità, condição, qualidade, estado da carta, 状態, \
         コンディション, 品相, 상태, состояние, качество, conditie, stan",
    ),
    (
        Language,
        "language, lang, card language, locale, languange, sprache, kartensprache, langue, idioma, \
         lengua, lingua, língua, linguagem, 言語, 语言, 언어, язык, taal, język",
    ),
    (
        Price,
        "price, purchase price, acquired price, my price, price paid, paid, bought for, cost, \
         buy price, price bought, price each, unit price, acquisition price, cost basis, preis, \
         kaufpreis, einkaufspreis, bezahlt, prix, prix d'achat, prix payé, coût, precio, \
         precio de compra, precio pagado, prezzo, prezzo di acquisto, prezzo d'acquisto, \
         prezzo pagato, preço, preço de compra, preço pago, 価格, 購入価格, 買値, 购买价格, 가격, \
         цена, цена покупки, prijs, cena",
    ),
    (
        Currency,
        "currency, purchase price currency, price currency, currency code, währung, devise, monnaie, \
         moneda, divisa, valuta, moeda, 通貨, 货币, валюта",
    ),
    (
        AcquiredOn,
        "acquired date, date acquired, date added, acquired on, acquired, purchase date, date bought, \
         date purchased, bought on, added, date, added on, kaufdatum, erworben am, datum, gekauft am, \
         hinzugefügt am, date d'achat, date d'acquisition, acheté le, fecha de compra, fecha, \
         fecha de adquisición, data di acquisto, data acquisto, data, data de compra, data da compra, \
         購入日, 取得日, 入手日, 购买日期, дата, дата покупки",
    ),
    (
        Notes,
        "notes, note, comment, comments, remark, remarks, annotation, memo, description, notiz, \
         notizen, kommentar, bemerkung, anmerkung, commentaire, commentaires, remarques, nota, notas, \
         comentario, comentarios, observaciones, commento, commenti, annotazioni, comentário, \
         comentários, observações, メモ, 備考, コメント, 备注, заметки, комментарий",
    ),
    (
        Tags,
        "tags, tag, labels, label, category, categories, schlagworte, schlagwörter, etiketten, \
         kategorie, étiquettes, étiquette, catégorie, etiquetas, etiqueta, categoría, etichette, \
         etichetta, categoria, タグ, 标签, теги, метки",
    ),
    (
        Folder,
        "folder, binder, folder name, binder name, list, list name, location, storage, box, \
         collection, album, deck, deck name, container, ordner, sammelordner, lagerort, mappe, \
         classeur, dossier, emplacement, carpeta, archivador, ubicación, raccoglitore, cartella, \
         posizione, fichário, pasta, localização, フォルダ, バインダー, 保管場所, 文件夹, папка",
    ),
    (
        Owned,
        "owned, own, own it, have, have it, got, got it, in collection, vorhanden, im besitz, possédé, \
         possédée, tengo, lo tengo, posseduto, posseduta",
    ),
    (
        Wanted,
        "wishlist, wish list, wishlist quantity, wishlist qty, wishlist count, qty wishlist, want, wants, \
         wanted, want list, wantlist, want qty, want quantity, want count, qty wanted, quantity wanted, \
         wanted qty, wanted quantity, number wanted, wunschliste, wunschzettel, gesucht, anzahl gesucht, \
         recherché, recherchée, liste de souhaits, souhaits, deseos, lista de deseos, desiderata, \
         lista desideri, lista dei desideri, lista de desejos",
    ),
    (Mark, "signed, altered, misprint, proxy, artist proof, signiert, alter, is signed"),
];

/// Columns that tell of the card, or of the shop, not of the copy: they are never taken for something else by their
/// look or for their likeness to another word.
pub(super) const PASSED_OVER: &str = "rarity, color, colors, colour, color identity, type, card type, type line, mana cost, cmc, \
     mana value, artist, author, power, toughness, loyalty, text, oracle text, rules text, \
     flavor text, image, image url, image uri, url, link, market price, trade quantity, \
     tradelist count, last modified, last updated, seltenheit, farbe, typ, rareté, couleur, \
     rareza, rarità, raridade, レアリティ, oracle id, variation, language id, sku, email, phone, \
     address, card text, foil price, low, mid, high, avg, trend, simple name, local name, binder type, \
     color category, product line, market value, owner, status";

/// Words that mean a field where no other column says it more plainly: beside a "purchase price" a "price" is the market's.
pub(super) const BARE: &str = "price, cost, unit price, price each, preis, prix, coût, precio, prezzo, preço, \
     価格, 가격, цена, prijs, cena, date, added, date added, added on, datum, hinzugefügt am, fecha, data, \
     дата, total, number, no, nr, #, num, nummer, numéro, número, numero, 番号, 编号, номер, name, title, nom, \
     titre, nome, nombre, nazwa, 名前, 名称, название, nonfoil, normal, regular, have, own, owned";

/// Parts of words for prices that nobody has paid.
pub(super) const OF_MARKETS: [&str; 12] = [
    "market", "trend", "low", "high", "avg", "average", "retail", "buylist", "sale", "sell", "foil", "change",
];
