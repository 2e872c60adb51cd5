//! What was found in a history: bounded, grouped, in words.

use fait_core::event::Position;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Most findings of one kind that a report lists; it counts all of them.
const MAX_OF_A_KIND: usize = 50;

/// Most positions that a finding lists; it counts all of them.
pub const MAX_POSITIONS: usize = 5;

/// Most event types that are counted each by itself.
const MAX_TYPES: usize = 1000;

/// What kind of thing was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Finds {
    /// An event that its code cannot read.
    Event,
    /// Events of a type that no code reads, and that is not retired.
    Unread,
    /// A view cannot take an event.
    View,
    /// A command that cannot be decided again.
    Command,
    /// A decision, or a model, that panics.
    Panic,
    /// A command that was accepted and would be refused.
    Refused,
    /// A command of which something else would come.
    Outcome,
    /// As the two before, behind an erasure: the decision may have looked at what was erased.
    Erased,
}

impl Finds {
    /// Whether it has to be seen to.
    pub fn is_trouble(self) -> bool {
        self != Finds::Erased
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Finds::Event => (
                "events cannot be read",
                "raise the event's version and write an upcast for what was recorded, and keep a \
                 fixture of it",
            ),
            Finds::Unread => (
                "no code reads these events",
                "if the type was renamed, say `was = \"…\"` on the event of today; if nobody needs \
                 it, `.retired(\"…\", \"why\")` where the system is wired",
            ),
            Finds::View => (
                "a view cannot take an event",
                "mend its `project`; until then the keys concerned would be parked",
            ),
            Finds::Command => (
                "commands cannot be decided again",
                "keep the command's name and fields, with `#[serde(default)]` on new ones, if what \
                 was asked is to be read again",
            ),
            Finds::Panic => (
                "decisions panic",
                "mend the model or the decision: what stands in history can come again",
            ),
            Finds::Refused => (
                "commands that were accepted would be refused now",
                "nothing, if the rule was changed on purpose; else the decision or its model is \
                 wrong",
            ),
            Finds::Outcome => (
                "something else would come of commands now",
                "nothing, if the rule was changed on purpose; else the decision or its model is \
                 wrong",
            ),
            Finds::Erased => (
                "outcomes differ behind an erasure",
                "nothing, if the decision looked at what was erased",
            ),
        }
    }
}

/// Something found, once or at many events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing it is.
    pub finds: Finds,
    /// The event type, the command or the view.
    pub name: String,
    /// What exactly, at the first position.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The first [`MAX_POSITIONS`] of the events concerned; of a command the first of its events.
    pub positions: Vec<Position>,
}

/// How the recorded commands were decided again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Commands {
    /// The same came of them.
    pub same: u64,
    /// Something else came of them, or they could not be decided.
    pub otherwise: u64,
    /// Not recorded: from before commands were, too large, or not to be recorded.
    pub unrecorded: u64,
}

/// What a program makes of a history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The last position that was looked at.
    pub head: Position,
    /// Whether a running program held the folder, so that a copy was looked at.
    pub copied: bool,
    /// Events by type and version, without those of `fait` itself.
    pub events: BTreeMap<String, BTreeMap<u32, u64>>,
    /// Events of types that are retired.
    pub retired: BTreeMap<String, u64>,
    /// Places of erased events.
    pub erased: u64,
    /// The commands.
    pub commands: Commands,
    /// Rows of each view at the end.
    pub views: BTreeMap<String, u64>,
    /// How often each kind of thing was found.
    pub counts: BTreeMap<Finds, u64>,
    /// The first of each kind, in the order of kinds.
    pub findings: Vec<Finding>,
}

impl History {
    /// Whether this program reads all of it and decides as was decided.
    pub fn ok(&self) -> bool {
        self.counts.keys().all(|finds| !finds.is_trouble())
    }
}

/// Gathers what is found.
#[derive(Default)]
pub(super) struct Gathered {
    counts: BTreeMap<Finds, u64>,
    groups: BTreeMap<(Finds, String, String), Finding>,
    listed: BTreeMap<Finds, usize>,
}

