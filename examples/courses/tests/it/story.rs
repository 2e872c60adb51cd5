//! The story that `cargo run -p courses` tells.

use fait::App;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_story_is_told() {
    let app = courses::wired(App::in_memory()).build().unwrap();
    let told = courses::story::play(&app).await.unwrap();
    app.stop().await;
    assert_eq!(told.trim_end(), TOLD);
}

const TOLD: &str = "\
Two seats and three students
  the course DDD-101 is offered: done
  Ada wants a seat: done
  Ben wants a seat: done
  Ben wants a seat: refused, the student is already subscribed
  Cleo wants a seat: refused, the course is full
  Ada leaves: done
  Cleo asks again: done
  the room is changed for one with a single seat: refused, more students are subscribed than that
  Ada wants a seat in DDD-102: refused, there is no such course

A student takes at most ten courses
  Dora takes 10 courses of art
  Dora wants one more: refused, the student has ten courses

200 students want 20 seats at once
  20 have a seat, 180 were refused

Courses with free seats
  ART-11   A history of art: 1 of 1";
