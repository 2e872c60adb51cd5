//! Migrating one instance to the latest definition of its process.

use super::App;
use crate::runtime::step::Runner;
use crate::runtime::view::panic_text;
use fait_core::event::Origin;
use fait_core::process::{
    Action, Fact, Instance, Operated, ProcessDef, Status, Target, instance_tag, types,
};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, StoreError};
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
        let core = &self.core;
        let Some(runner) = core.processes.get(process) else {
            let known: Vec<&str> = core.processes.keys().map(String::as_str).collect();
            let known = known.join("`, `");
            let why = format!("there is no process `{process}`; there are `{known}`");
            return Err(MigrateError::Unknown(why));
        };
        let instance = core.instance(process, key).await?;
        let mut migrated = migrated(runner, &instance)?;
        if dry_run {
            return Ok(migrated);
        }
        let operated = Fact::Operated(Operated {
            process: process.into(),
            key: key.into(),
            action: Action::Migrate,
            reason: reason.into(),
            withdrawn: vec![],
            issued: vec![],
            set: vec![],
            state: Some((runner.def.version, migrated.after.clone())),
            definition: Some(migrated.to),
        });
        let origin = Origin {
            actor: Some(by.into()),
            correlation: instance.correlation,
            ..Origin::default()
        };
        let tag = instance_tag(process, key);
        let moved = Query::default().or(QueryItem::of(types::MOVES, vec![tag]));
        let append = Append {
            events: vec![
                operated
                    .draft(&instance.about)
                    .with(core.clock.id(), origin),
            ],
            conditions: vec![AppendCondition {
                fail_if_events_match: moved,
                after: instance.moved,
            }],
            command: None,
            recorded_at: core.clock.now(),
        };
        match core.store.append(append).await {
            Ok(_) => {
                crate::runtime::count_appended(1);
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
