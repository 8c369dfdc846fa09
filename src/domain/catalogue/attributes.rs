//! The sets of colours and finishes of a card, each a number of one bit a member.

use entity::enums::Finish;

/// The five colours, in the game's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Color {
    White,
    Blue,
    Black,
    Red,
    Green,
}

impl Color {
    pub const ALL: [Self; 5] = [Self::White, Self::Blue, Self::Black, Self::Red, Self::Green];

    /// The colour of a mana letter: `W U B R G`.
    pub fn from_letter(letter: &str) -> Option<Self> {
        Some(match letter {
            "W" => Self::White,
            "U" => Self::Blue,
            "B" => Self::Black,
            "R" => Self::Red,
            "G" => Self::Green,
            _ => return None,
        })
    }
}

/// The bit of colourless mana, after those of the colours, where it is about what a card can make.
pub const COLORLESS_MANA: i16 = 1 << 5;
/// The bit after it: a source has said what the card can make. What is read off its text is the lesser word.
pub const SAID_MANA: i16 = 1 << 6;

/// A set of colours; `bits()` is how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Colors(i16);

impl Colors {
    pub fn from_bits(bits: i16) -> Self {
        Self(bits & 0b1_1111)
    }

    pub fn bits(self) -> i16 {
        self.0
    }

    /// In the game's order.
    pub fn iter(self) -> impl Iterator<Item = Color> {
        Color::ALL.into_iter().filter(move |color| self.0 & (1 << *color as i16) != 0)
    }
}

impl FromIterator<Color> for Colors {
    fn from_iter<I: IntoIterator<Item = Color>>(colors: I) -> Self {
        Self(colors.into_iter().fold(0, |bits, color| bits | 1 << color as i16))
    }
}

/// A set of finishes; `bits()` is how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Finishes(i16);

impl Finishes {
    const ALL: [Finish; 3] = [Finish::Nonfoil, Finish::Foil, Finish::Etched];

    pub fn from_bits(bits: i16) -> Self {
        Self(bits & 0b111)
    }

    pub fn bits(self) -> i16 {
        self.0
    }

    pub fn iter(self) -> impl Iterator<Item = Finish> {
        Self::ALL.into_iter().filter(move |finish| self.0 & (1 << *finish as i16) != 0)
    }

    /// The finish that a card's price means where none is asked for: the first it has.
    pub fn first(self) -> Finish {
        self.iter().next().unwrap_or(Finish::Nonfoil)
    }
}

impl FromIterator<Finish> for Finishes {
    fn from_iter<I: IntoIterator<Item = Finish>>(finishes: I) -> Self {
        Self(finishes.into_iter().fold(0, |bits, finish| bits | 1 << finish as i16))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_back_in_the_order_of_the_game() {
        let colors = Colors::from_iter([Color::Green, Color::White]);
        assert_eq!(colors.bits(), 0b1_0001);
        assert_eq!(Colors::from_bits(colors.bits()).iter().collect::<Vec<_>>(), [Color::White, Color::Green]);
    }

    #[test]
    fn the_first_finish_is_nonfoil_then_foil_then_etched() {
        assert_eq!(Finishes::from_iter([Finish::Etched, Finish::Foil]).first(), Finish::Foil);
        assert_eq!(Finishes::from_iter([Finish::Etched]).first(), Finish::Etched);
        assert_eq!(Finishes::default().first(), Finish::Nonfoil);
    }
}
