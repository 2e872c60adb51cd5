//! A process that stumbles waits for a person, alone; then it goes on in order.

use crate::kitchen::*;
use fait::app::{App, RowsQuery, System, TellError, Told, Uncertain};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Process, Status};
use fait::store::BoxFuture;
use fait::{command, data};

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
    assert_eq!(
        e.to_string(),
        "`handover` has no instance `o9`; look at the keys that it has"
    );
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

/// A system that cannot be reached.
struct Unreachable;

impl System for Unreachable {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Err(TellError::later("no answer")) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// Ring the bell
#[command(to = "Bell")]
pub(crate) struct RingBell {
    pub(crate) order: OrderId,
}

#[data]
#[derive(Default)]
pub(crate) struct Ringing;

impl Process for Ringing {
    const NAME: &'static str = "ringing";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = RingBell;
    type Raises = Never;
    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(_) => {
                out.send(RingBell {
                    order: order.clone(),
                });
                self
            }
            other => out.unhandled(self, other),
        }
    }
}

#[tokio::test]
async fn a_system_that_does_not_answer_keeps_nobody_else_waiting() {
    let wired = wired(App::in_memory())
        .tells::<RingBell>()
        .process::<Ringing>();
    let app = wired.system("Bell", Unreachable).build().unwrap();
    app.send(soup(200)).await.unwrap();
    for i in 0..100 {
        app.send(place(&format!("o{i}"), i, "soup", 1))
            .await
            .unwrap();
    }
    // All the bells are being rung in vain; the kitchen's silence cancels the orders all the same.
    app.advance(minutes(16)).await;
    let rows = app
        .view_rows("open-orders", &RowsQuery::default())
        .await
        .unwrap()
        .rows;
    assert!(rows.is_empty(), "{rows:?}");
    assert!(!app.waiting(10).unwrap().is_empty(), "the bells wait");
    app.stop().await;
}
