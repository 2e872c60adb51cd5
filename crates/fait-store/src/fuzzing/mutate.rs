//! Changes inputs as a bad disk, a bad program or a bad person would; the same seed, the same
//! changes.

use super::files::{pack, unpack};
use crate::sim::rng::Rng;

/// Numbers at which decoders go wrong.
const NUMBERS: [u32; 9] = [
    0,
    1,
    7,
    127,
    4096,
    1 << 16,
    i32::MAX as u32,
    1 << 31,
    u32::MAX,
];

/// Changes a few things.
pub(super) fn mutated(rng: &mut Rng, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=rng.below(3) {
        change(rng, &mut bytes, other);
    }
    bytes
}

/// Changes a file of a folder, or leaves one out.
pub(super) fn mutated_folder(rng: &mut Rng, packed: &[u8], other: &[u8]) -> Vec<u8> {
    let (mut files, others) = (unpack(packed), unpack(other));
    for _ in 0..=rng.below(2) {
        let names: Vec<_> = files.keys().cloned().collect();
        let Some(name) = names.get(rng.below(names.len())) else {
            break;
        };
        let strange = others.values().nth(rng.below(others.len()));
        let strange = strange.cloned().unwrap_or_default();
        if rng.one_in(12) {
            files.remove(name);
        } else if rng.one_in(12) {
            files.insert(name.clone(), strange);
        } else if let Some(bytes) = files.get(name) {
            files.insert(name.clone(), mutated(rng, bytes, &strange));
        }
    }
    pack(&files)
}

fn change(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let length = bytes.len();
    // What is not zero is worth more than the rest, and so is the front.
    let written = bytes.iter().rposition(|b| *b != 0).map_or(0, |at| at + 1);
    let most = [length, written, written.min(200)][rng.below(3)];
    let at = rng.below(most);
    match rng.below(8) {
        0..3 if length > 0 => bytes[at] ^= 1 << rng.below(8),
        3 if length >= 4 => {
            let at = at.min(length - 4) / 4 * 4;
            let number = NUMBERS[rng.below(NUMBERS.len())];
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        4 if length > 0 => bytes[at] = rng.next() as u8,
        5 => bytes.truncate(at),
        6 => {
            let (from, to) = range(rng, other.len());
            let at = at.min(length);
            let end = (at + to - from).min(length);
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let (from, to) = range(rng, length);
            let piece = bytes[from..to].to_vec();
            match rng.below(3) {
                0 => drop(bytes.splice(at..at, piece)),
                1 => bytes[from..to].fill(0),
                _ => drop(bytes.drain(from..to)),
            }
        }
    }
}

fn range(rng: &mut Rng, length: usize) -> (usize, usize) {
    let from = rng.below(length + 1);
    let most = [8, 64, length][rng.below(3)].min(length - from);
    (from, from + rng.below(most + 1))
}
