//! The tutorial as it stands: its files are written and its commands are run, in their order.
//!
//! A block with `file=` makes the file, or adds to it when an earlier block made it; `replace=`
//! makes it anew. Of a block of commands, each `$` line is run and must succeed, and every line
//! shown below it must be among what it prints; `…` at the end of a line stands for the rest of it.
//! `cargo run` must answer on the address that it prints.

use std::collections::HashSet;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const TUTORIAL: &str = include_str!("../../../../docs/guide/tutorial.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_tutorial_works_as_it_stands() {
    let mut reader = Reader::begin();
    for block in blocks(TUTORIAL) {
        match (block.language, block.file) {
            ("console", _) => reader.type_in(&block.text),
            (_, Some(file)) => reader.write(file, block.anew, &block.text),
            (other, None) => panic!("nobody would know where to put a block of `{other}`"),
        }
    }
    assert!(reader.runs > 2, "the tutorial runs nothing");
}

/// A fenced block.
struct Block {
    language: &'static str,
    file: Option<&'static str>,
    /// Whether it replaces what an earlier block made.
    anew: bool,
    text: String,
}

fn blocks(document: &'static str) -> Vec<Block> {
    let mut blocks = vec![];
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let (language, rest) = info.split_once(',').unwrap_or((info, ""));
        let inside = lines.by_ref().take_while(|line| *line != "```");
        blocks.push(Block {
            language,
            file: rest.split_once('=').map(|(_, file)| file),
            anew: rest.starts_with("replace="),
            text: inside.map(|line| format!("{line}\n")).collect(),
        });
    }
    blocks
}

/// Somebody who follows the tutorial.
struct Reader {
    folder: PathBuf,
    written: HashSet<&'static str>,
    runs: u32,
    /// Another run of this test waits for it.
    _alone: File,
}

impl Reader {
    /// Always the same folder for one checkout, so that what was built is used again. It cannot be
    /// in the target folder: there it would be taken for a part of this workspace.
    fn begin() -> Reader {
        let mut hasher = DefaultHasher::new();
        ROOT.hash(&mut hasher);
        let name = format!("fait-tutorial-{:016x}", hasher.finish());
        let folder = std::env::temp_dir().join(name);
        let alone = File::create(folder.with_extension("lock")).unwrap();
        alone.lock().unwrap();
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Reader {
            folder,
            written: HashSet::new(),
            runs: 0,
            _alone: alone,
        }
    }

    fn write(&mut self, file: &'static str, anew: bool, text: &str) {
        let path = self.folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let root = fs::canonicalize(ROOT).unwrap();
        let crates = format!("{}/crates/", root.display());
        let text = text.replace("../fait/crates/", &crates);
        if !self.written.insert(file) && !anew {
            let before = fs::read_to_string(&path).unwrap();
            fs::write(path, before + &text).unwrap();
            return;
        }
        fs::write(path, text).unwrap();
        if file == "Cargo.toml" {
            fs::copy(root.join("Cargo.lock"), self.folder.join("Cargo.lock")).unwrap();
        }
    }

    fn type_in(&mut self, text: &str) {
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some(command) = line.strip_prefix("$ ") else {
                panic!("`{line}` is shown, but nothing was run");
            };
            let mut shown = vec![];
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                shown.push(line);
            }
            self.run(command, &shown);
        }
    }

    fn run(&mut self, command: &str, shown: &[&str]) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words[..] {
            ["cd", folder] => self.folder.push(folder),
            ["cargo", "run", ..] => serve(self.cargo(&words[1..]), shown),
            ["cargo", ..] => finish(self.cargo(&words[1..]), command, shown),
            _ => panic!("`{command}` is not for this test"),
        }
        self.runs += 1;
    }

    fn cargo(&self, args: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("tutorial");
        cargo
            .args(args)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0");
        cargo
    }
}

fn finish(mut cargo: Command, command: &str, shown: &[&str]) {
    let output = cargo.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "`{command}` fails:\n{out}\n{err}");
    assert!(
        !err.contains("warning: `bikes`"),
        "`{command}` warns:\n{err}"
    );
    let printed: Vec<&str> = out.lines().chain(err.lines()).collect();
    for line in shown {
        let found = printed.iter().any(|printed| begins(printed, line));
        assert!(found, "`{command}` does not print `{line}`:\n{out}");
    }
}

/// Whether a printed line is the one that is shown, up to the `…` at its end.
fn begins(printed: &str, shown: &str) -> bool {
    match shown.strip_suffix('…') {
        Some(begin) => printed.starts_with(begin),
        None => printed == shown,
    }
}

/// Starts a server, asks it for its page, and stops it.
fn serve(mut cargo: Command, shown: &[&str]) {
    let started = cargo
        .env("CARGO_TERM_QUIET", "true")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn();
    let mut server = Stopped(started.unwrap());
    let mut printed = BufReader::new(server.0.stdout.take().unwrap()).lines();
    for line in shown {
        let found = printed
            .by_ref()
            .map(Result::unwrap)
            .find(|printed| begins(printed, line));
        let found = found.unwrap_or_else(|| panic!("the server does not print `{line}`"));
        if let Some((_, address)) = found.split_once("http://") {
            let page = get(address);
            assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        }
    }
}

/// A program that is stopped however the test ends.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let ask = format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    page
}
