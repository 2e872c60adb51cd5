//! What can be looked at, wherever that is.

use crate::failure::Failure;
use fait::app::{
    AsOf, Cause, FeedStatus, Flow, ParkedKey, ProcessCount, ProcessStatus, Rows, RowsQuery,
    ViewRow, ViewStatus,
};
use fait::board::happened::Happened;
use fait::event::{Position, StoredEvent, Tag, Time};
use fait::manifest::Manifest;
use fait::process::{Instance, Status};
use fait::query::{Query, QueryItem};
use fait::store::Range;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;
use uuid::Uuid;

/// Events fetched at once.
pub(super) const PAGE: usize = 500;

/// The name of an event: its place in the log, or its id.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Name {
    /// 1, 2, 3 …
    Position(Position),
    /// An id.
    Id(Uuid),
}

/// Which events to read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wanted {
    /// Any of these types; none: all.
    pub(crate) types: Vec<String>,
    /// All of these tags.
    pub(crate) tags: Vec<Tag>,
    /// Which part, in which order, how many.
    pub(crate) range: Range,
}

/// Events that were read.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The events, in the order asked for.
    pub(crate) events: Vec<StoredEvent>,
    /// The end of the log.
    pub(crate) head: Position,
}

/// A view.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct View {
    /// How it stands.
    #[serde(flatten)]
    pub(crate) status: ViewStatus,
    /// Whether it is marked in a folder: the program rebuilds it when it starts next.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) rebuilds_at_start: bool,
}

/// What came of asking for a rebuild.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rebuild {
    /// It will run at once.
    Begun {
        /// Rebuilds finished before it.
        before: u64,
    },
    /// It is noted for the next start.
    Marked,
}

/// A process or policy; what a folder does not tell is not there.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Process {
    /// The name in records.
    pub(crate) name: String,
    /// The name in plain words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
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

/// How a parked instance goes on.
#[derive(Clone, Debug)]
pub(crate) struct Resume {
    /// Whether its input is tried again; else it is skipped.
    pub(crate) retry: bool,
    /// Why.
    pub(crate) reason: String,
    /// Who says so.
    pub(crate) by: String,
}

/// An instance that waits for an operator.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Stuck {
    /// The instance.
    pub(crate) instance: Instance,
    /// Inputs that wait behind the one that parked it; a folder does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backlog: Option<u64>,
}

/// Looks again and again, told whether somebody pressed Ctrl-C; says whether to go on.
pub(crate) type Look<'a> = &'a mut dyn FnMut(bool) -> Result<bool, Failure>;

/// Takes events one by one.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&StoredEvent) -> Result<(), Failure>;

