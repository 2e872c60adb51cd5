//! A whole folder is opened: an error, or a store that answers, goes on and can be opened again.

use super::files::{Files, disk};
use crate::disk::Disk;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::sim::disk::SimDisk;
use bytes::Bytes;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, Erase, Keep, Range, Store};
use std::ops::ControlFlow;
use std::sync::Arc;
use uuid::Uuid;

/// No threads, small segments.
pub(super) fn options() -> Options {
    Options {
        inline: true,
        cache_bytes: 0,
        ..Options::default().segment_bytes(MIN_SEGMENT_BYTES)
    }
}

/// The same answers: to be read, to be written, and after it was written.
pub(super) fn open(files: &Files) {
    let sim = disk(files);
    let looked = to_read(&sim).map(|disk| answers(&disk));
    let Some(disk) = to_write(&sim) else {
        return;
    };
    // What was half erased is erased now, so that the answers may differ then.
    if let Some(looked) = looked.filter(|_| !files.contains_key("erasing")) {
        let same = answers(&disk) == looked;
        assert!(same, "for writing it is another store");
    }
    let before = read(&disk, &Query::all());
    let appended = block_on(disk.append(one(77_777)));
    while let Ok(true) = disk.tend() {}
    if let (Ok(receipt), Some(before)) = (&appended, &before) {
        assert_eq!(receipt.first as usize, before.len() + 1);
        assert_eq!(
            read(&disk, &Query::all()).map(|e| e.len()),
            Some(before.len() + 1)
        );
    }
    // An error, or all of it.
    drop(block_on(disk.erase(erasure())));
    let then = read(&disk, &Query::all());
    drop(disk);
    if let (Ok(_), Some(then)) = (appended, then)
        && let Some(disk) = to_write(&sim)
        && let Some(again) = read(&disk, &Query::all())
    {
        assert!(again == then, "after a restart it is another store");
    }
}

/// With its indexes and without them a store answers alike, if their checksums are its own. The
/// index of the newest segment proves that all which it covers was acknowledged; without it a
/// damaged last frame is cut.
pub(super) fn look_up(files: &Files, sound: bool) {
    let with = to_read(&disk(files)).map(|disk| answers(&disk));
    if !sound {
        return;
    }
    let mut bare = files.clone();
    bare.retain(|name, _| !name.ends_with(".idx"));
    let without = to_read(&disk(&bare)).map(|disk| answers(&disk));
    if let (Some(with), Some(without)) = (with, without) {
        for (with, without) in with.iter().zip(&without) {
            if let (Some(with), Some(without)) = (with, without) {
                assert!(
                    with.starts_with(without),
                    "an index says something else than the log"
                );
            }
        }
    }
}

pub(super) fn to_read(sim: &SimDisk) -> Option<Disk> {
    Disk::look(Arc::new(sim.clone()), options(), None).ok()
}

pub(super) fn to_write(sim: &SimDisk) -> Option<Disk> {
    Disk::start(Arc::new(sim.clone()), options(), None).ok()
}

/// All events of a query; none when it cannot be answered.
pub(super) fn read(disk: &Disk, query: &Query) -> Option<Vec<StoredEvent>> {
    let slice = block_on(disk.read(query, Range::after(0, usize::MAX))).ok()?;
    let mut last = 0;
    for event in &slice.events {
        assert!(last < event.meta.position && event.meta.position <= slice.head);
        last = event.meta.position;
    }
    Some(slice.events)
}

/// What a store says to some questions.
pub(super) fn answers(disk: &Disk) -> Vec<Option<Vec<StoredEvent>>> {
    let tag = |tag: &str| Query::tags(vec![Tag::raw(tag)]);
    let all = read(disk, &Query::all());
    if let Some(all) = &all {
        assert_eq!(all.len() as u64, disk.stats().events, "positions have gaps");
    }
    let mut answers = vec![all];
    for query in [
        tag("table:1"),
        tag("order:7"),
        tag("none:1"),
        Query::types(&["Opened"]),
        Query::types(&["$Erased", "Seated"]),
    ] {
        answers.push(read(disk, &query));
        let mut count = 0;
        let range = Range {
            backwards: true,
            ..Range::after(1, 50)
        };
        // An error, or at most as many as were asked for.
        drop(disk.scan(&query, range, |_| {
            count += 1;
            ControlFlow::Continue(())
        }));
        assert!(count <= 50);
    }
    for id in (0..40).step_by(3).map(Uuid::from_u128) {
        if let Ok(Some(position)) = block_on(disk.event(id)) {
            assert!((1..=disk.stats().events).contains(&position));
        }
        drop(block_on(disk.command(id)));
    }
    answers
}

fn one(number: u128) -> Append {
    Append {
        events: vec![NewEvent {
            id: Uuid::from_u128(number),
            ty: "Opened".into(),
            version: 1,
            tags: vec![Tag::raw("order:7")],
            data: Bytes::from_static(b"{}"),
            origin: Origin::default(),
        }],
        conditions: vec![],
        command: None,
        recorded_at: Time(5),
    }
}

fn erasure() -> Erase {
    Erase {
        tag: Tag::raw("order:7"),
        keep: Keep {
            types: true,
            times: false,
        },
        tombstone: one(88_888),
    }
}
