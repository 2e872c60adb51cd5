//! `fait board fmt`: boards on disk are laid out, whole or not at all.

use crate::called::{fait, spawned, told_in};
use insta::assert_snapshot;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

const UNTIDY: &str = "\
event Order placed
  records   order
word order is an id
word total is money
event Order paid
\trecords order, total  # with tax
exampel Nothing
   given  Order paid
";

const TIDY: &str = "\
event Order placed
  records order

word order is an id
word total is money

event Order paid
  records order, total  # with tax
exampel Nothing
   given  Order paid
";

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    let mut all: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|e| name(e.unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_board_is_laid_out_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (untidy, tidy) = (folder.path().join("a.board"), folder.path().join("b.board"));
    fs::write(&untidy, UNTIDY).unwrap();
    fs::write(&tidy, TIDY).unwrap();
    let before = fs::metadata(&tidy).unwrap().modified().unwrap();
    assert_snapshot!(told_in(
        folder.path(),
        &["board", "fmt", "a.board", "b.board", "c.board"]
    ));
    assert_eq!(fs::read_to_string(&untidy).unwrap(), TIDY);
    assert_eq!(fs::metadata(&tidy).unwrap().modified().unwrap(), before);
    assert_eq!(names(folder.path()), ["a.board", "b.board"]);
    assert_eq!(told_in(folder.path(), &["board", "fmt", "a.board"]), "");
}

#[test]
fn a_check_writes_nothing_and_shows_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("a.board"),
        format!("{UNTIDY}event \u{1b}[2J  x\n"),
    )
    .unwrap();
    fs::write(folder.path().join("b.board"), TIDY).unwrap();
    let words = ["board", "fmt", "--check", "a.board", "b.board"];
    assert_snapshot!(told_in(folder.path(), &words));
    assert!(
        fs::read_to_string(folder.path().join("a.board"))
            .unwrap()
            .starts_with(UNTIDY)
    );
    let words = ["--json", "board", "fmt", "--check", "a.board", "b.board"];
    assert_snapshot!(told_in(folder.path(), &words));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let mut command = fait(&["board", "fmt", "-"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = spawned(&mut command);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(UNTIDY.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), TIDY);
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_so_do_the_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let (board, link) = (
        folder.path().join("a.board"),
        folder.path().join("link.board"),
    );
    fs::write(&board, UNTIDY).unwrap();
    fs::set_permissions(&board, fs::Permissions::from_mode(0o640)).unwrap();
    symlink("a.board", &link).unwrap();
    told_in(folder.path(), &["board", "fmt", "link.board"]);
    assert_eq!(fs::read_to_string(&board).unwrap(), TIDY);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&board).unwrap().permissions().mode() & 0o777,
        0o640
    );
}
