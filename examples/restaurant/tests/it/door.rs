//! The program itself: what it says when it cannot open, and that it leaves things as they were.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

fn restaurant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_restaurant"))
        .args(args)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|e| {
            let name = e.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(e.path()).unwrap())
        })
        .collect()
}

#[test]
fn a_newer_format_and_a_foreign_folder_are_refused_and_unchanged() {
    let newer = tempfile::tempdir().unwrap();
    fait_store_of(newer.path());
    let meta = newer.path().join("meta");
    let mut bytes = std::fs::read(&meta).unwrap();
    bytes[8] = 9;
    std::fs::write(&meta, bytes).unwrap();
    let foreign = tempfile::tempdir().unwrap();
    std::fs::write(foreign.path().join("letter.txt"), "dear reader").unwrap();
    for (folder, wanted) in [(&newer, "use a newer program"), (&foreign, "letter.txt")] {
        let before = files(folder.path());
        let data = folder.path().to_str().unwrap();
        let output = restaurant(&["--listen", "127.0.0.1:0", "--data", data]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(wanted), "{}", said(&output));
        assert_eq!(files(folder.path()), before);
    }
}

#[test]
fn the_next_program_is_asked_before_it_opens() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let terminal = restaurant::card::Terminal::new(false);
        let app = restaurant::wired(fait::App::in_folder(folder.path()), terminal);
        let app = app.build().unwrap();
        let order = restaurant::orders::PlaceOrder {
            order: restaurant::events::OrderId::named("7"),
            table: 7,
            dishes: vec!["soup".into()],
            pays_first: false,
        };
        app.send(order).await.unwrap();
        app.settle().await;
        app.stop().await;
    });
    let data = folder.path().to_str().unwrap();
    let output = restaurant(&["--preflight", data, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: fait::app::Preflight = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report.in_flight["serve-then-bill"], 1);
    assert!(report.ok());
    let output = restaurant(&["--shadow", "serve-then-bill", "--data", data]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let output = restaurant(&["--history", data, "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: fait::app::history::History = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((report.commands.same, report.events.len()), (1, 1));
    assert!(report.ok());
    let output = restaurant(&["--preflight", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}

/// Makes a store in a folder, and closes it.
fn fait_store_of(folder: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let app = fait::App::in_folder(folder).build().unwrap();
        app.stop().await;
    });
}

#[test]
fn a_folder_in_use_and_an_address_in_use_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(async { fait::App::in_folder(folder.path()).build().unwrap() });
    let output = restaurant(&["--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("in use"), "{}", said(&output));
    runtime.block_on(app.stop());

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = restaurant(&["--listen", &address, "--data", data]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        said(&output).contains("choose another with --listen"),
        "{}",
        said(&output)
    );
}

#[test]
fn bad_flags_say_what_is_possible() {
    for (args, wanted) in [
        (["--staff", "lazy"], "the staff is flaky, reliable or none"),
        (
            ["--pace", "fast"],
            "the pace is a number from 0.001 to 100000",
        ),
        (["--listen", "here"], "invalid socket address"),
        (["--oders", "3"], "--orders"),
    ] {
        let output = restaurant(&args);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains(wanted), "{}", said(&output));
    }
    let help = restaurant(&["--help"]);
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    for flag in [
        "--listen",
        "--data",
        "--staff",
        "--pace",
        "--orders",
        "RESTAURANT_PACE",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn a_polite_stop_ends_with_success() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_restaurant"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--data",
            folder.path().to_str().unwrap(),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(700));
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
