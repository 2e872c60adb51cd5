//! Messages of other systems that cannot be read, and where a receiver goes on.

use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::Source;
use crate::words;
use clap::Args;
use fait::app::{Reread, UnreadableMessage};
use serde_json::{Value, json};

/// What is to be listed.
#[derive(Debug, Args)]
pub(crate) struct Unreadable {
    /// Who hears it; all by default
    receiver: Option<String>,
}

/// What is to be read again.
#[derive(Debug, Args)]
pub(crate) struct Again {
    /// Who hears it, as it is wired
    receiver: String,
    /// One message, by its id in the list, or all of a type; all by default
    which: Option<String>,
}

/// A message that is to be left out.
#[derive(Debug, Args)]
pub(crate) struct Skip {
    /// The message, by its id in the list
    message: uuid::Uuid,
    /// Why, for those who read the history later
    #[arg(long)]
    reason: String,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

/// Where a receiver goes on.
#[derive(Debug, Args)]
pub(crate) struct Continue {
    /// Who hears it, as it is wired
    receiver: String,
    /// The place in what is there now behind which it goes on; its beginning by default
    #[arg(long, value_name = "N")]
    after: Option<u64>,
    /// Who says so
    #[arg(long, value_name = "WHO", default_value = "operator:cli")]
    by: String,
}

pub(super) fn unreadable(
    of: &Unreadable,
    source: &dyn Source,
    out: &mut Out,
) -> Result<(), Failure> {
    let receiver = of.receiver.as_deref().map(|r| ("receiver", r.to_owned()));
    let query: Vec<(&str, String)> = receiver.into_iter().collect();
    let found = source.look(&["bus", "unreadable"], &query)?;
    if out.json() {
        return out.document(&found);
    }
    let all: Vec<UnreadableMessage> = read(&found["messages"])?;
    if all.is_empty() {
        note("every message could be read");
        return Ok(());
    }
    let columns = [
        Column::text("message"),
        Column::text("heard as"),
        Column::text("type"),
        Column::text("key"),
        Column::text("since"),
        Column::text("why"),
    ];
    let rows = all.iter().map(|m| {
        let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
        let why = m.reason.clone();
        vec![
            m.message.to_string(),
            m.receiver.clone(),
            text(&m.ty),
            text(&m.key),
            m.since.to_string(),
            why.unwrap_or_else(|| "waits behind one before it".into()),
        ]
    });
    out.table(&columns, &rows.collect::<Vec<_>>())
}

pub(super) fn reread(of: &Again, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let body = json!({"which": of.which});
    let done = source.ask(&["bus", "inlets", &of.receiver, "reread"], &body)?;
    if out.json() {
        return out.document(&done);
    }
    let all: Vec<Reread> = read(&done["messages"])?;
    if all.is_empty() {
        note("nothing was kept that could be read again");
    }
    for one in &all {
        let why = one.reason.as_ref().map(|r| format!(": {r}"));
        let line = format!("{} {}{}", one.message, one.became, why.unwrap_or_default());
        out.line(words::clean(&line))?;
    }
    Ok(())
}

pub(super) fn skip(of: &Skip, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let body = json!({"by": of.by, "reason": of.reason});
    let id = of.message.to_string();
    let done = source.ask(&["bus", "messages", &id, "skip"], &body)?;
    super::say(out, &done, &format!("nothing becomes of message {id}"))
}

pub(super) fn go_on(of: &Continue, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let body = json!({"by": of.by, "after": of.after});
    let done = source.ask(&["bus", "inlets", &of.receiver, "continue"], &body)?;
    let name = words::clean(&of.receiver);
    let line = match of.after {
        None => format!("`{name}` goes on from the beginning of what is there now"),
        Some(n) => format!("`{name}` goes on behind {n} in what is there now"),
    };
    super::say(out, &done, &line)
}

fn read<T: serde::de::DeserializeOwned>(found: &Value) -> Result<T, Failure> {
    serde_json::from_value(found.clone())
        .map_err(|e| Failure::Internal(format!("the answer of the system is of another form: {e}")))
}
