//! A process that is killed while sixty-four threads write: what it had acknowledged is there.
//!
//! `cargo xtask kill --times 200` kills more often and says what it saw.

use crate::{all, append, by_command};
use bytes::Bytes;
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, Appended, ERASED, Erase, Keep, Store};
use fait_store::{Disk, MIN_SEGMENT_BYTES, Options, SEGMENT_BYTES};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use uuid::Uuid;

const FOLDER: &str = "FAIT_STORE_KILL_FOLDER";
const SMALL: &str = "FAIT_STORE_KILL_SMALL";
/// How often the test kills; it says what it saw when this is set.
const TIMES: &str = "FAIT_STORE_KILLS";
const ORDINARY_TIMES: usize = 10;
const WRITERS: u128 = 64;
/// A store is killed so often, then another one begins.
const LIVES: usize = 5;
/// In so many batches one writer erases an older batch of its own.
const ERASES: u128 = 10;

fn options(small: bool) -> Options {
    let bytes = if small {
        MIN_SEGMENT_BYTES * 16
    } else {
        SEGMENT_BYTES
    };
    Disk::options().segment_bytes(bytes)
}

/// The child, started by the test below. Does nothing when it is run as an ordinary test.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let options = options(std::env::var_os(SMALL).is_some());
    // Closed and opened again between two stretches of writing, until it is killed.
    for stretch in 0..u128::MAX {
        let disk = options.open(&folder).unwrap();
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let disk = &disk;
                scope.spawn(move || write(disk, writer, 60 + stretch * 40));
            }
        });
    }
}

fn write(disk: &Disk, writer: u128, batches: u128) {
    let mut last = None;
    for n in 1..=batches {
        let id = Uuid::new_v4().as_u128();
        let batch = batch(id, 1 + (id % 5) as usize);
        // Every third batch has no command.
        let keyed = !id.is_multiple_of(3);
        let append = if keyed { by_command(batch, id) } else { batch };
        let receipt = block_on(disk.append(append)).unwrap();
        say("ack", id, &receipt, keyed);
        if writer == 0 && n.is_multiple_of(ERASES) {
            let Some((id, receipt)) = last else { continue };
            block_on(disk.erase(erasure(id))).unwrap();
            say("gone", id, &receipt, false);
        }
        last = Some((id, receipt));
    }
}

/// Events that say which of how many they are.
fn batch(id: u128, count: usize) -> Append {
    let event = |n: usize| NewEvent {
        id: Uuid::from_u128(id.wrapping_add(n as u128)),
        ty: "Counted".into(),
        version: 1,
        tags: vec![tag(id)],
        data: Bytes::from(format!("[{n},{count}]")),
        origin: Origin::default(),
    };
    append((0..count).map(event).collect())
}

fn tag(id: u128) -> Tag {
    Tag::new("batch", id)
}

/// The tombstone is a batch of one, with the tag of the batch that goes.
fn erasure(id: u128) -> Erase {
    let mut tombstone = batch(Uuid::new_v4().as_u128(), 1);
    tombstone.events[0].tags = vec![tag(id)];
    Erase {
        tag: tag(id),
        keep: Keep::default(),
        tombstone,
    }
}

fn say(what: &str, id: u128, receipt: &Appended, keyed: bool) {
    let Appended { first, last, .. } = receipt;
    let line = format!("{what} {id} {first} {last} {keyed}\n");
    // Who listened is gone; so are we, soon.
    let _ = std::io::stdout().lock().write_all(line.as_bytes());
}

/// What a child has said.
#[derive(Clone, Copy, Debug)]
struct Told {
    id: u128,
    first: u64,
    last: u64,
    keyed: bool,
    gone: bool,
}

impl Told {
    /// A line that was not said to its end says nothing.
    fn read(line: &str) -> Option<Told> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let from = words.iter().position(|w| *w == "ack" || *w == "gone")?;
        let [what, id, first, last, keyed] = words[from..] else {
            return None;
        };
        Some(Told {
            id: id.parse().ok()?,
            first: first.parse().ok()?,
            last: last.parse().ok()?,
            keyed: keyed.parse().ok()?,
            gone: what == "gone",
        })
    }
}

fn start(folder: &Path, small: bool) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "kill::child", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if small {
        child.env(SMALL, "yes");
    }
    child.spawn().unwrap()
}

/// Runs a child, kills it at a moment that chance chooses, and gives all that it told.
fn run_and_kill(folder: &Path, small: bool) -> Vec<Told> {
    let chance = Uuid::new_v4().as_u128();
    let mut child = start(folder, small);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let told = thread::spawn(move || {
        let whole = lines.map_while(Result::ok);
        whole.filter_map(|line| Told::read(&line)).collect()
    });
    // Some die while they open the store, most while they write.
    let most = if chance.is_multiple_of(8) {
        30_000
    } else {
        400_000
    };
    thread::sleep(Duration::from_micros((chance >> 8) as u64 % most));
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(
        !status.success() && status.code().is_none(),
        "{status}: it died by itself"
    );
    told.join().unwrap()
}

