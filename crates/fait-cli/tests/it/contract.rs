//! `fait contract`: from the first promise to its last day.

use crate::called::{at, told, told_in};
use crate::kitchen::Running;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const TY: &str = "com.example.tickets.tickets-issued.v1";

/// The manifest of a system that issues tickets.
fn tickets() -> Value {
    let schema = json!({
        "title": "TicketsIssued",
        "type": "object",
        "required": ["order", "count"],
        "properties": {
            "order": {"type": "string", "format": "uuid"},
            "count": {"type": "integer", "format": "uint32", "minimum": 0},
            "name": {"type": ["string", "null"]}
        }
    });
    let def = json!({
        "type": TY,
        "name": "com.example.tickets.tickets-issued",
        "version": 1,
        "doc": "Tickets were issued.",
        "schema": schema
    });
    manifest(
        "tickets",
        "publishes",
        json!({"announcements": {"types": ["Issued"], "publishes": {TY: def}}}),
    )
}

/// The manifest of a system that reads of them.
fn sponsorship() -> Value {
    let schema = json!({
        "type": "object",
        "required": ["order", "count"],
        "properties": {"order": {"type": "string"}, "count": {"type": "integer"}}
    });
    manifest(
        "sponsorship",
        "hears",
        json!({"tickets": [{"type": TY, "schema": schema}]}),
    )
}

fn manifest(name: &str, part: &str, value: Value) -> Value {
    let mut manifest = json!({
        "name": name, "events": {}, "commands": {}, "views": {}, "processes": {},
        "policies": {}, "roles": {}, "systems": {}
    });
    manifest[part] = value;
    manifest
}

fn put(folder: &Path, file: &str, value: &Value) {
    fs::write(folder.join(file), value.to_string()).unwrap();
}

/// A folder with both manifests.
fn both() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "manifest.json", &tickets());
    put(folder.path(), "sponsorship.json", &sponsorship());
    folder
}

const CHECK: &[&str] = &[
    "contract",
    "check",
    "--manifest",
    "manifest.json",
    "--on",
    "2026-11-28",
];
const WRITE: &[&str] = &[
    "contract",
    "write",
    "--manifest",
    "manifest.json",
    "--on",
    "2026-11-28",
];
const EXPECTS: &[&str] = &[
    "contract",
    "expects",
    "tickets",
    "--manifest",
    "sponsorship.json",
];

/// The same with the promise written, and with what the other system reads.
fn promised() -> TempDir {
    let folder = both();
    told_in(folder.path(), WRITE);
    let expects = told_in(folder.path(), EXPECTS);
    let begin = expects.find('{').unwrap();
    let end = expects.rfind('}').unwrap();
    let consumers = folder.path().join("contract/consumers");
    fs::create_dir_all(&consumers).unwrap();
    fs::write(consumers.join("sponsorship.json"), &expects[begin..=end]).unwrap();
    folder
}

/// The manifest after a change of the published schema.
fn changed(folder: &TempDir, change: impl FnOnce(&mut Value)) {
    let mut manifest = tickets();
    let path = format!("/publishes/announcements/publishes/{TY}");
    change(manifest.pointer_mut(&path).unwrap());
    put(folder.path(), "manifest.json", &manifest);
}

#[test]
fn a_promise_is_written_and_holds() {
    let folder = both();
    assert_snapshot!("nothing_yet", told_in(folder.path(), CHECK));
    assert_snapshot!("written", told_in(folder.path(), WRITE));
    assert_snapshot!("again", told_in(folder.path(), WRITE));
    let schema = folder
        .path()
        .join(format!("contract/published/{TY}.schema.json"));
    assert_snapshot!("schema", fs::read_to_string(schema).unwrap());
    let example = folder.path().join(format!("contract/examples/{TY}.json"));
    assert_snapshot!("example", fs::read_to_string(example).unwrap());
    assert_snapshot!("holds", told_in(folder.path(), CHECK));
    let written = [CHECK, &["--written"]].concat();
    assert!(told_in(folder.path(), &written).contains("the contract holds"));
}

#[test]
fn an_optional_field_passes_and_is_to_be_written() {
    let folder = promised();
    changed(&folder, |def| {
        def["schema"]["properties"]["seat"] = json!({"type": "string"})
    });
    assert_snapshot!("added", told_in(folder.path(), CHECK));
    let written = [CHECK, &["--written"]].concat();
    assert_snapshot!("not_written", told_in(folder.path(), &written));
    told_in(folder.path(), WRITE);
    assert!(told_in(folder.path(), &written).contains("the contract holds"));
}

