//! What the fuzzers do, a little of it in every test run, always the same.

use super::files::{pack, unpack};
use super::mutate::{mutated, mutated_folder};
use super::whole::{answers, to_read};
use super::{TARGETS, Target, files};
use crate::sim::rng::Rng;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = fs::read_dir(folder.join(target)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn named(name: &str) -> Target {
    TARGETS.iter().find(|(n, _)| *n == name).unwrap().1
}

/// Feeds a target with its corpus and so many mutations of it; with every other one the
/// checksums are made to fit.
fn feed(name: &str, rounds: u64) {
    // Both want the files of a folder.
    let of = if name == "lookups" { "folder" } else { name };
    let (target, corpus) = (named(name), corpus(of));
    assert!(!corpus.is_empty());
    corpus.iter().for_each(|input| target(input));
    let whole = matches!(name, "folder" | "lookups");
    for seed in 0..rounds {
        let mut rng = Rng::new(seed);
        let one = &corpus[rng.below(corpus.len())][1..];
        let other = &corpus[rng.below(corpus.len())][1..];
        let changed = match whole {
            true => mutated_folder(&mut rng, one, other),
            false => mutated(&mut rng, one, other),
        };
        let input = [&[(seed % 2) as u8][..], &changed].concat();
        let fed = catch_unwind(AssertUnwindSafe(|| target(&input)));
        assert!(fed.is_ok(), "{name}: see above for seed {seed}");
    }
}

#[test]
fn headers_of_any_bytes() {
    feed("headers", 6_000);
}

#[test]
fn frames_of_any_bytes() {
    feed("frame", 6_000);
}

#[test]
fn records_of_any_bytes() {
    feed("record", 12_000);
}

#[test]
fn an_index_of_any_bytes() {
    feed("index", 2_000);
}

#[test]
fn an_erasure_of_any_bytes() {
    feed("erasing", 6_000);
}

#[test]
fn a_folder_of_any_bytes() {
    feed("folder", 1_500);
}

#[test]
fn lookups_in_any_bytes() {
    feed("lookups", 1_500);
}

#[test]
fn a_query_of_any_bytes() {
    feed("query", 6_000);
}

/// Without new checksums no wrong event is ever shown: what can be read of a damaged store is
/// what stood in it, from its beginning.
#[test]
fn what_a_damaged_folder_shows_stood_in_it() {
    let corpus = corpus("folder");
    let mut opened = 0;
    for seed in 0..1_000 {
        let mut rng = Rng::new(seed);
        let whole = &corpus[rng.below(corpus.len())][1..];
        let other = &corpus[rng.below(corpus.len())][1..];
        // What a fuzzer has found may not be opened at all.
        let Some(sound) = to_read(&files::disk(&unpack(whole))) else {
            continue;
        };
        let before = answers(&sound);
        let changed = unpack(&mutated_folder(&mut rng, whole, other));
        let Some(disk) = to_read(&files::disk(&changed)) else {
            continue;
        };
        opened += 1;
        for (now, before) in answers(&disk).into_iter().zip(&before) {
            let (Some(now), Some(before)) = (now, before) else {
                continue;
            };
            // A file of another store, put in the place of all that there was, is that store.
            if !now.is_empty() && unpack(whole).get("meta") == changed.get("meta") {
                assert!(before.starts_with(&now), "seed {seed}");
            }
        }
    }
    assert!(opened > 100, "{opened}");
}

#[test]
fn what_is_packed_is_unpacked() {
    for packed in corpus("folder") {
        let files = unpack(&packed[1..]);
        assert!(unpack(&pack(&files)) == files);
    }
}

/// What a fuzzer has found.
fn again(target: &str, of: &str, found: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    named(target)(&fs::read(folder.join(of).join(found)).unwrap());
}

/// The receipt of a command of format version 1 ended behind the last number.
#[test]
fn a_command_behind_the_last_position_is_survived() {
    again("frame", "frame", "found-command-behind-the-last-position");
    again("record", "record", "found-command-behind-the-last-position");
}

/// An index with sound checksums said that records end before they begin.
#[test]
fn offsets_that_do_not_ascend_are_refused() {
    again("folder", "folder", "found-offsets-that-do-not-ascend");
    again("lookups", "folder", "found-offsets-that-do-not-ascend");
}
