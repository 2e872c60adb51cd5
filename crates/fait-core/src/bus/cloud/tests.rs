//! The codec against the examples of the specification, its rules one by one, and round trips.

mod examples;
mod rules;
mod trips;

use super::{CloudEvent, CloudEventError};
use serde_json::Value;

fn headers(lines: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    lines.iter().map(owned).collect()
}

fn read(json: &Value) -> Result<CloudEvent, CloudEventError> {
    CloudEvent::from_json(json.to_string().as_bytes())
}
