//! Makes the checksums of a file fit what stands in it, so that a fuzzer gets behind them.

use super::files::Files;
use crate::folder::{index_name, segment_name};
use crate::format::{FRAME_HEADER, FRAME_MAGIC, INDEX_HEADER, PAGE_BYTES, RECORD_HEAD};

/// Of a file header: 60 bytes and their checksum.
pub(super) fn header(bytes: &mut [u8]) {
    if let Some(header) = bytes.first_chunk_mut::<64>() {
        close(header);
    }
}

/// Of a file that ends with its checksum.
pub(super) fn last(bytes: &mut [u8]) {
    close(bytes);
}

/// Of an index: its header and each page.
pub(super) fn index(bytes: &mut [u8]) {
    header(bytes);
    if let Some(pages) = bytes.get_mut(INDEX_HEADER..) {
        pages.chunks_exact_mut(PAGE_BYTES).for_each(close);
    }
}

/// Of the first segment of a store.
pub(super) fn segment(bytes: &mut [u8]) {
    chained(bytes, 0);
}

/// Of all files of a folder, each segment going on from the one before it.
pub(super) fn folder(files: &mut Files) {
    let mut chain = 0;
    for number in 1.. {
        let Some(log) = files.get_mut(&segment_name(number)) else {
            break;
        };
        put(log, 40, chain);
        chain = chained(log, chain);
        let log = log.clone();
        if let Some(bytes) = files.get_mut(&index_name(number)) {
            let at = bytes.get(44..).and_then(|b| b.first_chunk::<4>());
            let at = at.map_or(0, |at| u32::from_le_bytes(*at) as usize);
            if let Some(crc) = log.get(at + 60..).and_then(|b| b.first_chunk::<4>()) {
                put(bytes, 48, u32::from_le_bytes(*crc));
            }
            index(bytes);
        }
    }
    if let Some(bytes) = files.get_mut("meta") {
        header(bytes);
    }
    if let Some(bytes) = files.get_mut("erasing") {
        last(bytes);
    }
}

/// Puts the checksum of what stands before into the last four bytes.
fn close(bytes: &mut [u8]) {
    if let Some((rest, crc)) = bytes.split_last_chunk_mut::<4>() {
        *crc = crc32fast::hash(rest).to_le_bytes();
    }
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&number.to_le_bytes());
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(|b| b.first_chunk::<4>());
    found.map_or(0, |n| u32::from_le_bytes(*n))
}

/// Mends a segment whose first frame goes on from a checksum. Gives what the next goes on from.
fn chained(bytes: &mut [u8], mut chain: u32) -> u32 {
    header(bytes);
    let rewritten = (number(bytes, 44) > 0).then(|| number(bytes, 48));
    let mut at = 64;
    while let Some(frame) = bytes.get_mut(at..).filter(|b| b.starts_with(FRAME_MAGIC)) {
        let length = FRAME_HEADER + number(frame, 4) as usize;
        let Some(frame) = frame.get_mut(..length) else {
            break;
        };
        let (packed, first) = (number(frame, 52) & 1 == 1, number(frame, 8));
        records(&mut frame[FRAME_HEADER..], packed, first);
        let body = crc32fast::hash(&frame[FRAME_HEADER..]);
        put(frame, 48, body);
        put(frame, 28, chain);
        chain = crc32fast::hash(&frame[..60]);
        put(frame, 60, chain);
        at += length;
    }
    rewritten.unwrap_or(chain)
}

/// Mends the records of a frame, whose checksums are made with the low half of their positions.
fn records(body: &mut [u8], packed: bool, mut position: u32) {
    let mut at = 0;
    while at + RECORD_HEAD <= body.len() {
        let end = at + RECORD_HEAD + number(body, at) as usize;
        let Some(payload) = body.get(at + RECORD_HEAD..end) else {
            return;
        };
        let crc = crc32fast::hash(payload);
        let old = payload.first().is_some_and(|kind| *kind <= 2);
        let crc = if old { crc } else { crc ^ position };
        if payload.first() != Some(&2) {
            position = position.wrapping_add(1);
        }
        put(body, at + 4, crc);
        at = if packed { end } else { end.next_multiple_of(8) };
    }
}
