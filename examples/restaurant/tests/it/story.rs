//! R1 to R10 and R13 to R16: what a process manager must get right, on the restaurant.

use crate::house::{all, count, open, plate, price};
use fait::Clock;
use fait::event::{Event, minutes, seconds};
use fait::process::{Fact, InputRef, Outcome, Status, Target};
use fait::test::{given, nothing, process};
use restaurant::card::Terminal;
use restaurant::events::*;
use restaurant::orders::*;
use restaurant::serve::{ServeThenBill, Silence};
use restaurant::till::*;
use std::collections::HashMap;
use uuid_of::by_id;

mod uuid_of {
    use fait::event::StoredEvent;
    use fait::reexport::uuid::Uuid;
    use std::collections::HashMap;

    pub(super) fn by_id(events: &[StoredEvent]) -> HashMap<Uuid, StoredEvent> {
        events.iter().map(|e| (e.meta.id, e.clone())).collect()
    }
}

#[tokio::test]
async fn r1_happy_path() {
    let house = open();
    let order = house.place("7", false).await;
    house.answer(COOK, order).await;
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    let told = house.told(order).await;
    assert_eq!(
        told,
        [
            "OrderPlaced",
            "OrderCooked",
            "OrderPriced",
            "PaymentStarted",
            "CardCharged",
            "OrderPaid",
            "OrderSpiked"
        ]
    );
    let issued = house.names_issued(order).await;
    assert_eq!(
        issued,
        [
            "CookFood",
            "PriceOrder",
            "TakePayment",
            "ChargeCard",
            "SettleBill"
        ]
    );
    assert_eq!(house.running().await, 0);
    // One flow, and a chain of causes from every event back to the order that was placed.
    let events = house.all().await;
    let known = by_id(&events);
    let flow = events[0].meta.origin.correlation;
    for event in &events {
        assert_eq!(
            event.meta.origin.correlation, flow,
            "{} {:?}",
            event.ty, event.data
        );
        let mut first = event;
        while let Some(cause) = first.meta.origin.causation {
            first = &known[&cause];
        }
        assert_eq!(
            first.ty, "OrderPlaced",
            "{} has no chain to the order",
            event.ty
        );
    }
}

#[tokio::test]
async fn r2_the_guest_pays_first() {
    let house = open();
    let order = house.place("7", true).await;
    assert!(house.asked(COOK, order).is_none());
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    assert_eq!(count(&house.told(order).await, "OrderSpiked"), 0);
    house.answer(COOK, order).await;
    let told = house.told(order).await;
    assert_eq!(
        told,
        [
            "OrderPlaced",
            "OrderPriced",
            "PaymentStarted",
            "CardCharged",
            "OrderPaid",
            "OrderCooked",
            "OrderSpiked"
        ]
    );
    let issued = house.names_issued(order).await;
    assert_eq!(
        issued,
        [
            "PriceOrder",
            "TakePayment",
            "ChargeCard",
            "SettleBill",
            "CookFood"
        ]
    );
    assert_eq!(house.running().await, 0);
}

#[tokio::test]
async fn r3_two_definitions_side_by_side() {
    let house = open();
    let first = house.place("eats first", false).await;
    let second = house.place("pays first", true).await;
    assert_eq!(house.names_issued(first).await, ["CookFood"]);
    assert_eq!(house.names_issued(second).await, ["PriceOrder"]);
    let of = |p: &str| house.app.instances(Some(p), None, 10).unwrap();
    assert_eq!(of("serve-then-bill").len(), 1);
    assert_eq!(of("serve-then-bill")[0].key, first.to_string());
    assert_eq!(of("bill-then-serve")[0].key, second.to_string());
}

