//! Reads of much: in many slices, beside writers, over many events, items and tags.

use super::{append, block_on, done, event, item, many, one, positions, slice, tagged};
use crate::event::{Position, Tag};
use crate::query::Query;
use crate::store::{MAX_BATCH_EVENTS, MAX_TAGS, Range, Store};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const NONE: [Position; 0] = [];

/// 300 events in batches of 60: type `T0` to `T4`, tags `all:1` and `ten:0` to `ten:9`.
async fn three_hundred(store: &dyn Store) {
    for n in 0..5_u128 {
        let one = |k: u128| {
            event(
                k,
                &format!("T{}", k % 5),
                &["all:1", &format!("ten:{}", k % 10)],
            )
        };
        done(store, append((n * 60 + 1..=n * 60 + 60).map(one).collect())).await;
    }
}

/// Read in slices of any size and either way, everything comes once and in order.
pub async fn small_slices_give_everything_once(store: Arc<dyn Store>) {
    three_hundred(&*store).await;
    let queries = [
        Query::all(),
        tagged(&["ten:3"]),
        Query::types(&["T1", "T4"]),
    ];
    for query in &queries {
        let whole = positions(&*store, query, Range::after(0, 1_000)).await;
        for limit in [1, 7, 60, 299] {
            let mut forwards = vec![];
            let mut range = Range::after(0, limit);
            while let part @ [_, ..] = &*positions(&*store, query, range).await {
                range.after = part[part.len() - 1];
                assert!(part.len() <= limit, "a slice keeps its limit");
                forwards.extend_from_slice(part);
            }
            assert!(forwards == whole, "forwards in slices of {limit}");
            let mut backwards = vec![];
            let mut range = Range::newest(limit);
            while let part @ [_, ..] = &*positions(&*store, query, range).await {
                range.before = Some(part[part.len() - 1]);
                assert!(part.len() <= limit, "a slice keeps its limit");
                backwards.extend_from_slice(part);
            }
            backwards.reverse();
            assert!(backwards == whole, "backwards in slices of {limit}");
        }
    }
    assert_eq!(
        positions(&*store, &queries[1], Range::after(0, 1_000))
            .await
            .len(),
        30
    );
}

/// A limit of 0 counts as 1: an empty slice means that there is no more.
pub async fn a_limit_of_0_counts_as_1(store: Arc<dyn Store>) {
    done(&*store, many(1..=3, "Counted", &["a:1"])).await;
    for query in [Query::all(), tagged(&["a:1"]), Query::types(&["Counted"])] {
        assert_eq!(positions(&*store, &query, Range::after(1, 0)).await, [2]);
        assert_eq!(positions(&*store, &query, Range::newest(0)).await, [3]);
        assert_eq!(positions(&*store, &query, Range::after(3, 0)).await, NONE);
    }
}

/// Backwards, too, `after` and `before` are outside, and the limit counts from the newest.
pub async fn backwards_reads_stay_between_their_bounds(store: Arc<dyn Store>) {
    three_hundred(&*store).await;
    let back = |after, before, limit| Range {
        after,
        before,
        backwards: true,
        limit,
    };
    let all = Query::all();
    assert_eq!(
        positions(&*store, &all, back(4, Some(8), 9)).await,
        [7, 6, 5]
    );
    assert_eq!(positions(&*store, &all, back(4, Some(8), 2)).await, [7, 6]);
    assert_eq!(
        positions(&*store, &all, back(298, None, 9)).await,
        [300, 299]
    );
    assert_eq!(
        positions(&*store, &all, back(299, Some(999), 9)).await,
        [300]
    );
    for (after, before) in [(7, 8), (8, 8), (8, 4), (0, 1), (0, 0), (300, 301)] {
        assert_eq!(
            positions(&*store, &all, back(after, Some(before), 9)).await,
            NONE
        );
    }
    let ten = tagged(&["ten:5"]);
    assert_eq!(
        positions(&*store, &ten, back(5, Some(45), 2)).await,
        [35, 25]
    );
    assert_eq!(
        positions(&*store, &ten, back(5, Some(36), 9)).await,
        [35, 25, 15]
    );
    let types = Query::types(&["T0"]);
    assert_eq!(
        positions(&*store, &types, back(285, Some(300), 9)).await,
        [295, 290]
    );
}

/// A read beside a writer gives a prefix of what is there in the end, and nothing beyond its head.
pub async fn a_read_beside_a_writer_is_a_prefix(store: Arc<dyn Store>) {
    let writing = AtomicBool::new(true);
    let odd = tagged(&["half:1"]);
    let slices = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut slices = vec![];
            while writing.load(Ordering::Relaxed) && slices.len() < 1_000 {
                slices.push(block_on(slice(&*store, &odd, Range::after(0, 1_000))));
            }
            slices
        });
        for n in 1..=100_u128 {
            let tag = format!("half:{}", n % 2);
            block_on(done(&*store, one(n, "Counted", &[&tag])));
        }
        writing.store(false, Ordering::Relaxed);
        reader.join().unwrap_or_default()
    });
    let whole = slice(&*store, &odd, Range::after(0, 1_000)).await;
    assert_eq!((whole.events.len(), whole.head), (50, 100));
    let mut head = 0;
    for seen in slices.iter().chain([&whole]) {
        assert!(seen.head >= head, "the head never goes back");
        head = seen.head;
        let expected = head.div_ceil(2) as usize;
        assert!(
            seen.events == whole.events[..expected],
            "a read up to {head} must give {expected} events of the history, in its order"
        );
    }
}

