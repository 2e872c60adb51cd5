//! Keeping one view: it follows the log, does what is asked of it, and lets a rebuilt generation
//! take the place of the one that serves. One task does all of this, so that the tables of a view
//! have one writer.

use super::act::Asked;
use super::build::{Build, Ended};
use super::catalog::{self, Generation, State};
use super::fill::Filler;
use super::{ViewState, lock, reached, table};
use crate::runtime::Core;
use fait_core::event::panic_text;
use fait_core::event::{Position, StoredEvent};
use fait_core::store::{Range, StoreError};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// A view that is far behind is written at the latest after so long.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// Who keeps a view.
pub(super) struct Keeper {
    pub(super) core: Arc<Core>,
    pub(super) view: Arc<ViewState>,
    /// The generation that serves, when it follows.
    pub(super) serving: Option<Filler>,
    /// One that is ready and follows with it.
    pub(super) ready: Option<Filler>,
    pub(super) ended: mpsc::UnboundedReceiver<(Arc<Build>, Ended)>,
    end: mpsc::UnboundedSender<(Arc<Build>, Ended)>,
    far: bool,
    /// When something was written last.
    written: Instant,
}

/// What whoever keeps a view does next.
enum Next {
    Asked(Asked),
    Ended(Arc<Build>, Ended),
    Events(Result<(), StoreError>),
}

impl Drop for Keeper {
    /// The runtime may end without a word: then nothing is made beside any more either.
    fn drop(&mut self) {
        if let Some(build) = self.view.build() {
            build.cancel.cancel();
        }
    }
}

impl Core {
    /// Keeps one view up to date until the system stops.
    pub(crate) async fn run_view(self: Arc<Self>, view: Arc<ViewState>) {
        let Some(mut asked) = lock(&view.asked).take() else {
            return;
        };
        let stop = self.stop.clone();
        let store = self.store.clone();
        let (end, ended) = mpsc::unbounded_channel();
        let mut keeper = Keeper {
            core: self,
            view,
            serving: None,
            ready: None,
            ended,
            end,
            far: false,
            written: Instant::now(),
        };
        let mut trouble = keeper.begin().await.err();
        loop {
            if let Some(e) = trouble.take() {
                tracing::error!(view = keeper.view.def.name, error = %e, "the view waits");
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                }
                trouble = keeper.begin().await.err();
                continue;
            }
            let at = keeper.serving.as_ref().map(|s| s.position);
            let more = store.wait(at.unwrap_or(0));
            let next = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                Some(ask) = asked.recv() => Next::Asked(ask),
                Some((build, ended)) = keeper.ended.recv() => Next::Ended(build, ended),
                more = more, if at.is_some() => Next::Events(more.map(|_| ())),
            };
            let done = AssertUnwindSafe(keeper.does(next)).catch_unwind().await;
            let done = done.unwrap_or_else(|panic| Err(StoreError::new(panic_text(&*panic))));
            trouble = done.err();
        }
    }
}

impl Keeper {
    async fn does(&mut self, next: Next) -> Result<(), StoreError> {
        match next {
            Next::Asked(asked) => self.answer(asked).await,
            Next::Ended(build, ended) => self.built(build, ended).await,
            Next::Events(more) => {
                more?;
                self.step().await
            }
        }
    }

    pub(super) fn all(&self) -> Result<Vec<Generation>, StoreError> {
        let name = &self.view.def.name;
        self.core.db.read(|c| catalog::generations(c, name))
    }

