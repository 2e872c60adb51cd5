//! How views stand: what serves, what is made beside it, and what does not follow.

use super::build::Build;
use super::catalog::{self, State};
use super::past::Past;
use super::{ViewState, lock};
use crate::runtime::Core;
use crate::runtime::db::{i64_of, quoted, u64_of};
use fait_core::event::Position;
use fait_core::projection::Mode;
use fait_core::store::StoreError;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

/// Parked keys and unplaced events that a status lists at most; it counts all of them.
const MAX_LISTED: usize = 100;

/// How a view stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewStatus {
    /// The view.
    pub name: String,
    /// When it is brought up to date.
    #[serde(default)]
    pub mode: Mode,
    /// The table of the generation that serves. The SQL view of the view's name, with `_` for `-`,
    /// always shows it.
    pub table: String,
    /// Which making of the view serves: 1, 2, 3 …
    pub generation: u64,
    /// The version of the code that made it.
    pub version: u32,
    /// How far it has come.
    pub position: Position,
    /// The head of the log.
    pub head: Position,
    /// Events behind; of all types, also those it does not listen to.
    pub lag_events: u64,
    /// Rows.
    pub rows: u64,
    /// Why it does not follow any more, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// How many keys wait because of an event that could not be projected.
    pub parked_keys: u64,
    /// The first hundred of them in the order of keys, with the reason.
    pub parked: BTreeMap<String, String>,
    /// Events that cannot be read and may be about any row; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unplaced: Vec<Unplaced>,
    /// A rebuild, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild: Option<RebuildStatus>,
    /// The making that served before, to which one can go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<KeptStatus>,
    /// How many rebuilds were finished since the program started.
    pub rebuilds_finished: u64,
    /// Why the last rebuild failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rebuild_failed: Option<String>,
}

/// An event that cannot be read, of a view whose rows are not known by tags.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unplaced {
    /// The event.
    pub position: Position,
    /// Why it cannot be read.
    pub reason: String,
}

/// What a rebuild is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RebuildState {
    /// It takes history in.
    Building,
    /// Somebody said that it is to wait.
    Paused,
    /// It has caught up, and waits for the word to serve.
    Ready,
}

/// How far a rebuild has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RebuildStatus {
    /// Which making of the view this is.
    pub generation: u64,
    /// The version of the code.
    pub version: u32,
    /// What it is doing.
    pub state: RebuildState,
    /// Whether it waits, when it is ready, for the word to serve.
    pub held: bool,
    /// How far it has come.
    pub position: Position,
    /// Where it is ready, as far as is known now.
    pub until: Position,
    /// Positions passed per second, over the last seconds.
    pub per_second: u64,
    /// Seconds that are left at this rate; none when there is no rate yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_left: Option<u64>,
    /// How many keys it has parked so far.
    #[serde(default)]
    pub parked_keys: u64,
}

impl RebuildStatus {
    /// How much of it is done, from 0 to 1.
    pub fn done(&self) -> f64 {
        match self.until {
            0 => 1.0,
            until => (self.position as f64 / until as f64).min(1.0),
        }
    }
}

/// A key that follows no more, and what it waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkedKey {
    /// What the row is about.
    pub key: String,
    /// The event that it could not take.
    pub position: Position,
    /// Why.
    pub reason: String,
}

/// A making of a view that served before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptStatus {
    /// Which one.
    pub generation: u64,
    /// The version of the code that made it.
    pub version: u32,
    /// Where it stopped.
    pub position: Position,
    /// Whether this program's code made it, so that it would follow again.
    pub follows: bool,
}

impl Build {
    fn status(&self, version: u32, parked_keys: u64) -> RebuildStatus {
        let (position, until) = (self.at(), self.until());
        let per_second = self.rate();
        let left = until.saturating_sub(position);
        RebuildStatus {
            generation: self.number,
            version,
            state: self.state(),
            held: self.hold.load(Ordering::Acquire),
            position,
            until,
            per_second,
            seconds_left: (per_second > 0).then(|| left.div_ceil(per_second)),
            parked_keys,
        }
    }
}

