//! Limits and rules of form: a clear refusal, and nothing changed.

use super::{all, append, done, event, head, if_none, invalid, one, positions, tagged};
use crate::event::{NewEvent, Tag};
use crate::query::Query;
use crate::store::{
    ERASED, MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_CONDITIONS, MAX_EVENT_BYTES, MAX_NAME_BYTES,
    MAX_ORIGIN_BYTES, MAX_TAGS, Range, Store,
};
use bytes::Bytes;
use std::sync::Arc;

fn with(change: impl FnOnce(&mut NewEvent)) -> crate::store::Append {
    let mut event = event(50, "Counted", &["a:1"]);
    change(&mut event);
    append(vec![event])
}

/// An append without events means nothing, and is refused.
pub async fn an_empty_append_is_refused(store: Arc<dyn Store>) {
    invalid(&*store, "no events", append(vec![])).await;
    done(&*store, one(1, "Counted", &[])).await;
    invalid(
        &*store,
        "no events",
        if_none(append(vec![]), tagged(&["a:1"]), 0),
    )
    .await;
}

/// Types and tags have a form.
pub async fn bad_names_are_refused(store: Arc<dyn Store>) {
    done(&*store, one(1, "Counted", &[])).await;
    let long = "x".repeat(MAX_NAME_BYTES + 1);
    for ty in ["", "a\nb", "\u{0}", long.as_str()] {
        invalid(&*store, "an event type", with(|e| e.ty = ty.into())).await;
    }
    for tag in [
        "",
        "table",
        ":7",
        "table:",
        "table:\t7",
        &format!("t:{long}"),
    ] {
        invalid(&*store, "a tag", with(|e| e.tags.push(Tag::raw(tag)))).await;
    }
    let mut second = with(|_| {});
    second.events.push(event(51, "", &[]));
    invalid(&*store, "the second event of an append", second).await;
}

/// More than fits, in every direction.
pub async fn too_much_is_refused(store: Arc<dyn Store>) {
    done(&*store, one(1, "Counted", &[])).await;
    let data = |n| Bytes::from(vec![b'x'; n]);
    let big = with(|e| e.data = data(MAX_EVENT_BYTES + 1));
    invalid(&*store, "an event's data", big).await;
    let tags = with(|e| e.tags = (0..=MAX_TAGS).map(|n| Tag::new("n", n)).collect());
    invalid(&*store, "an event's tags", tags).await;
    let actor = with(|e| e.origin.actor = Some("x".repeat(MAX_ORIGIN_BYTES + 1)));
    invalid(&*store, "an event's origin", actor).await;
    let half = "x".repeat(MAX_ORIGIN_BYTES / 2);
    let pairs = with(|e| e.origin.pairs = [(half.clone(), half + "x")].into());
    invalid(&*store, "an event's pairs", pairs).await;
    let many = (0..=MAX_BATCH_EVENTS as u128)
        .map(|n| event(100 + n, "Counted", &[]))
        .collect();
    invalid(&*store, "an append's events", append(many)).await;
    let shared = data(MAX_EVENT_BYTES);
    let heavy = (0..=MAX_BATCH_BYTES / MAX_EVENT_BYTES).map(|n| {
        let mut event = event(100 + n as u128, "Counted", &[]);
        event.data = shared.clone();
        event
    });
    invalid(&*store, "an append's bytes", append(heavy.collect())).await;
    let mut conditions = one(2, "Counted", &[]);
    for _ in 0..=MAX_CONDITIONS {
        conditions = if_none(conditions, Query::default(), 0);
    }
    invalid(&*store, "an append's conditions", conditions).await;
}

