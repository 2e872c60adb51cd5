//! A process that stumbles waits for a person, alone; then it goes on in order.

use crate::kitchen::*;
use fait::event::minutes;
use fait::process::Status;

#[tokio::test]
async fn a_panic_parks_one_instance_and_the_others_go_on() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    app.send(place("poison", 7, "soup", 1)).await.unwrap();
    app.send(place("o2", 2, "soup", 1)).await.unwrap();
    app.settle().await;
    let parked = app.parked().unwrap();
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].key, "poison");
    let Status::Parked { reason, .. } = &parked[0].status else {
        panic!("not parked")
    };
    assert!(reason.contains("no process for poison"), "{reason}");
    app.advance(minutes(16)).await;
    let row = app.view::<OpenOrders>().get(&TableId(2)).await.unwrap();
    assert_eq!(row, None, "the other was cancelled in time");
}

#[tokio::test]
async fn what_waited_is_taken_in_order_after_a_person_skips_the_input() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    app.send(place("poison", 7, "soup", 1)).await.unwrap();
    app.settle().await;
    // More comes in while it is parked: it waits.
    app.send(AcceptOrder {
        order: "poison".into(),
    })
    .await
    .unwrap();
    app.settle().await;
    assert_eq!(app.parked().unwrap().len(), 1);
    let e = app
        .resume("handover", "o9", true, "op", "x")
        .await
        .unwrap_err();
    assert_eq!(e.to_string(), "`handover` of o9 is not parked");
    app.resume(
        "handover",
        "poison",
        false,
        "operator:max",
        "nobody eats it",
    )
    .await
    .unwrap();
    app.settle().await;
    assert!(app.parked().unwrap().is_empty());
    let done = app.instance("handover", "poison").await.unwrap().unwrap();
    assert_eq!(
        done.status,
        Status::Ended,
        "the accepted order was taken in"
    );
}

#[tokio::test]
async fn a_retry_that_stumbles_again_parks_again() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    app.send(place("poison", 7, "soup", 1)).await.unwrap();
    app.settle().await;
    app.resume("handover", "poison", true, "operator:max", "try")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(app.parked().unwrap().len(), 1);
}