impl Gathered {
    /// Takes in one finding; those of one name that are alike are one.
    pub(super) fn add(
        &mut self,
        (finds, name): (Finds, &str),
        alike: &str,
        at: Position,
        what: impl fmt::Display,
    ) {
        *self.counts.entry(finds).or_insert(0) += 1;
        let key = (finds, name.to_string(), alike.to_string());
        if let Some(group) = self.groups.get_mut(&key) {
            group.count += 1;
            if group.positions.len() < MAX_POSITIONS {
                group.positions.push(at);
            }
            return;
        }
        let listed = self.listed.entry(finds).or_insert(0);
        if *listed < MAX_OF_A_KIND {
            *listed += 1;
            let finding = Finding {
                finds,
                name: name.into(),
                what: what.to_string(),
                count: 1,
                positions: vec![at],
            };
            self.groups.insert(key, finding);
        }
    }

    pub(super) fn into_report(self, report: &mut History) {
        report.counts = self.counts;
        let mut findings: Vec<Finding> = self.groups.into_values().collect();
        findings.sort_by(|a, b| {
            let by = |f: &Finding| (f.finds, f.positions.first().copied());
            by(a).cmp(&by(b))
        });
        report.findings = findings;
    }
}

impl History {
    /// Counts an event of the application.
    pub(super) fn count(&mut self, ty: &str, version: u32) {
        let full = self.events.len() >= MAX_TYPES && !self.events.contains_key(ty);
        let name = if full { "…" } else { ty };
        if !self.events.contains_key(name) {
            self.events.insert(name.into(), BTreeMap::new());
        }
        if let Some(versions) = self.events.get_mut(name) {
            *versions.entry(version).or_insert(0) += 1;
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n: u64 = self.events.values().flat_map(BTreeMap::values).sum();
        writeln!(f, "{n} events, up to position {}", self.head)?;
        for (ty, versions) in &self.events {
            let one = |(version, n): (&u32, &u64)| format!("{n} of version {version}");
            let of: Vec<String> = versions.iter().map(one).collect();
            let retired = match self.retired.contains_key(ty) {
                true => " (retired)",
                false => "",
            };
            writeln!(f, "  {ty}: {}{retired}", of.join(", "))?;
        }
        if self.erased > 0 {
            writeln!(f, "{} places of erased events", self.erased)?;
        }
        let Commands {
            same,
            otherwise,
            unrecorded,
        } = self.commands;
        let all = same + otherwise;
        write!(f, "commands: {all} decided again, {same} of them alike")?;
        match unrecorded {
            0 => writeln!(f)?,
            n => writeln!(f, ", {n} not recorded")?,
        }
        for (view, rows) in &self.views {
            writeln!(f, "rows of view {view}: {rows}")?;
        }
        for (finds, count) in &self.counts {
            self.list(f, *finds, *count)?;
        }
        match self.ok() {
            true => write!(f, "\nThis program can go on with this history."),
            false => write!(f, "\nThis program makes something else of this history."),
        }
    }
}

impl History {
    fn list(&self, f: &mut fmt::Formatter<'_>, finds: Finds, count: u64) -> fmt::Result {
        let (what, remedy) = finds.words();
        let kind = if finds.is_trouble() {
            "trouble"
        } else {
            "note"
        };
        writeln!(f, "\n{kind}: {what} ({count})")?;
        writeln!(f, "  what to do: {remedy}")?;
        let mut shown = 0;
        for one in self.findings.iter().filter(|one| one.finds == finds) {
            writeln!(f, "  {}: {}", one.name, one.what)?;
            let at: Vec<String> = one.positions.iter().map(ToString::to_string).collect();
            let more = match one.count - one.positions.len() as u64 {
                0 => String::new(),
                n => format!(" and {n} more"),
            };
            writeln!(f, "    at {}{more}", at.join(", "))?;
            shown += one.count;
        }
        if count > shown {
            writeln!(f, "  … and {} more of other kinds", count - shown)?;
        }
        Ok(())
    }
}
