//! A process that is killed while it writes: what it had acknowledged is there.

use crate::{all, append, by_command, event};
use fait_core::store::Store;
use fait_core::store::contract::block_on;
use fait_store::{Disk, MIN_SEGMENT_BYTES};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use uuid::Uuid;

const FOLDER: &str = "FAIT_STORE_KILL_FOLDER";
const ROUNDS: usize = 6;
const WRITERS: usize = 16;

/// The child, started by the test below. Does nothing when it is run as an ordinary test.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let disk = Disk::options()
        .segment_bytes(MIN_SEGMENT_BYTES * 16)
        .open(folder)
        .unwrap();
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                loop {
                    let id = Uuid::new_v4().as_u128();
                    let tag = format!("batch:{id}");
                    let batch = (0..3)
                        .map(|n| event(id.wrapping_add(n), "Counted", &[&tag]))
                        .collect();
                    let receipt = block_on(disk.append(by_command(append(batch), id))).unwrap();
                    let line = format!("ack {} {id}\n", receipt.first);
                    if std::io::stdout().lock().write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
}

/// Runs a child until it has acknowledged so many appends, kills it, and gives all that it told.
fn run_and_kill(folder: &Path, enough: usize) -> Vec<(u64, u128)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = vec![];
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((_, told)) = line.split_once("ack ") else {
            continue;
        };
        let Some((first, id)) = told.split_once(' ') else {
            continue;
        };
        acknowledged.push((first.parse().unwrap(), id.parse().unwrap()));
        if acknowledged.len() == enough {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

#[test]
fn acknowledged_events_survive_the_death_of_the_process() {
    let temp = tempfile::tempdir().unwrap();
    let mut acknowledged = vec![];
    for round in 1..=ROUNDS {
        acknowledged.extend(run_and_kill(temp.path(), 97 * round));
        let disk = Disk::open(temp.path()).unwrap();
        for (first, id) in &acknowledged {
            assert_eq!(block_on(disk.event(Uuid::from_u128(*id))), Ok(Some(*first)));
            let known = block_on(disk.command(Uuid::from_u128(*id)))
                .unwrap()
                .unwrap();
            assert_eq!((known.1.first, known.1.last), (*first, first + 2));
        }
        let mut batches: HashMap<String, usize> = HashMap::new();
        for (event, position) in all(&disk).iter().zip(1..) {
            assert_eq!(event.meta.position, position);
            *batches.entry(event.tags[0].to_string()).or_default() += 1;
        }
        assert!(batches.values().all(|n| *n == 3), "half a batch is there");
        assert!(batches.len() >= acknowledged.len());
    }
}
