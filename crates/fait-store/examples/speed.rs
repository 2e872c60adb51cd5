//! A quick look at the store's speed on this disk. Give a folder that does not exist yet:
//! `cargo run --release -p fait-store --example speed -- <folder> [events]`
//!
//! Not a benchmark: one run, no warming up, the disk as it is.

use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendCondition, CommandKey, Range, Store};
use fait_store::{Disk, Durability};
use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn event(number: u64) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(u128::from(number) << 64 | 1),
        ty: ["OrderPlaced", "OrderPaid", "MealServed"][number as usize % 3].into(),
        version: 1,
        tags: vec![
            Tag::new("order", number / 3),
            Tag::new("table", number % 40),
        ],
        data: vec![b'x'; 120].into(),
        origin: Origin {
            actor: Some("waiter:ann".into()),
            ..Origin::default()
        },
    }
}

/// A conditional append with a command key, as a decision makes it.
fn decision(number: u64) -> Append {
    let tags = vec![Tag::new("order", format_args!("own-{number}"))];
    let mut event = event(number);
    event.tags.extend(tags.clone());
    Append {
        events: vec![event],
        conditions: vec![AppendCondition {
            fail_if_events_match: Query::tags(tags),
            after: 0,
        }],
        command: Some(CommandKey {
            id: Uuid::from_u128(number.into()),
            fingerprint: Uuid::nil(),
        }),
        recorded_at: Time(number),
    }
}

fn rate(what: &str, count: u64, took: Duration) {
    let each = took / u32::try_from(count).unwrap_or(u32::MAX).max(1);
    let per_second = count as f64 / took.as_secs_f64();
    println!("{what:<44} {count:>9} in {took:>9.2?}  {per_second:>11.0}/s  {each:.2?} each");
}

fn decide(disk: &Disk, writers: u64, each: u64, from: u64) -> Duration {
    let begun = Instant::now();
    thread::scope(|scope| {
        for writer in 0..writers {
            scope.spawn(move || {
                for n in 0..each {
                    let number = from + writer * each + n;
                    if let Err(e) = block_on(disk.append(decision(number))) {
                        println!("refused: {e}");
                    }
                }
            });
        }
    });
    begun.elapsed()
}

fn load(disk: &Disk, from: u64, events: u64) -> Result<Duration, Box<dyn Error>> {
    let begun = Instant::now();
    for batch in 0..events / 100 {
        let numbers = from + batch * 100..from + batch * 100 + 100;
        let events = numbers.map(event).collect();
        let recorded_at = Time(from + batch);
        block_on(disk.append(Append {
            events,
            conditions: vec![],
            command: None,
            recorded_at,
        }))?;
    }
    Ok(begun.elapsed())
}

fn scan(disk: &Disk, query: &Query) -> Result<(u64, Duration), Box<dyn Error>> {
    let begun = Instant::now();
    let (mut after, mut count) = (0, 0);
    loop {
        let slice = block_on(disk.read(query, Range::after(after, 4096)))?;
        let Some(last) = slice.events.last() else {
            return Ok((count, begun.elapsed()));
        };
        after = last.meta.position;
        count += slice.events.len() as u64;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("give a folder that does not exist yet")?;
    let events: u64 = arguments.next().map_or(Ok(1_000_000), |n| n.parse())?;
    if Path::new(&folder).exists() {
        return Err(format!("{folder} exists; give another folder").into());
    }
    let disk = Disk::open(&folder)?;
    rate(
        "1 writer, conditional, durable",
        2_000,
        decide(&disk, 1, 2_000, 0),
    );
    rate(
        "64 writers, conditional, durable",
        64_000,
        decide(&disk, 64, 1_000, 1 << 20),
    );
    rate(
        "batches of 100, durable, events",
        100_000,
        load(&disk, 1 << 30, 100_000)?,
    );
    drop(disk);
    let disk = Disk::options().durability(Durability::Os).open(&folder)?;
    rate(
        "batches of 100, not synced, events",
        events,
        load(&disk, 1 << 40, events)?,
    );
    let (count, took) = scan(&disk, &Query::all())?;
    rate("scan of everything, events", count, took);
    let (count, took) = scan(&disk, &Query::tags(vec![Tag::new("table", 7)]))?;
    rate("one tag in forty, events", count, took);
    let (count, took) = scan(&disk, &Query::types(&["OrderPaid"]))?;
    rate("one type in three, events", count, took);
    let stats = disk.stats();
    drop(disk);
    let begun = Instant::now();
    let disk = Disk::open(&folder)?;
    rate("opening, events", stats.events, begun.elapsed());
    println!(
        "{} bytes an event, {} segments",
        stats.bytes / stats.events.max(1),
        stats.segments
    );
    drop(disk);
    Ok(())
}
