//! Sending commands: refusals, receipts, the same command twice, many at once.

use crate::kitchen::*;
use fait::app::{CommandError, Envelope, SendError};
use fait::event::{Event, EventSet, Meta, Origin, StoredEvent, Time, minutes};
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait::test::{given, process};

#[tokio::test]
async fn the_whole_story() {
    let app = open();
    app.send(soup(2)).await.unwrap();
    let cake = app.preview(&place("o1", 1, "cake", 1)).await;
    assert!(matches!(cake, Err(CommandError::Refused(No::SoldOut(_)))));
    let id = Uuid::from_u128(77);
    let first = app
        .send(place("o1", 1, "soup", 1))
        .by("waiter:ann")
        .id(id)
        .await
        .unwrap();
    assert_eq!((first.events.len(), first.repeated), (2, false));
    let again = app.send(place("o1", 1, "soup", 1)).id(id).await.unwrap();
    assert!(again.repeated);
    assert_eq!(again.events, first.events);
    let table = TableId(1);
    let row = app
        .view::<OpenOrders>()
        .at_least(&first)
        .get(&table)
        .await
        .unwrap();
    assert_eq!(row.unwrap().open, ["o1".into()]);
    app.advance(minutes(16)).await; // the kitchen stays silent: the process cancels
    assert_eq!(app.view::<OpenOrders>().get(&table).await.unwrap(), None);
    let body = json!({"order": "o2", "table": 1, "dishes": {"soup": 1}});
    app.send_json("PlaceOrder", body, Envelope::default())
        .await
        .unwrap();
    app.send(AcceptOrder { order: "o2".into() }).await.unwrap();
    app.advance(minutes(60)).await; // accepted in time: nothing is cancelled
    let row = app.view::<OpenOrders>().get(&table).await.unwrap();
    assert_eq!(row.unwrap().open, ["o2".into()]);
    assert!(app.parked().unwrap().is_empty());
    let task = app.task("PlaceOrder").unwrap();
    let emits: Vec<&str> = task.emits.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(task.title, "Place an order");
    assert_eq!(task.fields[1].label, "Which table?");
    assert_eq!(emits, ["OrderPlaced", "PortionsReserved"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_waiters_never_oversell() {
    let app = open();
    app.send(soup(5)).await.unwrap();
    let waiters = (0..200).map(|i| {
        let app = app.clone();
        tokio::spawn(async move {
            app.send(place(&format!("o{i}"), i, "soup", 1))
                .await
                .is_ok()
        })
    });
    let mut sold = 0;
    for waiter in waiters.collect::<Vec<_>>() {
        sold += u32::from(waiter.await.unwrap());
    }
    assert_eq!(sold, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_equal_commands_at_once_have_one_effect_and_one_receipt() {
    for round in 0..50u64 {
        let app = open();
        app.send(soup(9)).await.unwrap();
        let id = Uuid::from_u128(u128::from(round) + 1);
        let send = || {
            let app = app.clone();
            tokio::spawn(async move { app.send(place("o1", 1, "soup", 1)).id(id).await.unwrap() })
        };
        let (a, b) = (send(), send());
        let (a, b) = (a.await.unwrap(), b.await.unwrap());
        assert_eq!(a.events, b.events);
        assert_ne!(a.repeated, b.repeated);
    }
}

#[tokio::test]
async fn one_command_id_for_two_things_is_refused() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    let head = app.head().await.unwrap();
    let id = Some(Uuid::from_u128(5));
    let env = Envelope {
        id,
        ..Envelope::default()
    };
    let body = json!({"dish": "soup", "portions": 1});
    app.send_json("PreparePortions", body, env.clone())
        .await
        .unwrap();
    let other = json!({"dish": "soup", "portions": 2});
    let e = app
        .send_json("PreparePortions", other, env)
        .await
        .unwrap_err();
    assert!(matches!(e, SendError::Reused(_)), "{e}");
    app.settle().await;
    assert_eq!(app.head().await.unwrap(), head + 1);
}

#[tokio::test]
async fn bad_commands_name_what_is_wrong_and_change_nothing() {
    let app = open();
    let cases = [
        (
            "PlaceOder",
            json!({}),
            "there is no command `PlaceOder`; did you mean `PlaceOrder`?",
        ),
        ("AcceptOrder", json!({}), "field `order`: is missing"),
        (
            "AcceptOrder",
            json!([]),
            "the body of `AcceptOrder` must be a JSON object",
        ),
        (
            "AcceptOrder",
            json!({"order": "o", "odrer": 1}),
            "field `odrer`: `AcceptOrder` has no such field; it has order",
        ),
        (
            "PreparePortions",
            json!({"dish": "soup", "portions": "two"}),
            "field `portions`: invalid type: string \"two\", expected u32",
        ),
        (
            "PreparePortions",
            json!({"dish": " ", "portions": 2}),
            "field `dish`: an id cannot be empty",
        ),
    ];
    for (name, body, wanted) in cases {
        let e = app
            .send_json(name, body, Envelope::default())
            .await
            .unwrap_err();
        assert_eq!(e.to_string(), wanted);
    }
    // Where processes begin is recorded; nothing else.
    assert_eq!(app.head().await.unwrap(), 1);
}

#[tokio::test]
async fn an_offer_is_a_dry_run() {
    let app = open();
    app.send(soup(1)).await.unwrap();
    app.send(place("o1", 1, "soup", 1)).await.unwrap();
    let given = json!({"order": "o1"});
    app.offer("CancelOrder", &given, "waiter:ann")
        .await
        .unwrap();
    app.send(AcceptOrder { order: "o1".into() }).await.unwrap();
    let head = app.head().await.unwrap();
    let e = app
        .offer("CancelOrder", &given, "waiter:ann")
        .await
        .unwrap_err();
    assert_eq!(e.to_string(), "the order is not waiting");
    app.settle().await;
    assert!(
        app.head().await.unwrap() <= head + 2,
        "an offer records nothing"
    );
}

#[test]
fn version_one_is_upcast_and_a_newer_one_is_refused() {
    let stored = |version, data: &str| StoredEvent {
        ty: OrderPlaced::TYPE.into(),
        version,
        tags: vec![],
        data: data.as_bytes().to_vec().into(),
        meta: Meta {
            position: 9,
            id: Uuid::nil(),
            recorded_at: Time(0),
            origin: Origin::default(),
        },
    };
    let old = stored(1, r#"{"order": "o", "table": 3, "dish": "soup"}"#);
    let read = OrderPlaced::decode(&old).unwrap().unwrap();
    assert_eq!(read.dishes, [("soup".into(), 1)].into());
    let newer = OrderPlaced::decode(&stored(3, "{}"))
        .unwrap_err()
        .to_string();
    assert_eq!(
        newer,
        "event OrderPlaced version 3 at position 9 cannot be read: \
         it is newer than this program, which knows version 2"
    );
    let torn = OrderPlaced::decode(&stored(1, "{}"))
        .unwrap_err()
        .to_string();
    assert!(torn.ends_with("it has no dish"), "{torn}");
}

#[test]
fn the_kit_reads_like_the_board() {
    let placed = |o: &str, t: u64| OrderPlaced {
        order: o.into(),
        table: t.into(),
        dishes: [("soup".into(), 1)].into(),
    };
    given(PortionsPrepared {
        dish: "soup".into(),
        portions: 9,
    })
    .given(placed("o1", 1))
    .given(placed("o2", 1))
    .given(placed("o3", 1))
    .when(place("o4", 1, "soup", 1))
    .then_refused(No::TableFull(3));
    given(placed("o1", 1))
        .when(AcceptOrder { order: "o1".into() })
        .then([OrderAccepted { order: "o1".into() }]);
    let cancel = CancelOrder {
        order: "o1".into(),
        reason: "kitchen did not answer".into(),
    };
    process::<Handover>("o1")
        .on(placed("o1", 1))
        .wakes(Wake::KitchenSilent, minutes(15))
        .fires(Wake::KitchenSilent)
        .sends([cancel.clone()])
        .refused(cancel, "some new rule")
        .parks();
}

#[test]
#[should_panic(expected = "it happened otherwise")]
fn the_kit_can_fail() {
    given(PortionsPrepared {
        dish: "soup".into(),
        portions: 1,
    })
    .when(place("o1", 1, "soup", 1))
    .then_nothing();
}
