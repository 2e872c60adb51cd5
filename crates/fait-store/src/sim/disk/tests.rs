//! The simulated disk does wrong what it is told to, and nothing else.

use super::{Fault, SimDisk};
use crate::file::{Folder, LogFile};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;

fn file(disk: &SimDisk, length: usize) -> Arc<dyn LogFile> {
    let file = disk.create("a").unwrap();
    file.write_at(&vec![b'o'; length], 0).unwrap();
    file.sync().unwrap();
    disk.sync().unwrap();
    file
}

fn durable(disk: &SimDisk) -> Vec<u8> {
    disk.durable("a").unwrap()
}

/// What crashes with many seeds leave.
fn fates(act: impl Fn(&SimDisk)) -> BTreeSet<Option<Vec<u8>>> {
    let fate = |seed| {
        let disk = SimDisk::new(seed);
        act(&disk);
        disk.crash();
        disk.durable("a")
    };
    (0..3_000).map(fate).collect()
}

#[test]
fn what_is_synced_stays() {
    let kept = fates(|disk| drop(file(disk, 1_300)));
    assert_eq!(kept, BTreeSet::from([Some(vec![b'o'; 1_300])]));
}

#[test]
fn what_is_pending_is_kept_dropped_torn_and_reordered() {
    let kept = fates(|disk| {
        let file = file(disk, 1_024);
        file.write_at(&[b'n'; 1_024], 0).unwrap();
    });
    let kept: Vec<_> = kept.into_iter().flatten().collect();
    let sectors = |first: u8, second: u8| {
        let image = [vec![first; 512], vec![second; 512]].concat();
        kept.contains(&image)
    };
    assert!(sectors(b'o', b'o') && sectors(b'n', b'n'));
    assert!(sectors(b'n', b'o') && sectors(b'o', b'n'), "in any order");
    let torn = |image: &Vec<u8>| image[..512].contains(&b'o') && image[..512].contains(&b'n');
    assert!(kept.iter().any(torn));
    assert!(kept.iter().all(|image| image.len() == 1_024));
}

#[test]
fn a_length_is_pending_too() {
    let kept = fates(|disk| {
        let file = file(disk, 100);
        file.write_at(&[b'n'; 700], 100).unwrap();
    });
    let lengths: BTreeSet<_> = kept.iter().flatten().map(Vec::len).collect();
    assert_eq!(lengths, BTreeSet::from([100, 800]));
    let zeros = |image: &&Vec<u8>| image.len() == 800 && image[512..].iter().all(|b| *b == 0);
    assert!(kept.iter().flatten().any(|image| zeros(&image)));
}

#[test]
fn names_are_durable_when_the_folder_is_synced() {
    let kept = fates(|disk| {
        let file = disk.create("a").unwrap();
        file.sync().unwrap();
    });
    assert_eq!(kept, BTreeSet::from([None, Some(vec![])]));
    let kept = fates(|disk| {
        drop(file(disk, 1));
        let other = disk.create("b").unwrap();
        other.write_at(b"bb", 0).unwrap();
        other.sync().unwrap();
        disk.rename("b", "a").unwrap();
    });
    assert_eq!(
        kept,
        BTreeSet::from([Some(b"o".to_vec()), Some(b"bb".to_vec())])
    );
    let kept = fates(|disk| {
        drop(file(disk, 1));
        disk.remove("a").unwrap();
    });
    assert_eq!(kept, BTreeSet::from([None, Some(b"o".to_vec())]));
}

#[test]
fn a_failed_sync_lies_afterwards() {
    let disk = SimDisk::new(1);
    let file = file(&disk, 10);
    disk.fail_after(0, Fault::Sync);
    file.write_at(b"n", 0).unwrap();
    file.sync().unwrap_err();
    file.sync().unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, 0).unwrap();
    assert_eq!(&byte, b"n", "it can be read on");
    assert_eq!(durable(&disk)[0], b'o', "and is not durable");
    file.write_at(b"n", 0).unwrap();
    file.sync().unwrap();
    assert_eq!(durable(&disk)[0], b'n', "until it is written again");
}

#[test]
fn writes_fail_fall_short_and_find_no_room() {
    let disk = SimDisk::new(1);
    let file = file(&disk, 10);
    disk.fail_after(1, Fault::Write);
    file.write_at(b"1", 10).unwrap();
    file.write_at(b"2", 11).unwrap_err();
    disk.fail_after(0, Fault::Short(2));
    file.write_at(b"345", 11).unwrap_err();
    assert_eq!(file.size().unwrap(), 13);
    disk.limit(1);
    assert_eq!(
        file.write_at(b"xyz", 12).unwrap_err().kind(),
        ErrorKind::StorageFull
    );
    assert_eq!(file.size().unwrap(), 14);
    file.write_at(b"here", 0).unwrap();
    disk.mend();
    file.write_at(b"z", 14).unwrap();
    disk.read_only();
    let refused = file.write_at(b"z", 0).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ReadOnlyFilesystem);
    assert!(disk.create("b").is_err() && disk.remove("a").is_err());
}

#[test]
fn a_read_fails_once() {
    let disk = SimDisk::new(1);
    let file = file(&disk, 10);
    disk.fail_after(0, Fault::Read);
    file.read_at(&mut [0], 0).unwrap_err();
    file.read_at(&mut [0], 0).unwrap();
    let beyond = file.read_at(&mut [0], 10).unwrap_err();
    assert_eq!(beyond.kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn lost_and_misdirected_sectors_are_not_told() {
    for fault in [Fault::Lost, Fault::Astray] {
        let disk = SimDisk::new(3);
        let file = file(&disk, 4_096);
        disk.fail_after(0, fault);
        file.write_at(&[b'n'; 512], 1_024).unwrap();
        file.sync().unwrap();
        assert_eq!(disk.seen().lies, 1);
        let new = durable(&disk).iter().filter(|b| **b == b'n').count();
        assert_eq!(new, if fault == Fault::Lost { 0 } else { 512 });
        assert_eq!(durable(&disk)[1_024..1_536], [b'o'; 512]);
    }
}

#[test]
fn the_power_fails_in_an_operation_and_stays_off() {
    let disk = SimDisk::new(1);
    let file = file(&disk, 10);
    disk.power_off_after(1);
    file.write_at(b"n", 0).unwrap();
    file.sync().unwrap_err();
    assert!(disk.is_off());
    assert!(disk.names().is_err() && file.size().is_err());
    disk.crash();
    assert_eq!(disk.names().unwrap(), ["a"]);
    assert!(file.size().is_err(), "what was open is closed");
    assert_eq!(disk.open("a").unwrap().size().unwrap(), 10);
}

#[test]
fn one_bit_flips() {
    let disk = SimDisk::new(1);
    drop(file(&disk, 64));
    let (name, byte) = disk.flip().unwrap();
    assert_eq!(name, "a");
    let flipped = durable(&disk)[byte] ^ b'o';
    assert_eq!(flipped.count_ones(), 1);
}

#[test]
fn the_same_seed_gives_the_same_fate() {
    let fate = |seed| {
        let disk = SimDisk::new(seed);
        let file = file(&disk, 5_000);
        file.write_at(&[b'n'; 3_000], 700).unwrap();
        disk.crash();
        durable(&disk)
    };
    assert!((0..50).all(|seed| fate(seed) == fate(seed)));
}
