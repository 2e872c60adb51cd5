//! The tools of a store: verify, back up, restore, export, import.

mod backup;
mod export;
mod import;
mod verify;

use crate::{all, append, by_command, event};
use bytes::Bytes;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, Erase, Keep, Store};
use fait_store::tools::{Verified, verify};
use fait_store::{Disk, MIN_SEGMENT_BYTES};
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;
use uuid::Uuid;

/// A store of small segments.
fn opened(folder: &Path) -> Disk {
    Disk::options()
        .segment_bytes(MIN_SEGMENT_BYTES)
        .open(folder)
        .unwrap()
}

/// A closed store of several segments, with the receipts of commands.
fn small(appends: u128) -> (TempDir, Vec<StoredEvent>) {
    let temp = tempfile::tempdir().unwrap();
    let disk = opened(temp.path());
    fill(&disk, 0, appends);
    let events = all(&disk);
    drop(disk);
    (temp, events)
}

fn fill(disk: &Disk, from: u128, to: u128) {
    for n in from..to {
        let batch = vec![
            event(n * 10 + 1, "Opened", &["table:1", "order:7"]),
            event(
                n * 10 + 2,
                "Seated",
                &["table:1", &format!("guest:{}", n % 5)],
            ),
        ];
        block_on(disk.append(by_command(append(batch), n + 1))).unwrap();
    }
}

/// Everything about one guest goes.
fn erase(disk: &Disk, guest: u128, keep: Keep, tombstone: u128) -> u64 {
    let tag = format!("guest:{guest}");
    let erase = Erase {
        tag: Tag::raw(&*tag),
        keep,
        tombstone: append(vec![event(tombstone, "GuestForgotten", &[&tag])]),
    };
    block_on(disk.erase(erase)).unwrap().events
}

/// Events with all that an event can have, data of every kind among it.
fn odd() -> Vec<Append> {
    let data: [&[u8]; 14] = [
        b"{\"number\":1}",
        b"null",
        b"",
        b" {\"padded\": true} ",
        b"{\n  \"pretty\": [1, 2]\n}\r\n",
        b"[1e400, -0.0, 123456789012345678901234567890]",
        "{\"g\u{e4}ste\":\"zw\u{f6}lf \u{1f40c} \u{2028}\"}".as_bytes(),
        br#"{"twice":1,"twice":2,"\u0041":"\ud83d\ude00"}"#,
        b"\"a\\u0000text\"",
        b"\xff\xfe\x00\x80",
        b"not json",
        b"true false",
        b"{\"open\":",
        b"\xef\xbb\xbf{}",
    ];
    let origin = |n: usize| Origin {
        occurred_at: (n % 3 == 1).then_some(Time(1_700_000_000_000 + n as u64)),
        actor: n.is_multiple_of(2).then(|| "w\u{e4}iter:\"ann\"\n".into()),
        command: n.is_multiple_of(4).then(|| Uuid::from_u128(n as u128 + 50)),
        correlation: Uuid::from_u128(n as u128 % 3),
        causation: (n % 5 == 1).then(|| Uuid::from_u128(n as u128)),
        traceparent: n
            .is_multiple_of(6)
            .then(|| "00-4bf92f3577b34da6-00f067aa-01".into()),
        pairs: match n % 3 {
            0 => BTreeMap::from([
                ("till".into(), "e\"ast".into()),
                ("\u{fc}".into(), "".into()),
            ]),
            _ => BTreeMap::new(),
        },
    };
    let new = |(n, data): (usize, &&[u8])| NewEvent {
        id: Uuid::from_u128(900_000 + n as u128),
        ty: ["Odd", "S\u{f6}lt\"sam"][n % 2].into(),
        version: [1, 300, u32::MAX][n % 3],
        tags: [
            vec![],
            vec![Tag::raw("a:100%,b%2C"), Tag::raw("k:,"), Tag::raw("k:,")],
        ][n % 2]
            .clone(),
        data: Bytes::copy_from_slice(data),
        origin: origin(n),
    };
    let events: Vec<_> = data.iter().enumerate().map(new).collect();
    let batches = events.chunks(4).enumerate();
    let batches = batches.map(|(n, batch)| {
        let time = [1_800_000_000_000, 1_900_000_000_000, 1 << 50, 1 << 60][n];
        let batch = Append {
            recorded_at: Time(time),
            ..append(batch.to_vec())
        };
        match n % 2 {
            0 => by_command(batch, 800_000 + n as u128),
            _ => batch,
        }
    });
    batches.collect()
}

#[track_caller]
fn verified(folder: &Path) -> Verified {
    let verified = verify(folder, &mut |_| {}).unwrap();
    assert_eq!(verified.problems, [], "{verified:?}");
    verified
}
