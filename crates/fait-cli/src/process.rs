//! `fait process`: how processes stand, and letting parked instances go on.

mod check;
mod show;

use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::{Process, Resume, Source, standing};
use crate::words;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use fait::process::{Instance, Status};
use serde_json::json;

/// What can be done with processes.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List processes and policies: how their instances stand
    #[command(after_help = "Examples:
  fait process list --at http://127.0.0.1:7070
  fait process list --at ./data --json")]
    List,
    /// Show the instances of a process, or one of them with its history
    #[command(after_help = "Examples:
  fait process show serve-then-bill --at http://127.0.0.1:7070 --status parked
  fait process show serve-then-bill 7 --at ./data")]
    Show(Show),
    /// Let a parked instance of a running system go on
    #[command(after_help = "Examples:
  fait process resume serve-then-bill 7 --retry --reason \"the printer works again\"
  fait process resume serve-then-bill 7 --skip --reason \"the order was a test\"")]
    Resume(Go),
    /// Look whether the next program can go on with the instances in flight
    #[command(after_help = "Examples:
  fait process check --program ./target/release/orders --data ./data
  fait process check --manifest manifest.json --data ./data --json")]
    Check(check::Check),
    /// Look what the next program would have decided for instances that have ended
    #[command(after_help = "Examples:
  fait process shadow serve-then-bill --program ./target/release/orders --data ./data
  fait process shadow serve-then-bill --program ./next --data ./data --limit 1000 --json")]
    Shadow(check::Again),
}

/// Which instances to show.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The process
    name: String,
    /// The instance: what it is about
    key: Option<String>,
    /// Only instances that stand so
    #[arg(long, value_enum, conflicts_with = "key")]
    status: Option<Standing>,
    /// At most so many instances, the latest first
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// How an instance stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Standing {
    /// It waits for input
    Running,
    /// It waits for an operator
    Parked,
    /// It has ended
    Ended,
}

/// How an instance goes on.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("how").required(true).args(["retry", "skip"]))]
pub(crate) struct Go {
    /// The process
    name: String,
    /// The instance
    key: String,
    /// Take in again what parked it
    #[arg(long)]
    retry: bool,
    /// Go on without what parked it
    #[arg(long)]
    skip: bool,
    /// Why, for those who read the history later
    #[arg(long)]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// Does what was asked. The next program is asked about a folder, whatever `--at` says.
pub(crate) fn run(
    verb: &Verb,
    open: impl FnOnce() -> Result<Box<dyn Source>, Failure>,
    out: &mut Out,
) -> Result<(), Failure> {
    match verb {
        Verb::Check(which) => return check::check(which, crate::source::folder, out),
        Verb::Shadow(which) => return check::shadow(which, out),
        _ => {}
    }
    let source = &*open()?;
    match verb {
        Verb::Check(_) | Verb::Shadow(_) => Ok(()),
        Verb::List => list(source, out),
        Verb::Show(show) => match &show.key {
            None => instances(show, source, out),
            Some(key) => instance(&show.name, key, source, out),
        },
        Verb::Resume(go) => resume(go, source, out),
    }
}

fn list(source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let processes = source.processes()?;
    if out.json() {
        return out.document(&processes);
    }
    if processes.is_empty() {
        note("no process has done anything");
    }
    let columns = [
        Column::text("process"),
        Column::number("running"),
        Column::number("parked"),
        Column::number("ended"),
        Column::number("behind"),
        Column::text("next deadline (UTC)"),
        Column::text("in words"),
    ];
    let rows: Vec<Vec<String>> = processes.iter().map(row).collect();
    out.table(&columns, &rows)
}

fn row(process: &Process) -> Vec<String> {
    let n = &process.instances;
    let words = match (&process.title, process.policy) {
        (Some(title), Some(true)) => format!("{title} (policy)"),
        (title, _) => title.clone().unwrap_or_default(),
    };
    let behind = process.lag_events.map(|n| n.to_string());
    vec![
        process.name.clone(),
        n.running.to_string(),
        n.parked.to_string(),
        n.ended.to_string(),
        behind.unwrap_or_else(|| "?".into()),
        process.next_due.map(words::moment).unwrap_or_default(),
        words,
    ]
}

fn instances(show: &Show, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let status = show.status.map(|s| match s {
        Standing::Running => "running",
        Standing::Parked => "parked",
        Standing::Ended => "ended",
    });
    let limit = usize::from(show.limit);
    let found = source.instances(&show.name, status, limit)?;
    if found.is_empty() {
        known(&show.name, source)?;
        note(format_args!("`{}` has no such instance", show.name));
    }
    if out.json() {
        return out.document(&found);
    }
    let columns = [
        Column::text("key"),
        Column::text("status"),
        Column::text("last step (UTC)"),
        Column::text("next deadline"),
        Column::text("waits for"),
    ];
    let rows: Vec<Vec<String>> = found.iter().map(instance_row).collect();
    out.table(&columns, &rows)?;
    if found.len() == limit {
        out.flush()?;
        note("there may be more: see --limit and --status");
    }
    Ok(())
}

/// That there is such a process.
fn known(name: &str, source: &dyn Source) -> Result<(), Failure> {
    let names: Vec<String> = source.processes()?.into_iter().map(|p| p.name).collect();
    match names.iter().any(|n| n == name) {
        true => Ok(()),
        false => Err(Failure::unknown("process", name, &names)),
    }
}

fn instance_row(i: &Instance) -> Vec<String> {
    let due = i.deadlines.values().map(|(d, _)| d.due).min();
    let due = due.map(|due| words::clock_near(due, i.updated_at));
    let names = i.open.values().map(|o| o.issued.name.as_str());
    let waits = match &i.status {
        Status::Parked { reason, .. } => format!("an operator: {reason}"),
        _ => names.collect::<Vec<_>>().join(", "),
    };
    vec![
        i.key.clone(),
        standing(&i.status).into(),
        words::moment(i.updated_at),
        due.unwrap_or_default(),
        words::cut(&waits, 60),
    ]
}

fn instance(name: &str, key: &str, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let Some(found) = source.instance(name, key)? else {
        known(name, source)?;
        return Err(Failure::Finding(format!(
            "`{name}` has no instance {key}; see `fait process show {name}`"
        )));
    };
    match out.json() {
        true => out.document(&found),
        false => show::tell(&found, source, out),
    }
}

fn resume(go: &Go, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let (name, key, reason) = (&go.name, &go.key, go.reason.trim());
    if reason.is_empty() {
        return Err(Failure::Usage("say why, with --reason".into()));
    }
    let how = Resume {
        retry: go.retry,
        reason: reason.into(),
        by: go.by.clone(),
    };
    source.resume(name, key, &how)?;
    if out.json() {
        return out.document(&json!({"process": name, "key": key, "retry": go.retry}));
    }
    let what = match go.retry {
        true => "takes in again what parked it",
        false => "goes on without what parked it",
    };
    out.line(format_args!("`{name}` of {key} {what}"))
}
