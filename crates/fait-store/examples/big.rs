//! The tools of the store on many events, each of them checked against the others. Give a folder
//! that does not exist yet:
//! `cargo run --release -p fait-store --example big -- <folder> [events]`
//!
//! It loads the events (10,000,000 unless said otherwise), verifies them, backs the store up
//! while four threads append, restores that, exports and imports, and compares what comes out.
//! It needs about 1,500 bytes of disk for each event, and leaves nothing.

use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::store::contract::block_on;
use fait_core::store::{Append, CommandKey, Store};
use fait_store::tools::{backup, export, import, info, restore, verify};
use fait_store::{Disk, Durability};
use std::error::Error;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;
use uuid::Uuid;

type Done<T> = Result<T, Box<dyn Error>>;

/// An event as a decision of a restaurant makes it.
fn event(number: u64) -> NewEvent {
    let order = number / 4;
    let data = format!(
        "{{\"order\":{order},\"table\":{},\"dishes\":[\"soup\",\"stew\"],\"note\":\"no {number}\"}}",
        number % 40
    );
    NewEvent {
        id: Uuid::from_u64_pair(number << 16 | 0x7000, 1 << 63 | number),
        ty: ["OrderPlaced", "OrderCooked", "MealServed", "OrderPaid"][number as usize % 4].into(),
        version: 1,
        tags: vec![Tag::new("order", order), Tag::new("table", number % 40)],
        data: data.into(),
        origin: Origin {
            actor: Some("waiter:ann".into()),
            command: Some(Uuid::from_u128(order.into())),
            correlation: Uuid::from_u128(order.into()),
            ..Origin::default()
        },
    }
}

fn batch(first: u64, events: u64) -> Append {
    Append {
        events: (first..first + events).map(event).collect(),
        conditions: vec![],
        command: Some(CommandKey {
            id: Uuid::from_u128(u128::from(first) | 1 << 100),
            fingerprint: Uuid::from_u128(first.into()),
        }),
        recorded_at: Time(1_800_000_000_000 + first),
    }
}

/// Does something, and says how long it took for so many events and bytes.
fn timed<T>(what: &str, act: impl FnOnce() -> Done<(T, u64, u64)>) -> Done<T> {
    let begun = Instant::now();
    let (done, events, bytes) = act()?;
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{what:<36} {events:>10} events in {took:>7.2} s  {:>9.0} events/s  {:>6.0} MiB/s",
        events as f64 / took,
        bytes as f64 / took / f64::from(1 << 20)
    );
    Ok(done)
}

fn main() -> Done<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments
        .next()
        .ok_or("give a folder that does not exist yet")?;
    let events: u64 = arguments.next().map_or(Ok(10_000_000), |n| n.parse())?;
    let folder = Path::new(&folder);
    if folder.exists() {
        return Err(format!("{} exists; give another folder", folder.display()).into());
    }
    fs::create_dir_all(folder)?;
    let done = all(folder, events);
    fs::remove_dir_all(folder)?;
    done
}

fn all(folder: &Path, events: u64) -> Done<()> {
    let at = |name: &str| folder.join(name);
    let store = at("store");
    timed("load", || load(&store, events))?;
    sound(&store, "verify")?;
    let head = timed("backup, 4 threads append", || {
        backed_up(&store, &at("kept"))
    })?;
    timed("backup again", || {
        let done = backup(&store, &at("kept"), &mut |_| {})?;
        Ok(((), done.head, done.copied_bytes))
    })?;
    sound(&at("kept"), "verify the backup")?;
    timed("restore", || {
        let done = restore(&at("kept"), &at("restored"), &mut |_| {})?;
        Ok(((), done.head, done.bytes))
    })?;
    fs::remove_dir_all(at("kept"))?;
    lines(&store, &at("store.jsonl"), "export")?;
    lines(
        &at("restored"),
        &at("restored.jsonl"),
        "export what was restored",
    )?;
    same(&at("store.jsonl"), &at("restored.jsonl"), head)?;
    for name in ["restored", "store"] {
        fs::remove_dir_all(at(name))?;
    }
    fs::remove_file(at("restored.jsonl"))?;
    timed("import", || {
        let mut from = BufReader::with_capacity(1 << 20, File::open(at("store.jsonl"))?);
        let done = import(&mut from, &at("imported"), &mut |_| {})?;
        Ok(((), done.events, done.bytes))
    })?;
    sound(&at("imported"), "verify what was imported")?;
    lines(
        &at("imported"),
        &at("imported.jsonl"),
        "export what was imported",
    )?;
    same(&at("store.jsonl"), &at("imported.jsonl"), head)
}

