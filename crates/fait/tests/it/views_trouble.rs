//! Views while the store or the database does not answer, and questions that come at the very
//! moment at which something ends.

use crate::items::*;
use fait::app::{App, RebuildState, ViewAction, ViewError, ViewSizes};
use fait::event::Position;
use fait::query::Query;
use fait::reexport::uuid::Uuid;
use fait::store::{
    Append, AppendError, Appended, BoxFuture, CommandKey, Erase, Erased, Memory, Range, Slice,
    Store, StoreError,
};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

const COUNT: u64 = 60;
/// What serves reads so many events at once.
const NEAR: usize = 1;
const FAR: usize = 7;
/// Not a bound on speed: what hangs would hang the test.
const HANGS: Duration = Duration::from_secs(60);

/// A store that cannot be read now and then, and makes those wait who read as what serves does.
#[derive(Clone)]
struct Shaky(Arc<Inside>);

struct Inside {
    store: Memory,
    broken: AtomicBool,
    refused: AtomicUsize,
    /// They wait for a permit.
    gate: Semaphore,
}

impl Shaky {
    fn new() -> Shaky {
        Shaky(Arc::new(Inside {
            store: Memory::default(),
            broken: AtomicBool::new(false),
            refused: AtomicUsize::new(0),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        }))
    }

    async fn refuses(&self, times: usize) {
        let begun = self.0.refused.load(Ordering::SeqCst);
        self.0.broken.store(true, Ordering::SeqCst);
        while self.0.refused.load(Ordering::SeqCst) < begun + times {
            sleep(Duration::from_millis(1)).await;
        }
        self.0.broken.store(false, Ordering::SeqCst);
    }
}

impl Store for Shaky {
    fn id(&self) -> Uuid {
        self.0.store.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        self.0.store.append(append)
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(async move {
            if self.0.broken.load(Ordering::SeqCst) {
                self.0.refused.fetch_add(1, Ordering::SeqCst);
                return Err(StoreError::new("the disk does not answer"));
            }
            if [NEAR, FAR].contains(&range.limit) && !range.backwards {
                self.0.gate.acquire().await.unwrap().forget();
            }
            self.0.store.read(query, range).await
        })
    }
    fn command(
        &self,
        id: Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        self.0.store.command(id)
    }
    fn event(&self, id: Uuid) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.0.store.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.0.store.head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.0.store.wait(after)
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.0.store.erase(erase)
    }
}

/// A view in a file, over a store that is shaky.
struct Place {
    folder: tempfile::TempDir,
    store: Shaky,
    history: Vec<Touched>,
}

impl Place {
    async fn new() -> Place {
        let mut place = Place {
            folder: tempfile::tempdir().unwrap(),
            store: Shaky::new(),
            history: vec![],
        };
        place.happen(COUNT).await;
        place
    }

    async fn happen(&mut self, count: u64) {
        let from = self.history.len() as u64;
        let touched = |n| match n % 17 {
            16 => Touched::new(&[n % 5], n, How::Poison(n % 5, true)),
            _ => Touched::new(&[n % 5, n % 7], n, How::Put),
        };
        self.history.extend((from..from + count).map(touched));
        let events = &self.history[from as usize..];
        append(&self.store, events.iter().map(new_event).collect()).await;
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("views.db")
    }

    fn open(&self, threads: usize) -> App {
        let sizes = ViewSizes {
            follow: (NEAR, FAR),
            rebuild: (8, 8),
            dirty: 3,
            parallel: 2,
            ..ViewSizes::default()
        };
        let app = App::on(self.store.clone()).views_in(self.file());
        let app = app.view_threads(threads).view_sizes(sizes);
        app.projection::<Items<false, false>>().build().unwrap()
    }

    fn sql(&self) -> Connection {
        let c = Connection::open(self.file()).unwrap();
        c.busy_timeout(HANGS).unwrap();
        c
    }

    /// The view is what a naive fold of everything is.
    async fn is_right(&self, app: &App) {
        timeout(HANGS, app.settle()).await.expect("it hangs");
        let status = app.view_status(BY_TAGS).await.unwrap();
        assert_eq!(status.position, self.history.len() as Position);
        self.generation_is_right(status.generation);
    }

    #[track_caller]
    fn generation_is_right(&self, generation: u64) {
        let naive = Naive::of((1..).zip(&self.history), BY_TAGS, false);
        assert_eq!(Dump::of(&self.sql(), BY_TAGS, generation), naive);
    }
}

async fn act(app: &App, act: ViewAction) -> Result<(), ViewError> {
    let done = timeout(HANGS, app.act_on_view(BY_TAGS, act)).await;
    done.expect("it hangs").map(|_| ())
}

