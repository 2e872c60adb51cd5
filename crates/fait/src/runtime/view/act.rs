//! What an operator asks of a view.

use super::build::Ended;
use super::catalog::{self, State};
use super::fill::{Parked, parked_keys};
use super::follow::Keeper;
use super::refold::{Refold, Refolded, refold};
use super::status::RebuildState;
use super::{ViewState, reached, sql, table};
use crate::runtime::Core;
use crate::runtime::db::{i64_of, u64_of};
use crate::sql::SqlDef;
use fait_core::event::Position;
use fait_core::store::{Range, StoreError};
use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// What can be asked of a view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViewAction {
    /// Make it again from the log, beside what serves. When it has caught up it takes its place;
    /// when it is held, it waits for [`Switch`](ViewAction::Switch).
    Rebuild {
        /// Whether it waits.
        #[serde(default)]
        hold: bool,
    },
    /// Let the rebuild wait where it is, also over a restart.
    Pause,
    /// Let it go on.
    Resume,
    /// Throw away what is made beside.
    Cancel,
    /// Let the rebuilt generation serve.
    Switch,
    /// Let the generation serve that served before. What serves now is kept, so that the same
    /// again goes forward. When other code made it, it does not follow.
    RollBack,
    /// Drop the generation that is kept to go back to, and write over it in the file: for what was
    /// erased from the log, when the view is rebuilt.
    Forget,
    /// Take what parked keys have missed, from the event on that they could not take.
    Retry {
        /// Only this key; all by default.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ViewDone {
    /// Parked keys, and events that could not be read, that were tried again.
    pub retried: u64,
    /// Those of them that follow again.
    pub well: u64,
}

/// It cannot be done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// Not as things are; a sentence says why and what to do.
    #[error("{0}")]
    NotNow(String),
    /// The store or the database is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A question to whoever keeps a view.
pub(super) struct Asked {
    action: ViewAction,
    reply: oneshot::Sender<Result<ViewDone, ViewError>>,
}

