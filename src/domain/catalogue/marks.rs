//! Marks: what a face or a printing is called in a search, as words between spaces.

use super::facts::{FaceFacts, Stat};
use super::names::text_key;
use super::record::{CardRecord, InSet};

/// Types of cards that are never cast.
const NOT_SPELLS: [&str; 11] = [
    "land",
    "plane",
    "phenomenon",
    "scheme",
    "vanguard",
    "conspiracy",
    "dungeon",
    "token",
    "emblem",
    "card",
    "stickers",
];
const PERMANENTS: [&str; 6] = ["artifact", "battle", "creature", "enchantment", "land", "planeswalker"];
const HISTORIC: [&str; 3] = ["artifact", "legendary", "saga"];
const PARTY: [&str; 4] = ["cleric", "rogue", "warrior", "wizard"];
const OUTLAWS: [&str; 5] = ["assassin", "mercenary", "pirate", "rogue", "warlock"];
/// How many modes there are to choose.
const MODES: [&str; 8] = ["one", "two", "three", "four", "five", "any number", "up to", "x"];

/// What a face is called in a search: each mark between spaces, sorted; one space where there is none. What is true
/// of the whole card stands on its first face.
pub(super) fn face_marks(card: &CardRecord, index: usize, facts: &FaceFacts) -> String {
    let keywords: Vec<String> = card.keywords.iter().map(|keyword| text_key(keyword)).collect();
    let mut marks = Marks::default();
    if index == 0 {
        for keyword in &keywords {
            marks.add("kw", keyword);
        }
        add_layout(&mut marks, &card.layout);
        add_leadership(&mut marks, card, facts);
    }
    add_types(&mut marks, card, facts);
    if has_type(facts, &["creature"]) {
        marks.add_if("vanilla", facts.rules.is_empty());
        marks.add_if("frenchvanilla", is_french_vanilla(&facts.rules, &keywords));
        marks.add_if("bear", is_bear(card, index, facts));
    }
    let cost = facts.mana.as_ref();
    marks.add_if("hybrid", cost.is_some_and(|cost| cost.has_hybrid()));
    let phyrexian = cost.is_some_and(|cost| cost.has_phyrexian()) || facts.rules.contains("/p}");
    marks.add_if("phyrexian", phyrexian);
    marks.add_if("modal", is_modal(facts.full_text()));
    marks.add_if("etb", is_entering(facts));
    marks.join()
}

/// What a printing is called in a search, as the marks of a face are said: ` border:black frame:2015 is:reprint `. Before the
/// others is what it is in its set, or ` ?` where the source does not know: then what another has said of that stays.
pub fn printing_marks(card: &CardRecord) -> String {
    let print = &card.print;
    let mut marks = Marks::default();
    let single = [
        ("frame", &print.frame),
        ("border", &print.border),
        ("watermark", &print.watermark),
        ("stamp", &print.security_stamp),
    ];
    for (kind, value) in single {
        marks.add(kind, value.as_deref().unwrap_or_default());
    }
    let several = [("effect", &print.frame_effects), ("game", &print.games), ("promo", &print.promo_types)];
    for (kind, values) in several {
        for value in values {
            marks.add(kind, value);
        }
    }
    let flags = [
        ("full", print.full_art),
        ("textless", print.textless),
        ("oversized", print.oversized),
        ("reprint", print.reprint),
        ("spotlight", print.spotlight),
    ];
    for (name, is_so) in flags {
        marks.add_if(name, is_so);
    }
    let in_set = match print.in_set {
        None => " ?",
        Some(InSet { booster: true, variation: true }) => " is:booster is:variation",
        Some(InSet { booster: true, variation: false }) => " is:booster",
        Some(InSet { booster: false, variation: true }) => " is:variation",
        Some(InSet { booster: false, variation: false }) => "",
    };
    format!("{in_set}{}", marks.join())
}

#[derive(Default)]
struct Marks(Vec<String>);

