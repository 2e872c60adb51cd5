//! Reads: by type and tag, both ways, with bounds, from one snapshot.

use super::{append, done, event, item, one, positions, slice, tagged};
use crate::event::Position;
use crate::query::Query;
use crate::store::{Range, Store};
use std::sync::Arc;

const NONE: [Position; 0] = [];

/// Twelve events: types A, B, C in turn, tags `x:0|1`, `y:0|1|2`, some with both.
async fn twelve(store: &dyn Store) {
    for n in 1..=12_u128 {
        let ty = ["A", "B", "C"][(n as usize - 1) % 3];
        let (x, y) = (format!("x:{}", n % 2), format!("y:{}", n % 4));
        let tags: &[&str] = if n % 5 == 0 { &[] } else { &[&x, &y] };
        done(store, one(n, ty, tags)).await;
    }
}

async fn found(store: &dyn Store, query: Query) -> Vec<Position> {
    let forwards = positions(store, &query, Range::after(0, 100)).await;
    let mut backwards = positions(store, &query, Range::newest(100)).await;
    backwards.reverse();
    assert_eq!(forwards, backwards, "both ways select the same");
    forwards
}

/// Forwards: in the order of positions.
pub async fn reads_go_forwards(store: Arc<dyn Store>) {
    twelve(&*store).await;
    let all = positions(&*store, &Query::all(), Range::after(0, 100)).await;
    assert_eq!(all, (1..=12).collect::<Vec<_>>());
    let rest = positions(&*store, &Query::all(), Range::after(9, 100)).await;
    assert_eq!(rest, [10, 11, 12]);
}

/// Backwards: newest first.
pub async fn reads_go_backwards(store: Arc<dyn Store>) {
    twelve(&*store).await;
    let all = positions(&*store, &Query::all(), Range::newest(100)).await;
    assert_eq!(all, (1..=12).rev().collect::<Vec<_>>());
    let range = Range {
        after: 3,
        before: Some(10),
        backwards: true,
        limit: 100,
    };
    let some = positions(&*store, &Query::types(&["A"]), range).await;
    assert_eq!(some, [7, 4]);
}

/// A limit cuts the slice, at the end where the reading stopped.
pub async fn reads_stop_at_the_limit(store: Arc<dyn Store>) {
    twelve(&*store).await;
    let all = Query::all();
    assert_eq!(positions(&*store, &all, Range::after(0, 1)).await, [1]);
    assert_eq!(
        positions(&*store, &all, Range::after(4, 3)).await,
        [5, 6, 7]
    );
    assert_eq!(positions(&*store, &all, Range::newest(2)).await, [12, 11]);
    let types = Query::types(&["B"]);
    assert_eq!(positions(&*store, &types, Range::after(0, 2)).await, [2, 5]);
    assert_eq!(positions(&*store, &types, Range::newest(2)).await, [11, 8]);
    let mut seen = vec![];
    let mut after = 0;
    loop {
        let part = positions(&*store, &all, Range::after(after, 5)).await;
        let Some(last) = part.last() else { break };
        after = *last;
        seen.extend(part);
    }
    assert_eq!(
        seen,
        (1..=12).collect::<Vec<_>>(),
        "slices join without gap or repetition"
    );
}

/// `after` and `before` are both outside what is read.
pub async fn reads_stay_between_after_and_before(store: Arc<dyn Store>) {
    twelve(&*store).await;
    let between = |after, before| Range {
        after,
        before,
        backwards: false,
        limit: 100,
    };
    let all = Query::all();
    assert_eq!(
        positions(&*store, &all, between(4, Some(8))).await,
        [5, 6, 7]
    );
    assert_eq!(positions(&*store, &all, between(11, Some(99))).await, [12]);
    assert_eq!(positions(&*store, &all, between(4, Some(5))).await, NONE);
    assert_eq!(positions(&*store, &all, between(8, Some(4))).await, NONE);
    assert_eq!(positions(&*store, &all, between(0, Some(1))).await, NONE);
    assert_eq!(positions(&*store, &all, between(0, Some(0))).await, NONE);
    let range = between(2, Some(9));
    assert_eq!(positions(&*store, &tagged(&["x:1"]), range).await, [3, 7]);
}

