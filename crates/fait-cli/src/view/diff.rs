//! `fait view diff`: what differs between two makings of a view, or between two moments of it.

use super::known;
use crate::failure::Failure;
use crate::output::{Column, Out, note};
use crate::source::Source;
use crate::words;
use clap::Args;
use fait::app::{AsOf, Differs, RowDiff, ViewDiff};
use serde_json::Value;

/// Characters of a value that are shown.
const SHOWN: usize = 40;

/// What is compared.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// The view
    name: String,
    /// The earlier moment: a position such as 4711, or a time such as 2026-03-01T18:30:00Z
    #[arg(value_name = "FROM", requires = "to")]
    from: Option<AsOf>,
    /// The later moment
    #[arg(value_name = "TO")]
    to: Option<AsOf>,
    /// At most so many rows; all are counted
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Compares.
pub(super) fn run(wanted: &Wanted, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let name = &wanted.name;
    known(name, source)?;
    let mut query = vec![("limit", wanted.limit.to_string())];
    let what = match (wanted.from, wanted.to) {
        (Some(from), Some(to)) => {
            query.extend([("from", moment(from)), ("to", moment(to))]);
            "between"
        }
        _ => "diff",
    };
    let answer = source.look(&["views", name, what], &query)?;
    if out.json() {
        return out.document(&answer);
    }
    let diff: ViewDiff = serde_json::from_value(answer)
        .map_err(|e| Failure::NotReady(format!("the answer cannot be read: {e}")))?;
    tell(&diff, out)
}

fn moment(moment: AsOf) -> String {
    match moment {
        AsOf::Position(position) => position.to_string(),
        AsOf::Time(time) => time.to_string(),
    }
}

fn tell(diff: &ViewDiff, out: &mut Out) -> Result<(), Failure> {
    let columns = [
        Column::text("key"),
        Column::text("row"),
        Column::text("field"),
        Column::text("before"),
        Column::text("after"),
        Column::text("events"),
    ];
    let rows: Vec<Vec<String>> = diff.rows.iter().flat_map(lines).collect();
    out.table(&columns, &rows)?;
    let side = |s: &fait::app::Side| match s.generation {
        Some(g) => format!(
            "generation {g} (version {}, event {})",
            s.version, s.position
        ),
        None => format!("event {}", s.position),
    };
    let (before, after) = (side(&diff.before), side(&diff.after));
    out.line(format_args!(
        "{before} → {after}: {} changed, {} added, {} gone, {} the same",
        diff.changed, diff.added, diff.gone, diff.same
    ))?;
    out.flush()?;
    if (diff.rows.len() as u64) < diff.changed + diff.added + diff.gone {
        note(format_args!(
            "the first {} are listed: see --limit",
            diff.rows.len()
        ));
    }
    Ok(())
}

/// One line for each field that differs, the first with the key.
fn lines(row: &RowDiff) -> Vec<Vec<String>> {
    let (how, names): (_, Vec<&str>) = match row.differs {
        Differs::Changed => ("changed", row.fields.iter().map(String::as_str).collect()),
        Differs::Added => ("added", all(row.after.as_ref())),
        Differs::Gone => ("gone", all(row.before.as_ref())),
    };
    let value = |side: &Option<Value>, name: &str| match side {
        Some(row) => words::cut(&row[name].to_string(), SHOWN),
        None => String::new(),
    };
    let events: Vec<String> = (row.events.iter())
        .map(|e| format!("{} {}", e.position, e.ty))
        .collect();
    let mut lines: Vec<Vec<String>> = (names.iter())
        .map(|name| {
            let (before, after) = (value(&row.before, name), value(&row.after, name));
            vec![
                String::new(),
                String::new(),
                name.to_string(),
                before,
                after,
                String::new(),
            ]
        })
        .collect();
    if lines.is_empty() {
        lines.push(vec![String::new(); 6]);
    }
    if let Some(first) = lines.first_mut() {
        first[0].clone_from(&row.key);
        first[1] = how.into();
        first[5] = events.join(", ");
    }
    lines
}

fn all(row: Option<&Value>) -> Vec<&str> {
    let fields = row.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, _)| name.as_str()).collect()
}
