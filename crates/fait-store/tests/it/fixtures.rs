//! Stores that earlier versions of the format wrote are read for ever.

use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::store::{Append, CommandKey};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use uuid::Uuid;

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
    let command = (n % 2 == 0).then(|| CommandKey {
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
        command: (n % 2 == 0).then(|| Uuid::from_u128(u128::from(n / 10) + 7_000)),
        correlation: Uuid::from_u128(u128::from(n % 4) * 99),
        causation: (n % 3 == 0).then(|| Uuid::from_u128(u128::from(n))),
        traceparent: (n % 6 == 0).then(|| "00-4bf92f3577b34da6-00f067aa-01".into()),
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

mod write {
    #[test]
    fn v1() {
        use fait_core::store::{Store, contract::block_on};
        let disk = fait_store::Disk::options()
            .segment_bytes(4096)
            .open(super::folder(1))
            .unwrap();
        for a in super::history() {
            block_on(disk.append(a)).unwrap();
        }
    }
}
