//! Making a generation beside the one that serves: all of history, on all cores, in the
//! background. It goes on where it stood after a crash, waits when it is told to, and tells how
//! fast it is.

use super::catalog::Generation;
use super::fill::Filler;
use super::status::RebuildState;
use super::{ViewState, lock, reached};
use crate::runtime::Core;
use fait_core::event::panic_text;
use fait_core::event::{Position, StoredEvent};
use fait_core::query::Query;
use fait_core::store::{Range, Store, StoreError};
use futures_util::FutureExt;
use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// Bytes of events that are read at once, as far as can be foreseen.
const PAGE_BYTES: usize = 8 << 20;

/// What an event takes in memory besides its data, about.
const EVENT_BYTES: usize = 512;

/// What was taken in is written at the latest after so long.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// The rate is that of so long.
const RATE_OF: Duration = Duration::from_secs(5);

/// It is tried again after trouble, at first and at most after so long.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// A generation that is being made, or is ready.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) number: u64,
    pub(crate) hold: AtomicBool,
    paused: AtomicBool,
    ready: AtomicBool,
    position: AtomicU64,
    until: AtomicU64,
    samples: Mutex<VecDeque<(Instant, Position)>>,
    wake: Notify,
    pub(crate) cancel: CancellationToken,
}

/// How a build ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ended {
    CaughtUp,
    Cancelled,
    /// The system stops; it goes on next time.
    Stopped,
}

impl Build {
    pub(crate) fn new(g: &Generation, ready: bool) -> Build {
        Build {
            number: g.number,
            hold: AtomicBool::new(g.hold),
            paused: AtomicBool::new(g.paused),
            ready: AtomicBool::new(ready),
            position: AtomicU64::new(g.position),
            until: AtomicU64::new(g.position),
            samples: Mutex::default(),
            wake: Notify::new(),
            cancel: CancellationToken::new(),
        }
    }

    pub(crate) fn at(&self) -> Position {
        self.position.load(Ordering::Acquire)
    }

    pub(crate) fn until(&self) -> Position {
        self.until.load(Ordering::Acquire).max(self.at())
    }

    pub(crate) fn state(&self) -> RebuildState {
        match self.ready.load(Ordering::Acquire) {
            true => RebuildState::Ready,
            false if self.paused.load(Ordering::Acquire) => RebuildState::Paused,
            false => RebuildState::Building,
        }
    }

    pub(crate) fn pause(&self, paused: bool) {
        self.paused.store(paused, Ordering::Release);
        lock(&self.samples).clear();
        self.wake.notify_one();
    }

    pub(crate) fn note(&self, position: Position, until: Position) {
        self.position.store(position, Ordering::Release);
        self.until.store(until, Ordering::Release);
        let now = Instant::now();
        let mut samples = lock(&self.samples);
        samples.push_back((now, position));
        while samples.front().is_some_and(|(t, _)| now - *t > RATE_OF) {
            samples.pop_front();
        }
    }

    /// Positions per second of late.
    pub(crate) fn rate(&self) -> u64 {
        let samples = lock(&self.samples);
        let (Some((begun, from)), Some((now, to))) = (samples.front(), samples.back()) else {
            return 0;
        };
        let took = (*now - *begun).as_millis().max(1);
        let passed = u128::from(to.saturating_sub(*from)) * 1000 / took;
        u64::try_from(passed).unwrap_or(u64::MAX)
    }
}

impl Core {
    /// Begins or goes on to make a generation, up to a position or to the head. How it ended is
    /// told to whoever keeps the view.
    pub(crate) fn begin_build(
        self: &Arc<Self>,
        view: &Arc<ViewState>,
        g: Generation,
        goal: Option<Position>,
        done: mpsc::UnboundedSender<(Arc<Build>, Ended)>,
    ) {
        let build = Arc::new(Build::new(&g, false));
        *lock(&view.build) = Some(build.clone());
        let (core, view) = (self.clone(), view.clone());
        let work = async move {
            let ended = core.build(&view, &build, &g, goal).await;
            // Whoever keeps the view is gone when the system stops.
            let _ = done.send((build, ended));
            core.pulse.beat();
        };
        let runtime = tokio::runtime::Handle::current();
        if self.view_threads == 1 {
            self.tasks.spawn_on(work, &runtime);
            return;
        }
        // On a thread of its own, which gives way to those that answer people.
        let (here, tasks) = (runtime.clone(), self.tasks.token());
        std::thread::spawn(move || {
            let _tracked = tasks;
            // Where the system does not have it, the rebuild is only less modest.
            let _ = rustix::process::nice(10);
            here.block_on(work);
        });
    }

