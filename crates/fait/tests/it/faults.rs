//! Faults in the application's code and in other systems: one instance or one system waits, all
//! others go on; a restart and an operator's resume take no input twice.

use crate::kitchen::*;
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide};
use fait::event::{Event, Never, NewEvent, Origin, Tag, Time, minutes};
use fait::process::{Input, Outbox, Process, Status};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, BoxFuture, Memory, Store};
use fait::{Clock, command, data};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

fn raw(id: u128, ty: &str, tags: &[&str], data: &str, version: u32) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id),
        ty: ty.into(),
        version,
        tags: tags.iter().map(|t| Tag::raw(*t)).collect(),
        data: data.as_bytes().to_vec().into(),
        origin: Origin::default(),
    }
}
async fn append(store: &dyn Store, events: Vec<NewEvent>) {
    store
        .append(Append {
            events,
            conditions: vec![],
            command: None,
            recorded_at: Time(1_767_225_600_000),
        })
        .await
        .unwrap();
}
const S: Duration = Duration::from_secs(4);

#[tokio::test]
async fn a_retry_of_what_cannot_be_read_parks_again() {
    let store = Arc::new(Memory::default());
    let app = wired(App::on(store.clone())).build().unwrap();
    append(
        &*store,
        vec![raw(
            1,
            OrderPlaced::TYPE,
            &["order:a", "table:1"],
            "{\"order\": 5}",
            2,
        )],
    )
    .await;
    app.settle().await;
    assert_eq!(app.parked().unwrap().len(), 1);
    app.resume("handover", "a", true, "op", "retry")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(
        app.parked().unwrap().len(),
        1,
        "must be parked again, not skipped"
    );
}

#[data]
#[derive(Default)]
pub(crate) struct Routed;
impl Process for Routed {
    const NAME: &'static str = "routed";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = CancelOrder;
    type Raises = Never;
    fn correlate(e: &OrderPlaced) -> Result<Vec<OrderId>, String> {
        assert!(e.order.0 != "poison", "boom");
        Ok(vec![e.order.clone()])
    }
    fn react(self, _: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match i {
            Input::Event(_) => {
                out.wake_after(minutes(99), ());
                self
            }
            o => out.unhandled(self, o),
        }
    }
}
#[tokio::test]
async fn a_panic_in_correlate_parks_again_and_others_go_on() {
    let app = wired(App::in_memory()).process::<Routed>().build().unwrap();
    app.send(soup(9)).await.unwrap();
    app.send(place("poison", 7, "soup", 1)).await.unwrap();
    timeout(S, app.settle()).await.expect("settles at first");
    app.resume("routed", "poison", true, "op", "retry")
        .await
        .unwrap();
    let _ = timeout(S, app.settle()).await;
    app.send(place("o2", 2, "soup", 1)).await.unwrap();
    timeout(S, app.settle()).await.expect("the process is dead");
}

/// Explode
#[command(by = "Cook")]
pub(crate) struct Explode {
    pub(crate) order: OrderId,
}
impl Decide for Explode {
    type Model = Order;
    type Emits = OrderAccepted;
    type Refusal = No;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, _: &Order, _: &Context) -> Result<Vec<OrderAccepted>, No> {
        if self.order.0.starts_with("bad") {
            panic!("decide panics")
        }
        Ok(vec![OrderAccepted {
            order: self.order.clone(),
        }])
    }
}
#[data]
#[derive(Default)]
pub(crate) struct Exploding;
impl Process for Exploding {
    const NAME: &'static str = "exploding";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = Explode;
    type Raises = Never;
    fn react(self, k: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match i {
            Input::Event(_) => {
                out.send(Explode { order: k.clone() });
                self
            }
            o => out.unhandled(self, o),
        }
    }
}
#[tokio::test]
async fn a_panic_in_a_decision_is_a_failure_that_the_process_hears() {
    let app = wired(App::in_memory())
        .task::<Explode>()
        .process::<Exploding>()
        .build()
        .unwrap();
    app.send(soup(99)).await.unwrap();
    for n in 0..32 {
        app.send(place(&format!("bad{n}"), n, "soup", 1))
            .await
            .unwrap();
    }
    timeout(S, app.settle()).await.expect("a place was lost");
    let parked = app.parked().unwrap().len();
    app.send(place("good", 77, "soup", 1)).await.unwrap();
    timeout(S, app.settle()).await.expect("a place was lost");
    let open = app.open_of("exploding", "good").unwrap().len();
    assert!(
        parked == 32 && open == 0,
        "parked {parked} of 32; commands of the good one still open: {open}"
    );
}

