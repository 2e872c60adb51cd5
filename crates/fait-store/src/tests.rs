//! Tests with a disk under the store that fails, forgets and waits when it is told to.

mod ends;

use crate::disk::Disk;
use crate::file::Folder;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::sim::disk::{Fault, SimDisk};
use crate::writer::{Answer, MAX_WAITING};
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{
    Append, AppendCondition, AppendError, BoxFuture, CommandKey, Durability, Range, Store,
    StoreError,
};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;
use uuid::Uuid;

fn opened(sim: &SimDisk) -> Disk {
    opened_with(sim, Duration::MAX)
}

fn opened_with(sim: &SimDisk, idle: Duration) -> Disk {
    let options = Options {
        segment_bytes: MIN_SEGMENT_BYTES,
        idle,
        on_caller: false,
        ..Options::default()
    };
    Disk::start(Arc::new(sim.clone()), options, None).unwrap()
}

fn files(sim: &SimDisk) -> usize {
    let names = sim.names().unwrap();
    // The keeper makes the next segment when it likes.
    names
        .iter()
        .filter(|name| !name.starts_with("spare"))
        .count()
}

fn one(number: u128) -> Append {
    let event = NewEvent {
        id: Uuid::from_u128(number),
        ty: "Counted".into(),
        version: 1,
        tags: vec![Tag::new("n", number)],
        data: vec![b'x'; 100].into(),
        origin: Origin::default(),
    };
    let id = Uuid::from_u128(1_000 + number);
    let command = Some(CommandKey {
        id,
        fingerprint: Uuid::nil(),
    });
    Append {
        events: vec![event],
        conditions: vec![],
        command,
        recorded_at: Time(1),
    }
}

fn unless(number: u128, other: u128) -> Append {
    let fail_if_events_match = Query::tags(vec![Tag::new("n", other)]);
    let conditions = vec![AppendCondition {
        fail_if_events_match,
        after: 0,
    }];
    Append {
        conditions,
        ..one(number)
    }
}

fn all(disk: &Disk) -> Vec<StoredEvent> {
    block_on(disk.read(&Query::all(), Range::after(0, usize::MAX)))
        .unwrap()
        .events
}

fn started<'a>(disk: &'a Disk, append: Append) -> BoxFuture<'a, Answer> {
    let mut future = disk.append(append);
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    future
}

#[test]
fn a_failed_sync_refuses_appends_and_reads_go_on() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    block_on(disk.append(one(1))).unwrap();
    let before = all(&disk);
    sim.fail_always(Fault::Sync);
    let Err(AppendError::Store(error)) = block_on(disk.append(one(2))) else {
        panic!()
    };
    assert!(error.message.contains("00000001.log"), "{error}");
    assert!(error.message.contains("then restart"), "{error}");
    sim.mend();
    let refused = block_on(disk.append(one(3)));
    assert_eq!(
        refused,
        Err(AppendError::Store(error.clone())),
        "no second try"
    );
    assert_eq!(disk.trouble(), Some(error));
    assert_eq!(all(&disk), before, "what is not durable is not visible");
    assert_eq!(block_on(disk.command(Uuid::from_u128(1_002))), Ok(None));
    drop(disk);
    let disk = opened(&sim);
    assert_eq!(all(&disk)[..1], before);
    let receipt = block_on(disk.append(one(2))).unwrap();
    assert_eq!(
        receipt.first, 2,
        "sent again, the command has its effect once"
    );
    assert_eq!(all(&disk).len(), 2);
}

/// Syncing the file again would prove nothing: the last frame must be written again.
#[test]
fn what_was_seen_after_a_failed_sync_stays() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    block_on(disk.append(one(1))).unwrap();
    sim.fail_always(Fault::Sync);
    block_on(disk.append(one(2))).unwrap_err();
    sim.mend();
    drop(disk);
    let disk = opened(&sim);
    let seen = all(&disk);
    assert_eq!(seen.len(), 2, "the frame is readable, so it is taken in");
    block_on(disk.append(one(3))).unwrap();
    drop(disk);
    sim.lose_power();
    let disk = opened(&sim);
    assert_eq!(all(&disk)[..2], seen);
    assert_eq!(all(&disk).len(), 3);
}

