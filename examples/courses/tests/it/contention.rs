//! Many at once: no seat too many, and nobody in the way of somebody else.

use crate::gate::Gate;
use courses::list::CourseList;
use courses::offering::{DefineCourse, ResizeCourse};
use courses::subscribing::{SubscribeStudent, SubscriptionRefusal, UnsubscribeStudent};
use fait::App;
use fait::app::CommandError;
use fait::decision::Decide;

fn define(course: &str, capacity: u32) -> DefineCourse {
    DefineCourse {
        course: course.into(),
        title: course.into(),
        capacity,
    }
}

fn subscribe(course: &str, student: &str) -> SubscribeStudent {
    SubscribeStudent {
        course: course.into(),
        student: student.into(),
    }
}

fn unsubscribe(course: &str, student: &str) -> UnsubscribeStudent {
    UnsubscribeStudent {
        course: course.into(),
        student: student.into(),
    }
}

/// Sends all at once; gives how many are done, and why the others are not.
async fn race(app: &App, wishes: Vec<SubscribeStudent>) -> (usize, Vec<SubscriptionRefusal>) {
    let asking: Vec<_> = wishes
        .into_iter()
        .map(|wish| {
            let app = app.clone();
            tokio::spawn(async move { app.send(wish).await })
        })
        .collect();
    let (mut done, mut refused) = (0, vec![]);
    for asked in asking {
        match asked.await.unwrap() {
            Ok(receipt) => done += receipt.events.len(),
            Err(CommandError::Refused(why)) => refused.push(why),
            Err(other) => panic!("{other}"),
        }
    }
    (done, refused)
}

async fn free(app: &App, course: &str) -> u32 {
    app.settle().await;
    let row = app.view::<CourseList>().get(&course.into()).await.unwrap();
    row.unwrap().free_seats
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_students_race_for_twenty_seats() {
    let app = courses::wired(App::in_memory()).build().unwrap();
    app.send(define("RUST", 20)).await.unwrap();
    let wishes = (0..200)
        .map(|n| subscribe("RUST", &format!("s{n}")))
        .collect();
    let (done, refused) = race(&app, wishes).await;
    assert_eq!(done, 20);
    assert_eq!(refused, vec![SubscriptionRefusal::CourseFull; 180]);
    assert_eq!(free(&app, "RUST").await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_student_races_for_fifteen_courses() {
    let app = courses::wired(App::in_memory()).build().unwrap();
    let codes: Vec<String> = (0..15).map(|n| format!("C{n}")).collect();
    for code in &codes {
        app.send(define(code, 5)).await.unwrap();
    }
    let wishes = codes.iter().map(|code| subscribe(code, "Ada")).collect();
    let (done, refused) = race(&app, wishes).await;
    assert_eq!(done, 10);
    assert_eq!(refused, vec![SubscriptionRefusal::TenCourses; 5]);
    let mut taken = 0;
    for code in &codes {
        taken += 5 - free(&app, code).await;
    }
    assert_eq!(taken, 10);
    app.stop().await;
}

/// Two commands that were both decided before either was recorded: how often must one of them be
/// decided again? Afterwards both are done.
async fn conflicts(first: impl Decide, second: impl Decide) -> u32 {
    let gate = Gate::open();
    let app = courses::wired(App::on(gate.clone())).build().unwrap();
    for course in ["ART", "DDD"] {
        app.send(define(course, 5)).await.unwrap();
        for student in ["Cleo", "Dora"] {
            app.send(subscribe(course, student)).await.unwrap();
        }
    }
    gate.close();
    let (first, second) = tokio::join!(app.send(first), app.send(second));
    assert_eq!(first.unwrap().events.len(), 1);
    assert_eq!(second.unwrap().events.len(), 1);
    app.stop().await;
    gate.conflicts()
}

#[tokio::test]
async fn disjoint_decisions_are_not_in_each_others_way() {
    assert_eq!(
        conflicts(subscribe("ART", "Ada"), subscribe("DDD", "Ben")).await,
        0
    );
    assert_eq!(
        conflicts(define("NEW", 1), subscribe("DDD", "Ben")).await,
        0
    );
    assert_eq!(conflicts(define("NEW", 1), define("OTHER", 1)).await, 0);
    let resize = ResizeCourse {
        course: "ART".into(),
        capacity: 9,
    };
    assert_eq!(conflicts(resize, subscribe("DDD", "Ada")).await, 0);
}

#[tokio::test]
async fn two_who_leave_one_course_are_not_in_each_others_way() {
    assert_eq!(
        conflicts(unsubscribe("DDD", "Cleo"), unsubscribe("DDD", "Dora")).await,
        0
    );
}

/// What makes the two tests above worth something: the same gate does see conflicts.
#[tokio::test]
async fn decisions_on_one_course_or_one_student_wait_for_each_other() {
    assert_eq!(
        conflicts(subscribe("DDD", "Ada"), subscribe("DDD", "Ben")).await,
        1
    );
    assert_eq!(
        conflicts(subscribe("ART", "Ada"), subscribe("DDD", "Ada")).await,
        1
    );
    let resize = ResizeCourse {
        course: "DDD".into(),
        capacity: 9,
    };
    assert_eq!(conflicts(resize, subscribe("DDD", "Ada")).await, 1);
}
