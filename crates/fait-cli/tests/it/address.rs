//! The program on a running system, and on what only looks like one.

use crate::called::{at, begun, told, within};
use crate::kitchen::{Running, history};
use insta::assert_snapshot;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use tempfile::TempDir;

fn running() -> (TempDir, Running) {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let running = Running::on(folder.path());
    (folder, running)
}

/// The first lines that a child writes; then it is ended.
fn lines(mut child: Child, n: usize) -> String {
    let out = BufReader::new(child.stdout.take().unwrap());
    let lines: Vec<String> = out.lines().take(n).map(Result::unwrap).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    lines.join("\n")
}

#[test]
fn a_system_answers_as_its_folder_does() {
    let (folder, running) = running();
    let words: [&[&str]; 13] = [
        &["events", "list"],
        &["events", "list", "--newest", "--limit", "2", "--json"],
        &[
            "events",
            "list",
            "--type",
            "OrderPlaced",
            "--tag",
            "table:3",
        ],
        &["events", "show", "8"],
        &["trace", "4"],
        &["trace", "019b76da-a800-7000-8000-000000000064"],
        &["trace", "019b76da-a800-7000-8000-0000000000c8", "--json"],
        &["view", "list"],
        &["view", "rows", "table-plan", "--sort=-key", "--count"],
        &["view", "rows", "table-plan", "--filter", "key.starts=9"],
        &["view", "row", "table-plan", "3", "--json"],
        &["view", "row", "table-plan", "9"],
        &["process", "show", "serve-then-bill", "7"],
    ];
    let from_address = words.map(|w| at(&running.address, w));
    drop(running);
    let from_folder = words.map(|w| within(folder.path(), w));
    assert_eq!(from_address, from_folder);
}

#[test]
fn a_held_folder_is_refused_while_its_address_answers() {
    let (folder, _running) = running();
    let words = ["events", "list"];
    assert!(within(folder.path(), &words).contains("is in use by a running system"));
}

#[test]
fn processes_of_a_system_have_titles() {
    let (_folder, running) = running();
    assert_snapshot!("titled", at(&running.address, &["process", "list"]));
    let words = ["process", "show", "serve-bill"];
    assert_snapshot!("untitled", at(&running.address, &words));
}

#[test]
fn rows_are_read() {
    let (_folder, running) = running();
    let told = |words: &[&str]| at(&running.address, &[&["view"], words].concat());
    assert_snapshot!("rows", told(&["rows", "table-plan"]));
    assert_snapshot!("row", told(&["row", "table-plan", "3"]));
    assert_snapshot!("rows_csv", told(&["rows", "table-plan", "--csv"]));
    assert_snapshot!(
        "rows_json",
        told(&["rows", "table-plan", "--limit", "1", "--json"])
    );
    assert_snapshot!("rows_before", told(&["rows", "table-plan", "--as-of", "0"]));
    let odd = told(&["rows", "table-plan", "--filter", "ordrs=7"]);
    assert_snapshot!("rows_odd_column", odd);
    assert_snapshot!("rows_of_none", told(&["rows", "tableplan"]));
    assert_snapshot!("row_of_none", told(&["row", "table-plan", "33"]));
}

#[test]
fn a_view_is_rebuilt() {
    let (_folder, running) = running();
    let text = at(&running.address, &["view", "rebuild", "table-plan"]);
    let (before, took) = text.split_once(" in ").unwrap();
    assert_eq!(before, "view `table-plan` is rebuilt: 1 row");
    assert!(took.contains(" s; 1 key parked"), "{took}");
    let json = at(
        &running.address,
        &["view", "rebuild", "table-plan", "--json"],
    );
    let done: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&done["rows"], &done["position"]), (&1.into(), &14.into()));
    assert_snapshot!(at(&running.address, &["view", "rebuild", "tables"]));
}

#[test]
fn a_parked_instance_goes_on() {
    let (_folder, running) = running();
    let go = |key: &'static str| {
        let words = ["process", "resume", "serve-then-bill", key, "--skip"];
        let why = ["--reason", "paid in cash", "--by", "operator:eve"];
        at(&running.address, &[&words[..], &why[..]].concat())
    };
    assert_snapshot!("resumed", go("7"));
    // Said again by the same, it changes nothing.
    assert_snapshot!("resumed_twice", go("7"));
    assert_snapshot!("resumed_never_begun", go("70"));
    let words = ["events", "list", "--type", "$ProcessResumed", "--json"];
    let json = at(&running.address, &words);
    let found: serde_json::Value = serde_json::from_str(&json).unwrap();
    let resumed = &found["events"][0];
    assert_eq!(resumed["actor"], "operator:eve");
    assert_eq!(resumed["data"]["reason"], "paid in cash");
}

