//! The words of the platforms for conditions, finishes and languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use entity::enums::{Condition, Currency, Finish};

use super::columns::header_key;
use super::platform::Platform;
use crate::domain::catalogue::LANGUAGES;

use Condition::{Damaged, HeavilyPlayed, LightlyPlayed, ModeratelyPlayed, NearMint};

/// Words for conditions, without spaces and signs, where a platform has none of its own for them.
const CONDITIONS: &[(Condition, &str)] = &[
    (
        NearMint,
        "m mt mint gemmint nm nearmint nmm mnm nearmintmint nmmint unplayed neuwertig fastneu wieneu neu \
         neuf commeneuf parfait prochedunneuf quasineuf nuevo comonuevo casinuevo perfecto nuovo \
         comenuovo quasinuovo perfetto novo comonovo quasenovo quasenova perfeito quaseperfeito",
    ),
    (
        LightlyPlayed,
        "ex excellent lp lightlyplayed lightplayed slightlyplayed slightplayed sp sl \
         goodlightlyplayed exlp exzellent leichtbespielt leichtgespielt excelente eccellente \
         legerementjoue legerementjouee peujoue peujouee pocojugado pocojugada ligeramentejugado \
         ligeramentejugada pocogiocato pocogiocata leggermentegiocato leggermentegiocata poucojogado \
         poucojogada levementejogado levementejogada ligeiramentejogado ligeiramentejogada",
    ),
    (
        ModeratelyPlayed,
        "gd good vg verygood mp moderatelyplayed moderateplayed moderateplay mediumplayed pl played p \
         bespielt gespielt massigbespielt gut bon bonne bonetat joue jouee moderementjoue \
         moderementjouee bueno buena jugado jugada moderadamentejugado moderadamentejugada buono buona \
         giocato giocata moderatamentegiocato moderatamentegiocata bom boa jogado jogada \
         moderadamentejogado moderadamentejogada",
    ),
    (
        HeavilyPlayed,
        "hp heavilyplayed heavyplayed heavyplay veryplayed starkbespielt starkgespielt tresjoue \
         tresjouee fortementjoue fortementjouee muyjugado muyjugada moltogiocato moltogiocata \
         muitojogado muitojogada",
    ),
    (
        Damaged,
        "po poor d dm dmg dam damaged schlecht mangelhaft beschadigt endommage endommagee abime abimee \
         mauvais mauvaisetat malo mala malestado danado danada danneggiato danneggiata \
         rovinato rovinata scarso scarsa danificado danificada",
    ),
];

/// Cardmarket's grades MT NM EX GD LP PL PO, by number and by word. Urza's Gatherer has its words from there.
const CARDMARKET_CONDITIONS: &[(&str, Condition)] = &[
    ("1", NearMint),
    ("2", NearMint),
    ("3", LightlyPlayed),
    ("4", ModeratelyPlayed),
    ("5", ModeratelyPlayed),
    ("6", HeavilyPlayed),
    ("7", Damaged),
    ("lp", ModeratelyPlayed),
    ("lightplayed", ModeratelyPlayed),
    ("lightlyplayed", ModeratelyPlayed),
    ("pl", HeavilyPlayed),
    ("played", HeavilyPlayed),
];

/// ManaBox and Dragon Shield have the words of Cardmarket, for the steps of American shops: a copy that is "Lightly
/// Played" there is "Good" here, in these apps and in converters between them.
const SCANNER_CONDITIONS: &[(&str, Condition)] = &[
    ("good", LightlyPlayed),
    ("gd", LightlyPlayed),
    ("lightplayed", ModeratelyPlayed),
    ("lightlyplayed", ModeratelyPlayed),
    ("lp", ModeratelyPlayed),
    ("played", HeavilyPlayed),
    ("pl", HeavilyPlayed),
];

/// Card Kingdom's NM EX VG G.
const CARD_KINGDOM_CONDITIONS: &[(&str, Condition)] =
    &[("g", HeavilyPlayed), ("good", HeavilyPlayed), ("gd", HeavilyPlayed)];

/// Deckbox's and those after its example.
const DECKBOX_CONDITIONS: &[(&str, Condition)] = &[("good", LightlyPlayed), ("gd", LightlyPlayed)];

/// A condition by its word or letters; `PSA 9` by its grade.
pub fn condition(platform: Platform, text: &str) -> Option<Condition> {
    let key = header_key(text);
    let own = match platform {
        Platform::Cardmarket | Platform::UrzasGatherer => CARDMARKET_CONDITIONS,
        Platform::Manabox | Platform::DragonShield => SCANNER_CONDITIONS,
        Platform::Cardkingdom => CARD_KINGDOM_CONDITIONS,
        Platform::Deckbox | Platform::Moxfield | Platform::Cardsphere => DECKBOX_CONDITIONS,
        _ => &[],
    };
    own.iter()
        .find(|(word, _)| *word == key)
        .map(|(_, condition)| *condition)
        .or_else(|| {
            CONDITIONS
                .iter()
                .find(|(_, words)| words.split(' ').any(|word| word == key))
                .map(|(found, _)| *found)
        })
        .or_else(|| graded(text))
}

