//! Where the program looks: a folder or an address, with the same questions to both.

use crate::address::Address;
use crate::folder::{Folder, count};
use crate::trouble::Trouble;
use crate::wanted::{Wanted, Which};
use fait::app::{ProcessCount, ViewStatus};
use fait::event::{Position, StoredEvent, Time};
use fait::process::{Instance, Status};
use fait::store::Slice;
use fait::trace::Cause;
use serde::Serialize;
use std::path::Path;

/// Where the program looks.
#[derive(Debug)]
pub(crate) enum Source {
    /// The data folder of a system that is not running.
    Folder(Folder),
    /// A running system.
    Address(Address),
}

/// How a process stands; what only the running program knows is missing in a folder.
#[derive(Debug, Serialize)]
pub(crate) struct Standing {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<bool>,
    /// How far it has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<Position>,
    /// Events behind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lag_events: Option<u64>,
    /// How its instances stand.
    pub(crate) instances: ProcessCount,
    /// The next deadline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_due: Option<Time>,
}

impl Source {
    /// Opens what `--at` names.
    pub(crate) fn open(at: Option<&str>) -> Result<Source, Trouble> {
        let Some(at) = at.filter(|at| !at.is_empty()) else {
            return Err(Trouble::Usage(
                "say where to look: `--at FOLDER` for a system that is not running, \
                 `--at http://HOST:PORT` for one that is; or set FAIT_AT"
                    .into(),
            ));
        };
        if at.starts_with("http://") {
            return Ok(Source::Address(Address::new(at)));
        }
        if at.contains("://") {
            return Err(Trouble::Usage(format!(
                "{at} cannot be used: only http:// is spoken; where there is TLS in front of \
                 the system, use its own address behind it"
            )));
        }
        Folder::open(Path::new(at)).map(Source::Folder)
    }

    /// Some events.
    pub(crate) async fn events(&self, wanted: &Wanted) -> Result<Slice, Trouble> {
        match self {
            Source::Folder(folder) => folder.events(wanted).await,
            Source::Address(address) => address.events(wanted),
        }
    }

    /// One event.
    pub(crate) async fn event(&self, which: Which) -> Result<StoredEvent, Trouble> {
        match self {
            Source::Folder(folder) => {
                let event = folder.event(which).await?;
                let missing = || Trouble::Finding(format!("there is no event {which}"));
                event.ok_or_else(missing)
            }
            Source::Address(address) => address.event(which),
        }
    }

    /// The flow of an event.
    pub(crate) async fn trace(&self, which: Which) -> Result<Vec<Cause>, Trouble> {
        match self {
            Source::Folder(folder) => folder.trace(&self.event(which).await?).await,
            Source::Address(address) => address.trace(which),
        }
    }

    /// All views.
    pub(crate) async fn views(&self) -> Result<Vec<ViewStatus>, Trouble> {
        match self {
            Source::Folder(folder) => folder.views().await,
            Source::Address(address) => address.views(),
        }
    }

    /// All processes.
    pub(crate) async fn processes(&self) -> Result<Vec<Standing>, Trouble> {
        match self {
            Source::Folder(folder) => {
                let instances = folder.instances(None, None).await?;
                let standing = |(name, counts): (String, ProcessCount)| {
                    let own = instances.iter().filter(|i| i.process == name);
                    Standing {
                        policy: None,
                        position: None,
                        lag_events: None,
                        instances: counts,
                        next_due: own.filter_map(next_due).min(),
                        name,
                    }
                };
                Ok(count(&instances).into_iter().map(standing).collect())
            }
            Source::Address(address) => {
                let all = address.processes()?.into_iter().map(|p| Standing {
                    name: p.name,
                    policy: Some(p.policy),
                    position: Some(p.position),
                    lag_events: Some(p.lag_events),
                    instances: p.instances,
                    next_due: p.next_due,
                });
                Ok(all.collect())
            }
        }
    }

    /// Instances of a process, the latest first.
    pub(crate) async fn instances(
        &self,
        process: &str,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, Trouble> {
        let found = match self {
            Source::Folder(folder) => {
                let mut found = folder.instances(Some(process), None).await?;
                if found.is_empty() {
                    return Err(self.no_process(process).await?);
                }
                found.retain(|i| status.is_none_or(|s| status_name(i) == s));
                found.truncate(limit);
                return Ok(found);
            }
            Source::Address(address) => address.instances(process, status, limit),
        };
        match found {
            Err(Trouble::Finding(_)) => Err(self.no_process(process).await?),
            found => found,
        }
    }

    /// One instance.
    pub(crate) async fn instance(&self, process: &str, key: &str) -> Result<Instance, Trouble> {
        let found = match self {
            Source::Folder(folder) => {
                let found = folder.instances(Some(process), Some(key)).await?;
                found.into_iter().next()
            }
            Source::Address(address) => match address.instance(process, key) {
                Err(Trouble::Finding(_)) => None,
                found => Some(found?),
            },
        };
        match found {
            Some(instance) => Ok(instance),
            None => {
                let others = self.instances(process, None, 20).await?;
                let keys = others.iter().map(|i| i.key.as_str());
                Err(Trouble::unknown(&format!("{process} of"), key, keys))
            }
        }
    }

    async fn no_process(&self, name: &str) -> Result<Trouble, Trouble> {
        let all = self.processes().await?;
        let names = all.iter().map(|p| p.name.as_str());
        Ok(Trouble::unknown("process", name, names))
    }
}

/// How an instance stands, in one word.
pub(crate) fn status_name(instance: &Instance) -> &'static str {
    match instance.status {
        Status::Running => "running",
        Status::Parked { .. } => "parked",
        Status::Ended => "ended",
    }
}

/// The next deadline of an instance.
pub(crate) fn next_due(instance: &Instance) -> Option<Time> {
    instance.deadlines.values().map(|(d, _)| d.due).min()
}
