//! Which passwords are good enough: NIST SP 800-63B's rules, a length and a guess at how soon it would be guessed.

use zxcvbn::{Score, zxcvbn};

use crate::error::{Code, Refusal};

/// Characters of a password at least, and at most: longer ones would only cost more to hash.
const FEWEST_PASSWORD_CHARS: usize = 10;
pub const MOST_PASSWORD_CHARS: usize = 128;

/// A new password, and what its owner is known by, which makes it easier to guess.
#[derive(Debug)]
pub struct PasswordCheck<'a> {
    pub password: &'a str,
    pub known: &'a [&'a str],
    /// The field that it came in.
    pub field: &'a str,
}

/// # Errors
/// ERR-2006, with what is wrong. Takes up to some milliseconds of work.
pub fn check_password(PasswordCheck { password, known, field }: &PasswordCheck<'_>) -> Result<(), Refusal> {
    let weak = |why: String| Err(Refusal::new(Code::WeakPassword, why).at(field));
    let length = password.chars().count();
    if length < FEWEST_PASSWORD_CHARS {
        return weak(format!(
            "A password has at least {FEWEST_PASSWORD_CHARS} characters; this one has {length}."
        ));
    }
    if length > MOST_PASSWORD_CHARS {
        return weak(format!(
            "A password has at most {MOST_PASSWORD_CHARS} characters; this one has {length}."
        ));
    }
    let estimate = zxcvbn(password, known);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let why = estimate.feedback().and_then(|feedback| {
        let suggestion = feedback.suggestions().first().map(ToString::to_string);
        feedback.warning().map(|warning| warning.to_string()).or(suggestion)
    });
    weak(format!(
        "This password is easily guessed. {}",
        why.unwrap_or_else(|| "Add a word or two.".to_owned())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(password: &str) -> Result<(), Refusal> {
        check_password(&PasswordCheck {
            password,
            known: &["ada.lovelace@example.com", "Ada Lovelace"],
            field: "password",
        })
    }

    #[test]
    fn short_long_and_guessable_passwords_are_refused_with_a_reason() {
        for (password, reason) in [
            ("short", "at least 10 characters; this one has 5"),
            (&"x".repeat(129), "at most 128 characters; this one has 129"),
            ("password123", "easily guessed"),
            ("aaaaaaaaaaaa", "easily guessed"),
            ("AdaLovelace", "easily guessed"),
            ("qwertyuiop", "easily guessed"),
        ] {
            let refusal = check(password).expect_err(password);
            assert_eq!((refusal.code, refusal.path), (Code::WeakPassword, vec!["password".to_owned()]));
            assert!(refusal.message.contains(reason), "{password}: {}", refusal.message);
        }
    }

    #[test]
    fn what_nobody_guesses_soon_is_good_enough() {
        for password in ["seven llamas juggle torches", "Tr0ub4dor&3xKq", "日本語のながいあいことば一二三"]
        {
            assert_eq!(check(password), Ok(()), "{password}");
        }
    }

    #[test]
    fn ten_to_128_characters_with_a_score_of_three_are_enough_and_no_less() {
        let long = "seven llamas juggle torches".repeat(5);
        let of = |count: usize| long[..count].to_owned();
        for (password, fits) in [
            ("x7Qm2vKp9".to_owned(), false),
            ("x7Qm2vKp9Z".to_owned(), true),
            (of(128), true),
            (of(129), false),
            // Its score is two.
            ("kettlebadger".to_owned(), false),
            ("kettlebadgers9".to_owned(), true),
        ] {
            assert_eq!(check(&password).is_ok(), fits, "{password}");
        }
    }
}
