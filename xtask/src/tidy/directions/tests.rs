use super::{check, dependencies};
use crate::tidy::findings;

fn manifest(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"{name}\"\n\n{dependencies}")
}

fn found(path: &str, name: &str, dependencies: &str) -> Vec<String> {
    findings(check, &[(path, &manifest(name, dependencies))])
}

#[test]
fn the_core_must_not_know_a_runtime() {
    let path = "crates/fait-core/Cargo.toml";
    let said = found(
        path,
        "fait-core",
        "[dependencies]\nserde = \"1\"\ntokio.workspace = true\n",
    );
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("crates/fait-core/Cargo.toml:6: `fait-core` depends on `tokio`"));
    assert_eq!(
        found(path, "fait-core", "[dev-dependencies]\ntokio = \"1\"\n").len(),
        0
    );
}

#[test]
fn each_forbidden_direction_is_seen() {
    let forbidden = [
        ("fait-core", "rusqlite"),
        ("fait-core", "fait"),
        ("fait-core", "axum"),
        ("fait-macros", "serde"),
        ("fait-store", "tokio"),
        ("fait-store", "fait"),
        ("fait", "axum"),
        ("fait", "async-nats"),
        ("fait", "tokio-postgres"),
        ("fait", "fait-web"),
        ("fait-board", "fait"),
        ("fait-board", "fait-core"),
        ("fait-board", "tokio"),
        ("fait-web", "rusqlite"),
        ("fait-web", "fait-store"),
        ("xtask", "fait"),
        ("xtask", "serde"),
    ];
    for (name, dependency) in forbidden {
        let said = found(
            "x/Cargo.toml",
            name,
            &format!("[dependencies]\n{dependency} = \"1\"\n"),
        );
        assert_eq!(said.len(), 1, "{name} may depend on {dependency}");
    }
}

#[test]
fn the_directions_of_the_table_are_free() {
    let allowed = [
        ("fait-store", "fait-core"),
        ("fait", "fait-store"),
        ("fait", "tokio"),
        ("fait", "fait-board"),
        ("fait-web", "axum"),
        ("fait-web", "fait-board"),
        ("fait-cli", "fait-web"),
        ("fait-cli", "ureq"),
        ("fait-macros", "syn"),
    ];
    for (name, dependency) in allowed {
        let said = found(
            "x/Cargo.toml",
            name,
            &format!("[dependencies]\n{dependency} = \"1\"\n"),
        );
        assert_eq!(said.len(), 0, "{name} may not depend on {dependency}");
    }
}

#[test]
fn an_example_names_the_facade_only() {
    let path = "examples/x/Cargo.toml";
    assert_eq!(
        found(
            path,
            "x",
            "[dependencies]\nfait.workspace = true\nserde = \"1\"\n"
        )
        .len(),
        0
    );
    assert_eq!(
        found(path, "x", "[dependencies]\nfait-core.workspace = true\n").len(),
        1
    );
}

#[test]
fn an_unknown_crate_needs_a_row() {
    assert_eq!(found("crates/new/Cargo.toml", "new", "").len(), 1);
}

#[test]
fn every_way_to_write_a_dependency_is_read() {
    let text = "[dependencies]\na = \"1\"\nb = { package = \"real-b\", version = \"1\" }\n\
                [dependencies.c]\nversion = \"1\"\n[dependencies.d]\npackage = \"real-d\"\n\
                [target.'cfg(unix)'.dependencies]\ne = \"1\"\n[build-dependencies]\nf = \"1\"\n\
                [dev-dependencies]\ng = \"1\"\n[features]\nh = []\n";
    let names: Vec<String> = dependencies(text)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert_eq!(names, ["a", "real-b", "c", "real-d", "e", "f"]);
}
