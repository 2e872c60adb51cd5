//! What an operator does to an instance of a running system, or to many.

use super::many::{self, Many};
use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::Source;
use crate::words;
use clap::Args;
use fait::app::{Compensation, Migrated, Undo};
use fait::event::Time;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Who and why.
#[derive(Debug, Args)]
pub(crate) struct Said {
    /// Why, for those who read the history later
    #[arg(long)]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// One instance, or all that fit.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The process
    name: String,
    /// The instance
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    key: Option<String>,
    #[command(flatten)]
    many: Many,
    #[command(flatten)]
    said: Said,
}

/// A deadline of one instance, or of all that fit.
#[derive(Debug, Args)]
pub(crate) struct Fire {
    /// Which deadline
    #[arg(long, value_name = "NAME")]
    deadline: String,
    #[command(flatten)]
    which: Which,
}

/// One instance.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The process
    name: String,
    /// The instance
    key: String,
    #[command(flatten)]
    said: Said,
}

/// A command of an instance.
#[derive(Debug, Args)]
pub(crate) struct OneCommand {
    /// The process
    name: String,
    /// The instance
    key: String,
    /// The command's id, as `fait process show` tells it
    command: Uuid,
    #[command(flatten)]
    said: Said,
}

/// A command with another body.
#[derive(Debug, Args)]
pub(crate) struct Amend {
    #[command(flatten)]
    of: OneCommand,
    /// What it is to say instead, as JSON
    #[arg(long, value_name = "JSON")]
    body: String,
}

/// A command of which somebody knows what became.
#[derive(Debug, Args)]
#[group(id = "outcome", required = true, multiple = false)]
pub(crate) struct Settle {
    #[command(flatten)]
    of: OneCommand,
    /// It was done
    #[arg(long, group = "outcome")]
    done: bool,
    /// It was not done, and will not be
    #[arg(long, group = "outcome")]
    failed: bool,
}

/// A deadline and its new time.
#[derive(Debug, Args)]
pub(crate) struct Postpone {
    #[command(flatten)]
    of: One,
    /// Which deadline
    #[arg(long, value_name = "NAME")]
    deadline: String,
    /// When it is to come, such as 2026-03-01T18:30:00Z
    #[arg(long, value_name = "TIME")]
    to: String,
}

/// An instance whose work is to be taken back.
#[derive(Debug, Args)]
pub(crate) struct Compensate {
    #[command(flatten)]
    of: One,
    /// Do it; without this, it is only shown
    #[arg(long)]
    yes: bool,
}

/// Instances that are to go on with the newest definition.
#[derive(Debug, Args)]
pub(crate) struct Migrate {
    #[command(flatten)]
    which: Which,
    /// With one instance: only show its state before and after
    #[arg(long, conflicts_with = "all")]
    dry_run: bool,
}

/// The same for one instance, or for all that fit.
pub(super) fn which(
    action: &str,
    which: &Which,
    own: Map<String, Value>,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let body = worded(&which.said, own)?;
    match &which.key {
        Some(key) => done(action, (&which.name, key), &body, source, out),
        None => many::run(action, &which.name, &which.many, body, source, out),
    }
}

pub(super) fn skip_command(
    of: &OneCommand,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    command("skip-command", of, Map::new(), source, out)
}

pub(super) fn amend(amend: &Amend, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let body: Value = serde_json::from_str(&amend.body)
        .map_err(|e| Failure::Usage(format!("--body is not JSON: {e}")))?;
    let own = Map::from_iter([("body".to_string(), body)]);
    command("amend", &amend.of, own, source, out)
}

pub(super) fn settle(settle: &Settle, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let outcome = match settle.done {
        true => json!("accepted"),
        false => json!({"failed": {"error": settle.of.said.reason.trim()}}),
    };
    let own = Map::from_iter([("outcome".to_string(), outcome)]);
    command("settle", &settle.of, own, source, out)
}

fn command(
    action: &str,
    of: &OneCommand,
    mut own: Map<String, Value>,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    own.insert("command".into(), json!(of.command));
    let body = worded(&of.said, own)?;
    done(action, (&of.name, &of.key), &body, source, out)
}

pub(super) fn fire(fire: &Fire, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let own = Map::from_iter([("deadline".to_string(), json!(fire.deadline))]);
    which("fire", &fire.which, own, source, out)
}

