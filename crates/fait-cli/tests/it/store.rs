//! The tools of a store, as they are called.

use crate::called::{at, fait, spawned, told};
use fait_store::Disk;
use insta::assert_snapshot;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;

/// A folder with a store in it whose every byte is known, in `data`.
struct Place(TempDir);

impl Place {
    fn made() -> Place {
        let temp = tempfile::tempdir().unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fait-store/tests/fixtures/v1");
        fs::create_dir(temp.path().join("data")).unwrap();
        for entry in fs::read_dir(fixture).unwrap().map(Result::unwrap) {
            fs::copy(
                entry.path(),
                temp.path().join("data").join(entry.file_name()),
            )
            .unwrap();
        }
        Place(temp)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Calls the program with names of this folder where the words have a `/` before them.
    fn told(&self, words: &[&str]) -> String {
        let place = self.0.path().display().to_string();
        let words: Vec<String> = words
            .iter()
            .map(|word| match word.starts_with('/') {
                true => format!("{place}{word}"),
                false => (*word).to_string(),
            })
            .collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        told(&words).replace(&place, "")
    }

    /// What is another each time is left out.
    fn known(&self, words: &[&str]) -> String {
        let text = self.told(words);
        let lines = text.lines().map(|line| {
            let taken = line.find("made 20").map(|at| &line[..at + 5]);
            let restored = line.find(" as of ").map(|at| &line[..at]);
            let history = line
                .strip_prefix("its history is ")
                .map(|_| "its history is new");
            history.or(restored).or(taken).unwrap_or(line)
        });
        lines.map(|line| format!("{line}\n")).collect()
    }
}

#[test]
fn a_sound_store_is_called_sound() {
    let place = Place::made();
    assert_snapshot!("store_verify", place.told(&["store", "verify", "/data"]));
    assert_snapshot!(
        "store_verify_json",
        place.told(&["store", "verify", "/data", "--json"])
    );
    assert_snapshot!("store_info", place.told(&["store", "info", "/data"]));
    assert_snapshot!(
        "store_info_json",
        place.told(&["store", "info", "/data", "--json"])
    );
    let data = place.path("data").display().to_string();
    let by_at = at(&data, &["store", "verify"]);
    assert_eq!(by_at, place.told(&["store", "verify", "/data"]));
}

#[test]
fn a_store_in_use_is_looked_at_too() {
    let place = Place::made();
    let disk = Disk::open(place.path("data")).unwrap();
    let info = place.told(&["store", "info", "/data"]);
    assert!(info.contains("in use   by a program"), "{info}");
    let verified = place.told(&["store", "verify", "/data"]);
    assert!(verified.ends_with("all sound: every checksum, every frame, every index\n"));
    drop(disk);
}

#[test]
fn damage_is_named_and_has_its_own_exit_code() {
    let place = Place::made();
    drop(Disk::open(place.path("data")).unwrap());
    let flip = |name: &str, byte: usize| {
        let path = place.path("data").join(name);
        let mut bytes = fs::read(&path).unwrap();
        bytes[byte] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    flip("00000001.idx", 100);
    assert_snapshot!(
        "store_damaged_index",
        place.told(&["store", "verify", "/data"])
    );
    flip("00000003.log", 100);
    assert_snapshot!("store_damaged", place.told(&["store", "verify", "/data"]));
    let json = place.told(&["store", "verify", "/data", "--json"]);
    assert!(
        json.contains("\"sound\": false") && json.ends_with("-- exit 5\n"),
        "{json}"
    );
    let backup = place.told(&["store", "backup", "/data", "--to", "/kept"]);
    assert_snapshot!("store_damaged_backup", backup);
    let export = place.told(&["store", "export", "/data", "--to", "/lines"]);
    assert_snapshot!("store_damaged_export", export);
    assert!(!place.path("lines").exists());
}

#[test]
fn a_backup_is_made_again_and_restored() {
    let place = Place::made();
    let backup = ["store", "backup", "/data", "--to", "/kept"];
    assert_snapshot!("store_backup", place.told(&backup));
    assert_snapshot!("store_backup_again", place.told(&backup));
    assert_snapshot!(
        "store_backup_verify",
        place.told(&["store", "verify", "/kept"])
    );
    assert_snapshot!(
        "store_backup_info",
        place.known(&["store", "info", "/kept"])
    );
    let restore = ["store", "restore", "/kept", "--to", "/again"];
    assert_snapshot!("store_restore", place.known(&restore));
    assert_snapshot!("store_restore_twice", place.told(&restore));
    let lines = |folder: &str| {
        let text = place.told(&["store", "export", folder]);
        let lines = text.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| line.split_once("\"type\"").unwrap().1.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("/again"), lines("/data"));
    assert_eq!(lines("/kept").len(), 79);
    assert_snapshot!(
        "store_backup_opened",
        place.told(&["events", "list", "--at", "/kept"])
    );
    assert_snapshot!(
        "store_backup_into_store",
        place.told(&["store", "backup", "/again", "--to", "/data"])
    );
    assert_snapshot!(
        "store_restore_store",
        place.told(&["store", "restore", "/data", "--to", "/x"])
    );
}

#[test]
fn answers_are_json() {
    let place = Place::made();
    let json = |words: &[&str]| -> serde_json::Value {
        let words = [words, &["--json"]].concat();
        let text = place.told(&words);
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    };
    let backup = json(&["store", "backup", "/data", "--to", "/kept"]);
    assert_eq!(
        (&backup["events"], &backup["copied_segments"]),
        (&79.into(), &5.into())
    );
    let restored = json(&["store", "restore", "/kept", "--to", "/again"]);
    assert_eq!(
        (&restored["events"], &restored["store"]),
        (&79.into(), &backup["store"])
    );
    assert_ne!(restored["history"], backup["history"]);
    let exported = json(&["store", "export", "/data", "--to", "/lines"]);
    assert_eq!(exported["events"], 79);
    let imported = json(&["store", "import", "/copy", "--from", "/lines"]);
    assert_eq!(
        (&imported["events"], &imported["bytes"]),
        (&79.into(), &exported["bytes"])
    );
}

#[test]
fn lines_go_out_and_in() {
    let place = Place::made();
    let text = place.told(&["store", "export", "/data"]);
    let first: Vec<&str> = text.lines().take(2).chain(text.lines().skip(79)).collect();
    assert_snapshot!("store_export", first.join("\n"));
    let export = ["store", "export", "/data", "--to", "/lines"];
    assert_snapshot!("store_export_file", place.told(&export));
    assert_snapshot!("store_export_twice", place.told(&export));
    let import = ["store", "import", "/copy", "--from", "/lines"];
    assert_snapshot!("store_import", place.told(&import));
    assert_snapshot!("store_import_twice", place.told(&import));
    // From a pipe.
    let lines = fs::read_to_string(place.path("lines")).unwrap();
    let wrong = lines.replacen("\"dataversion\":1", "\"dataversion\":\"one\"", 1);
    for (text, to) in [(&lines, "piped"), (&wrong, "wrong")] {
        let folder = place.path(to).display().to_string();
        let mut command = fait(&["store", "import", &folder, "--from", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawned(&mut command);
        // What is refused is not read to its end.
        let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
        let out = child.wait_with_output().unwrap();
        let told = [out.stdout, out.stderr].concat();
        let told = String::from_utf8(told)
            .unwrap()
            .replace(&*place.0.path().display().to_string(), "");
        let code = out.status.code().unwrap();
        assert_snapshot!(
            format!("store_import_{to}"),
            format!("{told}-- exit {code}\n")
        );
        assert_eq!(place.path(to).exists(), code == 0);
    }
}

#[test]
fn a_place_must_be_named() {
    let place = Place::made();
    assert_snapshot!("store_nowhere", told(&["store", "verify"]));
    assert_snapshot!(
        "store_address",
        told(&["store", "info", "--at", "http://127.0.0.1:1"])
    );
    assert_snapshot!(
        "store_missing",
        place.told(&["store", "verify", "/nothing"])
    );
    fs::create_dir(place.path("empty")).unwrap();
    assert_snapshot!("store_empty", place.told(&["store", "verify", "/empty"]));
    assert_snapshot!(
        "store_no_lines",
        place.told(&["store", "import", "/x", "--from", "/nothing"])
    );
}

#[test]
fn who_reads_only_the_first_line_is_no_error() {
    let place = Place::made();
    let data = place.path("data").display().to_string();
    let mut command = fait(&["store", "export", &data]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawned(&mut command);
    drop(child.stdout.take());
    let mut notes = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut notes)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{notes}");
}
