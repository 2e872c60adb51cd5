//! Event ids: an event stands in the store once.

use super::{all, append, block_on, done, event, invalid, one, refused, together};
use crate::store::{AppendError, Appended, Store};
use std::sync::Arc;
use uuid::Uuid;

fn duplicate(id: u128, position: u64) -> AppendError {
    AppendError::DuplicateEvent {
        id: Uuid::from_u128(id),
        position,
    }
}

/// An id that is there is refused when the batch is not the same.
pub async fn an_event_id_is_appended_once(store: Arc<dyn Store>) {
    let batch = vec![event(1, "Counted", &["a:1"]), event(2, "Counted", &["a:1"])];
    done(&*store, append(batch)).await;
    done(&*store, one(3, "Counted", &[])).await;
    let before = all(&*store).await;
    let other_type = one(1, "Corrected", &["a:1"]);
    assert_eq!(refused(&*store, other_type).await, duplicate(1, 1));
    let other_tags = one(2, "Counted", &["a:2"]);
    assert_eq!(refused(&*store, other_tags).await, duplicate(2, 2));
    let with_a_new_one = append(vec![event(9, "Counted", &[]), event(3, "Counted", &[])]);
    assert_eq!(refused(&*store, with_a_new_one).await, duplicate(3, 3));
    let longer = append(vec![event(3, "Counted", &[]), event(9, "Counted", &[])]);
    assert_eq!(refused(&*store, longer).await, duplicate(3, 3));
    let mut other_data = one(3, "Counted", &[]);
    other_data.events[0].data = "{}".into();
    assert_eq!(refused(&*store, other_data).await, duplicate(3, 3));
    let mut other_origin = one(3, "Counted", &[]);
    other_origin.events[0].origin.actor = Some("waiter:ann".into());
    assert_eq!(refused(&*store, other_origin).await, duplicate(3, 3));
    assert_eq!(all(&*store).await, before);
}

/// The very same batch again is a repetition: nothing changes, and the first receipt comes back.
pub async fn an_identical_batch_changes_nothing(store: Arc<dyn Store>) {
    done(&*store, one(9, "Counted", &[])).await;
    let batch = append(vec![
        event(1, "Counted", &["a:1"]),
        event(2, "Counted", &["b:1"]),
    ]);
    let first = done(&*store, batch.clone()).await;
    done(&*store, one(3, "Counted", &[])).await;
    let before = all(&*store).await;
    assert_eq!(
        done(&*store, batch).await,
        Appended {
            repeated: true,
            ..first
        }
    );
    assert_eq!(all(&*store).await, before);
    for round in 10..20 {
        let receipts = together(4, |_| block_on(done(&*store, one(round, "Counted", &[]))));
        let fresh = receipts.iter().filter(|r| !r.repeated).count();
        assert_eq!(fresh, 1, "of identical batches at once, one is appended");
        assert!(receipts.windows(2).all(|w| w[0].first == w[1].first));
    }
}

/// One id twice in one append is a mistake.
pub async fn an_event_id_stands_once_in_an_append(store: Arc<dyn Store>) {
    let twice = append(vec![event(1, "Counted", &[]), event(1, "Counted", &[])]);
    invalid(&*store, "an event id twice", twice).await;
}

/// An event's position can be asked for by its id.
pub async fn an_event_is_looked_up(store: Arc<dyn Store>) {
    done(
        &*store,
        append((1..=5).map(|n| event(n, "Counted", &[])).collect()),
    )
    .await;
    for n in 1..=5_u64 {
        assert_eq!(store.event(Uuid::from_u128(n.into())).await, Ok(Some(n)));
    }
    assert_eq!(store.event(Uuid::from_u128(6)).await, Ok(None));
}
