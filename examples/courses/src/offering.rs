//! Chapter *Offer courses*: these decisions are about one course.

use crate::events::{CourseDefined, CourseHistory, CourseId, CourseResized};
use fait::decision::{Context, Decide, Model};
use fait::{Refusal, command};

/// Offers courses, and fills them.
pub const REGISTRAR: &str = "Registrar";

/// One course, as its decisions need it.
#[derive(Debug, Default, PartialEq)]
pub struct Course {
    /// How many seats it has; none before it is defined.
    pub capacity: Option<u32>,
    /// How many of them are taken.
    pub taken: u32,
}

impl Model for Course {
    type Key = CourseId;
    type Events = CourseHistory;
    fn evolve(&mut self, event: CourseHistory) {
        match event {
            CourseHistory::Defined(e) => self.capacity = Some(e.capacity),
            CourseHistory::Resized(e) => self.capacity = Some(e.capacity),
            CourseHistory::Subscribed(_) => self.taken += 1,
            CourseHistory::Unsubscribed(_) => self.taken -= 1,
        }
    }
}

/// Why a course cannot be offered like this.
#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum OfferingRefusal {
    #[refused("a course needs at least one seat")]
    NoSeats,
    #[refused("there is already a course of this code")]
    AlreadyDefined,
    #[refused("there is no such course")]
    NoSuchCourse,
    #[refused("more students are subscribed than that")]
    TooSmall,
}

/// Define a course
#[command(by = REGISTRAR, sees = "course-list", starts, button = "Offer the course")]
pub struct DefineCourse {
    /// Its code
    ///
    /// Short and unique, as it stands in the timetable: DDD-101.
    pub course: CourseId,
    /// Its title
    pub title: String,
    /// How many seats?
    pub capacity: u32,
}

impl Decide for DefineCourse {
    type Model = Course;
    type Emits = CourseDefined;
    type Refusal = OfferingRefusal;
    fn boundary(&self) -> CourseId {
        self.course.clone()
    }
    fn decide(&self, course: &Course, _: &Context) -> Result<Vec<CourseDefined>, OfferingRefusal> {
        if self.capacity == 0 {
            return Err(OfferingRefusal::NoSeats);
        }
        if course.capacity.is_some() {
            return Err(OfferingRefusal::AlreadyDefined);
        }
        let DefineCourse {
            course,
            title,
            capacity,
        } = self.clone();
        Ok(vec![CourseDefined {
            course,
            title,
            capacity,
        }])
    }
}

/// Resize a course
#[command(by = REGISTRAR, sees = "course-list", about = "Resize {title}", button = "Resize it")]
pub struct ResizeCourse {
    /// The course
    pub course: CourseId,
    /// How many seats?
    pub capacity: u32,
}

impl Decide for ResizeCourse {
    type Model = Course;
    type Emits = CourseResized;
    type Refusal = OfferingRefusal;
    fn boundary(&self) -> CourseId {
        self.course.clone()
    }
    fn decide(&self, course: &Course, _: &Context) -> Result<Vec<CourseResized>, OfferingRefusal> {
        let Some(capacity) = course.capacity else {
            return Err(OfferingRefusal::NoSuchCourse);
        };
        if self.capacity < course.taken {
            return Err(OfferingRefusal::TooSmall);
        }
        if self.capacity == 0 {
            return Err(OfferingRefusal::NoSeats);
        }
        if self.capacity == capacity {
            return Ok(vec![]);
        }
        Ok(vec![CourseResized {
            course: self.course.clone(),
            capacity: self.capacity,
        }])
    }
}
