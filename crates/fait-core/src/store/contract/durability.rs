//! Durability: a receipt says what it is worth.

use super::erase::{erased, erasure};
use super::{append, block_on, by_command, done, event, one, together};
use crate::store::Store;
use std::sync::Arc;
use uuid::Uuid;

/// All receipts of one store name the same durability, with or without a command, at once or not.
pub async fn receipts_name_one_durability(store: Arc<dyn Store>) {
    let first = done(&*store, one(1, "Counted", &["a:1"])).await.durability;
    let batch = append(vec![event(2, "Counted", &[]), event(3, "Counted", &[])]);
    assert_eq!(
        done(&*store, by_command(batch, 70, 1)).await.durability,
        first
    );
    let receipts = together(4, |thread| {
        block_on(done(&*store, one(10 + thread as u128, "Counted", &[])))
    });
    assert!(receipts.iter().all(|r| r.durability == first));
    let tombstone = erased(&*store, erasure(900, "a:1")).await.tombstone;
    assert_eq!(tombstone.durability, first);
}

/// A repeated append gets the durability of the first, and so does who asks for the receipt.
pub async fn a_repeated_receipt_names_the_same_durability(store: Arc<dyn Store>) {
    let command = by_command(one(1, "Counted", &["a:1"]), 70, 1);
    let first = done(&*store, command.clone()).await.durability;
    assert_eq!(done(&*store, command).await.durability, first);
    let kept = store.command(Uuid::from_u128(70)).await;
    let kept = kept.ok().flatten().map(|(_, receipt)| receipt.durability);
    assert_eq!(kept, Some(first));
    let plain = one(2, "Counted", &[]);
    let first = done(&*store, plain.clone()).await.durability;
    assert_eq!(done(&*store, plain).await.durability, first);
    let erase = erasure(900, "a:1");
    let first = erased(&*store, erase.clone()).await.tombstone.durability;
    assert_eq!(erased(&*store, erase).await.tombstone.durability, first);
}