impl Marks {
    /// `kind:value`, folded and without spaces; nothing for a blank value.
    fn add(&mut self, kind: &str, value: &str) {
        if !value.trim().is_empty() {
            let value = text_key(value).split_whitespace().collect::<Vec<_>>().join("_");
            self.0.push(format!("{kind}:{value}"));
        }
    }

    fn add_if(&mut self, name: &str, is_so: bool) {
        if is_so {
            self.0.push(format!("is:{name}"));
        }
    }

    fn join(mut self) -> String {
        self.0.sort_unstable();
        self.0.dedup();
        let mut text = String::from(" ");
        for mark in self.0 {
            text.push_str(&mark);
            text.push(' ');
        }
        text
    }
}

/// A layout is a mark by its own name, except where searches call it otherwise.
fn add_layout(marks: &mut Marks, layout: &str) {
    match layout {
        // Of a reversible printing both sides are the one card, which has other printings of the same faces.
        "normal" | "reversible_card" => {}
        "aftermath" => marks.add("is", "split"),
        "modal_dfc" => marks.add("is", "mdfc"),
        "double_faced_token" => marks.add("is", "token"),
        "art_series" => marks.add("is", "artseries"),
        other => marks.add("is", other),
    }
    // As the rules count double-faced cards: neither two unrelated sides nor a picture has to do with that.
    let double_faced = ["transform", "modal_dfc", "meld", "double_faced_token"];
    marks.add_if("dfc", double_faced.contains(&layout));
}

fn has_type(facts: &FaceFacts, types: &[&str]) -> bool {
    facts.types.split(' ').any(|word| types.contains(&word))
}

fn add_types(marks: &mut Marks, card: &CardRecord, facts: &FaceFacts) {
    let is = |types: &[&str]| has_type(facts, types);
    let every_type = is_changeling(&facts.rules);
    marks.add_if("permanent", is(&PERMANENTS));
    marks.add_if("spell", !is_token(card) && !facts.types.is_empty() && !is(&NOT_SPELLS));
    marks.add_if("historic", is(&HISTORIC));
    marks.add_if("party", every_type || is(&PARTY));
    marks.add_if("outlaw", every_type || is(&OUTLAWS));
    for name in ["saga", "class", "case"] {
        marks.add_if(name, is(&[name]));
    }
}

/// What deck the card may lead, bans aside. Only its front counts.
fn add_leadership(marks: &mut Marks, card: &CardRecord, facts: &FaceFacts) {
    let is = |types: &[&str]| has_type(facts, types);
    // What two cards become together is in no deck.
    let melded = card.layout == "meld" && facts.mana.is_none();
    if melded || is_token(card) {
        return;
    }
    let fights = is(&["creature", "vehicle"]) || (is(&["spacecraft"]) && facts.power.is_some());
    let legendary = is(&["legendary"]);
    let said = facts.rules.contains("can be your commander");
    marks.add_if("commander", legendary && (fights || is(&["background"])) || said);
    marks.add_if("brawler", legendary && (fights || is(&["planeswalker"])));
    marks.add_if("oathbreaker", is(&["planeswalker"]));
}

fn is_token(card: &CardRecord) -> bool {
    ["token", "double_faced_token", "emblem"].contains(&card.layout.as_str())
}

fn is_changeling(rules: &str) -> bool {
    rules.lines().flat_map(|line| line.split(", ")).any(|ability| ability == "changeling")
}

/// Two power, two toughness and a mana value of two.
fn is_bear(card: &CardRecord, index: usize, facts: &FaceFacts) -> bool {
    let is_two = |stat: &Option<Stat>| *stat == Some(Stat { number: 2.0, star: None });
    // The value of a card is that of its first face, and of the others where they have no cost.
    let own = facts.mana.as_ref().filter(|_| index > 0);
    let value = own.map_or(card.mana_value, |cost| cost.value());
    is_two(&facts.power) && is_two(&facts.toughness) && value == 2.0
}

/// Whether the rules are keyword abilities and nothing else.
fn is_french_vanilla(rules: &str, keywords: &[String]) -> bool {
    let is_ability = |text: &str| keywords.iter().any(|keyword| is_keyword_ability(text, keyword));
    let has_cost = |line: &str| keywords.iter().any(|keyword| has_written_cost(line, keyword));
    let is_line = |line: &str| has_cost(line) || line.split([',', ';']).all(|part| is_ability(part.trim()));
    !rules.is_empty() && rules.lines().all(is_line)
}

