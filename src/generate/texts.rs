//! What generated cards have in their texts, beside names.

// Word lists are laid out by hand: with a word a line they would fill pages.

#[rustfmt::skip]
pub(super) const RACES: [&str; 24] = [
    "Bear", "Beast", "Bird", "Cat", "Dragon", "Drake", "Dwarf", "Elemental", "Elf", "Fox", "Giant", "Goblin",
    "Golem", "Horse", "Human", "Insect", "Rat", "Serpent", "Skeleton", "Spider", "Spirit", "Vampire", "Wolf",
    "Zombie",
];
#[rustfmt::skip]
pub(super) const CLASSES: [&str; 12] = [
    "Archer", "Bard", "Cleric", "Druid", "Knight", "Monk", "Pirate", "Rogue", "Scout", "Soldier", "Warrior",
    "Wizard",
];
#[rustfmt::skip]
pub(super) const KEYWORDS: [&str; 10] = [
    "Deathtouch", "Defender", "First strike", "Flying", "Haste", "Lifelink", "Menace", "Reach", "Trample",
    "Vigilance",
];

// In rules texts `#` is a small number of at least two, `@` a symbol of mana.
pub(super) const CREATURE_RULES: [&str; 12] = [
    "When this creature enters, draw a card, then discard a card.",
    "When this creature enters, you gain # life.",
    "When this creature enters, it deals # damage to any target.",
    "When this creature dies, each opponent loses # life.",
    "When this creature dies, return another creature card from your graveyard to your hand.",
    "Whenever this creature attacks, it gets +#/+0 until end of turn.",
    "Whenever this creature deals combat damage to a player, draw a card.",
    "Whenever another creature you control dies, put a +1/+1 counter on this creature.",
    "At the beginning of your upkeep, look at the top # cards of your library.",
    "Other creatures you control get +0/+1.",
    "{1}@: This creature gets +1/+1 until end of turn.",
    "{T}: Add @.",
];
pub(super) const SPELL_RULES: [&str; 12] = [
    "Draw # cards.",
    "Destroy target creature with power # or less.",
    "Target creature gets +#/+# until end of turn.",
    "Target creature gets -#/-# until end of turn.",
    "This spell deals # damage to any target.",
    "You gain # life for each creature you control.",
    "Return up to # target creature cards from your graveyard to your hand.",
    "Target opponent discards # cards.",
    "Exile target artifact or enchantment. Its controller gains # life.",
    "Tap up to # target creatures. They don't untap during their controllers' next untap steps.",
    "Look at the top # cards of your library. Put one of them into your hand and the rest on the bottom.",
    "Counter target spell unless its controller pays {#}.",
];
pub(super) const ARTIFACT_RULES: [&str; 6] = [
    "{T}: Add @.",
    "{2}, {T}: Draw a card, then discard a card.",
    "{1}@, {T}, Sacrifice this artifact: It deals # damage to any target.",
    "Whenever you cast your second spell each turn, you gain # life.",
    "Creatures you control with no counters on them get +1/+0.",
    "At the beginning of your end step, if you control # or more artifacts, draw a card.",
];
pub(super) const ENCHANTMENT_RULES: [&str; 6] = [
    "Creatures you control get +1/+1.",
    "Whenever a creature enters under your control, you gain 1 life.",
    "Spells your opponents cast during your turn cost {#} more to cast.",
    "{2}@: Target creature gains haste until end of turn.",
    "At the beginning of your upkeep, each player loses # life.",
    "Whenever you discard a card, this enchantment deals # damage to each opponent.",
];
pub(super) const FLAVOR_TEXTS: [&str; 16] = [
    "Every lantern remembers the hand that lit it.",
    "The tide keeps no secrets, only debts.",
    "Ask the bridge who crossed it. Ask the river who did not.",
    "Three bells for the living, one for the one who rings them.",
    "It was a map of nowhere, and it was accurate.",
    "The orchard bore fruit the year the war ended, and not before.",
    "She counted the stars and found one too many.",
    "A locked door is only a slow invitation.",
    "Even the ash was proud of having been a city.",
    "No one taught the mountain patience. It is simply that old.",
    "He paid in salt, for salt was all that the sea had left him.",
    "What the frost forgives, the thaw reports.",
    "“I was promised a quiet post,” said the gatekeeper, to no one left.",
    "The song has nine verses. Nobody has survived the eighth.",
    "They named the storm after their mother, and it answered.",
    "Old roads know more endings than old books.",
];
