//! Tests with a disk under the store that fails, forgets and waits when it is told to.

use crate::disk::Disk;
use crate::file::{Folder, LogFile};
use crate::options::{MIN_SEGMENT_BYTES, Options};
use crate::writer::{Answer, MAX_WAITING};
use fait_core::event::{NewEvent, Origin, StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{
    Append, AppendCondition, AppendError, BoxFuture, CommandKey, Range, Store, StoreError,
};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Waker};
use std::time::Duration;
use uuid::Uuid;

/// What the disk does with the next write or sync.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Fault {
    #[default]
    None,
    /// Syncs fail once and lie afterwards: what they should have written counts as clean.
    Sync,
    /// The same, and after the first all is well again.
    SyncOnce,
    /// Only so many bytes of a write arrive.
    Short(usize),
}

#[derive(Debug, Default)]
struct Contents {
    live: Vec<u8>,
    durable: Vec<u8>,
    dirty: Vec<(usize, usize)>,
}

#[derive(Debug, Default)]
struct Machine {
    files: BTreeMap<String, Contents>,
    fault: Fault,
    /// Syncs wait while this is set.
    held: bool,
    /// Syncs that have begun.
    syncs: usize,
}

/// A disk in memory.
#[derive(Clone, Debug, Default)]
struct Sim(Arc<(Mutex<Machine>, Condvar)>);

struct SimFile {
    sim: Sim,
    name: String,
}

impl Sim {
    fn with<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        let done = act(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
        done
    }

    fn fault(&self, fault: Fault) {
        self.with(|m| m.fault = fault);
    }

    fn hold(&self, held: bool) {
        self.with(|m| m.held = held);
    }

    /// Waits until so many syncs have begun since the disk was made.
    fn until_syncs(&self, n: usize) {
        let machine = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(machine, |m| m.syncs < n).unwrap());
    }

    /// The power fails: only what is durable is left.
    fn crash(&self) {
        self.with(|m| {
            for file in m.files.values_mut() {
                file.live.clone_from(&file.durable);
                file.dirty.clear();
            }
        });
    }

    fn open(&self) -> Disk {
        self.open_with(Duration::MAX)
    }

    fn open_with(&self, idle: Duration) -> Disk {
        let options = Options {
            segment_bytes: MIN_SEGMENT_BYTES,
            idle,
            on_caller: false,
            ..Options::default()
        };
        Disk::start(Arc::new(self.clone()), options, None).unwrap()
    }

    fn file(&self, name: &str) -> Arc<dyn LogFile> {
        Arc::new(SimFile {
            sim: self.clone(),
            name: name.into(),
        })
    }
}

impl Folder for Sim {
    fn path(&self) -> &Path {
        Path::new("sim")
    }
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.with(|m| m.files.keys().cloned().collect()))
    }
    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let there = self.with(|m| m.files.contains_key(name));
        there
            .then(|| self.file(name))
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        self.with(|m| m.files.insert(name.into(), Contents::default()));
        Ok(self.file(name))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.with(|m| {
            let file = m.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            m.files.insert(to.into(), file);
            Ok(())
        })
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.with(|m| m.files.remove(name));
        Ok(())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Contents, Fault) -> io::Result<T>) -> io::Result<T> {
        self.sim.with(|m| {
            let fault = m.fault;
            act(
                m.files.get_mut(&self.name).ok_or(io::ErrorKind::NotFound)?,
                fault,
            )
        })
    }
}

impl LogFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        self.with(|file, _| Ok(file.live.len() as u64))
    }
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.with(|file, _| {
            let from = offset as usize;
            let bytes = file.live.get(from..from + buffer.len());
            buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.with(|file, fault| {
            let arrives = match fault {
                Fault::Short(n) => n.min(bytes.len()),
                _ => bytes.len(),
            };
            let (from, to) = (offset as usize, offset as usize + arrives);
            file.live.resize(file.live.len().max(to), 0);
            file.live[from..to].copy_from_slice(&bytes[..arrives]);
            file.dirty.push((from, to));
            match fault {
                Fault::Short(_) => Err(io::ErrorKind::StorageFull.into()),
                _ => Ok(()),
            }
        })
    }
    fn cut(&self, length: u64) -> io::Result<()> {
        self.with(|file, _| {
            file.live.truncate(length as usize);
            file.durable.truncate(length as usize);
            Ok(())
        })
    }
    fn sync(&self) -> io::Result<()> {
        self.sim.with(|m| m.syncs += 1);
        let machine = self.sim.0.0.lock().unwrap();
        drop(self.sim.0.1.wait_while(machine, |m| m.held).unwrap());
        let failed = self.with(|file, fault| {
            let failed = matches!(fault, Fault::Sync | Fault::SyncOnce);
            for (from, to) in std::mem::take(&mut file.dirty) {
                if !failed && to <= file.live.len() {
                    file.durable.resize(file.durable.len().max(to), 0);
                    file.durable[from..to].copy_from_slice(&file.live[from..to]);
                }
            }
            Ok(failed)
        })?;
        self.sim.with(|m| {
            if m.fault == Fault::SyncOnce {
                m.fault = Fault::None;
            }
        });
        if failed {
            return Err(io::Error::other("the disk has failed"));
        }
        Ok(())
    }
}

