//! Sponsors who come by themselves.

use crate::events::{Level, SponsorId};
use crate::sponsors::{OnboardSponsor, SignContract};
use fait::app::App;
use std::time::Duration;

const NAMES: [&str; 8] = [
    "Mill & Sons",
    "Harbour Bank",
    "Copper Kettle",
    "North Ferry",
    "Lindens",
    "Old Brewery",
    "Glass & Co",
    "Station Books",
];

/// The `n`th sponsor: always the same, so that a restart onboards nobody twice.
pub fn sponsor(n: u32) -> (SignContract, OnboardSponsor) {
    let sponsor = SponsorId::named(&format!("sponsor {n}"));
    let name = NAMES[n as usize % NAMES.len()];
    let sponsor_name = match n as usize / NAMES.len() {
        0 => name.to_string(),
        more => format!("{name} {}", more + 1),
    };
    let level = match n % 3 {
        0 => Level::Gold,
        1 => Level::Silver,
        _ => Level::Bronze,
    };
    let sign = SignContract {
        sponsor,
        sponsor_name,
    };
    (sign, OnboardSponsor { sponsor, level })
}

/// Onboards so many sponsors, one every so often.
pub async fn onboard(app: &App, sponsors: u32, every: Duration) {
    for n in 0..sponsors {
        let (sign, onboard) = sponsor(n);
        if let Err(e) = app.send(sign).by("manager:eve").await {
            tracing::error!(error = %e, n, "a contract could not be signed");
            continue;
        }
        match app.send(onboard).by("manager:eve").await {
            Ok(receipt) if receipt.events.is_empty() => continue,
            Ok(_) => {}
            Err(e) => tracing::error!(error = %e, n, "a sponsor could not be onboarded"),
        }
        if !every.is_zero() {
            app.clock().sleep_until(app.clock().now() + every).await;
        }
    }
}
