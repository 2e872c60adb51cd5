//! The same action on all instances that fit: shown first, then done at a rate, and watched.

use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::Source;
use crate::words;
use clap::{Args, ValueEnum};
use fait::app::{BulkState, Preview, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How often it is asked how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Which instances, and how fast.
#[derive(Debug, Args)]
pub(crate) struct Many {
    /// All instances of the process that fit
    #[arg(long)]
    all: bool,
    /// With --all: only those that stand so
    #[arg(long, value_enum, requires = "all")]
    status: Option<Stands>,
    /// With --all: only those parked for trouble of this kind
    #[arg(long, value_enum, requires = "all")]
    class: Option<Kind>,
    /// With --all: only those with these words in the reason why they are parked
    #[arg(long, value_name = "WORDS", requires = "all")]
    text: Option<String>,
    /// With --all: only those that have stood so for this long, such as 90s, 15m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = seconds, requires = "all")]
    older_than: Option<u64>,
    /// With --all: at most so many in a second
    #[arg(long, default_value_t = 50, requires = "all",
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// With --all: do it; without this, it is only shown
    #[arg(long, requires = "all")]
    yes: bool,
}

/// How an instance stands that has not ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Stands {
    /// It waits for input
    Running,
    /// It waits for an operator
    Parked,
}

/// A kind of trouble.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// The program failed
    Defect,
    /// Nobody thought of what came of a command
    Unhandled,
    /// The process asks for a person
    Asked,
    /// Nobody knows whether another system acted
    Uncertain,
    /// It was heard of before it began
    Unmatched,
    /// A limit was reached
    Limit,
}

fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || "a time is like 90s, 15m, 2h or 3d".to_string();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).ok_or_else(wrong)
}

impl Many {
    fn filter(&self) -> Value {
        json!({
            "status": self.status.map(name),
            "class": self.class.map(name),
            "text": self.text,
            "older_than_s": self.older_than,
        })
    }
}

/// A word of the command line as interfaces use it.
fn name(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map(|v| v.get_name().to_string()).unwrap_or_default()
}

/// Shows what fits, and with `--yes` does it.
pub(super) fn run(
    action: &str,
    process: &str,
    many: &Many,
    mut body: Map<String, Value>,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    body.insert("action".into(), action.into());
    body.insert("filter".into(), many.filter());
    let asked = Value::Object(body.clone());
    let answer = source.ask(&["bulk", process, "preview"], &asked)?;
    let preview: Preview = read(answer)?;
    if !many.yes {
        return show(action, &preview, out);
    }
    body.insert("rate".into(), many.rate.into());
    let begun = source.ask(&["bulk", process, "run"], &Value::Object(body))?;
    let begun: Progress = read(begun)?;
    let ended = watch(process, &begun, source, out)?;
    tell(&ended, out)
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer)
        .map_err(|e| Failure::NotReady(format!("the answer cannot be read: {e}")))
}

fn show(action: &str, preview: &Preview, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        return out.document(preview);
    }
    let columns = [
        Column::text("key"),
        Column::text("kind"),
        Column::text("since (UTC)"),
        Column::text("why"),
    ];
    let rows: Vec<Vec<String>> = (preview.sample.iter())
        .map(|one| {
            let reason = one.reason.as_deref().unwrap_or_default();
            vec![
                one.key.clone(),
                one.class.map_or("running", |c| c.name()).into(),
                words::moment(one.since),
                words::cut(reason, 60),
            ]
        })
        .collect();
    out.table(&columns, &rows)?;
    let fit = words::count(preview.count, "instance");
    out.line(format_args!("{fit} to {action}"))?;
    out.flush()?;
    note("nothing was done; add --yes to do it");
    Ok(())
}

/// Follows it to its end. Ctrl-C ends it there, and what came of that is told.
fn watch(
    process: &str,
    begun: &Progress,
    source: &dyn Source,
    out: &Out,
) -> Result<Progress, Failure> {
    let bar = match out.json() {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(begun.found),
    };
    let style = "[{bar:30}] {pos} of {len}, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style.progress_chars("█▌ "));
    }
    let mut last = begun.clone();
    source.watch(LOOK_EVERY, &mut |interrupted| {
        if interrupted {
            source.ask(&["bulk", process, "abort"], &json!({}))?;
        }
        let now: Progress = read(source.bulk(process)?)?;
        if now.id != begun.id {
            let by = words::clean(&now.by).into_owned();
            return Err(Failure::Conflict(format!(
                "{by} has begun another meanwhile"
            )));
        }
        bar.set_position(now.found - now.left());
        let goes_on = now.state == BulkState::Running;
        last = now;
        Ok(goes_on)
    })?;
    bar.finish_and_clear();
    Ok(last)
}

fn tell(p: &Progress, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        out.document(p)?;
    } else {
        let state = match p.state {
            BulkState::Running => "goes on",
            BulkState::Done => "done",
            BulkState::Aborted => "ended early",
            BulkState::Broken => "broken off: the instances cannot be found",
        };
        out.line(format_args!(
            "{} {state}: {} of {} done, {} had gone on, {} failed, {} left",
            p.action,
            p.done,
            p.found,
            p.passed_over,
            p.failed,
            p.left()
        ))?;
        for failed in &p.failures {
            let (key, why) = (words::clean(&failed.key), words::clean(&failed.why));
            out.line(format_args!("  {key}: {why}"))?;
        }
    }
    out.flush()?;
    match (p.failed, p.state) {
        (0, BulkState::Done) => Ok(()),
        (0, _) => Err(Failure::Finding(
            "run it again for those that are left".into(),
        )),
        _ => Err(Failure::Finding(
            "it could not be done to all; look at those, and run it again".into(),
        )),
    }
}
