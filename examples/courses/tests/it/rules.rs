//! Every rule: given, when, then.

use courses::events::{CourseDefined, CourseResized, StudentSubscribed, StudentUnsubscribed};
use courses::list::{CourseList, CourseRow};
use courses::offering::{DefineCourse, OfferingRefusal, ResizeCourse};
use courses::subscribing::{
    MAX_COURSES, SubscribeStudent, SubscriptionRefusal, UnsubscribeStudent,
};
use fait::test::{Given, given, nothing, view};

fn defined(capacity: u32) -> CourseDefined {
    CourseDefined {
        course: "DDD".into(),
        title: "Domain-driven design".into(),
        capacity,
    }
}

fn resized(capacity: u32) -> CourseResized {
    CourseResized {
        course: "DDD".into(),
        capacity,
    }
}

fn subscribed(course: &str, student: &str) -> StudentSubscribed {
    StudentSubscribed {
        course: course.into(),
        student: student.into(),
    }
}

fn unsubscribed(course: &str, student: &str) -> StudentUnsubscribed {
    StudentUnsubscribed {
        course: course.into(),
        student: student.into(),
    }
}

fn define(capacity: u32) -> DefineCourse {
    DefineCourse {
        course: "DDD".into(),
        title: "Domain-driven design".into(),
        capacity,
    }
}

fn change(capacity: u32) -> ResizeCourse {
    ResizeCourse {
        course: "DDD".into(),
        capacity,
    }
}

fn subscribe(student: &str) -> SubscribeStudent {
    SubscribeStudent {
        course: "DDD".into(),
        student: student.into(),
    }
}

fn unsubscribe(student: &str) -> UnsubscribeStudent {
    UnsubscribeStudent {
        course: "DDD".into(),
        student: student.into(),
    }
}

#[test]
fn a_course_is_defined() {
    nothing().when(define(20)).then([defined(20)]);
}

#[test]
fn a_course_needs_a_seat() {
    nothing()
        .when(define(0))
        .then_refused(OfferingRefusal::NoSeats);
    given(defined(2))
        .when(change(0))
        .then_refused(OfferingRefusal::NoSeats);
}

#[test]
fn a_course_is_defined_once() {
    given(defined(20))
        .when(define(30))
        .then_refused(OfferingRefusal::AlreadyDefined);
}

#[test]
fn another_course_is_no_hindrance() {
    given(CourseDefined {
        course: "ART".into(),
        ..defined(5)
    })
    .when(define(20))
    .then([defined(20)]);
}

#[test]
fn a_course_can_grow_and_shrink() {
    given(defined(2)).when(change(3)).then([resized(3)]);
    given(defined(2))
        .given(subscribed("DDD", "Ada"))
        .when(change(1))
        .then([resized(1)]);
}

#[test]
fn the_same_capacity_changes_nothing() {
    given(defined(2))
        .given(resized(3))
        .when(change(3))
        .then_nothing();
}

#[test]
fn a_course_cannot_become_too_small() {
    given(defined(2))
        .given(subscribed("DDD", "Ada"))
        .given(subscribed("DDD", "Ben"))
        .when(change(1))
        .then_refused(OfferingRefusal::TooSmall);
}

#[test]
fn an_unknown_course_cannot_be_changed() {
    nothing()
        .when(change(1))
        .then_refused(OfferingRefusal::NoSuchCourse);
}

#[test]
fn a_student_takes_a_seat() {
    given(defined(1))
        .when(subscribe("Ada"))
        .then([subscribed("DDD", "Ada")]);
}

#[test]
fn an_unknown_course_has_no_seats() {
    given(CourseDefined {
        course: "ART".into(),
        ..defined(5)
    })
    .when(subscribe("Ada"))
    .then_refused(SubscriptionRefusal::NoSuchCourse);
}

#[test]
fn a_full_course_is_refused() {
    given(defined(1))
        .given(subscribed("DDD", "Ada"))
        .when(subscribe("Ben"))
        .then_refused(SubscriptionRefusal::CourseFull);
}

#[test]
fn a_seat_more_is_a_seat_for_somebody() {
    given(defined(1))
        .given(subscribed("DDD", "Ada"))
        .given(resized(2))
        .when(subscribe("Ben"))
        .then([subscribed("DDD", "Ben")]);
}

#[test]
fn seats_of_another_course_do_not_count() {
    given(defined(1))
        .given(subscribed("ART", "Ada"))
        .when(subscribe("Ben"))
        .then([subscribed("DDD", "Ben")]);
}

#[test]
fn nobody_takes_a_seat_twice() {
    given(defined(2))
        .given(subscribed("DDD", "Ada"))
        .when(subscribe("Ada"))
        .then_refused(SubscriptionRefusal::AlreadySubscribed);
}

/// Ada takes so many courses of art.
fn busy(courses: usize) -> Given {
    (0..courses).fold(given(defined(5)), |so_far, n| {
        so_far.given(subscribed(&format!("A{n}"), "Ada"))
    })
}

#[test]
fn a_student_takes_at_most_ten_courses() {
    busy(MAX_COURSES - 1)
        .when(subscribe("Ada"))
        .then([subscribed("DDD", "Ada")]);
    busy(MAX_COURSES)
        .when(subscribe("Ada"))
        .then_refused(SubscriptionRefusal::TenCourses);
}

#[test]
fn courses_of_another_student_do_not_count() {
    busy(MAX_COURSES)
        .when(subscribe("Ben"))
        .then([subscribed("DDD", "Ben")]);
}

#[test]
fn a_course_that_was_left_does_not_count() {
    busy(MAX_COURSES)
        .given(unsubscribed("A3", "Ada"))
        .when(subscribe("Ada"))
        .then([subscribed("DDD", "Ada")]);
}

#[test]
fn a_seat_that_was_left_can_be_taken() {
    given(defined(1))
        .given(subscribed("DDD", "Ada"))
        .given(unsubscribed("DDD", "Ada"))
        .when(subscribe("Ben"))
        .then([subscribed("DDD", "Ben")]);
}

#[test]
fn a_student_leaves() {
    given(defined(1))
        .given(subscribed("DDD", "Ada"))
        .when(unsubscribe("Ada"))
        .then([unsubscribed("DDD", "Ada")]);
}

#[test]
fn only_who_has_a_seat_can_leave_it() {
    given(defined(2))
        .given(subscribed("DDD", "Ada"))
        .given(subscribed("ART", "Ben"))
        .when(unsubscribe("Ben"))
        .then_refused(SubscriptionRefusal::NotSubscribed);
    given(subscribed("DDD", "Ada"))
        .given(unsubscribed("DDD", "Ada"))
        .when(unsubscribe("Ada"))
        .then_refused(SubscriptionRefusal::NotSubscribed);
}

#[test]
fn the_list_counts_free_seats() {
    let row = |capacity, free_seats| CourseRow {
        title: "Domain-driven design".into(),
        capacity,
        free_seats,
    };
    view::<CourseList>()
        .on(defined(2))
        .has("DDD", row(2, 2))
        .on(subscribed("DDD", "Ada"))
        .on(subscribed("ART", "Ben"))
        .has("DDD", row(2, 1))
        .has_no("ART")
        .on(resized(4))
        .has("DDD", row(4, 3))
        .on(unsubscribed("DDD", "Ada"))
        .on(resized(1))
        .has("DDD", row(1, 1));
}
