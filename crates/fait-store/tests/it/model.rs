//! Random histories: the store on disk answers as the store in memory does, over openings.

use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::{Query, QueryItem};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendCondition, Appended, CommandKey, Memory, Range, Store};
use fait_store::{Disk, Durability, MIN_SEGMENT_BYTES};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::FileFailurePersistence;
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Step {
    Append(Append),
    Read(Query, Range),
    Command(Uuid),
    Event(Uuid),
    Reopen,
}

fn id(most: u128) -> impl Strategy<Value = Uuid> {
    (0..most).prop_map(Uuid::from_u128)
}

fn tag() -> impl Strategy<Value = Tag> {
    prop_oneof![
        9 => (0..3_u8, 0..3_u8).prop_map(|(kind, n)| Tag::new(&format!("k{kind}"), n)),
        1 => Just(Tag::raw("no tag")),
    ]
}

fn ty() -> impl Strategy<Value = String> {
    (0..4_u8).prop_map(|n| format!("Type{n}"))
}

fn event() -> impl Strategy<Value = NewEvent> {
    let origin = (
        any::<Option<u32>>(),
        option::of("[a-z:]{0,9}"),
        option::of("\\PC{0,5}"),
    )
        .prop_map(|(time, actor, pair)| Origin {
            occurred_at: time.map(|t| Time(t.into())),
            actor,
            pairs: pair.map(|p| (p.clone(), p)).into_iter().collect(),
            ..Origin::default()
        });
    (
        id(60),
        ty(),
        0..3_u32,
        vec(tag(), 0..4),
        vec(any::<u8>(), 0..60),
        origin,
    )
        .prop_map(|(id, ty, version, tags, data, origin)| NewEvent {
            id,
            ty,
            version,
            tags,
            data: data.into(),
            origin,
        })
}

fn query() -> impl Strategy<Value = Query> {
    let item =
        (vec(ty(), 0..3), vec(tag(), 0..3)).prop_map(|(types, tags)| QueryItem { types, tags });
    vec(item, 0..3).prop_map(|items| Query { items })
}

fn condition() -> impl Strategy<Value = AppendCondition> {
    (query(), 0..40_u64).prop_map(|(fail_if_events_match, after)| AppendCondition {
        fail_if_events_match,
        after,
    })
}

fn append() -> impl Strategy<Value = Append> {
    let command = (id(8), id(2)).prop_map(|(id, fingerprint)| CommandKey { id, fingerprint });
    let conditions = prop_oneof![2 => vec(condition(), 0..1), 1 => vec(condition(), 1..3)];
    (
        vec(event(), 0..4),
        conditions,
        option::weighted(0.3, command),
        0..9_u64,
    )
        .prop_map(|(events, conditions, command, time)| Append {
            events,
            conditions,
            command,
            recorded_at: Time(time),
        })
}

fn range() -> impl Strategy<Value = Range> {
    (0..40_u64, option::of(0..60_u64), any::<bool>(), 1..20_usize).prop_map(
        |(after, before, backwards, limit)| Range {
            after,
            before,
            backwards,
            limit,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => append().prop_map(Step::Append),
        5 => (query(), range()).prop_map(|(query, range)| Step::Read(query, range)),
        1 => id(8).prop_map(Step::Command),
        1 => id(60).prop_map(Step::Event),
        1 => Just(Step::Reopen),
    ]
}

/// A receipt of the store in memory as the one on disk gives it.
fn on_disk(receipt: Appended) -> Appended {
    Appended {
        durability: Durability::Os,
        ..receipt
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn disk_and_memory_answer_alike(steps in vec(step(), 1..80)) {
        let temp = tempfile::tempdir().unwrap();
        let options =
            Disk::options().segment_bytes(MIN_SEGMENT_BYTES).durability(Durability::Os);
        let memory = Memory::default();
        let mut disk = options.open(temp.path()).unwrap();
        let store = disk.id();
        for step in steps {
            match step {
                Step::Append(append) => {
                    let done = block_on(disk.append(append.clone()));
                    let expected = block_on(memory.append(append)).map(on_disk);
                    assert_eq!(done, expected);
                }
                Step::Read(query, range) => {
                    let slice = block_on(disk.read(&query, range));
                    assert_eq!(slice, block_on(memory.read(&query, range)));
                }
                Step::Command(id) => {
                    let expected = block_on(memory.command(id)).map(|known| {
                        known.map(|(key, receipt)| (key, on_disk(receipt)))
                    });
                    let known = block_on(disk.command(id)).map(|known| {
                        known.map(|(key, receipt)| (key, on_disk(receipt)))
                    });
                    assert_eq!(known, expected);
                }
                Step::Event(id) => {
                    assert_eq!(block_on(disk.event(id)), block_on(memory.event(id)));
                }
                Step::Reopen => {
                    drop(disk);
                    disk = options.open(temp.path()).unwrap();
                    assert_eq!(disk.id(), store);
                }
            }
            assert_eq!(block_on(disk.head()), block_on(memory.head()));
        }
    }
}
