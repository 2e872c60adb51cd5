//! `fait bus`: what is between a running system and others, and what operators do to it.

mod heard;

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::source::Source;
use crate::words;
use clap::{Args, Subcommand};
use fait::app::{BusStatus, InletStatus, MAX_COUNTED, Mood, OutletStatus, ReplayFrom, Wants};
use serde_json::{Value, json};

/// What can be done with the bus.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show how it stands: what is published, handed over and heard
    #[command(after_help = "Examples:
  fait bus status --at http://127.0.0.1:7070
  fait bus status --at http://127.0.0.1:7070 --json")]
    Status,
    /// Hand messages over from another place on
    #[command(after_help = "Examples:
  fait bus replay broker --from start --reason \"the stream was made anew\"
  fait bus replay broker --from 4711 --by operator:eva
  fait bus replay broker --from here

It is needed when what the broker holds is another history than before. What it holds stays there:
what is handed over again comes again, with the same ids.")]
    Replay(Replay),
    /// Try at once to hand over, also what has stopped
    #[command(after_help = "Example:
  fait bus retry broker --at http://127.0.0.1:7070")]
    Retry {
        /// The broker, as it is wired
        outlet: String,
    },
    /// Go on without a message that a broker cannot carry
    #[command(after_help = "Example:
  fait bus pass-over broker 4711 --reason \"too large, sent by hand\"

The position is the one that `fait bus status` shows.")]
    PassOver(PassOver),
    /// List the messages that cannot be read, and those that wait behind them
    #[command(after_help = "Examples:
  fait bus unreadable
  fait bus unreadable tickets --json")]
    Unreadable(heard::Unreadable),
    /// Read messages again that are kept, with the program as it is now
    #[command(after_help = "Examples:
  fait bus reread tickets
  fait bus reread tickets com.example.tickets.issued.v2
  fait bus reread tickets 7d0ea5a4-2b1f-5d5c-9a64-7f2f7a1c0b11

They are read in the order in which they came, and what waits behind them goes on.")]
    Reread(heard::Again),
    /// Leave a message out that cannot be read
    #[command(after_help = "Example:
  fait bus skip 7d0ea5a4-2b1f-5d5c-9a64-7f2f7a1c0b11 --reason \"a test of theirs\"

Nothing becomes of it; what waits behind it goes on. It stays in the history as it came.")]
    Skip(heard::Skip),
    /// Go on hearing after what is heard became another history
    #[command(after_help = "Examples:
  fait bus continue tickets
  fait bus continue tickets --after 4711

From the beginning is safe: what was recorded already counts once.")]
    Continue(heard::Continue),
}

/// From where on messages are handed over.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// The broker, as it is wired
    outlet: String,
    /// `start`: all that was ever published; `here`: what the broker does not have yet, or what is
    /// published from now on where it has nothing; or the position behind which it begins
    #[arg(long, value_name = "start | here | POSITION")]
    from: ReplayFrom,
    /// Why, for those who read the history later
    #[arg(long)]
    reason: Option<String>,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// A message that is not handed over.
