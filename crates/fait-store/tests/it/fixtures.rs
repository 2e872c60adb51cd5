//! Stores that earlier versions of the format wrote are read for ever.

use crate::all;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, Appended, CommandKey, Erase, Keep, Memory, Range, Store};
use fait_store::Disk;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use uuid::Uuid;

const VERSIONS: [u32; 2] = [1, 2];

fn folder(version: u32) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(format!("v{version}"))
}

/// What every fixture holds: all fields, some with and some without a command.
fn history() -> Vec<Append> {
    (0..40_u64).map(batch).collect()
}

fn batch(n: u64) -> Append {
    let events = (0..=n % 3).map(|k| event(n * 10 + k)).collect();
    let command = n.is_multiple_of(2).then(|| CommandKey {
        id: Uuid::from_u128(u128::from(n) + 7_000),
        fingerprint: Uuid::from_u128(u128::from(n % 5)),
    });
    Append {
        events,
        conditions: vec![],
        command,
        recorded_at: Time(1_750_000_000_000 + n * 1_000),
    }
}

fn event(n: u64) -> NewEvent {
    let id = Uuid::from_u128(u128::from(n) << 70 | 5);
    let mut tags = vec![Tag::new("table", n % 7), Tag::new("gäste", "zwölf")];
    tags.truncate((n % 3) as usize);
    let origin = Origin {
        occurred_at: (n % 4 == 1).then_some(Time(n)),
        actor: (n % 5 < 2).then(|| "waiter:ann".into()),
        command: n
            .is_multiple_of(2)
            .then(|| Uuid::from_u128(u128::from(n / 10) + 7_000)),
        correlation: Uuid::from_u128(u128::from(n % 4) * 99),
        causation: n.is_multiple_of(3).then(|| Uuid::from_u128(u128::from(n))),
        traceparent: n
            .is_multiple_of(6)
            .then(|| "00-4bf92f3577b34da6-00f067aa-01".into()),
        pairs: match n % 11 {
            0 => BTreeMap::from([("till".into(), "east".into()), ("ü".into(), String::new())]),
            _ => BTreeMap::new(),
        },
    };
    NewEvent {
        id,
        ty: ["OrderPlaced", "MealServed"][n as usize % 2].into(),
        version: [1, 2, 300][n as usize % 3],
        tags,
        data: format!(
            "{{\"number\":{n},\"note\":\"{}\"}}",
            "x".repeat((n % 60) as usize)
        )
        .into(),
        origin,
    }
}

/// A copy of a fixture, to be opened.
fn copy(version: u32) -> TempDir {
    let temp = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder(version)).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), temp.path().join(entry.file_name())).unwrap();
    }
    temp
}

/// From version 2 on, a stream of the history was erased.
fn erasure() -> Erase {
    let tag = Tag::new("table", 5);
    let mut tombstone = batch(500);
    tombstone.events.truncate(1);
    tombstone.events[0].tags = vec![tag.clone()];
    Erase {
        tag,
        keep: Keep {
            types: true,
            times: false,
        },
        tombstone,
    }
}

/// Makes what a fixture of a version holds.
fn fill(store: &dyn Store, version: u32) {
    for append in history() {
        block_on(store.append(append)).unwrap();
    }
    if version > 1 {
        assert!(block_on(store.erase(erasure())).unwrap().events > 3);
    }
}

/// What a store must hold: events and receipts.
fn expected(version: u32) -> (Vec<StoredEvent>, Memory) {
    let memory = Memory::default();
    fill(&memory, version);
    (all(&memory), memory)
}

fn holds_the_history(disk: &Disk, version: u32) {
    let (events, memory) = expected(version);
    assert_eq!(all(disk), events);
    for n in 0..40_u128 {
        let id = Uuid::from_u128(n + 7_000);
        let known = block_on(disk.command(id)).unwrap();
        let in_memory = block_on(memory.command(id)).unwrap();
        let plain = |receipt: Appended| (receipt.first, receipt.last, receipt.recorded_at);
        assert_eq!(
            known.map(|(key, receipt)| (key, plain(receipt))),
            in_memory.map(|(key, receipt)| (key, plain(receipt)))
        );
    }
    for event in &events {
        let at = Some(event.meta.position);
        assert_eq!(block_on(disk.event(event.meta.id)), Ok(at));
    }
    for query in [
        Query::tags(vec![Tag::new("table", 3)]),
        Query::types(&["MealServed"]),
        Query::types(&["$Erased", "OrderPlaced"]),
    ] {
        let found = block_on(disk.read(&query, Range::after(0, 100))).unwrap();
        let in_memory = block_on(memory.read(&query, Range::after(0, 100))).unwrap();
        assert_eq!(found, in_memory);
        assert!(found.events.len() > 3);
    }
}

/// Makes the fixture of this version, once: set `MAKE_FIXTURE` to an empty folder. What it made is
/// kept as it is; a fixture that was made is never made again.
#[test]
fn a_fixture_is_made_when_asked_for() {
    let temp = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("MAKE_FIXTURE");
    let folder = folder.map_or_else(|| temp.path().to_path_buf(), PathBuf::from);
    let disk = Disk::options()
        .segment_bytes(6 << 10)
        .open(&folder)
        .unwrap();
    fill(&disk, 2);
    drop(disk);
    fs::remove_file(folder.join("lock")).unwrap();
    holds_the_history(&Disk::open_read_only(&folder).unwrap(), 2);
}

#[test]
fn every_version_is_read() {
    for version in VERSIONS {
        let temp = copy(version);
        holds_the_history(&Disk::open_read_only(temp.path()).unwrap(), version);
    }
}

/// What is appended to an old store, and erased from it, mixes with what was there.
#[test]
fn every_version_is_gone_on_with() {
    for version in VERSIONS {
        let temp = copy(version);
        for round in 0..3 {
            let disk = Disk::options()
                .segment_bytes(4096)
                .open(temp.path())
                .unwrap();
            if round == 0 {
                holds_the_history(&disk, version);
            }
            for n in 0..20 {
                let append = batch(1_000 + round * 100 + n);
                block_on(disk.append(append)).unwrap();
            }
        }
        let disk = Disk::open(temp.path()).unwrap();
        let before = all(&disk);
        let events = expected(version).0;
        assert_eq!(before[..events.len()], events);
        let tag = Tag::new("table", 3);
        let mut tombstone = batch(9_999);
        tombstone.events[0].tags = vec![tag.clone()];
        let erase = Erase {
            tag: tag.clone(),
            keep: Keep::default(),
            tombstone,
        };
        let erased = block_on(disk.erase(erase)).unwrap();
        assert!(erased.events > 3);
        let after = all(&disk);
        for (old, new) in before.iter().zip(&after) {
            match old.tags.contains(&tag) {
                true => assert_eq!((&*new.ty, new.meta.id), ("$Erased", old.meta.id)),
                false => assert_eq!(new, old),
            }
        }
        drop(disk);
        assert_eq!(all(&Disk::open(temp.path()).unwrap()), after);
    }
}

/// A program of the first version must not take a store apart that a newer one has written to.
#[test]
fn an_old_store_says_that_a_newer_program_wrote_to_it() {
    let temp = copy(1);
    let version = || fs::read(temp.path().join("meta")).unwrap()[8];
    drop(Disk::open_read_only(temp.path()).unwrap());
    assert_eq!(version(), 1, "reading changes nothing");
    drop(Disk::open(temp.path()).unwrap());
    assert_eq!(version(), 2);
}
