//! The last event of a query: what the newest one is, without reading it.

use super::{append, done, event, head, item, last, many, one, positions, tagged};
use crate::query::Query;
use crate::store::{Range, Store};
use std::sync::Arc;

/// It is the position that a read of the newest gives, for every query.
pub async fn the_last_of_a_query_is_its_newest(store: Arc<dyn Store>) {
    for n in 0..30_u128 {
        let (x, y) = (format!("x:{}", n % 7), format!("y:{}", n % 3));
        done(&*store, one(n, ["A", "B"][n as usize % 2], &[&x, &y])).await;
    }
    let queries = [
        tagged(&["x:1"]),
        tagged(&["x:1", "y:2"]),
        Query::types(&["A"]),
        Query::types(&["B", "C"]),
        tagged(&["x:2"]).or(item(&["A"], &["y:0"])),
        Query {
            items: vec![item(&["B"], &["x:3"])],
        },
    ];
    for query in &queries {
        let newest = positions(&*store, query, Range::newest(1)).await;
        assert_eq!(vec![last(&*store, query).await], newest, "of {query:?}");
    }
    assert_eq!(last(&*store, &tagged(&["x:1"])).await, 30);
    assert_eq!(last(&*store, &tagged(&["x:2", "y:1"])).await, 17);
}

/// Of what is not there, the last is 0.
pub async fn the_last_of_nothing_is_0(store: Arc<dyn Store>) {
    let nothing = [tagged(&["b:1"]), Query::types(&["B"]), Query::default()];
    for query in &nothing {
        assert_eq!(last(&*store, query).await, 0);
    }
    assert_eq!(last(&*store, &Query::all()).await, 0, "of an empty store");
    done(&*store, many(1..=3, "A", &["a:1"])).await;
    for query in &nothing {
        assert_eq!(last(&*store, query).await, 0);
    }
}

/// Of everything, the last is the head; of a stream, it moves with its appends only.
pub async fn the_last_moves_with_the_appends(store: Arc<dyn Store>) {
    for n in 1..=6_u64 {
        let tag = ["a:1", "b:1"][n as usize % 2];
        let id = u128::from(n) * 2;
        let pair = vec![event(id, "A", &[tag]), event(id + 1, "A", &[tag])];
        let receipt = done(&*store, append(pair)).await;
        assert_eq!(last(&*store, &Query::all()).await, head(&*store).await);
        assert_eq!(last(&*store, &tagged(&[tag])).await, receipt.last);
        let other = ["b:1", "a:1"][n as usize % 2];
        assert_eq!(last(&*store, &tagged(&[other])).await, receipt.first - 1);
    }
}
