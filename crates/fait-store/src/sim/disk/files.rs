//! The folder and the files of a simulated disk, as the store sees them.

use super::{Contents, Fault, Machine, Move, SimDisk, SimFile, broken};
use crate::file::{Folder, LogFile};
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

impl Folder for SimDisk {
    fn path(&self) -> &Path {
        Path::new("sim")
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.operate(None, |m| Ok(m.names.keys().cloned().collect()))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let found = self.operate(None, |m| {
            let file = m.names.get(name).ok_or(io::ErrorKind::NotFound)?;
            Ok((*file, m.epoch))
        });
        found.map(|(file, epoch)| self.file(file, epoch))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn LogFile>> {
        let made = self.operate(None, |m| {
            m.writable()?;
            if let Some(&file) = m.names.get(name) {
                m.files[file].cut(0);
                return Ok((file, m.epoch));
            }
            if m.capacity.is_some_and(|most| m.used() >= most) {
                m.seen.full += 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            let file = m.files.len();
            m.files.push(Contents::default());
            m.moves.push(Move::Create(name.into(), file));
            m.names.insert(name.into(), file);
            Ok((file, m.epoch))
        });
        made.map(|(file, epoch)| self.file(file, epoch))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.operate(None, |m| {
            m.writable()?;
            let file = m.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            m.names.insert(to.into(), file);
            m.moves.push(Move::Rename(from.into(), to.into()));
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(None, |m| {
            m.writable()?;
            m.names.remove(name).ok_or(io::ErrorKind::NotFound)?;
            m.moves.push(Move::Remove(name.into()));
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.operate(None, Machine::sync_names)
    }
}

impl SimFile {
    fn operate<T>(&self, act: impl FnOnce(&mut Machine) -> io::Result<T>) -> io::Result<T> {
        self.disk.operate(Some(self.epoch), act)
    }
}

impl LogFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        self.operate(|m| Ok(m.files[self.file].live.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.operate(|m| {
            if m.hit(|fault| fault == Fault::Read).is_some() {
                m.seen.failed_reads += 1;
                return Err(broken());
            }
            m.files[self.file].read(buffer, offset as usize)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.operate(|m| m.write(self.file, bytes, offset as usize))
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.operate(|m| {
            m.writable()?;
            m.files[self.file].cut(length as usize);
            Ok(())
        })?;
        self.operate(|m| m.sync(self.file))
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.with(|m| m.seen.syncs += 1);
        let waiting = self.disk.0.1.wait_while(self.disk.lock(), |m| m.held);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
        self.operate(|m| m.sync(self.file))
    }
}
