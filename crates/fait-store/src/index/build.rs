//! Makes the image of an index: keys are collected, sorted, and laid out once.

use crate::format::{Directory, IndexHeader, PAGE_DATA};
use crate::key::{self, Key};
use fait_core::event::Time;
use uuid::Uuid;

/// A list longer than this has a table of its blocks, each so long.
pub(crate) const BLOCK: usize = 128;
/// Events whose offsets stand together.
pub(crate) const GROUP: usize = 32;
/// Bytes of such a group: where it begins, and how far each is behind that.
pub(crate) const GROUP_BYTES: usize = 4 + GROUP * 2;
/// Groups that lie in one page.
pub(crate) const GROUPS: usize = PAGE_DATA / GROUP_BYTES;
/// Set in a group whose events lie further apart; the rest is the number of a wide group.
pub(crate) const WIDE: u32 = 1 << 31;
/// Blocks of the filter that lie in one page.
pub(crate) const FILTER_BLOCKS: u32 = (PAGE_DATA / FILTER_BLOCK) as u32;
/// Bytes of a block of the filter: one line of a processor's cache.
pub(crate) const FILTER_BLOCK: usize = 64;
/// Bits that a key sets in its block.
const FILTER_BITS: u32 = 6;
/// Bits of the filter for each key.
const BITS_PER_KEY: usize = 10;
/// Keys in a bucket, about.
const BUCKET_KEYS: usize = 32;

/// Collects what an index holds, in the order of the log.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    offsets: Vec<u32>,
    pairs: Vec<(Key, u32)>,
    directory: Directory,
}

impl Builder {
    /// Adds the next event.
    pub(crate) fn add<'a>(
        &mut self,
        offset: u32,
        id: Uuid,
        ty: &str,
        tags: impl Iterator<Item = &'a str>,
        command: Option<Uuid>,
    ) {
        let ordinal = self.offsets.len() as u32;
        self.offsets.push(offset);
        self.directory.ids.add(id);
        self.pairs.push((key::of_event(id), ordinal));
        if !ty.is_empty() {
            self.pairs.push((key::of_type(ty), ordinal));
        }
        self.pairs
            .extend(tags.map(|tag| (key::of_tag(tag), ordinal)));
        if let Some(id) = command {
            self.directory.commands.add(id);
            self.pairs.push((key::of_command(id), ordinal));
        }
    }

    pub(crate) fn time(&mut self, recorded_at: Time) {
        self.directory.last_time = self.directory.last_time.max(recorded_at);
    }

    /// How many events it has.
    pub(crate) fn events(&self) -> u32 {
        self.offsets.len() as u32
    }

    /// The image of the whole file.
    pub(crate) fn finish(mut self, header: &IndexHeader) -> Vec<u8> {
        let bits = bucket_bits(self.pairs.len());
        for (key, _) in &mut self.pairs {
            *key = place(*key, bits);
        }
        self.pairs.sort_unstable();
        self.pairs.dedup();
        let sorted = Sorted::of(&self.pairs, bits);
        let places = self
            .pairs
            .chunk_by(|a, b| a.0 == b.0)
            .map(|group| group[0].0);
        let keys = places.clone().count();
        let blocks = (keys * BITS_PER_KEY).div_ceil(FILTER_BLOCK * 8).max(1) as u32;
        let (groups, wide) = groups(&self.offsets);
        self.directory = Directory {
            filter_blocks: blocks,
            bucket_bits: bits,
            wide_groups: (wide.len() / (GROUP * 4)) as u32,
            bucket_bytes: sorted.buckets.len() as u32,
            list_bytes: sorted.lists.len() as u32,
            ..self.directory
        };
        let mut out = Image(header.encode());
        out.part(&self.directory.encode());
        out.part(&groups);
        out.part(&wide);
        out.part(&filter(places, blocks));
        out.part(&numbers(&sorted.starts));
        out.part(&sorted.buckets);
        out.part(&sorted.lists);
        out.0
    }
}

/// How many bits of a key name its bucket.
fn bucket_bits(keys: usize) -> u32 {
    (keys / BUCKET_KEYS)
        .max(1)
        .next_power_of_two()
        .trailing_zeros()
        .min(24)
}

/// A key as it is sorted: its bucket, then its lowest 24 bits.
pub(crate) fn place(key: Key, bucket_bits: u32) -> u64 {
    (u64::from(bucket(key, bucket_bits)) << 24) | u64::from(low(key))
}

/// What of a key stands in its bucket.
pub(crate) fn low(key: Key) -> u32 {
    (key & 0xff_ffff) as u32
}

pub(crate) fn bucket(key: Key, bucket_bits: u32) -> u32 {
    match bucket_bits {
        0 => 0,
        bits => (key >> (64 - bits)) as u32,
    }
}

