//! What a program can do with a type of event, as function pointers beside its description.

use super::{DecodeError, Draft, Event, StoredEvent, decode_event, encode_event};
use serde_json::Value;

/// The code of one event type, with its Rust type erased: [`EventDef`](super::EventDef) says what
/// the type is, this reads it and brings it to other versions.
#[derive(Clone, Copy, Debug)]
pub struct EventCode {
    /// The stored name.
    pub name: &'static str,
    /// Older stored names.
    pub was: &'static [&'static str],
    /// The version written today.
    pub version: u32,
    /// The oldest version that today's can be brought to; [`Event::OLDEST`].
    pub oldest: u32,
    upcast: fn(u32, Value) -> Result<Value, String>,
    downcast: fn(u32, Value) -> Result<Value, String>,
    read: fn(&StoredEvent) -> Result<(), DecodeError>,
    rewrite: fn(&StoredEvent) -> Result<Draft, DecodeError>,
}

impl EventCode {
    /// The code of one Rust event type.
    pub fn of<E: Event>() -> EventCode {
        EventCode {
            name: E::TYPE,
            was: E::WAS,
            version: E::VERSION,
            oldest: E::OLDEST,
            upcast: E::upcast,
            downcast: E::downcast,
            read: |event| decode_event::<E>(event).map(drop),
            rewrite: |stored| {
                let event: E = decode_event(stored)?;
                encode_event(&event).map_err(|e| stored.unreadable(e))
            },
        }
    }

    /// All stored names, today's first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.was.iter().copied())
    }

    /// Whether this program can read an event of this type.
    ///
    /// # Errors
    /// As for [`decode_event`].
    pub fn read(&self, event: &StoredEvent) -> Result<(), DecodeError> {
        (self.read)(event)
    }

    /// A stored event as it would be written today.
    ///
    /// # Errors
    /// It cannot be read, or not be written.
    pub fn rewrite(&self, event: &StoredEvent) -> Result<Draft, DecodeError> {
        (self.rewrite)(event)
    }

    /// The data of a stored event in a version, for a reader that knows that one. An older event
    /// is brought to today's version first.
    ///
    /// # Errors
    /// The program cannot give that version, or knows only older ones than the stored; the bytes
    /// are not JSON; the upcaster or the downcaster refuses.
    pub fn in_version(&self, event: &StoredEvent, to: u32) -> Result<Value, DecodeError> {
        if event.version == to {
            return event.json();
        }
        if event.version > self.version {
            return Err(event.unreadable(format_args!(
                "it is newer than this program, which knows version {}",
                self.version
            )));
        }
        if to > self.version || to < self.oldest {
            return Err(event.unreadable(format_args!(
                "version {to} cannot be given; there are {} to {}",
                self.oldest, self.version
            )));
        }
        let mut data = event.json()?;
        if event.version < self.version {
            data = (self.upcast)(event.version, data).map_err(|m| event.unreadable(m))?;
        }
        if to < self.version {
            let why =
                |m| event.unreadable(format_args!("it cannot be brought to version {to}: {m}"));
            data = (self.downcast)(to, data).map_err(why)?;
        }
        Ok(data)
    }
}
