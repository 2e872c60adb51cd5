//! One instance of a process, with all that is known of it.

use crate::failure::Failure;
use crate::output::{Column, Out, Tone};
use crate::source::{Name, Source, Wanted, standing};
use crate::words::{self, Names};
use fait::event::Time;
use fait::process::{Fact, InputRef, Instance, Open, Status, instance_tag, types};
use fait::store::Range;

/// Facts of an instance that are shown, the newest.
const HISTORY: usize = 20;

/// Tells an instance.
pub(super) fn tell(i: &Instance, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let title = format!("{} {}", words::clean(&i.process), words::clean(&i.key));
    out.line(out.tone(Tone::Strong, &title))?;
    for (name, value) in fields(i) {
        let tone = match name {
            "parked" => Tone::Alarm,
            _ => Tone::Faint,
        };
        let name = out.tone(tone, &format!("{name:<9}"));
        out.line(format_args!("{name} {}", words::clean(&value)))?;
    }
    if let Some(text) = stumbled(i, source)? {
        let name = out.tone(Tone::Faint, "over     ");
        out.line(format_args!("{name} {}", words::clean(&text)))?;
    }
    if let Some((version, state)) = &i.state {
        let state = serde_json::to_string_pretty(state).unwrap_or_default();
        out.line(format_args!("\nstate (version {version})"))?;
        for line in state.lines() {
            out.line(words::clean(line))?;
        }
    }
    history(i, source, out)
}

fn fields(i: &Instance) -> Vec<(&'static str, String)> {
    let utc = |t| format!("{} UTC", words::moment(t));
    let mut fields = vec![("status", standing(&i.status).to_string())];
    if let Status::Parked {
        reason,
        since,
        input,
        ..
    } = &i.status
    {
        let at = words::input(input);
        fields = vec![
            ("parked", format!("since {}, at {at}", utc(*since))),
            ("because", reason.clone()),
        ];
    }
    fields.push(("began", utc(i.started_at)));
    let last = format!("{}, at #{}", utc(i.updated_at), i.moved);
    fields.push(("last step", last));
    fields.push(("flow", i.correlation.to_string()));
    fields.extend(i.open.values().map(|o| ("open", open(o, i.updated_at))));
    fields.extend(i.deadlines.values().map(|(d, _)| {
        let due = words::due(d.due, i.updated_at);
        ("deadline", format!("{} at {due}", words::timer(&d.name)))
    }));
    if i.late > 0 {
        let inputs = words::count(i.late.into(), "input");
        fields.push(("late", format!("{inputs} came after its end")));
    }
    fields
}

/// The command whose outcome parked it, as `amend` needs it.
fn stumbled(i: &Instance, source: &dyn Source) -> Result<Option<String>, Failure> {
    let Status::Parked { input, .. } = &i.status else {
        return Ok(None);
    };
    let InputRef::Event { position, ty, .. } = input else {
        return Ok(None);
    };
    if ty != types::SETTLED {
        return Ok(None);
    }
    let event = source.event(Name::Position(*position))?;
    let fact = event.and_then(|e| Fact::read(&e).ok().flatten());
    Ok(match fact {
        Some(Fact::Settled(s)) => Some(format!("{}, command {}: {}", s.name, s.command, s.body)),
        _ => None,
    })
}

fn open(open: &Open, near: Time) -> String {
    let mut text = words::issued(&open.issued, near);
    text.push_str(&format!(", command {}", open.issued.id));
    if let Some((by, until)) = &open.claim {
        let until = words::due(*until, near);
        text.push_str(&format!("; {} has it until {until}", words::actor(by)));
    }
    text
}

fn history(i: &Instance, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let tag = instance_tag(&i.process, &i.key);
    let wanted = Wanted::tagged(tag, Range::newest(HISTORY));
    let mut events = source.read(&wanted)?.events;
    events.reverse();
    out.line(match events.len() == HISTORY {
        true => format!("\nhistory, the last {HISTORY} facts"),
        false => "\nhistory".into(),
    })?;
    let names: Names = words::names(events.iter());
    let columns = [
        Column::number("#"),
        Column::text("time (UTC)"),
        Column::text("what"),
    ];
    let rows: Vec<Vec<String>> = (events.iter())
        .map(|e| {
            let position = e.meta.position.to_string();
            let time = words::moment(e.meta.recorded_at);
            vec![position, time, words::told(e, &names).what]
        })
        .collect();
    out.table(&columns, &rows)
}