#[test]
fn a_short_write_is_cut_when_the_store_is_opened_again() {
    for arrives in (0..240).step_by(7) {
        let sim = SimDisk::default();
        let disk = opened(&sim);
        block_on(disk.append(one(1))).unwrap();
        sim.fail_always(Fault::Short(arrives));
        let error = block_on(disk.append(one(2))).unwrap_err();
        assert!(matches!(error, AppendError::Store(_)));
        sim.mend();
        let before = all(&disk);
        drop(disk);
        let disk = opened(&sim);
        // Zeros at the end of what arrived are as good as nothing.
        assert!(disk.recovery().cut_bytes <= arrives as u64);
        assert_eq!(disk.recovery().cut_bytes > 0, arrives > 0);
        assert_eq!(all(&disk), before);
        assert_eq!(block_on(disk.append(one(2))).unwrap().first, 2);
        drop(disk);
        sim.lose_power();
        let disk = opened(&sim);
        assert_eq!(disk.recovery().cut_bytes, 0);
        assert_eq!(all(&disk).len(), 2);
    }
}

/// Every event is appended on a disk that loses power after it; small segments roll on the way.
#[test]
fn what_was_acknowledged_survives_every_loss_of_power() {
    let sim = SimDisk::default();
    for n in 1..=60 {
        let disk = opened(&sim);
        assert_eq!(all(&disk).len() as u128, n - 1);
        block_on(disk.append(one(n))).unwrap();
        sim.lose_power();
        drop(disk);
        sim.lose_power();
    }
    assert!(files(&sim) > 3);
}

#[test]
fn a_fault_while_a_segment_begins_is_survived() {
    for fault in [
        Fault::Sync,
        Fault::Short(0),
        Fault::Short(5),
        Fault::Short(63),
    ] {
        let sim = SimDisk::default();
        let mut disk = opened(&sim);
        let mut acknowledged = 0;
        for n in 1..200 {
            let before = disk.stats().segments;
            sim.fail_always(fault);
            let failed = block_on(disk.append(one(n)));
            sim.mend();
            drop(disk);
            disk = opened(&sim);
            let there = all(&disk).len();
            assert!(failed.is_err() && there >= acknowledged);
            let begun = disk.stats().segments > before;
            acknowledged = block_on(disk.append(one(n))).unwrap().last as usize;
            if begun {
                break;
            }
        }
        sim.lose_power();
        drop(disk);
        let disk = opened(&sim);
        assert_eq!(all(&disk).len(), acknowledged);
        assert!(disk.stats().segments >= 2, "a second segment was begun");
    }
}

#[test]
fn nobody_learns_of_an_event_before_it_is_durable() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    let syncs = sim.seen().syncs;
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until(|seen| seen.syncs > syncs);
    assert_eq!(block_on(disk.head()), Ok(0));
    assert_eq!(all(&disk), vec![]);
    assert_eq!(block_on(disk.event(Uuid::from_u128(1))), Ok(None));
    assert_eq!(block_on(disk.command(Uuid::from_u128(1_001))), Ok(None));
    let second = started(&disk, one(2));
    let mut conflict = started(&disk, unless(3, 2));
    let mut repeated = started(&disk, one(2));
    sim.hold(false);
    assert_eq!(block_on(first).unwrap().last, 1);
    assert_eq!(
        block_on(&mut conflict),
        Err(AppendError::Conflict {
            condition: 0,
            position: 2
        })
    );
    assert_eq!(
        block_on(disk.head()),
        Ok(2),
        "a conflict is with what can be read"
    );
    assert!(block_on(&mut repeated).unwrap().repeated);
    assert!(!block_on(second).unwrap().repeated);
}

#[test]
fn a_conflict_with_an_event_that_was_lost_is_not_reported() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    let syncs = sim.seen().syncs;
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until(|seen| seen.syncs > syncs);
    let second = started(&disk, one(2));
    let conflict = started(&disk, unless(3, 2));
    let invalid = disk.append(Append {
        events: vec![],
        ..one(4)
    });
    sim.fail_always(Fault::Sync);
    sim.hold(false);
    for lost in [first, second, conflict] {
        assert!(matches!(block_on(lost), Err(AppendError::Store(_))));
    }
    assert!(matches!(
        block_on(invalid),
        Err(AppendError::Store(_) | AppendError::Invalid(_))
    ));
}

