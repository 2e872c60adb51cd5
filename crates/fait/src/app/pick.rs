//! Finding instances, and what waits behind those that are stuck.

use super::{App, OperateError};
use crate::runtime::db::{i64_of, time_of};
use fait_core::event::Time;
use fait_core::process::{Class, InputRef, Instance, Status};
use fait_core::store::StoreError;
use rusqlite::{Row, named_params};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How an instance that has not ended stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for input.
    Running,
    /// It waits for an operator.
    Parked,
}

/// Which instances of a process; those that have ended never fit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// The process.
    pub process: String,
    /// Those that stand so; none: all.
    pub status: Option<Standing>,
    /// Those that are parked for trouble of this kind.
    pub class: Option<Class>,
    /// Those in the reason of which this text is found, in small letters or capitals.
    pub text: Option<String>,
    /// Those that have stood so for so many seconds at least.
    pub older_than_s: Option<u64>,
    /// Those that have begun and go on with an older definition than this one.
    pub older_than_definition: Option<u32>,
}

/// An instance that was found, in short.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picked {
    /// The instance.
    pub key: String,
    /// How it stands.
    pub status: Standing,
    /// The kind of trouble, when it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Why, when it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last time that it moved.
    pub since: Time,
}

/// An instance that waits for an operator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stuck {
    /// The instance.
    pub instance: Instance,
    /// Inputs that wait behind the one that parked it; see [`App::backlog`].
    pub backlog: u64,
}

const FITS: &str = "FROM fait_instances
    WHERE process = :process AND key > :after AND status <> 'ended'
    AND (:status IS NULL OR status = :status)
    AND (:class IS NULL OR json_extract(body, '$.status.parked.class') = :class)
    AND (:text IS NULL OR instr(lower(json_extract(body, '$.status.parked.reason')), lower(:text)))
    AND (:definition IS NULL
        OR json_extract(body, '$.definition') BETWEEN 1 AND :definition - 1)
    AND updated_at <= :until";

impl Filter {
    fn standing(&self) -> Option<&'static str> {
        match (self.status, self.class, &self.text) {
            // Only what is parked has a class and a reason.
            (Some(Standing::Parked), ..) | (None, Some(_), _) | (None, _, Some(_)) => {
                Some("parked")
            }
            (Some(Standing::Running), ..) => Some("running"),
            (None, None, None) => None,
        }
    }

    fn until(&self, now: Time) -> i64 {
        let age = Duration::from_secs(self.older_than_s.unwrap_or(0));
        i64_of((now - age).0)
    }
}

impl App {
    /// Instances that fit, in the order of their keys, behind a key, at most so many.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn pick(
        &self,
        filter: &Filter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Picked>, StoreError> {
        let sql = format!(
            "SELECT key, status, json_extract(body, '$.status.parked.class'),
             json_extract(body, '$.status.parked.reason'), updated_at
             {FITS} ORDER BY key LIMIT :limit"
        );
        let now = self.core.clock.now();
        self.core.db.read(|c| {
            c.prepare_cached(&sql)?
                .query_map(
                    named_params! {
                        ":process": filter.process,
                        ":after": after.unwrap_or_default(),
                        ":status": filter.standing(),
                        ":class": filter.class.map(Class::name),
                        ":text": filter.text,
                        ":definition": filter.older_than_definition,
                        ":until": filter.until(now),
                        ":limit": i64_of(limit as u64),
                    },
                    picked,
                )?
                .collect()
        })
    }

    /// How many instances fit.
    pub(super) fn count_picked(&self, filter: &Filter) -> Result<u64, StoreError> {
        let sql = format!("SELECT count(*) {FITS}");
        let now = self.core.clock.now();
        self.core.db.read(|c| {
            let n: i64 = c.prepare_cached(&sql)?.query_row(
                named_params! {
                    ":process": filter.process,
                    ":after": "",
                    ":status": filter.standing(),
                    ":class": filter.class.map(Class::name),
                    ":text": filter.text,
                    ":definition": filter.older_than_definition,
                    ":until": filter.until(now),
                },
                |r| r.get(0),
            )?;
            Ok(u64::try_from(n).unwrap_or(0))
        })
    }

    /// Instances that wait for an operator, those that moved last first, with what waits behind
    /// each.
    ///
    /// # Errors
    /// There is no such process, or the index or the store cannot be read.
    pub fn stuck(&self, process: Option<&str>, limit: usize) -> Result<Vec<Stuck>, OperateError> {
        if let Some(process) = process {
            self.known(process)?;
        }
        let mut stuck = vec![];
        for instance in self.core.db.instances(process, Some("parked"), limit)? {
            let backlog = self.backlog(&instance)?;
            stuck.push(Stuck { instance, backlog });
        }
        Ok(stuck)
    }

    /// How many inputs wait behind the one that parked an instance, as far as its process has
    /// come.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn backlog(&self, instance: &Instance) -> Result<u64, StoreError> {
        let Status::Parked { input, .. } = &instance.status else {
            return Ok(0);
        };
        let behind = match input {
            InputRef::Event { position, .. } => Some(*position),
            _ => None,
        };
        self.core.backlog_len(instance, behind)
    }
}

fn picked(row: &Row<'_>) -> rusqlite::Result<Picked> {
    let status: String = row.get(1)?;
    let class: Option<String> = row.get(2)?;
    let class = class.map(|name| serde_json::from_value(name.into()).unwrap_or_default());
    Ok(Picked {
        key: row.get(0)?,
        status: match status.as_str() {
            "parked" => Standing::Parked,
            _ => Standing::Running,
        },
        class,
        reason: row.get(3)?,
        since: time_of(row.get(4)?),
    })
}
