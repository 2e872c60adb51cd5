//! Conditions: nothing relevant has happened, or nothing is appended.

use super::{all, block_on, done, head, if_none, item, one, refused, tagged, together};
use crate::event::Position;
use crate::query::Query;
use crate::store::{AppendError, Store};
use std::sync::Arc;

fn conflict(condition: usize, position: Position) -> AppendError {
    AppendError::Conflict {
        condition,
        position,
    }
}

/// A condition that does not hold refuses the append, and nothing changes.
pub async fn a_condition_holds_or_nothing_is_appended(store: Arc<dyn Store>) {
    let free = tagged(&["name:ann"]);
    done(
        &*store,
        if_none(one(1, "NameTaken", &["name:ann"]), free.clone(), 0),
    )
    .await;
    let before = all(&*store).await;
    let again = if_none(one(2, "NameTaken", &["name:ann"]), free, 0);
    assert_eq!(refused(&*store, again).await, conflict(0, 1));
    assert_eq!(all(&*store).await, before);
    let other = if_none(one(3, "NameTaken", &["name:bob"]), tagged(&["name:bob"]), 0);
    assert_eq!(done(&*store, other).await.first, 2);
}

/// Only events behind the condition's position count.
pub async fn a_condition_looks_only_behind_its_position(store: Arc<dyn Store>) {
    for n in 1..=4 {
        done(&*store, one(n, "Counted", &["thing:1"])).await;
    }
    let thing = || tagged(&["thing:1"]);
    for after in 0..4 {
        let stale = if_none(one(9, "Counted", &["thing:1"]), thing(), after);
        assert_eq!(refused(&*store, stale).await, conflict(0, after + 1));
    }
    let fresh = if_none(one(9, "Counted", &["thing:1"]), thing(), 4);
    assert_eq!(done(&*store, fresh).await.first, 5);
}

/// Of several events that match, the first is named; of several conditions, the first that fails.
pub async fn a_conflict_names_the_first_event_and_the_condition(store: Arc<dyn Store>) {
    for (n, tag) in [(1, "a:1"), (2, "b:1"), (3, "a:1"), (4, "b:1")] {
        done(&*store, one(n, "Counted", &[tag])).await;
    }
    let append = if_none(one(9, "Counted", &[]), tagged(&["none:1"]), 0);
    let append = if_none(append, tagged(&["b:1"]), 2);
    let append = if_none(append, tagged(&["a:1"]), 0);
    assert_eq!(refused(&*store, append).await, conflict(1, 4));
    let append = if_none(
        one(9, "Counted", &[]),
        tagged(&["a:1"]).or(item(&[], &["b:1"])),
        1,
    );
    assert_eq!(
        refused(&*store, append).await,
        conflict(0, 2),
        "items are alternatives"
    );
}

/// A condition over types and several tags fails only on an event that has it all.
pub async fn a_condition_joins_types_and_tags(store: Arc<dyn Store>) {
    done(&*store, one(1, "Joined", &["student:1", "course:2"])).await;
    done(&*store, one(2, "Joined", &["student:2", "course:1"])).await;
    done(&*store, one(3, "Left", &["student:1", "course:1"])).await;
    let query = || Query {
        items: vec![item(&["Joined", "Moved"], &["student:1", "course:1"])],
    };
    let join = |n| {
        if_none(
            one(n, "Joined", &["course:1", "other:9", "student:1"]),
            query(),
            0,
        )
    };
    assert_eq!(done(&*store, join(4)).await.first, 4);
    assert_eq!(refused(&*store, join(5)).await, conflict(0, 4));
    let any = if_none(one(6, "Left", &[]), tagged(&["course:1", "student:1"]), 0);
    assert_eq!(
        refused(&*store, any).await,
        conflict(0, 3),
        "no type means any type"
    );
    let types = if_none(one(7, "Left", &[]), Query::types(&["Moved", "Left"]), 0);
    assert_eq!(
        refused(&*store, types).await,
        conflict(0, 3),
        "no tag means any tags"
    );
}

