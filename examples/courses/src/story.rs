//! A short story, played on a system and told in plain words.

use crate::events::{CourseId, StudentId};
use crate::list::CourseList;
use crate::offering::{DefineCourse, ResizeCourse};
use crate::subscribing::{MAX_COURSES, SubscribeStudent, UnsubscribeStudent};
use fait::app::{App, CommandError, Receipt, ViewRow};
use fait::decision::{Decide, Refusal};
use std::fmt::Write;

type Told = Result<(), Box<dyn std::error::Error>>;

/// Plays it, and gives what there is to tell.
///
/// # Errors
/// Something other than a refusal came in the way.
pub async fn play(app: &App) -> Result<String, Box<dyn std::error::Error>> {
    let mut told = String::new();
    two_seats(app, &mut told).await?;
    ten_courses(app, &mut told).await?;
    a_rush(app, &mut told).await?;
    the_list(app, &mut told).await?;
    Ok(told)
}

async fn two_seats(app: &App, told: &mut String) -> Told {
    writeln!(told, "Two seats and three students")?;
    let course = CourseId::from("DDD-101");
    done(
        app,
        told,
        "the course DDD-101 is offered",
        define("DDD-101", "Domain-driven design", 2),
    )
    .await?;
    for name in ["Ada", "Ben", "Ben", "Cleo"] {
        done(
            app,
            told,
            &format!("{name} wants a seat"),
            subscribe("DDD-101", name),
        )
        .await?;
    }
    let leave = UnsubscribeStudent {
        course: course.clone(),
        student: "Ada".into(),
    };
    done(app, told, "Ada leaves", leave).await?;
    done(app, told, "Cleo asks again", subscribe("DDD-101", "Cleo")).await?;
    let shrink = ResizeCourse {
        course,
        capacity: 1,
    };
    done(
        app,
        told,
        "the room is changed for one with a single seat",
        shrink,
    )
    .await?;
    done(
        app,
        told,
        "Ada wants a seat in DDD-102",
        subscribe("DDD-102", "Ada"),
    )
    .await
}

async fn ten_courses(app: &App, told: &mut String) -> Told {
    writeln!(told, "\nA student takes at most ten courses")?;
    let mut taken = 0;
    for n in 1..=MAX_COURSES + 1 {
        let code = format!("ART-{n:02}");
        app.send(define(&code, "A history of art", 1)).await?;
        if n <= MAX_COURSES {
            app.send(subscribe(&code, "Dora")).await?;
            taken += 1;
        }
    }
    writeln!(told, "  Dora takes {taken} courses of art")?;
    let last = format!("ART-{:02}", MAX_COURSES + 1);
    done(app, told, "Dora wants one more", subscribe(&last, "Dora")).await
}

async fn a_rush(app: &App, told: &mut String) -> Told {
    const STUDENTS: u32 = 200;
    writeln!(told, "\n{STUDENTS} students want 20 seats at once")?;
    app.send(define("RUST-1", "Rust from nothing", 20)).await?;
    let asking: Vec<_> = (1..=STUDENTS)
        .map(|n| {
            let app = app.clone();
            let wish = subscribe("RUST-1", &format!("student {n}"));
            tokio::spawn(async move { outcome(app.send(wish).await) })
        })
        .collect();
    let (mut seated, mut refused) = (0, 0);
    for asked in asking {
        match asked.await?? {
            None => seated += 1,
            Some(_) => refused += 1,
        }
    }
    writeln!(told, "  {seated} have a seat, {refused} were refused")?;
    Ok(())
}

async fn the_list(app: &App, told: &mut String) -> Told {
    writeln!(told, "\nCourses with free seats")?;
    app.settle().await;
    let list = app.view::<CourseList>().filter("free_seats.gt", 0);
    for ViewRow { key, row, .. } in list.rows().await?.rows {
        let (title, free, all) = (&row.title, row.free_seats, row.capacity);
        writeln!(told, "  {key:8} {title}: {free} of {all}")?;
    }
    Ok(())
}

/// Sends a command and tells what became of it.
async fn done<C: Decide>(app: &App, told: &mut String, what: &str, command: C) -> Told {
    match outcome(app.send(command).await)? {
        None => writeln!(told, "  {what}: done")?,
        Some(why) => writeln!(told, "  {what}: refused, {why}")?,
    }
    Ok(())
}

/// The reason of a refusal, if it was one.
fn outcome<R: Refusal>(
    sent: Result<Receipt, CommandError<R>>,
) -> Result<Option<String>, CommandError<R>> {
    match sent {
        Ok(_) => Ok(None),
        Err(CommandError::Refused(refusal)) => Ok(Some(refusal.to_string())),
        Err(other) => Err(other),
    }
}

fn define(code: &str, title: &str, capacity: u32) -> DefineCourse {
    DefineCourse {
        course: code.into(),
        title: title.into(),
        capacity,
    }
}

fn subscribe(code: &str, name: &str) -> SubscribeStudent {
    SubscribeStudent {
        course: code.into(),
        student: StudentId::from(name),
    }
}