#[test]
fn a_removed_and_a_retyped_field_are_refused_with_whom_they_break() {
    let folder = promised();
    changed(&folder, |def| {
        let fields = def["schema"]["properties"].as_object_mut().unwrap();
        fields.remove("name");
        fields.insert("count".into(), json!({"type": "string"}));
    });
    assert_snapshot!("refused", told_in(folder.path(), CHECK));
    let schema = folder
        .path()
        .join(format!("contract/published/{TY}.schema.json"));
    let before = fs::read_to_string(&schema).unwrap();
    assert_snapshot!("not_overwritten", told_in(folder.path(), WRITE));
    assert_eq!(fs::read_to_string(&schema).unwrap(), before);
    let json = [CHECK, &["--json"]].concat();
    assert_snapshot!("refused_as_data", told_in(folder.path(), &json));
}

#[test]
fn a_type_goes_after_its_last_day() {
    let folder = promised();
    changed(&folder, |def| {
        def["deprecated"] = json!({"since": "2026-06-01", "sunset": "2026-12-31"});
    });
    told_in(folder.path(), WRITE);
    put(
        folder.path(),
        "manifest.json",
        &manifest("tickets", "publishes", json!({})),
    );
    assert_snapshot!("too_early", told_in(folder.path(), CHECK));
    let later = |words: &[&'static str]| {
        let words: Vec<&str> = words
            .iter()
            .copied()
            .filter(|w| *w != "2026-11-28")
            .collect();
        told_in(folder.path(), &[&*words, &["2027-01-01"]].concat())
    };
    assert_snapshot!("after", later(CHECK));
    assert_snapshot!("deleted", later(WRITE));
    // Who still reads it is told from now on.
    assert_snapshot!("still_read", later(CHECK));
}

#[test]
fn what_a_system_reads_is_held_against_the_other_one() {
    let folder = promised();
    assert_snapshot!("expects", told_in(folder.path(), EXPECTS));
    let against = [EXPECTS, &["--against", "contract"]].concat();
    assert_snapshot!("met", told_in(folder.path(), &against));
    let mut reads = sponsorship();
    reads["hears"]["tickets"][0]["schema"]["properties"]["count"] = json!({"type": "string"});
    put(folder.path(), "sponsorship.json", &reads);
    assert_snapshot!("unmet", told_in(folder.path(), &against));
    let other = [
        "contract",
        "expects",
        "shop",
        "--manifest",
        "sponsorship.json",
    ];
    assert_snapshot!("other_system", told_in(folder.path(), &other));
}

#[test]
fn a_type_does_not_lead_out_of_the_folder() {
    let folder = both();
    let mut manifest = tickets();
    let mut def = manifest["publishes"]["announcements"]["publishes"][TY].take();
    let ty = "../../elsewhere.v1";
    def["type"] = json!(ty);
    manifest["publishes"]["announcements"]["publishes"] = json!({ty: def});
    put(folder.path(), "manifest.json", &manifest);
    assert_snapshot!("no_file_name", told_in(folder.path(), WRITE));
    assert!(!folder.path().join("contract").exists());
}

#[test]
fn a_running_system_is_asked_for_its_manifest() {
    let data = tempfile::tempdir().unwrap();
    let running = Running::on(data.path());
    let folder = data.path().join("contract").display().to_string();
    let check = ["contract", "check", &folder];
    assert!(at(&running.address, &check).contains("the contract holds"));
    let asyncapi = at(&running.address, &["contract", "asyncapi"]);
    assert!(asyncapi.contains("\"asyncapi\": \"3.1.0\""), "{asyncapi}");
}

#[test]
fn mistakes_in_calling_it_are_told() {
    assert_snapshot!("no_program", told(&["contract", "check"]));
    assert_snapshot!("no_day", told(&["contract", "check", "--on", "2026-02-31"]));
    let folder = promised();
    let schema = folder
        .path()
        .join(format!("contract/published/{TY}.schema.json"));
    fs::write(schema, "{").unwrap();
    assert_snapshot!("no_schema", told_in(folder.path(), CHECK));
}

#[test]
fn help_has_examples() {
    for verb in ["check", "write", "expects", "asyncapi"] {
        let help = told(&["contract", verb, "--help"]);
        assert!(help.contains("Examples:\n  fait contract"), "{help}");
    }
}