fn one(number: u128) -> Append {
    let event = NewEvent {
        id: Uuid::from_u128(number),
        ty: "Counted".into(),
        version: 1,
        tags: vec![Tag::new("n", number)],
        data: vec![b'x'; 100].into(),
        origin: Origin::default(),
    };
    let id = Uuid::from_u128(1_000 + number);
    let command = Some(CommandKey {
        id,
        fingerprint: Uuid::nil(),
    });
    Append {
        events: vec![event],
        conditions: vec![],
        command,
        recorded_at: Time(1),
    }
}

fn unless(number: u128, other: u128) -> Append {
    let fail_if_events_match = Query::tags(vec![Tag::new("n", other)]);
    let conditions = vec![AppendCondition {
        fail_if_events_match,
        after: 0,
    }];
    Append {
        conditions,
        ..one(number)
    }
}

fn all(disk: &Disk) -> Vec<StoredEvent> {
    block_on(disk.read(&Query::all(), Range::after(0, usize::MAX)))
        .unwrap()
        .events
}

fn started<'a>(disk: &'a Disk, append: Append) -> BoxFuture<'a, Answer> {
    let mut future = disk.append(append);
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
    future
}

#[test]
fn a_failed_sync_refuses_appends_and_reads_go_on() {
    let sim = Sim::default();
    let disk = sim.open();
    block_on(disk.append(one(1))).unwrap();
    let before = all(&disk);
    sim.fault(Fault::Sync);
    let Err(AppendError::Store(error)) = block_on(disk.append(one(2))) else {
        panic!()
    };
    assert!(error.message.contains("00000001.log"), "{error}");
    assert!(error.message.contains("then restart"), "{error}");
    sim.fault(Fault::None);
    let refused = block_on(disk.append(one(3)));
    assert_eq!(
        refused,
        Err(AppendError::Store(error.clone())),
        "no second try"
    );
    assert_eq!(disk.trouble(), Some(error));
    assert_eq!(all(&disk), before, "what is not durable is not visible");
    assert_eq!(block_on(disk.command(Uuid::from_u128(1_002))), Ok(None));
    drop(disk);
    let disk = sim.open();
    assert_eq!(all(&disk)[..1], before);
    let receipt = block_on(disk.append(one(2))).unwrap();
    assert_eq!(
        receipt.first, 2,
        "sent again, the command has its effect once"
    );
    assert_eq!(all(&disk).len(), 2);
}

/// Syncing the file again would prove nothing: the last frame must be written again.
#[test]
fn what_was_seen_after_a_failed_sync_stays() {
    let sim = Sim::default();
    let disk = sim.open();
    block_on(disk.append(one(1))).unwrap();
    sim.fault(Fault::Sync);
    block_on(disk.append(one(2))).unwrap_err();
    sim.fault(Fault::None);
    drop(disk);
    let disk = sim.open();
    let seen = all(&disk);
    assert_eq!(seen.len(), 2, "the frame is readable, so it is taken in");
    block_on(disk.append(one(3))).unwrap();
    drop(disk);
    sim.crash();
    let disk = sim.open();
    assert_eq!(all(&disk)[..2], seen);
    assert_eq!(all(&disk).len(), 3);
}

#[test]
fn a_short_write_is_cut_when_the_store_is_opened_again() {
    for arrives in (0..240).step_by(7) {
        let sim = Sim::default();
        let disk = sim.open();
        block_on(disk.append(one(1))).unwrap();
        sim.fault(Fault::Short(arrives));
        let error = block_on(disk.append(one(2))).unwrap_err();
        assert!(matches!(error, AppendError::Store(_)));
        sim.fault(Fault::None);
        let before = all(&disk);
        drop(disk);
        let disk = sim.open();
        assert_eq!(disk.recovery().cut_bytes, arrives as u64);
        assert_eq!(all(&disk), before);
        assert_eq!(block_on(disk.append(one(2))).unwrap().first, 2);
        drop(disk);
        sim.crash();
        let disk = sim.open();
        assert_eq!(disk.recovery().cut_bytes, 0);
        assert_eq!(all(&disk).len(), 2);
    }
}

/// Every event is appended on a disk that loses power after it; small segments roll on the way.
#[test]
fn what_was_acknowledged_survives_every_loss_of_power() {
    let sim = Sim::default();
    for n in 1..=60 {
        let disk = sim.open();
        assert_eq!(all(&disk).len() as u128, n - 1);
        block_on(disk.append(one(n))).unwrap();
        sim.crash();
        drop(disk);
        sim.crash();
    }
    assert!(sim.with(|m| m.files.len()) > 3);
}

