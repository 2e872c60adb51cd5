//! A disk in memory that fails, forgets, lies and waits when it is told to, or by chance.

mod files;
#[cfg(test)]
mod tests;

use super::contents::Contents;
use super::rng::Rng;
use crate::file::LogFile;
use crate::flaw::{Flaw, flaw};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What a disk can do wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// A sync fails, and lies afterwards: what it should have written counts as clean.
    Sync,
    /// Nothing of a write arrives.
    Write,
    /// Only so many bytes of a write arrive.
    Short(usize),
    /// A read fails.
    Read,
    /// One sector of a sync never arrives, and nobody is told.
    Lost,
    /// One sector of a sync arrives elsewhere, and nobody is told.
    Astray,
}

/// A fault that is to come.
#[derive(Clone, Copy, Debug)]
struct Planned {
    fault: Fault,
    /// So many operations that it could hit go well first.
    after: usize,
    /// Then it hits so many.
    times: usize,
}

/// A change of the names in the folder that is not durable yet.
#[derive(Clone, Debug)]
enum Move {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Power {
    #[default]
    On,
    /// It fails in the operation after so many.
    Failing(usize),
    Off,
}

/// What has happened to a disk.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// File syncs that have begun.
    pub(crate) syncs: usize,
    /// Operations that gave an error, whatever it was.
    pub(crate) errors: usize,
    pub(crate) failed_syncs: usize,
    pub(crate) failed_writes: usize,
    pub(crate) short_writes: usize,
    pub(crate) failed_reads: usize,
    pub(crate) full: usize,
    /// Sectors that a sync lost or led astray.
    pub(crate) lies: usize,
}

#[derive(Debug, Default)]
pub(super) struct Machine {
    files: Vec<Contents>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    moves: Vec<Move>,
    planned: Vec<Planned>,
    capacity: Option<usize>,
    read_only: bool,
    power: Power,
    /// Counts the losses of power: what was open before is closed.
    epoch: usize,
    /// Syncs wait while this is set.
    held: bool,
    pub(super) seen: Seen,
    rng: Rng,
}

/// A disk in memory. A clone is the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimDisk(Arc<(Mutex<Machine>, Condvar)>);

/// A file of it, open.
struct SimFile {
    disk: SimDisk,
    file: usize,
    epoch: usize,
}

