//! `/views/{name}`: a view as a table.

use super::desk::Desk;
use super::frame::Page;
use super::subject::{Thing, columns};
use super::trouble::{Params, Trouble};
use super::words::{bare, count, hour, kind_of, label, plain, sentence, short, tell};
use crate::answer::Html;
use crate::request::{At, encode};
use fait::app::{RowsQuery, ViewRow};
use maud::{Markup, html};
use serde_json::Value;

/// Rows on one page.
const ROWS: usize = 100;

/// `GET /views/{name}`
pub(super) async fn show(
    desk: Desk,
    At(name): At<String>,
    params: Params,
) -> Result<Html, Trouble> {
    let status = desk.shared.app.view_status(&name).await?;
    let Some(view) = desk.view(&name) else {
        return Err(Trouble::not_found(format!("there is no view `{name}`")));
    };
    let query = RowsQuery {
        after: params.text("after").map(String::from),
        limit: ROWS + 1,
        ..RowsQuery::default()
    };
    let mut rows = desk.shared.app.view_rows(&name, &query).await?;
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| more).map(|r| r.key.clone());
    let columns = columns(&view.row);
    let here = format!("/views/{name}");
    let title = plain(&name);
    let rows_in_all = count(status.rows, "row");
    let main = html! {
        h1 { (title) }
        div #rows data-live {
            p.lead { (rows_in_all) ", up to event " (status.position)
                @if status.lag_events > 0 { " of " (status.head) } "." }
            @if rows.is_empty() { p.empty { "Nothing is on it right now." } }
            @else {
                div.wide tabindex="0" role="region" aria-label=(title) {
                    table {
                        thead { tr {
                            th scope="col" { (plain(&view.key)) }
                            @for (name, schema) in &columns {
                                th.number[is_number(schema)] scope="col" { (label(name, schema)) }
                            }
                        } }
                        tbody { @for row in &rows { (line(&desk, &view.key, &columns, row)) } }
                    }
                }
            }
        }
        @if params.text("after").is_some() || next.is_some() {
            p.pages {
                @if params.text("after").is_some() { a.button href=(here) { "From the start" } }
                @if let Some(next) = next {
                    a.button href={ (here) "?after=" (encode(&next)) } { "Further" }
                }
            }
        }
    };
    Ok(Page::new(&title, &here).around(&desk, &main))
}

fn is_number(schema: &Value) -> bool {
    let schema = bare(schema);
    let number = matches!(kind_of(&schema), "integer" | "number");
    (number && schema.get("x-kind").is_none()) || schema["format"] == "money"
}

fn line(desk: &Desk, kind: &str, columns: &[(String, Value)], row: &ViewRow) -> Markup {
    let thing = Thing::new(kind, &row.key);
    html! {
        tr {
            td {
                a href=(thing.address()) title=(row.key) { (short(&row.key)) }
                @if let Some(why) = &row.stale {
                    p.wrong { "It does not follow any more: " (sentence(why)) }
                }
            }
            @for (name, schema) in columns {
                td.number[is_number(schema)] { (cell(desk, schema, &row.row[name])) }
            }
        }
    }
}

fn cell(desk: &Desk, schema: &Value, value: &Value) -> Markup {
    let schema = bare(schema);
    let word = tell(value);
    if let (Some(kind), false) = (schema["x-kind"].as_str(), value.is_null()) {
        let thing = Thing::new(kind, &word);
        return html! { a href=(thing.address()) title=(word) { (short(&word)) } };
    }
    match (schema["format"].as_str(), word.parse()) {
        (Some("date-time"), Ok(time)) => html! { span title=(word) { (hour(time, desk.now)) } },
        _ => html! { (word) },
    }
}
