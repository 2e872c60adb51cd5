//! Two systems on one clock, with crashes of either and a way between that loses, doubles and
//! reorders. A shop tells a warehouse to pack and to send; the warehouse knows nothing of shops.

use fait::app::AppBuilder;
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, hours, minutes};
use fait::process::{Input, Outbox, Process};
use fait::sim::two::{Every, Failure, Side, World, every_crash};
use fait::sim::{Ending, Extent, Flaw, Plan, Report, with_flaw};
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};

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
                out.wake_after(hours(5), Slow::Warehouse);
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

fn shop(side: &Side, _: &()) -> AppBuilder {
    side.app()
        .receives::<OrderPlaced>("Customer")
        .tells::<PackThing>()
        .system("Warehouse", side.door())
        .process::<Fulfil>()
}

fn warehouse(side: &Side, _: &()) -> AppBuilder {
    side.app()
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

#[test]
fn every_crash_of_either_ends_alike() {
    let some = Extent {
        pairs: 60,
        faulty: 20,
        mixed: 20,
        ..Extent::some()
    };
    let report = check(some).unwrap();
    println!("{report}");
    assert!(report.singles > 40, "{report}");
    assert!(report.all_pairs > 500, "{report}");
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

/// The way is down for ten minutes, and what was to be told goes over it afterwards.
#[test]
fn a_way_that_is_down_for_ten_minutes_loses_nothing() {
    let cut = async |world: &World, _: &()| {
        world.cut(minutes(10));
        place(world, "a", 2).await;
        world.advance(minutes(9)).await;
        // The warehouse works on, and has heard nothing: there is but the beginning of its process.
        world.second().during(async |app| app.settle().await).await;
        let head = world.second().during(async |app| app.health().await);
        assert_eq!(head.await.unwrap().head, 1);
        world.advance(minutes(20)).await;
        place(world, "b", 4).await;
    };
    let every: Every<_, _, _, _> = every_crash(shop, warehouse, cut, outcome);
    let (_, ended) = every.play(&[Plan::calm(), Plan::calm()]).unwrap();
    let undisturbed = every_crash(shop, warehouse, two_orders, outcome);
    let (_, expected) = undisturbed.play(&[Plan::calm(), Plan::calm()]).unwrap();
    assert_eq!(ended, expected);
}