/// One failing condition among many refuses the append.
pub async fn every_condition_must_hold(store: Arc<dyn Store>) {
    done(&*store, one(1, "Counted", &["thing:7"])).await;
    let mut append = one(2, "Counted", &[]);
    for n in 0..10 {
        append = if_none(append, tagged(&[&format!("thing:{n}")]), 0);
    }
    assert_eq!(refused(&*store, append.clone()).await, conflict(7, 1));
    append.conditions[7].after = 1;
    assert_eq!(done(&*store, append).await.first, 2);
}

/// A condition with an empty query holds whatever happened; one on all events holds at the head.
pub async fn a_condition_on_nothing_always_holds(store: Arc<dyn Store>) {
    done(
        &*store,
        if_none(one(1, "Counted", &["a:1"]), Query::all(), 0),
    )
    .await;
    done(
        &*store,
        if_none(one(2, "Counted", &["a:1"]), Query::default(), 0),
    )
    .await;
    done(
        &*store,
        if_none(one(3, "Counted", &["a:1"]), Query::all(), 2),
    )
    .await;
    let late = if_none(one(4, "Counted", &["a:1"]), Query::all(), 2);
    assert_eq!(refused(&*store, late).await, conflict(0, 3));
}

/// Writers that count on each other's events: every increment builds on the one before.
pub async fn a_condition_sees_other_writers(store: Arc<dyn Store>) {
    const WRITERS: usize = 6;
    const EACH: u128 = 15;
    let conflicts: usize = together(WRITERS, |thread| {
        let mut conflicts = 0;
        for n in 0..EACH {
            let id = (thread as u128 + 1) * 1_000 + n;
            conflicts += block_on(add_one(&*store, id));
        }
        conflicts
    })
    .into_iter()
    .sum();
    let total = WRITERS as u64 * EACH as u64;
    assert_eq!(head(&*store).await, total);
    for (event, n) in all(&*store).await.iter().zip(0_u64..) {
        let seen = event
            .tags
            .iter()
            .find(|t| t.kind() == "seen")
            .map(|t| t.value().to_string());
        assert_eq!(
            seen,
            Some(n.to_string()),
            "an append missed an event ({conflicts} conflicts)"
        );
    }
}

/// Adds one event that says how many there were; tries again until nothing came between.
async fn add_one(store: &dyn Store, id: u128) -> usize {
    let mut conflicts = 0;
    loop {
        let seen = head(store).await;
        let event = one(id, "Counted", &["counter:1", &format!("seen:{seen}")]);
        match store
            .append(if_none(event, tagged(&["counter:1"]), seen))
            .await
        {
            Ok(_) => return conflicts,
            Err(AppendError::Conflict {
                condition: 0,
                position,
            }) => {
                assert!(
                    position > seen,
                    "a conflict lies behind the condition's position"
                );
                assert!(
                    position <= head(store).await,
                    "a conflict is with what can be read"
                );
                conflicts += 1;
            }
            Err(e) => panic!("only a conflict was to be expected, but: {e}"),
        }
    }
}

/// Of appends that exclude each other and come at once, exactly one is accepted.
pub async fn of_simultaneous_appends_one_wins(store: Arc<dyn Store>) {
    for round in 0..20_u128 {
        let tag = format!("seat:{round}");
        let won = together(6, |thread| {
            let id = round * 100 + thread as u128;
            let query = tagged(&[&tag]);
            block_on(store.append(if_none(one(id, "SeatTaken", &[&tag]), query, 0)))
        });
        let winners: Vec<_> = won.iter().flatten().collect();
        assert_eq!(
            winners.len(),
            1,
            "round {round}: exactly one writer gets the seat"
        );
        for lost in won.iter().filter_map(|w| w.as_ref().err()) {
            assert_eq!(*lost, conflict(0, winners[0].first));
        }
    }
}
