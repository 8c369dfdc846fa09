//! What `is:` and `not:` know: one line each.

use super::tree::Flag;

/// Where the answer to an `is:` is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    /// A mark of the printing.
    Printing(&'static str),
    /// One of two marks of the printing.
    Either(&'static str, &'static str),
    /// Any mark of the printing that is of this kind.
    Kind(&'static str),
    /// A mark of a face.
    Face(&'static str),
    Flag(Flag),
    /// Another search.
    Search(&'static str),
    /// A mark of a face, where the card is none of these in a format.
    Leader(&'static str, &'static str, &'static [&'static str]),
}

use Is::{Either, Face, Kind, Leader, Printing, Search};

const ALCHEMY: Is = Search("st:alchemy or is:rebalanced");
const BEYOND: Is = Either("promo:universesbeyond", "stamp:triangle");
const BOUNCELAND: Is = Search(
    "t:land o:/when ~ enters( the battlefield)?, (sacrifice it unless you )?return an? (untapped [a-z]+|land) you control to its owner's hand/ o:/add \\{.\\}\\{.\\}/",
);
const BONDLAND: Is = Search("t:land o:\"unless you have two or more opponents\"");
const CANOPYLAND: Is =
    Search("t:land o:/^\\{t\\}, pay 1 life: add \\{.\\} or \\{.\\}\\.$/ o:/sacrifice ~: draw a card/");
const CREATURELAND: Is = Search("t:land o:/~ becomes an? .*creature/");
const CYCLELAND: Is = Search(
    "kw:cycling t:/^land - (plains|island|swamp|mountain|forest) (plains|island|swamp|mountain|forest)$/",
);
const NETWORK: Is = Printing("promo:wizardsplaynetwork");
const PARTNER: Is = Search(
    "kw:partner or kw:\"partner with\" or kw:\"friends forever\" or kw:\"choose a background\" or kw:\"doctor's companion\"",
);
const SHADOWLAND: Is = Search(
    "t:land o:/you may reveal an? (plains|island|swamp|mountain|forest) or (plains|island|swamp|mountain|forest) card from your hand/",
);
const TANGOLAND: Is = Search("t:land o:\"unless you control two or more basic lands\"");
const TRICYCLELAND: Is = Search(
    "t:land kw:cycling t:/(plains|island|swamp|mountain|forest) (plains|island|swamp|mountain|forest) (plains|island|swamp|mountain|forest)/",
);

/// Each name, its meaning, and a word of explanation. Names of one meaning follow one another.
pub const IS: &[(&str, Is, &str)] = &[
    ("foil", Is::Flag(Flag::Foil), "comes as a foil"),
    ("nonfoil", Is::Flag(Flag::Nonfoil), "comes without foil"),
    ("etched", Is::Flag(Flag::Etched), "comes as an etched foil"),
    ("reserved", Is::Flag(Flag::Reserved), "on the Reserved List"),
    ("promo", Is::Flag(Flag::Promo), "a promotional printing"),
    ("digital", Is::Flag(Flag::Digital), "only in a digital game"),
    ("extra", Is::Flag(Flag::Extra), "a token, emblem, art card or the like; with include:extras"),
    ("reprint", Printing("is:reprint"), "not the first printing"),
    ("firstprint", Search("-is:reprint"), "the first printing"),
    ("firstprinting", Search("-is:reprint"), "the first printing"),
    ("full", Printing("is:full"), "full art"),
    ("fullart", Printing("is:full"), "full art"),
    ("textless", Printing("is:textless"), "printed without text"),
    ("oversized", Printing("is:oversized"), "too big for a deck"),
    ("spotlight", Printing("is:spotlight"), "a story spotlight"),
    ("booster", Printing("is:booster"), "found in boosters"),
    ("variation", Printing("is:variation"), "another version in the same set"),
    ("watermark", Kind("watermark"), "with a watermark; has:watermark says the same"),
    ("stamp", Kind("stamp"), "with a security stamp"),
    ("flavor", Is::Flag(Flag::Flavor), "with a flavour text"),
    ("flavour", Is::Flag(Flag::Flavor), "with a flavour text"),
    ("universesbeyond", BEYOND, "of another world than the game's own"),
    ("ub", BEYOND, "of another world than the game's own"),
    ("paper", Printing("game:paper"), "to be had on paper"),
    ("mtgo", Printing("game:mtgo"), "on Magic Online"),
    ("arena", Printing("game:arena"), "on Arena"),
    ("borderless", Printing("border:borderless"), "without a border"),
    ("showcase", Printing("effect:showcase"), "in a showcase frame"),
    ("extendedart", Printing("effect:extendedart"), "with extended art"),
    ("colorshifted", Printing("effect:colorshifted"), "in colours turned round"),
    ("inverted", Printing("effect:inverted"), "in an inverted frame"),
    ("future", Printing("frame:future"), "in the frame of Future Sight"),
    ("old", Search("frame:old"), "in a frame of before 2003"),
    ("new", Search("frame:new"), "in a frame of 2003 or later"),
    ("modern", Printing("frame:2003"), "in the frame of 2003"),
    ("buyabox", Printing("promo:buyabox"), "a buy-a-box promo"),
    ("prerelease", Printing("promo:prerelease"), "a prerelease promo"),
    ("release", Printing("promo:release"), "a release promo"),
    ("datestamped", Printing("promo:datestamped"), "with a date stamped on it"),
    ("fnm", Printing("promo:fnm"), "from Friday Night Magic"),
    ("judgegift", Printing("promo:judgegift"), "given to judges"),
    ("judge", Printing("promo:judgegift"), "given to judges"),
    ("gameday", Printing("promo:gameday"), "from a Game Day"),
    ("league", Printing("promo:league"), "from a league"),
    ("arenaleague", Printing("promo:arenaleague"), "from an Arena league"),
    ("playerrewards", Printing("promo:playerrewards"), "from Player Rewards"),
    ("mediainsert", Printing("promo:mediainsert"), "came with a magazine or a book"),
    ("intropack", Printing("promo:intropack"), "from an intro pack"),
    ("boxtopper", Printing("promo:boxtopper"), "on top of a booster box"),
    ("bundle", Printing("promo:bundle"), "from a bundle"),
    ("promopack", Printing("promo:promopack"), "from a promo pack"),
    ("planeswalkerdeck", Printing("promo:planeswalkerdeck"), "from a planeswalker deck"),
    ("starterdeck", Printing("promo:starterdeck"), "from a starter deck"),
    ("godzillaseries", Printing("promo:godzillaseries"), "of the Godzilla series"),
    ("serialized", Printing("promo:serialized"), "with a number of its own"),
    ("giftbox", Printing("promo:giftbox"), "from a gift box"),
    ("instore", Printing("promo:instore"), "given away in stores"),
    ("convention", Printing("promo:convention"), "from a convention"),
    ("setpromo", Printing("promo:setpromo"), "a promo of its set"),
    ("rebalanced", Printing("promo:rebalanced"), "changed for Arena"),
    ("alchemy", ALCHEMY, "made or changed for Arena's Alchemy"),
    ("stamped", Either("promo:stamped", "promo:promostamped"), "stamped as a promo"),
    ("planeswalkerstamped", Printing("promo:planeswalkerstamped"), "stamped with the planeswalker symbol"),
    ("boosterfun", Printing("promo:boosterfun"), "another look for boosters"),
    ("brawldeck", Printing("promo:brawldeck"), "from a Brawl deck"),
    ("bringafriend", Printing("promo:bringafriend"), "for who brings a friend"),
    ("commanderparty", Printing("promo:commanderparty"), "from a Commander party"),
    ("confettifoil", Printing("promo:confettifoil"), "foil with confetti"),
    ("draftweekend", Printing("promo:draftweekend"), "from a draft weekend"),
    ("duels", Printing("promo:duels"), "came with the Duels game"),
    ("embossed", Printing("promo:embossed"), "with an embossed surface"),
    ("event", Printing("promo:event"), "from an event"),
    ("galaxyfoil", Printing("promo:galaxyfoil"), "foil with stars"),
    ("gateway", Printing("promo:gateway"), "from the Gateway programme"),
    ("gilded", Printing("promo:gilded"), "with gilded foil"),
    ("halofoil", Printing("promo:halofoil"), "foil with halos"),
    ("jpwalker", Printing("promo:jpwalker"), "a planeswalker as drawn for Japan"),
    ("neonink", Printing("promo:neonink"), "in neon ink"),
    ("oilslick", Printing("promo:oilslick"), "foil as of oil"),
    ("openhouse", Printing("promo:openhouse"), "from an open house"),
    ("playpromo", Printing("promo:playpromo"), "given to players in stores"),
    ("playtest", Printing("promo:playtest"), "as a card for playtests"),
    ("poster", Printing("promo:poster"), "as a poster"),
    ("premiereshop", Printing("promo:premiereshop"), "from a premiere shop"),
    ("rainbowfoil", Printing("promo:rainbowfoil"), "foil as a rainbow"),
    ("ripplefoil", Printing("promo:ripplefoil"), "foil with ripples"),
    ("schinesealtart", Printing("promo:schinesealtart"), "with the art for China"),
    ("scroll", Printing("promo:scroll"), "as a scroll"),
    ("silverfoil", Printing("promo:silverfoil"), "with silver foil"),
    ("stepandcompleat", Printing("promo:stepandcompleat"), "foil with Phyrexian signs"),
    ("storechampionship", Printing("promo:storechampionship"), "from a store championship"),
    ("surgefoil", Printing("promo:surgefoil"), "foil with surges"),
    ("textured", Printing("promo:textured"), "with a textured surface"),
    ("themepack", Printing("promo:themepack"), "from a theme pack"),
    ("thick", Printing("promo:thick"), "on thick paper"),
    ("tourney", Printing("promo:tourney"), "from a tournament"),
    ("vault", Printing("promo:vault"), "of the vault"),
    ("wizardsplaynetwork", NETWORK, "from the Wizards Play Network"),
    ("wpn", NETWORK, "from the Wizards Play Network"),
    ("glossy", Printing("promo:glossy"), "with a glossy finish"),
    ("funny", Search("st:funny or border:silver or stamp:acorn"), "for fun, not for tournaments"),
    ("unique", Search("sets=1"), "in one set only"),
    ("masterpiece", Search("st:masterpiece"), "of the Masterpiece Series"),
    ("vanilla", Face("is:vanilla"), "a creature without rules text"),
    ("frenchvanilla", Face("is:frenchvanilla"), "a creature with keywords only"),
    ("modal", Face("is:modal"), "lets a player choose a mode"),
    ("party", Face("is:party"), "a cleric, rogue, warrior or wizard"),
    ("outlaw", Face("is:outlaw"), "an assassin, mercenary, pirate, rogue or warlock"),
    ("historic", Face("is:historic"), "an artifact, a legend or a saga"),
    ("permanent", Face("is:permanent"), "stays on the battlefield"),
    ("spell", Face("is:spell"), "is cast"),
    ("bear", Face("is:bear"), "2/2 for two mana"),
    ("hybrid", Face("is:hybrid"), "with a hybrid symbol in its cost"),
    ("phyrexian", Face("is:phyrexian"), "with a Phyrexian symbol"),
    ("etb", Face("is:etb"), "does something when it enters"),
    ("split", Face("is:split"), "a split card"),
    ("flip", Face("is:flip"), "a card that flips"),
    ("transform", Face("is:transform"), "a card that transforms"),
    ("tdfc", Face("is:transform"), "a card that transforms"),
    ("mdfc", Face("is:mdfc"), "a card whose faces are both cast"),
    ("dfc", Face("is:dfc"), "a card with two faces"),
    ("meld", Face("is:meld"), "melds, or is melded"),
    ("meldpart", Search("is:meld -(m={} -t:land)"), "melds with another"),
    ("meldresult", Search("is:meld m={} -t:land"), "what two cards become"),
    ("reversible", Search("layout:reversible_card"), "the same card on both sides"),
    ("leveler", Face("is:leveler"), "a card that levels up"),
    ("adventure", Face("is:adventure"), "goes on an adventure"),
    ("saga", Face("is:saga"), "a saga"),
    ("class", Face("is:class"), "a class"),
    ("case", Face("is:case"), "a case"),
    ("prototype", Search("layout:prototype"), "has a prototype"),
    ("mutate", Search("layout:mutate"), "mutates"),
    ("planar", Search("layout:planar"), "a plane or a phenomenon; with include:extras"),
    ("scheme", Search("layout:scheme"), "a scheme; with include:extras"),
    ("vanguard", Search("layout:vanguard"), "a vanguard; with include:extras"),
    ("emblem", Search("layout:emblem"), "an emblem; with include:extras"),
    ("artseries", Search("layout:art_series"), "a picture alone; with include:extras"),
    ("host", Face("is:host"), "a host"),
    ("augment", Face("is:augment"), "augments a host"),
    ("token", Face("is:token"), "a token; with include:extras"),
    ("commander", Leader("is:commander", "commander", &["banned"]), "may lead a Commander deck"),
    (
        "duelcommander",
        // Restricted means there that it may be in a deck, but not lead it.
        Leader("is:commander", "duel", &["banned", "restricted"]),
        "may lead a Duel Commander deck",
    ),
    ("brawler", Leader("is:brawler", "brawl", &["banned"]), "may lead a Brawl deck"),
    ("companion", Search("kw:companion"), "has companion"),
    ("partner", PARTNER, "shares the lead of a Commander deck"),
    ("oathbreaker", Leader("is:oathbreaker", "oathbreaker", &["banned"]), "may lead an Oathbreaker deck"),
    (
        "dual",
        Search(
            "t:land t:/(plains|island|swamp|mountain|forest) (plains|island|swamp|mountain|forest)$/ o:/^$/ -t:snow -t:basic -t:creature",
        ),
        "a land of two basic types without a drawback",
    ),
    (
        "fetchland",
        Search(
            "t:land o:/pay 1 life, sacrifice ~: search your library for an? (plains|island|swamp|mountain|forest) or /",
        ),
        "fetches one of two basic types for a life",
    ),
    (
        "shockland",
        Search(
            "t:land o:/you may pay 2 life\\. if you don't, (~|it) enters/ t:/(plains|island|swamp|mountain|forest) (plains|island|swamp|mountain|forest)/",
        ),
        "two basic types, untapped for two life",
    ),
    (
        "checkland",
        Search("t:land o:/tapped unless you control an? (plains|island|swamp|mountain|forest) or an? /"),
        "untapped beside a basic type",
    ),
    ("fastland", Search("t:land o:\"unless you control two or fewer other lands\""), "untapped early"),
    ("slowland", Search("t:land o:\"unless you control two or more other lands\""), "untapped late"),
    ("tangoland", TANGOLAND, "untapped beside two basics"),
    ("battleland", TANGOLAND, "untapped beside two basics"),
    ("bondland", BONDLAND, "untapped with more than one opponent"),
    ("crowdland", BONDLAND, "untapped with more than one opponent"),
    ("battlebondland", BONDLAND, "untapped with more than one opponent"),
    ("bbdland", BONDLAND, "untapped with more than one opponent"),
    (
        "painland",
        Search(
            "t:land o:\"{t}: add {c}.\" o:/^\\{t\\}: add \\{.\\} or \\{.\\}\\. ~ deals 1 damage to you\\.$/ -o:tapped",
        ),
        "a damage for coloured mana",
    ),
    (
        "filterland",
        Search(
            "t:land (o:/^\\{[wubrg].[wubrg]\\}, \\{t\\}: add \\{(.)\\}/ or o:/^\\{1\\}, \\{t\\}: add \\{[wubrg]\\}\\{[wubrg]\\}\\.$/ or o:/^\\{5\\}, \\{t\\}: add (five mana in any combination of colors|\\{w\\}\\{u\\}\\{b\\}\\{r\\}\\{g\\})\\.$/)",
        ),
        "turns mana into other colours",
    ),
    ("bounceland", BOUNCELAND, "returns a land, makes two mana"),
    ("karoo", BOUNCELAND, "returns a land, makes two mana"),
    (
        "scryland",
        Search(
            "t:land o:/^~ enters( the battlefield)? tapped\\.$/ o:/^when ~ enters( the battlefield)?, scry 1\\.$/ o:/add \\{.\\} or \\{.\\}/",
        ),
        "two colours, and scries when it enters",
    ),
    (
        "gainland",
        Search(
            "t:land o:/^~ enters( the battlefield)? tapped\\.$/ o:/^when ~ enters( the battlefield)?, you gain 1 life\\.$/ o:/add \\{.\\} or \\{.\\}/",
        ),
        "gains a life when it enters",
    ),
    (
        "surveilland",
        Search("t:land o:/^when ~ enters( the battlefield)?, surveil 1\\.$/ o:/tapped/"),
        "surveils when it enters",
    ),
    ("bikeland", CYCLELAND, "two basic types and cycling"),
    ("cycleland", CYCLELAND, "two basic types and cycling"),
    ("bicycleland", CYCLELAND, "two basic types and cycling"),
    ("tricycleland", TRICYCLELAND, "three basic types and cycling"),
    ("trikeland", TRICYCLELAND, "three basic types and cycling"),
    ("triome", TRICYCLELAND, "three basic types and cycling"),
    (
        "triland",
        Search(
            "t:land o:/^~ enters( the battlefield)? tapped\\.$/ o:/^\\{t\\}: add \\{.\\}, \\{.\\}, or \\{.\\}\\.$/",
        ),
        "three colours, always tapped at first",
    ),
    ("pathway", Search("pathway is:mdfc t:land"), "a land whose faces make a colour each"),
    ("canopyland", CANOPYLAND, "a life for mana, and a card in the end"),
    ("canland", CANOPYLAND, "a life for mana, and a card in the end"),
    ("shadowland", SHADOWLAND, "untapped for a card that is shown"),
    ("snarl", SHADOWLAND, "untapped for a card that is shown"),
    (
        "storageland",
        Search("t:land o:/remove (x|any number of) storage counters from ~/"),
        "stores mana in counters",
    ),
    ("creatureland", CREATURELAND, "becomes a creature"),
    ("manland", CREATURELAND, "becomes a creature"),
];

/// Qualities of Scryfall's that the catalogue doesn't know, and what may be asked instead.
pub const ABSENT: &[(&str, &str)] = &[
    ("atypical", ODD_FRAME),
    ("default", ODD_FRAME),
    ("gamechanger", "search the legality (f:commander)"),
    ("hires", "leave it out"),
    ("indicator", "search a colour without a cost (c>=1 m={})"),
    ("newinpauper", "search new:rarity r:common f:pauper"),
    ("scryfallpreview", "search the day (date:) or the set (e:)"),
];
const ODD_FRAME: &str = "search is:borderless, is:showcase, is:extendedart or is:full";
