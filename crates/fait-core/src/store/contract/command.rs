//! Command ids: an effect happens once however often it is sent.

use super::{
    all, append, block_on, by_command, done, event, head, if_none, key, one, refused, tagged,
    together,
};
use crate::event::Time;
use crate::store::{AppendError, Appended, Store};
use std::sync::Arc;
use uuid::Uuid;

/// The same command again changes nothing and gives the first receipt, marked as repeated.
pub async fn a_repeated_command_gets_the_first_receipt(store: Arc<dyn Store>) {
    let batch = vec![event(1, "Counted", &["a:1"]), event(2, "Counted", &["a:1"])];
    let first = done(&*store, by_command(append(batch), 70, 1)).await;
    done(&*store, one(3, "Counted", &["a:1"])).await;
    let before = all(&*store).await;
    let mut again = by_command(one(4, "Counted", &["a:1"]), 70, 1);
    again.recorded_at = Time(9_999);
    for _ in 0..3 {
        let receipt = done(&*store, again.clone()).await;
        assert_eq!(
            receipt,
            Appended {
                repeated: true,
                ..first
            },
            "even with other events"
        );
    }
    assert_eq!(all(&*store).await, before);
}

/// The same id for something else is a mistake, and is refused.
pub async fn a_command_id_with_another_fingerprint_is_refused(store: Arc<dyn Store>) {
    done(&*store, by_command(one(1, "Counted", &[]), 70, 1)).await;
    let other = by_command(one(2, "Counted", &[]), 70, 2);
    let id = Uuid::from_u128(70);
    assert_eq!(
        refused(&*store, other).await,
        AppendError::CommandReused { id }
    );
    assert_eq!(head(&*store).await, 1);
}

/// A repeated command gets its receipt, not a conflict with its own events or a duplicate id.
pub async fn a_command_is_judged_before_the_conditions(store: Arc<dyn Store>) {
    let once = by_command(one(1, "NameTaken", &["name:ann"]), 70, 1);
    let once = if_none(once, tagged(&["name:ann"]), 0);
    let first = done(&*store, once.clone()).await;
    assert_eq!(
        done(&*store, once).await,
        Appended {
            repeated: true,
            ..first
        }
    );
}

/// A refused append can be sent again under the same id, even with another fingerprint.
pub async fn a_refused_append_leaves_no_receipt(store: Arc<dyn Store>) {
    done(&*store, one(1, "Counted", &["a:1"])).await;
    let stale = if_none(
        by_command(one(2, "Counted", &[]), 70, 1),
        tagged(&["a:1"]),
        0,
    );
    refused(&*store, stale).await;
    refused(&*store, by_command(append(vec![]), 70, 1)).await;
    assert_eq!(store.command(Uuid::from_u128(70)).await, Ok(None));
    let receipt = done(&*store, by_command(one(2, "Counted", &[]), 70, 2)).await;
    assert_eq!((receipt.first, receipt.repeated), (2, false));
}

/// A receipt can be asked for by the command's id.
pub async fn a_receipt_is_looked_up(store: Arc<dyn Store>) {
    let id = Uuid::from_u128(70);
    assert_eq!(store.command(id).await, Ok(None));
    let batch = vec![event(1, "Counted", &[]), event(2, "Counted", &[])];
    let receipt = done(&*store, by_command(append(batch), 70, 1)).await;
    assert_eq!(store.command(id).await, Ok(Some((key(70, 1), receipt))));
    assert_eq!(store.command(Uuid::from_u128(71)).await, Ok(None));
}

/// The same command from several sides at once: one effect, one receipt for all.
pub async fn simultaneous_duplicates_have_one_effect(store: Arc<dyn Store>) {
    for round in 1..=20_u128 {
        let tag = format!("round:{round}");
        let receipts = together(5, |thread| {
            let id = round * 100 + thread as u128;
            let once = by_command(one(id, "Counted", &[&tag]), round, 1);
            block_on(done(&*store, if_none(once, tagged(&[&tag]), 0)))
        });
        let fresh: Vec<_> = receipts.iter().filter(|r| !r.repeated).collect();
        assert_eq!(fresh.len(), 1, "round {round}: the effect happens once");
        for receipt in &receipts {
            assert_eq!(
                Appended {
                    repeated: false,
                    ..*receipt
                },
                *fresh[0]
            );
        }
        assert_eq!(u128::from(head(&*store).await), round);
    }
}
