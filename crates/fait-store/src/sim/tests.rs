//! The simulator runs, and finds the bugs that it must find.

use super::history::{Call, Did, check};
use super::plan::Plan;
use super::program::history_of;
use super::run::{run, run_traced};
use crate::flaw::{Flaw, Planted};
use fait_core::event::Time;
use fait_core::query::Query;
use fait_core::store::{Append, AppendCondition, AppendError, Appended, Durability};
use std::panic::{UnwindSafe, catch_unwind};
use std::thread;
use uuid::Uuid;

#[test]
fn simulated_lives() {
    let lives = |seed| {
        if run(seed).is_err() {
            panic!("{:#?}", run_traced(seed));
        }
    };
    thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || (first..2_000).step_by(4).for_each(lives));
        }
    });
}

/// A planted bug is found within so many seeds.
#[track_caller]
fn is_found(seeds: u64, flaw: Flaw) {
    Planted::default().and(flaw).plant();
    let found = (0..seeds).find(|seed| panics_or_fails(|| run(*seed).is_err()));
    Planted::default().plant();
    assert!(found.is_some(), "{flaw:?} was not found in {seeds} seeds");
}

fn panics_or_fails(fails: impl FnOnce() -> bool + UnwindSafe) -> bool {
    catch_unwind(fails).unwrap_or(true)
}

#[test]
fn a_sync_left_out_is_found() {
    is_found(20, Flaw::Sync);
}

#[test]
fn a_folder_sync_left_out_is_found() {
    is_found(100, Flaw::FolderSync);
}

#[test]
fn a_checksum_of_frames_that_nobody_checks_is_found() {
    is_found(300, Flaw::Checksum);
}

#[test]
fn a_second_try_at_a_failed_sync_is_found() {
    is_found(300, Flaw::SyncRetried);
}

#[test]
fn a_torn_tail_that_is_kept_is_found() {
    is_found(3_000, Flaw::TornTailKept);
}

#[test]
fn a_last_frame_that_is_not_written_again_is_found() {
    is_found(1_000, Flaw::LastFrameKept);
}

#[test]
fn a_condition_blind_to_its_own_group_is_found() {
    is_found(100, Flaw::GroupMates);
}

#[test]
fn a_header_that_is_not_synced_is_found() {
    is_found(1_000, Flaw::HeaderSync);
}

#[test]
fn a_checksum_of_records_that_nobody_checks_is_found() {
    is_found(3_000, Flaw::RecordChecksum);
}

#[test]
fn an_index_written_before_its_log_is_found() {
    is_found(1_000, Flaw::IndexBeforeLog);
}

#[test]
fn concurrent_histories() {
    for seed in 0..500 {
        if let Err(wrong) = history_of(seed) {
            panic!("history {seed}: {wrong}");
        }
    }
}

#[test]
fn a_history_of_a_broken_store_is_found() {
    Planted::default().and(Flaw::GroupMates).plant();
    let found = (0..200).any(|seed| history_of(seed).is_err());
    Planted::default().plant();
    assert!(found, "conditions were blind to their own group");
}

/// A history with one lie in it, which must be named.
#[track_caller]
fn is_refused(change: impl Fn(&mut Vec<Call>), because: &str) {
    let mut history = sound();
    check(&history).unwrap();
    change(&mut history);
    let wrong = check(&history).unwrap_err();
    assert!(wrong.contains(because), "{wrong}");
}

/// Two appends, one conflict and one read, one after the other.
fn sound() -> Vec<Call> {
    let plan = &mut Plan::new(1);
    let appended = |first, append: &Append| Appended {
        first,
        last: first + append.events.len() as u64 - 1,
        recorded_at: Time(0),
        repeated: false,
        durability: Durability::Sync,
    };
    let (first, mut second, mut third) = (plan.plain(), plan.plain(), plan.plain());
    let all = |after| AppendCondition {
        fail_if_events_match: Query::all(),
        after,
    };
    let head = first.events.len() as u64;
    second.conditions = vec![all(head)];
    third.conditions = vec![all(head)];
    let events: Vec<_> = first.events.iter().chain(&second.events).collect();
    let events = events.iter().zip(1..).map(|(e, n)| (n, e.id)).collect();
    let (one, two) = (appended(1, &first), appended(head + 1, &second));
    let conflict = AppendError::Conflict {
        condition: 0,
        position: head + 1,
    };
    let did = [
        Did::Append(first, Ok(one)),
        Did::Append(second, Ok(two)),
        Did::Append(third, Err(conflict)),
        Did::Read(Query::all(), events, two.last),
    ];
    let calls = did.into_iter().zip((0..).step_by(2));
    let calls = calls.map(|(did, begun)| Call {
        begun,
        ended: begun + 1,
        did,
    });
    calls.collect()
}

#[test]
fn the_check_of_histories_has_teeth() {
    let receipt = |call: &mut Call, change: fn(&mut Appended)| match &mut call.did {
        Did::Append(_, Ok(receipt)) => change(receipt),
        _ => panic!(),
    };
    is_refused(|h| receipt(&mut h[1], |r| r.first = 1), "twice");
    is_refused(|h| receipt(&mut h[1], |r| r.last += 1), "ends at");
    is_refused(
        |h| (h[0].begun, h[0].ended) = (8, 9),
        "was acknowledged before",
    );
    is_refused(
        |h| match &mut h[1].did {
            Did::Append(append, _) => append.conditions[0].after = 0,
            Did::Read(..) => panic!(),
        },
        "was accepted",
    );
    is_refused(
        |h| match &mut h[2].did {
            Did::Append(append, _) => append.conditions[0].after += 100,
            Did::Read(..) => panic!(),
        },
        "has no cause",
    );
    let read = |call: &mut Call, change: fn(&mut Vec<(u64, Uuid)>, &mut u64)| match &mut call.did {
        Did::Read(_, found, head) => change(found, head),
        Did::Append(..) => panic!(),
    };
    is_refused(
        |h| read(&mut h[3], |f, _| f.truncate(1)),
        "not what the log has",
    );
    is_refused(|h| read(&mut h[3], |_, head| *head += 9), "behind the end");
    is_refused(
        |h| {
            read(&mut h[3], |found, head| {
                found.truncate(1);
                *head = 1;
            });
        },
        "misses position",
    );
    is_refused(
        |h| {
            (h[1].begun, h[1].ended) = (10, 11);
            (h[2].begun, h[2].ended) = (12, 13);
        },
        "sent after its answer",
    );
}
