//! The connection: how it is made, and what kind of server is at its other end.

use async_nats::connection::State;
use async_nats::jetstream::{Context, ContextBuilder};
use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, Event};
use fait::bus::BusError;
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The oldest server that the tests run against.
const OLDEST: Version = Version(2, 9, 10);

/// How long the server may take to answer a request.
const ANSWER: Duration = Duration::from_secs(5);

/// How to get to a server. Passwords and keys do not show when it is printed.
#[derive(Clone, Default)]
pub struct Options {
    name: Option<String>,
    user: Option<(String, String)>,
    token: Option<String>,
    nkey: Option<String>,
    credentials: Option<PathBuf>,
    tls: bool,
    roots: Vec<PathBuf>,
    certificate: Option<(PathBuf, PathBuf)>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("name", &self.name)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// What the tools of NATS call this program; `fait` by default.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A user with a password.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// A token.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.into());
        self
    }

    /// A user by the seed of an nkey: `SU…`.
    #[must_use]
    pub fn nkey(mut self, seed: &str) -> Self {
        self.nkey = Some(seed.into());
        self
    }

    /// A file of credentials, as `nsc` writes it: `….creds`.
    #[must_use]
    pub fn credentials_file(mut self, path: impl AsRef<Path>) -> Self {
        self.credentials = Some(path.as_ref().into());
        self
    }

    /// Only with TLS; `tls://` before the address says the same.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Only with TLS, and the server's certificate must come from one in this PEM file; by default
    /// from those that the machine trusts.
    #[must_use]
    pub fn root_certificates(mut self, path: impl AsRef<Path>) -> Self {
        self.roots.push(path.as_ref().into());
        self.tls()
    }

    /// Only with TLS, and this program shows a certificate too: PEM files of it and of its key.
    #[must_use]
    pub fn certificate(mut self, path: impl AsRef<Path>, key: impl AsRef<Path>) -> Self {
        self.certificate = Some((path.as_ref().into(), key.as_ref().into()));
        self.tls()
    }

    fn build(&self, last: &Arc<Mutex<String>>) -> Result<ConnectOptions, NatsError> {
        let last = last.clone();
        let mut options = ConnectOptions::new()
            .name(self.name.as_deref().unwrap_or("fait"))
            .connection_timeout(Duration::from_secs(5))
            .request_timeout(Some(ANSWER))
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(delay)
            .event_callback(move |event| {
                note(&last, &event);
                async {}
            });
        if let Some((user, password)) = self.user.clone() {
            options = options.user_and_password(user, password);
        }
        if let Some(token) = self.token.clone() {
            options = options.token(token);
        }
        if let Some(seed) = self.nkey.clone() {
            options = options.nkey(seed);
        }
        if let Some(path) = &self.credentials {
            let text = std::fs::read_to_string(path);
            let text = text.map_err(|e| unreadable(path, &e))?;
            let read = options.credentials(&text);
            options = read.map_err(|e| unreadable(path, &e))?;
        }
        for path in &self.roots {
            options = options.add_root_certificates(path.clone());
        }
        if let Some((path, key)) = self.certificate.clone() {
            options = options.add_client_certificate(path, key);
        }
        Ok(options.require_tls(self.tls))
    }
}

fn unreadable(path: &Path, e: &std::io::Error) -> NatsError {
    NatsError::File {
        path: path.into(),
        why: e.to_string(),
    }
}

/// At once, and then after up to a second.
fn delay(attempt: usize) -> Duration {
    match attempt {
        0 | 1 => Duration::ZERO,
        n => Duration::from_millis(25 << n.min(5)).min(Duration::from_secs(1)),
    }
}

fn note(last: &Mutex<String>, event: &Event) {
    *last.lock().unwrap_or_else(PoisonError::into_inner) = why(event);
}

/// Why there is no connection, as far as an event says more than that there is none.
fn why(event: &Event) -> String {
    let said = match event {
        Event::Connected => return String::new(),
        other => other.to_string(),
    };
    let said = said.trim_start_matches("client error: ");
    match said.trim_start_matches("nats: ") {
        "IO error" => String::new(),
        said => said.to_owned(),
    }
}

/// Why there is no connection, and will be none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NatsError {
    /// It is no address of a server.
    #[error("`{0}` is no address of a NATS server: write nats://host:4222, several with commas")]
    Address(String),
    /// A file cannot be read, or says something else than it should.
    #[error("{path}: {why}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The server does not let this program in.
    #[error("the NATS server at {address} does not let this program in: {why}")]
    Refused {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// The server cannot carry what is published: too old, or without JetStream.
    #[error("{0}")]
    Unfit(String),
}

