//! The day that opens by itself.

use crate::days::OpenDay;
use fait::app::{App, CommandError};

/// Opens the first day with so many places, unless it was opened before.
pub async fn open(app: &App, places: u32) {
    let first = OpenDay {
        day: "first day".into(),
        places,
    };
    match app.send(first).by("manager:tom").await {
        Ok(_) | Err(CommandError::Refused(_)) => {}
        Err(e) => tracing::error!(error = %e, "the first day could not be opened"),
    }
}
