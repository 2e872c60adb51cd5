//! Views by HTTP.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::seen::{AtLeast, WAIT};
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use fait::app::{AsOf, RowsQuery};
use serde_json::{Value, json};

/// The words of a query that are not filters. A column of such a name is asked for with `.eq`.
const OWN: [&str; 6] = ["limit", "after", "sort", "count", "as_of", "at_least"];

/// What is asked for as of an earlier moment.
fn as_of(words: &Words) -> Result<Option<AsOf>, Problem> {
    let wanted = "a position such as 17, a time such as 2026-11-23T18:05:00Z, or a day";
    words.parse("as_of", wanted)
}

/// `GET /api/views/{name}`
pub(super) async fn rows(
    State(shared): State<Shared>,
    At(name): At<String>,
    AtLeast(wanted): AtLeast,
    words: Words,
) -> Result<Json<Value>, Problem> {
    let mut query = RowsQuery::default().sort(words.get("sort").unwrap_or_default());
    query.after = words.get("after").map(String::from);
    query.count = words.parse("count", "`true` or `false`")?.unwrap_or(false);
    let limit = words.parse("limit", "a whole number from 1 to 1000")?;
    query.limit = limit.unwrap_or(query.limit);
    for (word, value) in words.others(&OWN) {
        query = query.filter(word, value);
    }
    let caught_up = shared.app.wait_for_view(&name, wanted, WAIT).await?;
    let rows = match as_of(&words)? {
        Some(moment) => shared.app.view_rows_as_of(&name, &query, moment).await?,
        None => shared.app.view_rows(&name, &query).await?,
    };
    let mut out = json!(rows);
    out["caught_up"] = caught_up.into();
    Ok(Json(out))
}

/// `GET /api/views/{name}/{key}`
pub(super) async fn row(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    AtLeast(wanted): AtLeast,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["at_least", "as_of"])?;
    let caught_up = shared.app.wait_for_view(&name, wanted, WAIT).await?;
    let row = match as_of(&words)? {
        Some(moment) => shared.app.view_row_as_of(&name, &key, moment).await?,
        None => shared.app.view_row(&name, &key).await?,
    };
    match row {
        Some(row) => {
            let mut out = json!(row);
            out["caught_up"] = caught_up.into();
            Ok(Json(out))
        }
        None => {
            let detail = format!("view `{name}` has no row `{key}`");
            Err(Problem::not_found(detail).with("caught_up", caught_up))
        }
    }
}