fn graded(text: &str) -> Option<Condition> {
    let text = text.trim().to_lowercase();
    let grade = ["psa", "bgs", "cgc", "sgc"].into_iter().find_map(|firm| text.strip_prefix(firm))?;
    let grade: f64 = grade.trim().parse().ok()?;
    match grade {
        8.5..=10.0 => Some(NearMint),
        7.0..8.5 => Some(LightlyPlayed),
        5.0..7.0 => Some(ModeratelyPlayed),
        3.0..5.0 => Some(HeavilyPlayed),
        1.0..3.0 => Some(Damaged),
        _ => None,
    }
}

/// Whether a word says no, without spaces and signs.
pub fn is_no(key: &str) -> bool {
    matches!(
        key,
        "no" | "n" | "false" | "0" | "nein" | "non" | "nao" | "faux" | "falsch" | "falso" | "いいえ" | "none"
    )
}

/// Whether a cell has the sign that says yes.
pub fn is_tick(text: &str) -> bool {
    matches!(text.trim(), "✓" | "✔")
}

/// Whether a cell answers with yes or no.
pub fn is_answer(text: &str) -> bool {
    let key = header_key(text);
    is_no(&key) || is_tick(text) || is_yes(&key) || matches!(key.as_str(), "owned" | "wanted" | "have")
}

/// Whether a word says yes, without spaces and signs.
fn is_yes(key: &str) -> bool {
    matches!(
        key,
        "yes"
            | "y"
            | "true"
            | "1"
            | "x"
            | "ja"
            | "j"
            | "oui"
            | "si"
            | "sim"
            | "vrai"
            | "wahr"
            | "vero"
            | "verdadero"
            | "verdadeiro"
            | "はい"
    )
}

/// A finish by its word, or by the answer to "is it foil?". Not for an empty cell.
pub fn finish(text: &str) -> Option<Finish> {
    let key = header_key(text);
    match key.as_str() {
        "normal" | "nonfoil" | "notfoil" | "nofoil" | "regular" | "standard" | "f0" | "matte" | "paper"
        | "通常" | "nichtfoil" => Some(Finish::Nonfoil),
        no if is_no(no) => Some(Finish::Nonfoil),
        "premium" | "holo" | "holographic" | "f" | "shiny" | "brillante" | "brilhante" => Some(Finish::Foil),
        yes if is_yes(yes) || is_tick(text) => Some(Finish::Foil),
        _ if key.contains("etch") => Some(Finish::Etched),
        // `Regular (non-foil)`
        _ if key.ends_with("nonfoil") || key.ends_with("notfoil") => Some(Finish::Nonfoil),
        _ if key.starts_with("non") => None,
        _ if key.ends_with("foil") || key.starts_with("foil") || key.contains("フォイル") => {
            Some(Finish::Foil)
        }
        _ if key == header_key("フォイル") => Some(Finish::Foil),
        _ => None,
    }
}

/// TappedOut's words where it has more than a finish to say, and what that is: `f-pp`.
const TAPPEDOUT_FINISHES: &[(&str, Finish, &str)] = &[
    ("pp", Finish::Nonfoil, PROMO_PACK),
    ("fpp", Finish::Foil, PROMO_PACK),
    ("pre", Finish::Nonfoil, "prerelease"),
    ("fpre", Finish::Foil, "prerelease"),
    ("list", Finish::Nonfoil, THE_LIST),
    ("flist", Finish::Foil, THE_LIST),
];

/// The tag of copies from packs that shops hand out.
pub const PROMO_PACK: &str = "promo pack";
/// The tag of copies from a set in which other sets' cards are printed again.
pub const THE_LIST: &str = "The List";
/// Scryfall's code of that set.
pub const LIST_CODE: &str = "plst";

/// A finish, and what a copy was handed out as, in TappedOut's words.
pub fn tappedout_finish(text: &str) -> Option<(Finish, &'static str)> {
    let key = header_key(text);
    TAPPEDOUT_FINISHES.iter().find(|(word, ..)| *word == key).map(|(_, finish, tag)| (*finish, *tag))
}

/// Whether it is the letter that stands for true.
pub fn is_true_letter(text: &str) -> bool {
    header_key(text) == "t"
}

/// A finish as it stands under this header: where that asks "is it foil?", or `T` is among the answers, an `F` is for
/// false.
pub fn finish_under(header: &str, text: &str, has_true: bool) -> Option<Finish> {
    let key = header_key(header);
    let asks = has_true || header.contains('?') || key.starts_with("is") || key == "etched";
    match header_key(text).as_str() {
        "f" if asks => Some(Finish::Nonfoil),
        "t" if asks => Some(Finish::Foil),
        _ => finish(text),
    }
}

