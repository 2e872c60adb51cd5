//! A process that is killed while its views catch up, while one is rebuilt, and while the rebuilt
//! one takes the place of the one that serves: after each death the file holds, for every
//! generation, what a naive fold of the log up to its checkpoint is, and it is clear which serves.
//!
//! `FAIT_VIEW_KILLS` says how often each test kills; it says what it saw when this is set.
//! `FAIT_VIEW_KILL_SEED` repeats the moments.

use crate::items::*;
use fait::app::{App, RebuildState, RebuildStatus, ViewAction, ViewSizes};
use fait::event::Position;
use fait::store::Store;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER: &str = "FAIT_VIEW_KILL_FOLDER";
const DOES: &str = "FAIT_VIEW_KILL_DOES";
const TIMES: &str = "FAIT_VIEW_KILLS";
const SEED: &str = "FAIT_VIEW_KILL_SEED";
const ORDINARY_TIMES: usize = 8;
const KEYS: u64 = 900;

/// Poison for a few rows, removals, and events about two rows.
fn touched(n: u64) -> Touched {
    let items = [n % KEYS, n * 7 % KEYS];
    let how = match n {
        _ if n % 501 == 500 => How::Poison(n % KEYS, true),
        _ if n % 997 == 996 => How::Broken,
        _ if n % 13 == 12 => How::Remove,
        _ => How::Put,
    };
    Touched::new(&items, n, how)
}

fn open(folder: &Path) -> App {
    let sizes = ViewSizes {
        follow: (64, 128),
        rebuild: (128, 128),
        parallel: 64,
        dirty: 200,
        rows: 500,
        ..ViewSizes::default()
    };
    let app = App::in_folder(folder).view_threads(2).view_sizes(sizes);
    app.projection::<Items<false, false>>().build().unwrap()
}

/// The child, started by the tests below. Does nothing when it is run as an ordinary test.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let does = std::env::var(DOES).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let app = open(Path::new(&folder));
        say("open");
        match does.as_str() {
            "catch up" => app.settle().await,
            "rebuild" => rebuild(&app, true).await,
            "rebuild anew" => {
                rebuild(&app, true).await;
                let done = app.act_on_view(BY_TAGS, ViewAction::Cancel).await;
                done.unwrap();
                rebuild(&app, true).await;
            }
            "switch" => {
                rebuild(&app, true).await;
                say("go");
                let done = app.act_on_view(BY_TAGS, ViewAction::Switch).await;
                done.unwrap();
            }
            _ => {
                let number = begin(&app, false).await;
                say("go");
                while app.view_status(BY_TAGS).await.unwrap().generation != number {
                    tokio::time::sleep(Duration::from_micros(200)).await;
                }
            }
        }
        say("done");
        // Until it is killed.
        tokio::time::sleep(Duration::from_secs(600)).await;
    });
}

fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    // Who listened may be gone; so is this, soon.
    let _ = out.write_all(format!("\nsays {what}\n").as_bytes());
    let _ = out.flush();
}

async fn rebuild_of(app: &App) -> Option<RebuildStatus> {
    app.view_status(BY_TAGS).await.unwrap().rebuild
}

/// Goes on with a rebuild, or begins one.
async fn begin(app: &App, hold: bool) -> u64 {
    app.settle().await;
    if let Some(half) = rebuild_of(app).await {
        return half.generation;
    }
    let rebuild = ViewAction::Rebuild { hold };
    app.act_on_view(BY_TAGS, rebuild).await.unwrap();
    let status = app.view_status(BY_TAGS).await.unwrap();
    status.rebuild.map_or(status.generation, |r| r.generation)
}

