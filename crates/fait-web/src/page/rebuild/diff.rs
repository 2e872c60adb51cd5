//! `/status/views/{name}/diff`: what would change if the rebuilt one served.

use super::words::grouped;
use super::{address, ready};
use crate::answer::{Html, Problem};
use crate::page::desk::Desk;
use crate::page::frame::{Page, path};
use crate::page::subject::{Thing, columns};
use crate::page::trouble::Trouble;
use crate::page::words::{count, label, plain, short, small, tell};
use crate::request::At;
use fait::app::{Differs, RowDiff, ViewDiff};
use maud::{Markup, html};
use serde_json::Value;

/// Rows that are listed.
const LISTED: usize = 200;

/// `GET /status/views/{name}/diff`
pub(in crate::page) async fn show(desk: Desk, At(name): At<String>) -> Result<Html, Trouble> {
    let app = &desk.shared.app;
    let s = app.view_status(&name).await?;
    let here = address(&name);
    let diff = match ready(&s) {
        Some(_) => Some(app.view_diff(&name, LISTED).await.map_err(Problem::from)?),
        None => None,
    };
    let title = format!("{}: before and after", plain(&name));
    let links = [("/status", "Status".into()), (here.as_str(), plain(&name))];
    let main = html! {
        div.card {
            (path(&links, ""))
            h1 { (title) }
            @match &diff {
                None => p.lead { "Nothing is ready to be compared. Rebuild the view so that it \
                    waits before it serves, and come back when it has caught up." },
                Some(diff) => (summary(diff, &here)),
            }
        }
        @if let Some(diff) = diff.as_ref().filter(|d| !d.rows.is_empty()) { (table(&desk, diff)) }
    };
    // It stays as it is: all rows are compared for it.
    Ok(Page::new(&title, "/status").still().around(&desk, &main))
}

fn summary(diff: &ViewDiff, here: &str) -> Markup {
    let is = |n: u64, what: &str| {
        let verb = if n == 1 { "is" } else { "are" };
        format!("{} {verb} {what}", count(n, "row"))
    };
    let side = |s: &fait::app::Side| {
        let making = s
            .generation
            .map(|g| format!("generation {g}, "))
            .unwrap_or_default();
        format!(
            "{making}by version {}, up to event {}",
            s.version,
            grouped(s.position)
        )
    };
    html! {
        @if diff.is_empty() {
            p.lead { "There is no difference: all " (count(diff.same, "row")) " are the same." }
        } @else {
            p.lead { (is(diff.changed, "different")) ", " (is(diff.added, "new")) ", "
                (is(diff.gone, "gone")) ", and " (is(diff.same, "the same")) "." }
        }
        dl.facts {
            dt { "Before" } dd { "What serves: " (side(&diff.before)) }
            dt { "After" } dd { "What was rebuilt: " (side(&diff.after)) }
        }
        p.buttons {
            a.primary href={ (here) "?sure=switch" } { "Let it serve" } " "
            a.button href={ (here) "?sure=cancel" } { "Throw it away" } " "
            a.button href=(here) { "Decide later" }
        }
    }
}

fn table(desk: &Desk, diff: &ViewDiff) -> Markup {
    let view = desk.view(&diff.view);
    let kind = view.map_or("", |v| v.key.as_str());
    let columns = view.map(|v| columns(&v.row)).unwrap_or_default();
    let all = diff.added + diff.gone + diff.changed;
    html! {
        @if (diff.rows.len() as u64) < all {
            p { "The first " (diff.rows.len()) " of " (grouped(all)) " that differ:" }
        }
        div.wide tabindex="0" role="region" aria-label="Rows that differ" {
            table {
                thead { tr {
                    th scope="col" { (plain(kind)) } th scope="col" { "How" }
                    th scope="col" { "Before and after" } th scope="col" { "Events about it" }
                } }
                tbody { @for row in &diff.rows { (line(kind, &columns, row)) } }
            }
        }
    }
}

fn line(kind: &str, columns: &[(String, Value)], row: &RowDiff) -> Markup {
    let thing = Thing::new(kind, &row.key);
    let how = match row.differs {
        Differs::Added => "new",
        Differs::Gone => "gone",
        Differs::Changed => "different",
    };
    html! {
        tr {
            td.words { a href=(thing.address()) title=(row.key) { (short(&row.key)) } }
            td.whole { (how) }
            td.many { dl.change { @for (name, before, after) in fields(columns, row) {
                dt { (name) }
                dd {
                    @match (before, after) {
                        (Some(before), Some(after)) => {
                            span.unseen { "before: " } (before)
                            span aria-hidden="true" { " → " } span.unseen { ", after: " }
                            strong { (after) }
                        }
                        (Some(only), None) | (None, Some(only)) => (only),
                        (None, None) => "–",
                    }
                }
            } } }
            td.words { ul.ids { @for e in &row.events {
                li { a href={ "/events/" (e.position) } {
                    (plain(&e.ty)) " (event " (grouped(e.position)) ")"
                } }
            } } }
        }
    }
}

/// The fields that tell the difference, in the order of the row: what differs; all fields, when
/// there is no row on the other side.
fn fields(
    columns: &[(String, Value)],
    row: &RowDiff,
) -> Vec<(String, Option<String>, Option<String>)> {
    let side = |row: &Option<Value>, name: &str| row.as_ref().map(|r| tell(&r[name]));
    let titled = |name: &str| {
        let known = columns.iter().find(|(n, _)| n == name);
        known.map_or_else(|| plain(name), |(n, schema)| label(n, schema))
    };
    let mut names: Vec<&str> = match row.differs {
        Differs::Changed => row.fields.iter().map(String::as_str).collect(),
        _ => {
            let only = row.before.as_ref().or(row.after.as_ref());
            let only = only.and_then(Value::as_object).into_iter().flatten();
            only.map(|(n, _)| n.as_str()).collect()
        }
    };
    let place = |name: &str| columns.iter().position(|(n, _)| n == name);
    names.sort_by_key(|n| place(n).unwrap_or(usize::MAX));
    let told = |n: &&str| {
        let (before, after) = (side(&row.before, n), side(&row.after, n));
        (small(&titled(n)), before, after)
    };
    names.iter().map(told).collect()
}
