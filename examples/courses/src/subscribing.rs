//! Chapter *Fill them*: a seat is decided on the course and the student at once.

use crate::events::{CourseId, StudentHistory, StudentId, StudentSubscribed, StudentUnsubscribed};
use crate::offering::{Course, REGISTRAR};
use fait::decision::{Context, Decide, Model};
use fait::{Refusal, command};
use std::collections::BTreeSet;

/// How many courses a student takes at most.
pub const MAX_COURSES: usize = 10;

/// One student, as the rule about ten courses needs it.
#[derive(Debug, Default, PartialEq)]
pub struct Student {
    /// What the student takes.
    pub courses: BTreeSet<CourseId>,
}

impl Model for Student {
    type Key = StudentId;
    type Events = StudentHistory;
    fn evolve(&mut self, event: StudentHistory) {
        match event {
            StudentHistory::Subscribed(e) => drop(self.courses.insert(e.course)),
            StudentHistory::Unsubscribed(e) => drop(self.courses.remove(&e.course)),
        }
    }
}

/// One student in one course. Its key is a pair: only events that carry both tags are read.
#[derive(Debug, Default, PartialEq)]
pub struct Subscription {
    /// Whether the student has a seat.
    pub seated: bool,
}

impl Model for Subscription {
    type Key = (CourseId, StudentId);
    type Events = StudentHistory;
    fn evolve(&mut self, event: StudentHistory) {
        self.seated = matches!(event, StudentHistory::Subscribed(_));
    }
}

/// Why a seat cannot be taken or left.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum SubscriptionRefusal {
    #[refused("there is no such course")]
    NoSuchCourse,
    #[refused("the student is already subscribed")]
    AlreadySubscribed,
    #[refused("the course is full")]
    CourseFull,
    #[refused("the student has ten courses")]
    TenCourses,
    #[refused("the student is not subscribed")]
    NotSubscribed,
}

/// Subscribe a student
#[command(by = REGISTRAR, sees = "course-list", about = "Subscribe a student to {title}",
    button = "Take the seat", undone_by = "UnsubscribeStudent")]
pub struct SubscribeStudent {
    /// The course
    pub course: CourseId,
    /// The student
    pub student: StudentId,
}

/// The dynamic consistency boundary: this course and this student, whoever else is at work.
impl Decide for SubscribeStudent {
    type Model = (Course, Student);
    type Emits = StudentSubscribed;
    type Refusal = SubscriptionRefusal;
    fn boundary(&self) -> (CourseId, StudentId) {
        (self.course.clone(), self.student.clone())
    }
    fn decide(
        &self,
        (course, student): &(Course, Student),
        _: &Context,
    ) -> Result<Vec<StudentSubscribed>, SubscriptionRefusal> {
        let Some(capacity) = course.capacity else {
            return Err(SubscriptionRefusal::NoSuchCourse);
        };
        if student.courses.contains(&self.course) {
            return Err(SubscriptionRefusal::AlreadySubscribed);
        }
        if course.taken >= capacity {
            return Err(SubscriptionRefusal::CourseFull);
        }
        if student.courses.len() >= MAX_COURSES {
            return Err(SubscriptionRefusal::TenCourses);
        }
        let SubscribeStudent { course, student } = self.clone();
        Ok(vec![StudentSubscribed { course, student }])
    }
}

/// Unsubscribe a student
#[command(by = REGISTRAR, sees = "course-list", about = "Unsubscribe a student from {title}",
    button = "Leave the seat to others")]
pub struct UnsubscribeStudent {
    /// The course
    pub course: CourseId,
    /// The student
    pub student: StudentId,
}

/// Leaving breaks no rule of the course, so that two who leave it at once are not in each other's
/// way.
impl Decide for UnsubscribeStudent {
    type Model = Subscription;
    type Emits = StudentUnsubscribed;
    type Refusal = SubscriptionRefusal;
    fn boundary(&self) -> (CourseId, StudentId) {
        (self.course.clone(), self.student.clone())
    }
    fn decide(
        &self,
        subscription: &Subscription,
        _: &Context,
    ) -> Result<Vec<StudentUnsubscribed>, SubscriptionRefusal> {
        if !subscription.seated {
            return Err(SubscriptionRefusal::NotSubscribed);
        }
        let UnsubscribeStudent { course, student } = self.clone();
        Ok(vec![StudentUnsubscribed { course, student }])
    }
}