async fn rebuild(app: &App, hold: bool) {
    let number = begin(app, hold).await;
    loop {
        match rebuild_of(app).await {
            Some(r) if r.generation == number && r.state != RebuildState::Ready => {}
            _ => return,
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// Moments that chance chooses, the same for the same seed.
struct Dice(u64);

impl Dice {
    fn new() -> Dice {
        let wanted = std::env::var(SEED).ok();
        let seed = wanted.map_or_else(
            || fait::reexport::uuid::Uuid::new_v4().as_u128() as u64,
            |n| n.parse().expect("FAIT_VIEW_KILL_SEED is a number"),
        );
        eprintln!("{SEED}={seed}");
        Dice(seed)
    }

    /// A moment within some time.
    fn within(&mut self, time: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        Duration::from_micros((self.0 >> 33) % (time.as_micros() as u64).max(1))
    }
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    fn start(folder: &Path, does: &str) -> Running {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "views_kill::child", "--nocapture"])
            .env(FOLDER, folder)
            .env(DOES, does)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }

    fn hears(&mut self, what: &str) {
        let wanted = format!("says {what}");
        let heard = self.lines.any(|line| line.is_ok_and(|l| l == wanted));
        assert!(heard, "it died before it said `{what}`");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A generation as it stands in the file.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    state: String,
    position: Position,
}

/// A folder, with what the file of its views must be.
struct Folder {
    temp: tempfile::TempDir,
    history: Vec<Touched>,
    /// What a naive fold had come to.
    known: BTreeMap<Position, Naive>,
    dice: Dice,
}

impl Folder {
    fn new(count: u64) -> Folder {
        let temp = tempfile::tempdir().unwrap();
        let history: Vec<Touched> = (0..count).map(touched).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = fait_store::Disk::open(temp.path()).unwrap();
            for some in history.chunks(1000) {
                append(&store, some.iter().map(new_event).collect()).await;
            }
            store.close().await;
        });
        let known = [(0, Naive::default())].into();
        let dice = Dice::new();
        Folder {
            temp,
            history,
            known,
            dice,
        }
    }

    fn path(&self) -> &Path {
        self.temp.path()
    }

    fn forget_views(&self) {
        for file in ["views.db", "views.db-wal", "views.db-shm"] {
            let _ = std::fs::remove_file(self.path().join(file));
        }
    }

    fn naive(&mut self, at: Position) -> Naive {
        let (from, naive) = self.known.range(..=at).next_back().unwrap();
        let (from, mut naive) = (*from, naive.clone());
        for (position, event) in (from + 1..=at).zip(&self.history[from as usize..]) {
            naive.take(position, event, BY_TAGS, false);
        }
        self.known.insert(at, naive.clone());
        naive
    }

    /// How long one takes from its opening to where it is done, and that it is right then.
    fn whole(&mut self, does: &str, from: &str) -> Duration {
        let mut running = Running::start(self.path(), does);
        running.hears(from);
        let begun = Instant::now();
        running.hears("done");
        let took = begun.elapsed();
        drop(running);
        self.is_right();
        took
    }

    /// Everything that the file says after a death.
    fn is_right(&mut self) -> BTreeMap<u64, Found> {
        let c = Connection::open(self.path().join("views.db")).unwrap();
        let mut sql = c
            .prepare("SELECT gen, state, position, tables FROM fait_views WHERE name = ?1")
            .unwrap();
        let all: Vec<(u64, Found, String)> = sql
            .query_map([BY_TAGS], |r| {
                let (state, position) = (r.get(1)?, r.get::<_, i64>(2)? as u64);
                let found = Found { state, position };
                Ok((r.get::<_, i64>(0)? as u64, found, r.get(3)?))
            })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        let mut sql = c
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'by_tags*'")
            .unwrap();
        let tables = sql.query_map([], |r| r.get::<_, String>(0)).unwrap();
        let tables: Vec<String> = tables.map(Result::unwrap).collect();
        let mut known: Vec<String> = all.iter().map(|(_, _, t)| t.clone()).collect();
        let mut there = tables;
        known.sort();
        there.sort();
        assert_eq!(there, known, "each table belongs to a generation");
        let serving = all.iter().filter(|(_, f, _)| f.state == "serving");
        let serving: Vec<&String> = serving.map(|(_, _, table)| table).collect();
        assert_eq!(serving.len(), 1, "one serves: {all:?}");
        let view = "SELECT sql FROM sqlite_master WHERE type = 'view' AND name = 'by_tags'";
        let view: String = c.query_row(view, [], |r| r.get(0)).unwrap();
        let shows = format!("FROM \"{}\" t", serving[0]);
        assert!(view.contains(&shows), "{view} shows what serves, {shows}");
        for (number, found, _) in &all {
            let naive = self.naive(found.position);
            let dump = Dump::of(&c, BY_TAGS, *number);
            assert!(dump == naive, "{found:?} {dump:#?} is not {naive:#?}");
        }
        all.into_iter().map(|(n, found, _)| (n, found)).collect()
    }
}

fn times() -> usize {
    let wanted = std::env::var(TIMES).ok();
    wanted.map_or(ORDINARY_TIMES, |n| n.parse().expect("a number"))
}

fn tell(what: &str) {
    if std::env::var_os(TIMES).is_some() {
        println!("{what}");
    }
}

