//! The apps whose exports are known, and the columns by which each is known.

use super::columns::Field;
use Field::*;

macro_rules! platforms {
    ($($variant:ident = $name:literal;)*) => {
        /// Whose export a file is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Platform { $($variant,)* }

        impl Platform {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// `DRAGON_SHIELD`
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            pub fn of_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

platforms! {
    Archidekt = "ARCHIDEKT";
    Cardcastle = "CARDCASTLE";
    Cardkingdom = "CARDKINGDOM";
    Cardmarket = "CARDMARKET";
    Cardsphere = "CARDSPHERE";
    Cubecobra = "CUBECOBRA";
    Deckbox = "DECKBOX";
    DeckedBuilder = "DECKED_BUILDER";
    Decklist = "DECKLIST";
    Deckstats = "DECKSTATS";
    DelverLens = "DELVER_LENS";
    DragonShield = "DRAGON_SHIELD";
    EchoMtg = "ECHO_MTG";
    Generic = "GENERIC";
    Helvault = "HELVAULT";
    Manabox = "MANABOX";
    Moxfield = "MOXFIELD";
    Mtggoldfish = "MTGGOLDFISH";
    Mtgo = "MTGO";
    Tappedout = "TAPPEDOUT";
    Tcgplayer = "TCGPLAYER";
    Topdecked = "TOPDECKED";
    UrzasGatherer = "URZAS_GATHERER";
}

impl Platform {
    /// Whether its dates put the month before the day.
    pub(super) fn has_us_dates(self) -> bool {
        matches!(
            self,
            Self::EchoMtg
                | Self::Tcgplayer
                | Self::DeckedBuilder
                | Self::DelverLens
                | Self::DragonShield
                | Self::Cardkingdom
        )
    }

    /// Whether its quantity is of all copies, and foils are among them.
    pub(super) fn counts_foils_among_all(self) -> bool {
        self == Self::UrzasGatherer
    }

    /// Whether it says of how many copies a condition or a language is: `1xMint, 2xGood`.
    pub(super) fn counts_each_copy(self) -> bool {
        self == Self::UrzasGatherer
    }

    /// Whether a set that is called etched stands for the etched cards of another.
    pub(super) fn has_etched_sets(self) -> bool {
        matches!(self, Self::Cardsphere | Self::Deckbox)
    }

    /// Whether it leaves out empty cells at the end of a row.
    pub(super) fn cuts_rows_short(self) -> bool {
        self == Self::Topdecked
    }

    /// Whether a price of nothing means that none was written down: these write 0.00 into every row.
    pub(super) fn writes_no_price_as_zero(self) -> bool {
        !matches!(self, Self::Generic | Self::Decklist | Self::Cardmarket)
    }
}

/// A form of an export.
pub(super) struct Layout {
    pub platform: Platform,
    /// Headers, as [`super::columns::header_key`] makes them, that together only this form has.
    pub marks: &'static [&'static str],
    /// Headers without which its rows name no card.
    pub needs: &'static [&'static str],
    /// What its headers hold. Others, such as market prices and rarities, are passed over.
    pub fields: &'static [(&'static str, Field)],
    /// The header has these columns and no others.
    pub is_whole: bool,
}

macro_rules! layout {
    ($platform:ident, [$($mark:literal)*], [$($need:literal)*], {$($header:literal => $field:ident,)*}) => {
        Layout {
            platform: Platform::$platform,
            marks: &[$($mark,)*],
            needs: &[$($need,)*],
            fields: &[$(($header, $field),)*],
            is_whole: false,
        }
    };
}

