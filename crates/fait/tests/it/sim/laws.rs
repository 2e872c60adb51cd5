//! The laws that every process keeps, on random processes and scenarios. `FAIT_SIM_CASES` says
//! how many of each; `cargo xtask sim --processes N` sets it.

use super::machines::Case;
use fait::sim::{
    Broken, Crash, Faults, Law, Outside, Place, Plan, Side, broken_by, broken_by_rebuild,
};

fn cases() -> impl Iterator<Item = (u64, Case)> {
    let wanted = std::env::var("FAIT_SIM_CASES").ok();
    let n = wanted.and_then(|n| n.parse().ok()).unwrap_or(100);
    (0..n).map(|seed| (seed, Case::of(seed)))
}

/// Crashes and faults by a seed.
fn trouble(seed: u64) -> Plan {
    let side = |n: u64| {
        if n.is_multiple_of(2) {
            Side::Before
        } else {
            Side::After
        }
    };
    let crash = |n: u64| Crash {
        at: 1 + n % 11,
        side: side(n / 11),
    };
    Plan {
        crashes: vec![crash(seed), crash(seed / 3)],
        database_survives: seed.is_multiple_of(2),
        ..Plan::default()
    }
}

#[track_caller]
fn alike(plan: impl Fn(u64) -> Plan) {
    alike_of(cases(), plan);
}

#[track_caller]
fn alike_of(cases: impl Iterator<Item = (u64, Case)>, plan: impl Fn(u64) -> Plan) {
    for (seed, case) in cases {
        let (_, calm) = case.play(&Plan::calm()).unwrap();
        let (ending, told) = case.play(&plan(seed)).unwrap();
        let log = ending.text();
        assert_eq!(told, calm, "{case}\n{}\n{log}", plan(seed));
    }
}

/// After crashes, faults and two programs at once, no log breaks a law.
#[track_caller]
fn keeps(law: Law) {
    for (seed, case) in cases() {
        let mut plan = trouble(seed);
        if seed.is_multiple_of(3) {
            plan = Plan {
                workers: 2,
                database_survives: false,
                ..plan
            };
        }
        plan.faults = Faults::all();
        plan.seed = seed;
        let (ending, _) = case
            .play(&plan)
            .unwrap_or_else(|e| panic!("{case} {plan}: {e}"));
        let broken: Vec<Broken> = broken_by(&ending.log);
        let broken: Vec<&Broken> = broken.iter().filter(|b| b.law == law).collect();
        let log = ending.text();
        assert!(broken.is_empty(), "{case}\n{plan}\n{broken:#?}\n{log}");
    }
}

fn rebuilds(law: Law) {
    for (seed, case) in cases() {
        let (ending, _) = case.play(&trouble(seed)).unwrap();
        let broken = broken_by_rebuild(&ending, |place: &Place| {
            case.wire(place, &Outside::default())
        });
        let broken: Vec<Broken> = broken.into_iter().filter(|b| b.law == law).collect();
        let log = ending.text();
        assert!(broken.is_empty(), "{case}\n{broken:#?}\n{log}");
    }
}

#[test]
fn l1_a_rebuild_issues_nothing() {
    rebuilds(Law::RebuildIsSilent);
}

#[test]
fn l2_what_is_made_anew_is_what_was_live() {
    rebuilds(Law::RebuildIsEqual);
}

#[test]
fn l3_delivered_again_is_delivered_once() {
    alike(|seed| Plan {
        faults: Faults {
            again: 1,
            ..Faults::default()
        },
        seed,
        ..Plan::default()
    });
    keeps(Law::Once);
}

#[test]
fn l4_a_crash_changes_nothing() {
    alike(trouble);
}

#[test]
fn l5_two_programs_are_one() {
    // What was held comes right behind the beginning, and may take back what that has issued:
    // whether it was done by then is a race that may end either way.
    let cases = cases().map(|(seed, case)| (seed, case.holding_nothing()));
    alike_of(cases, |seed| Plan {
        workers: 2,
        faults: Faults {
            slow: 2,
            ..Faults::default()
        },
        seed,
        ..Plan::default()
    });
}

#[test]
fn l6_a_parked_instance_holds_up_nobody_else() {
    let mut parked = 0;
    for (seed, case) in cases() {
        let (ending, all) = case.play(&trouble(seed)).unwrap();
        parked += all.values().filter(|i| i.1.starts_with("parked")).count();
        for key in all.keys() {
            let alone = case.clone().only(key.parse().unwrap());
            let (_, told) = alone.play(&Plan::calm()).unwrap();
            let log = ending.text();
            assert_eq!(all.get(key), told.get(key), "{case} {key}\n{log}");
        }
    }
    assert!(parked > 0, "nothing was parked");
}

#[test]
fn l7_whatever_is_issued_is_settled_once() {
    keeps(Law::Settled);
}

#[test]
fn l8_a_deadline_is_reached_or_cancelled() {
    keeps(Law::Deadlines);
}

#[test]
fn l9_what_has_ended_issues_nothing() {
    keeps(Law::EndIsEnd);
}

#[test]
fn l10_every_cause_ends_outside() {
    keeps(Law::Causes);
}
