//! Waiting for more: no gap between what was read and what is waited for.

use super::{block_on, done, head, many, one, positions, together};
use crate::query::Query;
use crate::store::{Range, Store};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

async fn wait(store: &dyn Store, after: u64) -> u64 {
    match store.wait(after).await {
        Ok(head) => head,
        Err(e) => panic!("the wait should have ended well, but: {e}"),
    }
}

/// When there is more already, there is nothing to wait for.
pub async fn a_wait_behind_the_head_is_over(store: Arc<dyn Store>) {
    for n in 1..=3 {
        done(&*store, one(n, "Counted", &[])).await;
    }
    for after in 0..3 {
        assert_eq!(wait(&*store, after).await, 3);
    }
}

/// One append wakes everybody who waits for it.
pub async fn a_wait_wakes_every_waiter(store: Arc<dyn Store>) {
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..32)
            .map(|_| scope.spawn(|| block_on(wait(&*store, 0))))
            .collect();
        block_on(done(&*store, one(1, "Counted", &[])));
        for waiter in waiters {
            assert_eq!(waiter.join().ok(), Some(1));
        }
    });
    let mut dropped = store.wait(1);
    assert!(
        dropped
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    drop(dropped);
    let waiter = store.wait(1);
    done(&*store, one(2, "Counted", &[])).await;
    assert_eq!(
        waiter.await,
        Ok(2),
        "a future made before the append ends, too"
    );
}

/// A wait goes on until the head lies behind its position.
pub async fn a_wait_ends_only_when_there_is_more(store: Arc<dyn Store>) {
    let mut waiter = store.wait(2);
    let mut context = Context::from_waker(Waker::noop());
    for n in 1..=2 {
        assert!(waiter.as_mut().poll(&mut context).is_pending());
        done(&*store, one(n, "Counted", &[])).await;
    }
    assert!(
        waiter.as_mut().poll(&mut context).is_pending(),
        "2 is not behind 2"
    );
    done(&*store, one(3, "Counted", &[])).await;
    assert_eq!(waiter.as_mut().poll(&mut context), Poll::Ready(Ok(3)));
}

/// Each waits for its own position; a batch that goes beyond it ends the wait with the whole batch.
pub async fn each_wait_has_its_own_end(store: Arc<dyn Store>) {
    let mut waits: Vec<_> = (0..8).map(|after| store.wait(after)).collect();
    let mut context = Context::from_waker(Waker::noop());
    for (batch, head) in [(1..=3, 3), (4..=4, 4), (5..=8, 8)] {
        assert!(
            waits
                .iter_mut()
                .all(|w| w.as_mut().poll(&mut context).is_pending())
        );
        done(&*store, many(batch, "Counted", &[])).await;
        let over = head - (8 - waits.len());
        for wait in waits.drain(..over) {
            assert_eq!(wait.await, Ok(head as u64));
        }
    }
    assert!(waits.is_empty());
}

/// Readers that read and wait in turn see every event once, beside several writers.
pub async fn a_follower_misses_nothing(store: Arc<dyn Store>) {
    const TOTAL: u64 = 200;
    thread::scope(|scope| {
        let followers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| block_on(follow(&*store, TOTAL))))
            .collect();
        together(4, |thread| {
            for n in 0..TOTAL / 4 {
                let id = thread as u128 * 1_000 + u128::from(n);
                block_on(done(&*store, one(id, "Counted", &[])));
            }
        });
        for follower in followers {
            assert_eq!(follower.join().ok(), Some((1..=TOTAL).collect::<Vec<_>>()));
        }
    });
    assert_eq!(head(&*store).await, TOTAL);
}

async fn follow(store: &dyn Store, total: u64) -> Vec<u64> {
    let mut seen = vec![];
    while seen.len() < total as usize {
        let after = seen.last().copied().unwrap_or(0);
        let more = positions(store, &Query::all(), Range::after(after, 7)).await;
        if more.is_empty() {
            assert!(wait(store, after).await > after);
        }
        seen.extend(more);
    }
    seen
}
