//! Messages that cannot be read: kept as they came, passed by others, read again after a fix.

use super::*;
use fait::app::HearError;
use fait::store::Memory;
use fait_core::bus::fact::{Became, MessageReceived, Raw, in_tag, place_id};

/// Row F7 of the fault matrix, for messages: whatever is wrong with one, it is kept, what has the
/// same key waits, and a thousand others pass.
#[tokio::test]
async fn one_bad_message_is_kept_and_a_thousand_others_pass() {
    let line = Line::new();
    line.lay_raw(
        "application/cloudevents+json",
        b"{\"specversion\": \"1.0\", \"id\"",
    );
    line.lay_raw("application/octet-stream", &[0xff, 0x00, 0xfe]);
    line.lay(&of("jammed", "panics", 1));
    line.lay(&of("asked", "undecided", 13));
    line.lay(&of("later", "new", 1));
    line.lay(&message("left", json!({"parcel": 7})));
    for n in 0..1000 {
        line.lay(&of("left", &format!("p{}", n % 50), n));
    }
    for parcel in ["panics", "undecided", "new"] {
        line.lay(&of("left", parcel, 2));
    }
    let app = yard::<Yard>(Memory::default(), &line);
    up_to(&app, 1009).await;
    let kept = app.unreadable(None).await.unwrap();
    let lines: Vec<String> = kept
        .iter()
        .map(|m| {
            let key = m.key.as_deref().unwrap_or("?");
            let ty = m.ty.as_deref().unwrap_or("?");
            let why = m.reason.as_deref().unwrap_or("waits");
            format!("{} {ty} {key}: {why}", m.mark.sequence)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    let passed = log(&app)
        .await
        .iter()
        .filter(|l| l.starts_with("CrateLeft"))
        .count();
    assert_eq!(passed, 1000);
    let stands = stands(&app).await;
    assert_eq!((stands.unreadable, stands.waiting), (6, 3));
}

#[tokio::test]
async fn after_a_fix_all_is_read_again_in_order() {
    let line = Line::new();
    line.lay(&of("jammed", "a", 1));
    line.lay(&of("left", "a", 2));
    line.lay(&of("unheard", "a", 3));
    line.lay(&of("left", "a", 4));
    line.lay(&of("dropped", "b", 1));
    line.lay(&of("asked", "b", 2));
    let store = Arc::new(Memory::default());
    let app = yard::<Yard>(store.clone(), &line);
    up_to(&app, 6).await;
    let before = log(&app).await;
    assert_eq!(
        before,
        [
            "a unreadable",
            "a waiting",
            "a waiting",
            "a waiting",
            "b unreadable",
            "b waiting"
        ]
    );
    let again = app.reread("yard", None).await.unwrap();
    assert_eq!(again.len(), 2);
    assert!(again.iter().all(|r| r.became == "unreadable"));
    assert_eq!(
        log(&app).await,
        before,
        "what is as it was is not recorded again"
    );
    app.stop().await;
    let app = yard::<Repaired>(store, &line);
    let again = app.reread("yard", Some("jammed")).await.unwrap();
    let became: Vec<&str> = again.iter().map(|r| r.became.as_str()).collect();
    assert_eq!(
        became,
        ["recorded", "recorded", "unreadable"],
        "up to the next bad one"
    );
    app.reread("yard", None).await.unwrap();
    app.settle().await;
    let then = log(&app).await;
    assert_eq!(
        &then[6..],
        [
            "CrateLeft a 1",
            "a recorded",
            "CrateLeft a 2",
            "a recorded",
            "a unreadable",
            "b ignored",
            "PlaceKept b",
            "b accepted",
        ]
    );
    let kept = app.unreadable(Some("yard")).await.unwrap();
    let reasons: Vec<Option<&str>> = kept.iter().map(|m| m.reason.as_deref()).collect();
    assert_eq!(reasons, [Some("still no idea what `unheard` is"), None]);
}

#[tokio::test]
async fn a_skipped_message_lets_go_on_what_waits_behind_it() {
    let line = Line::new();
    line.lay(&of("jammed", "a", 1));
    line.lay(&of("left", "a", 2));
    line.lay(&of("asked", "a", 500));
    let app = yard::<Yard>(Memory::default(), &line);
    up_to(&app, 3).await;
    let kept = app.unreadable(None).await.unwrap();
    let skip = |reason: &'static str| app.skip_message(kept[0].message, "op:max", reason);
    assert!(matches!(skip(" ").await, Err(HearError::Reason)));
    skip("it was a test of theirs").await.unwrap();
    assert!(matches!(
        skip("once more").await,
        Err(HearError::NotKept(_))
    ));
    while !app.unreadable(None).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let log = log(&app).await;
    assert_eq!(
        &log[3..],
        ["a skipped", "CrateLeft a 2", "a recorded", "a refused"]
    );
}

/// An earlier program could not read a message at all, so it was kept by its place; the same came
/// once more, and was read.
#[tokio::test]
async fn what_came_by_another_way_meanwhile_is_not_taken_twice() {
    let message = of("left", "a", 1);
    let place = place_id("yard", "line 1", 1);
    let (raw, _) = Raw::of(
        &[("content-type".into(), STRUCTURED.into())],
        &message.to_bytes(),
        &in_tag("yard", place),
    );
    let kept = MessageReceived {
        receiver: "yard".into(),
        message: place,
        source: None,
        id: None,
        ty: None,
        key: None,
        history: "line 1".into(),
        sequence: 1,
        became: Became::Unreadable {
            reason: "it was too new".into(),
            raw,
        },
        again: false,
        kept_as: None,
    };
    for again in [true, false] {
        let store = Arc::new(Memory::default());
        let origin = fait::event::Origin::default();
        let id = fait::reexport::uuid::Uuid::from_u128(1);
        let append = fait::store::Append {
            events: vec![kept.draft().with(id, origin)],
            conditions: vec![],
            command: None,
            recorded_at: fait::event::Time(1_767_225_600_000),
        };
        store.append(append).await.unwrap();
        let line = Line::new();
        line.lay(&of("weather", "a", 0));
        if again {
            line.lay(&message);
        }
        let app = yard::<Yard>(store, &line);
        if again {
            up_to(&app, 2).await;
        }
        let read = app.reread("yard", None).await.unwrap();
        assert_eq!(read[0].became, if again { "known" } else { "recorded" });
        // And the other way round.
        line.lay(&of("packed", "a", 1));
        line.lay(&message);
        up_to(&app, 3 + u64::from(again)).await;
        let left = log(&app).await;
        let left = left.iter().filter(|l| l.starts_with("CrateLeft"));
        assert_eq!(left.count(), 1);
        assert!(app.unreadable(None).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn large_messages_are_kept_to_the_byte() {
    let line = Line::new();
    let noise: Vec<u8> = (0..3_000_000_u32)
        .map(|n| (n.wrapping_mul(7919) >> 5) as u8)
        .collect();
    line.lay_raw("image/png", &noise);
    let text = of("jammed", &"\u{1}\"".repeat(150_000), 1);
    line.lay(&text);
    line.lay(&of("left", "a", 1));
    let store = Arc::new(Memory::default());
    let app = yard::<Yard>(store.clone(), &line);
    up_to(&app, 3).await;
    assert_eq!(app.unreadable(None).await.unwrap().len(), 2);
    app.stop().await;
    let slice = store
        .read(&Query::all(), Range::after(0, 100))
        .await
        .unwrap();
    let mut bodies = vec![];
    for (n, event) in slice.events.iter().enumerate() {
        let fact = MessageReceived::of(event).unwrap();
        if let Some(raw) = fact.and_then(|f| f.became.raw().cloned()) {
            bodies.push(raw.open(&slice.events[n + 1..]).unwrap().1);
        }
    }
    assert_eq!(bodies, [Bytes::from(noise), text.to_bytes()]);
}

#[tokio::test]
async fn who_asks_for_what_is_not_there_is_told_so() {
    let line = Line::new();
    let app = yard::<Yard>(Memory::default(), &line);
    let unknown = app.reread("yart", None).await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "nothing hears as `yart`; did you mean `yard`?"
    );
    let id = "0190c2d4-0000-7000-8000-000000000001";
    let gone = app.reread("yard", Some(id)).await.unwrap_err();
    assert!(gone.to_string().contains("is not kept"), "{gone}");
}