#[test]
fn events_are_followed_as_they_happen() {
    let (_folder, running) = running();
    let child = begun(&running.address, &["events", "follow", "--after", "12"]);
    let json = ["events", "follow", "--after", "14", "--json"];
    let as_json = begun(&running.address, &json);
    running.cook(9);
    let text = lines(child, 3);
    assert!(
        text.contains("    13  2026-11-23 23:56:03  serve-then-bill 8 asked Cook"),
        "{text}"
    );
    assert!(text.contains("OrderCooked by cook:bo: order 9"), "{text}");
    let event: serde_json::Value = serde_json::from_str(&lines(as_json, 1)).unwrap();
    assert_eq!(event["type"], "OrderCooked");
}

/// Answers each connection with one text, in order.
fn canned(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let mut asked = vec![];
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = vec![];
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                request.push(byte[0]);
            }
            let request = String::from_utf8(request).unwrap();
            asked.push(request.lines().next().unwrap_or_default().to_string());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    (address, thread)
}

fn http(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n{body}")
}

#[test]
fn a_lost_stream_is_taken_up_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    history(folder.path());
    let event = |n: &str| {
        let json = within(folder.path(), &["events", "show", n, "--json"]);
        let json = json.replace('\n', "");
        format!(": here\n\nid: {n}\nevent: event\ndata: {json}\n\n")
    };
    let stream = |body: &str| http("200 OK", "text/event-stream", body);
    let half = format!("{}id: 5\ndata: {{\"half", event("4"));
    let (address, asked) = canned(vec![stream(&half), stream(&event("5"))]);
    let child = begun(&address, &["events", "follow", "--after", "3"]);
    let text = lines(child, 3);
    assert!(
        text.contains("     4  ") && text.contains("     5  "),
        "{text}"
    );
    let asked = asked.join().unwrap();
    assert_eq!(
        asked[0],
        "GET /api/events/stream?after=3&facts=true HTTP/1.1"
    );
    assert_eq!(
        asked[1],
        "GET /api/events/stream?after=4&facts=true HTTP/1.1"
    );
}

#[test]
fn what_is_no_system_of_ours_is_said() {
    let web = http("404 Not Found", "text/html", "<h1>Nothing here</h1>");
    let (address, _) = canned(vec![web]);
    assert_snapshot!("not_ours", at(&address, &["view", "list"]));
    let other = http("200 OK", "application/json", "{\"hello\": 1}");
    let (address, _) = canned(vec![other]);
    assert_snapshot!("not_our_json", at(&address, &["view", "list"]));
}

#[test]
fn problems_are_told_in_their_own_words() {
    let problem = |status: &str, detail: &str| {
        let body = format!("{{\"title\": \"x\", \"detail\": \"{detail}\"}}");
        canned(vec![http(status, "application/problem+json", &body)]).0
    };
    let busy = problem("503 Service Unavailable", "the disk is full");
    assert_snapshot!("problem_503", at(&busy, &["view", "list"]));
    let words = problem("400 Bad Request", "`types` means nothing");
    assert_snapshot!("problem_400", at(&words, &["events", "list"]));
}

#[test]
fn nobody_at_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let text = at(&address, &["view", "list"]);
    assert!(text.contains("PLACE cannot be reached"), "{text}");
    assert!(text.contains("start the system"), "{text}");
    assert!(text.ends_with("-- exit 3\n"), "{text}");
}

#[test]
fn a_place_that_is_none_is_refused() {
    assert_snapshot!("nowhere", told(&["events", "list"]));
    for (name, place) in [
        ("tls", "https://example.org"),
        ("no_scheme", "localhost:7070"),
        ("no_host", "http://"),
        ("no_folder", "no-such-folder"),
    ] {
        assert_snapshot!(name, told(&["events", "list", "--at", place]));
    }
    let empty = tempfile::tempdir().unwrap();
    let text = within(Path::new(empty.path()), &["events", "list"]);
    assert!(text.contains("is not a store"), "{text}");
}
