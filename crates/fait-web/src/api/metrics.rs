//! Numbers for Prometheus.

use crate::answer::Problem;
use crate::shared::Shared;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Records from now on, unless the program has a recorder of its own.
pub(crate) fn record() -> Option<&'static PrometheusHandle> {
    let install = || match PrometheusBuilder::new().install_recorder() {
        Ok(recorder) => Some(recorder),
        Err(e) => {
            tracing::warn!(error = %e, "/metrics is off: the program records elsewhere");
            None
        }
    };
    RECORDER.get_or_init(install).as_ref()
}

/// `GET /metrics`
pub(super) async fn scrape(
    State(shared): State<Shared>,
) -> Result<([(HeaderName, HeaderValue); 1], String), Problem> {
    let Some(recorder) = record() else {
        let detail = "the program keeps its numbers elsewhere; ask there";
        return Err(Problem::not_found(detail));
    };
    let app = &shared.app;
    metrics::gauge!("fait_head_position").set(app.head().await? as f64);
    for view in app.views().await? {
        metrics::gauge!("fait_view_lag_events", "view" => view.name).set(view.lag_events as f64);
    }
    for process in app.processes().await? {
        let counts = &process.instances;
        let all = [
            ("running", counts.running),
            ("parked", counts.parked),
            ("ended", counts.ended),
        ];
        for (status, count) in all {
            let name = process.name.clone();
            metrics::gauge!("fait_processes", "process" => name, "status" => status)
                .set(count as f64);
        }
    }
    recorder.run_upkeep();
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, text)], recorder.render()))
}