/// What languages are called beside Scryfall's codes and English names, without spaces and signs: in themselves and in
/// each other, by other codes, by flags.
const MORE_LANGUAGES: &[(&str, &str)] = &[
    ("en", "eng us usa gb uk enus engb englisch anglais ingles inglese 英語 英语 영어 английскии"),
    ("de", "deu ger ge dede deutsch germany allemand aleman tedesco alemao ドイツ語 德语 독일어 немецкии"),
    ("fr", "fra fre frfr francais france franzosisch frances francese フランス語 法语 프랑스어 французскии"),
    (
        "es",
        "spa esp eses espanol espanollatinoamerica castellano spain spanisch espagnol spagnolo espanhol \
         スペイン語 西班牙语 스페인어 испанскии",
    ),
    ("it", "ita itit italiano italy italienisch italien イタリア語 意大利语 이탈리아어 итальянскии"),
    (
        "pt",
        "por ptbr ptpt br portugues portuguesbrasil portuguesdobrasil portugal brazil \
         brazilianportuguese portugueseportugal portuguesebrazil portugiesisch portugais portoghese \
         ポルトガル語 葡萄牙语 포르투갈어 португальскии",
    ),
    ("ja", "jpn jap jajp japan 日本語 日语 일본어 japanisch japonais japones giapponese японскии"),
    ("ko", "kor kokr korea 한국어 koreanisch coreen coreano 韓国語 韩语 кореискии"),
    ("ru", "rus ruru russia русскии русский russisch russe ruso russo ロシア語 俄语 러시아어"),
    (
        "zhs",
        "zh cn chi zho chinese china simplifiedchinese chinesesimplified chineses schinese zhcn zhhans \
         sc 简体中文 简体 簡体字 簡体中国語 中文 中国語 중국어 chinesisch vereinfachteschinesisch \
         chinesischvereinfacht chinois chinoissimplifie chino chinosimplificado cinese \
         cinesesemplificato chines chinessimplificado китаискии упрощенныикитаискии",
    ),
    (
        "zht",
        "traditionalchinese chinesetraditional chineset tchinese zhtw zhhant tw tc taiwan 繁體中文 \
         繁体中文 繁體 繁体 繁体字 繁体中国語 traditionelleschinesisch chinesischtraditionell \
         chinoistraditionnel chinotradicional cinesetradizionale chinestradicional chinesetaiwan \
         chinesehongkong zhhk zhmo taiwanese \
         традиционныикитаискии",
    ),
    ("he", "hebrew"),
    ("la", "latin"),
    ("grc", "ancientgreek"),
    ("ar", "arabic"),
    ("sa", "sanskrit"),
    ("ph", "phyrexian px"),
    ("qya", "quenya"),
];

static LANGUAGE_KEYS: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let more =
        MORE_LANGUAGES.iter().flat_map(|(code, words)| words.split(' ').map(move |word| (word, *code)));
    let known = LANGUAGES.iter().map(|(word, code)| (*word, *code));
    more.chain(known).map(|(word, code)| (header_key(word), code)).collect()
});

/// Cardmarket's numbers.
const CARDMARKET_LANGUAGES: [&str; 11] = ["en", "fr", "de", "es", "it", "zhs", "ja", "pt", "ru", "ko", "zht"];

/// Scryfall's code of a language that is named, coded or flagged.
pub fn language(platform: Platform, text: &str) -> Option<&'static str> {
    let text = flag(text).unwrap_or_else(|| text.to_owned());
    let key = header_key(&text);
    match platform {
        Platform::Cardmarket => {
            let at = key.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(code) = at.and_then(|at| CARDMARKET_LANGUAGES.get(at)) {
                return Some(code);
            }
        }
        Platform::EchoMtg if key == "gr" => return Some("de"),
        _ => {}
    }
    let known = |key: &str| LANGUAGE_KEYS.get(key).copied();
    // A country behind it: `English (US)`, `de-AT`.
    let bare = || match text.split_once(['(', '-', '_'])? {
        // Of Chinese it decides which one is meant.
        (word, _) if text.ends_with(')') => known(&header_key(word)).filter(|code| *code != "zhs"),
        (code, land) if code.len() == 2 && land.len() == 2 => known(&code.to_lowercase()),
        _ => None,
    };
    known(&key).or_else(bare)
}

/// The letters that a flag is made of.
fn flag(text: &str) -> Option<String> {
    let first = u32::from('🇦');
    let letters: Option<String> = text
        .trim()
        .chars()
        .map(|c| u32::from(c).checked_sub(first).filter(|n| *n < 26).and_then(|n| char::from_u32(97 + n)))
        .collect();
    letters.filter(|letters| letters.len() == 2)
}

/// What a platform counts in where a price has no sign.
pub fn currency(platform: Platform) -> Currency {
    if platform == Platform::Cardmarket { Currency::Eur } else { Currency::Usd }
}