    async fn build(
        &self,
        view: &ViewState,
        build: &Build,
        g: &Generation,
        goal: Option<Position>,
    ) -> Ended {
        let (name, number) = (&view.def.name, g.number);
        tracing::info!(view = name, number, from = g.position, "rebuilding");
        let (mut wait, longest) = AGAIN;
        loop {
            let work = AssertUnwindSafe(self.build_on(view, build, g, goal));
            let e = match work.catch_unwind().await {
                Ok(Ok(ended)) => return ended,
                Ok(Err(e)) => e,
                Err(panic) => StoreError::new(panic_text(&*panic)),
            };
            tracing::error!(view = name, error = %e, "a rebuild waits; the old view serves on");
            *lock(&view.failed) = Some(e.to_string());
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return Ended::Stopped,
                () = build.cancel.cancelled() => return Ended::Cancelled,
                () = tokio::time::sleep(wait) => {}
            }
            wait = (wait * 2).min(longest);
        }
    }

    async fn build_on(
        &self,
        view: &ViewState,
        build: &Build,
        g: &Generation,
        goal: Option<Position>,
    ) -> Result<Ended, StoreError> {
        let how = (self.view_threads, self.sizes);
        let mut filler = Filler::open(&self.db, &view.def, g, how)?;
        let mut pages = Pages::new(self, view.query(), filler.position, goal);
        if self.view_threads > 1 {
            pages = pages.ahead();
        }
        let mut written = Instant::now();
        // Also while it waits, it is known how much is left.
        let head = self.store.head().await?;
        let known = goal.unwrap_or(head).min(head);
        build.until.store(known, Ordering::Release);
        loop {
            let ends = loop {
                match () {
                    () if build.cancel.is_cancelled() => break Some(Ended::Cancelled),
                    () if self.stop.is_cancelled() => break Some(Ended::Stopped),
                    () if !build.paused.load(Ordering::Acquire) => break None,
                    () => {}
                }
                tokio::select! {
                    () = build.wake.notified() => {}
                    () = build.cancel.cancelled() => {}
                    () = self.stop.cancelled() => {}
                }
            };
            if let Some(ended) = ends {
                self.db.write(|tx| filler.write(tx))?;
                return Ok(ended);
            }
            let Page { events, to, until } = pages.next().await?;
            filler
                .take_here(&self.db, &*self.store, &events, to)
                .await?;
            let caught_up = to >= until;
            let paused = build.paused.load(Ordering::Acquire);
            if caught_up
                || paused
                || filler.dirty() >= self.sizes.dirty
                || written.elapsed() > WRITE_EVERY
            {
                self.db.write(|tx| filler.write(tx))?;
                written = Instant::now();
            }
            build.note(to, until);
            if caught_up {
                return Ok(Ended::CaughtUp);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Some events, and how far they reach.
struct Page {
    events: Vec<StoredEvent>,
    to: Position,
    /// Where the build is ready, as far as is known now.
    until: Position,
}

/// The pages of a history, one after the other.
struct Pages {
    store: Arc<dyn Store>,
    query: Query,
    at: Position,
    goal: Option<Position>,
    size: usize,
    most: usize,
    ahead: Option<mpsc::Receiver<Result<Page, StoreError>>>,
}

impl Pages {
    fn new(core: &Core, query: Query, at: Position, goal: Option<Position>) -> Pages {
        let (size, most) = core.sizes.rebuild;
        let (store, ahead) = (core.store.clone(), None);
        Pages {
            store,
            query,
            at,
            goal,
            size,
            most,
            ahead,
        }
    }

    /// From now on a page is read while the one before it is folded, on a thread that is as
    /// modest as this one.
    fn ahead(self) -> Pages {
        let (send, read) = mpsc::channel(1);
        let runtime = tokio::runtime::Handle::current();
        let (store, query) = (self.store.clone(), self.query.clone());
        let (ahead, mut reader) = (Some(read), self);
        let (at, goal, size, most) = (reader.at, reader.goal, reader.size, reader.most);
        std::thread::spawn(move || {
            runtime.block_on(async {
                loop {
                    let page = reader.read().await;
                    let last = page.as_ref().map_or(true, |p| p.to >= p.until);
                    if send.send(page).await.is_err() || last {
                        return;
                    }
                }
            });
        });
        Pages {
            store,
            query,
            at,
            goal,
            size,
            most,
            ahead,
        }
    }

    async fn next(&mut self) -> Result<Page, StoreError> {
        if let Some(ahead) = &mut self.ahead {
            if let Some(page) = ahead.recv().await {
                let page = page?;
                self.at = page.to;
                return Ok(page);
            }
            self.ahead = None;
        }
        self.read().await
    }

    async fn read(&mut self) -> Result<Page, StoreError> {
        let range = Range {
            before: self.goal.map(|g| g + 1),
            ..Range::after(self.at, self.size)
        };
        let slice = self.store.read(&self.query, range).await?;
        let until = self.goal.unwrap_or(slice.head).min(slice.head);
        let to = reached(&slice.events, until, self.size);
        // Small events make large pages: what counts is what they take in memory.
        let bytes: usize = slice.events.iter().map(|e| e.data.len()).sum();
        let each = bytes / slice.events.len().max(1) + EVENT_BYTES;
        self.size = (PAGE_BYTES / each).clamp(self.most.min(64), self.most);
        self.at = to;
        let events = slice.events;
        Ok(Page { events, to, until })
    }
}
