//! Stores that outlive the program: what was acknowledged is there when they are opened again.

use super::{
    Make, Opener, all, append, by_command, done, event, head, if_none, item, key, one, positions,
    refused, slice, tagged,
};
use crate::event::Time;
use crate::query::Query;
use crate::store::{AppendError, Appended, Range, Store};
use uuid::Uuid;

/// Some batches, with and without commands.
async fn fill(store: &dyn Store) {
    for n in 0..20_u128 {
        let id = n * 10;
        let thing = format!("thing:{}", n % 3);
        let batch = (0..=n % 4)
            .map(|k| event(id + k, ["A", "B"][k as usize % 2], &[&thing, "all:1"]))
            .collect();
        let mut append = append(batch);
        append.recorded_at = Time(2_000 + n as u64);
        if n % 2 == 0 {
            append = by_command(append, n, 1);
        }
        done(store, append).await;
    }
}

/// A store without events keeps its identity.
pub async fn an_empty_store_opens_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    let id = store.id();
    drop(store);
    for _ in 0..3 {
        let store = opener.open().await;
        assert_eq!(store.id(), id);
        assert_eq!(head(&*store).await, 0);
        assert_eq!(all(&*store).await, vec![]);
    }
}

/// Events, positions, times and identity are the same.
pub async fn events_are_there_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    fill(&*store).await;
    let (id, before) = (store.id(), all(&*store).await);
    drop(store);
    for _ in 0..3 {
        let store = opener.open().await;
        assert_eq!(store.id(), id);
        assert_eq!(all(&*store).await, before);
        assert_eq!(head(&*store).await, before.len() as u64);
    }
}

/// New events follow the old ones without a gap, over many openings.
pub async fn appends_go_on_where_they_ended<K, M: Make<K>>(opener: Opener<K, M>) {
    for n in 1..=10_u64 {
        let store = opener.open().await;
        let receipt = done(&*store, one(n.into(), "Counted", &["all:1"])).await;
        assert_eq!((receipt.first, receipt.last), (n, n));
    }
    let store = opener.open().await;
    let found = positions(&*store, &tagged(&["all:1"]), Range::after(0, 100)).await;
    assert_eq!(found, (1..=10).collect::<Vec<_>>());
}

/// Receipts are kept as long as the events.
pub async fn receipts_are_there_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    let mut receipts = vec![];
    for n in 0..10_u128 {
        let mut batch = append((0..=n).map(|k| event(n * 100 + k, "A", &[])).collect());
        batch.recorded_at = Time(5_000 - n as u64);
        receipts.push((n, done(&*store, by_command(batch, n, 1)).await));
        done(&*store, one(n * 100 + 99, "A", &[])).await;
    }
    drop(store);
    let store = opener.open().await;
    let before = head(&*store).await;
    for (n, receipt) in receipts {
        assert_eq!(
            store.command(Uuid::from_u128(n)).await,
            Ok(Some((key(n, 1), receipt)))
        );
        let again = done(&*store, by_command(one(9_000, "A", &[]), n, 1)).await;
        assert_eq!(
            again,
            Appended {
                repeated: true,
                ..receipt
            }
        );
        let id = Uuid::from_u128(n);
        let other = refused(&*store, by_command(one(9_000, "A", &[]), n, 2)).await;
        assert_eq!(other, AppendError::CommandReused { id });
    }
    assert_eq!(store.command(Uuid::from_u128(77)).await, Ok(None));
    assert_eq!(head(&*store).await, before);
}

/// Event ids are known, refused, and repeated batches recognised.
pub async fn event_ids_are_known_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    let batch = append(vec![event(1, "A", &["a:1"]), event(2, "B", &["a:2"])]);
    let first = done(&*store, batch.clone()).await;
    done(&*store, one(3, "A", &[])).await;
    drop(store);
    let store = opener.open().await;
    assert_eq!(store.event(Uuid::from_u128(2)).await, Ok(Some(2)));
    assert_eq!(store.event(Uuid::from_u128(4)).await, Ok(None));
    assert_eq!(
        done(&*store, batch).await,
        Appended {
            repeated: true,
            ..first
        }
    );
    let id = Uuid::from_u128(3);
    let other = refused(&*store, one(3, "B", &[])).await;
    assert_eq!(other, AppendError::DuplicateEvent { id, position: 3 });
    assert_eq!(head(&*store).await, 3);
}

/// Conditions look at the whole history.
pub async fn conditions_see_what_was_before<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    fill(&*store).await;
    let last = head(&*store).await;
    drop(store);
    let store = opener.open().await;
    let thing = || Query {
        items: vec![item(&["A"], &["thing:0", "all:1"])],
    };
    let conflict = refused(&*store, if_none(one(9_000, "A", &[]), thing(), 0)).await;
    assert_eq!(
        conflict,
        AppendError::Conflict {
            condition: 0,
            position: 1
        }
    );
    let beyond = refused(&*store, if_none(one(9_000, "A", &[]), thing(), last + 1)).await;
    assert!(matches!(beyond, AppendError::Invalid(_)));
    done(&*store, if_none(one(9_000, "A", &[]), thing(), last)).await;
}

/// Queries give the same slices.
pub async fn queries_select_as_before<K, M: Make<K>>(opener: Opener<K, M>) {
    let queries = [
        tagged(&["thing:1"]),
        Query::types(&["B"]),
        tagged(&["thing:2", "all:1"]).or(item(&["B"], &["thing:0"])),
        Query::default(),
    ];
    let ranges = [Range::after(0, 100), Range::after(5, 4), Range::newest(7)];
    let store = opener.open().await;
    fill(&*store).await;
    let mut before = vec![];
    for query in &queries {
        for range in ranges {
            before.push(slice(&*store, query, range).await);
        }
    }
    drop(store);
    let store = opener.open().await;
    let mut slices = before.into_iter();
    for query in &queries {
        for range in ranges {
            assert_eq!(Some(slice(&*store, query, range).await), slices.next());
        }
    }
}

/// A clock that was set back while the store was closed does not turn the history's time back.
pub async fn time_never_runs_backwards_across_openings<K, M: Make<K>>(opener: Opener<K, M>) {
    for (n, (given, recorded)) in [(5_000, 5_000), (4_000, 5_000), (6_000, 6_000), (1, 6_000)]
        .into_iter()
        .enumerate()
    {
        let store = opener.open().await;
        let mut append = one(n as u128, "Counted", &[]);
        append.recorded_at = Time(given);
        assert_eq!(done(&*store, append).await.recorded_at, Time(recorded));
    }
}
