//! Reading views.

use crate::answer::Problem;
use crate::request::{At, Params};
use crate::shared::Shared;
use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Response};
use fait::app::RowsQuery;
use fait::event::Position;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a reader waits for what was written to be seen.
pub(crate) const WAIT: Duration = Duration::from_millis(1500);

/// `GET /api/views/{name}`
pub(super) async fn rows(
    State(shared): State<Shared>,
    At(name): At<String>,
    mut params: Params,
) -> Result<Response, Problem> {
    let state = standing(&shared, &name, params.number("at_least")?).await?;
    let limit = params.limit(100)?;
    let after = params.take("after")?;
    let filter = params.rest().into_iter();
    let filter = filter
        .map(|(column, value)| plain(&shared, &name, column, value))
        .collect();
    let query = RowsQuery {
        filter,
        after,
        limit,
    };
    let rows = shared.app.view_rows(&name, &query)?;
    let next = rows
        .last()
        .filter(|_| rows.len() == limit)
        .map(|r| r.key.clone());
    Ok(state.answer(json!({ "view": name, "rows": rows, "next": next })))
}

/// `GET /api/views/{name}/{key}`
pub(super) async fn row(
    State(shared): State<Shared>,
    At((name, key)): At<(String, String)>,
    mut params: Params,
) -> Result<Response, Problem> {
    let state = standing(&shared, &name, params.number("at_least")?).await?;
    params.end("at_least")?;
    let Some(row) = shared.app.view_row(&name, &key)? else {
        let at = state.position;
        let detail = format!("view `{name}` has no row `{key}`; it is up to event {at}");
        return Err(Problem::not_found(detail));
    };
    let row = serde_json::to_value(row).map_err(|e| Problem::unavailable(e.to_string()))?;
    Ok(state.answer(json!({ "view": name, "row": row })))
}

/// Yes and no are 1 and 0 in the table of the view.
fn plain(shared: &Shared, view: &str, column: String, value: String) -> (String, String) {
    let schema = shared
        .manifest
        .views
        .get(view)
        .map(|v| &v.row["properties"][&column]["type"]);
    let yes_or_no = schema.is_some_and(|t| t == "boolean" || t[0] == "boolean");
    match value.as_str() {
        "true" if yes_or_no => (column, "1".into()),
        "false" if yes_or_no => (column, "0".into()),
        _ => (column, value),
    }
}

/// How far a view is, and whether that is far enough for who asks.
struct Standing {
    position: Position,
    caught_up: bool,
}

async fn standing(
    shared: &Shared,
    name: &str,
    at_least: Option<Position>,
) -> Result<Standing, Problem> {
    let app = &shared.app;
    let caught_up = app.wait_for_view(name, at_least.unwrap_or(0), WAIT).await?;
    Ok(Standing {
        position: app.view_status(name).await?.position,
        caught_up,
    })
}

impl Standing {
    /// The answer with `position` and `caught_up`, in the body and as headers.
    fn answer(self, mut body: Value) -> Response {
        body["position"] = self.position.into();
        body["caught_up"] = self.caught_up.into();
        let mut response = Json(body).into_response();
        let headers = response.headers_mut();
        headers.insert("fait-position", HeaderValue::from(self.position));
        let caught_up = if self.caught_up { "true" } else { "false" };
        headers.insert("fait-caught-up", HeaderValue::from_static(caught_up));
        response
    }
}
