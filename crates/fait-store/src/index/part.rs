//! A finished index: read from its file a page at a time, or from memory.

use super::build::{
    BLOCK, FILTER_BLOCK, FILTER_BLOCKS, GROUP, GROUP_BYTES, GROUPS, WIDE, bucket, filter_bits, low,
    place,
};
use super::list::{List, between};
use crate::format::{Directory, IndexHeader, PAGE_BYTES, PAGE_DATA};
use crate::key::Key;
use crate::pages::Source;
use bytes::Bytes;
use std::io;

/// An index that does not change any more.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    source: Source,
    pub(crate) header: IndexHeader,
    pub(crate) directory: Directory,
    pages: Starts,
}

/// The page with which each part begins.
#[derive(Clone, Copy, Debug)]
struct Starts {
    offsets: u32,
    wide: u32,
    filter: u32,
    starts: u32,
    buckets: u32,
    lists: u32,
    end: u32,
}

impl Starts {
    fn of(header: &IndexHeader, directory: &Directory) -> Starts {
        let pages = |bytes: u64| bytes.div_ceil(PAGE_DATA as u64) as u32;
        let groups = (header.events as usize).div_ceil(GROUP);
        let offsets = 1;
        let wide = offsets + groups.div_ceil(GROUPS) as u32;
        let wide_bytes = u64::from(directory.wide_groups) * GROUP as u64 * 4;
        let filter = wide.saturating_add(pages(wide_bytes));
        let filter_pages = directory.filter_blocks.div_ceil(FILTER_BLOCKS);
        let starts = filter.saturating_add(filter_pages);
        let buckets = starts.saturating_add(pages(((1 << directory.bucket_bits) + 1) * 4));
        let lists = buckets.saturating_add(pages(directory.bucket_bytes.into()));
        let end = lists.saturating_add(pages(directory.list_bytes.into()));
        Starts {
            offsets,
            wide,
            filter,
            starts,
            buckets,
            lists,
            end,
        }
    }
}

/// What a bucket says of a key.
enum Entry {
    One(u32),
    Short(Vec<u32>),
    /// Length, and place of the list.
    Long(u32, u32),
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

impl Part {
    /// Opens an index whose header was read.
    pub(crate) fn open(source: Source, header: IndexHeader) -> io::Result<Part> {
        let directory = Directory::decode(&source.page(0)?);
        let directory = directory.ok_or_else(|| damaged("its directory is damaged"))?;
        let pages = Starts::of(&header, &directory);
        Ok(Part {
            source,
            header,
            directory,
            pages,
        })
    }

    /// Length of its file behind the header.
    pub(crate) fn page_bytes(&self) -> u64 {
        u64::from(self.pages.end) * PAGE_BYTES as u64
    }

    /// How many pages it has.
    pub(crate) fn page_count(&self) -> u32 {
        self.pages.end
    }

    /// One page, verified.
    pub(crate) fn page(&self, number: u32) -> io::Result<Bytes> {
        self.source.page(number)
    }

    /// The offsets of some records that follow one another, from `from` to before `to`. The page
    /// that was looked at last is kept for the next call.
    pub(crate) fn offsets(
        &self,
        from: u32,
        to: u32,
        last: &mut Option<(u32, Bytes)>,
        out: &mut Vec<u32>,
    ) -> io::Result<()> {
        let mut at = from;
        while at < to {
            let group = at as usize / GROUP;
            let end = to.min((group as u32 + 1) * GROUP as u32);
            let number = self.pages.offsets + (group / GROUPS) as u32;
            if last.as_ref().is_none_or(|(n, _)| *n != number) {
                *last = Some((number, self.source.page(number)?));
            }
            let page = last.as_ref().map_or(&[][..], |(_, page)| page);
            let bytes = &page[group % GROUPS * GROUP_BYTES..][..GROUP_BYTES];
            let (base, behind) = bytes.split_at(4);
            let base = base
                .first_chunk::<4>()
                .map_or(0, |b| u32::from_le_bytes(*b));
            if base & WIDE != 0 {
                self.wide((base & !WIDE) as usize, at, end, out)?;
            } else {
                let within = at as usize % GROUP..(end - 1) as usize % GROUP + 1;
                let behind = behind.as_chunks::<2>().0[within].iter();
                out.extend(behind.map(|b| base.wrapping_add(u16::from_le_bytes(*b).into())));
            }
            at = end;
        }
        Ok(())
    }

