//! A program in another language takes part: it reads what is published, and asks at the open
//! door.

use crate::programs::{Broker, Program};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Python with what `tests/python/requirements.txt` names: `cargo xtask python` makes it.
fn python() -> PathBuf {
    let made = Path::new(env!("CARGO_BIN_EXE_sponsorship"));
    let made = made.ancestors().nth(2).unwrap().join("python/bin/python");
    let python = std::env::var_os("FAIT_PYTHON").map_or(made, PathBuf::from);
    let is = python.is_file();
    assert!(
        is,
        "{} is not there: run `cargo xtask python`",
        python.display()
    );
    python
}

/// The consumer, which says whom it sent a guide with.
struct Guides {
    child: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Guides {
    fn start(broker: &Broker, tickets: &Program) -> Guides {
        let mut child = Command::new(python())
            .arg(Path::new(ROOT).join("examples/tickets/consumer.py"))
            .args([broker.url(), tickets.address()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let lines = Box::new(out.lines().map_while(Result::ok));
        Guides { child, lines }
    }
}

impl Drop for Guides {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The tickets that the guides booked.
fn guides(tickets: &Program) -> Vec<Value> {
    let all = tickets.events(0).into_values();
    let by = |e: &Value| e["type"] == "MealTicketsIssued" && e["actor"] == "client:guides";
    all.filter(by).collect()
}

#[test]
fn a_guide_goes_with_each_group() {
    let broker = Broker::start();
    let url = broker.url();
    let bus = ["--nats", &url];
    let mut tickets = Program::tickets(&[&["--places", "1000"], &bus[..]].concat());
    let more = ["--sponsors", "7", "--every", "0"];
    let mut sponsorship = Program::sponsorship(&tickets, &[&more, &bus[..]].concat());
    tickets.up();
    sponsorship.up();
    // Every third of them is Gold: three groups of five.
    let first = Guides::start(&broker, &tickets).lines.next();
    let mut second = Guides::start(&broker, &tickets);
    let rest: Vec<String> = second.lines.by_ref().take(2).collect();
    for said in first.iter().chain(&rest) {
        assert!(said.starts_with("a guide goes with "), "{said}");
    }
    let begun = Instant::now();
    while guides(&tickets).len() < 3 {
        // Not a bound on speed: without an end the test would hang for ever.
        let hangs = begun.elapsed() > Duration::from_secs(120);
        assert!(!hangs, "{:?}", guides(&tickets));
        std::thread::sleep(Duration::from_millis(50));
    }
    let guides = guides(&tickets);
    assert_eq!(guides.len(), 3, "a guide goes twice: {guides:?}");
    for guide in guides {
        assert_eq!(guide["data"]["tickets"], 1, "{guide}");
    }
}
