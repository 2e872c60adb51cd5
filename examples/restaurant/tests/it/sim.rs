//! Every crash, alone and in pairs, of both ways to serve: with a card terminal that charges once
//! for an id, and cooks who forget an order or cook it twice.

use crate::house::{plate, price};
use fait::event::minutes;
use fait::sim::{Ending, Extent, Outside, Place, Plan, World, every_crash};
use restaurant::card::{CardCharged, CardDeclined};
use restaurant::events::OrderId;
use restaurant::orders::{COOK, PlaceOrder};
use restaurant::till::{ASSISTANT_MANAGER, CASHIER, TakePayment};

/// What must be the same whatever goes wrong: what happened, and what was charged.
#[derive(Debug, PartialEq)]
struct Outcome {
    happened: Vec<String>,
    charged: Vec<String>,
    running: usize,
}

fn outcome(ending: &Ending, terminal: &Outside) -> Outcome {
    let mut happened = ending.happened();
    happened.sort();
    let charged = terminal.acted();
    Outcome {
        happened,
        charged: charged.iter().map(|told| told.body.to_string()).collect(),
        running: ending
            .instances()
            .values()
            .filter(|i| !i.ended && i.has_begun())
            .count(),
    }
}

fn order() -> OrderId {
    OrderId::named("seven")
}

async fn place(world: &World, pays_first: bool) {
    let place = PlaceOrder {
        order: order(),
        table: 7,
        dishes: vec!["cake".into()],
        pays_first,
    };
    world.send("waiter:ann", place).await.unwrap();
}

async fn cook(world: &World) {
    let cooked = world.answer(COOK, |_| plate(order(), "tom")).await.unwrap();
    assert!(cooked.is_some(), "nobody asks for it to be cooked");
}

async fn pay(world: &World, terminal: &Outside) {
    let priced = world.answer(ASSISTANT_MANAGER, |_| price(order())).await;
    assert!(priced.unwrap().is_some(), "nobody asks for a price");
    for declined in [true, false] {
        let take = |_: &_| TakePayment { order: order() };
        let taken = world.answer(CASHIER, take).await.unwrap();
        assert!(taken.is_some(), "nobody asks for the money");
        for told in world.told(terminal).await {
            let order = order();
            let sent = match declined {
                true => world.receive(CardDeclined { order }, Some(&told)).await,
                false => world.receive(CardCharged { order }, Some(&told)).await,
            };
            sent.unwrap();
        }
    }
    world.settle().await;
}

/// The cook forgets the order once, then cooks it twice; the card works at the second time.
async fn serve_then_bill(world: &World, terminal: &Outside) {
    place(world, false).await;
    world.advance(minutes(31)).await;
    cook(world).await;
    world
        .send("cook:harry", plate(order(), "harry"))
        .await
        .unwrap();
    pay(world, terminal).await;
}

/// The guest pays at the second time, then eats.
async fn bill_then_serve(world: &World, terminal: &Outside) {
    place(world, true).await;
    pay(world, terminal).await;
    world.advance(minutes(20)).await;
    cook(world).await;
}

/// Each crash and each pair of crashes; with `FAIT_SIM` set to `all` also a thousand seeds of every
/// other fault, as `cargo xtask sim --processes` does, and with `some` a hundred of the pairs.
fn extent() -> Extent {
    match std::env::var("FAIT_SIM").as_deref() {
        Ok("all") => Extent::all(),
        Ok("some") => Extent::some(),
        _ => Extent {
            pairs: usize::MAX,
            ..Extent::some()
        },
    }
}

fn wire(place: &Place, terminal: &Outside) -> fait::app::AppBuilder {
    restaurant::wired(place.app(), place.way(terminal.clone()))
}

#[test]
fn serve_then_bill_ends_alike_whatever_crashes() {
    let every = every_crash(wire, serve_then_bill, outcome).extent(extent());
    let report = every.check().unwrap();
    println!("serve, then bill: {report}");
}

#[test]
fn bill_then_serve_ends_alike_whatever_crashes() {
    let every = every_crash(wire, bill_then_serve, outcome).extent(extent());
    let report = every.check().unwrap();
    println!("bill, then serve: {report}");
}

#[test]
fn the_same_plan_has_the_same_log() {
    let every = every_crash(wire, serve_then_bill, outcome);
    for plan in [Plan::calm(), Plan::faulty(7)] {
        let (a, _) = every.play(&plan).unwrap();
        let (b, _) = every.play(&plan).unwrap();
        assert_eq!(a.text(), b.text());
        assert_eq!(a.log, b.log);
        assert_eq!(a.trail, b.trail);
    }
}
