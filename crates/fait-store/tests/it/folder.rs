//! Who may open which folder, and what a refusal leaves behind: nothing.

use crate::{all, append, by_command, event, image, restore};
use fait_core::store::contract::block_on;
use fait_core::store::{AppendError, Store};
use fait_store::{Disk, OpenError};
use std::fs;
use std::path::Path;

fn refused(folder: &Path) -> OpenError {
    let before = image(folder);
    let writing = Disk::open(folder).unwrap_err();
    let reading = Disk::open_read_only(folder).unwrap_err();
    assert_eq!(writing.to_string(), reading.to_string());
    assert_eq!(image(folder), before, "a refusal changes nothing");
    writing
}

#[test]
fn a_folder_is_made_with_those_above_it() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("a/b/c");
    let disk = Disk::open(&folder).unwrap();
    assert_eq!(disk.path(), folder);
    let stats = disk.stats();
    assert_eq!((stats.events, stats.segments), (0, 1));
    block_on(disk.append(append(vec![event(1, "A", &[])]))).unwrap();
    let stats = disk.stats();
    assert_eq!((stats.events, stats.segments), (1, 1));
    drop(disk);
    let disk = Disk::open(&folder).unwrap();
    let size = fs::metadata(folder.join("00000001.log")).unwrap().len();
    assert_eq!(disk.stats().bytes, size);
}

#[test]
fn a_folder_in_use_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::open(temp.path()).unwrap();
    for error in [Disk::open(temp.path()), Disk::open_read_only(temp.path())] {
        let error = error.unwrap_err();
        assert!(matches!(error, OpenError::InUse { .. }));
        let text = error.to_string();
        assert!(text.contains(temp.path().to_str().unwrap()), "{text}");
        assert!(text.contains("stop that program"), "{text}");
    }
    block_on(disk.append(append(vec![event(1, "A", &[])]))).unwrap();
    drop(disk);
    assert_eq!(all(&Disk::open(temp.path()).unwrap()).len(), 1);
}

#[test]
fn a_folder_with_other_files_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("holiday.jpg"), b"sea").unwrap();
    let error = refused(temp.path());
    assert!(matches!(error, OpenError::NotAStore { .. }));
    assert!(error.to_string().contains("holiday.jpg"), "{error}");
    assert!(!temp.path().join("lock").exists());
    fs::write(
        temp.path().join("meta"),
        b"of something else, longer than a header of ours is, yes",
    )
    .unwrap();
    assert!(matches!(refused(temp.path()), OpenError::NotAStore { .. }));
}

#[test]
fn a_store_may_share_its_folder_once_it_is_there() {
    let temp = tempfile::tempdir().unwrap();
    drop(Disk::open(temp.path()).unwrap());
    fs::write(temp.path().join("views.sqlite"), b"rows").unwrap();
    drop(Disk::open(temp.path()).unwrap());
    assert_eq!(fs::read(temp.path().join("views.sqlite")).unwrap(), b"rows");
}

