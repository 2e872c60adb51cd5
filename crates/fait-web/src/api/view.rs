//! Views by HTTP.

use super::Words;
use crate::answer::Problem;
use crate::request::At;
use crate::seen::{AtLeast, WAIT};
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use fait::app::RowsQuery;
use serde_json::{Value, json};

/// `GET /api/views/{name}`
pub(super) async fn rows(
    State(shared): State<Shared>,
    At(name): At<String>,
    AtLeast(wanted): AtLeast,
    words: Words,
) -> Result<Json<Value>, Problem> {
    let own = ["limit", "after", "at_least"];
    let limit = words
        .parse("limit", "a whole number from 1 to 1000")?
        .unwrap_or(100);
    let rows = RowsQuery {
        filter: words.others(&own).cloned().collect(),
        after: words.get("after").map(String::from),
        limit,
    };
    let caught_up = shared.app.wait_for_view(&name, wanted, WAIT).await?;
    let found = shared.app.view_rows(&name, &rows).await?;
    let status = shared.app.view_status(&name).await?;
    let full = found.len() >= limit.clamp(1, 1000);
    let next = found.last().filter(|_| full).map(|r| r.key.clone());
    Ok(Json(json!({
        "rows": found, "next": next, "position": status.position, "caught_up": caught_up,
    })))
}

/// `GET /api/views/{name}/{key}`
pub(super) async fn row(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    AtLeast(wanted): AtLeast,
    words: Words,
) -> Result<Json<Value>, Problem> {
    words.only(&["at_least"])?;
    let caught_up = shared.app.wait_for_view(&name, wanted, WAIT).await?;
    match shared.app.view_row(&name, &key).await? {
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
