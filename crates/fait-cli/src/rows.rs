//! `fait view rows` and `fait view row`: what stands in a view.

use crate::failure::Failure;
use crate::output::{Column, Out, Tone, note};
use crate::source::Source;
use crate::words;
use clap::Args;
use fait::app::{AsOf, Rows, RowsQuery, ViewRow};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;

/// Longest cell of a table, in characters.
const CELL: usize = 40;

/// Which rows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait view rows table-plan --at http://127.0.0.1:7070
  fait view rows table-plan --filter status=ready --filter placed_at.ge=2026-11-23 --sort=-placed_at
  fait view rows table-plan --at ./data --csv > plan.csv
  fait view rows table-plan --as-of 17 --count

A filter is a column, or a column and how it is compared: eq ne lt le gt ge in starts contains null.
Besides the fields of the row there are the columns key, position and stale.")]
pub(crate) struct RowsOf {
    /// The view
    name: String,
    /// Only rows that this holds for, such as `table=4` or `total.gt=9.50`; several hold all at once
    #[arg(long, value_name = "COLUMN[.HOW]=VALUE", value_parser = filter)]
    filter: Vec<(String, String)>,
    /// Sort by these columns, with `-` before those that go down: `--sort=-placed_at,table`
    #[arg(long, value_name = "COLUMNS", allow_hyphen_values = true)]
    sort: Option<String>,
    /// At most so many rows, from 1 to 1000
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: usize,
    /// The rows behind those before: what the answer before said
    #[arg(long, value_name = "NEXT")]
    after: Option<String>,
    /// Also say how many there are in all
    #[arg(long)]
    count: bool,
    /// As of a position, a time or a day (UTC); of a running system only
    #[arg(long, value_name = "POSITION | TIME")]
    as_of: Option<AsOf>,
    /// Answer as CSV: key, the fields, position, stale
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Which row.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  fait view row table-plan 7 --at http://127.0.0.1:7070
  fait view row table-plan 7 --as-of 2026-11-23T18:05:00Z
  fait view row table-plan 7 --at ./data --json")]
pub(crate) struct RowOf {
    /// The view
    name: String,
    /// What the row is about
    key: String,
    /// As of a position, a time or a day (UTC); of a running system only
    #[arg(long, value_name = "POSITION | TIME")]
    as_of: Option<AsOf>,
}

fn filter(text: &str) -> Result<(String, String), String> {
    let (word, value) = text
        .split_once('=')
        .ok_or("expected a column and a value, such as table=4")?;
    Ok((word.trim().into(), value.into()))
}

/// Tells some rows.
pub(crate) fn rows(wanted: &RowsOf, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let sort = wanted.sort.as_deref().unwrap_or_default();
    let mut query = RowsQuery::default().limit(wanted.limit).sort(sort);
    (query.after, query.count) = (wanted.after.clone(), wanted.count);
    for (word, value) in &wanted.filter {
        query = query.filter(word, value);
    }
    let found = match source.rows(&wanted.name, &query, wanted.as_of)? {
        Some(found) => found,
        None => return Err(unknown(&wanted.name, source)?),
    };
    if out.json() {
        return out.document(&found);
    }
    if wanted.csv {
        return csv(&found, out);
    }
    table(&found, out)?;
    if found.rows.is_empty() {
        note("no row");
    }
    if let Some(total) = found.total {
        note(format_args!("{} in all", words::count(total, "row")));
    }
    if let Some(why) = &found.stale {
        note(format_args!("the view does not follow: {why}"));
    }
    if let Some(next) = &found.next {
        note(format_args!("there are more: --after {next}"));
    }
    Ok(())
}

/// Tells one row.
pub(crate) fn row(wanted: &RowOf, source: &dyn Source, out: &mut Out) -> Result<(), Failure> {
    let (name, key) = (&wanted.name, &wanted.key);
    let Some(row) = source.row(name, key, wanted.as_of)? else {
        if source.view(name)?.is_none() {
            return Err(unknown(name, source)?);
        }
        return Err(Failure::Finding(format!(
            "view `{name}` has no row `{key}`"
        )));
    };
    if out.json() {
        return out.document(&row);
    }
    let columns = [Column::text("field"), Column::text("value")];
    let mut lines: Vec<Vec<String>> = fields(&row.row)
        .map(|(name, value)| vec![name.into(), told(value)])
        .collect();
    lines.push(vec!["position".into(), row.position.to_string()]);
    out.table(&columns, &lines)?;
    if let Some(why) = &row.stale {
        out.line(out.tone(
            Tone::Alarm,
            &words::clean(&format!("it does not follow: {why}")),
        ))?;
    }
    Ok(())
}

fn unknown(name: &str, source: &dyn Source) -> Result<Failure, Failure> {
    let known: Vec<String> = source.views()?.into_iter().map(|v| v.status.name).collect();
    Ok(Failure::unknown("view", name, &known))
}

fn fields(row: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = row.as_object().into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}

/// The fields that any of the rows has.
fn names(rows: &[ViewRow]) -> Vec<&str> {
    let names: BTreeSet<&str> = rows
        .iter()
        .flat_map(|r| fields(&r.row))
        .map(|f| f.0)
        .collect();
    names.into_iter().collect()
}

fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(found: &Rows, out: &mut Out) -> Result<(), Failure> {
    let names = names(&found.rows);
    let number = |name: &str| {
        let mut values = found.rows.iter().map(|r| &r.row[name]);
        values.all(|v| v.is_number() || v.is_null())
    };
    let mut columns = vec!["key".to_string()];
    columns.extend(names.iter().map(|n| n.to_string()));
    let titled: Vec<Column> = columns
        .iter()
        .enumerate()
        .map(|(n, name)| match n > 0 && number(name) {
            true => Column::number(name),
            false => Column::text(name),
        })
        .collect();
    let line = |r: &ViewRow| {
        let cells = names.iter().map(|n| cut(&told(&r.row[*n])));
        [r.key.clone()].into_iter().chain(cells).collect()
    };
    let lines: Vec<Vec<String>> = found.rows.iter().map(line).collect();
    out.table(&titled, &lines)?;
    for row in &found.rows {
        if let Some(why) = &row.stale {
            let line = words::clean(&format!("{} does not follow: {why}", row.key)).into_owned();
            out.line(out.tone(Tone::Alarm, &line))?;
        }
    }
    Ok(())
}

fn cut(text: &str) -> String {
    match text.chars().count() > CELL {
        true => text.chars().take(CELL - 1).chain(['…']).collect(),
        false => text.into(),
    }
}

fn csv(found: &Rows, out: &mut Out) -> Result<(), Failure> {
    let names = names(&found.rows);
    let mut head = vec!["key".to_string()];
    head.extend(names.iter().map(|n| n.to_string()));
    head.extend(["position", "stale"].map(String::from));
    let mut lines = vec![head];
    for row in &found.rows {
        let mut line = vec![row.key.clone()];
        line.extend(names.iter().map(|n| told(&row.row[*n])));
        line.push(row.position.to_string());
        line.push(row.stale.clone().unwrap_or_default());
        lines.push(line);
    }
    for line in lines {
        let cells: Vec<String> = line.iter().map(|cell| escaped(cell)).collect();
        // As RFC 4180 has it.
        write!(out.bytes(), "{}\r\n", cells.join(",")).map_err(Failure::writing)?;
    }
    if let Some(next) = &found.next {
        note(format_args!("there are more: --after {next}"));
    }
    Ok(())
}

fn escaped(cell: &str) -> String {
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.into(),
    }
}
