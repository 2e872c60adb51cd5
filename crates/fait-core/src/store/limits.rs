//! Limits and rules of form, the same for every store.

use super::{Append, AppendError, ERASED, Erase};
use crate::event::{NewEvent, Origin, Position, Tag};

/// Largest data of one event, in bytes.
pub const MAX_EVENT_BYTES: usize = 1 << 20;
/// Most tags of one event.
pub const MAX_TAGS: usize = 64;
/// Longest event type or tag, in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// Longest origin of one event: actor, trace context and pairs together, in bytes.
pub const MAX_ORIGIN_BYTES: usize = 16 << 10;
/// Most events of one append.
pub const MAX_BATCH_EVENTS: usize = 4096;
/// Most data of one append, in bytes.
pub const MAX_BATCH_BYTES: usize = 32 << 20;
/// Most conditions of one append.
pub const MAX_CONDITIONS: usize = 64;

/// Checks an append against limits, form and the head, before anything else is judged.
///
/// # Errors
/// [`AppendError::Invalid`], naming the limit and what broke it.
pub fn validate(append: &Append, head: Position) -> Result<(), AppendError> {
    let invalid = |message: String| Err(AppendError::Invalid(message));
    if append.events.is_empty() {
        return invalid("an append needs at least one event".into());
    }
    if append.events.len() > MAX_BATCH_EVENTS {
        let n = append.events.len();
        return invalid(format!(
            "{n} events in one append; at most {MAX_BATCH_EVENTS} fit"
        ));
    }
    if append.conditions.len() > MAX_CONDITIONS {
        let n = append.conditions.len();
        return invalid(format!(
            "{n} conditions in one append; at most {MAX_CONDITIONS} fit"
        ));
    }
    append.events.iter().try_for_each(validate_event)?;
    let bytes: usize = append.events.iter().map(|e| e.data.len()).sum();
    if bytes > MAX_BATCH_BYTES {
        return invalid(format!(
            "{bytes} bytes in one append; at most {MAX_BATCH_BYTES} fit"
        ));
    }
    // Last: only this depends on what else was appended.
    if let Some(c) = append.conditions.iter().find(|c| c.after > head) {
        return invalid(format!(
            "a condition looks behind position {}, but the store ends at {head}",
            c.after
        ));
    }
    Ok(())
}

/// Checks the form of an erasure, before its tombstone is appended.
///
/// # Errors
/// [`AppendError::Invalid`]: the tombstone does not carry the tag, or the tag has no form.
pub fn validate_erasure(erase: &Erase) -> Result<(), AppendError> {
    tag(&erase.tag)?;
    match erase.tombstone.events.first() {
        Some(first) if first.tags.contains(&erase.tag) => Ok(()),
        _ => Err(AppendError::Invalid(format!(
            "the tombstone of an erasure must carry the tag `{}`, so that those who follow it hear \
             of it",
            erase.tag
        ))),
    }
}

/// Checks one event against limits and form.
///
/// # Errors
/// [`AppendError::Invalid`], naming the limit and what broke it.
pub fn validate_event(e: &NewEvent) -> Result<(), AppendError> {
    name(&e.ty, "event type")?;
    if e.ty == ERASED {
        let message = format!("the event type {ERASED} is what an erased event reads as");
        return Err(AppendError::Invalid(message));
    }
    if e.data.len() > MAX_EVENT_BYTES {
        return Err(AppendError::Invalid(format!(
            "event {} has {} bytes; at most {MAX_EVENT_BYTES} fit",
            e.ty,
            e.data.len()
        )));
    }
    if e.tags.len() > MAX_TAGS {
        return Err(AppendError::Invalid(format!(
            "event {} has {} tags; at most {MAX_TAGS} fit",
            e.ty,
            e.tags.len()
        )));
    }
    let origin = origin_bytes(&e.origin);
    if origin > MAX_ORIGIN_BYTES {
        return Err(AppendError::Invalid(format!(
            "the origin of event {} has {origin} bytes; at most {MAX_ORIGIN_BYTES} fit",
            e.ty
        )));
    }
    e.tags.iter().try_for_each(tag)
}

/// How much an origin is of what [`MAX_ORIGIN_BYTES`] allows.
pub fn origin_bytes(origin: &Origin) -> usize {
    let text = |t: &Option<String>| t.as_ref().map_or(0, String::len);
    let pairs: usize = origin.pairs.iter().map(|(k, v)| k.len() + v.len()).sum();
    text(&origin.actor) + text(&origin.traceparent) + pairs
}

fn name(text: &str, what: &str) -> Result<(), AppendError> {
    let wrong = if text.is_empty() {
        "is empty"
    } else if text.len() > MAX_NAME_BYTES {
        "is longer than 255 bytes"
    } else if text.chars().any(char::is_control) {
        "has a control character"
    } else {
        return Ok(());
    };
    let shown: String = text.chars().take(40).collect();
    Err(AppendError::Invalid(format!(
        "{what} `{}` {wrong}",
        shown.escape_debug()
    )))
}

fn tag(tag: &Tag) -> Result<(), AppendError> {
    name(tag.as_str(), "tag")?;
    if tag.kind().is_empty() || tag.value().is_empty() {
        let text = tag.as_str();
        return Err(AppendError::Invalid(format!(
            "tag `{text}` is not of the form `kind:value`"
        )));
    }
    Ok(())
}
