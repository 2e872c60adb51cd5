//! Chapter *Open a day*: how many meals the house cooks.

use crate::events::{DayId, DayOpened, MealTicketsIssued};
use fait::decision::{Context, Decide, Model};
use fait::event::Meta;
use fait::projection::Projection;
use fait::{EventSet, Refusal, command, data};

/// Opens days.
pub const KITCHEN_MANAGER: &str = "Kitchen manager";

/// One day.
#[derive(Debug, Default, PartialEq)]
pub struct Day {
    opened: bool,
}

impl Model for Day {
    type Key = DayId;
    type Events = DayOpened;
    fn evolve(&mut self, _: DayOpened) {
        self.opened = true;
    }
}

/// Why a day cannot be opened.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum DayRefusal {
    #[refused("the day was opened before")]
    OpenedBefore,
}

/// Open a day
///
/// From then on tickets are for this day.
#[command(by = KITCHEN_MANAGER, sees = "days", starts, button = "Open it")]
pub struct OpenDay {
    /// Which day? Any name that no other had.
    pub day: DayId,
    /// How many meals?
    pub places: u32,
}

impl Decide for OpenDay {
    type Model = Day;
    type Emits = DayOpened;
    type Refusal = DayRefusal;
    fn boundary(&self) -> DayId {
        self.day.clone()
    }
    fn decide(&self, day: &Day, _: &Context) -> Result<Vec<DayOpened>, DayRefusal> {
        if day.opened {
            return Err(DayRefusal::OpenedBefore);
        }
        let OpenDay { day, places } = self.clone();
        Ok(vec![DayOpened { day, places }])
    }
}

/// View *Days*.
#[derive(Debug)]
pub struct Days;

/// A day and what is sold of it.
#[data]
pub struct DayRow {
    /// Places
    pub places: u32,
    /// Tickets
    pub tickets: u32,
}

/// What feeds the days.
#[derive(EventSet)]
pub enum DayFeed {
    Opened(DayOpened),
    Issued(MealTicketsIssued),
}

impl Projection for Days {
    const NAME: &'static str = "days";
    type Key = DayId;
    type Events = DayFeed;
    type Row = DayRow;
    fn project(row: &mut Option<DayRow>, _: &DayId, event: DayFeed, _: &Meta) {
        match (event, row.as_mut()) {
            (DayFeed::Opened(e), _) => {
                *row = Some(DayRow {
                    places: e.places,
                    tickets: 0,
                });
            }
            (DayFeed::Issued(e), Some(row)) => row.tickets += e.tickets,
            (DayFeed::Issued(_), None) => {}
        }
    }
}
