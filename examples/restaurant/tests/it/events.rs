//! Every event that was ever written can be read, and every command be decided again.

use crate::house::House;
use fait::App;
use fait::Clock;
use fait::event::minutes;
use restaurant::card::Terminal;
use restaurant::events::{OrderId, OrderPlaced};
use restaurant::orders::COOK;
use restaurant::till::{ASSISTANT_MANAGER, CASHIER};

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    let placed = OrderPlaced {
        order: OrderId::named("7"),
        table: 4,
        dishes: vec!["soup".into(), "cake".into()],
        pays_first: false,
    };
    fait::test::fixtures("tests/events")
        .example(placed)
        .keep(&restaurant::wired(App::in_memory(), Terminal::new(false)));
}

#[tokio::test]
async fn a_whole_evening_is_decided_again_alike() {
    let folder = tempfile::tempdir().unwrap();
    let house = House {
        app: restaurant::in_folder(folder.path(), Clock::by_hand(), Terminal::new(false)).unwrap(),
    };
    let served = house.place("served", false).await;
    let late = house.place("late", true).await;
    house.place("forgotten", false).await;
    for role in [COOK, ASSISTANT_MANAGER, CASHIER] {
        house.answer(role, served).await;
    }
    house.charge().await;
    house.answer(ASSISTANT_MANAGER, late).await;
    house.cook(served, "tom").await;
    house.app.advance(minutes(120)).await;
    house.app.stop().await;
    let program = restaurant::wired(App::in_memory(), Terminal::new(false));
    let report = program.check_history(folder.path(), &mut |_| {}).unwrap();
    assert!(report.ok(), "{report}");
    assert_eq!(report.commands.unrecorded, 0);
    assert!(
        report.commands.same > 8 && report.events.len() > 8,
        "{report}"
    );
    println!("{report}");
}