impl Core {
    /// Keys of a view that are parked, in their order.
    pub(crate) async fn parked_keys(
        &self,
        view: &ViewState,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<ParkedKey>, StoreError> {
        let (name, after) = (&view.def.name, after.unwrap_or_default());
        if view.is_live() {
            let live = self.live(view).await?;
            let read = |p: &Past| {
                let number = p.shown().number;
                p.db().read(|c| parked(c, name, number, after, limit))
            };
            return live.as_ref().map_or(Ok(vec![]), read);
        }
        let number = view.shown().number;
        self.db.read(|c| parked(c, name, number, after, limit))
    }

    /// How a view stands.
    pub(crate) fn view_status(
        &self,
        view: &ViewState,
        head: Position,
    ) -> Result<ViewStatus, StoreError> {
        let live = view.live.try_lock();
        let live = live
            .as_ref()
            .ok()
            .and_then(|l| l.as_ref())
            .filter(|_| view.is_live());
        let shown = live.map_or_else(|| view.shown(), |l| l.shown());
        let db = live.map_or(&*self.db, |l| l.db());
        let (name, number) = (&view.def.name, shown.number);
        let build = view.build();
        let (noted, all) = db.read(|c| {
            let noted = noted(c, name, &shown.table, number)?;
            Ok((noted, catalog::generations(c, name)?))
        })?;
        let rebuild = build.map(|b| {
            let parked = self.db.read(|c| count_parked(c, name, b.number))?;
            Ok(b.status(view.def.version, parked))
        });
        let position = view.feed.at();
        let kept = |g: &&catalog::Generation| matches!(g.state, State::Kept | State::Rejected);
        let kept = all.iter().rfind(kept).map(|g| KeptStatus {
            generation: g.number,
            version: g.version,
            position: g.position,
            follows: view.fits(g),
        });
        Ok(ViewStatus {
            name: name.clone(),
            mode: view.def.mode,
            table: shown.table,
            generation: number,
            version: shown.version,
            position,
            head,
            lag_events: if view.is_live() {
                0
            } else {
                head.saturating_sub(position)
            },
            rows: noted.rows,
            frozen: shown.frozen,
            parked_keys: noted.count,
            parked: noted.parked,
            unplaced: noted.unplaced,
            rebuild: rebuild.transpose()?,
            kept,
            rebuilds_finished: view.finished.load(Ordering::Acquire),
            rebuild_failed: lock(&view.failed).clone(),
        })
    }
}

/// What the database says of one generation.
#[derive(Default)]
struct Noted {
    rows: u64,
    count: u64,
    parked: BTreeMap<String, String>,
    unplaced: Vec<Unplaced>,
}

fn noted(c: &Connection, view: &str, table: &str, number: u64) -> rusqlite::Result<Noted> {
    if table.is_empty() {
        // It is folded on read, and nobody has read it yet.
        return Ok(Noted::default());
    }
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    let rows = c.query_row(&sql, [], |r| r.get(0))?;
    let parked = parked(c, view, number, "", MAX_LISTED)?;
    Ok(Noted {
        rows: u64_of(rows),
        count: count_parked(c, view, number)?,
        parked: parked.into_iter().map(|p| (p.key, p.reason)).collect(),
        unplaced: unplaced(c, view, number)?,
    })
}

/// How many keys of a generation are parked.
fn count_parked(c: &Connection, view: &str, number: u64) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM fait_parked_keys WHERE view = ?1 AND gen = ?2";
    let count = c.query_row(sql, params![view, i64_of(number)], |r| r.get(0));
    count.map(u64_of)
}

fn parked(
    c: &Connection,
    view: &str,
    number: u64,
    after: &str,
    limit: usize,
) -> rusqlite::Result<Vec<ParkedKey>> {
    let sql = "SELECT key, position, reason FROM fait_parked_keys
        WHERE view = ?1 AND gen = ?2 AND key > ?3 ORDER BY key LIMIT ?4";
    let limit = i64_of(limit as u64);
    c.prepare_cached(sql)?
        .query_map(params![view, i64_of(number), after, limit], |r| {
            Ok(ParkedKey {
                key: r.get(0)?,
                position: u64_of(r.get(1)?),
                reason: r.get(2)?,
            })
        })?
        .collect()
}

fn unplaced(c: &Connection, view: &str, number: u64) -> rusqlite::Result<Vec<Unplaced>> {
    let sql = "SELECT position, reason FROM fait_unread WHERE view = ?1 AND gen = ?2
        ORDER BY position LIMIT ?3";
    c.prepare_cached(sql)?
        .query_map(params![view, i64_of(number), MAX_LISTED as i64], |r| {
            Ok(Unplaced {
                position: u64_of(r.get(0)?),
                reason: r.get(1)?,
            })
        })?
        .collect()
}
