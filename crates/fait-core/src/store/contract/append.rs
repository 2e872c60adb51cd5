//! Batches: all or nothing, one order, at once visible.

use super::{
    all, append, as_stored, block_on, done, event, head, if_none, one, positions, slice, tagged,
    together,
};
use crate::event::Time;
use crate::query::Query;
use crate::store::{Range, Store};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

/// All events of a batch are there, with what they carried.
pub async fn a_batch_is_atomic(store: Arc<dyn Store>) {
    let events = vec![
        event(1, "Opened", &["table:1"]),
        event(2, "Seated", &["table:1"]),
    ];
    let receipt = done(&*store, append(events.clone())).await;
    assert_eq!(
        (receipt.first, receipt.last, receipt.repeated),
        (1, 2, false)
    );
    let stored: Vec<_> = events
        .into_iter()
        .zip(1..)
        .map(|(e, position)| as_stored(e, position, Time(1_000)))
        .collect();
    assert_eq!(all(&*store).await, stored);
}

/// Positions are 1, 2, 3 … over all batches.
pub async fn positions_are_consecutive(store: Arc<dyn Store>) {
    assert_eq!(head(&*store).await, 0, "a fresh store is empty");
    let mut next = 1;
    for size in [1_u128, 3, 1, 7, 2] {
        let base = u128::from(next);
        let batch = (0..size).map(|n| event(base + n, "Counted", &[])).collect();
        let receipt = done(&*store, append(batch)).await;
        assert_eq!(receipt.first, next);
        next = receipt.last + 1;
        assert_eq!(u128::from(next), base + size);
        assert_eq!(head(&*store).await, receipt.last);
    }
    let found: Vec<_> = all(&*store).await.iter().map(|e| e.meta.position).collect();
    assert_eq!(found, (1..next).collect::<Vec<_>>());
}

/// What an append answered is seen by every later read, look-up and head.
pub async fn an_append_is_read_at_once(store: Arc<dyn Store>) {
    for n in 1..=50 {
        let receipt = done(&*store, one(n, "Counted", &["all:1", &format!("n:{n}")])).await;
        assert!(head(&*store).await >= receipt.last);
        let mine = slice(&*store, &tagged(&[&format!("n:{n}")]), Range::newest(5))
            .await
            .events;
        assert_eq!(
            mine.len(),
            1,
            "the event is there as soon as it is acknowledged"
        );
        assert_eq!(mine[0].meta.position, receipt.first);
    }
}

/// Many writers at once: each position is given once and none is left out.
pub async fn concurrent_appends_leave_no_gap(store: Arc<dyn Store>) {
    let receipts = together(8, |thread| {
        let mut mine = vec![];
        for n in 0..25_u128 {
            let id = (thread as u128) * 1_000 + n * 10;
            let batch = (0..=n % 3).map(|k| event(id + k, "Counted", &[])).collect();
            mine.push(block_on(done(&*store, append(batch))));
        }
        mine
    });
    for mine in &receipts {
        assert!(
            mine.windows(2).all(|w| w[0].last < w[1].first),
            "one writer's appends keep order"
        );
    }
    let mut given: Vec<_> = receipts
        .iter()
        .flatten()
        .flat_map(|r| r.first..=r.last)
        .collect();
    given.sort_unstable();
    assert_eq!(given, (1..=head(&*store).await).collect::<Vec<_>>());
    let found: Vec<_> = all(&*store).await.iter().map(|e| e.meta.position).collect();
    assert_eq!(found, given, "what was acknowledged is what is there");
}

/// Readers beside writers see whole batches only, and a growing prefix.
pub async fn readers_never_see_half_a_batch(store: Arc<dyn Store>) {
    const BATCH: usize = 5;
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut last = 0;
                    while writing.load(Ordering::Relaxed) {
                        last = block_on(whole_batches(&*store, BATCH, last));
                    }
                })
            })
            .collect();
        together(3, |thread| {
            for n in 0..20 {
                let id = (thread as u128) * 1_000 + n * 10;
                let tag = format!("batch:{id}");
                let batch = (0..BATCH as u128)
                    .map(|k| event(id + k, "Counted", &[&tag]))
                    .collect();
                block_on(done(&*store, append(batch)));
            }
        });
        writing.store(false, Ordering::Relaxed);
        drop(readers);
    });
    whole_batches(&*store, BATCH, 0).await;
}

async fn whole_batches(store: &dyn Store, size: usize, last_head: u64) -> u64 {
    let seen = slice(store, &Query::all(), Range::after(0, usize::MAX)).await;
    assert_eq!(
        seen.head,
        seen.events.len() as u64,
        "a read sees everything up to its head"
    );
    assert!(seen.head >= last_head, "the head never goes back");
    let mut batches: HashMap<&str, usize> = HashMap::new();
    for event in &seen.events {
        *batches.entry(event.tags[0].as_str()).or_default() += 1;
    }
    assert!(
        batches.values().all(|n| *n == size),
        "a reader saw half a batch"
    );
    seen.head
}

/// An append whose future is dropped has happened whole or not at all, and others go on.
pub async fn a_dropped_append_harms_nobody(store: Arc<dyn Store>) {
    let mut next = 1;
    for n in 0..20_u128 {
        let id = 100 + n * 10;
        let batch = vec![
            event(id, "Counted", &["gone:1"]),
            event(id + 1, "Counted", &["gone:1"]),
        ];
        let mut dropped = store.append(append(batch));
        if n % 2 == 0 {
            let mut context = Context::from_waker(Waker::noop());
            let _ = dropped.as_mut().poll(&mut context);
        }
        drop(dropped);
        let receipt = done(&*store, one(id + 2, "Counted", &["kept:1"])).await;
        assert!(
            receipt.first == next || receipt.first == next + 2,
            "whole or not at all"
        );
        next = receipt.last + 1;
    }
    let gone = slice(&*store, &tagged(&["gone:1"]), Range::after(0, 100))
        .await
        .events;
    assert_eq!(gone.len() % 2, 0);
    let kept = slice(&*store, &tagged(&["kept:1"]), Range::after(0, 100))
        .await
        .events;
    assert_eq!(kept.len(), 20);
}

/// The store's identity does not change while it is used.
pub async fn the_identity_stays(store: Arc<dyn Store>) {
    let id = store.id();
    done(&*store, one(1, "Counted", &[])).await;
    assert_eq!(store.id(), id);
}

/// Writers that have nothing to do with each other are not in each other's way.
pub async fn writers_of_their_own_streams_do_not_conflict(store: Arc<dyn Store>) {
    let receipts = together(64, |thread| {
        let tag = format!("stream:{thread}");
        let mut mine = vec![];
        for n in 0..3 {
            let id = thread as u128 * 100 + n;
            let after = mine.last().copied().unwrap_or(0);
            let next = if_none(one(id, "Counted", &[&tag, "all:1"]), tagged(&[&tag]), after);
            mine.push(block_on(done(&*store, next)).first);
        }
        mine
    });
    for (mine, thread) in receipts.into_iter().zip(0..) {
        let query = tagged(&[&format!("stream:{thread}")]);
        assert_eq!(positions(&*store, &query, Range::after(0, 9)).await, mine);
    }
    assert_eq!(head(&*store).await, 192);
}
