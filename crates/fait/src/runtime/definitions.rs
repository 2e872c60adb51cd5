//! Definitions of one process beside each other: instances go on with the one that they began
//! with where it is still wired, and with the latest otherwise.

use super::step::{Heard, Runner};
use fait_core::event::panic_text;
use fait_core::event::{DecodeError, StoredEvent};
use fait_core::process::{Fact, Instance, ProcessDef, Routed, Status, Way};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Runner {
    /// The latest definition and the older ones that are wired beside it.
    pub(crate) fn defs(&self) -> impl Iterator<Item = &ProcessDef> {
        std::iter::once(&self.def).chain(&self.also)
    }

    /// The definition that an instance goes on with. One that has ended begins anew, if at all,
    /// with the latest.
    pub(crate) fn def_for(&self, instance: &Instance) -> &ProcessDef {
        let own = |def: &&ProcessDef| def.definition == instance.definition;
        match instance.status {
            Status::Ended => &self.def,
            _ => self.also.iter().find(own).unwrap_or(&self.def),
        }
    }

    /// Every event type that one of the definitions hears.
    pub(crate) fn types(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.defs().flat_map(|def| &def.types).collect();
        all.into_iter().cloned().collect()
    }

    /// The instances that an event may belong to, by any of the definitions. Which one decides is
    /// known once the instance is; see [`Runner::hears`]. An event that only an older definition
    /// cannot read may be meant for those that its tags name.
    pub(crate) fn routed(&self, event: &StoredEvent) -> Result<Vec<Routed>, DecodeError> {
        let mut routed = routed_by(&self.def, event)?;
        for def in &self.also {
            let older = routed_by(def, event).unwrap_or_else(|_| {
                let named = event.tags.iter().filter(|t| t.kind() == def.key_kind);
                named.map(|t| Routed::to(t.value())).collect()
            });
            for other in older {
                if !routed.iter().any(|r| r.way == other.way) {
                    routed.push(other);
                }
            }
        }
        Ok(routed)
    }

    /// What an event may do with an instance, by the instance's own definition; none when that
    /// does not hear it.
    ///
    /// # Errors
    /// Its definition cannot read the event: the instance has to wait for a person.
    pub(super) fn hears(
        &self,
        instance: &Instance,
        event: &StoredEvent,
        heard: Heard,
    ) -> Result<Option<Heard>, DecodeError> {
        // With one definition its routes have been asked already, and facts have no routes.
        if self.also.is_empty() || !matches!(Fact::read(event), Ok(None)) {
            return Ok(Some(heard));
        }
        let routed = routed_by(self.def_for(instance), event)?;
        let mine = |r: &&Routed| matches!(&r.way, Way::Key(key) if *key == instance.key);
        let by_alias = |r: &&Routed| matches!(r.way, Way::Alias(..));
        let rule = routed
            .iter()
            .find(mine)
            .or_else(|| routed.iter().find(by_alias));
        let held = heard.held;
        Ok(rule.map(|r| Heard {
            held,
            ..Heard::by(r)
        }))
    }
}

/// Which instances an event belongs to; a panic of the application's code is an error of it.
pub(crate) fn routed_by(def: &ProcessDef, event: &StoredEvent) -> Result<Vec<Routed>, DecodeError> {
    catch_unwind(AssertUnwindSafe(|| (def.route)(event)))
        .unwrap_or_else(|p| Err(event.unreadable(panic_text(&*p))))
}