/// A place where a history can be looked at.
pub(crate) trait Source {
    /// One page of events.
    fn read(&self, wanted: &Wanted) -> Result<Page, Failure>;
    /// One event.
    fn event(&self, name: Name) -> Result<Option<StoredEvent>, Failure>;
    /// An event of a command that was sent from outside.
    fn command(&self, id: Uuid) -> Result<Option<StoredEvent>, Failure>;
    /// Where following begins when nobody says where.
    fn begin(&self) -> Result<Position, Failure>;
    /// Events as they come, until there can be no more.
    fn follow(&self, wanted: &Wanted, each: Each<'_>) -> Result<(), Failure>;
    /// The flow of an event as a tree of causes.
    fn flow(&self, event: &StoredEvent) -> Result<Vec<Cause>, Failure>;
    /// What is known of a flow by its id.
    fn whole(&self, flow: Uuid) -> Result<Flow, Failure>;
    /// All views.
    fn views(&self) -> Result<Vec<View>, Failure>;
    /// One view.
    fn view(&self, name: &str) -> Result<Option<View>, Failure>;
    /// Some rows of a view; none when there is no such view.
    fn rows(
        &self,
        view: &str,
        query: &RowsQuery,
        as_of: Option<AsOf>,
    ) -> Result<Option<Rows>, Failure>;
    /// One row of a view; none when there is no such view or row.
    fn row(&self, view: &str, key: &str, as_of: Option<AsOf>) -> Result<Option<ViewRow>, Failure>;
    /// Asks for a rebuild of a view that is there, with how, who and why.
    fn rebuild(&self, view: &View, body: &Value) -> Result<Rebuild, Failure>;
    /// Keys of a view that follow no more, in their order, behind one of them.
    fn parked(
        &self,
        view: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ParkedKey>, Failure>;
    /// All named feeds.
    fn feeds(&self) -> Result<Vec<FeedStatus>, Failure>;
    /// Puts a named feed that is there behind a position.
    fn reset_feed(&self, name: &str, to: Position) -> Result<(), Failure>;
    /// All processes and policies.
    fn processes(&self) -> Result<Vec<Process>, Failure>;
    /// Instances of a process, the latest first.
    fn instances(
        &self,
        process: &str,
        status: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Instance>, Failure>;
    /// One instance.
    fn instance(&self, process: &str, key: &str) -> Result<Option<Instance>, Failure>;
    /// Lets a parked instance go on.
    fn resume(&self, process: &str, key: &str, resume: &Resume) -> Result<(), Failure>;
    /// Instances that wait for an operator, the latest first.
    fn stuck(&self, process: Option<&str>, limit: usize) -> Result<Vec<Stuck>, Failure>;
    /// Asks a running system to do something, by the parts of the address below `/api/ops`.
    fn ask(&self, parts: &[&str], body: &Value) -> Result<Value, Failure>;
    /// Asks a running system for something to look at, likewise.
    fn look(&self, parts: &[&str], query: &[(&str, String)]) -> Result<Value, Failure>;
    /// How far an action on many instances of a process has come.
    fn bulk(&self, process: &str) -> Result<Value, Failure>;
    /// Looks every so often until there is nothing more to see.
    fn watch(&self, every: Duration, look: Look<'_>) -> Result<(), Failure>;
    /// The system as data; a folder does not tell.
    fn manifest(&self) -> Result<Option<Manifest>, Failure>;
    /// What happened, counted; asked again, it may have been counted further.
    fn happened(&self) -> Result<Happened, Failure>;
    /// Waits.
    fn pause(&self, time: Duration);
}

impl dyn Source + '_ {
    /// Reads as many events as are wanted, page by page.
    pub(crate) fn read_all(&self, wanted: &Wanted) -> Result<Page, Failure> {
        let mut events: Vec<StoredEvent> = vec![];
        let mut next = wanted.clone();
        loop {
            next.range.limit = PAGE.min(wanted.range.limit.saturating_sub(events.len()));
            let page = self.read(&next)?;
            let full = page.events.len() >= next.range.limit;
            events.extend(page.events);
            match events.last().map(|e| e.meta.position) {
                Some(last) if full && events.len() < wanted.range.limit => match next.range {
                    Range {
                        backwards: true, ..
                    } => next.range.before = Some(last),
                    _ => next.range.after = last,
                },
                _ => {
                    let head = page.head;
                    return Ok(Page { events, head });
                }
            }
        }
    }
}

impl Wanted {
    /// Everything in a range.
    pub(crate) fn all(range: Range) -> Wanted {
        Wanted {
            types: vec![],
            tags: vec![],
            range,
        }
    }

    /// What carries a tag.
    pub(crate) fn tagged(tag: Tag, range: Range) -> Wanted {
        Wanted {
            tags: vec![tag],
            ..Wanted::all(range)
        }
    }

    /// As a store takes it.
    pub(super) fn query(&self) -> Query {
        Query::default().or(QueryItem::of(&self.types, self.tags.clone()))
    }
}

impl FromStr for Name {
    type Err = String;
    fn from_str(text: &str) -> Result<Name, String> {
        if let Ok(position) = text.strip_prefix('#').unwrap_or(text).parse() {
            return Ok(Name::Position(position));
        }
        let id = Uuid::try_parse(text).map(Name::Id);
        id.map_err(|_| "expected a position such as 17, or an id (a UUID)".into())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Position(position) => write!(f, "at position {position}"),
            Name::Id(id) => write!(f, "with the id {id}"),
        }
    }
}

impl From<ProcessStatus> for Process {
    fn from(s: ProcessStatus) -> Process {
        Process {
            name: s.name,
            title: Some(s.title),
            policy: Some(s.policy),
            position: Some(s.position),
            lag_events: Some(s.lag_events),
            instances: s.instances,
            next_due: s.next_due,
        }
    }
}

/// How an instance stands, in one word.
pub(crate) fn standing(status: &Status) -> &'static str {
    match status {
        Status::Running => "running",
        Status::Parked { .. } => "parked",
        Status::Ended => "ended",
    }
}
