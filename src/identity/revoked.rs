//! What can be taken back, and how it is told.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// All tokens of one session.
    Session { id: Uuid },
    /// All of a user's tokens of earlier epochs, but for those of one session.
    User { id: Uuid, epoch: i64, kept: Option<Uuid> },
}

/// Of what something may be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Session(Uuid),
    User(Uuid),
}

impl Subject {
    pub(super) fn key(self) -> String {
        match self {
            Self::Session(id) => format!("session:{id}"),
            Self::User(id) => format!("user:{id}"),
        }
    }
}

/// What an access token stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub user: Uuid,
    pub session: Uuid,
    pub epoch: i64,
    pub issued_at: DateTime<Utc>,
}

impl Revoked {
    pub(super) fn key(&self) -> String {
        match self {
            Self::Session { id } => Subject::Session(*id).key(),
            Self::User { id, .. } => Subject::User(*id).key(),
        }
    }

    /// As a note of one word, and back.
    pub(super) fn note(&self) -> String {
        match self {
            Self::Session { .. } => "ended".to_owned(),
            Self::User { epoch, kept, .. } => {
                format!("{epoch}:{}", kept.map_or_else(String::new, |kept| kept.to_string()))
            }
        }
    }

    pub(super) fn of_message(message: &str) -> Option<Self> {
        let (key, note) = message.split_once('=')?;
        match key.split_once(':')? {
            ("session", id) => Some(Self::Session { id: id.parse().ok()? }),
            ("user", id) => {
                let (epoch, kept) = note.split_once(':')?;
                Some(Self::User { id: id.parse().ok()?, epoch: epoch.parse().ok()?, kept: kept.parse().ok() })
            }
            _ => None,
        }
    }

    /// Whether this takes back what `standing` stands on.
    pub fn concerns(&self, standing: &Standing) -> bool {
        match self {
            Self::Session { id } => *id == standing.session,
            Self::User { id, epoch, kept } => {
                *id == standing.user && standing.epoch < *epoch && *kept != Some(standing.session)
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A token of a session of user 1.
    pub fn standing(session: u128, epoch: i64) -> Standing {
        Standing {
            user: Uuid::from_u128(1),
            session: Uuid::from_u128(session),
            epoch,
            issued_at: DateTime::from_timestamp(1_000, 0).expect("a moment"),
        }
    }

    #[test]
    fn a_note_comes_back_as_what_it_says() {
        let (id, kept) = (Uuid::from_u128(1), Some(Uuid::from_u128(2)));
        for revoked in [
            Revoked::Session { id },
            Revoked::User { id, epoch: 7, kept },
            Revoked::User { id, epoch: i64::MAX, kept: None },
        ] {
            assert_eq!(Revoked::of_message(&format!("{}={}", revoked.key(), revoked.note())), Some(revoked));
        }
        for nonsense in ["", "=", "session:x=ended", "user:1=2", "card:1=2"] {
            assert_eq!(Revoked::of_message(nonsense), None);
        }
    }

    #[test]
    fn an_epoch_takes_back_all_earlier_tokens_but_the_kept_sessions() {
        let user = Uuid::from_u128(1);
        let all_but_two = Revoked::User { id: user, epoch: 5, kept: Some(Uuid::from_u128(2)) };
        assert!(all_but_two.concerns(&standing(3, 4)));
        assert!(!all_but_two.concerns(&standing(3, 5)), "signed in again since");
        assert!(!all_but_two.concerns(&standing(2, 4)), "the one that was kept");
        assert!(Revoked::Session { id: Uuid::from_u128(3) }.concerns(&standing(3, 4)));
        assert!(!Revoked::Session { id: Uuid::from_u128(3) }.concerns(&standing(2, 4)));
    }
}
