//! How views stand in the database of a folder.

use super::super::View;
use super::unsigned;
use fait::app::{KeptStatus, ParkedKey, RebuildState, RebuildStatus, Unplaced, ViewStatus};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// Parked keys and events that are listed at most, as a running system does it.
const LISTED: usize = 100;

/// One making of a view, as it is noted.
#[derive(Clone, PartialEq)]
struct Making {
    name: String,
    number: u64,
    version: u32,
    shape: String,
    state: String,
    hold: bool,
    paused: bool,
    wanted: bool,
    position: u64,
    table: String,
}

impl Making {
    fn read(r: &Row<'_>) -> rusqlite::Result<Making> {
        let tables: String = r.get(9)?;
        Ok(Making {
            name: r.get(0)?,
            number: unsigned(r.get(1)?),
            version: r.get(2)?,
            shape: r.get(3)?,
            state: r.get(4)?,
            hold: r.get(5)?,
            paused: r.get(6)?,
            wanted: r.get(7)?,
            position: unsigned(r.get(8)?),
            table: tables.split(' ').next().unwrap_or_default().into(),
        })
    }

    fn is_like(&self, other: &Making) -> bool {
        (self.version, &self.shape) == (other.version, &other.shape)
    }
}

/// All views of the folder.
pub(super) fn read(c: &Connection, head: u64) -> rusqlite::Result<Vec<View>> {
    let sql = "SELECT name, gen, version, shape, state, hold, paused, wanted, position, tables
        FROM fait_views ORDER BY name, gen";
    let makings: Vec<Making> = c
        .prepare(sql)?
        .query_map([], Making::read)?
        .collect::<rusqlite::Result<_>>()?;
    let serving = makings.iter().filter(|m| m.state == "serving");
    let view = |serving: &Making| {
        let all: Vec<&Making> = makings.iter().filter(|m| m.name == serving.name).collect();
        Ok(View {
            status: status(c, serving, &all, head)?,
            rebuilds_at_start: serving.wanted,
        })
    };
    serving.map(view).collect()
}

fn status(
    c: &Connection,
    serving: &Making,
    all: &[&Making],
    head: u64,
) -> rusqlite::Result<ViewStatus> {
    let (name, number) = (&serving.name, serving.number);
    let table = serving.table.replace('"', "\"\"");
    let sql = format!("SELECT count(*) FROM \"{table}\"");
    let rows: Option<i64> = c.query_row(&sql, [], |r| r.get(0)).optional()?;
    let beside = all
        .iter()
        .find(|m| ["building", "ready"].contains(&&*m.state));
    let kept = all
        .iter()
        .rfind(|m| ["kept", "rejected"].contains(&&*m.state));
    let rebuild = beside.map(|m| rebuild(c, m, head)).transpose()?;
    let listed = parked(c, name, None, LISTED)?;
    Ok(ViewStatus {
        name: name.clone(),
        table: serving.table.clone(),
        version: serving.version,
        position: serving.position,
        head,
        lag_events: head.saturating_sub(serving.position),
        mode: Default::default(),
        generation: number,
        rows: unsigned(rows.unwrap_or(0)),
        frozen: frozen(serving, all),
        parked_keys: count(c, name, number)?,
        parked: listed
            .into_iter()
            .map(|p| (p.key, p.reason))
            .collect::<BTreeMap<_, _>>(),
        unplaced: unplaced(c, name, number)?,
        rebuild,
        kept: kept.map(|m| KeptStatus {
            generation: m.number,
            version: m.version,
            position: m.position,
            follows: m.is_like(serving),
        }),
        rebuilds_finished: 0,
        rebuild_failed: None,
    })
}

/// Why it does not follow, as far as the folder tells: what the last program made beside it, or
/// what somebody went back from, is of other code.
fn frozen(serving: &Making, all: &[&Making]) -> Option<String> {
    let other = |states: &[&str]| {
        let mut of = all.iter().filter(|m| states.contains(&&*m.state));
        of.find(|m| !m.is_like(serving)).map(|m| m.version)
    };
    let (was, at) = (serving.version, serving.position);
    if let Some(left) = other(&["rejected"]) {
        return Some(format!(
            "somebody went back from version {left} to version {was} of this view, which stopped \
             at event {at}"
        ));
    }
    other(&["building", "ready"]).map(|next| {
        format!(
            "it was made by version {was} of this view, which stopped at event {at}; what the \
             last program made by version {next} does not serve yet"
        )
    })
}

fn rebuild(c: &Connection, m: &Making, head: u64) -> rusqlite::Result<RebuildStatus> {
    let ready = m.state == "ready";
    Ok(RebuildStatus {
        generation: m.number,
        version: m.version,
        state: match (ready, m.paused) {
            (true, _) => RebuildState::Ready,
            (false, true) => RebuildState::Paused,
            (false, false) => RebuildState::Building,
        },
        held: m.hold,
        position: m.position,
        until: if ready {
            m.position
        } else {
            head.max(m.position)
        },
        per_second: 0,
        seconds_left: None,
        parked_keys: count(c, &m.name, m.number)?,
    })
}

fn count(c: &Connection, view: &str, number: u64) -> rusqlite::Result<u64> {
    let sql = "SELECT count(*) FROM fait_parked_keys WHERE view = ?1 AND gen = ?2";
    c.query_row(sql, params![view, number.cast_signed()], |r| r.get(0))
        .map(unsigned)
}

fn unplaced(c: &Connection, view: &str, number: u64) -> rusqlite::Result<Vec<Unplaced>> {
    let sql = format!(
        "SELECT position, reason FROM fait_unread WHERE view = ?1 AND gen = ?2
         ORDER BY position LIMIT {LISTED}"
    );
    let read = |r: &Row<'_>| {
        Ok(Unplaced {
            position: unsigned(r.get(0)?),
            reason: r.get(1)?,
        })
    };
    c.prepare(&sql)?
        .query_map(params![view, number.cast_signed()], read)?
        .collect()
}

/// Keys that follow no more, of what serves.
pub(super) fn parked(
    c: &Connection,
    view: &str,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<ParkedKey>> {
    let sql = format!(
        "SELECT p.key, p.position, p.reason FROM fait_parked_keys p
         JOIN fait_views v ON v.name = p.view AND v.gen = p.gen AND v.state = 'serving'
         WHERE p.view = ?1 AND p.key > ?2 ORDER BY p.key LIMIT {limit}"
    );
    let read = |r: &Row<'_>| {
        Ok(ParkedKey {
            key: r.get(0)?,
            position: unsigned(r.get(1)?),
            reason: r.get(2)?,
        })
    };
    c.prepare(&sql)?
        .query_map(params![view, after.unwrap_or_default()], read)?
        .collect()
}
