//! One rule over two things: a course has so many seats, and a student takes at most ten courses.
//!
//! Neither *the course* nor *the student* can decide alone whether somebody gets a seat. With
//! aggregates this needs a third thing, a lock, or a process that puts wrong subscriptions right
//! afterwards. Here the decision reads both, and only what it has read can be in its way. That is
//! called a dynamic consistency boundary.
//!
//! The words are in `courses.board`; [`story`] plays them.

#![expect(missing_docs, reason = "the words of the board speak for themselves")]

pub mod events;
pub mod offering;
pub mod subscribing;
pub mod list;
pub mod story;

use fait::app::AppBuilder;

/// The board that this program is held against.
pub const BOARD: &str = include_str!("../courses.board");

/// Everything on the board, wired onto a place to keep it.
pub fn wired(place: AppBuilder) -> AppBuilder {
    place
        .name("Courses")
        .task::<offering::DefineCourse>()
        .task::<offering::ResizeCourse>()
        .task::<subscribing::SubscribeStudent>()
        .task::<subscribing::UnsubscribeStudent>()
        .projection::<list::CourseList>()
}