#[test]
fn a_newer_format_is_refused() {
    for file in ["meta", "00000001.log"] {
        let temp = tempfile::tempdir().unwrap();
        drop(Disk::open(temp.path()).unwrap());
        let path = temp.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        bytes[8] = 3;
        fs::write(&path, bytes).unwrap();
        let error = refused(temp.path());
        assert!(
            matches!(
                error,
                OpenError::NewerFormat {
                    found: 3,
                    known: 2,
                    ..
                }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("use a newer program"), "{error}");
    }
}

#[test]
fn missing_files_are_noticed() {
    let temp = tempfile::tempdir().unwrap();
    let disk = Disk::options().segment_bytes(0).open(temp.path()).unwrap();
    for n in 0..100 {
        block_on(disk.append(append(vec![event(n, "A", &[])]))).unwrap();
    }
    assert!(disk.stats().segments > 3);
    drop(disk);
    let whole = image(temp.path());
    for name in ["meta", "00000001.log", "00000002.log"] {
        let mut part = whole.clone();
        part.remove(name);
        restore(temp.path(), &part);
        let error = refused(temp.path());
        assert!(matches!(error, OpenError::Corrupt { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
    restore(temp.path(), &whole);
    assert_eq!(all(&Disk::open(temp.path()).unwrap()).len(), 100);
}

#[test]
fn files_of_another_store_are_noticed() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(Disk::open(one.path()).unwrap());
    drop(Disk::open(two.path()).unwrap());
    fs::copy(
        one.path().join("00000001.log"),
        two.path().join("00000001.log"),
    )
    .unwrap();
    assert!(matches!(
        refused(two.path()),
        OpenError::Corrupt { offset: 0, .. }
    ));
}

#[test]
fn creation_that_was_cut_short_is_done_again() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("lock"), b"").unwrap();
    fs::write(temp.path().join("meta.new"), b"faitm").unwrap();
    drop(Disk::open(temp.path()).unwrap());
    for left in [0, 5, 8, 40, 63] {
        let path = temp.path().join("00000001.log");
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..left]).unwrap();
        let disk = Disk::open(temp.path()).unwrap();
        assert_eq!(disk.recovery().cut_bytes, left as u64);
        drop(disk);
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_file_in_place_of_the_folder_is_named_and_kept() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("orders");
    fs::write(&file, "mine").unwrap();
    for place in [file.clone(), file.join("below")] {
        let why = Disk::open(&place).unwrap_err().to_string();
        assert!(
            why.ends_with("; something else stands there: name another folder"),
            "{why}"
        );
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[test]
fn reading_only_changes_nothing_and_cuts_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let missing = temp.path().join("missing");
    assert!(matches!(
        Disk::open_read_only(&missing),
        Err(OpenError::Io { .. })
    ));
    assert!(matches!(
        Disk::open_read_only(temp.path()),
        Err(OpenError::NotAStore { .. })
    ));
    assert!(image(temp.path()).is_empty() && !missing.exists());

    let disk = Disk::open(temp.path()).unwrap();
    let receipt = block_on(disk.append(by_command(append(vec![event(1, "A", &[])]), 7))).unwrap();
    let events = all(&disk);
    drop(disk);
    let path = temp.path().join("00000001.log");
    let mut torn = fs::read(&path).unwrap();
    torn.extend([1, 2, 3]);
    fs::write(&path, torn).unwrap();
    let before = image(temp.path());
    let reader = Disk::open_read_only(temp.path()).unwrap();
    let beside = Disk::open_read_only(temp.path()).unwrap();
    assert_eq!((all(&reader), all(&beside)), (events.clone(), events));
    assert_eq!(reader.recovery().cut_bytes, 3);
    let known = block_on(reader.command(uuid::Uuid::from_u128(7)))
        .unwrap()
        .unwrap();
    assert_eq!(known.1, receipt);
    let error = block_on(reader.append(append(vec![event(2, "A", &[])]))).unwrap_err();
    assert!(matches!(error, AppendError::Store(_)));
    assert!(matches!(
        Disk::open(temp.path()),
        Err(OpenError::InUse { .. })
    ));
    drop((reader, beside));
    assert_eq!(image(temp.path()), before);
}

#[test]
fn a_closed_store_lets_go_of_its_folder_and_refuses_appends() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path()).unwrap();
    block_on(disk.append(append(vec![event(1, "Counted", &["n:1"])]))).unwrap();
    block_on(disk.close());
    let other = Disk::open(folder.path()).unwrap();
    assert_eq!(block_on(other.head()).unwrap(), 1);
    let e = block_on(disk.append(append(vec![event(2, "Counted", &["n:1"])]))).unwrap_err();
    assert!(
        e.to_string()
            .ends_with("is closed; open it again to append"),
        "{e}"
    );
    assert_eq!(block_on(disk.head()).unwrap(), 1, "reads go on");
}
