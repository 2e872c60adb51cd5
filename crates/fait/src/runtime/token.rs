//! Read tokens: how far a reader must be shown, and in which history.

use fait_core::event::Position;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// The form of the text. Another form gets another letter.
const FORM: &str = "a";

/// How far a view must have come to show something, for example what a receipt is for.
///
/// As text it is opaque: at most 90 letters, digits and dots, fit for addresses, headers and
/// cookies. It names the history that it is of and the event that stands at its position, so that
/// a token of another store, or of a history that a backup has taken back, is recognized. It gives
/// no access to anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Token {
    pub(crate) history: Uuid,
    pub(crate) position: Position,
    /// The event at the position; nil when the token is not about any.
    pub(crate) event: Uuid,
}

/// A text that is no read token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a read token: give the one that a receipt has, letter by letter")]
pub struct TokenError(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (history, event) = (self.history.simple(), self.event.simple());
        write!(f, "{FORM}.{:x}.{history}.{event}", self.position)
    }
}

impl FromStr for Token {
    type Err = TokenError;
    fn from_str(text: &str) -> Result<Self, TokenError> {
        // Written in one way only: whatever is read is written the same again.
        let token = read(text).filter(|t| t.to_string() == text);
        token.ok_or_else(|| TokenError(text.chars().take(60).collect()))
    }
}

fn read(text: &str) -> Option<Token> {
    let mut parts = text.strip_prefix(FORM)?.strip_prefix('.')?.splitn(3, '.');
    Some(Token {
        position: Position::from_str_radix(parts.next()?, 16).ok()?,
        history: Uuid::try_parse(parts.next()?).ok()?,
        event: Uuid::try_parse(parts.next()?).ok()?,
    })
}

impl From<Token> for String {
    fn from(token: Token) -> String {
        token.to_string()
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;
    fn try_from(text: String) -> Result<Self, TokenError> {
        text.parse()
    }
}

impl From<&Token> for Token {
    fn from(token: &Token) -> Token {
        *token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(history: u128, position: u64, event: u128) {
            let (history, event) = (Uuid::from_u128(history), Uuid::from_u128(event));
            let token = Token { history, position, event };
            let text = token.to_string();
            prop_assert!(text.len() <= 90);
            prop_assert_eq!(text.parse(), Ok(token));
            let json = serde_json::to_string(&token).unwrap();
            prop_assert_eq!(&json, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<Token>(&json).unwrap(), token);
        }

        #[test]
        fn whatever_is_read_was_written(text in "[ab.0-9A-F+-]{0,90}") {
            if let Ok(token) = text.parse::<Token>() {
                prop_assert_eq!(token.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_no_token_is_named() {
        let token = Token {
            history: Uuid::from_u128(0xabc),
            position: 26,
            event: Uuid::from_u128(1),
        };
        let text = token.to_string();
        for wrong in [
            "",
            "17",
            "a.",
            &text.to_uppercase(),
            &text.replace("a.1a.", "a.01a."),
            &text.replace("a.1a.", "a.+1a."),
            &text.replace("a.1a.", "b.1a."),
            &text[..text.len() - 1],
            &format!("{text}0"),
            &format!("{text}.1"),
        ] {
            let said = wrong.parse::<Token>().unwrap_err().to_string();
            let shown: String = wrong.chars().take(60).collect();
            assert!(said.starts_with(&format!("`{shown}` is not")), "{said}");
        }
    }
}