impl Core {
    /// Asks whoever keeps the view, and waits for the answer.
    pub(crate) async fn act_on_view(
        &self,
        view: &ViewState,
        action: ViewAction,
    ) -> Result<ViewDone, ViewError> {
        if view.is_live() {
            return not_now(
                "the view is folded when it is read: there is nothing to be done to it",
            );
        }
        let gone = || ViewError::NotNow("the system is stopping".into());
        let (reply, answer) = oneshot::channel();
        let asked = view.ask.send(Asked { action, reply });
        asked.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn not_now<T>(why: impl Into<String>) -> Result<T, ViewError> {
    Err(ViewError::NotNow(why.into()))
}

impl Keeper {
    /// Answers one question. What goes wrong with the store is also told to the caller.
    pub(super) async fn answer(&mut self, asked: Asked) -> Result<(), StoreError> {
        let done = self.act(asked.action).await;
        self.rest();
        self.core.pulse.beat();
        let trouble = match &done {
            Err(ViewError::Store(e)) => Err(e.clone()),
            _ => Ok(()),
        };
        // Who asked need not wait for the answer.
        let _ = asked.reply.send(done);
        trouble
    }

    async fn act(&mut self, action: ViewAction) -> Result<ViewDone, ViewError> {
        let nothing = ViewDone::default();
        self.write()?;
        match action {
            ViewAction::Rebuild { hold } => {
                if let Some(build) = self.view.build() {
                    return not_now(format!(
                        "generation {} is being made already; cancel it, or wait for it",
                        build.number
                    ));
                }
                self.rebuild(hold)?;
                Ok(nothing)
            }
            ViewAction::Pause => self.pause(true).map(|()| nothing),
            ViewAction::Resume => self.pause(false).map(|()| nothing),
            ViewAction::Cancel => self.cancel().await.map(|()| nothing),
            ViewAction::Switch => self.let_serve().await.map(|()| nothing),
            ViewAction::RollBack => self.roll_back().await.map(|()| nothing),
            ViewAction::Forget => self.forget().map(|()| nothing),
            ViewAction::Retry { key } => {
                if let (None, Some(why)) = (&self.serving, self.view.shown().frozen) {
                    return not_now(format!("the view does not follow: {why}"));
                }
                let done = self.retry(key.as_deref()).await?;
                match key.filter(|_| done.retried == 0) {
                    Some(key) => not_now(format!("nothing of `{key}` is parked: it follows")),
                    None => Ok(done),
                }
            }
        }
    }

    fn pause(&mut self, paused: bool) -> Result<(), ViewError> {
        let Some(build) = self
            .view
            .build()
            .filter(|b| b.state() != RebuildState::Ready)
        else {
            return not_now("nothing is being rebuilt");
        };
        let (name, number) = (&self.view.def.name, i64_of(build.number));
        self.core.db.write(|tx| {
            let sql = "UPDATE fait_views SET paused = ?3 WHERE name = ?1 AND gen = ?2";
            tx.execute(sql, params![name, number, paused])
        })?;
        build.pause(paused);
        Ok(())
    }

    async fn cancel(&mut self) -> Result<(), ViewError> {
        let Some(build) = self.view.build() else {
            return not_now("nothing is being rebuilt");
        };
        build.cancel.cancel();
        if build.state() == RebuildState::Ready {
            self.ready = None;
            return Ok(self.built(build, Ended::Cancelled).await?);
        }
        // It ends after the events that it has in hand, or did just before.
        while self.view.build().is_some_and(|b| b.number == build.number) {
            let Some((which, ended)) = self.ended.recv().await else {
                break;
            };
            if ended == Ended::Stopped {
                return not_now("the system is stopping");
            }
            self.built(which, ended).await?;
        }
        Ok(())
    }

    async fn let_serve(&mut self) -> Result<(), ViewError> {
        let Some(build) = self.view.build() else {
            return not_now("nothing was rebuilt; `rebuild` begins it");
        };
        if build.state() != RebuildState::Ready {
            // It was held, and need not wait any more.
            self.unhold(build.number)?;
            build.hold.store(false, Ordering::Release);
            return Ok(());
        }
        if let Some(ready) = self.ready.take() {
            return Ok(self.switch(ready).await?);
        }
        // What serves stands still, so this goes on to the head first.
        self.unhold(build.number)?;
        let found = self.all()?.into_iter().find(|g| g.number == build.number);
        match found {
            Some(g) => Ok(self.build(g)?),
            None => not_now("what was rebuilt is gone"),
        }
    }

    fn unhold(&self, number: u64) -> Result<(), StoreError> {
        let name = &self.view.def.name;
        self.core.db.write(|tx| {
            let sql = "UPDATE fait_views SET hold = 0, state = 'building'
                WHERE name = ?1 AND gen = ?2";
            tx.execute(sql, params![name, i64_of(number)]).map(|_| ())
        })
    }

    async fn roll_back(&mut self) -> Result<(), ViewError> {
        if let Some(build) = self.view.build() {
            return not_now(format!(
                "generation {} is being made; cancel it first",
                build.number
            ));
        }
        let (core, view) = (self.core.clone(), self.view.clone());
        let all = self.all()?;
        let kept = |g: &&catalog::Generation| matches!(g.state, State::Kept | State::Rejected);
        let Some(back) = all.iter().rfind(kept) else {
            return not_now("no generation is kept to go back to");
        };
        let (name, mut back) = (&view.def.name, back.clone());
        let follows = view.fits(&back);
        let other = if follows {
            State::Kept
        } else {
            State::Rejected
        };
        let mut now: Vec<_> = all.clone();
        for g in &mut now {
            match g.state {
                State::Serving => g.state = other,
                _ if g.number == back.number => g.state = State::Serving,
                _ => {}
            }
        }
        back.state = State::Serving;
        let frozen = view.frozen(&back, &now);
        core.db.write(|tx| {
            now.iter().try_for_each(|g| catalog::put(tx, name, g))?;
            table::show(tx, &view.def, &back, frozen.as_deref())
        })?;
        tracing::warn!(view = name, generation = back.number, "went back");
        view.show(&back, frozen);
        self.serving = match follows {
            true => Some(self.open(&back)?),
            false => None,
        };
        // Other code may have made it.
        self.retry(None).await?;
        Ok(())
    }

    fn forget(&mut self) -> Result<(), ViewError> {
        let kept = |g: &catalog::Generation| matches!(g.state, State::Kept | State::Rejected);
        let (db, name) = (&self.core.db, &self.view.def.name);
        let all = self.all()?;
        if !all.iter().any(kept) {
            return not_now("no generation is kept");
        }
        db.write_over(|tx| {
            for g in all.iter().filter(|g| kept(g)) {
                catalog::turn(tx, name, g.number, State::Gone)?;
            }
            catalog::sweep(tx, name)
        })?;
        Ok(db.empty_log()?)
    }

    /// Takes parked keys up again, each from the event on that it could not take, in order; and
    /// events that could not be read.
    pub(super) async fn retry(&mut self, key: Option<&str>) -> Result<ViewDone, StoreError> {
        let mut done = ViewDone::default();
        let Some(serving) = &self.serving else {
            return Ok(done);
        };
        let (number, until) = (serving.number, serving.position);
        let (core, view) = (self.core.clone(), self.view.clone());
        if let Some(own) = SqlDef::in_def(&view.def) {
            return self.retry_sql(own, (number, until)).await;
        }
        if key.is_none() {
            self.retry_unread(number, until, &mut done).await?;
        }
        let mut keys = parked_keys(&core.db, &view.def.name, number)?;
        keys.retain(|(k, _)| key.is_none_or(|key| key == k));
        for some in keys.chunks(core.sizes.together.max(1)) {
            let table = view.shown().table;
            let wanted = core.db.read(|c| {
                let refold = |(key, at): &(String, Position)| {
                    let base = table::stored(c, &table, key)?;
                    Ok(Refold {
                        key: key.clone(),
                        base,
                        after: at - 1,
                    })
                };
                some.iter()
                    .map(refold)
                    .collect::<rusqlite::Result<Vec<_>>>()
            })?;
            let again = refold(&*core.store, &view.def, core.sizes, wanted, until).await?;
            core.db
                .write(|tx| again.iter().try_for_each(|r| put(tx, &view, number, r)))?;
            done.retried += again.len() as u64;
            done.well += again.iter().filter(|r| r.parked.is_none()).count() as u64;
            if let Some(serving) = &mut self.serving {
                serving.retried(&again);
            }
        }
        Ok(done)
    }

    /// The same for a projection that writes SQL itself: whatever was passed over, in one
    /// transaction. Keys may hang together, so one alone is not tried.
    async fn retry_sql(
        &self,
        own: &SqlDef,
        (number, until): (u64, Position),
    ) -> Result<ViewDone, StoreError> {
        let (core, view) = (&self.core, &self.view);
        let name = &view.def.name;
        let blocked = core.db.read(|c| sql::blocked(c, name, number))?;
        let again = sql::Again::of(&blocked);
        let Some(first) = again.first() else {
            return Ok(ViewDone::default());
        };
        let mut runner = sql::Runner {
            def: &view.def,
            sql: own,
            number,
            blocked: BTreeMap::new(),
        };
        let (mut missed, mut at) = (vec![], first - 1);
        while at < until {
            let range = Range {
                before: Some(until + 1),
                ..Range::after(at, core.sizes.refold)
            };
            let events = core.store.read(&view.query(), range).await?.events;
            at = reached(&events, until, core.sizes.refold);
            missed.extend(events.into_iter().filter(|e| again.missed(&runner, e)));
        }
        core.db.write(|tx| {
            let sql = "DELETE FROM fait_parked_keys WHERE view = ?1 AND gen = ?2";
            tx.execute(sql, params![name, i64_of(number)])?;
            missed.iter().try_for_each(|e| runner.take(tx, e))?;
            let mut blocked = runner.blocked.values();
            blocked.try_for_each(|p| p.write(tx, name, number))
        })?;
        let (retried, still) = (blocked.len() as u64, runner.blocked.len() as u64);
        Ok(ViewDone {
            retried,
            well: retried.saturating_sub(still),
        })
    }

    async fn retry_unread(
        &mut self,
        number: u64,
        until: Position,
        done: &mut ViewDone,
    ) -> Result<(), StoreError> {
        let (core, view) = (self.core.clone(), self.view.clone());
        let name = &view.def.name;
        let unread: Vec<Position> = core.db.read(|c| {
            c.prepare_cached("SELECT position FROM fait_unread WHERE view = ?1 AND gen = ?2")?
                .query_map(params![name, i64_of(number)], |r| Ok(u64_of(r.get(0)?)))?
                .collect()
        })?;
        for at in unread {
            let range = Range {
                before: Some(at + 1),
                ..Range::after(at - 1, 1)
            };
            let event = core.store.read(&view.query(), range).await?.events;
            let sorted = view.def.code.sort(&event, 1);
            done.retried += 1;
            if !sorted.unread.is_empty() {
                continue;
            }
            // What came later was taken in without it, so these rows are made from the beginning.
            let (rows, mut wanted) = (view.def.code.rows(), vec![]);
            for part in &sorted.parts {
                let fresh = |key| Refold {
                    key,
                    base: None,
                    after: 0,
                };
                wanted.extend(rows.missing(part).into_iter().map(fresh));
            }
            let again = refold(&*core.store, &view.def, core.sizes, wanted, until).await?;
            core.db.write(|tx| {
                let sql = "DELETE FROM fait_unread WHERE view = ?1 AND gen = ?2 AND position = ?3";
                tx.execute(sql, params![name, i64_of(number), i64_of(at)])?;
                again.iter().try_for_each(|r| put(tx, &view, number, r))
            })?;
            if let Some(serving) = &mut self.serving {
                serving.retried(&again);
            }
            done.well += 1;
        }
        Ok(())
    }
}

/// Writes what became of a key that was tried again.
fn put(
    tx: &Transaction<'_>,
    view: &ViewState,
    number: u64,
    again: &Refolded,
) -> rusqlite::Result<()> {
    let name = &view.def.name;
    if let Some((row, position)) = &again.changed {
        let table = table::table_name(name, number);
        table::write(tx, &table, &again.key, row.as_deref(), *position)?;
    }
    let Some((position, reason)) = again.parked.clone() else {
        let sql = "DELETE FROM fait_parked_keys WHERE view = ?1 AND gen = ?2 AND key = ?3";
        let of = params![name, i64_of(number), again.key];
        return tx.prepare_cached(sql)?.execute(of).map(|_| ());
    };
    let key = again.key.clone();
    let parked = Parked {
        key,
        position,
        reason,
    };
    parked.write(tx, name, number)
}

impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Asked").field(&self.action).finish()
    }
}
