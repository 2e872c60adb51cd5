//! What the program says on standard error; and with the feature `otel` its traces, to the
//! collector that `OTEL_EXPORTER_OTLP_ENDPOINT` names.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// What ends the export of traces, if there is one.
#[derive(Default)]
pub(crate) struct Exporting {
    #[cfg(feature = "otel")]
    to: Option<fait_otel::Exporting>,
}

/// From now on it is said.
pub(crate) fn begin() -> Result<Exporting, String> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let said = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_filter(filter);
    let registry = tracing_subscriber::registry().with(said);
    #[cfg(feature = "otel")]
    if let Some(export) = fait_otel::Export::from_env("restaurant") {
        let (layer, exporting) = export.begin().map_err(|e| e.to_string())?;
        registry.with(layer).init();
        return Ok(Exporting {
            to: Some(exporting),
        });
    }
    registry.init();
    Ok(Exporting::default())
}

/// Sends what is left.
pub(crate) async fn end(exporting: Exporting) {
    #[cfg(feature = "otel")]
    if let Some(exporting) = exporting.to {
        // It waits for the collector.
        let _ = tokio::task::spawn_blocking(|| exporting.end()).await;
    }
    #[cfg(not(feature = "otel"))]
    let Exporting {} = exporting;
}
