//! One action on many instances: previewed, paced, watched, ended, begun again.

use crate::workshop::*;
use fait::app::{Act, App, Bulk, BulkError, BulkState, Filter, MAX_RATE, Progress};
use fait::process::{Class, Fact, types};
use fait::query::Query;
use fait::store::Range;
use std::time::Duration;

fn all_parked() -> Filter {
    Filter {
        process: "repair".into(),
        class: Some(Class::Defect),
        ..Filter::default()
    }
}

fn bulk(act: Act, rate: u32) -> Bulk {
    Bulk {
        filter: all_parked(),
        act,
        by: "operator:max".into(),
        reason: "they came twice".into(),
        rate,
    }
}

async fn until(app: &App, fits: impl Fn(&Progress) -> bool) -> Progress {
    loop {
        let progress = app.bulk_progress("repair").unwrap();
        if fits(&progress) {
            return progress;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

async fn ended(app: &App) -> Progress {
    let progress = until(app, |p| p.state != BulkState::Running).await;
    app.settle().await;
    progress
}

async fn send(app: &App, job: &str) {
    let (job, tool) = (JobId(job.into()), "saw".to_string());
    app.send(BringJob { job, tool }).await.unwrap();
}

#[tokio::test]
async fn a_preview_counts_and_names_what_fits() {
    let (_, app) = open();
    bring(&app, "bad-p1", "saw").await;
    bring(&app, "bad-p2", "saw").await;
    bring(&app, "nail", "hammer").await;
    bring(&app, "good", "saw").await;
    let count = |filter: &Filter, act: &Act| app.bulk_preview(filter, act).unwrap().count;
    let of = |filter: Filter| Filter {
        process: "repair".into(),
        ..filter
    };
    assert_eq!(count(&of(Filter::default()), &Act::Retry), 3);
    assert_eq!(count(&of(Filter::default()), &Act::Cancel), 4);
    let preview = app.bulk_preview(&all_parked(), &Act::Skip).unwrap();
    let keys: Vec<&str> = preview.sample.iter().map(|p| p.key.as_str()).collect();
    assert_eq!((preview.count, keys), (2, vec!["bad-p1", "bad-p2"]));
    let text = |t: &str| Filter {
        text: Some(t.into()),
        ..of(Filter::default())
    };
    assert_eq!(count(&text("HAMMER"), &Act::Retry), 1);
    assert_eq!(count(&text("100%"), &Act::Retry), 0);
    let old = |s| Filter {
        older_than_s: Some(s),
        ..of(Filter::default())
    };
    app.advance(Duration::from_secs(60)).await;
    assert_eq!(count(&old(60), &Act::Retry), 3);
    assert_eq!(count(&old(61), &Act::Retry), 0);
    let one = app
        .bulk_preview(&all_parked(), &Act::Compensate)
        .unwrap_err();
    assert!(matches!(one, BulkError::OneByOne { .. }), "{one}");
    let rate = app.bulk_run(bulk(Act::Skip, MAX_RATE + 1)).unwrap_err();
    assert!(matches!(rate, BulkError::Rate), "{rate}");
}

#[tokio::test]
async fn what_is_aborted_stays_and_the_rest_is_done_the_next_time() {
    let (_, app) = open();
    for n in 0..12 {
        bring(&app, &format!("bad-a{n:02}"), "saw").await;
    }
    // One in a second: the first is done at once, and the second would come too late for us.
    app.bulk_run(bulk(Act::Skip, 1)).unwrap();
    let second = app.bulk_run(bulk(Act::Skip, 1)).unwrap_err();
    assert!(matches!(second, BulkError::Running { .. }), "{second}");
    until(&app, |p| p.done > 0).await;
    assert!(app.bulk_abort("repair"));
    let progress = ended(&app).await;
    assert_eq!(progress.state, BulkState::Aborted);
    assert!(progress.left() > 0, "{progress:?}");
    assert!(!app.bulk_abort("repair"), "nothing goes on");
    app.bulk_run(bulk(Act::Skip, MAX_RATE)).unwrap();
    let rest = ended(&app).await;
    assert_eq!(rest.state, BulkState::Done);
    assert_eq!(
        rest.found,
        12 - progress.done,
        "what was done is passed over"
    );
    assert_eq!(rest.done + progress.done, 12);
    let query = Query::types(&[types::RESUMED]);
    let slice = app.events(&query, Range::after(0, 100)).await.unwrap();
    assert_eq!(slice.events.len(), 12, "each once");
}

/// Brings jobs of which nobody knows what they are, many at a time.
async fn bring_odd(app: &App, n: usize) {
    let jobs: Vec<String> = (0..n).map(|n| format!("odd-{n:05}")).collect();
    for some in jobs.chunks(500) {
        let sent = some.iter().map(|job| send(app, job));
        futures_util::future::join_all(sent).await;
    }
    app.settle().await;
}

/// How many instances the long run is about, such as 10000.
const MANY: &str = "FAIT_BULK_INSTANCES";

/// The time it takes grows with the number and no faster; nearly all of it is spent in bringing
/// the jobs and in reading and writing JSON without optimization. So the ordinary run is content
/// with two thousand, which are more than are found at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_are_cancelled_while_others_work() {
    let many = std::env::var(MANY).map_or(2000, |n| n.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let app = wired(App::in_folder(folder.path()));
    bring_odd(&app, many).await;
    let odd = Filter {
        process: "repair".into(),
        class: Some(Class::Asked),
        ..Filter::default()
    };
    let preview = app.bulk_preview(&odd, &Act::Cancel).unwrap();
    assert_eq!((preview.count, preview.sample.len()), (many as u64, 20));
    let cancel = Bulk {
        filter: odd,
        ..bulk(Act::Cancel, MAX_RATE)
    };
    app.bulk_run(cancel).unwrap();
    let mut meanwhile = 0;
    while app.bulk_progress("repair").unwrap().state == BulkState::Running {
        send(&app, &format!("good-{meanwhile}")).await;
        meanwhile += 1;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let progress = ended(&app).await;
    assert!(meanwhile > 0, "others worked");
    let done = (progress.done, progress.failed);
    assert_eq!(done, (many as u64, 0), "{progress:?}");
    assert!(app.parked().unwrap().is_empty());
    let last = "cancelled by operator:max: they came twice";
    assert_eq!(heard(&app, "odd-00007").await, [last]);
    assert_eq!(heard(&app, "good-0").await, ["came", "done"]);
    assert_eq!(lines(&app).await, many, "each has a line of its own");
    app.stop().await;
}

/// The lines in the log that say who cancelled an instance.
async fn lines(app: &App) -> usize {
    let query = Query::types(&[types::OPERATED]);
    let (mut after, mut lines) = (0, 0);
    loop {
        let slice = app.events(&query, Range::after(after, 1000)).await.unwrap();
        for event in &slice.events {
            assert_eq!(event.meta.origin.actor.as_deref(), Some("operator:max"));
            assert!(matches!(Fact::read(event), Ok(Some(Fact::Operated(_)))));
        }
        lines += slice.events.len();
        match slice.events.last() {
            Some(last) => after = last.meta.position,
            None => return lines,
        }
    }
}
