//! The open door from outside: its document, and tokens for it.

use crate::called::told;
use fait::manifest::Manifest;
use fait::reexport::serde_json::{self, Value};
use fait_web::Clients;

const MANIFEST: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/restaurant/manifest.json"
);

/// What was written, when all is well.
fn said(words: &[&str]) -> Value {
    let text = told(words);
    let json = text.split("\n-- ").next().unwrap();
    serde_json::from_str(json).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn the_document_of_the_door_is_made_of_a_manifest() {
    let manifest = std::fs::read(MANIFEST).unwrap();
    let manifest: Manifest = serde_json::from_slice(&manifest).unwrap();
    let words = ["api", "openapi", "--manifest", MANIFEST];
    assert_eq!(said(&words), fait_web::openapi(&manifest, false));
    let words = [&words[..], &["--clients"]].concat();
    assert_eq!(said(&words), fait_web::openapi(&manifest, true));
    let text = told(&["api", "openapi", "--manifest", env!("CARGO_MANIFEST_DIR")]);
    assert!(
        text.contains("cannot be read") && text.ends_with("-- exit 2\n"),
        "{text}"
    );
}

#[test]
fn a_new_token_comes_with_the_line_that_lets_it_in() {
    let words = [
        "token",
        "new",
        "billing",
        "--role",
        "Floor manager",
        "--feed",
    ];
    let words = [&words[..], &["--command", "PayTable", "--json"]].concat();
    let new = said(&words);
    let line = new["line"].as_str().unwrap();
    assert!(Clients::read(line).is_ok(), "{line}");
    assert!(line.starts_with("billing sha256:"), "{line}");
    assert!(
        line.ends_with(" role=Floor-manager command=PayTable feed"),
        "{line}"
    );
    let token = new["token"].as_str().unwrap();
    assert!(token.starts_with("fait_") && token.len() == 69, "{token}");
    assert!(!line.contains(token));
    let text = told(&["token", "new", "Billing"]);
    assert!(text.contains("`Billing` is no name of a client"), "{text}");
    assert!(text.ends_with("-- exit 2\n"), "{text}");
}