pub(super) fn postpone(
    postpone: &Postpone,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let to: Time = postpone.to.parse().map_err(|_| {
        let to = words::cut(&postpone.to, 40);
        Failure::Usage(format!("--to {to}: a time is like 2026-03-01T18:30:00Z"))
    })?;
    let own = Map::from_iter([
        ("deadline".to_string(), json!(postpone.deadline)),
        ("to".to_string(), json!(to)),
    ]);
    let of = &postpone.of;
    let body = worded(&of.said, own)?;
    done("postpone", (&of.name, &of.key), &body, source, out)
}

pub(super) fn compensate(
    compensate: &Compensate,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let of = &compensate.of;
    let own = Map::from_iter([("confirm".to_string(), json!(compensate.yes))]);
    let body = worded(&of.said, own)?;
    if compensate.yes {
        return done("compensate", (&of.name, &of.key), &body, source, out);
    }
    let parts = ["processes", &of.name, &of.key, "compensate"];
    let answer = source.ask(&parts, &Value::Object(body))?;
    if out.json() {
        return out.document(&answer["plan"]);
    }
    let plan: Compensation = serde_json::from_value(answer["plan"].clone())
        .map_err(|e| Failure::NotReady(format!("the plan cannot be read: {e}")))?;
    let columns = [
        Column::number("#"),
        Column::text("was done"),
        Column::text("is undone by"),
    ];
    let row = |undo: &Undo| {
        let back = match (&undo.inverse, &undo.why_not) {
            (Some((name, body)), _) => format!("{name} {body}"),
            (None, why) => why.clone().unwrap_or_default(),
        };
        let was = format!("{} {}", undo.name, undo.body);
        vec![undo.position.to_string(), was, back]
    };
    let rows: Vec<Vec<String>> = plan.done.iter().map(row).collect();
    out.table(&columns, &rows)?;
    let open = words::count(plan.withdrawn.len() as u64, "open command");
    out.line(format_args!(
        "{open} would be taken back, and the instance ends"
    ))?;
    out.flush()?;
    note("nothing was done; add --yes to do it");
    Ok(())
}

pub(super) fn migrate(
    migrate: &Migrate,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let of = &migrate.which;
    let Some(key) = of.key.as_ref().filter(|_| migrate.dry_run) else {
        return which("migrate", of, Map::new(), source, out);
    };
    let own = Map::from_iter([("dry_run".to_string(), json!(true))]);
    let body = Value::Object(worded(&of.said, own)?);
    let answer = source.ask(&["processes", &of.name, key, "migrate"], &body)?;
    if out.json() {
        return out.document(&answer["plan"]);
    }
    let plan: Migrated = serde_json::from_value(answer["plan"].clone())
        .map_err(|e| Failure::NotReady(format!("the plan cannot be read: {e}")))?;
    let (name, from, to) = (&of.name, plan.from, plan.to);
    out.line(format_args!(
        "`{name}` of {key} would go on with definition {to} instead of {from}"
    ))?;
    out.line(format_args!("  state before: {}", plan.before))?;
    out.line(format_args!("  state after:  {}", plan.after))?;
    out.flush()?;
    note("nothing was done; leave --dry-run away to do it");
    Ok(())
}

/// The body of a request: who, why, and what the action needs.
fn worded(said: &Said, own: Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let reason = said.reason.trim();
    if reason.is_empty() {
        return Err(Failure::Usage("say why, with --reason".into()));
    }
    let mut body = own;
    body.insert("reason".into(), reason.into());
    body.insert("by".into(), said.by.as_str().into());
    Ok(body)
}

fn done(
    action: &str,
    (name, key): (&str, &str),
    body: &Map<String, Value>,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let body = Value::Object(body.clone());
    let answer = source.ask(&["processes", name, key, action], &body)?;
    if out.json() {
        return out.document(&answer);
    }
    let what = match action {
        "retry" => "takes in again what parked it",
        "skip" => "goes on without what parked it",
        "skip-command" => "goes on without that command",
        "amend" => "sends the command with its new words",
        "settle" => "knows now what became of the command",
        "cancel" => "is cancelled",
        "complete" => "is declared done",
        "postpone" => "waits until the new time",
        "fire" => "does not wait any longer",
        "migrate" => "goes on with the newest definition",
        _ => "takes back what it did",
    };
    let again = match answer["repeated"].as_bool() {
        Some(true) => " (as before: nothing was recorded now)",
        _ => "",
    };
    out.line(format_args!("`{name}` of {key} {what}{again}"))?;
    for id in answer["issued"].as_array().into_iter().flatten() {
        out.line(format_args!(
            "  sent: command {}",
            id.as_str().unwrap_or_default()
        ))?;
    }
    Ok(())
}