#[tokio::test]
async fn a_long_key_keeps_nobody_else_waiting() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    let long = "x".repeat(240);
    app.send(place(&long, 7, "soup", 1)).await.unwrap();
    app.send(place("o2", 2, "soup", 1)).await.unwrap();
    let settled = timeout(S, app.settle()).await.is_ok();
    let other = app.instance("handover", "o2").await.unwrap();
    assert!(
        settled && other.is_some(),
        "settled {settled}, other instance {}",
        other.is_some()
    );
}

#[data]
#[derive(Default)]
pub(crate) enum Twice {
    #[default]
    Idle,
    A,
    B,
    Reacted,
}
#[data]
pub(crate) enum Tick {
    One,
    Two,
}
impl Process for Twice {
    const NAME: &'static str = "twice";
    type Key = OrderId;
    type Events = OrderHistory;
    type Timer = Tick;
    type Sends = CancelOrder;
    type Raises = Never;
    fn react(self, _: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match (self, i) {
            (Twice::Idle, Input::Event(OrderHistory::Placed(_))) => {
                out.wake_after(minutes(1), Tick::One);
                Twice::A
            }
            (Twice::A, Input::Timer(Tick::One)) => {
                out.wake_after(minutes(1), Tick::Two);
                Twice::B
            }
            (Twice::B, Input::Event(OrderHistory::Accepted(_))) => Twice::Reacted,
            (s @ Twice::B, Input::Timer(Tick::Two)) => {
                out.park("look");
                s
            }
            (s, o) => out.unhandled(s, o),
        }
    }
}
fn twice(store: Arc<Memory>) -> App {
    App::on(store)
        .name("K")
        .clock(Clock::by_hand())
        .task::<PlaceOrder>()
        .task::<AcceptOrder>()
        .task::<CancelOrder>()
        .task::<PreparePortions>()
        .process::<Twice>()
        .build()
        .unwrap()
}
async fn state(app: &App) -> String {
    app.instance("twice", "o")
        .await
        .unwrap()
        .unwrap()
        .state
        .unwrap()
        .1
        .to_string()
}
#[tokio::test]
async fn a_restart_takes_no_input_again() {
    let store = Arc::new(Memory::default());
    let app = twice(store.clone());
    app.send(soup(9)).await.unwrap();
    app.send(place("o", 7, "soup", 1)).await.unwrap();
    app.settle().await;
    app.send(AcceptOrder { order: "o".into() }).await.unwrap(); // nothing comes of it in A
    app.advance(Duration::from_secs(61)).await;
    assert_eq!(state(&app).await, "\"B\"");
    app.begin_stop();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let app = twice(store);
    app.settle().await;
    assert_eq!(state(&app).await, "\"B\"", "a restart must change nothing");
}
#[tokio::test]
async fn a_resume_takes_no_input_again() {
    let app = twice(Arc::new(Memory::default()));
    app.send(soup(9)).await.unwrap();
    app.send(place("o", 7, "soup", 1)).await.unwrap();
    app.settle().await;
    app.send(AcceptOrder { order: "o".into() }).await.unwrap();
    app.advance(Duration::from_secs(125)).await;
    assert_eq!(app.parked().unwrap().len(), 1);
    app.resume("twice", "o", false, "op", "skip the deadline")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(
        state(&app).await,
        "\"B\"",
        "resume must not take the old input again"
    );
}

