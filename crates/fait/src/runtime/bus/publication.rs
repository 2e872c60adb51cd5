//! Publications: what is published of what, and how far each has come.

use super::super::Feed;
use fait_core::bus::{PublishDef, PublishedDef};
use fait_core::event::{Position, Time};
use fait_core::query::Query;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A publication that cannot go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    /// The event that it stopped at. Nothing behind it is looked at.
    pub position: Position,
    /// What is wrong.
    pub reason: String,
    /// Since when.
    pub since: Time,
}

/// All publications of a system.
#[derive(Debug)]
pub(crate) struct Publications {
    pub(super) all: Vec<Publication>,
    /// Definitions of what is published, by type.
    pub(super) types: BTreeMap<String, PublishedDef>,
    /// How far was kept.
    pub(super) kept: AtomicU64,
    /// Why nothing is done just now.
    pub(super) trouble: Mutex<Option<(Time, String)>>,
    /// Held by who erases; shared by who makes messages, so that none is made of what is gone.
    pub(crate) erasing: tokio::sync::RwLock<()>,
}

/// A publication with how far it has come.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) def: PublishDef,
    pub(super) feed: Feed,
    stopped: Mutex<Option<Stopped>>,
}

impl Publication {
    pub(crate) fn at(&self) -> Position {
        self.feed.at()
    }

    pub(crate) fn stopped(&self) -> Option<Stopped> {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.clone()
    }

    pub(super) fn stop_at(&self, stopped: Stopped) {
        tracing::error!(
            publication = self.def.name,
            position = stopped.position,
            reason = stopped.reason,
            "the publication stops"
        );
        self.feed.set(stopped.position - 1);
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = Some(stopped);
    }

    pub(super) fn goes_on(&self) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.is_none()
    }

    pub(super) fn hears(&self, ty: &str) -> bool {
        self.def.types.iter().any(|t| t == ty)
    }
}

impl Publications {
    pub(crate) fn new(defs: Vec<PublishDef>) -> Publications {
        let types = defs.iter().flat_map(|d| &d.publishes);
        Publications {
            types: types.map(|t| (t.ty.clone(), t.clone())).collect(),
            all: defs
                .into_iter()
                .map(|def| Publication {
                    def,
                    feed: Feed::default(),
                    stopped: Mutex::default(),
                })
                .collect(),
            kept: AtomicU64::new(0),
            trouble: Mutex::default(),
            erasing: tokio::sync::RwLock::default(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Publication> {
        self.all.iter()
    }

    pub(super) fn going(&self) -> impl Iterator<Item = &Publication> {
        self.all.iter().filter(|p| p.goes_on())
    }

    /// How far those have come that go on; none when none does.
    pub(super) fn at(&self) -> Option<Position> {
        self.going().map(Publication::at).min()
    }

    /// Whether everything up to a position is published, but for what is stopped.
    pub(crate) fn settled(&self, head: Position) -> bool {
        self.at().is_none_or(|at| at >= head)
    }

    /// What those hear that go on.
    pub(super) fn query(&self) -> Query {
        let types: BTreeSet<&String> = self.going().flat_map(|p| &p.def.types).collect();
        Query::types(&types.into_iter().collect::<Vec<_>>())
    }

    /// Why nothing is published just now, and since when.
    pub(crate) fn trouble(&self) -> Option<(Time, String)> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone()
    }

    pub(super) fn set_trouble(&self, why: Option<String>, now: Time) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        *trouble = why.map(|why| match &*trouble {
            Some((since, _)) => (*since, why),
            None => (now, why),
        });
    }

    pub(super) fn set_kept(&self, at: Position) {
        self.kept.store(at, Ordering::Relaxed);
    }
}
