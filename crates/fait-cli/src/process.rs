//! `fait process`: what reacts to events and waits for others.

use crate::address::Resumption;
use crate::output::{Output, Table};
use crate::source::{Source, Standing, next_due, status_name};
use crate::trouble::Trouble;
use crate::words::{brief, deadline_name, input, issued, moment};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use fait::event::{Tag, Time};
use fait::process::{Instance, Status};
use serde_json::json;

const RESUME: &str = "\
Example:
  fait --at http://127.0.0.1:7070 process resume serve-then-bill 7 --retry --reason \"it is back\"";

/// Shows processes and lets those go on that wait for an operator.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Lists the processes and how their instances stand.
    ///
    /// In a folder, only those that have done something are known.
    #[command(after_help = "Example:\n  fait --at data process list")]
    List,
    /// Lists the instances of a process, the latest first, or shows one of them.
    #[command(after_help = "Example:\n  fait --at data process show serve-then-bill")]
    Show(Show),
    /// Lets a parked instance go on.
    #[command(after_help = RESUME)]
    Resume(Resume),
}

/// What to show of a process.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The process.
    name: String,
    /// One instance, by what it is about.
    key: Option<String>,
    /// Only instances that stand so.
    #[arg(long, conflicts_with = "key")]
    status: Option<Stands>,
    /// At most so many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// How to go on.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("how").required(true).args(["retry", "skip"])))]
pub(crate) struct Resume {
    /// The process.
    name: String,
    /// The instance, by what it is about.
    key: String,
    /// Tries the input that it stumbled over again.
    #[arg(long)]
    retry: bool,
    /// Skips the input that it stumbled over.
    #[arg(long)]
    skip: bool,
    /// Why; it is recorded.
    #[arg(long)]
    reason: String,
    /// Who you are; it is recorded.
    #[arg(long, value_name = "KIND:NAME", default_value = "operator:fait")]
    by: String,
}

/// How an instance stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Stands {
    /// It waits for input.
    Running,
    /// It waits for an operator.
    Parked,
    /// It has ended.
    Ended,
}

impl Stands {
    fn name(self) -> &'static str {
        match self {
            Stands::Running => "running",
            Stands::Parked => "parked",
            Stands::Ended => "ended",
        }
    }
}

/// Carries the verb out.
pub(crate) async fn run(verb: Verb, source: &Source, out: &Output) -> Result<(), Trouble> {
    match verb {
        Verb::List => list(&source.processes().await?, out),
        Verb::Show(show) => run_show(show, source, out).await,
        Verb::Resume(resume) => run_resume(resume, source, out).await,
    }
}

fn list(processes: &[Standing], out: &Output) -> Result<(), Trouble> {
    if out.is_json() {
        return out.document(&json!(processes));
    }
    if processes.is_empty() {
        out.note("no process has done anything yet");
        return Ok(());
    }
    let header = [
        "PROCESS",
        "#RUNNING",
        "#PARKED",
        "#ENDED",
        "#BEHIND",
        "NEXT DEADLINE (UTC)",
    ];
    let mut table = Table::new(&header);
    for p in processes {
        let behind = p.lag_events.map_or("-".into(), |n| n.to_string());
        table.row(vec![
            p.name.clone(),
            p.instances.running.to_string(),
            p.instances.parked.to_string(),
            p.instances.ended.to_string(),
            behind,
            time(p.next_due),
        ]);
    }
    out.text(&table.text())
}

fn time(time: Option<Time>) -> String {
    time.map_or("-".into(), moment)
}

async fn run_show(show: Show, source: &Source, out: &Output) -> Result<(), Trouble> {
    if let Some(key) = &show.key {
        let instance = source.instance(&show.name, key).await?;
        if out.is_json() {
            return out.document(&json!(instance));
        }
        return out.text(&in_full(&instance));
    }
    let status = show.status.map(Stands::name);
    let limit = usize::from(show.limit);
    let instances = source.instances(&show.name, status, limit).await?;
    if out.is_json() {
        return out.document(&json!(instances));
    }
    if instances.is_empty() {
        out.note(&format!("no instance of {} stands so", show.name));
        return Ok(());
    }
    let mut table = Table::new(&[
        "KEY",
        "STATUS",
        "#OPEN",
        "NEXT DEADLINE (UTC)",
        "MOVED (UTC)",
    ]);
    for i in &instances {
        table.row(vec![
            i.key.clone(),
            status_name(i).into(),
            i.open.len().to_string(),
            time(next_due(i)),
            moment(i.updated_at),
        ]);
    }
    out.text(&table.text())
}

fn in_full(i: &Instance) -> String {
    let mut lines = vec![format!("{} of {}: {}", i.process, i.key, status_name(i))];
    if let Status::Parked {
        reason,
        since,
        input: at,
    } = &i.status
    {
        lines.push(format!("  since {}, at {}", moment(*since), input(at)));
        lines.push(format!("  because: {reason}"));
        lines.push(format!(
            "  go on with: fait process resume {} {} --retry | --skip --reason \"…\"",
            i.process, i.key
        ));
    }
    let about: Vec<&str> = i.about.iter().map(Tag::as_str).collect();
    if !about.is_empty() {
        lines.push(format!("  about     {}", about.join(", ")));
    }
    lines.push(format!("  begun     {}", moment(i.started_at)));
    lines.push(format!(
        "  moved     {}, position {}",
        moment(i.updated_at),
        i.moved
    ));
    lines.push(format!("  flow      {}", i.correlation));
    if let Some((version, state)) = &i.state {
        lines.push(format!("  state     {} (version {version})", brief(state)));
    }
    if i.late > 0 {
        lines.push(format!("  late      {} inputs came after its end", i.late));
    }
    let mut open: Vec<_> = i.open.values().collect();
    open.sort_by_key(|o| (o.position, o.issued.id));
    for o in open {
        let mut line = format!("  open      {}", issued(&o.issued, o.since));
        line.push_str(&format!(", since {}", moment(o.since)));
        if let Some((by, until)) = &o.claim {
            line.push_str(&format!("; {by} has it until {}", moment(*until)));
        }
        lines.push(line);
    }
    for (deadline, _) in i.deadlines.values() {
        let name = deadline_name(&deadline.name);
        lines.push(format!("  deadline  {name} at {}", moment(deadline.due)));
    }
    lines.join("\n")
}

async fn run_resume(resume: Resume, source: &Source, out: &Output) -> Result<(), Trouble> {
    let Source::Address(address) = source else {
        return Err(Trouble::Usage(
            "only a running system can go on: start the program and use --at http://HOST:PORT"
                .into(),
        ));
    };
    let (name, key) = (&resume.name, &resume.key);
    let instance = source.instance(name, key).await?;
    if !matches!(instance.status, Status::Parked { .. }) {
        return Err(Trouble::Conflict(format!(
            "{name} of {key} is not parked: it is {}",
            status_name(&instance)
        )));
    }
    let how = Resumption {
        retry: resume.retry,
        by: &resume.by,
        reason: &resume.reason,
    };
    address.resume(name, key, &how)?;
    if out.is_json() {
        return out.document(&json!({ "process": name, "key": key, "retry": resume.retry }));
    }
    let how = match resume.retry {
        true => "tries its input again",
        false => "skips its input",
    };
    out.text(&format!("{name} of {key} goes on and {how}"))
}
