//! What the operating system is asked for: small disks, limits, other users.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const PART: &str = "FAIT_STORE_FAULT_PART";
const FOLDER: &str = "FAIT_STORE_FAULT_FOLDER";
/// Set when a file's length is limited, and not the disk.
const LIMITED: &str = "FAIT_STORE_FAULT_LIMITED";
/// Given by a shell that could not do what was wanted.
const CANNOT: i32 = 77;
/// A user that may nothing.
const NOBODY: u32 = 65534;

/// How a child ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Well,
    /// The machine cannot do what was wanted.
    Cannot,
    /// What the child said.
    Failed(String),
}

/// The folder, when this process was started to do a part.
pub(super) fn part(name: &str) -> Option<PathBuf> {
    let mine = std::env::var(PART).is_ok_and(|part| part == name);
    mine.then(|| std::env::var_os(FOLDER).unwrap().into())
}

/// Whether only the length of a file is limited.
pub(super) fn limited() -> bool {
    std::env::var_os(LIMITED).is_some()
}

fn own() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn told(command: &mut Command, test: &str, part: &str, folder: &Path) {
    command
        .args(["--exact", test, "--nocapture"])
        .env(PART, part)
        .env(FOLDER, folder)
        .env("RUST_BACKTRACE", "0");
}

/// This program once more, doing a part of a test.
pub(super) fn again(test: &str, part: &str, folder: &Path) -> Child {
    let mut command = Command::new(own());
    told(&mut command, test, part, folder);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a child says behind a word.
pub(super) fn said(child: &mut Child, word: &str) -> String {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut lines = lines.map_while(Result::ok);
    let said = lines.find_map(|line| Some(line.split_once(word)?.1.to_string()));
    said.unwrap_or_default()
}

fn ended(command: &mut Command) -> Outcome {
    let Ok(output) = command.stdin(Stdio::null()).output() else {
        return Outcome::Cannot;
    };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    match output.status.code() {
        Some(0) if text.contains("1 passed") => Outcome::Well,
        Some(CANNOT) => Outcome::Cannot,
        _ => Outcome::Failed(format!("{}: {text}", output.status.into_raw())),
    }
}

/// Runs a part behind a line of shell; when that fails, the machine cannot do it.
pub(super) fn shell(line: &str, test: &str, part: &str, folder: &Path) -> Outcome {
    shelled(Command::new("sh"), line, test, part, folder)
}

fn shelled(mut sh: Command, line: &str, test: &str, part: &str, folder: &Path) -> Outcome {
    let line = format!("{{ {line}; }} || exit {CANNOT}; exec \"$0\" \"$@\"");
    sh.args(["-c", &line]).arg(own());
    told(&mut sh, test, part, folder);
    ended(&mut sh)
}

/// A shell that may mount, and whose mounts end with it: as root, or as root of its own world.
fn mounting() -> Option<Command> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let shell = |way: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(way).arg("sh");
        command
    };
    let works = |way: &&[&str]| {
        let temp = tempfile::tempdir().unwrap();
        let mut command = shell(way);
        command.args(["-c", "mount -t tmpfs -o size=1m none \"$0\""]);
        let output = command.arg(temp.path()).output();
        output.is_ok_and(|out| out.status.success())
    };
    ways.into_iter().find(works).map(shell)
}

/// Runs a part on a disk of so many MiB; where nothing can be mounted, with files that may not
/// be longer than half of that.
pub(super) fn on_small_disk(test: &str, part: &str, mebibytes: usize) {
    let temp = tempfile::tempdir().unwrap();
    if let Some(unshare) = mounting() {
        let mount = format!("mount -t tmpfs -o size={mebibytes}m none \"${FOLDER}\"");
        let outcome = shelled(unshare, &mount, test, part, temp.path());
        return assert_eq!(outcome, Outcome::Well);
    }
    // The soft limit only: who has the same user may raise it later. In blocks of 512 bytes.
    let blocks = mebibytes << 10;
    let limit = format!("trap '' XFSZ; export {LIMITED}=1; ulimit -S -f {blocks}");
    let outcome = shell(&limit, test, part, temp.path());
    assert_eq!(
        outcome,
        Outcome::Well,
        "neither a small disk (`unshare` and `mount`) nor `ulimit -f` works here; one is needed"
    );
}

/// Gives the room back that was taken from a full disk, or raises the limit.
pub(super) fn more_room(ballast: &Path) {
    let _ = fs::remove_file(ballast);
    if limited() {
        let own = std::process::id().to_string();
        let raised = Command::new("prlimit")
            .args(["--pid", &own, "--fsize=unlimited:"])
            .status();
        assert!(
            raised.is_ok_and(|s| s.success()),
            "`prlimit` is needed where nothing is mounted"
        );
    }
}

/// Fills the disk up to so many bytes.
pub(super) fn leave(ballast: &Path, bytes: u64) {
    use std::io::Write;
    if limited() {
        return;
    }
    let mut file = fs::OpenOptions::new().append(true).open(ballast).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(bytes)).unwrap();
}

/// Runs a part on a file system that cannot be written. Where nothing can be mounted, the rights
/// of the folder forbid the same.
pub(super) fn on_still_disk(test: &str, part: &str, folder: &Path) {
    let Some(unshare) = mounting() else {
        rights(folder, 0o555, 0o444);
        without_rights(test, part, folder);
        return rights(folder, 0o755, 0o644);
    };
    let mount = format!(
        "mount --bind \"${FOLDER}\" \"${FOLDER}\" && mount -o remount,bind,ro \"${FOLDER}\""
    );
    assert_eq!(shelled(unshare, &mount, test, part, folder), Outcome::Well);
}

/// Says who may do what with a folder and its files.
pub(super) fn rights(folder: &Path, of_folder: u32, of_files: u32) {
    let set = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set(folder, 0o755);
    for entry in fs::read_dir(folder).unwrap() {
        set(&entry.unwrap().path(), of_files);
    }
    set(folder, of_folder);
}

/// Runs a part as somebody whom rights bind: this user, or, when that is root, nobody.
pub(super) fn without_rights(test: &str, part: &str, folder: &Path) {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .unwrap()
        .stdout
        .trim_ascii()
        == b"0";
    let copy = tempfile::tempdir().unwrap();
    let mut command = Command::new(own());
    if root {
        // The program may lie where nobody may look.
        let program = copy.path().join("it");
        fs::copy(own(), &program).unwrap();
        rights(copy.path(), 0o755, 0o755);
        command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY).current_dir("/");
    }
    told(&mut command, test, part, folder);
    assert_eq!(ended(&mut command), Outcome::Well);
}
