//! What happens: four events, each tagged with all that it happened to.

use fait::{EventSet, entity_ids, event};

entity_ids! {
    CourseId (text) => "course",
    StudentId (text) => "student",
}

/// A course was put on offer.
#[event]
pub struct CourseDefined {
    #[tag]
    pub course: CourseId,
    pub title: String,
    pub capacity: u32,
}

/// The course got more seats, or fewer.
#[event]
pub struct CourseResized {
    #[tag]
    pub course: CourseId,
    pub capacity: u32,
}

/// A student took a seat. It happened to both of them, so that both can remember it.
#[event]
pub struct StudentSubscribed {
    #[tag]
    pub course: CourseId,
    #[tag]
    pub student: StudentId,
}

/// The student left the seat to others.
#[event]
pub struct StudentUnsubscribed {
    #[tag]
    pub course: CourseId,
    #[tag]
    pub student: StudentId,
}

/// All that happens to a course.
#[derive(EventSet, Debug, PartialEq)]
pub enum CourseHistory {
    Defined(CourseDefined),
    Resized(CourseResized),
    Subscribed(StudentSubscribed),
    Unsubscribed(StudentUnsubscribed),
}

/// All that happens to a student.
#[derive(EventSet, Debug, PartialEq)]
pub enum StudentHistory {
    Subscribed(StudentSubscribed),
    Unsubscribed(StudentUnsubscribed),
}
