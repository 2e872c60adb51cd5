//! Stores that outlive the program: what was acknowledged is there when they are opened again.

use super::erase::{ann_and_bob, erased, erasure};
use super::feed::{feed, next};
use super::{
    Make, Opener, all, append, by_command, done, event, head, if_none, item, key, last, many, one,
    positions, refused, slice, tagged,
};
use crate::event::Time;
use crate::query::Query;
use crate::store::{AppendError, Appended, Durability, ERASED, Range, Store};
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

/// What was erased does not come back, and its tombstone and the other streams are there.
pub async fn what_is_erased_stays_erased<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    ann_and_bob(&*store).await;
    done(&*store, many(10..=60, "Said", &["person:ann"])).await;
    let mut erase = erasure(900, "person:ann");
    erase.keep.types = true;
    assert_eq!(erased(&*store, erase).await.events, 54);
    let before = all(&*store).await;
    drop(store);
    for _ in 0..3 {
        let store = opener.open().await;
        assert_eq!(all(&*store).await, before);
        let gone = positions(&*store, &Query::types(&[ERASED]), Range::after(0, 3)).await;
        assert_eq!(gone, [1, 3, 4]);
        let ann = tagged(&["person:ann"]);
        assert_eq!(positions(&*store, &ann, Range::after(0, 9)).await, [56]);
        assert_eq!(last(&*store, &ann).await, 56);
        assert_eq!(last(&*store, &tagged(&["person:bob"])).await, 2);
        assert_eq!(last(&*store, &Query::types(&["Said", "Met"])).await, 0);
    }
}

/// Ids, receipts and the erasure itself are known: sent again, it does nothing.
pub async fn an_erasure_is_known_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    let joined = by_command(one(1, "Joined", &["person:ann"]), 70, 1);
    let receipt = done(&*store, joined.clone()).await;
    let mut erase = erasure(900, "person:ann");
    erase.tombstone = by_command(erase.tombstone, 71, 1);
    let first = erased(&*store, erase.clone()).await;
    drop(store);
    let store = opener.open().await;
    assert_eq!(store.event(Uuid::from_u128(1)).await, Ok(Some(1)));
    let id = Uuid::from_u128(1);
    let again = refused(&*store, one(1, "Joined", &["person:ann"])).await;
    assert_eq!(again, AppendError::DuplicateEvent { id, position: 1 });
    let repeated = |receipt| Appended {
        repeated: true,
        ..receipt
    };
    assert_eq!(done(&*store, joined).await, repeated(receipt));
    let again = erased(&*store, erase).await;
    assert_eq!(
        (again.events, again.tombstone),
        (0, repeated(first.tombstone))
    );
    assert_eq!(head(&*store).await, 2);
}

/// Appends, conditions and further erasures go on from opening to opening.
pub async fn appends_go_on_behind_an_erasure<K, M: Make<K>>(opener: Opener<K, M>) {
    for n in 0..4_u64 {
        let store = opener.open().await;
        let joined = Query {
            items: vec![item(&["Joined"], &["person:ann"])],
        };
        let id = u128::from(n) * 10;
        let join = if_none(one(id, "Joined", &["person:ann"]), joined.clone(), 0);
        assert_eq!(done(&*store, join.clone()).await.first, n * 3 + 1);
        let mut second = if_none(one(id + 1, "Joined", &["person:ann"]), joined, 0);
        let conflict = AppendError::Conflict {
            condition: 0,
            position: n * 3 + 1,
        };
        assert_eq!(refused(&*store, second.clone()).await, conflict);
        second.conditions.clear();
        done(&*store, second).await;
        // The tombstone before counts, too: it carries the tag.
        let tombstones = u64::from(n > 0);
        let receipt = erased(&*store, erasure(900 + id, "person:ann")).await;
        assert_eq!(
            (receipt.events, receipt.tombstone.first),
            (2 + tombstones, n * 3 + 3)
        );
    }
    let store = opener.open().await;
    let gone = positions(&*store, &Query::types(&[ERASED]), Range::after(0, 99)).await;
    assert_eq!(gone, (1..=11).collect::<Vec<_>>());
}

/// An erasure that got no further than its tombstone is finished by its command, much later.
pub async fn an_interrupted_erasure_is_finished<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    ann_and_bob(&*store).await;
    let mut erase = erasure(900, "person:ann");
    erase.tombstone = by_command(erase.tombstone, 70, 1);
    done(&*store, erase.tombstone.clone()).await;
    done(&*store, one(6, "Joined", &["person:ann"])).await;
    drop(store);
    let store = opener.open().await;
    let receipt = erased(&*store, erase).await;
    assert_eq!((receipt.events, receipt.tombstone.repeated), (3, true));
    drop(store);
    let store = opener.open().await;
    let ann = positions(&*store, &tagged(&["person:ann"]), Range::after(0, 9)).await;
    assert_eq!(ann, [5, 6]);
}

/// A position that was kept is enough to go on with.
pub async fn a_feed_goes_on_after_opening<K, M: Make<K>>(opener: Opener<K, M>) {
    let (mut kept, mut seen) = (0, vec![]);
    for n in 0..4_u128 {
        let store = opener.open().await;
        let batch = (n * 6..n * 6 + 6).map(|k| event(k, "A", &[["a:1", "b:1"][k as usize % 2]]));
        done(&*store, append(batch.collect())).await;
        let mut feed = feed(&store, tagged(&["a:1"]), kept);
        // Each opening leaves more behind for the next.
        seen.extend(next(&mut feed, 2).await);
        kept = feed.position();
    }
    let store = opener.open().await;
    let mut feed = feed(&store, tagged(&["a:1"]), kept);
    seen.extend(next(&mut feed, 99).await);
    assert_eq!(feed.position(), 24);
    assert_eq!(seen, (1..=24).step_by(2).collect::<Vec<_>>());
}

/// What outlives the program says so, and a receipt says the same after an opening.
pub async fn receipts_name_their_durability_again<K, M: Make<K>>(opener: Opener<K, M>) {
    let store = opener.open().await;
    let command = by_command(one(1, "A", &[]), 70, 1);
    let plain = one(2, "A", &[]);
    let first = done(&*store, command.clone()).await.durability;
    assert_ne!(first, Durability::Memory, "it outlives the program");
    done(&*store, plain.clone()).await;
    drop(store);
    let store = opener.open().await;
    for again in [command, plain, one(3, "A", &[])] {
        assert_eq!(done(&*store, again).await.durability, first);
    }
    let kept = store.command(Uuid::from_u128(70)).await;
    assert_eq!(kept.ok().flatten().map(|(_, r)| r.durability), Some(first));
}