#[test]
fn more_appends_than_may_wait_are_all_answered() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    sim.hold(true);
    let total = MAX_WAITING as u128 * 2;
    let waiting: Vec<_> = (1..=total).map(|n| started(&disk, one(n))).collect();
    sim.hold(false);
    for future in waiting {
        block_on(future).unwrap();
    }
    assert_eq!(block_on(disk.head()), Ok(total as u64));
}

#[test]
fn appends_that_wait_for_room_are_refused_when_the_store_stops() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    sim.hold(true);
    let total = MAX_WAITING as u128 + 500;
    let waiting: Vec<_> = (1..=total).map(|n| started(&disk, one(n))).collect();
    sim.fail_always(Fault::Sync);
    sim.hold(false);
    let refused: Vec<StoreError> = waiting
        .into_iter()
        .map(|future| match block_on(future) {
            Err(AppendError::Store(error)) => error,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(refused.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn appends_that_waited_while_the_disk_failed_are_refused() {
    let sim = SimDisk::default();
    let disk = opened(&sim);
    let syncs = sim.seen().syncs;
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until(|seen| seen.syncs > syncs);
    let second = started(&disk, one(2));
    sim.fail_after(0, Fault::Sync);
    sim.hold(false);
    let lost = block_on(first).unwrap_err();
    assert_eq!(
        block_on(second),
        Err(lost),
        "nothing is written behind what failed"
    );
    assert_eq!(block_on(disk.head()), Ok(0));
}

#[test]
fn a_store_that_is_idle_seals_its_last_frame() {
    let sim = SimDisk::default();
    let disk = opened_with(&sim, Duration::from_millis(1));
    let syncs = sim.seen().syncs;
    block_on(disk.append(one(1))).unwrap();
    sim.until(|seen| seen.syncs >= syncs + 2);
    let sealed = disk.append(one(2));
    block_on(sealed).unwrap();
    let bytes = sim.durable("00000001.log").unwrap();
    let frames = (64..bytes.len())
        .step_by(8)
        .filter(|at| bytes[*at..].starts_with(b"fram"));
    assert!(
        frames.count() >= 3,
        "two frames with events, and a seal between them"
    );
}

/// Found by the simulator: the name of `meta` was not durable, the first segment's was, and the
/// store could never be opened again.
#[test]
fn a_store_whose_making_failed_twice_can_be_made() {
    for (seed, second) in (0..200).flat_map(|seed| (0..4).map(move |n| (seed, n))) {
        let sim = SimDisk::new(seed);
        let start = || {
            let options = Options::default().segment_bytes(MIN_SEGMENT_BYTES);
            Disk::start(Arc::new(sim.clone()), options, None).map(drop)
        };
        sim.fail_after(1, Fault::Sync);
        start().unwrap_err();
        sim.mend();
        sim.fail_after(second, Fault::Sync);
        let _ = start();
        sim.mend();
        sim.crash();
        start().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
}

/// Found by the simulator: of a new segment's header the second half had arrived, the first not.
#[test]
fn a_header_that_is_torn_anywhere_is_written_again() {
    for (from, to) in [(0, 1), (0, 32), (8, 12), (16, 64), (63, 64)] {
        let sim = SimDisk::default();
        drop(opened(&sim));
        let file = sim.open("00000001.log").unwrap();
        let zeros = vec![0; to - from];
        file.write_at(&zeros, from as u64).unwrap();
        file.sync().unwrap();
        let disk = opened(&sim);
        block_on(disk.append(one(1))).unwrap();
        drop(disk);
        assert_eq!(all(&opened(&sim)).len(), 1);
    }
}

/// With a delay, appends that come one after the other share a sync, and are durable all the same.
#[test]
fn a_group_waits_for_others_to_share_its_sync() {
    let sim = SimDisk::new(1);
    let options = Options {
        durability: Durability::Group(Duration::from_secs(3600)),
        idle: Duration::MAX,
        ..Options::default()
    };
    let disk = Disk::start(Arc::new(sim.clone()), options, None).unwrap();
    let syncs = sim.seen().syncs;
    let waiting: Vec<_> = (1..=MAX_WAITING as u128)
        .map(|n| started(&disk, one(n)))
        .collect();
    for append in waiting {
        let receipt = block_on(append).unwrap();
        assert_eq!(receipt.durability, options.durability);
    }
    assert_eq!(sim.seen().syncs, syncs + 1, "a full group waits no longer");
    sim.lose_power();
    drop(disk);
    let disk = opened(&sim);
    assert_eq!(all(&disk).len(), MAX_WAITING);
}

/// What was only given to the operating system may go with the power; what is left is whole.
#[test]
fn without_a_sync_the_newest_may_go_and_the_rest_is_whole() {
    let sim = SimDisk::new(1);
    let options = Options {
        durability: Durability::Os,
        segment_bytes: MIN_SEGMENT_BYTES,
        inline: true,
        ..Options::default()
    };
    let disk = Disk::start(Arc::new(sim.clone()), options, None).unwrap();
    let syncs = sim.seen().syncs;
    let receipt = block_on(disk.append(one(1))).unwrap();
    assert_eq!(receipt.durability, Durability::Os);
    assert_eq!(sim.seen().syncs, syncs, "nothing was synced");
    for n in 2..60 {
        block_on(disk.append(one(n))).unwrap();
    }
    assert!(disk.stats().segments > 2);
    let before = all(&disk);
    sim.lose_power();
    drop(disk);
    let disk = opened(&sim);
    let after = all(&disk);
    assert_eq!(before[..after.len()], after);
    assert!(after.len() > 20, "full segments are durable");
}

/// Found by killing a process: a store that was closed has an index of its newest segment. When
/// more was appended to that, and the next segment was begun, and the process died before the
/// keeper had made the index anew, the old one was believed, and the store was called damaged.
#[test]
fn an_index_that_a_full_segment_has_outgrown_is_made_again() {
    let sim = SimDisk::default();
    let options = Options {
        segment_bytes: 256 << 10,
        inline: true,
        ..Options::default()
    };
    let start = |sim: &SimDisk| Disk::start(Arc::new(sim.clone()), options, None).unwrap();
    let many = |disk: &Disk, from: u128| {
        let events = (from..from + 1_000).flat_map(|n| one(n).events).collect();
        let append = Append {
            events,
            ..one(from)
        };
        block_on(disk.append(append)).unwrap();
    };
    let disk = start(&sim);
    many(&disk, 0);
    drop(disk);
    assert!(sim.names().unwrap().contains(&"00000001.idx".to_string()));
    let disk = start(&sim);
    block_on(disk.append(one(5_000))).unwrap();
    many(&disk, 10_000);
    assert_eq!(disk.stats().segments, 2);
    let killed = SimDisk::default();
    killed.put(&sim.files());
    let again = start(&killed);
    assert_eq!(again.recovery().indexed, 1);
    assert!(all(&again) == all(&disk));
}

/// What the keeper could not do on a full disk is noticed, and forgotten when it is done at last;
/// appends go on all the while.
#[test]
fn a_notice_is_given_on_a_full_disk_and_goes_away() {
    for begin_full in [1, 60] {
        let sim = SimDisk::default();
        let options = Options {
            segment_bytes: 16 << 10,
            inline: true,
            ..Options::default()
        };
        let disk = Disk::start(Arc::new(sim.clone()), options, None).unwrap();
        let tend = || while let Ok(true) = disk.tend() {};
        let mut noticed = None;
        for n in 1..400 {
            if n == begin_full {
                // Room for the log, and neither for a spare file nor for an index.
                sim.limit(12 << 10);
            }
            if block_on(disk.append(one(n))).is_err() {
                // The first segment was full: another little piece of room.
                sim.limit(12 << 10);
                block_on(disk.append(one(n))).unwrap();
            }
            tend();
            noticed = noticed.or(disk.notice());
            assert!(
                !sim.names()
                    .unwrap()
                    .iter()
                    .any(|name| name.ends_with(".new"))
            );
        }
        let notice = noticed.unwrap().to_string();
        assert!(
            notice.contains("made ahead") || notice.contains(".idx"),
            "{notice}"
        );
        assert!(disk.notice().is_some() && disk.trouble().is_none());
        sim.mend();
        for n in 400..600 {
            block_on(disk.append(one(n))).unwrap();
            tend();
        }
        assert_eq!(disk.notice(), None);
        assert_eq!(all(&disk).len(), 599);
    }
}
