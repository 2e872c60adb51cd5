//! The program ends at any operation of the store or the inlet, before it or after it, and is
//! started again: the log is the same as if it had not.

use super::*;
use fait::event::Position;
use fait::store::{
    Append, AppendError, Appended, CommandKey, Erase, Erased, Memory, Slice, StoreError,
};
use std::future::{Future, pending};
use std::sync::atomic::AtomicBool;
use tokio::runtime::{Builder, Runtime};

/// Counts operations; at one of them, and from then on, nothing comes back any more.
struct End {
    at: usize,
    /// Whether that one operation is carried out.
    done: bool,
    n: AtomicUsize,
    armed: AtomicBool,
    reached: AtomicBool,
    over: Notify,
}

impl End {
    fn at(at: usize, done: bool) -> Arc<End> {
        Arc::new(End {
            at,
            done,
            n: AtomicUsize::new(0),
            armed: AtomicBool::new(false),
            reached: AtomicBool::new(false),
            over: Notify::new(),
        })
    }

    async fn pass<T>(&self, operation: impl Future<Output = T>) -> T {
        if !self.armed.load(Ordering::Relaxed) {
            return operation.await;
        }
        let n = self.n.fetch_add(1, Ordering::Relaxed) + 1;
        if n < self.at {
            return operation.await;
        }
        if n == self.at {
            if self.done {
                operation.await;
            }
            self.reached.store(true, Ordering::Relaxed);
            self.over.notify_one();
        }
        pending().await
    }
}

struct Mortal<T> {
    inner: T,
    end: Arc<End>,
}

impl Store for Mortal<Arc<Memory>> {
    fn id(&self) -> fait::reexport::uuid::Uuid {
        self.inner.id()
    }
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, AppendError>> {
        Box::pin(self.end.pass(self.inner.append(append)))
    }
    fn read<'a>(
        &'a self,
        query: &'a Query,
        range: Range,
    ) -> BoxFuture<'a, Result<Slice, StoreError>> {
        Box::pin(self.end.pass(self.inner.read(query, range)))
    }
    fn command(
        &self,
        id: fait::reexport::uuid::Uuid,
    ) -> BoxFuture<'_, Result<Option<(CommandKey, Appended)>, StoreError>> {
        Box::pin(self.end.pass(self.inner.command(id)))
    }
    fn event(
        &self,
        id: fait::reexport::uuid::Uuid,
    ) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.inner.event(id)
    }
    fn head(&self) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.inner.head()
    }
    fn wait(&self, after: Position) -> BoxFuture<'_, Result<Position, StoreError>> {
        self.inner.wait(after)
    }
    fn last<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Position, StoreError>> {
        Box::pin(self.end.pass(self.inner.last(query)))
    }
    fn erase(&self, erase: Erase) -> BoxFuture<'_, Result<Erased, AppendError>> {
        self.inner.erase(erase)
    }
}

impl Inlet for Mortal<Line> {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(self.end.pass(self.inner.take(after)))
    }
    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        Box::pin(self.end.pass(self.inner.done(upto)))
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn laid() -> (Line, u64) {
    let line = Line::new();
    line.lay(&of("packed", "a", 0));
    line.lay(&of("asked", "a", 1));
    line.lay(&of("asked", "b", 500));
    line.lay(&of("jammed", "c", 1));
    line.lay(&of("left", "c", 2));
    line.lay(&of("packed", "a", 0));
    line.lay(&of("weather", "a", 0));
    line.lay_raw("text/plain", b"hello");
    line.lay(&of("asked", "c", 3));
    line.lay(&of("left", "a", 4));
    (line, 10)
}

/// Runs until the end comes, or the work is done; says whether it came.
fn mortal<R: Receive>(store: &Arc<Memory>, line: &Line, end: &Arc<End>, work: Work) -> bool {
    let runtime = runtime();
    runtime.block_on(async {
        let inlet = Mortal {
            inner: line.clone(),
            end: end.clone(),
        };
        let store = Mortal {
            inner: store.clone(),
            end: end.clone(),
        };
        let app = App::on(store).task::<KeepPlace>();
        let app = app.hears::<R>("yard", inlet).build().unwrap();
        end.armed.store(true, Ordering::Relaxed);
        let done = async {
            match work {
                Work::Hear(sequence) => up_to(&app, sequence).await,
                Work::Reread => drop(app.reread("yard", None).await.unwrap()),
            }
        };
        tokio::select! {
            biased;
            () = end.over.notified() => {}
            () = done => {}
        }
    });
    // What runs then is gone, wherever it was.
    drop(runtime);
    end.reached.load(Ordering::Relaxed)
}

#[derive(Clone, Copy)]
enum Work {
    Hear(u64),
    Reread,
}

/// What the log says in the end, when nothing else goes wrong.
fn whole<R: Receive>(store: &Arc<Memory>, line: &Line, upto: u64, reread: bool) -> Vec<String> {
    runtime().block_on(async {
        let app = yard::<R>(store.clone(), line);
        up_to(&app, upto).await;
        if reread {
            app.reread("yard", None).await.unwrap();
            app.settle().await;
        }
        let log = log(&app).await;
        app.stop().await;
        log
    })
}

#[test]
fn an_end_at_any_operation_while_it_hears_changes_nothing() {
    let (line, upto) = laid();
    let undisturbed = whole::<Yard>(&Arc::default(), &line, upto, false);
    let mut lives = 0;
    for at in 1.. {
        let mut came = false;
        for done in [false, true] {
            let store = Arc::new(Memory::default());
            came |= mortal::<Yard>(&store, &line, &End::at(at, done), Work::Hear(upto));
            // And once more, soon after.
            mortal::<Yard>(&store, &line, &End::at(at / 2 + 1, !done), Work::Hear(upto));
            let log = whole::<Yard>(&store, &line, upto, false);
            assert_eq!(log, undisturbed, "the end came at {at}, done: {done}");
            lives += 1;
        }
        if !came {
            break;
        }
    }
    assert!(lives > 100, "{lives} ends are too few to mean anything");
}

#[test]
fn an_end_at_any_operation_while_it_reads_again_changes_nothing() {
    let (line, upto) = laid();
    let before = || {
        let store = Arc::new(Memory::default());
        whole::<Yard>(&store, &line, upto, false);
        store
    };
    let undisturbed = whole::<Repaired>(&before(), &line, upto, true);
    let mut lives = 0;
    for at in 1.. {
        let mut came = false;
        for done in [false, true] {
            let store = before();
            came |= mortal::<Repaired>(&store, &line, &End::at(at, done), Work::Reread);
            let log = whole::<Repaired>(&store, &line, upto, true);
            assert_eq!(log, undisturbed, "the end came at {at}, done: {done}");
            lives += 1;
        }
        if !came {
            break;
        }
    }
    assert!(lives > 20, "{lives} ends are too few to mean anything");
}
