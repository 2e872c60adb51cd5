//! What an event carries comes back as it was given.

use super::{all, append, as_stored, by_command, done, event, key, one};
use crate::event::{NewEvent, Origin, Tag, Time};
use crate::store::Store;
use bytes::Bytes;
use std::sync::Arc;
use uuid::Uuid;

fn full(number: u128) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(u128::MAX - number),
        ty: "Gericht verschüttet 🍲".into(),
        version: u32::MAX,
        tags: vec![
            Tag::raw("table:12"),
            Tag::raw("order:a:b"),
            Tag::raw("Ort:Köln"),
        ],
        data: Bytes::from_static(b"{\"spilled\":true}"),
        origin: Origin {
            occurred_at: Some(Time(1)),
            actor: Some("waiter:ann".into()),
            command: Some(Uuid::from_u128(3)),
            correlation: Uuid::from_u128(4),
            causation: Some(Uuid::from_u128(5)),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
            pairs: [("a", "1"), ("", "empty name"), ("ü", "")]
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .into(),
        },
    }
}

/// Every field of an event and its origin, alone and with the others.
pub async fn every_field_comes_back(store: Arc<dyn Store>) {
    let mut events = vec![full(0)];
    let fields: [fn(&mut NewEvent); 9] = [
        |e| e.version = 0,
        |e| e.tags.clear(),
        |e| e.origin.occurred_at = None,
        |e| e.origin.actor = None,
        |e| e.origin.command = None,
        |e| e.origin.causation = None,
        |e| e.origin.traceparent = None,
        |e| e.origin.pairs.clear(),
        |e| e.origin = Origin::default(),
    ];
    for (clear, number) in fields.iter().zip(1..) {
        let mut event = full(number);
        clear(&mut event);
        events.push(event);
    }
    done(&*store, append(events.clone())).await;
    let stored: Vec<_> = events
        .into_iter()
        .zip(1..)
        .map(|(e, p)| as_stored(e, p, Time(1_000)))
        .collect();
    assert_eq!(all(&*store).await, stored);
}

/// Data is bytes: empty, not text, of any length.
pub async fn bytes_come_back_as_they_were(store: Arc<dyn Store>) {
    let every: Vec<u8> = (0..=255).collect();
    let mut number = 0;
    let mut given = vec![];
    for length in (0..40).chain([511, 512, 513, 4095, 4096, 4097, 70_000]) {
        number += 1;
        let mut event = event(number, "Counted", &[]);
        event.data = every.iter().copied().cycle().take(length).collect();
        given.push(event.data.clone());
        done(&*store, append(vec![event])).await;
    }
    let stored: Vec<_> = all(&*store).await.into_iter().map(|e| e.data).collect();
    assert!(stored == given, "the data of an event changed");
}

/// The recorded time is the caller's, but never before the last one.
pub async fn recorded_time_never_runs_backwards(store: Arc<dyn Store>) {
    let given = [5_000, 4_000, 5_000, 6_000, 0, 7_000];
    let expected = [5_000, 5_000, 5_000, 6_000, 6_000, 7_000].map(Time);
    for (n, (time, recorded)) in given.iter().zip(expected).enumerate() {
        let mut append = by_command(one(n as u128, "Counted", &[]), 100 + n as u128, 1);
        append.recorded_at = Time(*time);
        let receipt = done(&*store, append).await;
        assert_eq!(receipt.recorded_at, recorded);
        let looked_up = store.command(Uuid::from_u128(100 + n as u128)).await;
        assert_eq!(looked_up, Ok(Some((key(100 + n as u128, 1), receipt))));
    }
    let stored: Vec<_> = all(&*store)
        .await
        .iter()
        .map(|e| e.meta.recorded_at)
        .collect();
    assert_eq!(stored, expected);
}
