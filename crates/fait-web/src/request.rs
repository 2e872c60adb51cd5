//! What comes in with every request: the words of its address, and who it is.

use crate::answer::Problem;
use crate::kebab::kebab;
use crate::shared::Shared;
use axum::RequestPartsExt;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

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

/// What was encoded.
pub(crate) fn decode(text: &str) -> String {
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