/// Any of the types; no type means any.
pub async fn a_query_selects_by_type(store: Arc<dyn Store>) {
    twelve(&*store).await;
    assert_eq!(found(&*store, Query::types(&["A"])).await, [1, 4, 7, 10]);
    assert_eq!(
        found(&*store, Query::types(&["C", "A"])).await,
        [1, 3, 4, 6, 7, 9, 10, 12]
    );
    assert_eq!(
        found(&*store, Query::types(&["A", "A"])).await,
        [1, 4, 7, 10]
    );
    assert_eq!(found(&*store, Query::types(&["D"])).await, NONE);
    assert_eq!(
        found(&*store, Query::types(&["A", "D"])).await,
        [1, 4, 7, 10]
    );
    assert_eq!(
        found(&*store, Query::types(&["a"])).await,
        NONE,
        "names are compared exactly"
    );
}

/// All of the tags, whatever other tags there are.
pub async fn a_query_joins_tags_by_and(store: Arc<dyn Store>) {
    twelve(&*store).await;
    assert_eq!(found(&*store, tagged(&["x:1"])).await, [1, 3, 7, 9, 11]);
    assert_eq!(found(&*store, tagged(&["x:1", "y:3"])).await, [3, 7, 11]);
    assert_eq!(
        found(&*store, tagged(&["y:3", "x:1", "y:3"])).await,
        [3, 7, 11]
    );
    assert_eq!(found(&*store, tagged(&["x:1", "y:2"])).await, NONE);
    assert_eq!(found(&*store, tagged(&["x:1", "z:1"])).await, NONE);
    assert_eq!(
        found(&*store, tagged(&["x"])).await,
        NONE,
        "tags are compared whole"
    );
    let query = Query {
        items: vec![item(&["A", "C"], &["x:1"])],
    };
    assert_eq!(found(&*store, query).await, [1, 3, 7, 9]);
    done(&*store, append(vec![event(90, "A", &["q:1", "q:1"])])).await;
    assert_eq!(
        found(&*store, tagged(&["q:1"])).await,
        [13],
        "a tag given twice counts once"
    );
}

/// Items are alternatives; an event that fits several comes once.
pub async fn a_query_joins_items_by_or(store: Arc<dyn Store>) {
    twelve(&*store).await;
    let query = tagged(&["y:1"])
        .or(item(&["B"], &[]))
        .or(item(&["B", "C"], &["x:1"]));
    assert_eq!(found(&*store, query).await, [1, 2, 3, 5, 8, 9, 11]);
    let query = Query::all().or(item(&["B"], &[]));
    assert_eq!(found(&*store, query).await, (1..=12).collect::<Vec<_>>());
    let query = Query::types(&["D"]).or(item(&[], &["y:0"]));
    assert_eq!(found(&*store, query).await, [4, 8, 12]);
}

/// A query without items selects nothing.
pub async fn an_empty_query_selects_nothing(store: Arc<dyn Store>) {
    twelve(&*store).await;
    assert_eq!(found(&*store, Query::default()).await, NONE);
    let nothing = slice(&*store, &Query::default(), Range::after(0, 10)).await;
    assert_eq!(nothing.head, 12, "the head is known even so");
}

/// A slice says up to where the store was considered.
pub async fn a_slice_names_its_head(store: Arc<dyn Store>) {
    let empty = slice(&*store, &Query::all(), Range::after(0, 10)).await;
    assert_eq!((empty.events.len(), empty.head), (0, 0));
    twelve(&*store).await;
    for range in [Range::after(0, 100), Range::after(3, 2), Range::newest(1)] {
        assert_eq!(slice(&*store, &Query::all(), range).await.head, 12);
    }
    assert_eq!(
        slice(&*store, &tagged(&["none:1"]), Range::after(0, 9))
            .await
            .head,
        12
    );
}

/// Nothing lies behind the head, and asking is no mistake.
pub async fn a_read_beyond_the_head_is_empty(store: Arc<dyn Store>) {
    twelve(&*store).await;
    for after in [12, 13, u64::MAX] {
        let none = slice(&*store, &Query::all(), Range::after(after, 10)).await;
        assert_eq!((none.events.len(), none.head), (0, 12));
        let range = Range {
            after,
            before: Some(u64::MAX),
            backwards: true,
            limit: 10,
        };
        assert_eq!(positions(&*store, &tagged(&["x:1"]), range).await, NONE);
    }
}
