//! The talk with the relay, in two parts: up to `DATA` nothing can have been sent; from then on it
//! may have been.

use super::{Smtp, Tls};
use fait::app::TellError;
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{Extension, MailBodyParameter, MailParameter};
use std::time::Duration;

/// How long everything before the mail itself may take.
pub(super) const BEFORE: Duration = Duration::from_secs(25);

impl Smtp {
    pub(super) async fn send(&self, mail: &Message) -> Result<(), TellError> {
        let bytes = mail.formatted();
        let before = tokio::time::timeout(BEFORE, self.before(mail, &bytes)).await;
        let mut relay = match before {
            Ok(Ok(relay)) => relay,
            Ok(Err(e)) => return Err(e),
            Err(_) => {
                let error = format!("no answer within {} seconds", BEFORE.as_secs());
                return Err(TellError::later(error));
            }
        };
        let taken = match tokio::time::timeout(self.within, relay.message(&bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(e)) => Err(refused(&e, false)),
            Err(_) => {
                let error = "the relay has the mail and did not answer in time";
                return Err(TellError::unknown(error));
            }
        };
        // Good manners; the mail is taken or refused already.
        let _ = tokio::time::timeout(Duration::from_secs(1), relay.abort()).await;
        taken
    }

    /// Up to the relay's "go on".
    async fn before(&self, mail: &Message, bytes: &[u8]) -> Result<AsyncSmtpConnection, TellError> {
        // Who we are is not the mail's fault, whatever the relay thinks of it.
        let relay = self.connect().await.map_err(TellError::later)?;
        let envelope = self.envelope(relay, mail, bytes).await;
        envelope.map_err(|e| refused(&e, true))
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let tls = match self.tls {
            Tls::None => None,
            Tls::Wrapped | Tls::Upgraded => Some(TlsParameters::new(self.host.clone())?),
        };
        let wrapped = tls.clone().filter(|_| self.tls == Tls::Wrapped);
        let place = (self.host.as_str(), self.port);
        let hello = &self.hello;
        let connect =
            AsyncSmtpConnection::connect_tokio1(place, Some(BEFORE), hello, wrapped, None);
        let mut relay = connect.await?;
        if let Some(tls) = tls.filter(|_| self.tls == Tls::Upgraded) {
            relay.starttls(tls, hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            relay.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(relay)
    }

    async fn envelope(
        &self,
        mut relay: AsyncSmtpConnection,
        mail: &Message,
        bytes: &[u8],
    ) -> Result<AsyncSmtpConnection, Error> {
        let mut options = vec![];
        let mut all = mail
            .envelope()
            .from()
            .into_iter()
            .chain(mail.envelope().to());
        if all.any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            options.push(MailParameter::SmtpUtfEight);
        }
        if !bytes.is_ascii()
            && relay
                .server_info()
                .supports_feature(Extension::EightBitMime)
        {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let from = mail.envelope().from().cloned();
        relay.command(Mail::new(from, options)).await?;
        for to in mail.envelope().to() {
            relay.command(Rcpt::new(to.clone(), vec![])).await?;
        }
        relay.command(Data).await?;
        Ok(relay)
    }
}

/// What an error means; `before` the mail itself, nothing can have been sent.
fn refused(e: &Error, before: bool) -> TellError {
    if e.is_permanent() {
        TellError::never(e)
    } else if e.is_transient() || before {
        TellError::later(e)
    } else {
        TellError::unknown(e)
    }
}