    /// Offsets of a group whose records lie far apart.
    fn wide(&self, group: usize, from: u32, to: u32, out: &mut Vec<u32>) -> io::Result<()> {
        for ordinal in from..to {
            let index = group * GROUP + ordinal as usize % GROUP;
            out.push(self.source.u32(self.pages.wide, index)?);
        }
        Ok(())
    }

    /// The ordinals of a key from `low` to `high`.
    pub(crate) fn list(&self, key: Key, low: u32, high: u32) -> io::Result<Option<List>> {
        let place = place(key, self.directory.bucket_bits);
        if !self.may_have(place)? {
            return Ok(None);
        }
        let list = match self.find(key)? {
            None => return Ok(None),
            Some(Entry::One(ordinal)) => vec![ordinal],
            Some(Entry::Short(ordinals)) => ordinals,
            Some(Entry::Long(length, table)) => {
                let blocks = Blocks::new(self.clone(), table, length, low, high);
                return Ok(Some(List::Blocks(Box::new(blocks))));
            }
        };
        let list = between(&list, low, high);
        Ok((!list.is_empty()).then(|| List::whole(list.to_vec())))
    }

    fn may_have(&self, place: u64) -> io::Result<bool> {
        let (block, mut bits) = filter_bits(place, self.directory.filter_blocks);
        let page = self
            .source
            .page(self.pages.filter + block / FILTER_BLOCKS)?;
        let at = (block % FILTER_BLOCKS) as usize * FILTER_BLOCK;
        Ok(bits.all(|bit| page[at + bit / 8] & (1 << (bit % 8)) != 0))
    }

    /// What the bucket of a key says of it.
    fn find(&self, key: Key) -> io::Result<Option<Entry>> {
        let bucket = bucket(key, self.directory.bucket_bits) as usize;
        let from = self.source.u32(self.pages.starts, bucket)? as usize;
        let to = self.source.u32(self.pages.starts, bucket + 1)? as usize;
        if to < from || to > self.directory.bucket_bytes as usize {
            return Err(damaged("its buckets are damaged"));
        }
        let bytes = self.source.bytes(self.pages.buckets, from, to - from)?;
        entry(&bytes, low(key)).ok_or_else(|| damaged("a bucket is damaged"))
    }

