//! The instances that wait for an operator.

use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::{Source, Stuck};
use crate::words;
use clap::Args;
use fait::process::Status;

/// Which stuck instances.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Only of this process
    name: Option<String>,
    /// At most so many, the latest first
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=200))]
    limit: u16,
}

pub(super) fn list(wanted: &Wanted, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let limit = usize::from(wanted.limit);
    if let Some(name) = &wanted.name {
        super::known(name, source)?;
    }
    let stuck = source.stuck(wanted.name.as_deref(), limit)?;
    if out.json() {
        return out.document(&stuck);
    }
    if stuck.is_empty() {
        note("nothing waits for an operator");
    }
    let columns = [
        Column::text("process"),
        Column::text("key"),
        Column::text("since (UTC)"),
        Column::text("kind"),
        Column::text("at"),
        Column::number("waiting"),
        Column::text("why"),
    ];
    let rows: Vec<Vec<String>> = stuck.iter().filter_map(row).collect();
    out.table(&columns, &rows)?;
    if stuck.len() == limit {
        out.flush()?;
        note("there may be more: see --limit");
    }
    Ok(())
}

fn row(stuck: &Stuck) -> Option<Vec<String>> {
    let i = &stuck.instance;
    let Status::Parked {
        reason,
        since,
        input,
        class,
        ..
    } = &i.status
    else {
        return None;
    };
    let waiting = stuck.backlog.map(|n| n.to_string());
    Some(vec![
        i.process.clone(),
        i.key.clone(),
        words::moment(*since),
        class.name().into(),
        words::input(input),
        waiting.unwrap_or_else(|| "?".into()),
        words::cut(reason, 60),
    ])
}
