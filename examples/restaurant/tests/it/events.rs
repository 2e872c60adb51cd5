//! Every event that was ever written can be read.

use fait::App;
use restaurant::card::Terminal;
use restaurant::events::{OrderId, OrderPlaced};

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
