//! `fait play`, called: a board is played, edited while it is played, and keeps an example.

use crate::called::{fait, spawned, told_in};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

const BOARD: &str = "\
board Tea
  level design

word tea is an id
word sort is text

actor Host

context Kitchen

task Order tea
  by Host
  asks sort
  on Tea
  raises Tea ordered

event Tea ordered
  records tea, sort

task Brew tea
  by Host
  on Tea
  raises Tea brewed

event Tea brewed
  records tea

event Tea forgotten
  records tea

model Tea
  one per tea
  remembers Tea ordered, Tea brewed

process Bring it hot
  one per tea
  starts on Tea ordered
    ask Host to Brew tea within 5 minutes
  after 5 minutes without Tea brewed
    raise Tea forgotten
  ends on Tea brewed, Tea forgotten

# The end stays the end.
idea Biscuits
";

/// A board being played; it is ended with the test.
struct Played {
    child: Child,
    at: String,
}

impl Drop for Played {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Played {
    fn begin(folder: &Path, more: &[&str]) -> Played {
        let words = [&["play", "tea.board", "--listen", "127.0.0.1:0"], more].concat();
        let mut command = fait(&words);
        let command = command.current_dir(folder).stdout(Stdio::piped());
        let mut child = spawned(command.stderr(Stdio::null()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let at = first.strip_prefix("Tea is played at ").unwrap().to_string();
        // Read to its end, so that writing never waits.
        std::thread::spawn(move || lines.for_each(drop));
        Played { child, at }
    }

    /// As Ctrl-C does.
    fn end(mut self) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill")
            .args(["-TERM", &id])
            .status();
        assert!(sent.unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    fn get(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("{}{path}", self.at)).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    fn does(&self, task: &str, body: &Value) -> Value {
        let to = format!("{}/api/commands/{task}", self.at);
        let mut answer = ureq::post(to).send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn submits(&self, path: &str, words: &[(&str, &str)]) -> String {
        let to = format!("{}{path}", self.at);
        let mut answer = ureq::post(to).send_form(words.iter().copied()).unwrap();
        answer.body_mut().read_to_string().unwrap()
    }

    /// Looks at a page until it says something.
    fn until(&self, path: &str, said: impl Fn(&str) -> bool) -> String {
        for _ in 0..2000 {
            let page = ureq::get(format!("{}{path}", self.at)).call();
            let page = page.and_then(|mut page| page.body_mut().read_to_string());
            if let Some(page) = page.ok().filter(|page| said(page)) {
                return page;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("{path} never said it: {}", self.get(path));
    }

    fn happened(&self) -> Vec<String> {
        let page: Value = serde_json::from_str(&self.get("/api/events?limit=500")).unwrap();
        let all = page["events"].as_array().unwrap().iter();
        let types = all.filter_map(|e| e["type"].as_str()).map(String::from);
        types.filter(|ty| !ty.starts_with('$')).collect()
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tea.board"), BOARD).unwrap();
    folder
}

#[test]
fn a_board_is_played_edited_and_keeps_what_was_played() {
    let folder = folder();
    let file = folder.path().join("tea.board");
    let tea = Played::begin(folder.path(), &[]);
    tea.does("OrderTea", &json!({"tea": "1", "sort": "green"}));
    let page = tea.submits("/play/pass", &[("quick", "1 hour")]);
    assert!(page.contains("1 hour passed"), "{page}");
    assert_eq!(tea.happened(), ["TeaOrdered", "TeaForgotten"]);

    // With a mistake it goes on as before, and says so on every page.
    fs::write(
        &file,
        BOARD.replace("raises Tea brewed", "raises Tea boiled"),
    )
    .unwrap();
    let page = tea.until("/events", |page| page.contains("saved with mistakes"));
    assert!(page.contains("no event is called `Tea boiled`"), "{page}");
    tea.does("OrderTea", &json!({"tea": "2", "sort": "black"}));

    // Another name for an event: what was played before is kept.
    fs::write(&file, BOARD.replace("Tea forgotten", "Tea gone cold")).unwrap();
    tea.until("/play", |page| page.contains("TeaForgotten"));
    assert!(!tea.get("/events").contains("saved with mistakes"));
    assert_eq!(tea.happened(), ["TeaOrdered", "TeaForgotten", "TeaOrdered"]);
    tea.does("BrewTea", &json!({"tea": "2"}));
    assert_eq!(tea.happened().last().unwrap(), "TeaBrewed");
    tea.end();

    let again = Played::begin(folder.path(), &["--pace", "60"]);
    assert_eq!(again.happened().len(), 4, "it goes on where it was");
    again.end();
}

#[test]
fn what_happened_is_saved_from_the_page_or_afterwards() {
    let folder = folder();
    let file = folder.path().join("tea.board");
    let words = ["play", "tea.board", "--save-as-example"];
    let nothing = told_in(folder.path(), &words);
    assert!(nothing.contains("nothing was played yet"), "{nothing}");
    let tea = Played::begin(folder.path(), &[]);
    tea.does("OrderTea", &json!({"tea": "1", "sort": "green"}));
    tea.until("/play", |page| page.contains("value=\"tea:1\""));
    tea.submits(
        "/play/example",
        &[("thing", "tea:1"), ("name", "Green tea")],
    );
    let saved = "\
example Green tea
  when Order tea with sort green
  then Tea ordered with sort green
  and ask Host to Brew tea
";
    let wanted = format!("{BOARD}\n{saved}");
    assert_eq!(fs::read_to_string(&file).unwrap(), wanted);
    // The page follows the file that was saved.
    tea.until("/board?show=text", |page| page.contains("Green tea"));
    tea.end();
    let copy = told_in(
        folder.path(),
        &["play", "tea.board", "--save-as-example=copy.board"],
    );
    assert!(
        copy.contains("example Order tea, as it was played"),
        "{copy}"
    );
    let copied = fs::read_to_string(folder.path().join("copy.board")).unwrap();
    assert!(copied.starts_with(&wanted), "{copied}");
    // The examples say nothing that breaks a rule; all else is as it was.
    fs::write(folder.path().join("first.board"), BOARD).unwrap();
    let found = |file| {
        let said = told_in(folder.path(), &["board", "lint", file]);
        said.matches("error[").count() + said.matches("warning[").count()
    };
    assert!(found("copy.board") <= found("first.board"));
}

#[test]
fn what_is_played_in_memory_is_kept_while_the_board_is_edited() {
    let folder = folder();
    let tea = Played::begin(folder.path(), &["--memory"]);
    tea.does("OrderTea", &json!({"tea": "1", "sort": "green"}));
    let edited = BOARD.replace("within 5 minutes", "within 4 minutes");
    fs::write(folder.path().join("tea.board"), &edited).unwrap();
    tea.until("/board?show=text", |page| page.contains("within 4 minutes"));
    tea.does("BrewTea", &json!({"tea": "1"}));
    assert_eq!(tea.happened(), ["TeaOrdered", "TeaBrewed"]);
    assert!(!folder.path().join("tea.play").exists());
}

#[test]
fn a_board_with_mistakes_is_not_played_and_is_shown_where() {
    let folder = folder();
    let wrong = BOARD.replace("raises Tea brewed", "raises Tea boiled");
    fs::write(folder.path().join("tea.board"), wrong).unwrap();
    insta::assert_snapshot!(told_in(folder.path(), &["play", "tea.board"]));
}
