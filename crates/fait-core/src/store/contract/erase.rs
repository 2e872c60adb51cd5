//! Erasures: what stood under a tag is gone, its place and its id stay.

use super::feed::{feed, next};
use super::{
    all, append, as_stored, block_on, by_command, done, event, head, if_none, item, key, last,
    many, one, positions, refused, slice, tagged, together,
};
use crate::event::{Origin, Position, StoredEvent, Tag, Time};
use crate::query::Query;
use crate::store::{Append, AppendError, Appended, ERASED, Erase, Erased, Keep, Range, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

const NONE: [Position; 0] = [];
const NOTHING: Keep = Keep {
    types: false,
    times: false,
};

/// The tombstone of these clauses has this number, unless they need several.
const TOMB: u128 = 900;

fn tombstone(number: u128, tag: &str) -> Append {
    one(number, "PersonForgotten", &[tag])
}

/// An erasure of everything under a tag, with a tombstone of some number.
pub(super) fn erasure(number: u128, tag: &str) -> Erase {
    Erase {
        tag: Tag::raw(tag),
        keep: NOTHING,
        tombstone: tombstone(number, tag),
    }
}

pub(super) async fn erased(store: &dyn Store, erase: Erase) -> Erased {
    match store.erase(erase).await {
        Ok(erased) => erased,
        Err(e) => panic!("the erasure should have been accepted, but: {e}"),
    }
}

/// Four events: ann's at 1 and 3, bob's at 2, and one of both at 4.
pub(super) async fn ann_and_bob(store: &dyn Store) {
    done(store, one(1, "Joined", &["person:ann"])).await;
    done(store, one(2, "Joined", &["person:bob"])).await;
    done(store, one(3, "Moved", &["person:ann", "town:ulm"])).await;
    done(store, one(4, "Met", &["person:ann", "person:bob"])).await;
}

fn conflict(position: Position) -> AppendError {
    AppendError::Conflict {
        condition: 0,
        position,
    }
}

async fn found(store: &dyn Store, query: Query) -> Vec<Position> {
    positions(store, &query, Range::after(0, 10_000)).await
}

fn left(event: &StoredEvent) -> Value {
    match serde_json::from_slice(&event.data) {
        Ok(left) => left,
        Err(e) => panic!("what is left of an event should be JSON, but: {e}"),
    }
}

/// In the place of an erased event its id and position are read, and nothing that was said.
pub async fn what_is_erased_reads_as_erased(store: Arc<dyn Store>) {
    let mut full = event(1, "Joined", &["person:ann", "town:ulm"]);
    full.version = 7;
    full.origin.occurred_at = Some(Time(3));
    full.origin.actor = Some("person:ann".into());
    full.origin.command = Some(Uuid::from_u128(8));
    full.origin.causation = Some(Uuid::from_u128(9));
    full.origin.pairs = [("name".to_string(), "Ann".to_string())].into();
    done(&*store, append(vec![full, event(2, "Opened", &[])])).await;
    let receipt = erased(&*store, erasure(TOMB, "person:ann")).await;
    assert_eq!((receipt.events, receipt.tombstone.first), (1, 3));
    let events = all(&*store).await;
    let places: Vec<_> = events.iter().map(|e| e.meta.position).collect();
    assert_eq!(places, [1, 2, 3], "positions stay gapless");
    let gone = &events[0];
    assert_eq!((gone.ty.as_str(), gone.version), (ERASED, 1));
    assert_eq!(gone.tags, vec![], "what is erased has no tags");
    assert_eq!(left(gone), json!({}));
    assert_eq!(gone.meta.id, Uuid::from_u128(1));
    assert_eq!(gone.meta.recorded_at, Time(0));
    assert_eq!(gone.meta.origin, Origin::default());
}

/// The type of what stood there is left when that was asked for, and only then.
pub async fn the_type_is_kept_or_not(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    done(&*store, one(5, "Joined", &["person:cat"])).await;
    let mut keep = erasure(TOMB, "person:ann");
    keep.keep.types = true;
    assert_eq!(erased(&*store, keep).await.events, 3);
    erased(&*store, erasure(901, "person:cat")).await;
    let events = all(&*store).await;
    let types = ["Joined", "Moved", "Met"].map(|ty| json!({ "type": ty }));
    let kept: Vec<_> = [0, 2, 3].map(|n: usize| left(&events[n])).into();
    assert_eq!(kept, types);
    assert_eq!(left(&events[4]), json!({}), "the type was not to be kept");
    assert!(
        events
            .iter()
            .all(|e| e.meta.recorded_at != Time(0) || e.ty == ERASED)
    );
}

/// The time of what stood there is left when that was asked for, and is 0 otherwise.
pub async fn the_time_is_kept_or_not(store: Arc<dyn Store>) {
    for (n, tag) in [(1, "person:ann"), (2, "person:bob"), (3, "person:ann")] {
        let mut append = one(n, "Joined", &[tag]);
        append.recorded_at = Time(2_000 + n as u64);
        done(&*store, append).await;
    }
    let mut keep = erasure(TOMB, "person:ann");
    keep.keep.times = true;
    erased(&*store, keep).await;
    erased(&*store, erasure(901, "person:bob")).await;
    let events = all(&*store).await;
    let times: Vec<_> = events.iter().map(|e| e.meta.recorded_at.0).collect();
    assert_eq!(times, [2_001, 0, 2_003, 2_003, 2_003]);
    assert_eq!(
        left(&events[0]),
        json!({}),
        "the time was to be kept, not the type"
    );
}

/// The whole batch of the tombstone stays as it was given, and is the last under its tag.
pub async fn the_tombstone_stays(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let mut erase = erasure(TOMB, "person:ann");
    let more = event(901, "CardRevoked", &["person:ann", "card:7"]);
    erase.tombstone.events.push(more);
    let batch = erase.tombstone.events.clone();
    let receipt = erased(&*store, erase).await.tombstone;
    assert_eq!(
        (receipt.first, receipt.last, receipt.repeated),
        (5, 6, false)
    );
    let ann = tagged(&["person:ann"]);
    let stays = slice(&*store, &ann, Range::after(0, 10)).await.events;
    let given: Vec<_> = batch.into_iter().zip(5..).collect();
    let given = given.into_iter().map(|(e, p)| as_stored(e, p, Time(1_000)));
    assert_eq!(stays, given.collect::<Vec<_>>());
    assert_eq!(last(&*store, &ann).await, 6);
    assert_eq!(store.event(Uuid::from_u128(TOMB)).await, Ok(Some(5)));
    assert_eq!(head(&*store).await, 6);
}

/// Neither its type nor any of its tags selects an erased event.
pub async fn what_is_erased_is_not_selected_by_what_it_was(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let mut erase = erasure(TOMB, "person:ann");
    erase.keep.types = true;
    erased(&*store, erase).await;
    assert_eq!(found(&*store, tagged(&["person:ann"])).await, [5]);
    assert_eq!(found(&*store, tagged(&["person:bob"])).await, [2]);
    assert_eq!(found(&*store, tagged(&["town:ulm"])).await, NONE);
    assert_eq!(found(&*store, Query::types(&["Joined"])).await, [2]);
    assert_eq!(found(&*store, Query::types(&["Moved", "Met"])).await, NONE);
    let both = tagged(&["town:ulm"]).or(item(&["Met"], &["person:bob"]));
    assert_eq!(found(&*store, both).await, NONE);
    assert_eq!(last(&*store, &Query::types(&["Met"])).await, 0);
}

/// Who asks for everything, or for what is erased, gets the erased places.
pub async fn what_is_erased_is_selected_as_such(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    assert_eq!(found(&*store, Query::types(&[ERASED])).await, NONE);
    erased(&*store, erasure(TOMB, "person:ann")).await;
    assert_eq!(found(&*store, Query::all()).await, [1, 2, 3, 4, 5]);
    assert_eq!(found(&*store, Query::types(&[ERASED])).await, [1, 3, 4]);
    let mixed = Query::types(&["Joined", ERASED]);
    assert_eq!(found(&*store, mixed).await, [1, 2, 3, 4]);
    let back = positions(&*store, &Query::types(&[ERASED]), Range::newest(2)).await;
    assert_eq!(back, [4, 3]);
    assert_eq!(last(&*store, &Query::types(&[ERASED])).await, 4);
    let with_tag = Query {
        items: vec![item(&[ERASED], &["person:ann"])],
    };
    assert_eq!(found(&*store, with_tag).await, NONE, "its tags are gone");
}

/// What does not carry the tag is the same afterwards, byte for byte.
pub async fn other_streams_stay_as_they_are(store: Arc<dyn Store>) {
    for n in 0..6 {
        let batch = vec![
            event(n * 10 + 1, "Joined", &["person:bob"]),
            event(n * 10 + 2, "Joined", &["person:ann"]),
            event(n * 10 + 3, "Joined", &["person:ann-marie", "town:ulm"]),
            event(n * 10 + 4, "Opened", &[]),
        ];
        done(&*store, append(batch)).await;
    }
    let others = |events: Vec<StoredEvent>| -> Vec<StoredEvent> {
        let ann = Tag::raw("person:ann");
        let stays = |e: &StoredEvent| e.ty != ERASED && !e.tags.contains(&ann);
        events.into_iter().filter(stays).collect()
    };
    let before = others(all(&*store).await);
    assert_eq!(before.len(), 18);
    assert_eq!(erased(&*store, erasure(TOMB, "person:ann")).await.events, 6);
    assert_eq!(others(all(&*store).await), before);
    let town = slice(&*store, &tagged(&["town:ulm"]), Range::after(0, 100)).await;
    assert_eq!(town.events.len(), 6);
    assert!(town.events.iter().all(|e| before.contains(e)));
}

/// An event that stands in two streams goes with the first of them that is erased.
pub async fn an_event_of_two_streams_goes_with_either(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    assert_eq!(erased(&*store, erasure(901, "person:bob")).await.events, 2);
    assert_eq!(found(&*store, tagged(&["person:ann"])).await, [1, 3]);
    assert_eq!(found(&*store, Query::types(&[ERASED])).await, [2, 4]);
    let rest = erased(&*store, erasure(902, "person:ann")).await;
    assert_eq!(rest.events, 2, "what is gone already is not erased again");
    assert_eq!(found(&*store, Query::types(&[ERASED])).await, [1, 2, 3, 4]);
}

/// What an erased event stood in the way of can be appended, unless all events stand in its way.
pub async fn a_condition_on_the_erased_holds_again(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let joined = Query {
        items: vec![item(&["Joined"], &["person:ann"])],
    };
    let join = |n| if_none(one(n, "Joined", &["person:ann"]), joined.clone(), 0);
    assert_eq!(refused(&*store, join(10)).await, conflict(1));
    erased(&*store, erasure(TOMB, "person:ann")).await;
    let free = if_none(one(10, "Opened", &[]), tagged(&["town:ulm"]), 0);
    let free = if_none(free, Query::types(&["Moved", "Met"]), 0);
    assert_eq!(done(&*store, free).await.first, 6);
    assert_eq!(done(&*store, join(11)).await.first, 7);
    assert_eq!(refused(&*store, join(12)).await, conflict(7));
    for query in [Query::all(), Query::types(&[ERASED])] {
        let append = if_none(one(13, "Opened", &[]), query, 2);
        assert_eq!(refused(&*store, append).await, conflict(3));
    }
}

/// The id of an erased event is known, and is not taken again, not even for the same event.
pub async fn an_erased_event_is_known_by_its_id(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    erased(&*store, erasure(TOMB, "person:ann")).await;
    for (n, position) in [(1, 1), (2, 2), (3, 3), (4, 4), (TOMB, 5)] {
        assert_eq!(store.event(Uuid::from_u128(n)).await, Ok(Some(position)));
    }
    let before = all(&*store).await;
    let batches = [
        one(1, "Joined", &["person:ann"]),
        one(1, "Other", &[]),
        append(vec![
            event(50, "Other", &[]),
            event(1, "Joined", &["person:ann"]),
        ]),
    ];
    for batch in batches {
        let duplicate = AppendError::DuplicateEvent {
            id: Uuid::from_u128(1),
            position: 1,
        };
        assert_eq!(refused(&*store, batch).await, duplicate);
    }
    assert_eq!(all(&*store).await, before);
}

/// A command whose events are erased has taken effect, and does not take effect again.
pub async fn receipts_outlive_an_erasure(store: Arc<dyn Store>) {
    let command = || by_command(many(1..=3, "Joined", &["person:ann"]), 70, 1);
    let first = done(&*store, command()).await;
    erased(&*store, erasure(TOMB, "person:ann")).await;
    let kept = store.command(Uuid::from_u128(70)).await;
    assert_eq!(kept, Ok(Some((key(70, 1), first))));
    let again = Appended {
        repeated: true,
        ..first
    };
    assert_eq!(done(&*store, command()).await, again);
    let id = Uuid::from_u128(70);
    let other = refused(&*store, by_command(one(9, "Joined", &[]), 70, 2)).await;
    assert_eq!(other, AppendError::CommandReused { id });
    assert_eq!(head(&*store).await, 4);
}

/// The very same erasure again gives the first receipt, and finds nothing to erase.
pub async fn an_erasure_sent_again_erases_nothing_more(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let erase = erasure(TOMB, "person:ann");
    let first = erased(&*store, erase.clone()).await;
    assert_eq!((first.events, first.tombstone.repeated), (3, false));
    done(&*store, one(5, "Joined", &["person:ann"])).await;
    let before = all(&*store).await;
    for _ in 0..3 {
        let again = erased(&*store, erase.clone()).await;
        assert_eq!(again.events, 0);
        let receipt = Appended {
            repeated: true,
            ..first.tombstone
        };
        assert_eq!(again.tombstone, receipt);
    }
    assert_eq!(all(&*store).await, before, "what came since stays");
}

/// An erasure later on takes what came since, and stands for the one before.
pub async fn a_later_erasure_takes_what_came_since(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    erased(&*store, erasure(901, "person:ann")).await;
    done(&*store, many(10..=12, "Joined", &["person:ann"])).await;
    let mut later = erasure(902, "person:ann");
    later.keep.types = true;
    let receipt = erased(&*store, later).await;
    assert_eq!((receipt.events, receipt.tombstone.first), (4, 9));
    assert_eq!(found(&*store, tagged(&["person:ann"])).await, [9]);
    let events = all(&*store).await;
    assert_eq!(
        left(&events[0]),
        json!({}),
        "what is forgotten does not come back"
    );
    assert_eq!(left(&events[4]), json!({ "type": "PersonForgotten" }));
}

/// An erasure that nobody who follows the tag would hear of is refused.
pub async fn a_tombstone_without_the_tag_is_refused(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let before = all(&*store).await;
    let mut second = vec![event(901, "Forgotten", &[])];
    second.extend(tombstone(902, "person:ann").events);
    let tombstones = [
        one(TOMB, "Forgotten", &[]),
        one(TOMB, "Forgotten", &["person:bob", "person:an"]),
        append(second),
        append(vec![]),
    ];
    for tombstone in tombstones {
        let mut erase = erasure(TOMB, "person:ann");
        erase.tombstone = tombstone;
        let refused = store.erase(erase).await;
        assert!(
            matches!(refused, Err(AppendError::Invalid(_))),
            "{refused:?}"
        );
    }
    for tag in ["", "person", "person:", ":ann"] {
        let refused = store.erase(erasure(TOMB, tag)).await;
        assert!(
            matches!(refused, Err(AppendError::Invalid(_))),
            "tag `{tag}`"
        );
    }
    assert_eq!(
        all(&*store).await,
        before,
        "a refused erasure changes nothing"
    );
}

/// When its tombstone is refused, nothing is erased.
pub async fn a_refused_erasure_erases_nothing(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    done(&*store, by_command(one(5, "Opened", &[]), 70, 1)).await;
    let before = all(&*store).await;
    let with = |tombstone: Append| Erase {
        tombstone,
        ..erasure(TOMB, "person:ann")
    };
    let stale = if_none(tombstone(TOMB, "person:ann"), tagged(&["person:ann"]), 3);
    let refused = store.erase(with(stale)).await;
    assert_eq!(refused, Err(conflict(4)));
    let refused = store.erase(with(tombstone(2, "person:ann"))).await;
    let duplicate = AppendError::DuplicateEvent {
        id: Uuid::from_u128(2),
        position: 2,
    };
    assert_eq!(refused, Err(duplicate));
    let reused = by_command(tombstone(TOMB, "person:ann"), 70, 2);
    let id = Uuid::from_u128(70);
    let refused = store.erase(with(reused)).await;
    assert_eq!(refused, Err(AppendError::CommandReused { id }));
    assert_eq!(all(&*store).await, before);
    let fresh = if_none(tombstone(TOMB, "person:ann"), tagged(&["person:ann"]), 4);
    assert_eq!(erased(&*store, with(fresh)).await.events, 3);
}

/// An erasure whose tombstone is there already, under the same command, is finished.
pub async fn a_repeated_erasure_command_is_finished(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let tombstone = by_command(tombstone(TOMB, "person:ann"), 70, 1);
    let first = done(&*store, tombstone.clone()).await;
    done(&*store, one(6, "Joined", &["person:ann"])).await;
    for count in [3, 0] {
        let mut erase = erasure(901 + count, "person:ann");
        erase.tombstone = by_command(erase.tombstone, 70, 1);
        let receipt = erased(&*store, erase).await;
        assert_eq!(u128::from(receipt.events), count);
        let repeated = Appended {
            repeated: true,
            ..first
        };
        assert_eq!(receipt.tombstone, repeated);
    }
    assert_eq!(found(&*store, tagged(&["person:ann"])).await, [5, 6]);
    assert_eq!(head(&*store).await, 6, "there is one tombstone");
}

/// Who follows hears of an erasure, and who begins anew finds erased places in its stead.
pub async fn a_feed_hears_of_an_erasure(store: Arc<dyn Store>) {
    ann_and_bob(&*store).await;
    let mut ann = feed(&store, tagged(&["person:ann"]), 0);
    assert_eq!(next(&mut ann, 10).await, [1, 3, 4]);
    erased(&*store, erasure(TOMB, "person:ann")).await;
    assert_eq!(
        next(&mut ann, 10).await,
        [5],
        "it gets the tombstone, and it only"
    );
    let mut anew = feed(&store, tagged(&["person:ann"]), 0);
    assert_eq!(next(&mut anew, 10).await, [5]);
    let mut everything = feed(&store, Query::all(), 0);
    let slice = everything
        .next(10)
        .await
        .map(|s| s.events)
        .unwrap_or_default();
    let types: Vec<_> = slice.iter().map(|e| e.ty.as_str()).collect();
    assert_eq!(types, [ERASED, "Joined", ERASED, ERASED, "PersonForgotten"]);
}

/// An erasure of what is not there is its tombstone, and nothing else.
pub async fn an_erasure_of_nothing_is_its_tombstone(store: Arc<dyn Store>) {
    let first = erased(&*store, erasure(901, "person:cat")).await;
    assert_eq!((first.events, first.tombstone.first), (0, 1));
    ann_and_bob(&*store).await;
    let receipt = erased(&*store, erasure(902, "person:dan")).await;
    assert_eq!((receipt.events, receipt.tombstone.last), (0, 6));
    assert_eq!(found(&*store, Query::types(&[ERASED])).await, NONE);
}

/// Hundreds of events over many batches, with others between them.
pub async fn many_events_are_erased_at_once(store: Arc<dyn Store>) {
    for n in 0..10_u128 {
        let tags = |k| ["person:ann", "person:bob"][(k % 2) as usize];
        let numbers = n * 50..(n + 1) * 50;
        let batch = numbers.map(|k| event(k, "Said", &[tags(k)])).collect();
        done(&*store, append(batch)).await;
    }
    let bob = slice(&*store, &tagged(&["person:bob"]), Range::after(0, 1_000)).await;
    let receipt = erased(&*store, erasure(TOMB, "person:ann")).await;
    assert_eq!((receipt.events, receipt.tombstone.first), (250, 501));
    assert_eq!(found(&*store, tagged(&["person:ann"])).await, [501]);
    let after = slice(&*store, &tagged(&["person:bob"]), Range::after(0, 1_000)).await;
    assert_eq!(after.events, bob.events);
    let gone = found(&*store, Query::types(&[ERASED])).await;
    assert_eq!(gone, (1..=500).step_by(2).collect::<Vec<_>>());
    assert_eq!(all(&*store).await.len(), 501);
    assert_eq!(store.event(Uuid::from_u128(498)).await, Ok(Some(499)));
}

/// Beside writers of the same stream: before the tombstone nothing stays, behind it all does.
pub async fn an_erasure_beside_writers_ends_at_its_tombstone(store: Arc<dyn Store>) {
    done(&*store, many(1..=20, "Said", &["person:ann"])).await;
    let tombs = together(4, |thread| {
        if thread == 0 {
            return block_on(erased(&*store, erasure(TOMB, "person:ann")))
                .tombstone
                .first;
        }
        for n in 0..10 {
            let id = thread as u128 * 1_000 + n;
            block_on(done(&*store, one(id, "Said", &["person:ann"])));
        }
        0
    });
    for event in all(&*store).await {
        let gone = event.ty == ERASED;
        assert_eq!(
            gone,
            event.meta.position < tombs[0],
            "at {}",
            event.meta.position
        );
    }
    assert_eq!(head(&*store).await, 51);
}
