//! The guide to two systems as it stands. A block that says where it is from stands there, piece
//! by piece between lines of `…`. In a block of commands each is run, `cargo run` as the program
//! that it runs, and what it prints is what is shown: `…` stands for anything in a line, and alone
//! on a line for any lines. Between two blocks, what the guide says in `<!-- … -->` happens.

use crate::programs::{Program, beside};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const GUIDE: &str = include_str!("../../../../docs/guide/two-systems.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_guide_works_as_it_stands() {
    let mut both = Both::new();
    let (mut excerpts, mut calls) = (0, 0);
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if let Some(what) = line.strip_prefix("<!-- ") {
            both.happens(what.trim_end_matches(" -->"));
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(",from=") {
            Some((_, file)) => excerpts += stands_in(&block, file),
            None if info == "console" => calls += both.type_in(&block),
            // What needs a broker; the tests of the programs start them so.
            None => assert_eq!(info, "text"),
        }
    }
    assert!(
        excerpts > 15 && calls > 4,
        "{excerpts} excerpts, {calls} calls"
    );
}

/// Looks that each piece of an excerpt is in its file; how many there are.
fn stands_in(block: &[&str], file: &str) -> usize {
    let whole = std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let plain = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| line.trim().to_string()).collect()
    };
    let whole = plain(&whole.lines().collect::<Vec<_>>());
    let pieces = block.split(|line| line.trim() == "…");
    let pieces: Vec<_> = pieces.map(plain).filter(|p| !p.is_empty()).collect();
    for piece in &pieces {
        let found = whole.windows(piece.len()).any(|window| window == piece);
        assert!(found, "{file} has no such lines:\n{}", piece.join("\n"));
    }
    pieces.len()
}

/// The two programs, on other ports than those of the guide.
struct Both {
    tickets: Program,
    sponsorship: Program,
}

impl Both {
    fn new() -> Both {
        let tickets = Program::tickets(&[]);
        let sponsorship = Program::sponsorship(&tickets, &[]);
        Both {
            tickets,
            sponsorship,
        }
    }

    fn happens(&mut self, what: &str) {
        match what {
            "tickets is stopped" => self.tickets.kill(),
            "tickets is started again" => drop(self.tickets.up()),
            other => panic!("`{other}` cannot be done"),
        }
    }

    /// Runs the calls of a block; how many there are.
    fn type_in(&mut self, block: &[&str]) -> usize {
        let mut calls = block.iter().peekable();
        let mut ran = 0;
        while let Some(line) = calls.next() {
            let call = line.strip_prefix("$ ");
            let call = call.unwrap_or_else(|| panic!("`{line}` is shown, but nothing was run"));
            let mut shown = vec![];
            while let Some(line) = calls.next_if(|line| !line.starts_with("$ ")) {
                shown.push(*line);
            }
            self.run(call, &shown);
            ran += 1;
        }
        ran
    }

    /// Runs a call until it prints what is shown: what it looks at is under way.
    fn run(&mut self, call: &str, shown: &[&str]) {
        let begun = Instant::now();
        loop {
            let said = match call {
                "cargo run -p tickets" => self.tickets.up(),
                "cargo run -p sponsorship" => self.sponsorship.up(),
                _ => self.fait(call),
            };
            let said = said
                .replace(&self.tickets.port.to_string(), "7080")
                .replace(&self.sponsorship.port.to_string(), "7081");
            if fits(&said.lines().collect::<Vec<_>>(), shown) {
                return;
            }
            // Not a bound on speed: without an end the test would hang for ever.
            let hangs = begun.elapsed() > Duration::from_secs(60) || call.starts_with("cargo");
            assert!(!hangs, "`{call}` prints\n{said}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn fait(&self, call: &str) -> String {
        let words = call.strip_prefix("fait ");
        let words = words.unwrap_or_else(|| panic!("`{call}` cannot be run"));
        let words = words
            .replace("http://127.0.0.1:7080", &self.tickets.address())
            .replace("http://127.0.0.1:7081", &self.sponsorship.address());
        let ran = Command::new(beside("fait", "fait-cli"))
            .args(words.split_whitespace())
            .output()
            .unwrap();
        String::from_utf8(ran.stdout).unwrap()
    }
}

/// Whether lines are as they are shown.
fn fits(said: &[&str], shown: &[&str]) -> bool {
    match (shown, said) {
        ([], _) => said.is_empty(),
        (["…", rest @ ..], _) => (0..=said.len()).any(|n| fits(&said[n..], rest)),
        ([line, rest @ ..], [one, more @ ..]) => like(one, line) && fits(more, rest),
        (_, []) => false,
    }
}

/// Whether a line is as it is shown.
fn like(said: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        None => said == shown,
        Some((begin, rest)) => said.strip_prefix(begin).is_some_and(|said| {
            let ends = said.char_indices().map(|(n, _)| n).chain([said.len()]);
            ends.into_iter().any(|n| like(&said[n..], rest))
        }),
    }
}
