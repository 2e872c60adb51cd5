use super::*;
use fait_core::process::{Issued, Open};
use serde_json::Value;

const NOW: Time = Time(1_000_000);

fn command(n: u64, key: &str, to: Target) -> OpenCommand {
    OpenCommand {
        process: "p".into(),
        key: key.into(),
        open: Open {
            issued: Issued {
                id: Uuid::from_u128(n.into()),
                name: "Do".into(),
                body: Value::Null,
                to,
                due: None,
                tries: 1,
                expires: false,
            },
            since: NOW,
            position: n,
            ordinal: 0,
            cause: Uuid::nil(),
            traceparent: None,
            claim: None,
            tried: 0,
        },
        correlation: Uuid::nil(),
        about: vec![],
    }
}

fn here(n: u64, key: &str) -> OpenCommand {
    command(n, key, Target::Here)
}

/// One row of which everything is in memory, with so many places.
fn row(at_once: usize) -> Waiting {
    let mut waiting = Waiting::default();
    let limits = Limits {
        at_once,
        ..Limits::default()
    };
    waiting.row(None, limits, NOW);
    assert_eq!(waiting.wants_more().len(), 1, "the database is asked first");
    waiting.found(0, vec![], true);
    assert!(waiting.wants_more().is_empty());
    waiting
}

fn taken(waiting: &mut Waiting) -> Vec<u64> {
    let begun = waiting.take(NOW).into_iter();
    begun.map(|b| b.command.open.position).collect()
}

fn settle(waiting: &mut Waiting, n: u64, key: &str, at: Position) {
    waiting.finish(0, ("p", key), Uuid::from_u128(n.into()), Ended::Settled(at));
}

#[test]
fn each_instance_has_one_under_way_and_all_take_turns() {
    let mut waiting = row(3);
    for n in 1..=4 {
        assert!(waiting.offer(0, here(n, "a")));
    }
    waiting.offer(0, here(5, "b"));
    waiting.offer(0, here(6, "c"));
    waiting.offer(0, here(7, "d"));
    assert_eq!(taken(&mut waiting), [1, 5, 6]);
    assert_eq!(taken(&mut waiting), [0; 0]);
    settle(&mut waiting, 1, "a", 100);
    assert_eq!(taken(&mut waiting), [7], "before the second of a");
    settle(&mut waiting, 5, "b", 101);
    assert_eq!(taken(&mut waiting), [2]);
}

#[test]
fn what_the_index_shows_again_is_not_begun_again() {
    let mut waiting = row(9);
    let open = |n: u64| HashSet::from([Uuid::from_u128(n.into())]);
    assert!(waiting.offer(0, here(1, "a")));
    assert!(!waiting.offer(0, here(1, "a")), "while it waits");
    assert_eq!(taken(&mut waiting), [1]);
    assert!(!waiting.offer(0, here(1, "a")), "while it is under way");
    settle(&mut waiting, 1, "a", 50);
    waiting.indexed("p", "a", &open(1), 40);
    waiting.indexed_to(40);
    assert!(!waiting.offer(0, here(1, "a")), "the index lags");
    waiting.indexed("p", "a", &HashSet::new(), 50);
    waiting.indexed_to(50);
    assert!(waiting.settled.is_empty() && waiting.known.is_empty());
    assert!(waiting.lanes.is_empty());
}

#[test]
fn what_was_taken_back_does_not_begin_and_what_is_newer_than_the_index_does() {
    let mut waiting = row(1);
    for n in 1..=3 {
        waiting.offer(0, here(n * 10, "a"));
    }
    waiting.indexed("p", "a", &HashSet::new(), 20);
    assert_eq!(taken(&mut waiting), [30]);
    assert_eq!(waiting.rows[0].waiting, 0);
}

#[test]
fn a_retry_keeps_its_place_and_the_next_does_not_wait_for_one_that_is_gone() {
    let mut waiting = row(9);
    waiting.offer(0, here(1, "a"));
    waiting.offer(0, here(2, "a"));
    let begun = waiting.take(NOW).remove(0);
    let later = NOW + std::time::Duration::from_secs(60);
    let tries = Tries {
        n: 1,
        ..Tries::default()
    };
    let again = Ended::Again(later, tries, Box::new(begun.command));
    waiting.finish(0, ("p", "a"), Uuid::from_u128(1), again);
    assert_eq!(taken(&mut waiting), [0; 0]);
    assert_eq!(waiting.next(), Some(later));
    let left = HashSet::from([Uuid::from_u128(2)]);
    waiting.indexed("p", "a", &left, 5);
    assert_eq!(waiting.next(), None);
    let begun = waiting.take(NOW).remove(0);
    assert_eq!(
        (begun.command.open.position, begun.tries),
        (2, Tries::default())
    );
}

#[test]
fn a_parked_instance_waits_and_comes_back_by_the_index() {
    let mut waiting = row(9);
    waiting.offer(0, here(1, "a"));
    waiting.offer(0, here(2, "a"));
    assert_eq!(taken(&mut waiting), [1]);
    let parked = Ended::Parked(40);
    waiting.finish(0, ("p", "a"), Uuid::from_u128(1), parked);
    assert_eq!(taken(&mut waiting), [0; 0]);
    assert!(waiting.is_old("p", "a", 30) && !waiting.is_old("p", "a", 45));
    waiting.found(0, vec![here(1, "a")], true);
    assert_eq!(taken(&mut waiting), [0; 0], "the database lags");
    waiting.indexed_to(45);
    assert!(waiting.offer(0, here(1, "a")));
    assert_eq!(taken(&mut waiting), [1]);
}

#[test]
fn what_does_not_fit_is_found_in_the_database_in_order() {
    let mut waiting = row(1);
    let most = MAX_WAITING as u64;
    for n in 1..=most {
        assert!(waiting.offer(0, here(n, &format!("k{n}"))));
    }
    assert!(!waiting.offer(0, here(most + 1, "k1")), "full");
    assert!(!waiting.offer(0, here(most + 2, "new")));
    assert_eq!(waiting.rows[0].waiting, MAX_WAITING);
    let mut done = 0;
    while waiting.wants_more().is_empty() {
        let n = taken(&mut waiting)[0];
        settle(&mut waiting, n, &format!("k{n}"), most + 10 + n);
        done += 1;
    }
    assert_eq!(done, MAX_WAITING / 2);
    // Something came while the database was asked: it is asked again.
    waiting.offer(0, here(most + 3, "newer"));
    let lag = here(1, "k1");
    waiting.found(
        0,
        vec![lag, here(most + 1, "k1"), here(most + 2, "new")],
        true,
    );
    assert_eq!(waiting.rows[0].waiting, MAX_WAITING / 2 + 2);
    assert!(waiting.rows[0].more);
}

#[test]
fn a_system_that_hangs_takes_no_place_of_others() {
    let mut waiting = row(1);
    for name in ["Dead", "Alive"] {
        let at = waiting.row(Some(name), Limits::default(), NOW);
        waiting.found(at, vec![], true);
        for n in 0..20 {
            let n = n + 100 * at as u64;
            let to = Target::System(name.into());
            assert!(waiting.offer(at, command(n, &format!("k{n}"), to)));
        }
    }
    assert_eq!(waiting.take(NOW).len(), 16, "eight of each");
    let id = Uuid::from_u128(200);
    waiting.finish(2, ("p", "k200"), id, Ended::Settled(999));
    assert_eq!(taken(&mut waiting), [208]);
}