#[derive(Debug, Args)]
pub(crate) struct PassOver {
    /// The broker, as it is wired
    outlet: String,
    /// The place of the message in the log
    position: u64,
    /// Why, for those who read the history later
    #[arg(long)]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// Does what was asked.
pub(crate) fn run(verb: &Verb, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    match verb {
        Verb::Status => status(source, out),
        Verb::Replay(replay) => {
            let mut body = json!({"from": replay.from, "by": replay.by});
            if let Some(reason) = &replay.reason {
                body["reason"] = reason.as_str().into();
            }
            let done = act(source, &replay.outlet, "replay", &body)?;
            let after = done["after"].as_u64().unwrap_or_default();
            let name = words::clean(&replay.outlet);
            say(
                out,
                &done,
                &format!("messages behind position {after} are handed to `{name}`"),
            )
        }
        Verb::Retry { outlet } => {
            let done = act(source, outlet, "retry", &json!({}))?;
            say(out, &done, &format!("`{}` is tried", words::clean(outlet)))
        }
        Verb::Unreadable(of) => heard::unreadable(of, source, out),
        Verb::Reread(of) => heard::reread(of, source, out),
        Verb::Skip(of) => heard::skip(of, source, out),
        Verb::Continue(of) => heard::go_on(of, source, out),
        Verb::PassOver(one) => {
            let (position, by) = (one.position, &one.by);
            let body = json!({"position": position, "reason": one.reason, "by": by});
            let done = act(source, &one.outlet, "skip", &body)?;
            let name = words::clean(&one.outlet);
            say(
                out,
                &done,
                &format!("`{name}` goes on without the message at {position}"),
            )
        }
    }
}

fn act(source: &dyn Source, outlet: &str, action: &str, body: &Value) -> Result<Value, Failure> {
    source.ask(&["bus", "outlets", outlet, action], body)
}

fn say(out: &mut Out, done: &Value, line: &str) -> Result<(), Failure> {
    match out.json() {
        true => out.document(done),
        false => out.line(line),
    }
}

fn status(source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let found = source.look(&["bus"], &[])?;
    if out.json() {
        return out.document(&found);
    }
    let bus: BusStatus = serde_json::from_value(found).map_err(|e| {
        Failure::Internal(format!("the answer of the system is of another form: {e}"))
    })?;
    let none = bus.publications.is_empty() && bus.outlets.is_empty() && bus.inlets.is_empty();
    if none {
        note("this system tells others nothing, and hears nothing of them");
        return Ok(());
    }
    out.line(format_args!("source {}", words::clean(&bus.source)))?;
    publications(&bus, out)?;
    outlets(&bus.outlets, out)?;
    inlets(&bus.inlets, out)?;
    for line in troubles(&bus) {
        let line = out.tone(Tone::Alarm, &words::clean(&line));
        out.line(line)?;
    }
    Ok(())
}

fn publications(bus: &BusStatus, out: &mut Out) -> Result<(), Failure> {
    if bus.publications.is_empty() {
        return Ok(());
    }
    let columns = [
        Column::text("publication"),
        Column::number("at"),
        Column::number("behind"),
        Column::text("state"),
    ];
    let rows = bus.publications.iter().map(|p| {
        let state = if p.stopped.is_some() {
            "stopped"
        } else {
            "goes on"
        };
        let (at, behind) = (p.position.to_string(), p.lag_events.to_string());
        vec![p.name.clone(), at, behind, state.into()]
    });
    out.line("")?;
    out.table(&columns, &rows.collect::<Vec<_>>())
}

fn outlets(all: &[OutletStatus], out: &mut Out) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    let columns = [
        Column::text("broker"),
        Column::number("at"),
        Column::number("waiting"),
        Column::text("state"),
    ];
    let rows = all.iter().map(|o| {
        let state = match (&o.halted, &o.trouble) {
            (Some(_), _) => "stopped",
            (None, Some(_)) => "failing",
            (None, None) => "goes on",
        };
        let more = if o.waiting as usize == MAX_COUNTED {
            "+"
        } else {
            ""
        };
        let waiting = format!("{}{more}", o.waiting);
        vec![
            o.name.clone(),
            o.position.to_string(),
            waiting,
            state.into(),
        ]
    });
    out.line("")?;
    out.table(&columns, &rows.collect::<Vec<_>>())
}

fn inlets(all: &[InletStatus], out: &mut Out) -> Result<(), Failure> {
    if all.is_empty() {
        return Ok(());
    }
    let columns = [
        Column::text("heard as"),
        Column::text("system"),
        Column::number("at"),
        Column::number("unreadable"),
        Column::text("state"),
    ];
    let rows = all.iter().map(|i| {
        let state = match i.mood {
            Mood::Hears => "hears",
            Mood::Waits { .. } => "failing",
            Mood::Stopped { .. } => "stopped",
        };
        let at = i
            .mark
            .as_ref()
            .map_or("-".into(), |m| m.sequence.to_string());
        let unreadable = i.unreadable.to_string();
        vec![
            i.receiver.clone(),
            i.system.clone(),
            at,
            unreadable,
            state.into(),
        ]
    });
    out.line("")?;
    out.table(&columns, &rows.collect::<Vec<_>>())
}

/// What is wrong, in sentences, with what to do.
fn troubles(bus: &BusStatus) -> Vec<String> {
    let mut lines = vec![];
    for p in &bus.publications {
        lines.extend(p.stopped.as_ref().map(|s| {
            let (name, at) = (&p.name, s.position);
            let reason = &s.reason;
            format!(
                "publication {name} stopped at event {at}: {reason}; it is tried again when the \
                 program starts"
            )
        }));
    }
    if let Some(trouble) = &bus.trouble {
        lines.push(format!("nothing is published: {}", trouble.error));
    }
    for o in &bus.outlets {
        let name = &o.name;
        if let Some(halted) = &o.halted {
            let help = match &halted.wants {
                Wants::Replay => format!("fait bus replay {name} --from start|here|POSITION"),
                Wants::Skip { position } => {
                    format!("fait bus pass-over {name} {position} --reason …")
                }
                Wants::Change => format!("fait bus retry {name}, once that is changed"),
            };
            lines.push(format!("{name} stopped: {}; {help}", halted.reason));
        } else if let Some(trouble) = &o.trouble {
            let since = trouble.since;
            lines.push(format!("{name} fails since {since}: {}", trouble.error));
        }
    }
    for i in &bus.inlets {
        match &i.mood {
            Mood::Hears => {}
            Mood::Waits { error, since } => {
                lines.push(format!("{} fails since {since}: {error}", i.receiver));
            }
            Mood::Stopped { why, .. } => lines.push(format!("{} stopped: {why}", i.receiver)),
        }
        if i.unreadable > 0 {
            let (name, waiting) = (&i.receiver, i.waiting);
            let kept = words::count(i.unreadable as u64, "message");
            lines.push(format!(
                "{name} keeps {kept} that cannot be read, and {waiting} behind; \
                 fait bus unreadable {name}"
            ));
        }
    }
    lines
}
