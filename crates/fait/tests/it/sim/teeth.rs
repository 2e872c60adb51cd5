//! Bugs planted in the runtime, each found by the simulator, with the number of schedules that it
//! took; and without them nothing is found.

use super::post::{bring_one, outcome, wire};
use fait::sim::{Extent, Failure, Flaw, Plan, Report, every_crash, with_flaw};

fn check() -> Result<Report, Box<Failure>> {
    let extent = Extent {
        pairs: 60,
        faulty: 20,
        mixed: 20,
        ..Extent::default()
    };
    every_crash(wire, bring_one, outcome).extent(extent).check()
}

#[track_caller]
fn finds(flaw: Flaw, within: u64, what: &str) {
    let failure = with_flaw(flaw, check).unwrap_err();
    let n = failure.schedules;
    println!("{flaw:?} is found by schedule {n}: {}", failure.plan);
    assert!(failure.why.contains(what), "{failure}");
    assert!(n <= within, "it took {n} schedules");
    // What is printed is enough to see it again.
    let again = with_flaw(flaw, || {
        every_crash(wire, bring_one, outcome).play(&failure.plan)
    });
    match again {
        Ok((ending, _)) => assert_eq!(ending.text(), failure.log),
        Err(e) => assert!(failure.why.contains(&e.to_string()), "{e}"),
    }
}

#[test]
fn without_a_flaw_all_ends_alike() {
    let report = check().unwrap();
    println!("{report}");
    assert!(report.operations >= 12, "{report}");
    assert!(report.singles > report.operations, "{report}");
    assert_eq!(report.faulty, 40);
}

#[test]
fn what_is_sent_before_it_is_recorded_is_found() {
    finds(Flaw::SentFirst, 60, "ParcelWeighed");
}

#[test]
fn a_receipt_apart_from_its_effect_is_found() {
    finds(Flaw::ReceiptApart, 60, "ParcelWeighed");
}

#[test]
fn a_new_id_for_each_telling_is_found() {
    finds(Flaw::NewIdEachTime, 60, "2");
}

#[test]
fn a_step_that_is_not_guarded_is_found() {
    finds(Flaw::Unguarded, 120, "L3");
}

#[test]
fn the_same_plan_has_the_same_log() {
    let every = every_crash(wire, bring_one, outcome);
    for plan in [Plan::calm(), Plan::faulty(3), Plan::faulty(4)] {
        let (a, _) = every.play(&plan).unwrap();
        let (b, _) = every.play(&plan).unwrap();
        assert_eq!(a.log, b.log);
        assert_eq!(a.trail, b.trail);
    }
}
