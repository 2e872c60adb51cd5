//! Mail that processes send, by SMTP.
//!
//! A closure makes a mail of a command. Its `Message-ID` is `<command id@domain>`: the same
//! however often it is sent, so that a mail that came twice can be recognised. Most mail systems
//! deliver both all the same, so that it must be said what is wanted when nobody knows whether a
//! mail was taken: [`Uncertain::Park`] asks a person, [`Uncertain::Retry`] may send it twice.
//!
//! | what the relay does | what follows |
//! |---|---|
//! | takes the mail | the command is done |
//! | says 4xx, or is not there | sent again, later and later |
//! | says 5xx, or the mail cannot be written | the process hears at once that it failed |
//! | is gone after the mail and before its answer | nobody knows: as [`Uncertain`] says |
//!
//! ```
//! use fait::app::{App, Uncertain};
//! use fait::command;
//! use fait_smtp::{Mail, Smtp, Tls};
//!
//! /// Send invitation
//! #[command(to = "Mail")]
//! struct SendInvitation {
//!     to: String,
//!     name: String,
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mail = Smtp::by("smtp.example.org", Tls::Wrapped, Uncertain::Park, |told| {
//!     let word = |name: &str| told.body[name].as_str().unwrap_or_default().to_string();
//!     Ok(Mail {
//!         from: "Inn <inn@example.org>".into(),
//!         to: vec![word("to")],
//!         subject: "You are invited".into(),
//!         text: format!("Dear {}, come on Friday.", word("name")),
//!         html: None,
//!     })
//! })
//! .credentials("inn", "secret")?;
//! let app = App::in_memory()
//!     .tells::<SendInvitation>()
//!     .system("Mail", mail);
//! # let _ = app;
//! # Ok(())
//! # }
//! ```

mod relay;

use fait::app::{App, Limits, System, TellError, Told, Uncertain};
use fait::event::Time;
use fait::store::BoxFuture;
use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::extension::ClientId;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

/// How the way to the relay is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte on; port 465.
    Wrapped,
    /// Plain at first, then TLS (STARTTLS), or nothing is sent; port 587.
    Upgraded,
    /// Plain: for a relay on this machine, and for tests; port 25.
    None,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Who writes: `inn@example.org` or `Inn <inn@example.org>`.
    pub from: String,
    /// Who is written to; at least one.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: Option<String>,
}

/// A relay that cannot be used as it is described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SmtpError {
    /// A password without TLS.
    #[error("a password is not sent without TLS")]
    Plain,
}

type Writes = Arc<dyn Fn(&Told) -> Result<Mail, String> + Send + Sync>;

/// A relay for mail. Each mail has a connection of its own. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    domain: Option<String>,
    hello: ClientId,
    writes: Writes,
    on_uncertain: Uncertain,
    within: Duration,
    limits: Limits,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("on_uncertain", &self.on_uncertain)
            .finish_non_exhaustive()
    }
}

impl Smtp {
    /// A relay, what is done when nobody knows whether it took a mail, and how a command becomes
    /// one. When the closure gives an `Err`, the process hears it at once.
    pub fn by(
        host: &str,
        tls: Tls,
        on_uncertain: Uncertain,
        writes: impl Fn(&Told) -> Result<Mail, String> + Send + Sync + 'static,
    ) -> Smtp {
        let port = match tls {
            Tls::Wrapped => 465,
            Tls::Upgraded => 587,
            Tls::None => 25,
        };
        Smtp {
            host: host.into(),
            port,
            tls,
            credentials: None,
            domain: None,
            hello: ClientId::default(),
            writes: Arc::new(writes),
            on_uncertain,
            within: Duration::from_secs(60),
            limits: Limits::default(),
        }
    }

    /// Another port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The name and password at the relay.
    ///
    /// # Errors
    /// There is no TLS.
    pub fn credentials(mut self, name: &str, password: &str) -> Result<Self, SmtpError> {
        if self.tls == Tls::None {
            return Err(SmtpError::Plain);
        }
        self.credentials = Some(Credentials::new(name.into(), password.into()));
        Ok(self)
    }

    /// The domain in each `Message-ID`, and how this machine names itself to the relay; by default
    /// the writer's domain, and the machine's address.
    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.into());
        self.hello = ClientId::Domain(domain.into());
        self
    }

    /// How long the relay may take to answer once it has the mail; a minute by default. Up to
    /// then it has 25 seconds.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }

    /// How many mails are sent at once, and for how long. One telling may take at least as long as
    /// the relay may.
    #[must_use]
    pub fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The mail with its headers.
    fn write(&self, told: &Told, now: Time) -> Result<Message, String> {
        let mail = (self.writes)(told)?;
        let mailbox = |text: &str| {
            let parsed = text.parse::<Mailbox>();
            parsed.map_err(|e| format!("`{text}` is not an address: {e}"))
        };
        let from = mailbox(&mail.from)?;
        let domain = self.domain.as_deref().unwrap_or(from.email.domain());
        let id = format!("<{}@{domain}>", told.id);
        let mut message = Message::builder()
            .message_id(Some(id))
            .date(UNIX_EPOCH + Duration::from_millis(now.0))
            .from(from)
            .subject(mail.subject);
        for to in &mail.to {
            message = message.to(mailbox(to)?);
        }
        let written = match mail.html {
            Some(html) => message.multipart(MultiPart::alternative_plain_html(mail.text, html)),
            None => message.body(mail.text),
        };
        written.map_err(|e| e.to_string())
    }
}

impl System for Smtp {
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            let mail = self.write(&message, app.clock().now());
            let mail = mail.map_err(TellError::never)?;
            self.send(&mail).await
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        self.on_uncertain
    }

    fn limits(&self) -> Limits {
        let least = relay::BEFORE + self.within + Duration::from_secs(1);
        Limits {
            within: self.limits.within.max(least),
            ..self.limits
        }
    }
}