impl SimDisk {
    /// A disk whose chances follow from a seed.
    pub(crate) fn new(seed: u64) -> SimDisk {
        let disk = SimDisk::default();
        disk.lock().rng = Rng::new(seed);
        disk
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Machine) -> T) -> T {
        let done = act(&mut self.lock());
        self.0.1.notify_all();
        done
    }

    /// What has happened so far.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().seen
    }

    /// A fault hits, once, after so many operations that it could hit.
    pub(crate) fn fail_after(&self, after: usize, fault: Fault) {
        self.plan(fault, after, 1);
    }

    /// A fault hits whatever it can until the disk is mended.
    #[cfg(test)]
    pub(crate) fn fail_always(&self, fault: Fault) {
        self.plan(fault, 0, usize::MAX);
    }

    fn plan(&self, fault: Fault, after: usize, times: usize) {
        let planned = Planned {
            fault,
            after,
            times,
        };
        self.with(|m| m.planned.push(planned));
    }

    /// No fault hits any more, there is room again, and power stays.
    pub(crate) fn mend(&self) {
        self.with(|m| {
            m.planned.clear();
            (m.capacity, m.read_only) = (None, false);
            if m.power != Power::Off {
                m.power = Power::On;
            }
        });
    }

    /// Only so many bytes more find room.
    pub(crate) fn limit(&self, more: usize) {
        self.with(|m| m.capacity = Some(m.used() + more));
    }

    /// Whether there is a limit.
    pub(crate) fn is_limited(&self) -> bool {
        self.lock().capacity.is_some()
    }

    /// Nothing can be changed any more.
    #[cfg(test)]
    pub(crate) fn read_only(&self) {
        self.with(|m| m.read_only = true);
    }

    /// The power fails in the operation after so many.
    pub(crate) fn power_off_after(&self, operations: usize) {
        self.with(|m| m.power = Power::Failing(operations));
    }

    /// Whether the power has failed.
    pub(crate) fn is_off(&self) -> bool {
        self.lock().power == Power::Off
    }

    /// The power fails now, if it has not yet, and comes back: chance decides what is left of what
    /// was not durable.
    pub(crate) fn crash(&self) {
        self.with(Machine::crash);
    }

    /// Lets syncs wait, or go on.
    #[cfg(test)]
    pub(crate) fn hold(&self, held: bool) {
        self.with(|m| m.held = held);
    }

    /// Waits until something is so.
    #[cfg(test)]
    pub(crate) fn until(&self, so: impl Fn(&Seen) -> bool) {
        let wait = self.0.1.wait_while(self.lock(), |m| !so(&m.seen));
        drop(wait.unwrap_or_else(PoisonError::into_inner));
    }

    /// One bit changes on the disk. Gives the file's name and the byte.
    pub(crate) fn flip(&self) -> Option<(String, usize)> {
        self.with(|m| {
            let names: Vec<_> = m.names.iter().collect();
            let (name, file) = names.get(m.rng.below(names.len()))?;
            let (name, file) = (String::clone(name), **file);
            let bit = m.rng.below(m.files[file].live.len() * 8);
            m.files[file].flip(bit);
            Some((name, bit / 8))
        })
    }

    /// The power fails, and nothing is left but what is durable.
    #[cfg(test)]
    pub(crate) fn lose_power(&self) {
        self.with(|m| {
            m.moves.clear();
            m.files.iter_mut().for_each(Contents::forget);
            m.crash();
        });
    }

    /// Puts files on the disk, durably.
    pub(crate) fn put(&self, files: &BTreeMap<String, Vec<u8>>) {
        self.with(|m| {
            for (name, bytes) in files {
                m.names.insert(name.clone(), m.files.len());
                m.files.push(Contents::of(bytes));
            }
            m.durable_names.clone_from(&m.names);
        });
    }

    /// The files as they are read now.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let m = self.lock();
        let files = m.names.iter();
        let bytes = |file: &usize| m.files[*file].live.clone();
        files
            .map(|(name, file)| (name.clone(), bytes(file)))
            .collect()
    }

    /// What the disk has of a file.
    #[cfg(test)]
    pub(crate) fn durable(&self, name: &str) -> Option<Vec<u8>> {
        let m = self.lock();
        Some(m.files[*m.durable_names.get(name)?].durable.clone())
    }

    /// Does one operation: it may be the one in which the power fails, before it or after it.
    fn operate<T>(
        &self,
        epoch: Option<usize>,
        act: impl FnOnce(&mut Machine) -> io::Result<T>,
    ) -> io::Result<T> {
        self.with(|m| {
            let done = m.powered(epoch).and_then(|fails| {
                if fails && m.rng.one_in(2) {
                    return Err(off());
                }
                let done = act(m);
                if fails { Err(off()) } else { done }
            });
            m.seen.errors += usize::from(done.is_err());
            done
        })
    }

    fn file(&self, file: usize, epoch: usize) -> Arc<dyn LogFile> {
        Arc::new(SimFile {
            disk: self.clone(),
            file,
            epoch,
        })
    }
}

fn off() -> io::Error {
    io::Error::other("the power is off")
}

fn broken() -> io::Error {
    io::Error::other("the disk has failed")
}

impl Machine {
    /// Counts an operation; says whether the power fails in it.
    fn powered(&mut self, epoch: Option<usize>) -> io::Result<bool> {
        if epoch.is_some_and(|epoch| epoch != self.epoch) {
            return Err(off());
        }
        match self.power {
            Power::On => Ok(false),
            Power::Off => Err(off()),
            Power::Failing(0) => {
                self.power = Power::Off;
                Ok(true)
            }
            Power::Failing(n) => {
                self.power = Power::Failing(n - 1);
                Ok(false)
            }
        }
    }