#[data]
#[derive(Default)]
pub(crate) struct Ending {
    n: u32,
}
impl Process for Ending {
    const NAME: &'static str = "ending";
    type Key = OrderId;
    type Events = OrderHistory;
    type Timer = ();
    type Sends = AcceptOrder;
    type Raises = Never;
    fn react(self, k: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match i {
            Input::Event(OrderHistory::Cancelled(_)) => {
                out.send(AcceptOrder { order: k.clone() });
                out.end();
                Ending { n: self.n + 1 }
            }
            o => out.unhandled(self, o),
        }
    }
}
#[tokio::test]
async fn what_has_ended_stays_ended_after_a_resume() {
    let app = App::in_memory()
        .name("K")
        .clock(Clock::by_hand())
        .task::<PlaceOrder>()
        .task::<AcceptOrder>()
        .task::<CancelOrder>()
        .task::<PreparePortions>()
        .process::<Ending>()
        .build()
        .unwrap();
    app.send(soup(9)).await.unwrap();
    app.send(place("o", 7, "soup", 1)).await.unwrap();
    app.send(CancelOrder {
        order: "o".into(),
        reason: "r".into(),
    })
    .await
    .unwrap();
    app.settle().await;
    assert_eq!(app.parked().unwrap().len(), 1);
    app.resume("ending", "o", false, "op", "seen")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(
        app.instance("ending", "o").await.unwrap().unwrap().status,
        Status::Ended
    );
}

/// Ring it
#[command(to = "Dead")]
pub(crate) struct RingDead {
    pub(crate) order: OrderId,
}
/// Ring it too
#[command(to = "Alive")]
pub(crate) struct RingAlive {
    pub(crate) order: OrderId,
}
struct Hangs;
impl System for Hangs {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(std::future::pending())
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}
struct Answers;
impl System for Answers {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Ok(()) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}
#[data]
#[derive(Default)]
pub(crate) struct P1;
impl Process for P1 {
    const NAME: &'static str = "p1";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = RingDead;
    type Raises = Never;
    fn react(self, k: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match i {
            Input::Event(_) => {
                out.send(RingDead { order: k.clone() });
                self
            }
            o => out.unhandled(self, o),
        }
    }
}
#[data]
#[derive(Default)]
pub(crate) struct P2;
impl Process for P2 {
    const NAME: &'static str = "p2";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = ();
    type Sends = RingAlive;
    type Raises = Never;
    fn react(self, k: &OrderId, i: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match i {
            Input::Event(_) if k.0 == "last" => {
                out.send(RingAlive { order: k.clone() });
                self
            }
            Input::Event(_) => self,
            o => out.unhandled(self, o),
        }
    }
}
#[tokio::test]
async fn a_system_that_hangs_keeps_no_other_system_and_no_stop_waiting() {
    let app = wired(App::in_memory())
        .tells::<RingDead>()
        .tells::<RingAlive>()
        .process::<P1>()
        .process::<P2>()
        .system("Dead", Hangs)
        .system("Alive", Answers)
        .build()
        .unwrap();
    app.send(soup(99)).await.unwrap();
    for n in 0..16 {
        app.send(place(&format!("o{n}"), n, "soup", 1))
            .await
            .unwrap();
    }
    let _ = timeout(S, app.settle()).await;
    app.send(place("last", 77, "soup", 1)).await.unwrap();
    let mut open = 1;
    for _ in 0..400 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        open = app.open_of("p2", "last").unwrap().len();
        if open == 0 && app.instance("p2", "last").await.unwrap().is_some() {
            break;
        }
    }
    let stopped = timeout(S, app.stop()).await.is_ok();
    assert!(open == 0 && stopped, "open {open}, stopped {stopped}");
}