fn load(store: &Path, events: u64) -> Done<((), u64, u64)> {
    let disk = Disk::options().durability(Durability::Os).open(store)?;
    for first in (0..events).step_by(100) {
        block_on(disk.append(batch(first, 100.min(events - first))))?;
    }
    let stats = disk.stats();
    drop(disk);
    println!("{} bytes an event", stats.bytes / stats.events.max(1));
    Ok(((), events, stats.bytes))
}

fn sound(folder: &Path, what: &str) -> Done<()> {
    let verified = timed(what, || {
        let verified = verify(folder, &mut |_| {})?;
        let (events, bytes) = (verified.events, verified.bytes + verified.index_bytes);
        Ok((verified, events, bytes))
    })?;
    match verified.problems.first() {
        None => Ok(()),
        Some(problem) => Err(format!("{}: {problem:?}", folder.display()).into()),
    }
}

/// Backs up while threads append, and checks that appends are in it as a whole, and all that was
/// acknowledged before.
fn backed_up(store: &Path, to: &Path) -> Done<(u64, u64, u64)> {
    let disk = Disk::open(store)?;
    let known = block_on(disk.head())?;
    let stop = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        for writer in 1..5_u64 {
            let (disk, stop) = (&disk, &stop);
            scope.spawn(move || {
                let mut number = writer << 44;
                while !stop.load(Ordering::Relaxed) {
                    if let Err(e) = block_on(disk.append(batch(number, 2))) {
                        println!("refused: {e}");
                        return;
                    }
                    number += 2;
                }
            });
        }
        let done = backup(store, to, &mut |_| {});
        stop.store(true, Ordering::Relaxed);
        done
    })?;
    println!(
        "{} events before the backup, {} in it, {} after it",
        known,
        done.head,
        block_on(disk.head())?
    );
    if done.head < known || !(done.head - known).is_multiple_of(2) {
        return Err("the backup is no prefix of whole appends".into());
    }
    if !info(store)?.in_use {
        return Err("the store says that nobody uses it".into());
    }
    Ok((done.head, done.head, done.bytes))
}

fn lines(folder: &Path, to: &Path, what: &str) -> Done<()> {
    timed(what, || {
        let mut file = BufWriter::new(File::create_new(to)?);
        let done = export(folder, &mut file, &mut |_| {})?;
        file.flush()?;
        Ok(((), done.events, done.bytes))
    })
}

/// Compares the first lines of two exports but for their source. The second may have fewer, and
/// must have so many.
fn same(one: &Path, other: &Path, least: u64) -> Done<()> {
    let open = |path| Ok::<_, io::Error>(BufReader::with_capacity(1 << 20, File::open(path)?));
    let (mut one, mut other) = (open(one)?, open(other)?);
    let (mut a, mut b) = (vec![], vec![]);
    let mut lines = 0;
    loop {
        a.clear();
        b.clear();
        one.read_until(b'\n', &mut a)?;
        if other.read_until(b'\n', &mut b)? == 0 {
            break;
        }
        lines += 1;
        if without_source(&a)? != without_source(&b)? {
            return Err(format!("line {lines} is not the same").into());
        }
    }
    if lines < least {
        return Err(format!("{lines} lines are the same, not {least}").into());
    }
    println!("{lines} lines are the same");
    Ok(())
}

fn without_source(line: &[u8]) -> Done<(Vec<u8>, &[u8])> {
    let mut rest = line;
    let mut front = vec![];
    let from = line.windows(9).position(|bytes| bytes == b"urn:uuid:");
    let from = from.ok_or("a line has no source")? + 9;
    rest.by_ref().take(from as u64).read_to_end(&mut front)?;
    Ok((front, rest.get(36..).ok_or("a line is cut short")?))
}