    /// Takes up what is in the database: at the start, and after trouble.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let (core, view) = (self.core.clone(), self.view.clone());
        (self.serving, self.ready) = (None, None);
        let all = self.all()?;
        let Some(serving) = all.iter().find(|g| g.state == State::Serving) else {
            return Err(StoreError::new("no generation of the view serves"));
        };
        let follows = view.fits(serving);
        view.show(serving, view.frozen(serving, &all));
        if follows {
            self.serving = Some(self.open(serving)?);
        }
        // What it tells when it ends is told again until it is taken in.
        let busy = view.build().is_some();
        let beside = |g: &&Generation| matches!(g.state, State::Building | State::Ready);
        // After trouble the build may be running still.
        if !busy {
            for g in all.iter().filter(beside).filter(|g| !view.fits(g)) {
                core.db
                    .write(|tx| catalog::turn(tx, &view.def.name, g.number, State::Gone))?;
            }
        }
        match all.iter().filter(beside).find(|g| view.fits(g)) {
            Some(g) if g.state == State::Ready => self.take_up_ready(g)?,
            Some(g) if !busy => self.build(g.clone())?,
            Some(_) => {}
            None if follows && serving.wanted => {
                let mut serving = serving.clone();
                serving.wanted = false;
                core.db
                    .write(|tx| catalog::put(tx, &view.def.name, &serving))?;
                self.rebuild(false)?;
            }
            None if follows => {}
            None => self.replace(&all)?,
        }
        core.db.write(|tx| catalog::sweep(tx, &view.def.name))?;
        if follows {
            self.retry(None).await?;
        }
        self.rest();
        view.begun.store(true, Ordering::Release);
        core.pulse.beat();
        Ok(())
    }

    /// What serves was made by other code: this program's takes its place, unless somebody went
    /// back from just that.
    fn replace(&mut self, all: &[Generation]) -> Result<(), StoreError> {
        let mine = all.iter().rfind(|g| self.view.fits(g));
        match mine {
            Some(g) if g.state == State::Rejected => Ok(()),
            Some(g) if g.state == State::Kept => {
                let mut g = g.clone();
                (g.state, g.hold) = (State::Building, self.core.hold_switches);
                let name = &self.view.def.name;
                self.core.db.write(|tx| catalog::put(tx, name, &g))?;
                self.build(g)
            }
            _ => self.rebuild(self.core.hold_switches),
        }
    }

    pub(super) fn open(&self, g: &Generation) -> Result<Filler, StoreError> {
        let core = &self.core;
        Filler::open(&core.db, &self.view.def, g, (core.view_threads, core.sizes))
    }

    fn take_up_ready(&mut self, g: &Generation) -> Result<(), StoreError> {
        if self.serving.is_some() {
            self.ready = Some(self.open(g)?);
        }
        let build = Build::new(g, true);
        build.note(g.position, g.position);
        *lock(&self.view.build) = Some(Arc::new(build));
        Ok(())
    }

    /// Makes a new generation from the beginning.
    pub(super) fn rebuild(&mut self, hold: bool) -> Result<(), StoreError> {
        let (core, view) = (&self.core, &self.view);
        let name = &view.def.name;
        let last = self.all()?.last().map_or(0, |g| g.number);
        let mut g = core.fresh(view, last + 1, State::Building);
        g.hold = hold;
        core.db.write(|tx| {
            table::make(tx, &view.def, &g)?;
            catalog::put(tx, name, &g)
        })?;
        self.build(g)
    }

    /// Goes on to make a generation. One that is held beside a view that stands still is made up
    /// to where that one stands, so that the two can be compared.
    pub(super) fn build(&mut self, g: Generation) -> Result<(), StoreError> {
        let still = self.serving.is_none() && g.hold;
        let goal = still.then(|| self.view.feed.at());
        let goal = goal.filter(|goal| *goal >= g.position);
        self.core.begin_build(&self.view, g, goal, self.end.clone());
        self.rest();
        Ok(())
    }

    /// Takes the next events into what serves and what is ready, in one transaction.
    async fn step(&mut self) -> Result<(), StoreError> {
        let core = self.core.clone();
        let (db, store) = (&core.db, &*core.store);
        let Some(serving) = self.serving.take() else {
            return Ok(());
        };
        let (near, far) = core.sizes.follow;
        let limit = if self.far { far } else { near };
        let range = Range::after(serving.position, limit);
        let slice = store.read(&self.view.query(), range).await?;
        let to = reached(&slice.events, slice.head, limit);
        self.far = slice.events.len() >= limit;
        let events = Arc::new(slice.events);
        let from = serving.position;
        let serving = serving.take(db, store, events.clone(), to).await?;
        let ready = match self.ready.take() {
            Some(ready) => Some(self.follow(ready, from, events, to).await?),
            None => None,
        };
        let dirty = serving.dirty() + ready.as_ref().map_or(0, Filler::dirty);
        (self.serving, self.ready) = (Some(serving), ready);
        // Far behind, a row is written once for many events.
        let soon = to < slice.head && self.written.elapsed() < WRITE_EVERY;
        if self.far && soon && dirty < core.sizes.dirty {
            return Ok(());
        }
        self.write()
    }

    /// Writes what was taken in.
    pub(super) fn write(&mut self) -> Result<(), StoreError> {
        let (core, view) = (&self.core, &self.view);
        let (Some(mut serving), mut ready) = (self.serving.take(), self.ready.take()) else {
            return Ok(());
        };
        core.db.write(|tx| {
            serving.write(tx)?;
            ready.as_mut().map_or(Ok(()), |r| r.write(tx))
        })?;
        let to = serving.position;
        if let (Some(build), Some(ready)) = (view.build(), &ready) {
            build.note(ready.position, ready.position);
        }
        (self.serving, self.ready) = (Some(serving), ready);
        self.written = Instant::now();
        view.feed.set(to);
        core.pulse.beat();
        Ok(())
    }

    /// Lets what is ready take the same events. It may be behind what serves, and also ahead of it.
    async fn follow(
        &self,
        ready: Filler,
        from: Position,
        events: Arc<Vec<StoredEvent>>,
        to: Position,
    ) -> Result<Filler, StoreError> {
        let ready = self.bring(ready, from).await?;
        if ready.position >= to {
            return Ok(ready);
        }
        let known = events.partition_point(|e| e.meta.position <= ready.position);
        let events = match known {
            0 => events,
            known => Arc::new(events[known..].to_vec()),
        };
        let core = &self.core;
        ready.take(&core.db, &*core.store, events, to).await
    }

    /// Brings a generation up to a position.
    async fn bring(&self, mut filler: Filler, to: Position) -> Result<Filler, StoreError> {
        let core = &self.core;
        let far = core.sizes.follow.1;
        while filler.position < to {
            let range = Range {
                before: Some(to + 1),
                ..Range::after(filler.position, far)
            };
            let slice = core.store.read(&self.view.query(), range).await?;
            let reached = reached(&slice.events, to, far);
            let events = Arc::new(slice.events);
            filler = filler.take(&core.db, &*core.store, events, reached).await?;
            core.db.write(|tx| filler.write(tx))?;
        }
        Ok(filler)
    }

    /// A build has ended. When that cannot be taken in, it is told once more after the trouble.
    pub(super) async fn built(&mut self, build: Arc<Build>, how: Ended) -> Result<(), StoreError> {
        let current = self.view.build();
        if !current.is_some_and(|current| Arc::ptr_eq(&current, &build)) {
            return Ok(());
        }
        let done = self.take_in(&build, how).await;
        if done.is_err() {
            let _ = self.end.send((build, how));
        }
        done
    }

    async fn take_in(&mut self, build: &Build, how: Ended) -> Result<(), StoreError> {
        let name = self.view.def.name.clone();
        match how {
            Ended::Stopped => return Ok(()),
            // It may have caught up before it heard of it.
            _ if build.cancel.is_cancelled() => {
                *lock(&self.view.failed) = None;
                self.core.db.write(|tx| {
                    catalog::turn(tx, &name, build.number, State::Gone)?;
                    catalog::sweep(tx, &name)
                })?;
                *lock(&self.view.build) = None;
            }
            Ended::Cancelled => {}
            Ended::CaughtUp => self.caught_up(build).await?,
        }
        self.rest();
        self.core.pulse.beat();
        Ok(())
    }

    async fn caught_up(&mut self, build: &Build) -> Result<(), StoreError> {
        let (core, name) = (self.core.clone(), self.view.def.name.clone());
        let all = self.all()?;
        let Some(g) = all.iter().find(|g| g.number == build.number) else {
            return Err(StoreError::new("what was rebuilt is gone"));
        };
        *lock(&self.view.failed) = None;
        if build.hold.load(Ordering::Acquire) {
            let (db, ready) = (&core.db, State::Ready);
            db.write(|tx| catalog::turn(tx, &name, g.number, ready))?;
            return self.take_up_ready(g);
        }
        let filler = self.open(g)?;
        self.switch(filler).await
    }

    /// Lets a generation take the place of the one that serves, in one transaction.
    pub(super) async fn switch(&mut self, filler: Filler) -> Result<(), StoreError> {
        let at = self.view.feed.at();
        let filler = match self.serving {
            Some(_) => self.bring(filler, at).await?,
            None => filler,
        };
        let (core, view) = (self.core.clone(), self.view.clone());
        let name = &view.def.name;
        let g = core.db.write(|tx| {
            let mut now = None;
            for mut g in catalog::generations(tx, name)? {
                g.state = match g.state {
                    _ if g.number == filler.number => State::Serving,
                    State::Serving => State::Kept,
                    State::Kept | State::Rejected => State::Gone,
                    other => other,
                };
                if g.state == State::Serving {
                    (g.hold, g.paused, g.wanted) = (false, false, false);
                    table::show(tx, &view.def, &g, None)?;
                    now = Some(g.clone());
                }
                catalog::put(tx, name, &g)?;
            }
            now.ok_or(rusqlite::Error::QueryReturnedNoRows)
        })?;
        tracing::info!(view = name, generation = g.number, "rebuilt; it serves");
        view.show(&g, None);
        (self.serving, self.ready) = (Some(filler), None);
        // In this order: whoever sees that no rebuild goes on sees that this one was finished.
        view.finished.fetch_add(1, Ordering::AcqRel);
        *lock(&view.build) = None;
        // What served before the last one is not read any more.
        core.db.write(|tx| catalog::sweep(tx, name))?;
        // An earlier program may have made a part of it.
        self.retry(None).await?;
        core.pulse.beat();
        Ok(())
    }

    /// Notes whether the view will go on by itself.
    pub(super) fn rest(&self) {
        let builds = self.view.build().is_some_and(|b| {
            use super::status::RebuildState::Building;
            b.state() == Building && !b.hold.load(Ordering::Acquire)
        });
        let still = self.serving.is_none() && !builds;
        self.view.still.store(still, Ordering::Release);
    }
}
