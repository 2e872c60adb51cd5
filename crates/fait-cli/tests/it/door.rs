//! The open door from outside: its document, and tokens for it.

use crate::called::told;
use fait::App;
use fait::manifest::Manifest;
use fait::reexport::serde_json::{self, Value};
use fait_web::{Clients, Site};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

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

#[test]
fn where_only_clients_are_let_in_nothing_is_said_of_what_is_there() {
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("0.0.0.0:0")).unwrap();
    let at = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let app = runtime.block_on(async { App::in_memory().build().unwrap() });
    let site = Site::new(app).clients(Clients::default());
    runtime.spawn(site.serve(listener, std::future::pending()));
    for words in [
        &["trace", "17"][..],
        &["bus", "status"],
        &["api", "openapi"],
    ] {
        let text = told(&[words, &["--at", &at]].concat());
        assert!(text.contains("ask on a loopback address"), "{text}");
        assert!(text.ends_with("-- exit 3\n"), "{text}");
    }
}

#[test]
fn a_right_that_could_not_be_read_makes_no_token() {
    for right in ["Pay Table", "Pay#Table", "", "Pay\nTable"] {
        let text = told(&["token", "new", "billing", "--command", right]);
        assert!(text.contains("is no name of a command"), "{text}");
        assert!(!text.contains("fait_"), "{text}");
        assert!(text.ends_with("-- exit 2\n"), "{text}");
    }
    let text = told(&["token", "new", "billing", "--role", "clerk # and more"]);
    assert!(text.contains("is no name of a role"), "{text}");
}
