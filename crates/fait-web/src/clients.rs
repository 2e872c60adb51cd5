//! Other systems that may use the open door: who they are, by a token, and what they may do.

use crate::kebab::kebab;
use fait::manifest::{CommandEntry, Manifest};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use uuid::Uuid;

/// Longest name of a client, in bytes.
pub const MAX_CLIENT_NAME: usize = 60;

/// The systems that may use the open door of a system, each with a token and its rights.
///
/// As text it is one client a line; `#` begins a comment:
///
/// ```text
/// # Sponsors are looked after elsewhere.
/// sponsorship sha256:9f86d081884c… role=clerk
/// billing sha256:60303ae22b99… command=PayTable feed
/// ```
///
/// `role=` gives all commands that a role may send (`Floor manager` is `role=floor-manager`),
/// `command=` one of them, `feed` all that is published. Two lines of one name are one client with
/// two tokens, which is how a token is replaced without a pause. The text holds no secret: only
/// the SHA-256 of each token in 64 digits; a token is random and long enough for that.
#[derive(Clone, Debug, Default)]
pub struct Clients(Vec<Arc<Client>>);

/// One line of [`Clients`].
#[derive(Debug, PartialEq)]
pub(crate) struct Client {
    pub(crate) name: String,
    hash: [u8; 32],
    /// As they stand in actors.
    roles: Vec<String>,
    commands: Vec<String>,
    pub(crate) feed: bool,
}

/// Clients that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientsError {
    /// A line is none.
    #[error("line {line} of the clients: {why}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file cannot be read.
    #[error("the clients in {path}: {error}")]
    File {
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

/// A token that was just made. It is shown once, to whoever gives it to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What the client sends as `Authorization: Bearer …`.
    pub token: String,
    /// The line for the system's clients, still without rights.
    pub line: String,
}

impl NewToken {
    /// A token for a client of this name, of 244 random bits.
    ///
    /// # Errors
    /// The name has other letters than `a-z`, `0-9` and `-`, or more than [`MAX_CLIENT_NAME`].
    pub fn of(name: &str) -> Result<NewToken, String> {
        let name = checked(name)?;
        let random = || Uuid::new_v4().simple().to_string();
        let token = format!("fait_{}{}", random(), random());
        let line = format!("{name} sha256:{}", hex(&hash_of(&token)));
        Ok(NewToken { token, line })
    }
}

impl Clients {
    /// Reads the text.
    ///
    /// # Errors
    /// A line cannot be read; the error names it.
    pub fn read(text: &str) -> Result<Clients, ClientsError> {
        let mut all = vec![];
        for (i, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_whitespace();
            let Some(name) = words.next() else { continue };
            let client = one(name, words).map_err(|why| ClientsError::Line { line: i + 1, why })?;
            all.push(Arc::new(client));
        }
        Ok(Clients(all))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Clients, ClientsError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|error| ClientsError::File {
            path: path.display().to_string(),
            error,
        })?;
        Clients::read(&text)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. Every hash is compared, each in the same time, so that an answer says
    /// nothing about how near a guess was.
    pub(crate) fn of_token(&self, token: &str) -> Option<Arc<Client>> {
        let hash = hash_of(token);
        let mut found = None;
        for client in &self.0 {
            if bool::from(client.hash.ct_eq(&hash)) {
                found = Some(client.clone());
            }
        }
        found
    }

    /// Rights that mean nothing in a system, as sentences: a word that is misspelt would
    /// otherwise be found by a client that is sent away.
    pub(crate) fn unknown(&self, manifest: &Manifest) -> Vec<String> {
        let roles: Vec<String> = manifest.roles.keys().map(|r| kebab(r)).collect();
        let mut wrong = vec![];
        for client in &self.0 {
            let name = &client.name;
            let roles = client.roles.iter().filter(|r| !roles.contains(r));
            wrong.extend(roles.map(|r| format!("client {name}: there is no role `{r}`")));
            let known = |c: &&String| !manifest.commands.contains_key(*c);
            let commands = client.commands.iter().filter(known);
            wrong.extend(commands.map(|c| format!("client {name}: there is no command `{c}`")));
        }
        wrong
    }
}

impl Client {
    /// As it stands in events.
    pub(crate) fn actor(&self) -> String {
        format!("client:{}", self.name)
    }

    /// Whether it may send a command.
    pub(crate) fn may_send(&self, name: &str, command: &CommandEntry) -> bool {
        let by_role = |role: &String| self.roles.contains(&kebab(role));
        self.commands.iter().any(|c| c == name) || command.page.by.iter().any(by_role)
    }
}

fn one<'a>(name: &str, mut words: impl Iterator<Item = &'a str>) -> Result<Client, String> {
    let name = checked(name)?;
    let wanted = || format!("`{name}` is followed by `sha256:` and 64 digits of the token's hash");
    let hash = words.next().and_then(|w| w.strip_prefix("sha256:"));
    let mut client = Client {
        name: name.into(),
        hash: hash.and_then(unhex).ok_or_else(wanted)?,
        roles: vec![],
        commands: vec![],
        feed: false,
    };
    for word in words {
        match word.split_once('=') {
            Some(("role", role)) => client.roles.push(kebab(role)),
            Some(("command", command)) => client.commands.push(command.into()),
            None if word == "feed" => client.feed = true,
            _ => {
                let known = "`role=…`, `command=…` and `feed`";
                return Err(format!("`{word}` is no right; there are {known}"));
            }
        }
    }
    Ok(client)
}

fn checked(name: &str) -> Result<&str, String> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !name.is_empty() && name.len() <= MAX_CLIENT_NAME && name.bytes().all(fits) {
        return Ok(name);
    }
    Err(format!(
        "`{name}` is no name of a client: 1 to {MAX_CLIENT_NAME} of a-z, 0-9 and -"
    ))
}

fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_known_by_its_line_and_no_other_is() {
        let new = NewToken::of("billing").unwrap();
        let text = format!(
            "# who\n\n{} role=Floor-manager command=PayTable feed # x",
            new.line
        );
        let clients = Clients::read(&text).unwrap();
        let client = clients.of_token(&new.token).unwrap();
        assert_eq!(
            (client.actor().as_str(), client.feed),
            ("client:billing", true)
        );
        assert_eq!(client.roles, ["floor-manager"]);
        assert_eq!(clients.of_token(&format!("{}0", new.token)), None);
        assert_eq!(clients.of_token(""), None);
        assert_ne!(NewToken::of("billing").unwrap().token, new.token);
        assert!(!text.contains(&new.token), "the line holds no secret");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        let hash = "0".repeat(64);
        for (line, says) in [
            ("billing", "followed by `sha256:`"),
            ("billing sha256:12", "followed by `sha256:`"),
            ("Billing sha256:12", "no name of a client"),
            (
                &format!("b sha256:{hash} rule=clerk"),
                "`rule=clerk` is no right",
            ),
            (&format!("b sha256:{hash} ops"), "`ops` is no right"),
        ] {
            let error = Clients::read(&format!("\n{line}")).unwrap_err().to_string();
            assert!(error.starts_with("line 2 of the clients"), "{error}");
            assert!(error.contains(says), "{error}");
        }
    }
}
