//! What comes in with every request: the words of its address, and who it is.

use crate::answer::Problem;
use crate::shared::{Shared, kebab};
use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The parameters behind `?`, each to be taken once.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query: Query<Vec<(String, String)>> = parts
            .extract()
            .await
            .map_err(|e| Problem::malformed(format!("the query cannot be read: {e}")))?;
        Ok(Params(query.0))
    }
}

impl Params {
    /// Every value of a parameter.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        self.0
            .extract_if(.., |(n, _)| n == name)
            .map(|(_, value)| value)
            .collect()
    }

    /// The value of a parameter, if it is given and not empty.
    pub(crate) fn take(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        if values.len() > 1 {
            return Err(wrong(
                name,
                format!("`{name}` is given {} times", values.len()),
            ));
        }
        Ok(values.pop().filter(|v| !v.is_empty()))
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>, Problem> {
        let Some(text) = self.take(name)? else {
            return Ok(None);
        };
        let number = text.parse().map(Some);
        number.map_err(|_| {
            wrong(
                name,
                format!("`{name}` must be a whole number, not `{text}`"),
            )
        })
    }

    /// How many at most: 1 to 1,000.
    pub(crate) fn limit(&mut self, default: usize) -> Result<usize, Problem> {
        match self.number("limit")? {
            None => Ok(default),
            Some(n @ 1..=1000) => Ok(n as usize),
            Some(n) => Err(wrong(
                "limit",
                format!("`limit` must be 1 to 1000, not {n}"),
            )),
        }
    }

    /// An id.
    pub(crate) fn uuid(&mut self, name: &str) -> Result<Option<Uuid>, Problem> {
        let Some(text) = self.take(name)? else {
            return Ok(None);
        };
        let id = text.parse().map(Some);
        id.map_err(|_| wrong(name, format!("`{name}` must be a UUID, not `{text}`")))
    }

    /// Yes or no; no by default.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(text) => Err(wrong(
                name,
                format!("`{name}` must be true or false, not `{text}`"),
            )),
        }
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Vec<(String, String)> {
        self.0
    }

    /// Nothing may be left.
    pub(crate) fn end(self, known: &str) -> Result<(), Problem> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("`{name}` is not known here; known are {known}");
                Err(wrong(name, detail))
            }
        }
    }
}

fn wrong(parameter: &str, detail: String) -> Problem {
    Problem::malformed(detail).with("parameter", parameter)
}

/// The variable parts of the path.
#[derive(Debug)]
pub(crate) struct At<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned + Send + 'static> FromRequestParts<S> for At<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let path: Result<Path<T>, _> = parts.extract().await;
        path.map(|Path(value)| At(value)).map_err(|e| {
            Problem::malformed(format!("the address cannot be read: {}", e.body_text()))
        })
    }
}

/// An id in the path.
pub(crate) fn uuid(text: &str) -> Result<Uuid, Problem> {
    text.parse()
        .map_err(|_| Problem::malformed(format!("`{text}` is not a UUID")))
}

/// Who looks and acts. There is no login in this mode: the role is chosen and kept in a cookie.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Who {
    /// The role, when one was chosen that this system knows.
    pub(crate) role: Option<String>,
    /// The name.
    pub(crate) name: String,
}

/// The name of who has not said it.
pub(crate) const DEFAULT_NAME: &str = "Ann";

impl Who {
    pub(crate) fn of(headers: &HeaderMap, shared: &Shared) -> Who {
        let role = cookie(headers, "fait_role").and_then(|r| shared.role(&r).map(String::from));
        let name = cookie(headers, "fait_name").unwrap_or_default();
        let name = if name.trim().is_empty() {
            DEFAULT_NAME.into()
        } else {
            name
        };
        Who { role, name }
    }

    /// As it stands in events: `floor-manager:ann`.
    pub(crate) fn actor(&self) -> Option<String> {
        let role = kebab(self.role.as_deref()?);
        Some(format!("{role}:{}", kebab(&self.name)))
    }
}

impl FromRequestParts<Shared> for Who {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        Ok(Who::of(&parts.headers, shared))
    }
}

/// The value of a cookie, decoded.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok());
    let mut pairs = all
        .flat_map(|line| line.split(';'))
        .filter_map(|p| p.trim().split_once('='));
    pairs
        .find(|(n, _)| *n == name)
        .map(|(_, value)| decode(value))
}

/// Text as a part of an address or the value of a cookie.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char);
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (vec![], 0);
    while i < bytes.len() {
        let hex = bytes
            .get(i + 1..i + 3)
            .and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) if bytes[i] == b'%' => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
