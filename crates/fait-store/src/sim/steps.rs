//! Random steps, made shorter by proptest when they fail: the store on a simulated disk answers as
//! the store in memory does, whatever happens to the power.

use super::disk::SimDisk;
use super::engine::{self, Engine};
use super::model::plain;
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::{Query, QueryItem};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendCondition, CommandKey, Erase, Keep, Memory, Range, Store};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::FileFailurePersistence;
use uuid::Uuid;

#[derive(Clone, Debug)]
enum Step {
    Append(Append),
    /// All of it.
    Read,
    Query(Query, Range),
    Erase(Erase),
    Crash,
    Reopen,
    Backup,
    /// The store is closed, which seals its last frame, and does what background work there is.
    Seal,
}

fn tag() -> impl Strategy<Value = Tag> {
    (0..3_u8).prop_map(|n| Tag::new("order", n))
}

fn ty() -> impl Strategy<Value = String> {
    (0..3_u8).prop_map(|n| format!("Type{n}"))
}

fn id(most: u128) -> impl Strategy<Value = Uuid> {
    (0..most).prop_map(Uuid::from_u128)
}

fn event() -> impl Strategy<Value = NewEvent> {
    let length = prop_oneof![9 => 0..200_usize, 1 => 0..5_000_usize];
    (id(60), ty(), vec(tag(), 0..3), any::<u8>(), length).prop_map(
        |(id, ty, tags, byte, length)| NewEvent {
            id,
            ty,
            version: 1,
            tags,
            data: vec![byte; length].into(),
            origin: Origin::default(),
        },
    )
}

fn query() -> impl Strategy<Value = Query> {
    let item = (vec(ty(), 0..3), vec(tag(), 0..3));
    let item = item.prop_map(|(types, tags)| QueryItem { types, tags });
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

fn erase() -> impl Strategy<Value = Erase> {
    let keep = (any::<bool>(), any::<bool>()).prop_map(|(types, times)| Keep { types, times });
    (tag(), keep, append()).prop_map(|(tag, keep, mut tombstone)| {
        if let Some(first) = tombstone.events.first_mut() {
            first.tags.push(tag.clone());
        }
        Erase {
            tag,
            keep,
            tombstone,
        }
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
        12 => append().prop_map(Step::Append),
        1 => Just(Step::Read),
        4 => (query(), range()).prop_map(|(query, range)| Step::Query(query, range)),
        1 => erase().prop_map(Step::Erase),
        1 => Just(Step::Crash),
        1 => Just(Step::Reopen),
        1 => Just(Step::Backup),
        1 => Just(Step::Seal),
    ]
}

fn same(store: &dyn Store, memory: &Memory, query: &Query, range: Range) {
    let read = block_on(store.read(query, range));
    assert_eq!(read, block_on(memory.read(query, range)));
}

fn opened(disk: &SimDisk) -> Engine {
    Engine::open(disk).unwrap_or_else(|e| panic!("{e}"))
}

fn act(engine: Engine, disk: &mut SimDisk, memory: &Memory, step: Step) -> Engine {
    match step {
        Step::Append(append) => {
            let answer = engine.append(append.clone());
            assert_eq!(plain(answer), block_on(memory.append(append)));
        }
        Step::Read => same(
            &engine.store,
            memory,
            &Query::all(),
            Range::after(0, 10_000),
        ),
        Step::Query(query, range) => same(&engine.store, memory, &query, range),
        Step::Erase(erase) if engine::ERASES => {
            let answer = engine.erase(erase.clone()).map(|e| e.events);
            assert_eq!(answer, block_on(memory.erase(erase)).map(|e| e.events));
        }
        Step::Crash => {
            disk.power_off_after(0);
            engine.close();
            disk.crash();
            return opened(disk);
        }
        Step::Reopen => {
            engine.close();
            return opened(disk);
        }
        Step::Backup if engine::BACKS_UP => {
            let copy = SimDisk::new(1);
            engine::backup(disk, &copy).unwrap();
            engine.close();
            copy.crash();
            *disk = copy;
            return opened(disk);
        }
        Step::Seal => {
            while engine.tend().unwrap() {}
            engine.close();
            disk.crash();
            return opened(disk);
        }
        Step::Erase(_) | Step::Backup => {}
    }
    engine
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_disk_that_loses_power_and_memory_answer_alike(
        seed in any::<u64>(),
        steps in vec(step(), 1..60),
    ) {
        let mut disk = SimDisk::new(seed);
        let memory = Memory::default();
        let mut engine = opened(&disk);
        for step in steps {
            engine = act(engine, &mut disk, &memory, step);
            assert_eq!(block_on(engine.store.head()), block_on(memory.head()));
        }
        same(&engine.store, &memory, &Query::all(), Range::after(0, usize::MAX));
        same(&engine.store, &memory, &Query::all(), Range::newest(usize::MAX));
    }
}
