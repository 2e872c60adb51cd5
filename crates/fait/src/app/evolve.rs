//! What a program knows of what was written before it: event types, and commands as they were
//! asked.

use super::build::{AppBuilder, BuildError, unique};
use fait_core::decision::Decide;
use fait_core::event::{EventDef, RESERVED_PREFIX};
use fait_core::process::ProcessDef;
use std::collections::BTreeMap;

impl AppBuilder {
    /// An event type that history has and no code reads any more: its stored name, and why nobody
    /// needs it. Nothing that is wired may emit, receive or read it. It is in the manifest, and
    /// `fait history check` does not miss its code.
    #[must_use]
    pub fn retired(mut self, event: &str, why: &str) -> Self {
        self.retired.push((event.into(), why.into()));
        self
    }

    /// What is asked with a command is recorded beside what came of it, so that
    /// `fait history check` can decide it again. Of this command it is not, for example since there
    /// is a secret in it.
    #[must_use]
    pub fn unrecorded<C: Decide>(mut self) -> Self {
        self.unrecorded.insert(C::NAME.into());
        self
    }

    /// What is retired, with the reasons.
    pub(crate) fn retired_events(&self) -> impl Iterator<Item = (&str, &str)> {
        self.retired
            .iter()
            .map(|(name, why)| (name.as_str(), why.as_str()))
    }

    /// Every definition of an event type that something wired here writes or reads: those that
    /// are written first, the same one once.
    pub(crate) fn event_defs(&self) -> Vec<&EventDef> {
        let processes = || self.processes.iter().chain(&self.older);
        let written = self.commands.iter().flat_map(|c| &c.emits);
        let written = written.chain(processes().flat_map(|p| &p.raises));
        let written = written.chain(self.received.iter().map(|(def, _)| def));
        let read = self.commands.iter().flat_map(|c| &c.read_defs);
        let read = read.chain(processes().flat_map(|p| &p.heard_defs));
        let read = read.chain(self.views.iter().flat_map(|v| &v.event_defs));
        let read = read.chain(self.publications.iter().flat_map(|p| &p.read_defs));
        let read = read.chain(&self.reads);
        let mut by_name: BTreeMap<&str, Vec<&EventDef>> = BTreeMap::new();
        for def in written.chain(read) {
            let same = by_name.entry(&def.name).or_default();
            if !same.contains(&def) {
                same.push(def);
            }
        }
        by_name.into_values().flatten().collect()
    }

    /// What is retired is not used, and what is not to be recorded is there.
    pub(super) fn check_past(&self) -> Result<(), BuildError> {
        let wrong = |message: String| Err(BuildError::Wiring(message));
        let wired = |name: &String| self.commands.iter().any(|c| c.name == *name);
        if let Some(stray) = self.unrecorded.iter().find(|c| !wired(c)) {
            return wrong(format!(
                "command `{stray}` is not to be recorded, and is not wired: add \
                 `.task::<{stray}>()`"
            ));
        }
        unique(
            "retired event",
            self.retired.iter().map(|(name, _)| name.as_str()),
        )?;
        for (name, why) in &self.retired {
            if name.starts_with(RESERVED_PREFIX) || name.is_empty() {
                return wrong(format!(
                    "`{name}` is no event of an application to be retired"
                ));
            }
            if why.trim().is_empty() {
                return wrong(format!(
                    "event `{name}` is retired without a reason: say in a few words why nobody \
                     needs it"
                ));
            }
            if let Some(user) = self.user_of(name) {
                return wrong(format!(
                    "event `{name}` is retired, and {user}: take the one or the other away"
                ));
            }
        }
        Ok(())
    }

    /// What writes or reads an event type, under its name of today or an older one.
    fn user_of(&self, name: &str) -> Option<String> {
        let named = |def: &EventDef| def.name == name || def.was.iter().any(|was| was == name);
        let listed = |types: &[String]| types.iter().any(|t| t == name);
        let task = |verb: &str, task: &str| format!("task `{task}` {verb} it");
        for c in &self.commands {
            if c.emits.iter().any(named) {
                return Some(task("emits", &c.name));
            }
            if listed(&c.reads) {
                return Some(task("is decided on", &c.name));
            }
        }
        let process = |p: &ProcessDef, verb: &str| {
            let kind = if p.policy { "policy" } else { "process" };
            Some(format!("{kind} `{}` {verb} it", p.name))
        };
        for p in self.processes.iter().chain(&self.older) {
            if p.raises.iter().any(named) {
                return process(p, "raises");
            }
            if listed(&p.types) {
                return process(p, "hears");
            }
        }
        if let Some((_, system)) = self.received.iter().find(|(def, _)| named(def)) {
            return Some(format!("it is received from `{system}`"));
        }
        if self.reads.iter().any(named) {
            return Some("it is among what `.reads::<…>()` names".into());
        }
        let view = self.views.iter().find(|v| listed(&v.types));
        view.map(|v| format!("view `{}` reads it", v.name))
    }
}
