//! A reader that is killed again and again while it takes events in.

use super::exactly::{books, reader, take, taken};
use super::server::{Server, connect};
use super::{fill, postgres as pg, wired};
use fait::app::App;
use fait::reexport::uuid::Uuid;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;

const FOLDER: &str = "FAIT_FEED_KILL_FOLDER";
const INTO: &str = "FAIT_FEED_KILL_INTO";
const MOST: &str = "FAIT_FEED_KILL_MOST";
const EVENTS: u32 = 5000;
/// Fewer kills show less than is promised.
const KILLS: usize = 20;

/// The child, started by the tests below. Does nothing when it is run as an ordinary test.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let runtime = Runtime::new().unwrap();
    let app = runtime.block_on(async { wired(App::in_folder(folder)) });
    let into = std::env::var(INTO).unwrap();
    match into.as_str() {
        "sqlite" => runtime.block_on(into_sqlite(&app, folder)),
        "file" => runtime.block_on(into_file(&app, folder)),
        socket => into_postgres(&app, Path::new(socket), &runtime),
    }
    runtime.block_on(app.stop());
    println!("the end");
}

/// Says that one more batch is taken in. Nobody may listen any more. After so many it only waits
/// for its end: a quick machine must not come to the end of the events within a few lives.
fn say() {
    static SAID: AtomicUsize = AtomicUsize::new(0);
    let _ = std::io::stdout().lock().write_all(b"taken\n");
    let most: usize = std::env::var(MOST).unwrap().parse().unwrap();
    while SAID.fetch_add(1, Ordering::Relaxed) + 1 >= most {
        std::thread::park();
    }
}

async fn into_sqlite(app: &App, folder: &Path) {
    let mut db = books(&folder.join("books.db"));
    let mut feed = reader(app, &db).await.unwrap();
    while let Some(mut batch) = feed.next_now().await.unwrap() {
        take(&mut db, &mut batch).unwrap();
        batch.done().await.unwrap();
        say();
    }
}

fn into_postgres(app: &App, socket: &Path, runtime: &Runtime) {
    let mut db = connect(socket);
    let (store, at) = pg::stands(&mut db, app.store_id());
    let mut feed = runtime.block_on(pg::reader(app, &store, at)).unwrap();
    while let Some(mut batch) = runtime.block_on(feed.next_now()).unwrap() {
        let step = batch.step().unwrap();
        assert_eq!(pg::take(&mut db, batch.events(), &step).unwrap(), 1);
        runtime.block_on(batch.done()).unwrap();
        say();
    }
}

/// With a checkpoint that `fait` keeps, each line may come again.
async fn into_file(app: &App, folder: &Path) {
    let file = std::fs::File::options();
    let mut file = file
        .clone()
        .create(true)
        .append(true)
        .open(folder.join("lines"))
        .unwrap();
    let feed = app.feed(super::everything()).named("lines").at_most(8);
    let mut feed = feed.open().await.unwrap();
    while let Some(batch) = feed.next_now().await.unwrap() {
        let lines: Vec<String> = batch
            .events()
            .iter()
            .map(|e| format!("{}\n", e.meta.position))
            .collect();
        file.write_all(lines.concat().as_bytes()).unwrap();
        batch.done().await.unwrap();
        say();
    }
}

fn start(folder: &Path, into: &str, most: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "feeds::killed::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(INTO, into)
        .env(MOST, most.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Starts readers and kills them, until one comes to its end; how many were killed.
fn kill_and_kill(folder: &Path, into: &str) -> usize {
    let mut kills = 0;
    loop {
        let chance = Uuid::new_v4().as_u128();
        let batches = 1 + (chance % 12) as usize;
        let mut child = start(folder, into, batches + 12);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let taken = lines
            .by_ref()
            .filter(|line| line.ends_with("taken"))
            .take(batches)
            .count();
        if taken < batches {
            let status = child.wait().unwrap();
            assert!(status.success(), "{status}: it died by itself");
            return kills;
        }
        // At any moment within the next batches.
        std::thread::sleep(Duration::from_micros((chance >> 8) as u64 % 1500));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
}

/// A folder with events that nobody has taken in.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let disk = fait_store::Disk::open(folder.path()).unwrap();
    Runtime::new().unwrap().block_on(fill(&disk, EVENTS));
    folder
}

#[test]
fn killed_again_and_again_it_takes_each_event_into_sqlite_once() {
    let folder = filled();
    let kills = kill_and_kill(folder.path(), "sqlite");
    let taken = taken(&books(&folder.path().join("books.db")));
    assert!(
        taken == (1..=i64::from(EVENTS)).collect::<Vec<_>>(),
        "{kills} kills: {taken:?}"
    );
    assert!(kills >= KILLS, "{kills} kills");
    println!("{kills} kills");
}

#[test]
fn killed_again_and_again_it_takes_each_event_into_postgres_once() {
    let (folder, server) = (filled(), Server::start());
    let mut db = connect(server.socket());
    pg::prepare(&mut db);
    let kills = kill_and_kill(folder.path(), &server.socket().display().to_string());
    let taken = pg::taken(&mut db);
    assert!(
        taken == (1..=i64::from(EVENTS)).collect::<Vec<_>>(),
        "{kills} kills: {taken:?}"
    );
    assert!(kills >= KILLS, "{kills} kills");
    println!("{kills} kills");
}

#[test]
fn killed_again_and_again_it_takes_each_event_at_least_once_and_none_out_of_turn() {
    let folder = filled();
    let kills = kill_and_kill(folder.path(), "file");
    let lines = std::fs::read_to_string(folder.path().join("lines")).unwrap();
    let mut last = 0;
    let mut most = 0;
    for line in lines.lines() {
        let position: u32 = line.parse().unwrap();
        assert!(
            position <= most + 1,
            "{position} came after {last}: some were left out"
        );
        assert!(
            position == last + 1 || position <= last && (position - 1).is_multiple_of(8),
            "{position} came after {last}: a batch is not in its order"
        );
        (last, most) = (position, most.max(position));
    }
    assert_eq!(most, EVENTS);
    assert!(kills >= KILLS, "{kills} kills");
    println!("{kills} kills");
}