    /// Whether one of some faults hits now.
    fn hit(&mut self, could: impl Fn(Fault) -> bool) -> Option<Fault> {
        for n in 0..self.planned.len() {
            let planned = &mut self.planned[n];
            if !could(planned.fault) {
                continue;
            }
            if planned.after > 0 {
                planned.after -= 1;
                continue;
            }
            let fault = planned.fault;
            planned.times -= 1;
            if planned.times == 0 {
                self.planned.remove(n);
            }
            return Some(fault);
        }
        None
    }

    fn used(&self) -> usize {
        let files = self.names.values().map(|file| self.files[*file].live.len());
        files.sum()
    }

    fn writable(&self) -> io::Result<()> {
        match self.read_only {
            true => Err(io::ErrorKind::ReadOnlyFilesystem.into()),
            false => Ok(()),
        }
    }

    fn write(&mut self, file: usize, bytes: &[u8], offset: usize) -> io::Result<()> {
        self.writable()?;
        let hit = self.hit(|fault| matches!(fault, Fault::Write | Fault::Short(_)));
        if let Some(Fault::Short(arrives)) = hit {
            self.seen.short_writes += 1;
            self.files[file].write(&bytes[..arrives.min(bytes.len())], offset);
            return Err(io::ErrorKind::StorageFull.into());
        }
        if hit.is_some() {
            self.seen.failed_writes += 1;
            return Err(broken());
        }
        let length = self.files[file].live.len();
        let more = (offset + bytes.len()).saturating_sub(length);
        let room = self
            .capacity
            .map_or(more, |most| most.saturating_sub(self.used()));
        if more > room {
            self.seen.full += 1;
            let fits = (length + room).saturating_sub(offset).min(bytes.len());
            self.files[file].write(&bytes[..fits], offset);
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.files[file].write(bytes, offset);
        Ok(())
    }

    fn sync(&mut self, file: usize) -> io::Result<()> {
        if flaw(Flaw::Sync) {
            return Ok(());
        }
        let hit = self.hit(|fault| matches!(fault, Fault::Sync | Fault::Lost | Fault::Astray));
        let contents = &mut self.files[file];
        let lied = match hit {
            Some(Fault::Sync) => {
                self.seen.failed_syncs += 1;
                contents.forget();
                return Err(broken());
            }
            Some(Fault::Lost) => contents.sync_losing(&mut self.rng),
            Some(_) => contents.sync_astray(&mut self.rng),
            None => {
                contents.sync();
                false
            }
        };
        self.seen.lies += usize::from(lied);
        Ok(())
    }

    fn sync_names(&mut self) -> io::Result<()> {
        if flaw(Flaw::FolderSync) {
            return Ok(());
        }
        if self.hit(|fault| fault == Fault::Sync).is_some() {
            self.seen.failed_syncs += 1;
            return Err(broken());
        }
        self.moves.clear();
        self.durable_names.clone_from(&self.names);
        Ok(())
    }

    fn crash(&mut self) {
        let any = self.rng.one_in(2);
        // A journal keeps the order of what happens to one name.
        let mut lost: BTreeSet<String> = BTreeSet::new();
        let mut first = self.rng.below(self.moves.len() + 1);
        for change in std::mem::take(&mut self.moves) {
            let names = match &change {
                Move::Create(name, _) | Move::Remove(name) => vec![name.clone()],
                Move::Rename(from, to) => vec![from.clone(), to.clone()],
            };
            let kept = if any { self.rng.one_in(2) } else { first > 0 };
            first = first.saturating_sub(1);
            if !kept || names.iter().any(|name| lost.contains(name)) {
                lost.extend(names);
            } else {
                change.apply(&mut self.durable_names);
            }
        }
        self.names.clone_from(&self.durable_names);
        for file in &mut self.files {
            file.crash(&mut self.rng);
        }
        self.power = Power::On;
        self.epoch += 1;
    }
}

impl Move {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            Move::Create(name, file) => drop(names.insert(name, file)),
            Move::Remove(name) => drop(names.remove(&name)),
            Move::Rename(from, to) => {
                if let Some(file) = names.remove(&from) {
                    names.insert(to, file);
                }
            }
        }
    }
}