/// Which block of the filter a key belongs to, and which bits of it are set. Only what survives
/// in the sorted place may be used.
pub(crate) fn filter_bits(place: u64, blocks: u32) -> (u32, impl Iterator<Item = usize>) {
    let mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = mixed ^ (mixed >> 32);
    let block = ((mixed & 0xffff_ffff) * u64::from(blocks)) >> 32;
    let mut rest = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93);
    let bits = (0..FILTER_BITS).map(move |_| {
        let bit = (rest >> 55) as usize;
        rest <<= 9;
        bit
    });
    (block as u32, bits)
}

/// The buckets, where each starts, and the long lists.
struct Sorted {
    starts: Vec<u32>,
    buckets: Vec<u8>,
    lists: Vec<u8>,
}

impl Sorted {
    fn of(pairs: &[(u64, u32)], bits: u32) -> Sorted {
        let mut sorted = Sorted {
            starts: Vec::with_capacity((1 << bits) + 1),
            buckets: vec![],
            lists: vec![],
        };
        for group in pairs.chunk_by(|a, b| a.0 == b.0) {
            let bucket = (group[0].0 >> 24) as usize;
            let at = sorted.buckets.len() as u32;
            let starts = sorted.starts.len().max(bucket + 1);
            sorted.starts.resize(starts, at);
            sorted.put(group);
        }
        let end = sorted.buckets.len() as u32;
        sorted.starts.resize((1 << bits) + 1, end);
        sorted
    }

    /// Puts one key: its low bits, then its ordinal, its short list, or the place of a long one.
    fn put(&mut self, group: &[(u64, u32)]) {
        let out = &mut self.buckets;
        out.extend_from_slice(&group[0].0.to_le_bytes()[..3]);
        match group {
            [(_, ordinal)] => put_varint(out, (ordinal << 1) | 1),
            _ if group.len() <= BLOCK => {
                put_varint(out, (group.len() as u32) << 1);
                put_differences(out, group, 0);
            }
            _ => {
                put_varint(out, (group.len() as u32) << 1);
                put_varint(out, self.lists.len() as u32);
                put_list(&mut self.lists, group);
            }
        }
    }
}

/// A long list: first ordinal and place of each block, then the differences in them.
fn put_list(out: &mut Vec<u8>, group: &[(u64, u32)]) {
    let (mut table, mut data) = (vec![], vec![]);
    for block in group.chunks(BLOCK) {
        let first = block[0].1;
        table.extend(first.to_le_bytes());
        table.extend((data.len() as u32).to_le_bytes());
        put_differences(&mut data, &block[1..], first);
    }
    out.extend(table);
    out.extend(data);
}

fn put_differences(out: &mut Vec<u8>, group: &[(u64, u32)], mut last: u32) {
    for (_, ordinal) in group {
        put_varint(out, ordinal - last);
        last = *ordinal;
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn filter(places: impl Iterator<Item = u64>, blocks: u32) -> Vec<u8> {
    let pages = blocks.div_ceil(FILTER_BLOCKS) as usize;
    let mut out = vec![0; pages * PAGE_DATA];
    for place in places {
        let (block, bits) = filter_bits(place, blocks);
        let page = (block / FILTER_BLOCKS) as usize * PAGE_DATA;
        let at = page + (block % FILTER_BLOCKS) as usize * FILTER_BLOCK;
        for bit in bits {
            out[at + bit / 8] |= 1 << (bit % 8);
        }
    }
    out
}

/// The offsets in groups, none of which lies in two pages, and those of groups that are wide.
fn groups(offsets: &[u32]) -> (Vec<u8>, Vec<u8>) {
    let (mut out, mut wide) = (vec![], vec![]);
    for (n, group) in offsets.chunks(GROUP).enumerate() {
        if n % GROUPS == 0 {
            out.resize(n / GROUPS * PAGE_DATA, 0);
        }
        let from = out.len();
        let span = group[group.len() - 1] - group[0];
        if span > u32::from(u16::MAX) {
            out.extend((WIDE | (wide.len() / (GROUP * 4)) as u32).to_le_bytes());
            wide.extend(numbers(group));
            wide.resize(wide.len().next_multiple_of(GROUP * 4), 0);
        } else {
            out.extend(group[0].to_le_bytes());
            let behind = group.iter().map(|offset| (offset - group[0]) as u16);
            out.extend(behind.flat_map(u16::to_le_bytes));
        }
        out.resize(from + GROUP_BYTES, 0);
    }
    (out, wide)
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// The image of a file while it is made.
struct Image(Vec<u8>);

impl Image {
    /// Adds a part: pages with their checksums, the last one filled up with zeros.
    fn part(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(PAGE_DATA) {
            let from = self.0.len();
            self.0.extend_from_slice(chunk);
            self.0.resize(from + PAGE_DATA, 0);
            let crc = crc32fast::hash(&self.0[from..]);
            self.0.extend_from_slice(&crc.to_le_bytes());
        }
    }
}
