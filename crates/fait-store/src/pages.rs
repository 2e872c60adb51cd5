//! Pages of files in memory: bounded, shared by all readers, and never in doubt, because what is
//! read through them never changes.

use crate::file::LogFile;
use crate::format::{INDEX_HEADER, PAGE_BYTES, PAGE_DATA, check_page};
use bytes::{Bytes, BytesMut};
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use std::hash::{BuildHasherDefault, Hasher};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A file, known to the pages by a number of its own. A file that takes another's name is
/// another file.
#[derive(Clone, Debug)]
pub(crate) struct Numbered {
    pub(crate) file: Arc<dyn LogFile>,
    number: u32,
}

/// Mixes the two numbers of a page; nobody chooses them to do harm.
#[derive(Debug, Default)]
pub(crate) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u32(u32::from(*byte)));
    }
    fn write_u32(&mut self, number: u32) {
        let mixed = self.0.rotate_left(32) ^ u64::from(number);
        self.0 = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The pages in memory.
pub(crate) struct Pages {
    cache: Cache<(u32, u32), Bytes, UnitWeighter, BuildHasherDefault<Mixed>>,
    files: AtomicU32,
    /// Pages of the log that were asked for lately, each in a slot by its hash: only what is
    /// asked for again is worth a page.
    touched: Box<[AtomicU64]>,
}

/// Pages that are remembered to have been asked for.
const TOUCHED: usize = 1 << 14;

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("pages", &self.cache.len())
            .finish()
    }
}

impl Pages {
    /// Room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Pages {
        let pages = (bytes / PAGE_BYTES).max(16);
        Pages {
            cache: Cache::with(
                pages,
                pages as u64,
                UnitWeighter,
                BuildHasherDefault::default(),
                DefaultLifecycle::default(),
            ),
            files: AtomicU32::new(0),
            touched: (0..TOUCHED).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    pub(crate) fn number(&self, file: Arc<dyn LogFile>) -> Numbered {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        Numbered { file, number }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.cache.clear();
    }

    /// The bytes of a file from `from` to `to`, all of which are below `end`, where the file
    /// stops changing.
    pub(crate) fn bytes(&self, file: &Numbered, from: u64, to: u64, end: u64) -> io::Result<Bytes> {
        let page = PAGE_BYTES as u64;
        let (first, last) = (from / page, to.max(from + 1).div_ceil(page) - 1);
        if last > first + 1 || (last + 1) * page > end {
            return direct(file, from, to);
        }
        let start = (from % page) as usize;
        let Some(first_page) = self.worth(file, first)? else {
            return direct(file, from, to);
        };
        if first == last {
            return Ok(first_page.slice(start..start + (to - from) as usize));
        }
        let Some(last_page) = self.worth(file, last)? else {
            return direct(file, from, to);
        };
        let mut joined = BytesMut::with_capacity((to - from) as usize);
        joined.extend_from_slice(&first_page[start..]);
        joined.extend_from_slice(&last_page[..(to - last * page) as usize]);
        Ok(joined.freeze())
    }

    /// Remembers a page that was just written and is durable.
    pub(crate) fn keep(&self, file: &Numbered, number: u32, page: Bytes) {
        self.cache.insert((file.number, number), page);
    }

    /// A page that is in memory, or was asked for lately and is now.
    fn worth(&self, file: &Numbered, number: u64) -> io::Result<Option<Bytes>> {
        let key = (file.number, number as u32);
        if let Some(page) = self.cache.get(&key) {
            return Ok(Some(page));
        }
        if self.is_new(file, number) {
            return Ok(None);
        }
        let at = number * PAGE_BYTES as u64;
        let page = direct(file, at, at + PAGE_BYTES as u64)?;
        self.cache.insert(key, page.clone());
        Ok(Some(page))
    }

    /// Whether a page was not asked for lately.
    fn is_new(&self, file: &Numbered, number: u64) -> bool {
        let key = (u64::from(file.number) << 32) | (number + 1);
        let slot = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 50) as usize;
        self.touched[slot].swap(key, Ordering::Relaxed) != key
    }

    /// A page of an index, without its checksum, which was verified.
    fn checked_page(&self, file: &Numbered, number: u32) -> io::Result<Bytes> {
        let key = (file.number, number);
        if let Some(page) = self.cache.get(&key) {
            return Ok(page);
        }
        let at = INDEX_HEADER as u64 + u64::from(number) * PAGE_BYTES as u64;
        let page = direct(file, at, at + PAGE_BYTES as u64)?;
        if check_page(&page).is_none() {
            let why = format!("the checksum of the page at byte {at} does not fit");
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let page = page.slice(..PAGE_DATA);
        self.cache.insert(key, page.clone());
        Ok(page)
    }
}

fn direct(file: &Numbered, from: u64, to: u64) -> io::Result<Bytes> {
    let mut buffer = vec![0; (to - from) as usize];
    file.file.read_at(&mut buffer, from)?;
    Ok(buffer.into())
}

/// The bytes of an index, in a file or in memory.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    File(Arc<Pages>, Numbered),
    /// The whole image, as it would stand in a file.
    Memory(Bytes),
}

impl Source {
    /// A page without its checksum.
    pub(crate) fn page(&self, number: u32) -> io::Result<Bytes> {
        match self {
            Source::File(pages, file) => pages.checked_page(file, number),
            Source::Memory(image) => {
                let at = INDEX_HEADER + number as usize * PAGE_BYTES;
                match image.get(at..at + PAGE_DATA) {
                    Some(_) => Ok(image.slice(at..at + PAGE_DATA)),
                    None => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            }
        }
    }

    /// Some bytes behind the start of a page; they may lie in several.
    pub(crate) fn bytes(&self, page: u32, at: usize, length: usize) -> io::Result<Bytes> {
        let (mut number, mut at) = (page + (at / PAGE_DATA) as u32, at % PAGE_DATA);
        let first = self.page(number)?;
        if at + length <= PAGE_DATA {
            return Ok(first.slice(at..at + length));
        }
        let mut joined = BytesMut::with_capacity(length);
        let mut page = first;
        loop {
            let take = (length - joined.len()).min(PAGE_DATA - at);
            joined.extend_from_slice(&page[at..at + take]);
            if joined.len() == length {
                return Ok(joined.freeze());
            }
            (number, at) = (number + 1, 0);
            page = self.page(number)?;
        }
    }

    /// A 32-bit number behind the start of a page.
    pub(crate) fn u32(&self, page: u32, index: usize) -> io::Result<u32> {
        let at = index * 4;
        let bytes = self.page(page + (at / PAGE_DATA) as u32)?;
        let number = bytes[at % PAGE_DATA..].first_chunk::<4>();
        number
            .map(|n| u32::from_le_bytes(*n))
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
