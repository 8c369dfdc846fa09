//! Mail, by SMTP, or as files in the data folder where no server is named.

use std::path::Path;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// Sends mail.
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    /// The base of the addresses in mail.
    web_url: String,
}

enum Transport {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(AsyncFileTransport<Tokio1Executor>),
}

/// Why no mail can be sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("the sender is no address: {0}")]
    Sender(#[from] lettre::address::AddressError),
    #[error("the mail server's address can't be read: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    #[error("the folder of mails can't be made: {0}")]
    Folder(#[from] std::io::Error),
}

/// What is written to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter<'a> {
    VerifyEmail {
        token: &'a str,
    },
    ResetPassword {
        token: &'a str,
    },
    /// To the address that another is to take the place of.
    AddressChanges,
}

/// The folder of mails within the data folder.
const FOLDER: &str = "mail";
/// Tries of a mail, and the time between them.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);

impl Mailer {
    /// Whether a URL names a mail server.
    pub fn knows_server(url: &str) -> bool {
        AsyncSmtpTransport::<Tokio1Executor>::from_url(url).is_ok()
    }

    /// Whether mail can be from this.
    pub fn knows_sender(from: &str) -> bool {
        from.parse::<Mailbox>().is_ok()
    }

    /// # Errors
    /// When the sender or the server can't be read, or there is no folder.
    pub fn new(
        smtp_url: Option<&str>,
        from: &str,
        web_url: &str,
        data_dir: &Path,
    ) -> Result<Self, MailError> {
        let transport = match smtp_url {
            Some(url) => Transport::Smtp(AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.build()),
            None => {
                let folder = data_dir.join(FOLDER);
                std::fs::create_dir_all(&folder)?;
                Transport::Folder(AsyncFileTransport::new(folder))
            }
        };
        Ok(Self { transport, from: from.parse()?, web_url: web_url.trim_end_matches('/').to_owned() })
    }

    /// Sends a letter, in some tries. A failure is logged, without the address.
    pub async fn send(&self, to: &str, letter: Letter<'_>) {
        let Some(message) = self.message(to, letter) else {
            tracing::error!("a mail could not be written");
            return;
        };
        for tried in 1..=TRIES {
            let sent = match &self.transport {
                Transport::Smtp(transport) => {
                    transport.send(message.clone()).await.map(drop).map_err(|error| error.to_string())
                }
                Transport::Folder(transport) => {
                    transport.send(message.clone()).await.map(drop).map_err(|error| error.to_string())
                }
            };
            match sent {
                Ok(()) => return,
                // What a mail server answers may repeat the address.
                Err(_) if tried < TRIES => tokio::time::sleep(PAUSE * tried).await,
                Err(_) => tracing::error!(tried, "a mail could not be sent"),
            }
        }
    }

    fn message(&self, to: &str, letter: Letter<'_>) -> Option<Message> {
        let link = |what: &str, path: &str, token: &str, holds: &str| {
            format!(
                "{what}:\n\n{}/{path}?token={token}\n\nThe link holds for {holds} and works once. If this was not you, do nothing.\n",
                self.web_url
            )
        };
        let (subject, body) = match letter {
            Letter::VerifyEmail { token } => {
                ("Is this your address?", link("Confirm that this address is yours", "verify-email", token, "two days"))
            }
            Letter::ResetPassword { token } => {
                ("A new password", link("Choose a new password", "reset-password", token, "an hour"))
            }
            Letter::AddressChanges => (
                "Your address is about to change",
                "Somebody who knows your password has asked for another address for your account. If this was not you, \
                 change your password now: that stops it.\n"
                    .to_owned(),
            ),
        };
        Message::builder()
            .from(self.from.clone())
            .to(to.parse().ok()?)
            .subject(subject)
            .header(ContentType::TEXT_PLAIN)
            .body(body)
            .ok()
    }
}