/// Where two fit, the one with more marks is meant.
pub(super) static LAYOUTS: &[Layout] = &[
    layout!(Archidekt, ["quantity" "name" "finish" "editionname" "editioncode"], ["name"], {
        "quantity" => Quantity, "name" => Name, "finish" => Finish, "condition" => Condition,
        "dateadded" => AcquiredOn, "language" => Language, "purchaseprice" => Price, "tags" => Tags,
        "editionname" => SetName, "editioncode" => SetCode, "multiverseid" => MultiverseId,
        "scryfallid" => ScryfallId, "mtgoid" => MtgoId, "collectornumber" => CollectorNumber,
    }),
    layout!(Cardcastle, ["cardname" "setname" "foil" "jsonid"], ["cardname"], {
        "count" => Quantity, "cardname" => Name, "setname" => SetName, "condition" => Condition,
        "foil" => Finish, "language" => Language, "multiverseid" => MultiverseId, "jsonid" => ScryfallId,
        "collectornumber" => CollectorNumber, "tcgplayerproductid" => TcgplayerId,
    }),
    layout!(Cardcastle, ["count" "cardname" "setname" "collectornumber" "foil"], ["cardname"], {
        "count" => Quantity, "cardname" => Name, "setname" => SetName, "collectornumber" => CollectorNumber,
        "foil" => Finish, "condition" => Condition, "language" => Language, "multiverseid" => MultiverseId,
        "jsonid" => ScryfallId, "tcgplayerproductid" => TcgplayerId,
    }),
    Layout {
        is_whole: true,
        ..layout!(Cardkingdom, ["title" "edition" "foil" "quantity"], ["title"], {
            "title" => Name, "edition" => SetName, "foil" => Finish, "quantity" => Quantity,
        })
    },
    layout!(Cardmarket, ["idproduct" "idlanguage" "isfoil"], ["idproduct"], {
        "idproduct" => CardmarketId, "groupcount" => Quantity, "count" => Quantity, "amount" => Quantity,
        "price" => Price, "idlanguage" => Language, "condition" => Condition, "isfoil" => Finish,
        "issigned" => Mark, "isaltered" => Mark, "isplayset" => Playset, "comments" => Notes,
        "name" => Name, "expansion" => SetName,
    }),
    layout!(Cardmarket, ["idproduct" "englishname" "expname" "amount"], ["idproduct"], {
        "idproduct" => CardmarketId, "englishname" => Name, "expname" => SetName, "price" => Price,
        "language" => Language, "condition" => Condition, "foil" => Finish, "signed" => Mark,
        "playset" => Playset, "altered" => Mark, "comments" => Notes, "amount" => Quantity,
        "currencycode" => Currency,
    }),
    layout!(Cardsphere, ["count" "tradelistcount" "name" "edition" "scryfallid" "lastmodified"], ["name"], {
        "count" => Quantity, "name" => Name, "edition" => SetName, "condition" => Condition,
        "language" => Language, "foil" => Finish, "tags" => Tags, "scryfallid" => ScryfallId,
    }),
    layout!(Cubecobra, ["name" "cmc" "colorcategory" "status" "maybeboard"], ["name"], {
        "name" => Name, "set" => SetCode, "collectornumber" => CollectorNumber, "status" => Status,
        "finish" => Finish, "maybeboard" => Mark, "tags" => Tags, "notes" => Notes, "mtgoid" => MtgoId,
    }),
    layout!(Deckbox, ["count" "name" "edition" "artistproof" "foil"], ["name"], {
        "count" => Quantity, "name" => Name, "edition" => SetName, "editioncode" => SetCode,
        "cardnumber" => CollectorNumber, "condition" => Condition, "language" => Language, "foil" => Finish,
        "signed" => Mark, "artistproof" => Mark, "alteredart" => Mark, "misprint" => Mark,
        "textless" => Mark, "promo" => Mark, "printingnote" => Notes, "tags" => Tags, "myprice" => Price,
        "tcgplayerid" => TcgplayerId, "scryfallid" => ScryfallId,
    }),
    layout!(DeckedBuilder, ["regqty" "foilqty" "card" "set" "mvid"], ["card"], {
        "regqty" => Quantity, "foilqty" => FoilQuantity, "card" => Name, "set" => Set,
        "mvid" => MultiverseId, "notes" => Notes,
    }),
    layout!(Deckstats, ["amount" "cardname" "isfoil" "setcode"], ["cardname"], {
        "amount" => Quantity, "cardname" => Name, "isfoil" => Finish, "issigned" => Mark,
        "setcode" => SetCode, "collectornumber" => CollectorNumber, "language" => Language,
        "condition" => Condition, "comment" => Notes, "added" => AcquiredOn,
    }),
    layout!(DelverLens, ["name" "acquiredprice" "setcode" "tcgplayerproductid" "number"], ["name"], {
        "quantity" => Quantity, "name" => Name, "setcode" => SetCode, "edition" => SetName,
        "number" => CollectorNumber, "foil" => Finish, "condition" => Condition, "language" => Language,
        "acquiredprice" => Price, "acquireddate" => AcquiredOn, "tcgplayerproductid" => TcgplayerId,
        "scryfallid" => ScryfallId, "multiverseid" => MultiverseId, "listname" => Folder, "notes" => Notes,
    }),
    layout!(DelverLens, ["quantityx" "name"], ["name"], {
        "quantityx" => Quantity, "name" => Name, "edition" => SetName, "editioncode" => SetCode,
        "setcode" => SetCode, "number" => CollectorNumber, "collectorsnumber" => CollectorNumber,
        "foil" => Finish, "condition" => Condition, "language" => Language, "scryfallid" => ScryfallId,
        "multiverseid" => MultiverseId, "acquiredprice" => Price, "listname" => Folder,
    }),
    layout!(DragonShield, ["foldername" "cardname" "printing" "pricebought"], ["cardname"], {
        "foldername" => Folder, "quantity" => Quantity, "cardname" => Name, "setcode" => SetCode,
        "setname" => SetName, "cardnumber" => CollectorNumber, "condition" => Condition,
        "printing" => Finish, "language" => Language, "pricebought" => Price, "datebought" => AcquiredOn,
    }),
    layout!(EchoMtg, ["name" "set" "acquiredprice" "acquireddate"], ["name"], {
        "name" => Name, "quantity" => Quantity, "set" => SetName, "setcode" => SetCode, "foil" => Finish,
        "condition" => Condition, "language" => Language, "acquiredprice" => Price,
        "acquireddate" => AcquiredOn, "collectornumber" => CollectorNumber,
    }),
    layout!(EchoMtg, ["regqty" "foilqty" "name" "set" "dateacquired"], ["name"], {
        "regqty" => Quantity, "foilqty" => FoilQuantity, "name" => Name, "set" => SetName,
        "setcode" => SetCode, "collectornumber" => CollectorNumber, "condition" => Condition,
        "language" => Language, "acquired" => Price, "dateacquired" => AcquiredOn, "note" => Notes,
        "tcgid" => TcgplayerId,
    }),
    layout!(EchoMtg, ["multiverseid" "setcode" "name" "usdprice" "usdfoilprice" "scryfalluri"], ["name"], {
        "multiverseid" => MultiverseId, "mtgoid" => MtgoId, "setcode" => SetCode, "name" => Name,
        "collectornumber" => CollectorNumber, "lang" => Language, "quantity" => Quantity, "foil" => Finish,
    }),
    Layout {
        is_whole: true,
        ..layout!(EchoMtg, ["name" "expansion"], ["name"], { "name" => Name, "expansion" => SetName, })
    },
    layout!(Helvault, ["extras" "name" "scryfallid" "quantity"], ["scryfallid"], {
        "extras" => Extras, "name" => Name, "scryfallid" => ScryfallId, "quantity" => Quantity,
        "language" => Language, "setcode" => SetCode, "setname" => SetName,
        "collectornumber" => CollectorNumber,
    }),
    layout!(Manabox, ["name" "setcode" "manaboxid"], ["name"], {
        "bindername" => Folder, "name" => Name, "setcode" => SetCode, "setname" => SetName,
        "collectornumber" => CollectorNumber, "foil" => Finish, "quantity" => Quantity,
        "scryfallid" => ScryfallId, "purchaseprice" => Price, "misprint" => Mark, "altered" => Mark,
        "signed" => Mark, "proxy" => Mark, "condition" => Condition, "language" => Language,
        "purchasepricecurrency" => Currency, "added" => AcquiredOn,
    }),
    layout!(Moxfield, ["count" "name" "edition" "collectornumber" "alter" "proxy"], ["name"], {
        "count" => Quantity, "name" => Name, "edition" => SetCode, "condition" => Condition,
        "language" => Language, "foil" => Finish, "tags" => Tags, "collectornumber" => CollectorNumber,
        "alter" => Mark, "proxy" => Mark, "purchaseprice" => Price, "notes" => Notes,
    }),
    layout!(Moxfield, ["count" "name" "edition" "collectornumber" "alter" "playtestcard"], ["name"], {
        "count" => Quantity, "name" => Name, "edition" => SetCode, "condition" => Condition,
        "language" => Language, "foil" => Finish, "tags" => Tags, "collectornumber" => CollectorNumber,
        "alter" => Mark, "playtestcard" => Mark, "purchaseprice" => Price, "notes" => Notes,
    }),
    layout!(Mtggoldfish, ["card" "setid" "setname" "quantity" "foil"], ["card"], {
        "card" => Name, "setid" => SetCode, "setname" => SetName, "quantity" => Quantity, "foil" => Finish,
        "collectornumber" => CollectorNumber, "scryfallid" => ScryfallId,
    }),
    layout!(Mtgo, ["cardname" "quantity" "id#" "premium"], ["cardname"], {
        "cardname" => Name, "quantity" => Quantity, "id#" => MtgoId, "set" => SetCode,
        "collector#" => CollectorNumber, "premium" => Finish,
    }),
    layout!(Tappedout, ["qty" "name" "set" "foil" "alter" "signed"], ["name"], {
        "qty" => Quantity, "name" => Name, "set" => SetCode, "setnumber" => CollectorNumber,
        "foil" => Finish, "alter" => Mark, "signed" => Mark, "condition" => Condition,
        "languange" => Language, "language" => Language, "proxy" => Mark,
    }),
    layout!(Tcgplayer, ["quantity" "cardnumber" "setcode" "printing" "productid" "sku"], [], {
        "quantity" => Quantity, "name" => Name, "set" => SetName, "cardnumber" => CollectorNumber,
        "setcode" => SetCode, "printing" => Finish, "condition" => Condition, "language" => Language,
        "productid" => TcgplayerId,
    }),
    // Its "TCGplayer Id" is of a product in one condition: no id of a card.
    layout!(Tcgplayer, ["tcgplayerid" "productline" "setname" "productname"], ["productname"], {
        "setname" => SetName, "productname" => Name, "number" => CollectorNumber, "condition" => Condition,
        "totalquantity" => Quantity,
    }),
    layout!(Topdecked, ["quantity" "name" "setcode" "setname" "finish" "acquireddate"], ["name"], {
        "quantity" => Quantity, "name" => Name, "setcode" => SetCode, "setname" => SetName,
        "collectornumber" => CollectorNumber, "finish" => Finish, "id" => ScryfallId,
        "acquireddate" => AcquiredOn, "acquiredprice" => Price, "lang" => Language, "signing" => Mark,
        "alteration" => Mark, "condition" => Condition, "notes" => Notes, "tags" => Tags,
    }),
    layout!(UrzasGatherer, ["name" "count" "foilcount" "specialfoilcount"], ["name"], {
        "name" => Name, "count" => Quantity, "foilcount" => FoilQuantity,
        "specialfoilcount" => EtchedQuantity, "number" => CollectorNumber, "set" => SetName,
        "setcode" => SetCode, "multiverseid" => MultiverseId, "comments" => Notes,
        "condition" => Condition, "languages" => Language, "tcgid" => TcgplayerId,
        "cardmarketid" => CardmarketId, "scryfallid" => ScryfallId,
    }),
];
