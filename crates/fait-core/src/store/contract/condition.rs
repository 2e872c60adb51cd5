//! Conditions: nothing relevant has happened, or nothing is appended.

use super::{
    all, at_once, block_on, done, event, head, if_none, item, many, one, refused, tagged, together,
};
use crate::event::Position;
use crate::query::Query;
use crate::store::{Append, AppendCondition, AppendError, Store};
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

/// Each condition looks behind its own position, also over one and the same query.
pub async fn each_condition_has_its_own_position(store: Arc<dyn Store>) {
    for n in 0..12_u128 {
        done(&*store, one(n, "Counted", &[&format!("thing:{}", n % 4)])).await;
    }
    // The last of thing 0 stands at 9, of 1 at 10, of 2 at 11, of 3 at 12.
    let with = |after: [Position; 4]| {
        let tags = ["thing:0", "thing:1", "thing:2", "thing:3"];
        let fresh = one(50, "Counted", &tags);
        let each = tags.iter().zip(after);
        each.fold(fresh, |append, (tag, after)| {
            if_none(append, tagged(&[tag]), after)
        })
    };
    assert_eq!(
        refused(&*store, with([9, 10, 10, 12])).await,
        conflict(2, 11)
    );
    assert_eq!(refused(&*store, with([9, 5, 11, 0])).await, conflict(1, 6));
    assert_eq!(
        refused(&*store, with([12, 12, 12, 11])).await,
        conflict(3, 12)
    );
    let same = if_none(with([9, 10, 11, 12]), tagged(&["thing:2"]), 6);
    assert_eq!(refused(&*store, same).await, conflict(4, 7));
    assert_eq!(done(&*store, with([9, 10, 11, 12])).await.first, 13);
    assert_eq!(
        refused(&*store, one(50, "Other", &[])).await,
        AppendError::DuplicateEvent {
            id: event(50, "", &[]).id,
            position: 13,
        }
    );
}

/// A condition on types alone looks at every stream.
pub async fn a_condition_may_name_types_only(store: Arc<dyn Store>) {
    done(&*store, one(1, "Opened", &["table:1"])).await;
    done(&*store, one(2, "Closed", &[])).await;
    done(&*store, one(3, "Opened", &["table:2"])).await;
    let unless = |types: &[&str], after| if_none(one(9, "Swept", &[]), Query::types(types), after);
    assert_eq!(
        refused(&*store, unless(&["Opened"], 0)).await,
        conflict(0, 1)
    );
    assert_eq!(
        refused(&*store, unless(&["Opened"], 1)).await,
        conflict(0, 3)
    );
    assert_eq!(
        refused(&*store, unless(&["Swept", "Closed"], 1)).await,
        conflict(0, 2)
    );
    assert_eq!(
        done(&*store, unless(&["Swept", "Closed", "Open"], 2))
            .await
            .first,
        4
    );
}

/// A condition on tags alone looks at every type, and at events that carry them all.
pub async fn a_condition_may_name_tags_only(store: Arc<dyn Store>) {
    done(&*store, one(1, "Opened", &["table:1", "room:1"])).await;
    done(&*store, one(2, "Closed", &["table:2", "room:1"])).await;
    let unless = |tags: &[&str], after| if_none(one(9, "Swept", &["table:3"]), tagged(tags), after);
    assert_eq!(
        refused(&*store, unless(&["table:1"], 0)).await,
        conflict(0, 1)
    );
    assert_eq!(
        refused(&*store, unless(&["room:1"], 1)).await,
        conflict(0, 2)
    );
    assert_eq!(
        refused(&*store, unless(&["room:1", "table:2"], 0)).await,
        conflict(0, 2)
    );
    assert_eq!(
        done(&*store, unless(&["room:1", "table:3"], 0)).await.first,
        3
    );
}

/// Appends that are under way at the same moment are judged one behind the other.
pub async fn a_condition_sees_what_is_under_way(store: Arc<dyn Store>) {
    for round in 0..5_u128 {
        let before = head(&*store).await;
        let tag = format!("seat:{round}");
        let take = |n: u128| {
            let seats = many(
                round * 100 + n * 2..=round * 100 + n * 2 + 1,
                "SeatTaken",
                &[&tag],
            );
            store.append(if_none(seats, tagged(&[&tag]), before))
        };
        let answers = at_once((0..8).map(take).collect()).await;
        let won: Vec<_> = answers.iter().flatten().collect();
        assert_eq!(
            won.len(),
            1,
            "round {round}: one of the appends is the first"
        );
        for lost in answers.iter().filter_map(|a| a.as_ref().err()) {
            assert_eq!(*lost, conflict(0, won[0].first));
        }
        assert_eq!(head(&*store).await, before + 2);
    }
}

/// Whatever was accepted could have come one by one in the order of the positions, and whatever
/// was refused had a reason.
pub async fn accepted_appends_are_serialisable(store: Arc<dyn Store>) {
    let answers = together(6, |thread| {
        let mut mine = vec![];
        for n in 0..12_u128 {
            let append = crossing(thread as u128, n, block_on(head(&*store)));
            let conditions = append.conditions.clone();
            mine.push((conditions, block_on(store.append(append))));
        }
        mine
    });
    let events = all(&*store).await;
    let clash = |condition: &AppendCondition, from: Position, before: Position| {
        let between = &events[from as usize..before as usize - 1];
        between
            .iter()
            .any(|e| condition.fail_if_events_match.selects(e))
    };
    let mut accepted = 0;
    for (conditions, answer) in answers.into_iter().flatten() {
        match answer {
            Ok(receipt) => {
                accepted += 1;
                let held = conditions.iter().all(|c| !clash(c, c.after, receipt.first));
                assert!(
                    held,
                    "the append at {} should have been refused",
                    receipt.first
                );
            }
            Err(AppendError::Conflict {
                condition,
                position,
            }) => {
                let broken = &conditions[condition];
                assert!(
                    position > broken.after,
                    "{position} is not behind {}",
                    broken.after
                );
                let at = position - 1;
                assert!(
                    clash(broken, at, position + 1),
                    "{position} is in nobody's way"
                );
                assert!(
                    !clash(broken, broken.after, position),
                    "{position} is not the first"
                );
            }
            Err(e) => panic!("only a conflict was to be expected, but: {e}"),
        }
    }
    assert_eq!(events.len(), accepted * 2, "what is there was accepted");
    assert!(accepted > 0, "one of the first appends is accepted");
}

/// An append to two of three streams, if neither has changed since what was seen.
fn crossing(thread: u128, n: u128, seen: Position) -> Append {
    let stream = |k: u128| format!("stream:{}", k % 3);
    let (one, other) = (stream(thread), stream(thread + n + 1));
    let id = thread * 1_000 + n * 2;
    let append = many(id..=id + 1, "Crossed", &[&one, &other]);
    let append = if_none(append, tagged(&[&one]), seen);
    if_none(append, tagged(&[&other]), seen.saturating_sub(2))
}
