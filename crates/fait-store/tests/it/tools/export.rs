//! Every event as a line, and the same store of these lines.

use super::{erase, fill, odd, opened, small, verified};
use crate::all;
use fait_core::store::contract::block_on;
use fait_core::store::{Appended, CommandKey, Keep, Store};
use fait_store::Disk;
use fait_store::tools::{export, import};
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

pub(super) fn exported(folder: &Path) -> String {
    let mut lines = vec![];
    let done = export(folder, &mut lines, &mut |_| {}).unwrap();
    assert_eq!(done.bytes, lines.len() as u64);
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(done.events, lines.lines().count() as u64);
    lines
}

/// The lines without what is another in every store.
fn without_source(lines: &str) -> String {
    let strip = |line: &str| {
        let (before, rest) = line.split_once("\"source\":\"urn:uuid:").unwrap();
        format!("{before}{}\n", &rest[36..])
    };
    lines.lines().map(strip).collect()
}

fn imported(lines: &str) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    let done = import(&mut lines.as_bytes(), temp.path(), &mut |_| {}).unwrap();
    assert_eq!(done.events, lines.lines().count() as u64);
    assert_eq!(verified(temp.path()).erased, done.erased);
    temp
}

type Known = Vec<Option<(CommandKey, Appended)>>;

/// What a store answers for some commands.
fn commands(disk: &Disk) -> Known {
    let ids = (0..200).chain(7_000..7_050).chain(799_990..800_020);
    let known = ids.map(|id| block_on(disk.command(Uuid::from_u128(id))).unwrap());
    known.collect()
}

/// export, import, export: the same lines, and a store that answers the same.
fn goes_around(folder: &Path) -> String {
    let lines = exported(folder);
    let copy = imported(&lines);
    let again = exported(copy.path());
    for (a, b) in without_source(&lines)
        .lines()
        .zip(without_source(&again).lines())
    {
        assert_eq!(a, b);
    }
    assert_eq!(without_source(&lines), without_source(&again));
    let (one, other) = (
        Disk::open_read_only(folder).unwrap(),
        Disk::open(copy.path()).unwrap(),
    );
    let events = all(&one);
    assert_eq!(all(&other), events);
    assert_eq!(commands(&other), commands(&one));
    for event in &events {
        let at = Some(event.meta.position);
        assert_eq!(block_on(other.event(event.meta.id)), Ok(at));
    }
    assert_ne!(one.id(), other.id());
    lines
}

#[test]
fn plain_events_go_around() {
    let (temp, _) = small(100);
    let lines = goes_around(temp.path());
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["specversion"], "1.0");
    assert_eq!(first["type"], "Opened");
    assert_eq!(first["time"], "1970-01-01T00:00:01.000Z");
    assert_eq!(first["position"], "1");
    assert_eq!(first["tags"], "table:1,order:7");
    assert_eq!(first["keyevents"], 2);
    assert_eq!(first["data"]["number"], 1);
    assert_eq!(first["datacontenttype"], "application/json");
    // CloudEvents: names are lower-case letters and digits, values are simple.
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        for (name, value) in line.as_object().unwrap() {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            assert!(name.chars().all(plain) || name == "data_base64", "{name}");
            assert!(
                name == "data" || !value.is_object() && !value.is_array(),
                "{name}"
            );
        }
    }
}

#[test]
fn data_of_every_kind_goes_around() {
    let temp = tempfile::tempdir().unwrap();
    let disk = opened(temp.path());
    for append in odd() {
        block_on(disk.append(append)).unwrap();
    }
    drop(disk);
    let lines = goes_around(temp.path());
    assert!(lines.contains("\"data\":null"));
    assert!(
        lines.contains("\"tags\":\"a:100%25%2Cb%252C,k:%2C,k:%2C\""),
        "{lines}"
    );
    let coded = lines
        .lines()
        .filter(|l| l.contains("\"data_base64\":"))
        .count();
    assert_eq!(coded, 8, "{lines}");
}

#[test]
fn erased_events_go_around() {
    for (types, times) in [(false, false), (true, false), (false, true), (true, true)] {
        let (temp, _) = small(60);
        let disk = opened(temp.path());
        let keep = Keep { types, times };
        assert_eq!(erase(&disk, 2, keep, 90_000), 12);
        fill(&disk, 60, 70);
        // The first event of an append, with its receipt.
        let tag = fait_core::event::Tag::raw("order:7");
        let first = crate::event(95_000, "OrderForgotten", &["order:7"]);
        let all_of_it = fait_core::store::Erase {
            tag,
            keep,
            tombstone: crate::append(vec![first]),
        };
        assert_eq!(block_on(disk.erase(all_of_it)).unwrap().events, 70);
        drop(disk);
        let lines = goes_around(temp.path());
        let erased: Vec<_> = lines
            .lines()
            .filter(|l| l.contains("\"erased\":true"))
            .collect();
        assert_eq!(erased.len(), 82);
        assert!(
            erased
                .iter()
                .all(|l| !l.contains("data") && !l.contains("tags"))
        );
        assert_eq!(erased.iter().all(|l| l.contains("$Erased")), !types);
        assert_eq!(erased.iter().all(|l| l.contains("\"time\":")), times);
        assert_eq!(erased.iter().any(|l| l.contains("\"keyms\":")), !times);
    }
}

#[test]
fn the_first_format_goes_around() {
    let v1 = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let lines = goes_around(&v1);
    assert_eq!(lines.lines().count(), 79);
    assert_eq!(lines.lines().filter(|l| l.contains("keyid")).count(), 20);
}

#[test]
fn nothing_goes_around_too() {
    let temp = tempfile::tempdir().unwrap();
    drop(Disk::open(temp.path()).unwrap());
    assert_eq!(goes_around(temp.path()), "");
}

#[test]
fn an_export_that_nobody_takes_is_an_error() {
    let (temp, _) = small(10);
    let mut small = [0_u8; 100];
    let error = export(temp.path(), &mut &mut small[..], &mut |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the export cannot be written"),
        "{error}"
    );
}
