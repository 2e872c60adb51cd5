//! The restaurant, from `restaurant.board`: a table's order on its way to a spiked bill.
//!
//! The modules are the board's contexts, then its processes, then the people and machines that
//! make the example move by itself.

#![expect(missing_docs, reason = "the words of the board speak for themselves")]

pub mod events;
pub mod orders;
pub mod till;
pub mod serve;
pub mod card;
pub mod staff;
pub mod play;

use fait::Clock;
use fait::app::{App, AppBuilder, BuildError, System};
use std::path::Path;

/// The board that this program is held against.
pub const BOARD: &str = include_str!("../restaurant.board");

/// Everything on the board, wired onto a place to keep it.
pub fn wired(place: AppBuilder, terminal: impl System) -> AppBuilder {
    place
        .name("Restaurant")
        .task::<orders::PlaceOrder>()
        .task::<orders::CancelOrder>()
        .task::<orders::CookFood>()
        .task::<orders::SortOutOrder>()
        .task::<orders::SpikeOrder>()
        .task::<till::PriceOrder>()
        .task::<till::TakePayment>()
        .task::<till::SettleBill>()
        .task::<till::RecordFailedPayment>()
        .task::<till::WriteOffBill>()
        .tells::<card::ChargeCard>()
        .receives::<card::CardCharged>(card::TERMINAL)
        .receives::<card::CardDeclined>(card::TERMINAL)
        .system(card::TERMINAL, terminal)
        .projection::<orders::TablePlan>()
        .projection::<orders::KitchenBoard>()
        .projection::<till::BillsToSettle>()
        .policy::<till::CloseTheOrder>()
        .process::<serve::ServeThenBill>()
        .process::<serve::BillThenServe>()
        .process::<card::CollectCardPayment>()
}

/// A restaurant in a folder.
///
/// # Errors
/// The folder cannot be used; the message says what to do.
pub fn in_folder(folder: &Path, clock: Clock, terminal: card::Terminal) -> Result<App, BuildError> {
    wired(App::in_folder(folder).clock(clock), terminal).build()
}

/// A restaurant that forgets everything when it closes.
///
/// # Errors
/// It is not called inside a tokio runtime.
pub fn in_memory(clock: Clock, terminal: card::Terminal) -> Result<App, BuildError> {
    wired(App::in_memory().clock(clock), terminal).build()
}