#[test]
fn a_fault_while_a_segment_begins_is_survived() {
    for fault in [
        Fault::Sync,
        Fault::Short(0),
        Fault::Short(5),
        Fault::Short(63),
    ] {
        let sim = Sim::default();
        let mut disk = sim.open();
        let mut acknowledged = 0;
        for n in 1..200 {
            let files = sim.with(|m| m.files.len());
            sim.fault(fault);
            let failed = block_on(disk.append(one(n)));
            sim.fault(Fault::None);
            drop(disk);
            disk = sim.open();
            let there = all(&disk).len();
            assert!(failed.is_err() && there >= acknowledged);
            let begun = sim.with(|m| m.files.len()) > files;
            acknowledged = block_on(disk.append(one(n))).unwrap().last as usize;
            if begun {
                break;
            }
        }
        sim.crash();
        drop(disk);
        assert_eq!(all(&sim.open()).len(), acknowledged);
        assert!(
            sim.with(|m| m.files.len()) >= 3,
            "a second segment was begun"
        );
    }
}

#[test]
fn nobody_learns_of_an_event_before_it_is_durable() {
    let sim = Sim::default();
    let disk = sim.open();
    let syncs = sim.with(|m| m.syncs);
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until_syncs(syncs + 1);
    assert_eq!(block_on(disk.head()), Ok(0));
    assert_eq!(all(&disk), vec![]);
    assert_eq!(block_on(disk.event(Uuid::from_u128(1))), Ok(None));
    assert_eq!(block_on(disk.command(Uuid::from_u128(1_001))), Ok(None));
    let second = started(&disk, one(2));
    let mut conflict = started(&disk, unless(3, 2));
    let mut repeated = started(&disk, one(2));
    sim.hold(false);
    assert_eq!(block_on(first).unwrap().last, 1);
    assert_eq!(
        block_on(&mut conflict),
        Err(AppendError::Conflict {
            condition: 0,
            position: 2
        })
    );
    assert_eq!(
        block_on(disk.head()),
        Ok(2),
        "a conflict is with what can be read"
    );
    assert!(block_on(&mut repeated).unwrap().repeated);
    assert!(!block_on(second).unwrap().repeated);
}

#[test]
fn a_conflict_with_an_event_that_was_lost_is_not_reported() {
    let sim = Sim::default();
    let disk = sim.open();
    let syncs = sim.with(|m| m.syncs);
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until_syncs(syncs + 1);
    let second = started(&disk, one(2));
    let conflict = started(&disk, unless(3, 2));
    let invalid = started(
        &disk,
        Append {
            events: vec![],
            ..one(4)
        },
    );
    sim.with(|m| (m.held, m.fault) = (false, Fault::Sync));
    for lost in [first, second, conflict] {
        assert!(matches!(block_on(lost), Err(AppendError::Store(_))));
    }
    assert!(matches!(
        block_on(invalid),
        Err(AppendError::Store(_) | AppendError::Invalid(_))
    ));
}

#[test]
fn more_appends_than_may_wait_are_all_answered() {
    let sim = Sim::default();
    let disk = sim.open();
    sim.hold(true);
    let total = MAX_WAITING as u128 * 2;
    let waiting: Vec<_> = (1..=total).map(|n| started(&disk, one(n))).collect();
    sim.hold(false);
    for future in waiting {
        block_on(future).unwrap();
    }
    assert_eq!(block_on(disk.head()), Ok(total as u64));
}

#[test]
fn appends_that_wait_for_room_are_refused_when_the_store_stops() {
    let sim = Sim::default();
    let disk = sim.open();
    sim.hold(true);
    let total = MAX_WAITING as u128 + 500;
    let waiting: Vec<_> = (1..=total).map(|n| started(&disk, one(n))).collect();
    sim.with(|m| (m.held, m.fault) = (false, Fault::Sync));
    let refused: Vec<StoreError> = waiting
        .into_iter()
        .map(|future| match block_on(future) {
            Err(AppendError::Store(error)) => error,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(refused.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn appends_that_waited_while_the_disk_failed_are_refused() {
    let sim = Sim::default();
    let disk = sim.open();
    let syncs = sim.with(|m| m.syncs);
    sim.hold(true);
    let first = started(&disk, one(1));
    sim.until_syncs(syncs + 1);
    let second = started(&disk, one(2));
    sim.with(|m| (m.held, m.fault) = (false, Fault::SyncOnce));
    let lost = block_on(first).unwrap_err();
    assert_eq!(
        block_on(second),
        Err(lost),
        "nothing is written behind what failed"
    );
    assert_eq!(block_on(disk.head()), Ok(0));
}

#[test]
fn a_store_that_is_idle_seals_its_last_frame() {
    let sim = Sim::default();
    let disk = sim.open_with(Duration::from_millis(1));
    let syncs = sim.with(|m| m.syncs);
    block_on(disk.append(one(1))).unwrap();
    sim.until_syncs(syncs + 2);
    let sealed = disk.append(one(2));
    block_on(sealed).unwrap();
    let bytes = sim.with(|m| m.files["00000001.log"].durable.clone());
    let frames = (64..bytes.len())
        .step_by(8)
        .filter(|at| bytes[*at..].starts_with(b"fram"));
    assert!(
        frames.count() >= 3,
        "two frames with events, and a seal between them"
    );
}
