//! Any history, any batching, any crash points, any parallelism: what serves is what a rebuild
//! makes, what a new system makes, and what a naive fold makes; and after a fix and a retry too.
//!
//! `FAIT_VIEW_CASES` says how many cases are tried.

use crate::items::*;
use fait::app::{App, AppBuilder, RebuildState, ViewAction, ViewError, ViewSizes};
use fait::event::{NewEvent, Origin, Position};
use fait::reexport::uuid::Uuid;
use fait::store::Memory;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const CASES: &str = "FAIT_VIEW_CASES";
const VIEWS: [&str; 2] = [BY_TAGS, BY_KEYS];

/// Not a bound on speed: without an end, a view that hangs would hang the test.
const HANGS: Duration = Duration::from_secs(60);

/// What is done while a system runs.
#[derive(Clone, Debug)]
enum Do {
    /// The next events come, in one append.
    Append(usize),
    Act(ViewAction),
    Yield,
    Nap(u64),
    Settle,
}

/// A system from its start to its end.
#[derive(Clone, Debug)]
struct Life {
    threads: usize,
    /// Whether tasks of the runtime run at the same time.
    many: bool,
    sizes: Sizes,
    does: Vec<Do>,
    /// Nothing is written any more from some moment on, as if the machine had gone out.
    crashes: bool,
}

/// All of [`ViewSizes`].
type Sizes = [usize; 10];

fn sizes(s: Sizes) -> ViewSizes {
    ViewSizes {
        follow: (s[0], s[1]),
        rebuild: (s[2], s[3]),
        refold: s[4],
        by_tags: s[5],
        parallel: s[6],
        rows: s[7],
        dirty: s[8],
        together: s[9],
    }
}

/// What came to pass; nothing where an event stands that no view listens to.
type History = Vec<Option<(Vec<u64>, How)>>;

fn history() -> impl Strategy<Value = History> {
    let item = 0..9_u64;
    let how = prop_oneof![
        30 => Just(How::Put),
        6 => Just(How::Remove),
        3 => (item.clone(), any::<bool>()).prop_map(|(item, half)| How::Poison(item, half)),
        1 => Just(How::Broken),
        1 => Just(How::Bursts),
        1 => Just(How::Keyless),
    ];
    vec(option::weighted(0.9, (vec(item, 0..4), how)), 0..70)
}

fn act() -> impl Strategy<Value = ViewAction> {
    let rebuild = any::<bool>().prop_map(|hold| ViewAction::Rebuild { hold });
    let key = (0..9_u64).prop_map(|k| k.to_string());
    prop_oneof![
        4 => rebuild,
        1 => Just(ViewAction::Pause),
        1 => Just(ViewAction::Resume),
        1 => Just(ViewAction::Cancel),
        2 => Just(ViewAction::Switch),
        1 => Just(ViewAction::RollBack),
        2 => option::of(key).prop_map(|key| ViewAction::Retry { key }),
    ]
}

fn life() -> impl Strategy<Value = Life> {
    let does = prop_oneof![
        6 => (0..12_usize).prop_map(Do::Append),
        4 => act().prop_map(Do::Act),
        4 => Just(Do::Yield),
        3 => (0..3000_u64).prop_map(Do::Nap),
        2 => Just(Do::Settle),
    ];
    let sizes = [
        1..9_usize,
        1..30,
        1..9,
        1..30,
        1..6,
        0..6,
        1..40,
        0..14,
        1..12,
        1..4,
    ];
    let how = (1..5_usize, any::<bool>(), sizes, any::<bool>());
    (how, vec(does, 0..14)).prop_map(|((threads, many, sizes, crashes), does)| Life {
        threads,
        many,
        sizes,
        does,
        crashes,
    })
}

/// A log, the file of the views, and how much of the history has happened.
struct World {
    folder: tempfile::TempDir,
    store: Arc<Memory>,
    history: Vec<Option<Touched>>,
    happened: usize,
}

