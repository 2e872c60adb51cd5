//! `fait board serve`, called: it shows a file, follows it, and ends when it is asked to.

use crate::called::fait;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

const BOARD: &str = "board Tea\ntask Brew tea\n  raises Tea brewed\nevent Tea brewed\n";

/// How long a page may take to say what is waited for.
const LIMIT: Duration = Duration::from_secs(30);

/// The program while it serves; it ends with the test.
struct Served {
    child: Child,
    address: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself: then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(file: &Path) -> Served {
        let mut child = fait(&["board", "serve", "--listen", "127.0.0.1:0"])
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let (_, address) = line.trim().split_once(" is shown at ").unwrap();
        Served {
            child,
            address: address.to_string(),
        }
    }

    fn page(&self) -> String {
        let mut answer = ureq::get(&self.address).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// Looks until the page says it.
    fn says(&self, text: &str) {
        let until = Instant::now() + LIMIT;
        while !self.page().contains(text) {
            assert!(Instant::now() < until, "{text} is not in {}", self.page());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_file_is_followed_while_it_is_edited() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tea.board");
    fs::write(&file, BOARD).unwrap();
    let served = Served::start(&file);
    served.says("note-event-tea-brewed");
    assert!(served.page().contains("tea.board"));
    fs::write(&file, BOARD.replace("Tea brewed", "Tea spilled")).unwrap();
    served.says("note-event-tea-spilled");
    // Editors put a new file in the place of the old one.
    let new = folder.path().join("new");
    fs::write(&new, BOARD.replace("raises Tea brewed", "raises Tea")).unwrap();
    fs::rename(&new, &file).unwrap();
    served.says("B101");
    fs::remove_file(&file).unwrap();
    served.says("The picture is as it was read last.");
    assert!(served.page().contains("note-task-brew-tea"));
    fs::write(&file, BOARD.replace("Tea brewed", "Tea poured")).unwrap();
    served.says("note-event-tea-poured");
    assert!(!served.page().contains("as it was read last"));
}

#[test]
fn what_cannot_be_served_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tea.board");
    let run = |words: &[&str]| {
        let out = fait(words).current_dir(folder.path()).output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let (code, said) = run(&["board", "serve", "tea.board"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("tea.board cannot be read"), "{said}");
    let (code, said) = run(&["board", "serve", "-"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("standard input cannot be followed"), "{said}");
    fs::write(&file, BOARD).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = run(&["board", "serve", "tea.board", "--listen", &address]);
    assert_eq!(code, Some(3));
    assert!(
        said.contains("choose another address with --listen"),
        "{said}"
    );
}
