//! What is known of a view in the database: its generations, which one serves, and how far each
//! has come. A generation is one making of the view's tables, numbered 1, 2, 3 …

use crate::runtime::db::{i64_of, quoted, u64_of};
use fait_core::event::Position;
use rusqlite::{Connection, Row, Transaction, params};
use std::fmt;
use std::str::FromStr;

/// What a generation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It is read.
    Serving,
    /// It is being made beside the one that serves.
    Building,
    /// It is made, follows, and waits for the word to serve.
    Ready,
    /// It served before, and is kept to go back to.
    Kept,
    /// It served, and somebody went back from it: its program does not make it again by itself.
    Rejected,
    /// Its tables are to be dropped.
    Gone,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Serving => "serving",
            State::Building => "building",
            State::Ready => "ready",
            State::Kept => "kept",
            State::Rejected => "rejected",
            State::Gone => "gone",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for State {
    type Err = ();
    fn from_str(word: &str) -> Result<State, ()> {
        use State::*;
        let all = [Serving, Building, Ready, Kept, Rejected, Gone];
        all.into_iter().find(|s| s.word() == word).ok_or(())
    }
}

/// One making of a view.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Generation {
    pub(crate) number: u64,
    /// The version of the code that made it.
    pub(crate) version: u32,
    /// What the rows looked like and were made from.
    pub(crate) shape: String,
    pub(crate) state: State,
    /// It waits for a word before it serves.
    pub(crate) hold: bool,
    pub(crate) paused: bool,
    /// Somebody asked for a rebuild while the program was not there.
    pub(crate) wanted: bool,
    pub(crate) position: Position,
    /// Events that were taken in.
    pub(crate) events: u64,
    /// Its tables; the first is that of the rows.
    pub(crate) tables: Vec<String>,
}

impl Generation {
    /// Where its rows are.
    pub(crate) fn table(&self) -> &str {
        self.tables.first().map_or("", String::as_str)
    }

    fn read(r: &Row<'_>) -> rusqlite::Result<Generation> {
        let state: String = r.get(3)?;
        let tables: String = r.get(9)?;
        Ok(Generation {
            number: u64_of(r.get(0)?),
            version: r.get(1)?,
            shape: r.get(2)?,
            state: state.parse().unwrap_or(State::Gone),
            hold: r.get(4)?,
            paused: r.get(5)?,
            wanted: r.get(6)?,
            position: u64_of(r.get(7)?),
            events: u64_of(r.get(8)?),
            tables: tables.split(' ').map(String::from).collect(),
        })
    }
}

/// All generations of a view, the oldest first.
pub(crate) fn generations(c: &Connection, view: &str) -> rusqlite::Result<Vec<Generation>> {
    c.prepare_cached(
        "SELECT gen, version, shape, state, hold, paused, wanted, position, events, tables
         FROM fait_views WHERE name = ?1 ORDER BY gen",
    )?
    .query_map([view], Generation::read)?
    .collect()
}

/// Writes a generation, whether it is known or not.
pub(crate) fn put(tx: &Transaction<'_>, view: &str, g: &Generation) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO fait_views (name, gen, version, shape, state, hold, paused, wanted,
         position, events, tables) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        view,
        i64_of(g.number),
        g.version,
        g.shape,
        g.state.word(),
        g.hold,
        g.paused,
        g.wanted,
        i64_of(g.position),
        i64_of(g.events),
        g.tables.join(" ")
    ])
    .map(|_| ())
}

/// Moves the checkpoint of a generation, in the transaction of its rows. It fails when it does not
/// stand where it was left: then somebody else has written, for example the same program twice.
pub(crate) fn advance(
    tx: &Transaction<'_>,
    view: &str,
    number: u64,
    (from, to): (Position, Position),
    events: u64,
) -> rusqlite::Result<()> {
    let (number, from, to, events) = (i64_of(number), i64_of(from), i64_of(to), i64_of(events));
    let moved = tx
        .prepare_cached(
            "UPDATE fait_views SET position = ?4, events = events + ?5
             WHERE name = ?1 AND gen = ?2 AND position = ?3",
        )?
        .execute(params![view, number, from, to, events])?;
    match moved {
        1 => Ok(()),
        none => Err(rusqlite::Error::StatementChangedRows(none)),
    }
}

/// Says what a generation is for from now on, when nothing more is made of it.
pub(crate) fn turn(
    tx: &Transaction<'_>,
    view: &str,
    number: u64,
    state: State,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE fait_views SET state = ?3, paused = 0 WHERE name = ?1 AND gen = ?2")?
        .execute(params![view, i64_of(number), state.word()])
        .map(|_| ())
}

/// Drops what is gone, with all that was noted of it.
pub(crate) fn sweep(tx: &Transaction<'_>, view: &str) -> rusqlite::Result<()> {
    for g in generations(tx, view)? {
        if g.state == State::Gone {
            for table in &g.tables {
                tx.execute_batch(&format!("DROP TABLE IF EXISTS {}", quoted(table)))?;
            }
            for noted in ["fait_parked_keys", "fait_unread"] {
                let sql = format!("DELETE FROM {noted} WHERE view = ?1 AND gen = ?2");
                tx.execute(&sql, params![view, i64_of(g.number)])?;
            }
            let sql = "DELETE FROM fait_views WHERE name = ?1 AND gen = ?2";
            tx.execute(sql, params![view, i64_of(g.number)])?;
        }
    }
    Ok(())
}