/// A type that was never appended selects nothing, and takes nothing from the other alternatives.
pub async fn an_unknown_type_selects_nothing(store: Arc<dyn Store>) {
    three_hundred(&*store).await;
    let find = |query: Query, limit| {
        let store = store.clone();
        async move { positions(&*store, &query, Range::after(0, limit)).await }
    };
    assert_eq!(find(Query::types(&["Unknown"]), 9).await, NONE);
    let unknown = || item(&["Unknown"], &["all:1"]);
    let first = Query::default().or(unknown()).or(item(&[], &["ten:4"]));
    assert_eq!(find(first, 3).await, [4, 14, 24]);
    assert_eq!(find(Query::default().or(unknown()), 9).await, NONE);
    assert_eq!(find(tagged(&["ten:3"]).or(unknown()), 3).await, [3, 13, 23]);
    assert_eq!(find(Query::types(&["Unknown", "T2"]), 3).await, [2, 7, 12]);
    assert_eq!(
        find(Query::types(&["T"]), 9).await,
        NONE,
        "names are compared whole"
    );
    assert_eq!(find(Query::types(&["T22"]), 9).await, NONE);
}

/// By type alone over many events: some of the types, from anywhere, both ways.
pub async fn many_events_are_selected_by_type(store: Arc<dyn Store>) {
    three_hundred(&*store).await;
    let types = Query::types(&["T1", "T3"]);
    let expected: Vec<Position> = (1..=300).filter(|p| p % 5 == 1 || p % 5 == 3).collect();
    let found = positions(&*store, &types, Range::after(0, 1_000)).await;
    assert_eq!(found, expected);
    for (after, from) in [(150, [151, 153, 156]), (151, [153, 156, 158])] {
        let found = positions(&*store, &types, Range::after(after, 3)).await;
        assert_eq!(found, from);
    }
    let newest = positions(&*store, &types, Range::newest(3)).await;
    assert_eq!(newest, [298, 296, 293]);
}

/// A query of hundreds of alternatives, most of them for what is not there.
pub async fn a_query_has_many_items(store: Arc<dyn Store>) {
    three_hundred(&*store).await;
    let mut query = Query::default();
    for n in 0..300 {
        query = query.or(item(&["T2", "None"], &["all:1", &format!("ten:{n}")]));
    }
    let expected: Vec<Position> = (1..=300).filter(|p| p % 5 == 2).collect();
    let found = positions(&*store, &query, Range::after(0, 1_000)).await;
    assert_eq!(
        found, expected,
        "each event once, however many items it fits"
    );
    let mut newest = positions(&*store, &query, Range::newest(1_000)).await;
    newest.reverse();
    assert_eq!(newest, expected);
}

/// An event with as many tags as fit is found by each, and by all together.
pub async fn an_event_with_many_tags_is_found_by_each(store: Arc<dyn Store>) {
    let tags: Vec<Tag> = (0..MAX_TAGS).map(|n| Tag::new("n", n)).collect();
    for n in 1..=3 {
        let mut event = event(n, "Counted", &[]);
        event.tags = tags[..if n == 2 { MAX_TAGS - 1 } else { MAX_TAGS }].to_vec();
        done(&*store, append(vec![event])).await;
    }
    let last = MAX_TAGS - 1;
    for (n, tag) in tags.iter().enumerate() {
        let found = positions(&*store, &Query::tags(vec![tag.clone()]), Range::after(0, 9)).await;
        assert_eq!(found, if n == last { vec![1, 3] } else { vec![1, 2, 3] });
    }
    assert_eq!(
        positions(&*store, &Query::tags(tags), Range::after(0, 9)).await,
        [1, 3]
    );
}

/// A tag that an event names twice comes back as it was given, and selects it once.
pub async fn a_tag_given_twice_selects_once(store: Arc<dyn Store>) {
    let twice = ["a:1", "b:1", "a:1"];
    done(&*store, one(1, "Counted", &twice)).await;
    done(&*store, one(2, "Counted", &["a:1"])).await;
    for query in [
        tagged(&["a:1"]),
        tagged(&["a:1", "a:1"]).or(item(&[], &["a:1"])),
    ] {
        let found = slice(&*store, &query, Range::after(0, 9)).await.events;
        let seen: Vec<_> = found.iter().map(|e| e.meta.position).collect();
        assert_eq!(seen, [1, 2]);
        assert_eq!(found[0].tags, twice.map(Tag::raw));
    }
}

/// The largest batch is one append: consecutive, whole, and readable in slices.
pub async fn a_full_batch_is_one_append(store: Arc<dyn Store>) {
    const FULL: u64 = MAX_BATCH_EVENTS as u64;
    done(&*store, one(1, "Counted", &["n:0"])).await;
    let one = |n: u128| event(n + 2, "Counted", &[&format!("n:{}", n % 1_000)]);
    let batch = append((0..FULL.into()).map(one).collect());
    let receipt = done(&*store, batch).await;
    assert_eq!((receipt.first, receipt.last), (2, FULL + 1));
    let found = positions(&*store, &tagged(&["n:7"]), Range::after(0, 9)).await;
    assert_eq!(found, [9, 1_009, 2_009, 3_009, 4_009]);
    let tail = positions(&*store, &Query::all(), Range::after(FULL - 1, 9)).await;
    assert_eq!(tail, [FULL, FULL + 1]);
}
