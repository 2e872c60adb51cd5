//! Integration tests of the embedded store.

mod contract;
mod damage;
#[cfg(unix)]
mod faults;
mod fixtures;
mod folder;
mod kill;
mod model;
mod tools;

use bytes::Bytes;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, CommandKey, Range, Store};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use uuid::Uuid;

fn event(number: u128, ty: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(number),
        ty: ty.into(),
        version: 1,
        tags: tags.iter().map(|t| Tag::raw(*t)).collect(),
        data: Bytes::from(format!("{{\"number\":{number}}}")),
        origin: Origin::default(),
    }
}

fn append(events: Vec<NewEvent>) -> Append {
    Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: Time(1_000),
    }
}

fn by_command(append: Append, id: u128) -> Append {
    let command = CommandKey {
        id: Uuid::from_u128(id),
        fingerprint: Uuid::from_u128(id + 1),
    };
    Append {
        command: Some(command),
        ..append
    }
}

fn all(store: &dyn Store) -> Vec<StoredEvent> {
    block_on(store.read(&Query::all(), Range::after(0, usize::MAX)))
        .unwrap()
        .events
}

/// Every file of a folder but the lock, with its bytes.
fn image(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let files = entries.map(|e| e.file_name().into_string().unwrap());
    let files = files.filter(|name| name != "lock");
    files
        .map(|name| (name.clone(), fs::read(folder.join(name)).unwrap()))
        .collect()
}

/// A folder with these files and nothing else.
fn restore(folder: &Path, image: &BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    for (name, bytes) in image {
        fs::write(folder.join(name), bytes).unwrap();
    }
}
