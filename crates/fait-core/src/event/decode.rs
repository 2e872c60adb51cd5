//! Reading a stored event as its type, and saying what is wrong where that cannot be done.

use super::{Event, Position, StoredEvent};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A stored event could not be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("event {ty} version {version} at position {position} cannot be read: {message}")]
pub struct DecodeError {
    /// Stored name.
    pub ty: String,
    /// Stored version.
    pub version: u32,
    /// Where it stands.
    pub position: Position,
    /// The path of the field that does not fit, for example `lines[2].cents`; none when no one
    /// field is to blame.
    pub field: Option<String>,
    /// What is wrong, with the field where it is known.
    pub message: String,
}

impl StoredEvent {
    /// An error that names this event.
    pub fn unreadable(&self, why: impl fmt::Display) -> DecodeError {
        DecodeError {
            ty: self.ty.clone(),
            version: self.version,
            position: self.meta.position,
            field: None,
            message: why.to_string(),
        }
    }

    /// The data as JSON of a type, whatever its version.
    ///
    /// # Errors
    /// The bytes are not JSON, or not of that type; the error names the field.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        serde_json::from_slice(&self.data).map_err(|plain| {
            // Read again, since only who fails is to pay for knowing where.
            let mut json = serde_json::Deserializer::from_slice(&self.data);
            let traced = serde_path_to_error::deserialize::<_, T>(&mut json);
            self.misfit(traced.err(), plain, "")
        })
    }

    fn misfit(
        &self,
        traced: Option<serde_path_to_error::Error<serde_json::Error>>,
        plain: serde_json::Error,
        when: &str,
    ) -> DecodeError {
        let (path, error) = match traced {
            Some(e) => (e.path().to_string(), e.into_inner()),
            None => (String::new(), plain),
        };
        let (field, what) = misfit(path, &error);
        let mut wrong = self.unreadable(format_args!("{when}{what}"));
        wrong.field = field;
        wrong
    }
}

/// Reads one event type; what the derives call.
///
/// # Errors
/// The version is newer than the program, the upcaster refuses or panics, or the JSON does not
/// fit. The error names type, version, position and, where one is to blame, the field.
pub fn decode_event<E: Event>(e: &StoredEvent) -> Result<E, DecodeError> {
    if e.version > E::VERSION {
        return Err(e.unreadable(format_args!(
            "it is newer than this program, which knows version {}",
            E::VERSION
        )));
    }
    if e.version == E::VERSION {
        return e.read();
    }
    let data = upcasted::<E>(e)?;
    E::deserialize(&data).map_err(|plain| {
        let when = format!(
            "after upcasting from version {} to {}, ",
            e.version,
            E::VERSION
        );
        let traced = serde_path_to_error::deserialize::<_, E>(&data);
        e.misfit(traced.err(), plain, &when)
    })
}

/// The data as the upcaster gives it.
fn upcasted<E: Event>(e: &StoredEvent) -> Result<Value, DecodeError> {
    let old = e.json()?;
    let (from, to) = (e.version, E::VERSION);
    match catch_unwind(AssertUnwindSafe(|| E::upcast(from, old))) {
        Ok(Ok(data)) => Ok(data),
        Ok(Err(why)) => Err(e.unreadable(format_args!(
            "it cannot be upcasted from version {from} to {to}: {why}"
        ))),
        Err(panic) => Err(e.unreadable(format_args!(
            "its upcaster from version {from} to {to}: {}",
            panic_text(&*panic)
        ))),
    }
}

/// Which field of some JSON does not fit its type, and what is wrong, with the field where it is
/// known.
pub(crate) fn misfit(path: String, error: &serde_json::Error) -> (Option<String>, String) {
    let what = words(error);
    let (field, what) = match what.strip_prefix("missing field `") {
        Some(rest) => {
            let name = rest.split('`').next().unwrap_or(rest);
            (joined(&path, name), "is missing".to_string())
        }
        None => (path, what),
    };
    let field = Some(field).filter(|f| !f.is_empty() && f != "." && error.is_data());
    let what = match &field {
        None => what,
        Some(path) if what == "is missing" => format!("field `{path}` {what}"),
        Some(path) => format!("field `{path}`: {what}"),
    };
    (field, what)
}

/// What serde says, without the place in the bytes where the path says it better.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) if error.is_data() => what.into(),
        _ => text,
    }
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" | "." => name.into(),
        path => format!("{path}.{name}"),
    }
}

/// What a panic of the application's code said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    let text = text.unwrap_or_else(|| "without a message".into());
    format!("the program panicked: {text}")
}
