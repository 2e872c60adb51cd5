//! Feeds: catching up, going on live, and nothing missed or given twice between the two.

use super::{append, block_on, done, event, head, many, one, tagged, together};
use crate::event::Position;
use crate::query::Query;
use crate::store::{Feed, Store};
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;

const NONE: [Position; 0] = [];

pub(super) fn feed(store: &Arc<dyn Store>, query: Query, after: Position) -> Feed<Arc<dyn Store>> {
    Feed::new(store.clone(), query, after)
}

/// The positions of what comes next.
pub(super) async fn next(feed: &mut Feed<Arc<dyn Store>>, limit: usize) -> Vec<Position> {
    match feed.next(limit).await {
        Ok(slice) => slice.events.iter().map(|e| e.meta.position).collect(),
        Err(e) => panic!("the feed should go on, but: {e}"),
    }
}

/// Whether the feed would wait now. What was begun is dropped.
fn waits(feed: &mut Feed<Arc<dyn Store>>) -> bool {
    let mut next = std::pin::pin!(feed.next(10));
    let mut context = Context::from_waker(Waker::noop());
    next.as_mut().poll(&mut context).is_pending()
}

/// First what is there, slice by slice; then each append as it comes.
pub async fn a_feed_catches_up_and_goes_live(store: Arc<dyn Store>) {
    done(&*store, many(1..=5, "Counted", &["all:1"])).await;
    let mut feed = feed(&store, tagged(&["all:1"]), 0);
    assert_eq!(next(&mut feed, 3).await, [1, 2, 3]);
    assert_eq!(next(&mut feed, 3).await, [4, 5]);
    for n in 6..10_u64 {
        assert!(
            waits(&mut feed),
            "there is nothing behind {}",
            feed.position()
        );
        done(&*store, one(n.into(), "Counted", &["all:1"])).await;
        assert_eq!(next(&mut feed, 3).await, [n]);
    }
    thread::scope(|scope| {
        let live = scope.spawn(|| block_on(next(&mut feed, 3)));
        block_on(done(&*store, one(10, "Counted", &["all:1"])));
        assert_eq!(live.join().ok(), Some(vec![10]), "an append wakes the feed");
    });
}

/// Beside several writers each event is given once and in order, also where only some match.
pub async fn a_feed_has_no_gap_and_no_repetition(store: Arc<dyn Store>) {
    const EACH: u128 = 20;
    let fed = thread::scope(|scope| {
        let everything = feed(&store, Query::all(), 0);
        let some = feed(&store, tagged(&["kind:1"]), 0);
        let everything =
            scope.spawn(|| block_on(follow(&*store, everything, 4 * EACH as usize * 2, 7)));
        let some = scope.spawn(|| block_on(follow(&*store, some, 4 * EACH as usize, 3)));
        together(4, |thread| {
            for n in 0..EACH {
                let id = thread as u128 * 1_000 + n * 2;
                let pair = [(id, "kind:0"), (id + 1, "kind:1")];
                let batch = pair.map(|(id, tag)| event(id, "Counted", &[tag]));
                block_on(done(&*store, append(batch.into())));
            }
        });
        [everything, some].map(|f| f.join().unwrap_or_default())
    });
    assert_eq!(fed[0], (1..=8 * EACH as u64).collect::<Vec<_>>());
    assert_eq!(
        fed[1],
        (1..=4 * EACH as u64).map(|n| n * 2).collect::<Vec<_>>()
    );
}

/// Reads until so many events came.
async fn follow(
    store: &dyn Store,
    mut feed: Feed<Arc<dyn Store>>,
    total: usize,
    limit: usize,
) -> Vec<Position> {
    let mut seen: Vec<Position> = vec![];
    while seen.len() < total {
        let before = feed.position();
        let more = next(&mut feed, limit).await;
        assert!(more.len() <= limit, "a feed keeps its limit");
        assert!(feed.position() > before, "a feed moves on");
        assert!(more.iter().all(|p| *p <= feed.position()));
        assert!(
            feed.position() <= head(store).await,
            "a feed does not pass the head"
        );
        seen.extend(more);
    }
    seen
}

