//! Inputs to begin with: what real stores write.

use super::files::{Files, of, pack};
use super::whole::{to_read, to_write};
use crate::disk::Disk;
use crate::format::Pending;
use crate::sim::disk::SimDisk;
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, CommandKey, Erase, Keep, Store};
use std::collections::BTreeMap;
use uuid::Uuid;

/// So many records of a segment are enough.
const MOST_RECORDS: usize = 6;

/// Inputs for a target: each twice, as it is and with its checksums made anew. None for a target
/// that does not exist.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let plain = plain(target);
    let with = |mode: u8| {
        plain.iter().map(move |bytes| {
            let mut input = vec![mode];
            input.extend(bytes);
            input
        })
    };
    with(0).chain(with(1)).collect()
}

fn plain(target: &str) -> Vec<Vec<u8>> {
    let stores = [few(), several(), erased()];
    let every = |end: &str| -> Vec<Vec<u8>> {
        let files = stores.iter().flat_map(|files| files.iter());
        let found = files.filter(|(name, _)| name.ends_with(end));
        found.map(|(_, bytes)| bytes.clone()).collect()
    };
    match target {
        "headers" => {
            let files = [every("meta"), every(".log"), every(".idx")].concat();
            let mut starts: Vec<_> = files
                .iter()
                .map(|b| b[..b.len().min(64)].to_vec())
                .collect();
            let frames = every(".log").into_iter().filter(|b| b.len() > 128);
            starts.extend(frames.map(|b| b[64..128].to_vec()));
            starts
        }
        "frame" => every(".log"),
        "index" => every(".idx"),
        "record" => every(".log").iter().flat_map(|b| payloads(b)).collect(),
        "erasing" => vec![pending().encode()],
        "folder" | "lookups" => {
            let mut folders = stores.to_vec();
            let mut half = stores[1].clone();
            half.insert("erasing".into(), pending().encode());
            folders.push(half);
            folders.iter().map(pack).collect()
        }
        "query" => vec![
            br#"{"items":[{"types":["Opened"],"tags":["table:1","order:7"]}]}"#.to_vec(),
            br#"{"items":[{},{"types":["A","B"]}]}"#.to_vec(),
        ],
        _ => vec![],
    }
}

fn pending() -> Pending {
    Pending {
        tombstone: Uuid::from_u128(10),
        tag: Tag::raw("order:7"),
        keep: Keep::default(),
    }
}

/// A position and a payload for each of the first records of a segment.
fn payloads(segment: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![];
    let Some(body) = segment.get(128..) else {
        return found;
    };
    let (mut rest, mut position) = (body, 1_u64);
    while let Some((head, behind)) = rest.split_first_chunk::<8>() {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some((payload, next)) = behind.split_at_checked(length) else {
            break;
        };
        if length == 0 || rest.starts_with(b"fram") || found.len() == MOST_RECORDS {
            break;
        }
        found.push([&position.to_le_bytes()[..], payload].concat());
        (rest, position) = (next, position + 1);
    }
    found
}

/// An empty store that has begun.
fn few() -> Files {
    lived(|disk| append(disk, 0, 2))
}

/// Some segments with their indexes, and a list that is long.
fn several() -> Files {
    lived(|disk| {
        for n in 0..3 {
            append(disk, n, 5);
        }
        many(disk, 1_000, 150);
        append(disk, 20, 2);
    })
}

/// A store of which a stream was erased.
fn erased() -> Files {
    lived(|disk| {
        for n in 0..12 {
            append(disk, n, 4);
        }
        let tombstone = Append {
            command: None,
            ..batch(30, 1)
        };
        let erase = Erase {
            tag: Tag::raw("order:7"),
            keep: Keep {
                types: true,
                times: true,
            },
            tombstone,
        };
        drop(block_on(disk.erase(erase)));
        append(disk, 31, 3);
    })
}

fn lived(life: impl Fn(&Disk)) -> Files {
    let sim = SimDisk::new(7);
    if let Some(disk) = to_write(&sim) {
        life(&disk);
        while let Ok(true) = disk.tend() {}
    }
    debug_assert!(to_read(&sim).is_some());
    of(&sim)
}

fn append(disk: &Disk, n: u128, events: u128) {
    drop(block_on(disk.append(batch(n, events))));
}

/// Events as small as they can be.
fn many(disk: &Disk, from: u128, events: u128) {
    let mut append = batch(from, events);
    for event in &mut append.events {
        event.origin = Origin::default();
        event.data = vec![].into();
        event.tags.truncate(1);
    }
    drop(block_on(disk.append(append)));
}

/// Events with everything that an event can have.
fn batch(n: u128, events: u128) -> Append {
    let command = CommandKey {
        id: Uuid::from_u128(n),
        fingerprint: Uuid::from_u128(n + 1),
    };
    Append {
        events: (0..events).map(|k| event(n * 10 + k)).collect(),
        conditions: vec![],
        command: n.is_multiple_of(2).then_some(command),
        recorded_at: Time(if n == 20 { 1 << 50 } else { n as u64 * 1_000 }),
    }
}

fn event(n: u128) -> NewEvent {
    let tags = [
        "table:1",
        if n.is_multiple_of(4) {
            "order:7"
        } else {
            "order:8"
        },
    ];
    let origin = Origin {
        occurred_at: n.is_multiple_of(3).then_some(Time(n as u64)),
        actor: n.is_multiple_of(2).then(|| "waiter:ann".into()),
        command: n.is_multiple_of(5).then(|| Uuid::from_u128(n / 10)),
        correlation: Uuid::from_u128(n / 7),
        causation: n.is_multiple_of(6).then(|| Uuid::from_u128(n)),
        traceparent: n.is_multiple_of(7).then(|| "00-4bf92f35-01".into()),
        pairs: match n % 4 {
            0 => BTreeMap::from([("till".into(), "east".into())]),
            _ => BTreeMap::new(),
        },
    };
    NewEvent {
        id: Uuid::from_u128(n),
        ty: if n.is_multiple_of(2) {
            "Opened"
        } else {
            "Seated"
        }
        .into(),
        version: if n.is_multiple_of(8) { 300 } else { 1 },
        tags: tags.map(Tag::raw).to_vec(),
        data: b"{\"number\":1}".to_vec().into(),
        origin,
    }
}
