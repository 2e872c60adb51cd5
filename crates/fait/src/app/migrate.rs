//! Migrating one instance to the latest definition of its process.

use super::{App, operate};
use crate::runtime::step::Runner;
use fait_core::event::panic_text;
use fait_core::process::{Action, Fact, Instance, ProcessDef, Status, Target};
use fait_core::store::{AppendError, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An instance before and after it goes on with another definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Migrated {
    /// The definition that it went on with.
    pub from: u32,
    /// The one that it goes on with.
    pub to: u32,
    /// Its state before, as it was recorded.
    pub before: Value,
    /// Its state after.
    pub after: Value,
    /// Whether it was recorded; a dry run only looks.
    pub recorded: bool,
}

/// An instance is not migrated. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// There is no such process, or no such instance.
    #[error("{0}")]
    Unknown(String),
    /// It has ended, or goes on with the latest definition already, or moved meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// The latest definition cannot go on with it; in a sentence.
    #[error("it cannot go on with definition {to}: {why}")]
    Refused {
        /// The latest definition.
        to: u32,
        /// Why not.
        why: String,
    },
    /// Nobody says who it is, or why.
    #[error("{0}")]
    Unsaid(String),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl App {
    /// Lets one instance go on with the latest definition of its process, whose
    /// [`migrate`](fait_core::process::Process::migrate) says with which state. Its deadlines and
    /// what it issued stay as they are; the latest definition must know them. A parked instance
    /// stays parked. With `dry_run` nothing is recorded.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub async fn migrate(
        &self,
        process: &str,
        key: &str,
        by: &str,
        reason: &str,
        dry_run: bool,
    ) -> Result<Migrated, MigrateError> {
        if self.known(process).is_err() {
            let known: Vec<&str> = self.core.processes.keys().map(String::as_str).collect();
            let known = known.join("`, `");
            let why = format!("there is no process `{process}`; there are `{known}`");
            return Err(MigrateError::Unknown(why));
        }
        let instance = self.core.instance(process, key).await?;
        let mut migrated = self.migrated(&instance)?;
        if dry_run {
            return Ok(migrated);
        }
        let (by, reason) =
            operate::said(by, reason).map_err(|e| MigrateError::Unsaid(e.to_string()))?;
        let fact = self.migration(&instance, &migrated, reason);
        match self.record(&instance, &[fact], by).await {
            Ok(()) => {
                migrated.recorded = true;
                Ok(migrated)
            }
            Err(AppendError::Conflict { .. }) => Err(MigrateError::Conflict(format!(
                "`{process}` of {key} took a step meanwhile; look at it and try again"
            ))),
            Err(AppendError::Store(e)) => Err(e.into()),
            Err(e) => Err(MigrateError::Refused {
                to: migrated.to,
                why: e.to_string(),
            }),
        }
    }

    /// The latest definition of a process; none when there is no such process.
    pub fn definition(&self, process: &str) -> Option<u32> {
        let runner = self.core.processes.get(process)?;
        Some(runner.def.definition)
    }

    /// An instance of a process that is there, with its latest definition.
    pub(super) fn migrated(&self, instance: &Instance) -> Result<Migrated, MigrateError> {
        match self.core.processes.get(&instance.process) {
            Some(runner) => migrated(runner, instance),
            None => Err(MigrateError::Unknown(format!(
                "there is no process `{}`",
                instance.process
            ))),
        }
    }

    /// What is recorded of that.
    pub(super) fn migration(&self, instance: &Instance, to: &Migrated, reason: &str) -> Fact {
        let version = self.core.processes.get(&instance.process);
        let version = version.map_or(0, |runner| runner.def.version);
        let mut operated = operate::operated(instance, Action::Migrate, reason);
        operated.withdrawn.clear();
        operated.state = Some((version, to.after.clone()));
        operated.definition = Some(to.to);
        Fact::Operated(operated)
    }
}

fn migrated(runner: &Runner, instance: &Instance) -> Result<Migrated, MigrateError> {
    let (name, key, to) = (&instance.process, &instance.key, runner.def.definition);
    let Some((version, before)) = &instance.state else {
        return Err(MigrateError::Unknown(format!(
            "`{name}` has no instance {key} that has begun"
        )));
    };
    let from = instance.definition;
    if instance.status == Status::Ended || instance.ended {
        return Err(MigrateError::Conflict(format!(
            "`{name}` of {key} has ended"
        )));
    }
    if from == to {
        return Err(MigrateError::Conflict(format!(
            "`{name}` of {key} goes on with definition {to} already"
        )));
    }
    let own = runner.def_for(instance);
    let work = || {
        // What the own definition brings up to date is what the latest one is given.
        let state = match own.definition == from {
            true => (own.version, (own.reads.state)(*version, before)?),
            false => (*version, before.clone()),
        };
        let after = (runner.def.migrate)((state.0, &state.1), from)?;
        fits(&runner.def, instance)?;
        Ok(after)
    };
    let after = catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(panic_text(&*panic)))
        .map_err(|why| MigrateError::Refused { to, why })?;
    Ok(Migrated {
        from,
        to,
        before: before.clone(),
        after,
        recorded: false,
    })
}

/// A definition must know what an instance waits for, or it would stumble over it later.
fn fits(def: &ProcessDef, instance: &Instance) -> Result<(), String> {
    let waits = instance.awaiting.iter().map(|a| &a.name);
    for name in instance.deadlines.keys().chain(waits) {
        (def.reads.timer)(name)?;
    }
    for open in instance.open.values().map(|o| &o.issued) {
        match open.to {
            Target::Role(_) if def.sends.contains(&open.name) => {}
            Target::Role(_) => return Err(format!("it does not ask for `{}`", open.name)),
            _ => (def.reads.command)(&open.name, &open.body)?,
        }
    }
    Ok(())
}