#[test]
fn killed_while_it_catches_up_no_row_is_lost_or_doubled() {
    let mut folder = Folder::new(12_000);
    let head = 12_000;
    let whole = folder.whole("catch up", "open");
    folder.forget_views();
    let (mut amidst, mut ends, mut last) = (0, 0, 0);
    let (mut kills, mut resumed) = (0, 0);
    // Few kills may all hit the end: then there are some more.
    for life in 0.. {
        if life >= times() && amidst > 0 {
            break;
        }
        assert!(life < 10 * times(), "it is not aimed well");
        let moment = folder.dice.within(whole);
        let mut running = Running::start(folder.path(), "catch up");
        running.hears("open");
        std::thread::sleep(moment);
        drop(running);
        let found = folder.is_right();
        let at = found[&1].position;
        assert!(at >= last, "{at} lies before {last}");
        kills += 1;
        amidst += usize::from(at > 0 && at < head);
        resumed += usize::from(last > 0);
        last = at;
        if at == head {
            ends += 1;
            last = 0;
            folder.forget_views();
        }
    }
    tell(&format!(
        "{kills} kills: {amidst} amidst, {ends} at the end, {resumed} lives went on where the one \
         before stood; caught up in {whole:.1?}"
    ));
}

#[test]
fn killed_while_it_rebuilds_it_goes_on_where_it_stood() {
    let mut folder = Folder::new(12_000);
    folder.whole("catch up", "open");
    let whole = folder.whole("rebuild", "open");
    let (mut amidst, mut ready, mut resumed, mut kills) = (0, 0, 0, 0);
    let mut last: Option<(u64, Found)> = None;
    // Few kills may all hit the end: then there are some more.
    for life in 0.. {
        if life >= times() && amidst > 0 {
            break;
        }
        assert!(life < 10 * times(), "it is not aimed well");
        let moment = folder.dice.within(whole);
        let is_made = |(_, f): &(u64, Found)| f.state == "ready";
        let does = match last.take_if(|last| is_made(last)) {
            Some(_) => "rebuild anew",
            None => "rebuild",
        };
        let mut running = Running::start(folder.path(), does);
        running.hears("open");
        std::thread::sleep(moment);
        drop(running);
        let found = folder.is_right();
        kills += 1;
        assert_eq!(found[&1].position, 12_000, "what serves is whole");
        if let Some((number, before)) = &last {
            let now = &found[number];
            assert!(now.position >= before.position, "{now:?} {before:?}");
            resumed += usize::from(before.position > 0);
        }
        last = found.into_iter().next_back().filter(|(n, _)| *n > 1);
        let Some((_, now)) = &last else { continue };
        amidst += usize::from(now.state == "building" && now.position > 0);
        ready += usize::from(now.state == "ready");
    }
    tell(&format!(
        "{kills} kills: {amidst} amidst, {ready} when it was ready, {resumed} lives went on where \
         the one before stood; rebuilt in {whole:.1?}"
    ));
}

#[test]
fn killed_around_the_switch_one_serves_and_it_is_whole() {
    let mut folder = Folder::new(3_000);
    folder.whole("catch up", "open");
    // A switch takes less than its answer; a rebuild that is not held is aimed at as a whole.
    let held = folder.whole("switch", "go") * 2;
    let free = folder.whole("take over", "go") * 3 / 2;
    let (mut before, mut after, mut building) = (0, 0, 0);
    // Few kills may all hit the same side: then there are some more.
    for life in 0.. {
        if life >= times() && before > 0 && after > 0 {
            break;
        }
        let (does, within) = match life % 2 {
            0 => ("switch", held),
            _ => ("take over", free),
        };
        assert!(
            life < 10 * times(),
            "{before} before, {after} after: it is not aimed well"
        );
        let moment = folder.dice.within(within);
        let serves = |found: &BTreeMap<u64, Found>| {
            let serving = found.iter().find(|(_, f)| f.state == "serving");
            *serving.unwrap().0
        };
        let was = serves(&folder.is_right());
        let mut running = Running::start(folder.path(), does);
        running.hears("go");
        std::thread::sleep(moment);
        drop(running);
        let found = folder.is_right();
        let now = serves(&found);
        assert_eq!(found[&now].position, 3_000, "what serves is whole");
        match now == was {
            true => before += 1,
            false => after += 1,
        }
        building += usize::from(found.values().any(|f| f.state == "building"));
    }
    let times = before + after;
    tell(&format!(
        "{times} kills: {before} before the switch ({building} of them still building), {after} \
         after it; a held switch is answered within {:.1?}",
        held / 2
    ));
}