#[tokio::test]
async fn r4_a_dropped_command_is_asked_again() {
    let house = open();
    let order = house.place("7", false).await;
    let first = house.asked(COOK, order).unwrap().open.issued;
    house.app.advance(minutes(29)).await;
    assert_eq!(house.asked(COOK, order).unwrap().open.issued, first);
    house.app.advance(minutes(1)).await;
    let second = house.asked(COOK, order).unwrap();
    assert_ne!(second.open.issued.id, first.id);
    assert_eq!(second.open.issued.tries, 2);
    assert_eq!(second.open.issued.due, Some(house.now() + minutes(30)));
    assert_eq!(count(&house.told(order).await, "CookingTimedOut"), 1);
    // The same flow; its cause is the step that took the deadline.
    let events = house.all().await;
    let step = &by_id(&events)[&second.open.cause];
    assert_eq!(
        step.meta.origin.correlation,
        events[0].meta.origin.correlation
    );
    let Some(Fact::Stepped(step)) = Fact::read(step).unwrap() else {
        panic!("not a step")
    };
    assert!(matches!(step.input, InputRef::Deadline(_)));
    assert_eq!(step.withdrawn, [first.id]);
    assert_eq!(step.set.len(), 1, "a new alarm");
    let late = house
        .app
        .send(plate(order, "tom"))
        .answering(first.id)
        .await;
    assert!(late.unwrap_err().to_string().contains("taken back"));
}

#[tokio::test]
async fn r5_a_duplicated_command_is_billed_once() {
    let house = open();
    let order = house.place("7", false).await;
    house.answer(COOK, order).await;
    house.cook(order, "harry").await;
    house.cook(order, "rich").await;
    let told = house.told(order).await;
    assert_eq!(count(&told, "OrderCooked"), 1);
    assert_eq!(count(&told, "OrderCookedTwice"), 2);
    let issued = house.names_issued(order).await;
    assert_eq!(issued.iter().filter(|n| *n == "PriceOrder").count(), 1);
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    assert_eq!(count(&house.told(order).await, "OrderPaid"), 1);
}

#[tokio::test]
async fn r6_a_late_cook_after_a_time_out() {
    let house = open();
    let order = house.place("7", false).await;
    house.app.advance(minutes(31)).await;
    house.cook(order, "harry, who was late").await;
    house.cook(order, "tom, who was asked again").await;
    let told = house.told(order).await;
    assert_eq!(
        told[1..],
        ["CookingTimedOut", "OrderCooked", "OrderCookedTwice"]
    );
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    let told = house.told(order).await;
    assert_eq!(
        (count(&told, "PaymentStarted"), count(&told, "OrderPaid")),
        (1, 1)
    );
}

#[tokio::test]
async fn r7_a_deadline_after_the_answer_does_nothing() {
    let house = open();
    let order = house.place("7", false).await;
    house.answer(COOK, order).await;
    house.answer(ASSISTANT_MANAGER, order).await;
    let before = house.all().await.len();
    house.app.advance(minutes(600)).await;
    assert_eq!(house.all().await.len(), before);
    // The branch itself: a deadline that comes in a state that does not wait for it.
    process::<ServeThenBill>(order)
        .on(placed(order, false))
        .on(OrderCooked {
            order,
            ingredients: vec![],
            cooked_by: "Tom".into(),
        })
        .is(ServeThenBill::Pricing)
        .asks::<PriceOrder>(ASSISTANT_MANAGER)
        .wakes(Silence::Pricing, minutes(10));
}

#[tokio::test]
async fn r8_input_after_the_end_is_noticed_and_nothing_is_done() {
    let house = open();
    let order = house.place("7", false).await;
    house.answer(COOK, order).await;
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    let issued = house.issued(order).await.len();
    house.cook(order, "harry").await;
    assert_eq!(house.told(order).await.last().unwrap(), "OrderCookedTwice");
    let done = house
        .app
        .instance("serve-then-bill", &order.to_string())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((done.status, done.late), (Status::Ended, 1));
    assert_eq!(house.issued(order).await.len(), issued, "no command");
}

#[tokio::test]
async fn r9_a_replay_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        || restaurant::in_folder(folder.path(), Clock::by_hand(), Terminal::new(false)).unwrap();
    let app = open();
    for n in 0..20 {
        app.send(restaurant::play::order(n)).await.unwrap();
    }
    app.settle().await;
    app.stop().await;
    drop(app);
    let before = {
        let app = open();
        let events = all(&app).await;
        app.stop().await;
        events
    };
    // Everything that can be made again is made again from the log.
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(file));
    }
    let app = open();
    app.settle().await;
    assert_eq!(all(&app).await, before, "a replay appended something");
    let asked: usize = [COOK, ASSISTANT_MANAGER]
        .map(|r| app.inbox(r, 1000).unwrap().len())
        .iter()
        .sum();
    assert_eq!(asked, 20, "what was asked is still asked, once");
    app.stop().await;
}