impl World {
    fn new(history: History) -> World {
        let touched = |(n, e): (usize, Option<(Vec<u64>, How)>)| {
            e.map(|(items, how)| Touched::new(&items, n as u64, how))
        };
        World {
            folder: tempfile::tempdir().unwrap(),
            store: Arc::default(),
            history: history.into_iter().enumerate().map(touched).collect(),
            happened: 0,
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("views.db")
    }

    fn app<const HEALED: bool>(&self, file: &Path, threads: usize, sizes: ViewSizes) -> App {
        let app: AppBuilder = App::on(self.store.clone()).views_in(file);
        app.view_threads(threads)
            .view_sizes(sizes)
            .projection::<Items<HEALED, false>>()
            .projection::<Items<HEALED, true>>()
            .build()
            .unwrap()
    }

    async fn happens(&mut self, count: usize) {
        let until = (self.happened + count).min(self.history.len());
        let event = |n: usize| match &self.history[n] {
            Some(touched) => new_event(touched),
            None => NewEvent {
                id: Uuid::from_u128(n as u128 + 1),
                ty: "SomethingElse".into(),
                version: 1,
                tags: vec![],
                data: b"{}".to_vec().into(),
                origin: Origin::default(),
            },
        };
        let events: Vec<NewEvent> = (self.happened..until).map(event).collect();
        self.happened = until;
        if !events.is_empty() {
            append(&*self.store, events).await;
        }
    }

    fn naive(&self, view: &str, healed: bool) -> Naive {
        let happened = self.history[..self.happened].iter().zip(1..);
        let touched = happened.filter_map(|(e, at)| Some((at, e.as_ref()?)));
        Naive::of(touched, view, healed)
    }

    fn live(&mut self, life: &Life) -> Result<(), TestCaseError> {
        let runtime = runtime(life.many);
        runtime.block_on(async {
            let app = self.app::<false>(&self.file(), life.threads, sizes(life.sizes));
            for what in &life.does {
                match what {
                    Do::Append(count) => self.happens(*count).await,
                    Do::Yield => tokio::task::yield_now().await,
                    Do::Nap(micros) => tokio::time::sleep(Duration::from_micros(*micros)).await,
                    Do::Settle => ends(app.settle()).await?,
                    Do::Act(act) => {
                        for view in VIEWS {
                            let done = ends(app.act_on_view(view, act.clone())).await?;
                            let fine = matches!(done, Ok(_) | Err(ViewError::NotNow(_)));
                            prop_assert!(fine, "{act:?}: {done:?}");
                        }
                    }
                }
            }
            match life.crashes {
                true => {
                    let power = Connection::open(self.file()).unwrap();
                    let power = Power::cut(power);
                    ends(app.stop()).await?;
                    drop(app);
                    power.comes_back();
                    Ok(())
                }
                false => ends(app.stop()).await,
            }
        })
    }
}

fn runtime(many: bool) -> Runtime {
    let mut runtime = match many {
        true => Builder::new_multi_thread(),
        false => Builder::new_current_thread(),
    };
    runtime.worker_threads(2).enable_all().build().unwrap()
}

async fn ends<T>(work: impl Future<Output = T>) -> Result<T, TestCaseError> {
    let done = tokio::time::timeout(HANGS, work).await;
    done.map_err(|_| TestCaseError::fail("it hangs"))
}

/// From here on every transaction fails, and none is half done.
struct Power(Connection);

const TABLES: [&str; 3] = ["fait_views", "fait_parked_keys", "fait_unread"];
const WRITES: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

impl Power {
    fn cut(c: Connection) -> Power {
        c.busy_timeout(HANGS).unwrap();
        let mut sql = "BEGIN IMMEDIATE;".to_string();
        for (table, write) in TABLES.iter().flat_map(|t| WRITES.map(|w| (t, w))) {
            sql += &format!(
                "CREATE TRIGGER no_{table}_{write} BEFORE {write} ON {table}
                 BEGIN SELECT RAISE(ABORT, 'the power is gone'); END;"
            );
        }
        c.execute_batch(&(sql + "COMMIT")).unwrap();
        Power(c)
    }

    fn comes_back(self) {
        for (table, write) in TABLES.iter().flat_map(|t| WRITES.map(|w| (t, w))) {
            let sql = format!("DROP TRIGGER no_{table}_{write}");
            self.0.execute_batch(&sql).unwrap();
        }
    }
}

/// Rows that one of two generations has and the other has not, as SQL compares them.
fn differing(c: &Connection, view: &str, a: u64, b: u64) -> i64 {
    let table = |n| format!("\"{}__{n}\"", view.replace('-', "_"));
    let parked = |n| format!("fait_parked_keys WHERE view = '{view}' AND gen = {n}");
    let one = |what: &str, a: String, b: String| {
        format!("SELECT * FROM (SELECT {what} FROM {a} EXCEPT SELECT {what} FROM {b})")
    };
    let rows = "key, CAST(\"row\" AS BLOB), position";
    let why = "key, position, CAST(reason AS BLOB)";
    let sql = [
        one(rows, table(a), table(b)),
        one(rows, table(b), table(a)),
        one(why, parked(a), parked(b)),
        one(why, parked(b), parked(a)),
    ];
    let count = |sql: &String| {
        c.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |r| {
            r.get::<_, i64>(0)
        })
    };
    sql.iter().map(|sql| count(sql).unwrap()).sum()
}

