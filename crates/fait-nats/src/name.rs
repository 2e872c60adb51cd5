//! Names that NATS takes: of subjects, streams and consumers.

use fait::bus::CloudEvent;
use fait::reexport::uuid::Uuid;
use std::fmt::Write;

/// Most bytes of one token; what is longer is cut, and stays distinct by a hash.
const MAX_TOKEN: usize = 160;

/// One token of a subject, for any text: ASCII letters, digits, `-` and `_` stay, each other byte
/// of its UTF-8 becomes `=` and two hexadecimal digits; `-` alone stands for nothing.
///
/// No percent signs: servers take names with them, and then write messages' replies wrongly.
pub(crate) fn token(text: &str) -> String {
    if text.is_empty() {
        return "-".into();
    }
    let mut token = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain = byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'-' && text != "-");
        match plain {
            true => token.push(char::from(byte)),
            // Writing to a string does not fail.
            false => _ = write!(token, "={byte:02X}"),
        }
    }
    if token.len() > MAX_TOKEN {
        token.truncate(MAX_TOKEN);
        let hash = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes());
        _ = write!(token, "~{}", hash.simple());
    }
    token
}

/// The stream of a system.
pub(crate) fn stream(system: &str) -> String {
    format!("fait-{}", token(system))
}

/// All subjects of a system.
pub(crate) fn subjects(system: &str) -> String {
    format!("fait.{}.>", token(system))
}

/// The subject of one message: the key is what must stay in order.
pub(crate) fn subject(system: &str, event: &CloudEvent) -> String {
    let ty: Vec<String> = event.ty.split('.').map(token).collect();
    let key = event.text("partitionkey").or(event.subject.as_deref());
    let key = token(key.unwrap_or_default());
    format!("fait.{}.{}.{key}", token(system), ty.join("."))
}

#[cfg(test)]
mod tests {
    use super::{stream, token};

    #[test]
    fn any_text_becomes_one_token_and_no_two_the_same() {
        assert_eq!(token("order-17_b"), "order-17_b");
        assert_eq!(token(""), "-");
        assert_eq!(token("-"), "=2D");
        assert_eq!(token("a.b *>\n"), "a=2Eb=20=2A=3E=0A");
        assert_eq!(token("ü~"), "=C3=BC=7E");
        assert_eq!(stream("Meal tickets"), "fait-Meal=20tickets");
    }

    #[test]
    fn a_long_text_is_cut_and_stays_distinct() {
        let (one, other) = ("x".repeat(5000) + "1", "x".repeat(5000) + "2");
        assert!(token(&one).len() < 200);
        assert_ne!(token(&one), token(&other));
        assert_eq!(token(&one), token(&one));
    }
}
