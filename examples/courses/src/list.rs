//! View *Course list*: the courses and their free seats.

use crate::events::{CourseHistory, CourseId};
use fait::data;
use fait::event::Meta;
use fait::projection::Projection;

#[derive(Debug)]
pub struct CourseList;

/// A course on the list.
#[data]
pub struct CourseRow {
    /// Title
    pub title: String,
    /// Seats
    pub capacity: u32,
    /// Free seats
    pub free_seats: u32,
}

impl Projection for CourseList {
    const NAME: &'static str = "course-list";
    type Key = CourseId;
    type Events = CourseHistory;
    type Row = CourseRow;
    fn project(row: &mut Option<CourseRow>, _: &CourseId, event: CourseHistory, _: &Meta) {
        match (event, row) {
            (CourseHistory::Defined(e), row) => {
                *row = Some(CourseRow {
                    title: e.title,
                    capacity: e.capacity,
                    free_seats: e.capacity,
                });
            }
            (CourseHistory::Resized(e), Some(row)) => {
                row.free_seats = row.free_seats + e.capacity - row.capacity;
                row.capacity = e.capacity;
            }
            (CourseHistory::Subscribed(_), Some(row)) => row.free_seats -= 1,
            (CourseHistory::Unsubscribed(_), Some(row)) => row.free_seats += 1,
            (_, None) => {}
        }
    }
}
