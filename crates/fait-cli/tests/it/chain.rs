//! A flow that is one long chain, as of a process that wakes up every day for years.

use crate::called::within;
use fait::event::{NewEvent, Origin, Tag, Time};
use fait::reexport::serde_json::{Value, from_str};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Store};
use fait_store::Disk;
use std::path::Path;
use tokio::runtime::Runtime;

const LENGTH: usize = 1000;

fn chain(folder: &Path) {
    let (store, runtime) = (Disk::open(folder).unwrap(), Runtime::new().unwrap());
    let event = |n: u128| NewEvent {
        id: Uuid::from_u128(1000 + n),
        ty: "DayBegun".into(),
        version: 1,
        tags: vec![Tag::new("calendar", "house")],
        data: "{}".as_bytes().into(),
        origin: Origin {
            correlation: Uuid::from_u128(7),
            causation: Some(Uuid::from_u128(999 + n)),
            ..Origin::default()
        },
    };
    let events: Vec<NewEvent> = (0..LENGTH as u128).map(event).collect();
    for some in events.chunks(500) {
        let append = Append {
            events: some.to_vec(),
            conditions: vec![],
            command: None,
            recorded_at: Time(1_767_225_600_000),
        };
        runtime.block_on(store.append(append)).unwrap();
    }
}

#[test]
fn a_long_chain_is_told_and_nested_no_deeper_than_readers_of_json_follow() {
    let folder = tempfile::tempdir().unwrap();
    chain(folder.path());
    let flow = Uuid::from_u128(7).to_string();
    // As one place tells it, and as several do.
    let place = folder.path().display().to_string();
    let both = ["trace", flow.as_str(), "--at", &place, "--at", &place];
    for (words, places) in [(&["trace", "1"][..], 1), (&both, 2)] {
        let events = LENGTH * places;
        let text = within(folder.path(), words);
        assert_eq!(text.lines().count(), events + 1);
        let json = within(folder.path(), &[words, &["--json"]].concat());
        let json: Value = from_str(&json).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(json.to_string().matches("DayBegun").count(), events);
    }
    let text = within(folder.path(), &["trace", "1"]);
    let longest = text.lines().map(|l| l.chars().count()).max();
    assert!(longest < Some(200), "{longest:?}");
}
