//! Events in the versions that a reader knows.

use super::{App, AppBuilder};
use fait_core::event::panic_text;
use fait_core::event::{DecodeError, EventCode, EventSet, RESERVED_PREFIX, StoredEvent};
use fait_core::query::Query;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A version that a reader asks for cannot be given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct VersionError(String);

/// An event that cannot be given to a reader: as it is stored, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Unreadable {
    /// The event as it is stored.
    pub event: StoredEvent,
    /// Type, version and position, and what is wrong.
    pub error: DecodeError,
}

/// Which events are given in which version; see [`App::versions`].
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// By each stored name: the code, the name that was asked for, the version.
    wanted: BTreeMap<&'static str, (EventCode, String, u32)>,
}

impl Versions {
    /// Lets a query that names such an event select it under its other stored names too.
    pub fn widen(&self, mut query: Query) -> Query {
        for item in &mut query.items {
            let named = item
                .types
                .iter()
                .filter_map(|t| self.wanted.get(t.as_str()));
            let names: Vec<&str> = named.flat_map(|(code, ..)| code.names()).collect();
            for name in names {
                if !item.types.iter().any(|t| t == name) {
                    item.types.push(name.into());
                }
            }
        }
        query
    }

    /// An event as the reader knows it: its data in the version and under the name that were
    /// asked for. What nothing is asked about is given as it is stored.
    ///
    /// # Errors
    /// As for [`EventCode::in_version`]; also when a caster of the application panics.
    pub fn cast(&self, mut event: StoredEvent) -> Result<StoredEvent, Box<Unreadable>> {
        let Some((code, name, to)) = self.wanted.get(event.ty.as_str()) else {
            return Ok(event);
        };
        if event.version != *to {
            let cast = guarded(&event, || code.in_version(&event, *to));
            match cast {
                Ok(data) => event.data = data.to_string().into_bytes().into(),
                Err(error) => return Err(Box::new(Unreadable { event, error })),
            }
            event.version = *to;
        }
        event.ty.clone_from(name);
        Ok(event)
    }
}

/// A panic in the application's code is an error of that event.
pub(super) fn guarded<T>(
    event: &StoredEvent,
    work: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(event.unreadable(panic_text(&*panic))))
}

impl App {
    /// Events in versions that a reader knows, by name and version, for example
    /// `[("OrderPlaced", 1)]`: from the oldest that its downcaster gives up to today's.
    ///
    /// # Errors
    /// The program does not know such an event, or cannot give it in that version; or the same
    /// event is asked for twice.
    pub fn versions<S: AsRef<str>>(&self, wanted: &[(S, u32)]) -> Result<Versions, VersionError> {
        let mut versions = Versions::default();
        for (name, to) in wanted {
            let (name, to) = (name.as_ref(), *to);
            let wrong = |why: String| Err(VersionError(format!("`{name}` in version {to}: {why}")));
            let Some(code) = self.core.codes.get(name) else {
                let near = crate::runtime::nearest(name, self.core.codes.keys());
                let near = near.map(|n| format!("; did you mean `{n}`?"));
                return wrong(format!(
                    "this program knows no event of that name{}",
                    near.unwrap_or_default()
                ));
            };
            let (oldest, today) = (code.oldest, code.version);
            if to == 0 || to > today {
                return wrong(format!("it has versions 1 to {today}"));
            }
            if to < oldest {
                return wrong(match oldest == today {
                    true => format!(
                        "its version is {today}, and it has no downcaster: write one with \
                         `#[event(downcast = …)]`"
                    ),
                    false => format!("its downcaster goes back to version {oldest} only"),
                });
            }
            if versions.wanted.contains_key(code.name) {
                return wrong("it is asked for twice".into());
            }
            let of = |n| (n, (*code, name.to_string(), to));
            versions.wanted.extend(code.names().map(of));
        }
        Ok(versions)
    }
}

impl AppBuilder {
    /// Events that the program can read although nothing else in it raises or reads them any more,
    /// so that feeds can ask for them by version. What commands, processes and views name, and
    /// what systems send, is known without.
    #[must_use]
    pub fn reads<S: EventSet>(mut self) -> Self {
        self.reads.extend(S::defs());
        self
    }

    /// The code of every event that the program knows, by each of its stored names. Of two types
    /// of one name counts the one that is raised here.
    pub(super) fn event_codes(&self) -> BTreeMap<String, EventCode> {
        let mut codes: BTreeMap<String, EventCode> = BTreeMap::new();
        for code in self.event_defs().into_iter().filter_map(|def| def.code) {
            for name in code.names().filter(|n| !n.starts_with(RESERVED_PREFIX)) {
                codes.entry(name.into()).or_insert(code);
            }
        }
        codes
    }
}
