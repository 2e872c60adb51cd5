//! `fait process`: how processes stand, and what operators do to their instances.

mod check;
mod show;
mod stuck;
mod many;
mod act;

use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::{Process, Resume, Source, standing};
use crate::words;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use fait::process::{Instance, Status};
use serde_json::{Map, json};

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
    /// List the instances that wait for an operator, with the reason
    #[command(after_help = "Examples:
  fait process stuck --at http://127.0.0.1:7070
  fait process stuck serve-then-bill --at ./data --json")]
    Stuck(stuck::Wanted),
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
    /// Take in again what parked an instance, or all that fit
    #[command(after_help = "Examples:
  fait process retry serve-then-bill 7 --reason \"the printer works again\"
  fait process retry serve-then-bill --all --class defect --rate 100 --yes --reason \"new program\"")]
    Retry(act::Which),
    /// Go on without what parked an instance, or all that fit
    #[command(after_help = "Examples:
  fait process skip serve-then-bill 7 --reason \"the order was a test\"
  fait process skip serve-then-bill --all --text \"declined\" --reason \"paid in cash\"")]
    Skip(act::Which),
    /// Do not carry out an open command; the process hears that it was skipped
    #[command(after_help = "Examples:
  fait process skip-command serve-then-bill 7 6f1c7a52-0000-4000-8000-00000000beef \\
    --reason \"cooked already\"")]
    SkipCommand(act::OneCommand),
    /// Send a command with other words: an open one, or one whose outcome parked the instance
    #[command(after_help = "Examples:
  fait process amend serve-then-bill 7 6f1c7a52-0000-4000-8000-00000000beef \\
    --body '{\"order\": 7, \"cents\": 2400}' --reason \"a digit was missing\"")]
    Amend(act::Amend),
    /// Say what became of a command that people or another system carry out; the reason is how
    /// that is known
    #[command(after_help = "Examples:
  fait process settle serve-then-bill 7 6f1c7a52-0000-4000-8000-00000000beef --done \\
    --reason \"the bank's statement shows it\"")]
    Settle(act::Settle),
    /// Take back what is open, let the process clear up, and end it
    #[command(after_help = "Examples:
  fait process cancel serve-then-bill 7 --reason \"the guest has left\"
  fait process cancel serve-then-bill --all --older-than 3d --reason \"nobody waits any more\"")]
    Cancel(act::Which),
    /// Declare an instance done as it is
    #[command(after_help = "Examples:
  fait process complete serve-then-bill 7 --reason \"done on paper\"")]
    Complete(act::Which),
    /// Let a deadline come at another time
    #[command(after_help = "Examples:
  fait process postpone serve-then-bill 7 --deadline KitchenSilent --to 2026-03-01T18:30:00Z \\
    --reason \"a large party\"")]
    Postpone(act::Postpone),
    /// Let a deadline come now
    #[command(after_help = "Examples:
  fait process fire serve-then-bill 7 --deadline KitchenSilent --reason \"the kitchen is closed\"")]
    Fire(act::Fire),
    /// Take back what an instance did by the inverse commands, and end it; shown first
    #[command(after_help = "Examples:
  fait process compensate serve-then-bill 7 --reason \"the wrong table\"
  fait process compensate serve-then-bill 7 --reason \"the wrong table\" --yes")]
    Compensate(act::Compensate),
    /// Let an instance go on with the newest definition of its process, or all that fit
    #[command(after_help = "Examples:
  fait process migrate serve-then-bill 7 --dry-run --reason \"one bill for all\"
  fait process migrate serve-then-bill --all --status running --yes --reason \"one bill for all\"")]
    Migrate(act::Migrate),
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
        Verb::Stuck(wanted) => stuck::list(wanted, source, out),
        Verb::Resume(go) => resume(go, source, out),
        Verb::Retry(of) => act::which("retry", of, Map::new(), source, out),
        Verb::Skip(of) => act::which("skip", of, Map::new(), source, out),
        Verb::SkipCommand(of) => act::skip_command(of, source, out),
        Verb::Amend(of) => act::amend(of, source, out),
        Verb::Settle(of) => act::settle(of, source, out),
        Verb::Cancel(of) => act::which("cancel", of, Map::new(), source, out),
        Verb::Complete(of) => act::which("complete", of, Map::new(), source, out),
        Verb::Postpone(of) => act::postpone(of, source, out),
        Verb::Fire(of) => act::fire(of, source, out),
        Verb::Compensate(of) => act::compensate(of, source, out),
        Verb::Migrate(of) => act::migrate(of, source, out),
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
