//! Two systems on one clock, with crashes of either and a way between that loses, doubles and
//! reorders. A shop tells a warehouse to pack and to send; the warehouse knows nothing of shops.

use fait::app::{App, AppBuilder, Envelope};
use fait::bus::{CloudEvent, Incoming, Publish, Receive, Received};
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Never, StoredEvent, minutes};
use fait::process::{Fact, Input, InputRef, Outbox, Process};
use fait::reexport::serde_json::json;
use fait::reexport::uuid::Uuid;
use fait::sim::two::{Every, Failure, Side, World, every_crash};
use fait::sim::{Ending, Extent, Flaw, Plan, Report, with_flaw};
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event, published};

entity_ids! { OrderId(text) => "order" }

/// An order was placed.
#[event]
struct OrderPlaced {
    #[tag]
    order: OrderId,
    things: u32,
}

/// It is on its way.
#[event]
struct OrderFulfilled {
    #[tag]
    order: OrderId,
}

/// It cannot be had.
#[event]
struct OrderCancelled {
    #[tag]
    order: OrderId,
    why: String,
}

/// Place an order
#[command(by = "Customer", starts)]
struct PlaceOrder {
    /// Which?
    order: OrderId,
}

/// Pack a thing
#[command(to = "Warehouse")]
struct PackThing {
    /// For which order?
    order: OrderId,
    /// Which one of its things?
    thing: u32,
}

/// A thing was packed.
#[event]
struct ThingPacked {
    #[tag]
    order: OrderId,
    thing: u32,
}

/// A thing was weighed.
#[event]
struct ThingWeighed {
    #[tag]
    order: OrderId,
    thing: u32,
}

/// Weigh a thing
#[command]
struct WeighThing {
    /// Of which order?
    order: OrderId,
    /// Which one?
    thing: u32,
}

/// What the warehouse knows of an order: nothing that would keep it from packing twice.
#[derive(Default)]
struct Box;

impl Model for Box {
    type Key = OrderId;
    type Events = ThingPacked;
    fn evolve(&mut self, _: ThingPacked) {}
}

#[derive(Clone, Debug, PartialEq, Refusal)]
enum No {
    #[refused("there are no more than three of them")]
    NotInStock,
}

impl Decide for PackThing {
    type Model = Box;
    type Emits = ThingPacked;
    type Refusal = No;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, _: &Box, _: &Context) -> Result<Vec<ThingPacked>, No> {
        let PackThing { order, thing } = self.clone();
        match thing {
            1..=3 => Ok(vec![ThingPacked { order, thing }]),
            _ => Err(No::NotInStock),
        }
    }
}

impl Decide for PlaceOrder {
    type Model = Box;
    type Emits = OrderPlaced;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, _: &Box, _: &Context) -> Result<Vec<OrderPlaced>, Never> {
        let (order, things) = (self.order.clone(), 2);
        Ok(vec![OrderPlaced { order, things }])
    }
}

impl Decide for WeighThing {
    type Model = Box;
    type Emits = ThingWeighed;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order.clone()
    }
    fn decide(&self, _: &Box, _: &Context) -> Result<Vec<ThingWeighed>, Never> {
        let WeighThing { order, thing } = self.clone();
        Ok(vec![ThingWeighed { order, thing }])
    }
}

/// Process *Fulfil an order*, in the shop: one thing after the other.
#[data]
#[derive(Default)]
enum Fulfil {
    #[default]
    Idle,
    Packing {
        of: u32,
        done: u32,
    },
    Done,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
enum Ends {
    Fulfilled(OrderFulfilled),
    Cancelled(OrderCancelled),
}

#[data]
enum Slow {
    Warehouse,
}

impl Process for Fulfil {
    const NAME: &'static str = "fulfil";
    type Key = OrderId;
    type Events = OrderPlaced;
    type Timer = Slow;
    type Sends = PackThing;
    type Raises = Ends;

    fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let order = order.clone();
        match (self, input) {
            (Fulfil::Idle, Input::Event(placed)) => {
                out.send(PackThing { order, thing: 1 });
                out.wake_after(minutes(5), Slow::Warehouse);
                Fulfil::Packing {
                    of: placed.things,
                    done: 0,
                }
            }
            (Fulfil::Packing { of, done }, Input::Done { .. }) if done + 1 < of => {
                out.send(PackThing {
                    order,
                    thing: done + 2,
                });
                Fulfil::Packing { of, done: done + 1 }
            }
            (Fulfil::Packing { .. }, Input::Done { .. }) => {
                out.raise(OrderFulfilled { order });
                out.end();
                Fulfil::Done
            }
            (
                Fulfil::Packing { .. },
                Input::Failed { error: why, .. } | Input::Refused { reason: why, .. },
            ) => {
                out.raise(OrderCancelled { order, why });
                out.end();
                Fulfil::Done
            }
            // Somebody may want to know.
            (packing, Input::Timer(Slow::Warehouse)) => packing,
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// Process *Weigh all*, in the warehouse: whatever is packed is weighed.
#[data]
#[derive(Default)]
struct WeighAll;

#[derive(CommandSet, Clone, Debug, PartialEq)]
enum Weighs {
    Weigh(WeighThing),
}

impl Process for WeighAll {
    const NAME: &'static str = "weigh-all";
    type Key = OrderId;
    type Events = ThingPacked;
    type Timer = ();
    type Sends = Weighs;
    type Raises = Never;
    fn react(self, _: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        if let Input::Event(ThingPacked { order, thing }) = input {
            out.send(WeighThing { order, thing });
        }
        self
    }
}

/// A thing was packed: what the warehouse tells everybody.
#[published(name = "com.example.warehouse.packed")]
struct Packed {
    #[subject]
    order: OrderId,
    thing: u32,
}

struct Tell;

impl Publish for Tell {
    const NAME: &'static str = "tell";
    type Events = ThingPacked;
    type Model = ();
    type Publishes = Packed;
    fn about(_: &ThingPacked) {}
    fn publish(e: &ThingPacked, (): &(), _: &Meta) -> Vec<Packed> {
        let (order, thing) = (e.order.clone(), e.thing);
        vec![Packed { order, thing }]
    }
}

/// The warehouse packed a thing, as the shop has heard.
#[event]
struct PackingHeard {
    #[tag]
    order: OrderId,
    thing: u32,
}

struct FromWarehouse;

impl Receive for FromWarehouse {
    const SYSTEM: &'static str = "Warehouse";
    type Sends = Never;
    type Records = PackingHeard;
    fn receive(message: &CloudEvent) -> Received<Self> {
        match message.read::<Packed>() {
            Ok(Packed { order, thing }) => Incoming::Record(PackingHeard { order, thing }),
            Err(e) => Incoming::Unknown(e.to_string()),
        }
    }
}

fn shop(side: &Side, _: &()) -> AppBuilder {
    side.app()
        .hears::<FromWarehouse>("warehouse", side.inlet())
        .receives::<OrderPlaced>("Customer")
        .tells::<PackThing>()
        .system("Warehouse", side.door())
        .process::<Fulfil>()
}

fn warehouse(side: &Side, _: &()) -> AppBuilder {
    side.app()
        .source("urn:example:warehouse")
        .publishes::<Tell>()
        .relays("bus", side.outlet())
        .task::<PackThing>()
        .task::<WeighThing>()
        .process::<WeighAll>()
}

async fn place(world: &World, order: &str, things: u32) {
    let order = OrderId::from(order);
    let placed = OrderPlaced { order, things };
    world.first().receive(placed, None).await.unwrap();
}

/// One order that can be had, and one that can be had in part.
async fn two_orders(world: &World, _: &()) {
    place(world, "a", 2).await;
    place(world, "b", 4).await;
    world.arrive().await;
}

/// What happened in each, whatever the order.
fn outcome(endings: &[Ending; 2], _: &()) -> [Vec<String>; 2] {
    endings.each_ref().map(|e| {
        let mut happened = e.happened();
        happened.sort();
        happened
    })
}

fn check(extent: Extent) -> Result<Report, std::boxed::Box<Failure>> {
    every_crash(shop, warehouse, two_orders, outcome)
        .extent(extent)
        .check()
}

/// Some of it each time; with `FAIT_MANY` in the environment each pair, and many seeds.
#[test]
fn every_crash_of_either_ends_alike() {
    let extent = match std::env::var_os("FAIT_MANY") {
        Some(_) => Extent::all(),
        None => Extent {
            pairs: 40,
            faulty: 12,
            mixed: 12,
            ..Extent::some()
        },
    };
    let report = check(extent).unwrap();
    println!("{report}");
    assert!(report.singles > 60, "{report}");
    assert!(report.all_pairs > 1000, "{report}");
}

#[test]
fn telling_under_a_new_id_each_time_is_found() {
    let failure = with_flaw(Flaw::NewIdEachTime, || check(Extent::some())).unwrap_err();
    println!(
        "found by schedule {}: {:?}",
        failure.schedules, failure.plans
    );
    assert!(failure.why.contains("ThingPacked"), "{failure}");
}

/// Whoever acknowledges before recording loses what a crash in between would have recorded.
#[test]
fn acknowledging_before_recording_is_found() {
    let failure = with_flaw(Flaw::AcknowledgedFirst, || check(Extent::some())).unwrap_err();
    println!("found by schedule {}", failure.schedules);
    assert!(failure.why.contains("PackingHeard"), "{failure}");
}

/// The bus gives some messages again; and after a crash, those that were not acknowledged.
#[test]
fn recording_what_was_heard_before_is_found() {
    let failure = with_flaw(Flaw::HeardAgain, || check(Extent::some())).unwrap_err();
    println!("found by schedule {}", failure.schedules);
    assert!(failure.why.contains("PackingHeard"), "{failure}");
}

#[test]
fn the_same_plans_have_the_same_logs() {
    let every = every_crash(shop, warehouse, two_orders, outcome);
    for n in [3, 4, 5] {
        let plans = [Plan::faulty(n), Plan::faulty(n + 10)];
        let (a, _) = every.play(&plans).unwrap();
        let (b, _) = every.play(&plans).unwrap();
        for (a, b) in a.iter().zip(&b) {
            assert_eq!(a.text(), b.text());
            assert_eq!(a.trail, b.trail);
        }
    }
}

/// The warehouse packs something for an order of its own, of which the shop hears.
async fn pack_in_the_warehouse(world: &World) {
    let envelope = Envelope {
        id: Some(Uuid::from_u128(7)),
        ..Envelope::default()
    };
    let body = json!({"order": "c", "thing": 1});
    let pack = async |app: App| {
        let sent = app.send_json("PackThing", body.clone(), envelope.clone());
        sent.await.unwrap();
    };
    world.second().during(pack).await;
}

/// What the shop has to tell and could not, and what the warehouse's bus did not take.
async fn lag(world: &World) -> (usize, u64) {
    let told = world
        .first()
        .during(async |app: App| app.waiting(10).unwrap().len());
    let handed = world.second().during(async |app: App| {
        let bus = app.bus().await.unwrap();
        let outlet = &bus.outlets[0];
        assert_eq!(outlet.trouble.is_some(), outlet.waiting > 0, "{outlet:?}");
        outlet.waiting
    });
    (told.await, handed.await)
}

/// Everything between the two is down for ten minutes: both go on, what waits is shown, and goes
/// over afterwards. Nothing is lost, nothing comes twice.
#[test]
fn ten_minutes_without_a_way_lose_nothing() {
    let calm = [Plan::calm(), Plan::calm()];
    let disturbed = async |world: &World, _: &()| {
        world.cut(minutes(10));
        place(world, "a", 2).await;
        world.advance(minutes(1)).await;
        pack_in_the_warehouse(world).await;
        world.advance(minutes(8)).await;
        assert_eq!(lag(world).await, (1, 1));
        world.advance(minutes(20)).await;
        assert_eq!(lag(world).await, (0, 0));
        place(world, "b", 4).await;
    };
    let (_, ended) = every_crash(shop, warehouse, disturbed, outcome)
        .play(&calm)
        .unwrap();
    let undisturbed = async |world: &World, w: &()| {
        two_orders(world, w).await;
        pack_in_the_warehouse(world).await;
    };
    let every: Every<_, _, _, _> = every_crash(shop, warehouse, undisturbed, outcome);
    let (_, expected) = every.play(&calm).unwrap();
    assert_eq!(ended, expected);
    let heard = ended[0].iter().filter(|e| e.starts_with("PackingHeard"));
    assert_eq!(heard.count(), 6, "{ended:?}");
}

/// The trace of whoever placed an order is on everything that comes of it, in both systems: on
/// what a deadline brings about as well, and on what the other system's process does.
#[test]
fn one_trace_goes_through_both_systems() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let ordered = async |world: &World, _: &()| {
        for (n, trace) in [(1, Some(TRACE)), (2, Some("nonsense")), (3, None)] {
            let envelope = Envelope {
                id: Some(Uuid::from_u128(n)),
                traceparent: trace.map(String::from),
                ..Envelope::default()
            };
            let body = json!({"order": n.to_string()});
            world.cut(minutes(6));
            let send = async |app: App| {
                let sent = app.send_json("PlaceOrder", body.clone(), envelope.clone());
                sent.await.unwrap();
            };
            world.first().during(send).await;
            world.advance(minutes(7)).await;
            world.arrive().await;
        }
    };
    let shop = |side: &Side, w: &()| shop(side, w).task::<PlaceOrder>();
    let every = every_crash(shop, warehouse, ordered, outcome);
    let ([shop, warehouse], _) = every.play(&[Plan::calm(), Plan::calm()]).unwrap();
    let of = |log: &[StoredEvent], n: u128| {
        let flow = log
            .iter()
            .filter(|e| e.meta.origin.correlation == Uuid::from_u128(n));
        let traced = flow.map(|e| (e.ty.clone(), e.meta.origin.traceparent.clone()));
        traced.collect::<Vec<_>>()
    };
    for (log, least) in [(&shop.log, 8), (&warehouse.log, 10)] {
        let traced = of(log, 1);
        assert!(traced.len() >= least, "{traced:?}");
        assert!(
            traced.iter().all(|(_, t)| t.as_deref() == Some(TRACE)),
            "{traced:?}"
        );
        for n in [2, 3] {
            let others = of(log, n);
            assert_eq!(others.len(), traced.len());
            assert!(others.iter().all(|(_, t)| t.is_none()), "{others:?}");
        }
    }
    let by_deadline = |e: &&StoredEvent| match Fact::read(e) {
        Ok(Some(Fact::Stepped(step))) => matches!(step.input, InputRef::Deadline(_)),
        _ => false,
    };
    assert_eq!(
        shop.log.iter().filter(by_deadline).count(),
        3,
        "{}",
        shop.text()
    );
}
