//! Both programs, and the broker, are killed at random moments: each sponsor's tickets are booked
//! exactly once, and nothing is issued twice.

use crate::programs::{Broker, Program};
use serde_json::Value;
use sponsorship::events::Level;
use sponsorship::play;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const SPONSORS: u32 = 200;
/// How often something is killed.
const KILLS: u32 = 20;
/// An hour takes thirty seconds, so that nobody is asked by hand within the test.
const PACE: &str = "120";
/// Seconds of the office between two sponsors: they come for twenty seconds.
const EVERY: &str = "12";

type Log = BTreeMap<u64, Value>;

/// Chance that can be had again.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let seed = std::env::var("KILL_SEED").ok().and_then(|s| s.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        eprintln!("KILL_SEED={seed}");
        Dice(seed)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 = (self.0)
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn wait(&mut self, from: u64, to: u64) {
        std::thread::sleep(Duration::from_millis(from + self.below(to - from)));
    }
}

#[test]
fn over_http_both_are_killed_and_each_sponsor_is_booked_once() {
    killed_again_and_again(None);
}

#[test]
fn over_nats_both_and_the_broker_are_killed_and_each_sponsor_is_booked_once() {
    killed_again_and_again(Some(Broker::start()));
}

fn killed_again_and_again(mut broker: Option<Broker>) {
    let mut dice = Dice::new();
    let url = broker.as_ref().map(Broker::url);
    let bus: Vec<&str> = url.iter().flat_map(|url| ["--nats", url]).collect();
    let more = ["--pace", PACE, "--places", "100000"];
    let mut tickets = Program::tickets(&[&more, &bus[..]].concat());
    let sponsors = SPONSORS.to_string();
    let more = ["--pace", PACE, "--sponsors", &sponsors, "--every", EVERY];
    let mut sponsorship = Program::sponsorship(&tickets, &[&more, &bus[..]].concat());
    tickets.up();
    sponsorship.up();
    let (mut issued, mut booked) = (Log::new(), Log::new());
    for _ in 0..KILLS {
        dice.wait(100, 1200);
        look(&tickets, &mut issued);
        look(&sponsorship, &mut booked);
        match (dice.below(3), &mut broker) {
            (0, Some(broker)) => {
                broker.kill();
                dice.wait(0, 400);
                broker.up();
            }
            (1, _) => {
                tickets.kill();
                dice.wait(0, 400);
                tickets.up();
            }
            _ => {
                sponsorship.kill();
                dice.wait(0, 400);
                sponsorship.up();
            }
        }
    }
    wait_for_the_end(&sponsorship);
    let issued = whole(&tickets, &issued);
    let booked = whole(&sponsorship, &booked);
    each_is_booked_once(&issued, &booked);
}

fn look(program: &Program, seen: &mut Log) {
    let after = seen.keys().next_back().copied().unwrap_or(0);
    seen.extend(program.events(after));
}

/// The whole log, in which all stands that was seen between the kills, and no position is missing.
fn whole(program: &Program, seen: &Log) -> Log {
    let log = program.events(0);
    assert!(!seen.is_empty(), "nothing was seen between the kills");
    for (position, event) in seen {
        let there = log.get(position);
        assert_eq!(there, Some(event), "event {position} was lost or changed");
    }
    assert!(
        log.keys().copied().eq(1..=log.len() as u64),
        "a position is missing"
    );
    log
}

fn wait_for_the_end(sponsorship: &Program) {
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let booked = of(&sponsorship.events(0), "SponsorTicketsBooked").len();
        let running = sponsorship.instances("running");
        assert_eq!(sponsorship.instances("parked"), Some(0));
        if running == Some(0) && booked >= SPONSORS as usize {
            return;
        }
        // Not a bound on speed: without an end the test would hang for ever.
        let hangs = begun.elapsed() > Duration::from_secs(240);
        assert!(!hangs, "it does not end: {booked} booked, {running:?} run");
    }
}

/// What was said in the events of a type.
fn of(log: &Log, ty: &str) -> Vec<Value> {
    let of = log.values().filter(|e| e["type"] == ty);
    of.map(|e| e["data"].clone()).collect()
}

/// Tickets by booking, each of which is there once.
fn once(said: &[Value], by: &str) -> BTreeMap<String, u64> {
    let pair = |said: &Value| {
        (
            said[by].as_str().unwrap().into(),
            said["tickets"].as_u64().unwrap(),
        )
    };
    let map: BTreeMap<String, u64> = said.iter().map(pair).collect();
    assert_eq!(map.len(), said.len(), "a {by} is there twice");
    map
}

fn each_is_booked_once(issued: &Log, booked: &Log) {
    let theirs = once(&of(issued, "MealTicketsIssued"), "booking");
    let heard = once(&of(booked, "MealTicketsIssued"), "booking");
    let ours = of(booked, "SponsorTicketsBooked");
    assert_eq!(theirs, heard, "both systems know the same tickets");
    assert_eq!(once(&ours, "booking"), theirs);
    let level = |n| play::sponsor(n).1.level;
    let wanted = (0..SPONSORS).map(|n| (play::sponsor(n).0.sponsor.to_string(), level(n)));
    let wanted = wanted.map(|(sponsor, level): (_, Level)| (sponsor, u64::from(level.tickets())));
    assert_eq!(once(&ours, "sponsor"), wanted.collect());
    assert_eq!(of(issued, "$MessagePublished").len(), SPONSORS as usize);
    assert_eq!(of(issued, "MealTicketsRefused").len(), 0);
    let asked = booked
        .values()
        .filter(|e| e["type"] == "SponsorOnboarded")
        .count();
    assert_eq!(asked, SPONSORS as usize);
}