/// `ward-pay 3 life.`: what is to be paid may have commas. With spaces around the dash it is an ability word.
fn has_written_cost(line: &str, keyword: &str) -> bool {
    line.strip_prefix(keyword).is_some_and(|cost| cost.starts_with('-'))
}

/// A keyword alone, or with mana, a number, or what it is about; `protection from a, from b, and from c` is three.
fn is_keyword_ability(text: &str, keyword: &str) -> bool {
    let text = text.strip_prefix("and ").unwrap_or(text);
    let about = match text.strip_prefix(keyword) {
        Some("") => return true,
        Some(rest) => rest.strip_prefix(' '),
        None => text.starts_with("from ").then_some(text),
    };
    let starts = |about: &str| {
        about.starts_with(|first: char| first == '{' || first.is_ascii_digit())
            || ["a ", "an ", "from ", "for ", "with "].iter().any(|word| about.starts_with(word))
            || about == "x"
    };
    about.is_some_and(|about| starts(about) && !about.contains(['.', ':']))
}

/// Whether it lets choose among modes, each of which is a line: `choose one -` and `• …`, or `+ {1} - …`.
fn is_modal(text: &str) -> bool {
    let starts_modes = |line: &str| {
        // The rules count what an opponent chooses, too.
        let mut choices = line.split("choose").skip(1).map(|rest| rest.strip_prefix('s').unwrap_or(rest));
        choices.any(|what| MODES.iter().any(|mode| starts_with_word(what.trim_start(), mode)))
    };
    let is_mode = |line: &str| line.starts_with('•') || line.starts_with("+ {");
    text.lines().zip(text.lines().skip(1)).any(|(line, next)| is_mode(next) && starts_modes(line))
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether something happens when it enters, be it alone or among others.
fn is_entering(facts: &FaceFacts) -> bool {
    let rules = facts.rules_self.as_deref().unwrap_or_default();
    let mut triggers = ["when ~ ", "whenever ~ "].into_iter().flat_map(|when| rules.split(when).skip(1));
    triggers.any(|trigger| {
        let event = trigger.split([',', '.', '\n']).next().unwrap_or_default();
        starts_with_word(event, "enters") || (event.starts_with("or another ") && event.contains(" enters"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::facts::{face_facts, testing::card};
    use super::super::record::{CardRecord, Face, InSet, Print};
    use super::*;

    /// The marks of each face, parted by bars.
    fn marks(card: &CardRecord) -> String {
        face_facts(card).iter().map(|facts| facts.marks.trim().to_owned()).collect::<Vec<_>>().join(" | ")
    }

    fn has(card: &CardRecord, mark: &str) -> bool {
        face_facts(card).iter().any(|facts| facts.marks.contains(&format!(" {mark} ")))
    }

    fn with_keywords(text: &str, keywords: &[&str]) -> CardRecord {
        let keywords = keywords.iter().map(|&keyword| keyword.to_owned()).collect();
        CardRecord { keywords, ..card("Wick Tender", "Creature — Moth", text) }
    }

    #[test]
    fn marks_stand_between_spaces_sorted_and_once() {
        let moth = with_keywords("Glow.", &["Wary", "First  strike", "Wary"]);
        assert_eq!(face_facts(&moth)[0].marks, " is:permanent is:spell kw:first_strike kw:wary ");
        assert_eq!(face_facts(&card("Nothing", "Scheme", "Laugh."))[0].marks, " ");
    }

    #[test]
    fn a_creature_without_text_is_vanilla() {
        assert!(has(&card("Wick Tender", "Creature — Moth", ""), "is:vanilla"));
        assert!(!has(&card("Wick Tender", "Artifact", ""), "is:vanilla"));
        assert!(has(&card("Wick Tender", "Creature — Moth", "(It hums.)"), "is:vanilla"));
        assert!(!has(&card("Wick Tender", "Creature — Moth", "It hums."), "is:vanilla"));
        assert!(!has(&card("Wick Tender", "Creature — Moth", ""), "is:frenchvanilla"));
    }

    #[test]
    fn a_creature_with_keywords_alone_is_french_vanilla() {
        let keywords = ["Flying", "Ward", "Protection", "Bushido", "Affinity", "Landfall"];
        let is_french = |text: &str| has(&with_keywords(text, &keywords), "is:frenchvanilla");
        for text in [
            "Flying",
            "Flying (It has wings.)\nBushido 2",
            "Flying; ward {2}",
            "Ward—Discard a card, then pay 3 life.",
            "Protection from moths, from owls, and from lamps",
            "Affinity for lamps",
        ] {
            assert!(is_french(text), "{text}");
        }
        for text in [
            "Flying\nHaste",
            "Flyingfish",
            "Landfall — Whenever a land enters, draw a card.",
            "Flying from {2}: Draw a card.",
            "Ward is for others.",
        ] {
            assert!(!is_french(text), "{text}");
        }
        let spell = CardRecord { type_line: "Instant".to_owned(), ..with_keywords("Flying", &keywords) };
        assert!(!has(&spell, "is:frenchvanilla"));
    }

    #[test]
    fn types_make_marks() {
        for (types, expected) in [
            (
                "Legendary Creature — Elf Rogue",
                "is:brawler is:commander is:historic is:outlaw is:party is:permanent is:spell",
            ),
            ("Enchantment — Saga", "is:historic is:permanent is:saga is:spell"),
            ("Artifact Land", "is:historic is:permanent"),
            ("Instant", "is:spell"),
            ("Token Artifact — Lamp", "is:historic is:permanent"),
            ("Plane — Attic", ""),
            ("", ""),
            ("Artifact — Lamplandscape", "is:historic is:permanent is:spell"),
        ] {
            assert_eq!(marks(&card("Wick", types, "Hum.")), expected, "{types}");
        }
        let shifter = card("Wick", "Creature — Shapeshifter", "Changeling (It is every type.)");
        assert!(has(&shifter, "is:party") && has(&shifter, "is:outlaw"));
    }

    #[test]
    fn a_layout_is_a_mark_of_the_first_face() {
        let sided = |layout: &str| CardRecord {
            layout: layout.to_owned(),
            keywords: vec!["Wary".to_owned()],
            faces: vec![
                Face { type_line: "Sorcery".to_owned(), ..Face::default() },
                Face { type_line: "Land".to_owned(), ..Face::default() },
            ],
            ..card("Dusk // Dawn", "", "")
        };
        assert_eq!(marks(&sided("modal_dfc")), "is:dfc is:mdfc is:spell kw:wary | is:permanent");
        assert_eq!(marks(&sided("transform")), "is:dfc is:spell is:transform kw:wary | is:permanent");
        assert_eq!(marks(&sided("reversible_card")), marks(&sided("normal")));
        assert_eq!(marks(&sided("split")), "is:spell is:split kw:wary | is:permanent");
        assert_eq!(marks(&sided("double_faced_token")), "is:dfc is:token kw:wary | is:permanent");
        assert_eq!(marks(&sided("some new one")), "is:some_new_one is:spell kw:wary | is:permanent");
    }

    #[test]
    fn a_bear_is_two_of_all() {
        let bear = |power: &str, mana_value: f64| CardRecord {
            power: Some(power.to_owned()),
            toughness: Some("2".to_owned()),
            mana_value,
            ..card("Wick", "Creature — Moth", "")
        };
        assert!(has(&bear("2", 2.0), "is:bear"));
        assert!(!has(&bear("2", 3.0), "is:bear") && !has(&bear("3", 2.0), "is:bear"));
        assert!(!has(&bear("2+*", 2.0), "is:bear"));
        // The source knows what a symbol is worth that is not known here.
        assert!(has(&CardRecord { mana_cost: Some("{Pawn}".to_owned()), ..bear("2", 2.0) }, "is:bear"));
        let face = |cost: Option<&str>| Face {
            type_line: "Creature".to_owned(),
            mana_cost: cost.map(str::to_owned),
            power: Some("2".to_owned()),
            toughness: Some("2".to_owned()),
            ..Face::default()
        };
        let back = |cost| CardRecord { faces: vec![Face::default(), face(cost)], ..bear("2", 2.0) };
        assert!(has(&back(None), "is:bear") && has(&back(Some("{1}{G}")), "is:bear"));
        assert!(!has(&back(Some("{4}{G}")), "is:bear"));
    }

    #[test]
    fn costs_and_texts_have_symbols_of_two_kinds() {
        let costing = |cost: &str, text: &str| CardRecord {
            mana_cost: Some(cost.to_owned()),
            ..card("Wick", "Instant", text)
        };
        assert_eq!(marks(&costing("{W/U}", "Hum.")), "is:hybrid is:spell");
        assert_eq!(marks(&costing("{W/P}", "Hum.")), "is:phyrexian is:spell");
        assert_eq!(marks(&costing("{W}", "{G/P}: Hum.")), "is:phyrexian is:spell");
        assert_eq!(marks(&costing("{W}", "{G/U}: Hum.")), "is:spell");
    }

    #[test]
    fn a_modal_card_has_its_modes_on_lines() {
        for (text, is_modal) in [
            ("Choose one or both —\n• Hum.\n• Glow.", true),
            ("Glow. Choose up to three. You may choose a mode twice.\n• Hum.", true),
            ("An opponent chooses one —\n• Hum.\n• Glow.", true),
            ("Spree (Choose one or more additional costs.)\n+ {1} — Hum.\n+ {2} — Glow.", true),
            ("As this enters, choose Moth or Lamp.\n• Moth — Hum.\n• Lamp — Glow.", false),
            ("Choose one of them.\nGlow.", false),
            ("Choose onerous words:\n• Hum.", false),
        ] {
            assert_eq!(has(&card("Wick", "Sorcery", text), "is:modal"), is_modal, "{text}");
        }
    }

    #[test]
    fn what_enters_itself_is_marked() {
        for (text, enters) in [
            ("When Wick Tender enters the battlefield, glow.", true),
            ("Whenever this creature enters or attacks, glow.", true),
            ("Whenever Wick Tender or another Moth enters, glow.", true),
            ("Whenever another Moth enters, glow.", false),
            ("When Wick Tender sees that a Moth enters, glow.", false),
            ("When Wick Tender dies, glow until another Moth enters.", false),
            ("Whenever Wick Tender or another Moth dies, each Lamp enters.", false),
        ] {
            assert_eq!(has(&card("Wick Tender", "Creature — Moth", text), "is:etb"), enters, "{text}");
        }
    }

    #[test]
    fn a_printing_is_marked_by_how_it_looks() {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let print = Print {
            frame: Some("2003".to_owned()),
            frame_effects: texts(&["legendary", "Extended Art"]),
            border: Some("black".to_owned()),
            watermark: Some("Moth’s Háven".to_owned()),
            games: texts(&["paper", "mtgo", "paper"]),
            promo_types: texts(&["buyabox"]),
            security_stamp: Some("oval".to_owned()),
            full_art: true,
            reprint: true,
            in_set: Some(InSet::default()),
            ..Print::default()
        };
        let printed = CardRecord { print, ..card("Wick", "Instant", "") };
        assert_eq!(
            printing_marks(&printed),
            " border:black effect:extended_art effect:legendary frame:2003 game:mtgo game:paper is:full is:reprint \
             promo:buyabox stamp:oval watermark:moth's_haven "
        );
        let flags = Print {
            textless: true,
            oversized: true,
            spotlight: true,
            in_set: Some(InSet { booster: true, variation: true }),
            frame: Some(" ".to_owned()),
            ..Print::default()
        };
        let printed = CardRecord { print: flags, ..printed };
        assert_eq!(
            printing_marks(&printed),
            " is:booster is:variation is:oversized is:spotlight is:textless "
        );
        assert_eq!(printing_marks(&card("Wick", "Instant", "")), " ? ");
    }
}