/// A connection to NATS, which is made again whenever it is lost. Cheap to clone.
#[derive(Clone)]
pub struct Nats {
    client: Client,
    context: Context,
    address: Arc<str>,
    last: Arc<Mutex<String>>,
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Nats {
    /// Connects: `nats://host:4222`, or several servers of one cluster with commas between them.
    ///
    /// A server that is not there is no error: a system works without its broker, and what it
    /// publishes waits in its log. Everything else is found at once.
    ///
    /// # Errors
    /// The address is none, a file cannot be read, the server is there and refuses this program,
    /// or is older than 2.9.10 or has no JetStream.
    pub async fn connect(address: &str, options: Options) -> Result<Nats, NatsError> {
        let last = Arc::new(Mutex::new(String::new()));
        let addresses: Vec<&str> = address.split(',').map(str::trim).collect();
        let first = options.build(&last)?.connect(&addresses[..]).await;
        let client = match first {
            Ok(client) => {
                // The server has said what it is when this comes back.
                _ = tokio::time::timeout(ANSWER, client.flush()).await;
                client
            }
            Err(e) if e.kind() == ConnectErrorKind::ServerParse => {
                return Err(NatsError::Address(address.into()));
            }
            Err(e) if keeps_out(&e) => {
                return Err(NatsError::Refused {
                    address: shown(address),
                    why: e.to_string(),
                });
            }
            Err(_) => {
                let again = options.build(&last)?.retry_on_initial_connect();
                let again = again.connect(&addresses[..]).await;
                again.map_err(|_| NatsError::Address(address.into()))?
            }
        };
        let nats = Nats {
            context: ContextBuilder::new().timeout(ANSWER).build(client.clone()),
            client,
            address: shown(address).into(),
            last,
        };
        match nats.context() {
            Err(BusError::Unfit(why)) => Err(NatsError::Unfit(why)),
            _ => Ok(nats),
        }
    }

    /// JetStream, where there is a server and it is fit.
    pub(crate) fn context(&self) -> Result<Context, BusError> {
        let info = self.client.try_server_info();
        let (State::Connected, Some(info)) = (self.client.connection_state(), info) else {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let why = match last.is_empty() {
                true => String::new(),
                false => format!(": {last}"),
            };
            let text = format!("no connection to the NATS server at {}{why}", self.address);
            return Err(BusError::Later(text));
        };
        fit(&info.version).map_err(BusError::Unfit)?;
        if !info.jetstream && info.cluster.is_none() {
            return Err(BusError::Unfit(format!(
                "the NATS server at {} runs without JetStream: write `jetstream {{ }}` into its \
                 configuration, or start it with -js",
                self.address
            )));
        }
        Ok(self.context.clone())
    }

    /// Whether the server is new enough for a feature.
    pub(crate) fn needs(&self, feature: &str, least: Version) -> Result<(), BusError> {
        let info = self.client.server_info();
        match Version::read(&info.version) {
            Some(version) if version >= least => Ok(()),
            _ => Err(BusError::Unfit(format!(
                "{feature} needs a NATS server of version {least} or newer; the one at {} is {}. \
                 Leave it out, or use a newer server",
                self.address, info.version
            ))),
        }
    }
}

/// Whether somebody is there, and it is no use to ask again.
fn keeps_out(e: &ConnectError) -> bool {
    match e.kind() {
        ConnectErrorKind::Authentication
        | ConnectErrorKind::AuthorizationViolation
        | ConnectErrorKind::Tls => true,
        // What is wrong with TLS may come as an error of reading.
        ConnectErrorKind::Io => {
            let io = e
                .source()
                .and_then(|source| source.downcast_ref::<std::io::Error>());
            io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData)
        }
        _ => false,
    }
}

/// The addresses without names and passwords.
fn shown(address: &str) -> String {
    let one = |text: &str| match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        (None, Some((_, host))) => host.to_string(),
        _ => text.to_string(),
    };
    let all: Vec<String> = address.split(',').map(|text| one(text.trim())).collect();
    all.join(", ")
}

fn fit(version: &str) -> Result<(), String> {
    match Version::read(version) {
        Some(read) if read >= OLDEST => Ok(()),
        _ => Err(format!(
            "the NATS server is of version {version}, and {OLDEST} is the oldest that is known to \
             work: readers that bear a name came with 2.9. Use a newer server"
        )),
    }
}

/// A version of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// `2.10.4-RC.1` is 2.10.4.
    fn read(text: &str) -> Option<Version> {
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        Some(Version(parts.next()??, parts.next()??, parts.next()??))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, Version, fit, shown, why};
    use async_nats::{ClientError, Event};

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert!(fit("2.9.10").is_ok() && fit("2.10.0").is_ok() && fit("2.12.1-RC.2").is_ok());
        assert!(fit("2.9.9").is_err() && fit("").is_err() && fit("next").is_err());
        assert!(Version(2, 10, 0) > Version(2, 9, 25));
    }

    #[test]
    fn only_what_is_more_than_no_connection_is_said() {
        let other = |text: &str| why(&Event::ClientError(ClientError::Other(text.into())));
        assert_eq!(other("IO error"), "");
        assert_eq!(other("DNS error"), "DNS error");
        assert_eq!(why(&Event::Connected), "");
        assert_eq!(why(&Event::Disconnected), "disconnected");
    }

    #[test]
    fn passwords_do_not_show() {
        assert_eq!(shown("nats://me:secret@a:1, b:2"), "nats://a:1, b:2");
        let printed = format!("{:?}", Options::default().user("me", "secret").token("t0p"));
        assert!(
            !printed.contains("secret") && !printed.contains("t0p"),
            "{printed}"
        );
    }
}
