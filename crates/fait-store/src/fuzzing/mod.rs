//! What fuzzers call: every decoder, fed with bytes of anybody's making. None may panic, run for
//! ever, or take more memory than its input is worth.
//!
//! The first byte of an input says whether its checksums are made to fit before it is decoded
//! (odd: yes), so that what lies behind the checksums is reached.

mod mend;
mod files;
mod decoders;
mod whole;
mod seeds;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod tests;

pub use seeds::seeds;

/// A decoder that is fed.
pub type Target = fn(&[u8]);

/// Every target by its name.
pub const TARGETS: [(&str, Target); 8] = [
    ("headers", headers),
    ("frame", frame),
    ("record", record),
    ("index", index),
    ("erasing", erasing),
    ("folder", folder),
    ("lookups", lookups),
    ("query", query),
];

/// The first bytes of every kind of file.
pub fn headers(input: &[u8]) {
    fed(input, mend::header, decoders::headers);
}

/// A segment file: its header, and a walk through its frames.
pub fn frame(input: &[u8]) {
    fed(input, mend::segment, decoders::frames);
}

/// Eight bytes of position, then a record's payload or several records.
pub fn record(input: &[u8]) {
    fed(input, |_| (), decoders::record);
}

/// An index file: header, directory, pages, and all lists, in both directions.
pub fn index(input: &[u8]) {
    fed(input, mend::index, decoders::index);
}

/// The file `erasing`.
pub fn erasing(input: &[u8]) {
    fed(input, mend::last, decoders::erasing);
}

/// The files of a folder, which is opened to be read, then to be written.
pub fn folder(input: &[u8]) {
    let Some((mode, rest)) = input.split_first() else {
        return;
    };
    let mut files = files::unpack(rest);
    if mode & 1 == 1 {
        mend::folder(&mut files);
    }
    whole::open(&files);
}

/// The files of a folder whose indexes are asked: with a sound log they give what the log has.
pub fn lookups(input: &[u8]) {
    let Some((mode, rest)) = input.split_first() else {
        return;
    };
    let mut files = files::unpack(rest);
    if mode & 1 == 1 {
        mend::folder(&mut files);
    }
    whole::look_up(&files, mode & 1 == 0);
}

/// A query in JSON.
pub fn query(input: &[u8]) {
    fed(input, |_| (), decoders::query);
}

fn fed(input: &[u8], mend: impl Fn(&mut [u8]), decode: impl Fn(&[u8])) {
    let Some((mode, rest)) = input.split_first() else {
        return;
    };
    let mut bytes = rest.to_vec();
    if mode & 1 == 1 {
        mend(&mut bytes);
    }
    decode(&bytes);
}
