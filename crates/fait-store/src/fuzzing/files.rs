//! A folder's files in one row of bytes: each with the number of its name, its length, its bytes.

use crate::sim::disk::SimDisk;
use std::collections::BTreeMap;

/// The files of a folder.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The names that a file may have.
const NAMES: [&str; 14] = [
    "meta",
    "00000001.log",
    "00000001.idx",
    "00000002.log",
    "00000002.idx",
    "00000003.log",
    "00000003.idx",
    "00000004.log",
    "00000004.idx",
    "erasing",
    "meta.new",
    "spare",
    "begun",
    "00000001.log.new",
];

/// No input has more.
const MOST_BYTES: usize = 1 << 20;

pub(super) fn pack(files: &Files) -> Vec<u8> {
    let mut out = vec![];
    for (n, name) in (0_u8..).zip(NAMES) {
        if let Some(bytes) = files.get(name) {
            out.push(n);
            out.extend((bytes.len() as u32).to_le_bytes());
            out.extend(bytes);
        }
    }
    out
}

/// The files in a row of bytes; what is too short ends it.
pub(super) fn unpack(bytes: &[u8]) -> Files {
    let mut rest = &bytes[..bytes.len().min(MOST_BYTES)];
    let mut files = Files::new();
    while let Some((head, behind)) = rest.split_first_chunk::<5>() {
        let [n, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        let (own, others) = behind.split_at(length.min(behind.len()));
        files.insert(NAMES[usize::from(n) % NAMES.len()].into(), own.to_vec());
        rest = others;
    }
    files
}

/// A disk with these files.
pub(super) fn disk(files: &Files) -> SimDisk {
    let disk = SimDisk::new(1);
    disk.put(files);
    disk
}

/// The files of a disk.
pub(super) fn of(disk: &SimDisk) -> Files {
    disk.files()
}
