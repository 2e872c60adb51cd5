//! The restaurant is killed at random moments and loses nothing.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ORDERS: usize = 200;
const KILLS: u32 = 20;

struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(data: &Path) -> Running {
        let mut child = Command::new(env!("CARGO_BIN_EXE_restaurant"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--staff",
                "flaky",
                "--pace",
                "3000",
            ])
            .args(["--orders", &ORDERS.to_string(), "--every", "0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut lines = out.lines().map_while(Result::ok);
        let address = lines
            .find_map(|line| line.split("open at ").nth(1).map(str::to_string))
            .expect("the restaurant does not open");
        std::thread::spawn(move || lines.for_each(drop));
        Running { child, address }
    }

    fn get(&self, path: &str) -> Option<Value> {
        let url = format!("{}{path}", self.address);
        ureq::get(url).call().ok()?.body_mut().read_json().ok()
    }

    /// All events behind a position, by position.
    fn events(&self, mut after: u64) -> BTreeMap<u64, Value> {
        let mut out = BTreeMap::new();
        while let Some(page) = self.get(&format!("/api/events?after={after}&limit=1000")) {
            let events = page["events"].as_array().unwrap();
            if events.is_empty() {
                break;
            }
            for e in events {
                after = e["position"].as_u64().unwrap();
                out.insert(after, e.clone());
            }
        }
        out
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn killed_twenty_times_it_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let seed = std::env::var("KILL_SEED").ok().and_then(|s| s.parse().ok());
    let mut dice: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()));
    eprintln!("KILL_SEED={dice}");
    let mut seen: BTreeMap<u64, Value> = BTreeMap::new();
    for _ in 0..KILLS {
        let running = Running::start(folder.path());
        dice = dice
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let until = Instant::now() + Duration::from_millis(50 + (dice >> 33) % 700);
        while Instant::now() < until {
            let after = seen.keys().next_back().copied().unwrap_or(0);
            seen.extend(running.events(after));
        }
        drop(running); // SIGKILL
    }
    assert!(!seen.is_empty(), "nothing was seen between the kills");
    let running = Running::start(folder.path());
    let events = wait_for_the_end(&running);
    for (position, event) in &seen {
        assert_eq!(
            events.get(position),
            Some(event),
            "event {position} was lost or changed"
        );
    }
    for (i, position) in events.keys().enumerate() {
        assert_eq!(*position, i as u64 + 1, "a position is missing");
    }
    let mut paid: HashMap<String, u32> = HashMap::new();
    let mut spiked: HashMap<String, u32> = HashMap::new();
    for e in events.values() {
        let order = || e["data"]["order"].as_str().unwrap().to_string();
        match e["type"].as_str().unwrap() {
            "OrderPaid" => *paid.entry(order()).or_default() += 1,
            "OrderSpiked" => *spiked.entry(order()).or_default() += 1,
            _ => {}
        }
    }
    assert_eq!(paid.len(), ORDERS);
    assert!(paid.values().all(|n| *n == 1), "an order was paid twice");
    assert_eq!(spiked.len(), ORDERS);
}

fn wait_for_the_end(running: &Running) -> BTreeMap<u64, Value> {
    let begun = Instant::now();
    loop {
        std::thread::sleep(Duration::from_millis(200));
        let processes = running.get("/api/ops/processes").unwrap();
        let sum = |status: &str| -> u64 {
            let all = processes.as_array().unwrap().iter();
            all.map(|p| p["instances"][status].as_u64().unwrap()).sum()
        };
        assert_eq!(sum("parked"), 0, "{processes}");
        let events = running.events(0);
        let paid = events.values().filter(|e| e["type"] == "OrderPaid").count();
        if sum("running") == 0 && paid >= ORDERS {
            return events;
        }
        // Not a bound on speed: without an end the test would hang for ever.
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "it does not end: {processes}"
        );
    }
}