/// Exactly as much as fits.
pub async fn the_largest_is_accepted(store: Arc<dyn Store>) {
    let tag = |n: usize| {
        let kind = format!("t{n}");
        let value = "x".repeat(MAX_NAME_BYTES - kind.len() - 1);
        Tag::new(&kind, value)
    };
    let largest = with(|e| {
        e.ty = "T".repeat(MAX_NAME_BYTES);
        e.data = Bytes::from(vec![7; MAX_EVENT_BYTES]);
        e.tags = (0..MAX_TAGS).map(tag).collect();
        e.origin.actor = Some("x".repeat(MAX_ORIGIN_BYTES));
    });
    done(&*store, largest.clone()).await;
    let stored = all(&*store).await;
    assert!(stored[0].data == largest.events[0].data && stored[0].tags == largest.events[0].tags);
    assert_eq!(stored[0].meta.origin, largest.events[0].origin);
    let many = (0..MAX_BATCH_EVENTS as u128)
        .map(|n| event(100 + n, "Counted", &["a:1"]))
        .collect();
    let mut many = append(many);
    for _ in 0..MAX_CONDITIONS {
        many = if_none(many, Query::all(), 1);
    }
    let receipt = done(&*store, many).await;
    assert_eq!(
        (receipt.first, receipt.last),
        (2, 1 + MAX_BATCH_EVENTS as u64)
    );
    let heavy = (0..MAX_BATCH_BYTES / MAX_EVENT_BYTES).map(|n| {
        let mut event = event(9_000 + n as u128, "Counted", &[]);
        event.data = largest.events[0].data.clone();
        event
    });
    let receipt = done(&*store, append(heavy.collect())).await;
    assert_eq!(head(&*store).await, receipt.last);
}

/// Who looks behind the head looks at another history; that is a mistake.
pub async fn a_condition_beyond_the_head_is_refused(store: Arc<dyn Store>) {
    let beyond = |after| if_none(one(2, "Counted", &[]), tagged(&["a:1"]), after);
    invalid(&*store, "behind an empty store", beyond(1)).await;
    done(&*store, one(1, "Counted", &[])).await;
    for after in [2, u64::MAX] {
        invalid(&*store, "behind the head", beyond(after)).await;
    }
    done(&*store, beyond(1)).await;
}

/// Names are text of any script, compared as they were written: no case folded, nothing composed.
pub async fn names_are_of_any_script(store: Arc<dyn Store>) {
    let names = [
        "Größe",
        "größe",
        "Gro\u{308}ße",
        "注文",
        "طلب",
        "🍲",
        "a b",
        "a:b",
        "ß",
        "$own",
    ];
    for (name, n) in names.iter().zip(1..) {
        done(&*store, one(n, name, &[&format!("{name}:{name}")])).await;
    }
    for (name, position) in names.iter().zip(1_u64..) {
        let by_type = Query::types(&[name]);
        assert_eq!(
            positions(&*store, &by_type, Range::after(0, 99)).await,
            [position]
        );
        let by_tag = tagged(&[&format!("{name}:{name}")]);
        assert_eq!(
            positions(&*store, &by_tag, Range::newest(99)).await,
            [position]
        );
    }
    let types: Vec<_> = all(&*store).await.into_iter().map(|e| e.ty).collect();
    assert_eq!(types, names);
}

/// Names are measured in bytes: 255 fit, and are told apart to the last; 256 do not.
pub async fn names_of_255_bytes_fit(store: Arc<dyn Store>) {
    let half = "ü".repeat(126);
    let longest = ["a", "b"].map(|end| format!("{half}x:{end}"));
    for (name, n) in longest.iter().zip(1..) {
        assert_eq!(name.len(), MAX_NAME_BYTES);
        done(&*store, one(n, name, &[name])).await;
    }
    for (name, position) in longest.iter().zip(1_u64..) {
        let both = [Query::types(&[name]), tagged(&[name])];
        for query in both {
            assert_eq!(
                positions(&*store, &query, Range::after(0, 9)).await,
                [position]
            );
        }
    }
    let longer = format!("{half}xx:a");
    invalid(
        &*store,
        "a type of 256 bytes",
        with(|e| e.ty = longer.clone()),
    )
    .await;
    invalid(
        &*store,
        "a tag of 256 bytes",
        with(|e| e.tags = vec![Tag::raw(&longer)]),
    )
    .await;
}

/// Nobody can append what reads as an erased event, alone or among others.
pub async fn the_type_of_the_erased_is_reserved(store: Arc<dyn Store>) {
    invalid(&*store, "the reserved type", with(|e| e.ty = ERASED.into())).await;
    let mut second = with(|_| {});
    second.events.push(event(51, ERASED, &[]));
    invalid(&*store, "the reserved type as the second event", second).await;
    done(&*store, one(1, "$erased", &["a:1"])).await;
}