async fn ready(app: &App, view: &str) -> Result<u64, TestCaseError> {
    let wait = async {
        loop {
            let status = app.view_status(view).await.unwrap();
            if let Some(rebuild) = status.rebuild
                && rebuild.state == RebuildState::Ready
            {
                return rebuild.generation;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    ends(wait).await
}

async fn equals_all(world: &World, app: &App, healed: bool) -> Result<(), TestCaseError> {
    let file = world.folder.path().join(format!("fresh{healed}.db"));
    let fresh = match healed {
        true => world.app::<true>(&file, 1, ViewSizes::default()),
        false => world.app::<false>(&file, 1, ViewSizes::default()),
    };
    ends(fresh.settle()).await?;
    for view in VIEWS {
        let status = app.view_status(view).await.unwrap();
        let c = Connection::open(world.file()).unwrap();
        let dump = Dump::of(&c, view, status.generation);
        let naive = world.naive(view, healed);
        prop_assert!(dump == naive, "{view} {dump:#?} is not {naive:#?}");
        prop_assert_eq!(status.position, world.happened as Position);
        let anew = Dump::of(&Connection::open(&file).unwrap(), view, 1);
        prop_assert_eq!(&dump, &anew, "a fresh system");
        let sql = format!("SELECT count(*) FROM {}", view.replace('-', "_"));
        let shown: i64 = c.query_row(&sql, [], |r| r.get(0)).unwrap();
        prop_assert_eq!(shown as usize, dump.rows.len());
        let stale = format!(
            "SELECT count(*) FROM {} WHERE stale IS NOT NULL",
            view.replace('-', "_")
        );
        let stale: i64 = c.query_row(&stale, [], |r| r.get(0)).unwrap();
        let parked = |(key, _, _): &&(String, String, u64)| dump.parked.iter().any(|p| p.0 == *key);
        let wanted = match dump.unread.is_empty() {
            true => dump.rows.iter().filter(parked).count(),
            false => dump.rows.len(),
        };
        prop_assert_eq!(stale as usize, wanted, "rows that say that they are stale");
    }
    ends(fresh.stop()).await
}

async fn equals_rebuilt(world: &World, app: &App) -> Result<(), TestCaseError> {
    for view in VIEWS {
        // What an earlier life has left half made.
        let _ = ends(app.act_on_view(view, ViewAction::Cancel)).await?;
        let rebuild = ViewAction::Rebuild { hold: true };
        let begun = ends(app.act_on_view(view, rebuild)).await?;
        prop_assert!(begun.is_ok(), "{begun:?}");
        let rebuilt = ready(app, view).await?;
        let serving = app.view_status(view).await.unwrap().generation;
        let c = Connection::open(world.file()).unwrap();
        prop_assert_eq!(differing(&c, view, serving, rebuilt), 0, "{}", view);
    }
    Ok(())
}

fn holds(history: History, lives: &[Life], last: &Life) -> Result<(), TestCaseError> {
    let mut world = World::new(history);
    for life in lives {
        world.live(life)?;
    }
    runtime(last.many).block_on(async {
        let app = world.app::<false>(&world.file(), last.threads, sizes(last.sizes));
        let rest = world.history.len().saturating_sub(3);
        world.happens(rest.saturating_sub(world.happened)).await;
        ends(app.settle()).await?;
        equals_all(&world, &app, false).await?;
        equals_rebuilt(&world, &app).await?;
        ends(app.stop()).await?;
        drop(app);
        // The program is mended. What serves takes up what it missed; the other when it serves.
        let app = world.app::<true>(&world.file(), last.threads, sizes(last.sizes));
        world.happens(3).await;
        ends(app.settle()).await?;
        equals_all(&world, &app, true).await?;
        for view in VIEWS {
            let done = ends(app.act_on_view(view, ViewAction::Switch)).await?;
            prop_assert!(done.is_ok(), "{done:?}");
        }
        ends(app.settle()).await?;
        equals_all(&world, &app, true).await?;
        equals_rebuilt(&world, &app).await?;
        ends(app.stop()).await
    })
}

#[test]
fn what_serves_is_what_a_rebuild_a_new_system_and_a_naive_fold_make() {
    let wanted = std::env::var(CASES).ok();
    let config = Config {
        cases: wanted.map_or(100, |n| n.parse().expect("FAIT_VIEW_CASES is a number")),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let cases = (history(), vec(life(), 0..4), life());
    let tried = TestRunner::new(config).run(&cases, |(history, lives, last)| {
        holds(history, &lives, &last)
    });
    tried.unwrap_or_else(|e| panic!("{e}"));
}