    /// Some ordinals from their differences.
    fn differences(&self, at: u32, count: usize, mut last: u32) -> io::Result<Vec<u32>> {
        let left = self.directory.list_bytes.saturating_sub(at) as usize;
        let bytes = self
            .source
            .bytes(self.pages.lists, at as usize, left.min(count * 5))?;
        let mut rest = &bytes[..];
        let mut ordinals = Vec::with_capacity(count + 1);
        for _ in 0..count {
            let step = take_varint(&mut rest).ok_or_else(|| damaged("a list is damaged"))?;
            last = last
                .checked_add(step)
                .ok_or_else(|| damaged("a list is damaged"))?;
            ordinals.push(last);
        }
        Ok(ordinals)
    }
}

/// What a bucket says of a key; nothing when it cannot be read.
fn entry(mut rest: &[u8], wanted: u32) -> Option<Option<Entry>> {
    while let Some(([a, b, c], tail)) = rest.split_first_chunk::<3>() {
        rest = tail;
        let found = u32::from_le_bytes([*a, *b, *c, 0]) == wanted;
        let number = take_varint(&mut rest)?;
        let (length, one) = (number >> 1, number & 1 == 1);
        if one {
            if found {
                return Some(Some(Entry::One(length)));
            }
        } else if length as usize > BLOCK {
            let place = take_varint(&mut rest)?;
            if found {
                return Some(Some(Entry::Long(length, place)));
            }
        } else if found {
            let mut last = 0_u32;
            let ordinals = (0..length).map(|_| {
                last = last.checked_add(take_varint(&mut rest)?)?;
                Some(last)
            });
            return ordinals
                .collect::<Option<_>>()
                .map(|o| Some(Entry::Short(o)));
        } else {
            for _ in 0..length {
                take_varint(&mut rest)?;
            }
        }
    }
    Some(None)
}

fn take_varint(rest: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// A long list, of which one block is in memory.
#[derive(Debug)]
pub(crate) struct Blocks {
    part: Part,
    table: u32,
    length: u32,
    low: u32,
    high: u32,
    block: Option<(u32, Vec<u32>)>,
}

impl Blocks {
    fn new(part: Part, table: u32, length: u32, low: u32, high: u32) -> Blocks {
        Blocks {
            part,
            table,
            length,
            low,
            high,
            block: None,
        }
    }

    pub(crate) fn length(&self) -> usize {
        self.length as usize
    }

    fn blocks(&self) -> u32 {
        self.length.div_ceil(BLOCK as u32)
    }

    pub(crate) fn seek(&mut self, at: u32, backwards: bool) -> io::Result<Option<u32>> {
        let found = match backwards {
            true => self.back(at.min(self.high))?,
            false => self.forth(at.max(self.low))?,
        };
        Ok(found.filter(|ordinal| (self.low..=self.high).contains(ordinal)))
    }

    fn forth(&mut self, at: u32) -> io::Result<Option<u32>> {
        let number = self.block_of(at)?;
        let block = self.load(number)?;
        if let Some(found) = block.get(block.partition_point(|o| *o < at)) {
            return Ok(Some(*found));
        }
        if number + 1 < self.blocks() {
            return Ok(self.load(number + 1)?.first().copied());
        }
        Ok(None)
    }

    fn back(&mut self, at: u32) -> io::Result<Option<u32>> {
        let number = self.block_of(at)?;
        let block = self.load(number)?;
        let below = block.partition_point(|o| *o <= at);
        Ok(below.checked_sub(1).map(|last| block[last]))
    }

    /// The last block that starts at or before an ordinal, else the first.
    fn block_of(&self, at: u32) -> io::Result<u32> {
        if let Some((number, block)) = &self.block
            && block.first() <= Some(&at)
            && Some(&at) <= block.last()
        {
            return Ok(*number);
        }
        let (mut low, mut high) = (0, self.blocks());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.entry(middle)?.0 <= at {
                low = middle;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// First ordinal and place of a block.
    fn entry(&self, number: u32) -> io::Result<(u32, u32)> {
        let at = (self.table + number * 8) as usize;
        let bytes = self.part.source.bytes(self.part.pages.lists, at, 8)?;
        let entry = bytes.first_chunk::<8>().map(|e| u64::from_le_bytes(*e));
        let entry = entry.ok_or_else(|| damaged("a list is damaged"))?;
        Ok((entry as u32, (entry >> 32) as u32))
    }

    fn load(&mut self, number: u32) -> io::Result<&[u32]> {
        if self.block.as_ref().is_none_or(|(n, _)| *n != number) {
            let (first, at) = self.entry(number)?;
            let before = number * BLOCK as u32;
            let count = (self.length - before).min(BLOCK as u32) as usize - 1;
            let data = self.table + self.blocks() * 8;
            let mut block = vec![first];
            block.extend(self.part.differences(data + at, count, first)?);
            self.block = Some((number, block));
        }
        Ok(self.block.as_ref().map_or(&[], |(_, block)| block))
    }
}