fn rebuild(hold: bool) -> ViewAction {
    ViewAction::Rebuild { hold }
}

async fn until(app: &App, wanted: impl Fn(&fait::app::ViewStatus) -> bool) {
    let looks = async {
        while !wanted(&app.view_status(BY_TAGS).await.unwrap()) {
            sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(HANGS, looks).await.expect("it hangs");
}

fn is_ready(status: &fait::app::ViewStatus) -> bool {
    let rebuild = status.rebuild.as_ref();
    rebuild.is_some_and(|r| r.state == RebuildState::Ready)
}

#[tokio::test]
async fn a_store_that_cannot_be_read_for_a_while_costs_nothing_but_time() {
    for threads in [1, 3] {
        let mut place = Place::new().await;
        let app = place.open(threads);
        place.store.refuses(1).await;
        place.is_right(&app).await;
        place.happen(20).await;
        place.store.refuses(1).await;
        act(&app, rebuild(true)).await.unwrap();
        place.store.refuses(1).await;
        until(&app, is_ready).await;
        place.is_right(&app).await;
        let ready = app.view_status(BY_TAGS).await.unwrap().rebuild.unwrap();
        place.generation_is_right(ready.generation);
        app.stop().await;
    }
}

#[tokio::test]
async fn what_is_ready_and_ahead_of_what_serves_takes_no_event_twice() {
    let mut place = Place::new().await;
    let gate = &place.store.0.gate;
    gate.forget_permits(gate.available_permits());
    let app = place.open(1);
    gate.add_permits(3);
    act(&app, rebuild(true)).await.unwrap();
    until(&app, |s| s.rebuild.as_ref().unwrap().position == COUNT).await;
    // What serves gets hold of some more events, and then hears that the other has caught up.
    gate.add_permits(1);
    until(&app, is_ready).await;
    let status = app.view_status(BY_TAGS).await.unwrap();
    assert!(status.position < COUNT, "what serves is behind: {status:?}");
    let ready = status.rebuild.unwrap();
    assert_eq!(ready.position, COUNT);
    // Among the next events that are read at once, the other has taken some already.
    place.happen(10).await;
    place.store.0.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    place.is_right(&app).await;
    place.generation_is_right(ready.generation);
    // From here on the two go together.
    place.happen(10).await;
    place.is_right(&app).await;
    place.generation_is_right(ready.generation);
    act(&app, ViewAction::Switch).await.unwrap();
    place.happen(10).await;
    place.is_right(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn another_program_that_writes_into_the_file_is_waited_for() {
    let mut place = Place::new().await;
    let app = place.open(1);
    place.is_right(&app).await;
    for hold in [false, true] {
        act(&app, rebuild(hold)).await.unwrap();
        let other = place.sql();
        let held = std::thread::spawn(move || {
            other.execute_batch("BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(Duration::from_millis(200));
            other.execute_batch("COMMIT").unwrap();
        });
        place.happen(10).await;
        until(&app, |s| is_ready(s) || (!hold && s.rebuild.is_none())).await;
        held.join().unwrap();
        place.is_right(&app).await;
        let status = app.view_status(BY_TAGS).await.unwrap();
        assert_eq!(status.rebuild_failed, None);
        assert_eq!(status.generation, 2);
    }
    app.stop().await;
}

/// The transaction that lets the rebuilt one serve, or says that it is ready, or throws it away,
/// fails some times.
#[tokio::test]
async fn a_rebuild_whose_end_cannot_be_written_ends_when_it_can() {
    for (event, state) in [
        ("INSERT", "serving"),
        ("UPDATE", "ready"),
        ("UPDATE", "gone"),
    ] {
        let mut place = Place::new().await;
        let app = place.open(1);
        place.is_right(&app).await;
        let c = place.sql();
        c.execute_batch(&format!(
            "CREATE TRIGGER no BEFORE {event} ON fait_views WHEN NEW.state = '{state}'
             AND NEW.gen = 2 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        ))
        .unwrap();
        act(&app, rebuild(state != "serving")).await.unwrap();
        if state == "gone" {
            until(&app, is_ready).await;
            let refused = act(&app, ViewAction::Cancel).await.unwrap_err();
            assert!(
                refused.to_string().contains("the disk is full"),
                "{refused}"
            );
        } else {
            // It has caught up, and is not taken in.
            until(&app, |s| {
                s.rebuild.as_ref().is_some_and(|r| r.position == COUNT)
            })
            .await;
            sleep(Duration::from_millis(100)).await;
            let still = app.view_status(BY_TAGS).await.unwrap();
            assert_eq!(still.rebuild.unwrap().state, RebuildState::Building);
        }
        place.happen(10).await;
        c.execute_batch("DROP TRIGGER no").unwrap();
        match state {
            "serving" => until(&app, |s| s.generation == 2).await,
            "ready" => until(&app, is_ready).await,
            _ => act(&app, ViewAction::Cancel).await.unwrap(),
        }
        place.is_right(&app).await;
        if state == "ready" {
            place.generation_is_right(2);
        }
        app.stop().await;
    }
}

/// A question comes after each number of turns that a rebuild takes from its beginning to its end.
#[tokio::test]
async fn whatever_is_asked_while_a_rebuild_ends_is_answered() {
    let asks = |hold| {
        [
            rebuild(hold),
            ViewAction::Cancel,
            ViewAction::Switch,
            ViewAction::Pause,
            ViewAction::RollBack,
            ViewAction::Retry { key: None },
        ]
    };
    let mut place = Place::new().await;
    let app = place.open(1);
    place.is_right(&app).await;
    let (mut begun, mut cancelled) = (0, 0);
    for (turns, hold) in (0..40).flat_map(|t| [(t, true), (t, false)]) {
        for ask in asks(hold) {
            let before = app.view_status(BY_TAGS).await.unwrap();
            assert_eq!(before.rebuild, None);
            act(&app, rebuild(hold)).await.unwrap();
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            let done = act(&app, ask.clone()).await;
            let refused = matches!(done, Err(ViewError::NotNow(_)));
            assert!(refused || done.is_ok(), "{ask:?} after {turns}: {done:?}");
            begun += usize::from(ask == rebuild(hold) && !refused);
            if ask == ViewAction::Cancel && !refused {
                cancelled += 1;
                let after = app.view_status(BY_TAGS).await.unwrap();
                assert_eq!(after.rebuild, None, "{turns}");
                assert_eq!(
                    after.generation, before.generation,
                    "what is cancelled serves not"
                );
            }
            if ask == ViewAction::Pause && !refused {
                // It may have caught up just then.
                let _ = act(&app, ViewAction::Resume).await;
            }
            until(&app, |s| s.rebuild.is_none() || is_ready(s)).await;
            let _ = act(&app, ViewAction::Cancel).await;
            if turns % 8 == 0 {
                place.happen(1).await;
                place.is_right(&app).await;
            }
        }
    }
    assert!(begun > 0, "none was asked after the end");
    assert!(cancelled > 40, "{cancelled} were cancelled");
    place.is_right(&app).await;
    app.stop().await;
}

#[tokio::test]
async fn a_system_that_stops_while_something_is_cancelled_stops() {
    let place = Place::new().await;
    for turns in 0..25 {
        let app = place.open(1);
        let _ = act(&app, rebuild(true)).await;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        let asked = app.act_on_view(BY_TAGS, ViewAction::Cancel);
        let stops = async {
            place.store.0.broken.store(turns % 2 == 0, Ordering::SeqCst);
            tokio::task::yield_now().await;
            app.stop().await;
        };
        let both = timeout(HANGS, async { tokio::join!(asked, stops) });
        let (asked, ()) = both.await.expect("it hangs");
        let fine = !matches!(asked, Err(ViewError::Store(_)));
        assert!(fine || turns % 2 == 0, "{asked:?}");
        place.store.0.broken.store(false, Ordering::SeqCst);
    }
    let app = place.open(1);
    place.is_right(&app).await;
    app.stop().await;
}

/// The runtime ends without a word, and threads of it may write once more.
#[test]
fn a_system_that_is_dropped_takes_no_event_twice_when_it_is_there_again() {
    let runtime = || {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().unwrap()
    };
    let first = runtime();
    let mut place = first.block_on(Place::new());
    drop(first);
    for micros in (0..40).map(|n| n * 300) {
        let runtime = runtime();
        runtime.block_on(async {
            let app = place.open(4);
            // What was half made goes on by itself.
            let _ = act(&app, rebuild(false)).await;
            place.happen(3).await;
            sleep(Duration::from_micros(micros)).await;
        });
        runtime.shutdown_background();
    }
    runtime().block_on(async {
        let app = place.open(2);
        until(&app, |s| s.rebuild.is_none()).await;
        place.is_right(&app).await;
        app.stop().await;
    });
}

/// Two programs keep the same views: who comes second has to look again.
#[tokio::test]
async fn two_that_keep_the_same_file_take_no_event_twice() {
    let mut place = Place::new().await;
    let (one, other) = (place.open(1), place.open(1));
    for _ in 0..3 {
        place.happen(5).await;
        sleep(Duration::from_millis(20)).await;
    }
    place.is_right(&one).await;
    place.is_right(&other).await;
    one.stop().await;
    other.stop().await;
}
