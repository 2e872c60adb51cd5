//! `/views/{name}`: a view as a table.

use super::desk::Desk;
use super::filter::{Asked, sorts};
use super::frame::Page;
use super::subject::{Thing, columns};
use super::trouble::{Params, Trouble};
use super::words::{bare, count, hour, kind_of, label, plain, sentence, short, tell};
use crate::request::At;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use fait::app::{ReadError, RebuildState, Rows, ViewRow, ViewStatus};
use fait::projection::Mode;
use maud::{Markup, html};
use serde_json::Value;

/// Rows on one page.
const ROWS: usize = 100;

/// `GET /views/{name}`
pub(super) async fn show(
    desk: Desk,
    At(name): At<String>,
    params: Params,
) -> Result<Response, Trouble> {
    let app = &desk.shared.app;
    let Some(view) = desk.view(&name) else {
        // The error names the nearest.
        app.view_status(&name).await?;
        return Err(Trouble::not_found(format!("there is no view `{name}`")));
    };
    let here = format!("/views/{name}");
    let asked = Asked::of(&here, &params);
    // What cannot be asked for is said beside the form, where it can be changed.
    let (found, wrong) = match app.view_rows(&name, &asked.query(ROWS)).await {
        Ok(found) => (Some(found), None),
        Err(ReadError::Query { why, .. }) => (None, Some(why)),
        Err(e) => return Err(e.into()),
    };
    let status = app.view_status(&name).await?;
    let columns = columns(&view.row);
    let title = plain(&name);
    let main = html! {
        h1 { (title) }
        div #standing data-live { (standing(&status)) }
        @if let Some(wrong) = &wrong {
            div.errors #errors role="alert" tabindex="-1" data-focus {
                h2 { "That cannot be shown" } p { (sentence(wrong)) }
            }
        }
        (asked.form(&view.key, &columns))
        @if let Some(found) = &found {
            div #rows data-live {
                p.lead { (how_many(&asked, &status, found)) }
                (table(&desk, &title, &view.key, &columns, &asked, found))
                @if asked.is_further() || found.next.is_some() {
                    p.pages {
                        @if asked.is_further() {
                            a.button href=(asked.first_page()) { "From the start" }
                        }
                        @if let Some(next) = &found.next {
                            a.button href=(asked.further(next)) { "Further" }
                        }
                    }
                }
            }
        }
    };
    let code = wrong.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    let page = Page::new(&title, &here).around(&desk, &main);
    Ok((code, page).into_response())
}

fn how_many(asked: &Asked, status: &ViewStatus, found: &Rows) -> Markup {
    let all = count(status.rows, "row");
    html! {
        @match found.total {
            Some(total) if asked.is_filtered() => { (total) " of " (all) }
            _ => { (all) }
        }
        ", up to event " (found.position)
        @if status.head > found.position && status.mode != Mode::Live { " of " (status.head) }
        "."
    }
}

/// What one must know of a view that is not what its events would make of it now.
fn standing(s: &ViewStatus) -> Markup {
    let mut said: Vec<String> = vec![];
    said.extend(s.frozen.as_deref().map(sentence));
    said.extend(s.rebuild.as_ref().map(|r| match r.state {
        RebuildState::Ready => {
            "It was rebuilt, and somebody has to say that it is to be shown.".into()
        }
        RebuildState::Paused => format!("A rebuild waits at event {} of {}.", r.position, r.until),
        RebuildState::Building => {
            format!(
                "It is being rebuilt, and is at event {} of {}.",
                r.position, r.until
            )
        }
    }));
    if s.rebuild.is_none() {
        let failed = s.rebuild_failed.as_ref();
        said.extend(failed.map(|why| sentence(&format!("the last rebuild failed: {why}"))));
    }
    if s.parked_keys > 0 {
        let rows = count(s.parked_keys, "row");
        let does = if s.parked_keys == 1 { "does" } else { "do" };
        said.push(format!("{rows} {does} not follow any more."));
    }
    if !s.unplaced.is_empty() {
        let events = count(s.unplaced.len() as u64, "event");
        said.push(format!(
            "{events} cannot be read, and may be about any of the rows."
        ));
    }
    html! {
        @if !said.is_empty() {
            div.note role="status" {
                @for line in &said { p { (line) } }
                p { a href="/status" { "Who runs the system sees more under Status" } }
            }
        }
    }
}

fn table(
    desk: &Desk,
    title: &str,
    key: &str,
    columns: &[(String, Value)],
    asked: &Asked,
    found: &Rows,
) -> Markup {
    let nothing = match asked.is_filtered() {
        true => "No row is like that.",
        false => "Nothing is on it right now.",
    };
    html! {
        @if found.rows.is_empty() { p.empty { (nothing) } }
        @else {
            div.wide tabindex="0" role="region" aria-label=(title) {
                table {
                    thead { tr {
                        (asked.head("key", &plain(key), false))
                        @for (name, schema) in columns {
                            @if sorts(schema) {
                                (asked.head(name, &label(name, schema), is_number(schema)))
                            } @else {
                                th scope="col" { (label(name, schema)) }
                            }
                        }
                    } }
                    tbody { @for row in &found.rows { (line(desk, key, columns, row)) } }
                }
            }
        }
    }
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