#[tokio::test]
async fn r10_a_restart_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        || restaurant::in_folder(folder.path(), Clock::by_hand(), Terminal::new(false)).unwrap();
    let app = open();
    let order = OrderId::named("7");
    let dishes = vec!["cake".to_string()];
    app.send(PlaceOrder {
        order,
        table: 1,
        dishes,
        pays_first: false,
    })
    .await
    .unwrap();
    app.settle().await;
    let asked = app.inbox(COOK, 10).unwrap();
    app.stop().await;
    drop(app);
    let app = open();
    app.settle().await;
    assert_eq!(app.inbox(COOK, 10).unwrap(), asked, "no lost order");
    app.advance(minutes(31)).await;
    let again = app.inbox(COOK, 10).unwrap();
    assert_eq!(again[0].open.issued.tries, 2, "the alarm survived");
    let id = again[0].open.issued.id;
    app.send(plate(order, "tom")).answering(id).await.unwrap();
    app.settle().await;
    assert_eq!(app.inbox(ASSISTANT_MANAGER, 10).unwrap().len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn r14_the_status_counts_what_is_open() {
    let house = open();
    for n in 0..5 {
        house.place(&n.to_string(), false).await;
    }
    assert_eq!(house.app.inbox(COOK, 100).unwrap().len(), 5);
    assert_eq!(house.running().await, 5);
    let order = OrderId::named("0");
    house.answer(COOK, order).await;
    house.answer(ASSISTANT_MANAGER, order).await;
    house.answer(CASHIER, order).await;
    house.charge().await;
    assert_eq!(house.app.inbox(COOK, 100).unwrap().len(), 4);
    assert_eq!(
        house.running().await,
        4,
        "a finished process leaves the count"
    );
}

#[tokio::test]
async fn r15_history_is_facts() {
    let house = open();
    let order = house.place("7", false).await;
    house.cook(order, "tom").await;
    let before = house.all().await;
    house.cook(order, "harry").await;
    let after = house.all().await;
    assert_eq!(
        after[..before.len()],
        before[..],
        "a stored event has changed"
    );
    let cooked = after.iter().find(|e| e.ty == OrderCooked::TYPE).unwrap();
    assert_eq!(cooked.json().unwrap()["cooked_by"], "tom");
    // What an event caused stands behind it.
    let at: HashMap<_, _> = after.iter().map(|e| (e.meta.id, e.meta.position)).collect();
    for e in &after {
        if let Some(cause) = e.meta.origin.causation {
            assert!(
                at[&cause] < e.meta.position,
                "{} stands before its cause",
                e.ty
            );
        }
    }
}

#[tokio::test]
async fn r16_what_concerns_no_process_is_ignored() {
    let house = open();
    // Nobody placed this order: its price reaches the processes, and starts none.
    let stray = OrderId::named("stray");
    house.app.send(price(stray)).await.unwrap();
    house.app.settle().await;
    assert_eq!(house.running().await, 0);
    assert_eq!(house.names_issued(stray).await, Vec::<String>::new());
    assert!(house.app.parked().unwrap().is_empty());
}

#[tokio::test]
async fn a_card_is_tried_three_times_then_a_person_may_write_off() {
    let house = open();
    let order = house.place("7", false).await;
    house.answer(COOK, order).await;
    house.answer(ASSISTANT_MANAGER, order).await;
    for tries in 1..=3 {
        house.answer(CASHIER, order).await;
        let declined = restaurant::card::CardDeclined { order };
        let message = fait::reexport::uuid::Uuid::from_u128(tries);
        let first = house
            .app
            .receive(declined.clone(), message, None)
            .await
            .unwrap();
        let again = house.app.receive(declined, message, None).await.unwrap();
        assert!(again.repeated, "one message is recorded once");
        assert_eq!(again.events, first.events);
        house.app.settle().await;
        let asked = house.asked(FLOOR_MANAGER, order).is_some();
        assert_eq!(asked, tries == 3, "after {tries} tries");
    }
    let id = house.asked(FLOOR_MANAGER, order).unwrap().open.issued.id;
    let off = WriteOffBill {
        order,
        reason: "the card is broken".into(),
    };
    house.app.send(off).answering(id).await.unwrap();
    house.app.settle().await;
    assert_eq!(house.told(order).await.last().unwrap(), "OrderSpiked");
    assert_eq!(house.running().await, 0);
    assert!(
        house.asked(CASHIER, order).is_none(),
        "the other ask is taken back"
    );
}

#[tokio::test]
async fn a_policy_that_is_refused_waits_for_a_person() {
    let house = open();
    let order = house.place("7", false).await;
    // A charge without a price: the bill cannot be settled.
    let id = fait::reexport::uuid::Uuid::from_u128(5);
    house.app.send(price(order)).await.unwrap();
    house.app.send(TakePayment { order }).await.unwrap();
    house.charge().await;
    house
        .app
        .receive(restaurant::card::CardCharged { order }, id, None)
        .await
        .unwrap();
    house.app.settle().await;
    assert_eq!(
        count(&house.told(order).await, "OrderPaid"),
        1,
        "paid once, charged twice"
    );
    let settled = house
        .all()
        .await
        .into_iter()
        .filter_map(|e| match Fact::read(&e).unwrap() {
            Some(Fact::Settled(s)) => Some(s.outcome),
            _ => None,
        });
    assert!(settled.into_iter().all(|o| o == Outcome::Accepted));
}

fn placed(order: OrderId, pays_first: bool) -> OrderPlaced {
    OrderPlaced {
        order,
        table: 4,
        dishes: vec!["cake".into()],
        pays_first,
    }
}

#[test]
fn an_order_needs_a_dish() {
    let order = OrderId::named("7");
    nothing()
        .when(PlaceOrder {
            order,
            table: 4,
            dishes: vec![" ".into()],
            pays_first: false,
        })
        .then_refused(OrderRefusal::NoDishes);
}

#[test]
fn a_second_plate_is_noticed_not_billed() {
    let order = OrderId::named("7");
    given(placed(order, false))
        .given(OrderCooked {
            order,
            ingredients: vec![],
            cooked_by: "Tom".into(),
        })
        .when(plate(order, "Harry"))
        .then([OrderCookedTwice {
            order,
            cooked_by: "Harry".into(),
        }]);
}

#[test]
fn paying_twice_is_refused() {
    let order = OrderId::named("7");
    let total = fait::event::Money(2400);
    given(OrderPriced {
        order,
        subtotal: total,
        tax: fait::event::Money(0),
        total,
    })
    .given(OrderPaid { order, total })
    .when(TakePayment { order })
    .then_refused(BillRefusal::AlreadyPaid);
}

#[test]
fn a_slow_kitchen_is_asked_again() {
    let order = OrderId::named("7");
    process::<ServeThenBill>(order)
        .on(placed(order, false))
        .asks::<CookFood>(COOK)
        .wakes(Silence::Kitchen, minutes(30))
        .fires(Silence::Kitchen)
        .raises([CookingTimedOut { order }])
        .asks::<CookFood>(COOK)
        .fires(Silence::Kitchen)
        .asks::<CookFood>(COOK)
        .after(seconds(1))
        .fires(Silence::Kitchen)
        .asks::<SortOutOrder>(FLOOR_MANAGER)
        .is(ServeThenBill::Cooking { asked: 3 });
}

#[tokio::test]
async fn the_floor_manager_is_asked_when_the_kitchen_stays_silent() {
    let house = open();
    let order = house.place("7", false).await;
    house.app.advance(minutes(91)).await;
    let asked = house.asked(FLOOR_MANAGER, order).unwrap();
    assert_eq!(asked.open.issued.name, "SortOutOrder");
    assert_eq!(asked.open.issued.to, Target::Role(FLOOR_MANAGER.into()));
    assert!(
        house.asked(COOK, order).is_some(),
        "the kitchen may still answer"
    );
    assert_eq!(count(&house.told(order).await, "CookingTimedOut"), 3);
}

/// The system as data is a file in the repository, so that a change of it is seen in review.
#[test]
fn the_manifest_is_the_committed_file() {
    let wired = restaurant::wired(fait::App::in_memory(), Terminal::new(false));
    fait::test::manifest(&wired, "manifest.json");
}
