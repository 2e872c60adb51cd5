//! Every event that was ever written can be read.

use courses::events::{CourseDefined, StudentSubscribed};
use fait::App;

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    let (course, title) = ("DDD-101".into(), "Domains".into());
    fait::test::fixtures("tests/events")
        .example(CourseDefined {
            course,
            title,
            capacity: 20,
        })
        .example(StudentSubscribed {
            course: "DDD-101".into(),
            student: "ann".into(),
        })
        .keep(&courses::wired(App::in_memory()));
}