/// Any number of feeds, each at its own pace and with its own query.
pub async fn feeds_do_not_disturb_each_other(store: Arc<dyn Store>) {
    for n in 1..=12_u128 {
        let tag = format!("third:{}", n % 3);
        done(&*store, one(n, "Counted", &[&tag])).await;
    }
    let mut feeds: Vec<_> = (0..9_u64)
        .map(|n| feed(&store, tagged(&[&format!("third:{}", n % 3)]), n))
        .collect();
    let mut seen = vec![vec![]; feeds.len()];
    for _ in 0..4 {
        for ((feed, seen), limit) in feeds.iter_mut().zip(&mut seen).zip((1..=3).cycle()) {
            if feed.position() < 12 {
                seen.extend(next(feed, limit).await);
            }
        }
    }
    for (seen, n) in seen.into_iter().zip(0..) {
        let expected: Vec<_> = (n + 1..=12).filter(|p| p % 3 == n % 3).collect();
        assert_eq!(seen, expected, "the feed that began behind {n}");
    }
}

/// At most so many at once, and the position stands where the slice was cut.
pub async fn a_feed_keeps_its_limit(store: Arc<dyn Store>) {
    for n in 1..=10_u128 {
        let tag = format!("half:{}", n % 2);
        done(&*store, one(n, "Counted", &[&tag])).await;
    }
    let mut feed = feed(&store, tagged(&["half:0"]), 0);
    assert_eq!(next(&mut feed, 2).await, [2, 4]);
    assert_eq!(feed.position(), 4, "5 and 6 were not considered yet");
    assert_eq!(next(&mut feed, 0).await, [6], "a limit of 0 counts as 1");
    assert_eq!(next(&mut feed, usize::MAX).await, [8, 10]);
    assert_eq!(feed.position(), 10);
}

/// Where nothing matches, the slice is empty and the position moves on nevertheless.
pub async fn a_feed_moves_on_without_a_match(store: Arc<dyn Store>) {
    let mut feed = feed(&store, tagged(&["rare:1"]), 0);
    for n in 1..=3_u64 {
        done(&*store, one(n.into(), "Counted", &["all:1"])).await;
        assert_eq!(next(&mut feed, 10).await, NONE);
        assert_eq!(feed.position(), n);
    }
    done(&*store, one(4, "Counted", &["rare:1"])).await;
    done(&*store, one(5, "Counted", &["all:1"])).await;
    assert_eq!(next(&mut feed, 10).await, [4]);
    assert_eq!(
        feed.position(),
        5,
        "what does not match behind it is done with"
    );
    assert!(waits(&mut feed));
}

/// Who stops waiting for what comes next misses nothing of it.
pub async fn a_dropped_next_loses_nothing(store: Arc<dyn Store>) {
    let mut feed = feed(&store, Query::all(), 0);
    for n in 1..=5_u64 {
        for _ in 0..3 {
            assert!(waits(&mut feed));
        }
        assert_eq!(feed.position(), n - 1);
        done(&*store, one(n.into(), "Counted", &[])).await;
        drop(feed.next(10));
        assert_eq!(feed.position(), n - 1, "what was not awaited was not given");
        assert_eq!(next(&mut feed, 10).await, [n]);
    }
}

/// A position that is not there yet belongs to another history; the feed says so and stays.
pub async fn a_feed_beyond_the_head_is_an_error(store: Arc<dyn Store>) {
    let mut early = feed(&store, Query::all(), 1);
    assert!(
        early.next(10).await.is_err(),
        "an empty store has no position 1"
    );
    done(&*store, many(1..=3, "Counted", &[])).await;
    for after in [4, u64::MAX] {
        let mut beyond = feed(&store, Query::all(), after);
        assert!(beyond.next(10).await.is_err(), "the store ends at 3");
        assert_eq!(beyond.position(), after);
    }
    assert_eq!(
        next(&mut early, 10).await,
        [2, 3],
        "what is there can be fed"
    );
    assert!(waits(&mut feed(&store, Query::all(), 3)));
}

/// Whoever keeps the position may stop at any slice, and another feed goes on from there.
pub async fn a_feed_goes_on_where_another_ended(store: Arc<dyn Store>) {
    for n in 1..=15_u128 {
        let tag = format!("third:{}", n % 3);
        done(&*store, one(n, "Counted", &[&tag])).await;
    }
    let (mut kept, mut seen) = (0, vec![]);
    while kept < 15 {
        let mut feed = feed(&store, tagged(&["third:1"]), kept);
        seen.extend(next(&mut feed, 2).await);
        kept = feed.position();
    }
    assert_eq!(seen, [1, 4, 7, 10, 13]);
}