/// What all lives have shown.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    acknowledged: usize,
    erased: usize,
    events: u64,
    torn: usize,
    slowest: Duration,
}

/// Everything that was acknowledged is there, and nothing is there by half.
fn check(disk: &Disk, told: &[Told]) {
    let events = all(disk);
    for (event, position) in events.iter().zip(1..) {
        assert_eq!(event.meta.position, position, "positions have a gap");
    }
    let is = |told: &&Told| told.gone;
    let gone: HashSet<u128> = told.iter().filter(is).map(|t| t.id).collect();
    for told in told.iter().filter(|t| !t.gone) {
        let batch = &events[told.first as usize - 1..told.last as usize];
        let erased = batch.iter().all(|e| e.ty == ERASED);
        // An erasure that was not acknowledged may be done, or not, but not by half.
        assert!(erased || !gone.contains(&told.id), "{told:?} is to be gone");
        for (n, event) in batch.iter().enumerate() {
            let id = Uuid::from_u128(told.id.wrapping_add(n as u128));
            assert_eq!(event.meta.id, id, "{told:?}");
            assert!(erased || event.tags == [tag(told.id)], "{told:?}");
        }
        let (id, first) = (Uuid::from_u128(told.id), told.first);
        assert_eq!(block_on(disk.event(id)), Ok(Some(first)));
        let known = block_on(disk.command(id)).unwrap();
        let receipt = known.map(|(_, receipt)| (receipt.first, receipt.last));
        assert_eq!(receipt, told.keyed.then_some((first, told.last)));
    }
    whole_batches(&events);
}

/// What was not acknowledged is there as a whole, or not at all.
fn whole_batches(events: &[StoredEvent]) {
    let mut rest = events;
    while let Some(first) = rest.first() {
        let count = match first.ty == ERASED {
            true => 1,
            false => numbers(first).1,
        };
        let (batch, others) = rest.split_at(count);
        for (n, event) in batch.iter().enumerate().filter(|_| first.ty != ERASED) {
            assert_eq!(numbers(event), (n, count), "half a batch is there");
            assert_eq!(event.tags, first.tags);
        }
        rest = others;
    }
}

fn numbers(event: &StoredEvent) -> (usize, usize) {
    let text = str::from_utf8(&event.data).unwrap();
    let numbers = text.trim_matches(['[', ']']).split_once(',').unwrap();
    (numbers.0.parse().unwrap(), numbers.1.parse().unwrap())
}

/// One store: its process is killed some times, and after each it is opened and looked at.
fn killed(times: usize, small: bool, figures: &mut Figures) {
    let temp: TempDir = tempfile::tempdir().unwrap();
    let mut told = vec![];
    for life in 0..times {
        told.extend(run_and_kill(temp.path(), small));
        let begun = Instant::now();
        let disk = options(small).open(temp.path()).unwrap();
        figures.slowest = figures.slowest.max(begun.elapsed());
        figures.torn += usize::from(disk.recovery().cut_bytes > 0);
        check(&disk, &told);
        if life % 2 == 1 {
            // Closed and looked at once more, as whoever comes later finds it.
            drop(disk);
            let disk = Disk::open_read_only(temp.path()).unwrap();
            assert_eq!(disk.recovery().cut_bytes, 0);
            check(&disk, &told);
        }
        figures.kills += 1;
    }
    figures.erased += told.iter().filter(|t| t.gone).count();
    figures.acknowledged += told.iter().filter(|t| !t.gone).count();
    figures.events += Disk::open_read_only(temp.path()).unwrap().stats().events;
}

#[test]
fn acknowledged_events_survive_the_death_of_the_process() {
    let wanted = std::env::var(TIMES).ok();
    let times = wanted
        .as_ref()
        .map_or(ORDINARY_TIMES, |n| n.parse().unwrap());
    let mut figures = Figures::default();
    while figures.kills < times {
        let small = (figures.kills / LIVES).is_multiple_of(2);
        let lives = LIVES.min(times - figures.kills);
        killed(lives, small, &mut figures);
    }
    assert!(figures.acknowledged > 0, "{figures:?}");
    if wanted.is_some() {
        println!(
            "{} kills: {} appends and {} erasures had been acknowledged, and were there; {} \
             events; {} torn tails; the slowest opening took {:.1?}",
            figures.kills,
            figures.acknowledged,
            figures.erased,
            figures.events,
            figures.torn,
            figures.slowest
        );
    }
}
