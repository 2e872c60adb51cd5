//! Named feeds as the database of the views has them, while no program runs.

use super::unsigned;
use fait::app::{FeedStatus, MAX_SET_ASIDE, SetAside};
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;
use uuid::Uuid;

/// All feeds whose checkpoint is kept there.
pub(super) fn read(c: &Connection, head: u64, store: Uuid) -> rusqlite::Result<Vec<FeedStatus>> {
    // A database that no program with feeds has opened yet has no such table.
    if !c.table_exists(None, "fait_named_feeds")? {
        return Ok(vec![]);
    }
    let sql = "SELECT f.name, f.store, f.position,
            (SELECT count(*) FROM fait_set_aside a WHERE a.feed = f.name)
        FROM fait_named_feeds f ORDER BY f.name";
    let mut feeds: Vec<FeedStatus> = c
        .prepare(sql)?
        .query_map([], |r| {
            let (name, history): (String, String) = (r.get(0)?, r.get(1)?);
            let position = unsigned(r.get(2)?);
            let other = history != store.to_string() || position > head;
            let waits = other.then(|| {
                format!(
                    "it was fed from another history: look what was made of its events, and say \
                     where it goes on with `fait feed reset {name} --to N`"
                )
            });
            Ok(FeedStatus {
                name,
                position,
                head,
                lag_events: head.saturating_sub(position),
                reading: false,
                elsewhere: false,
                waits,
                set_aside: unsigned(r.get(3)?),
                newest_set_aside: vec![],
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    let sql = "SELECT position, error, reason FROM fait_set_aside WHERE feed = ?1
        ORDER BY position DESC LIMIT ?2";
    let mut aside = c.prepare(sql)?;
    for feed in &mut feeds {
        let newest = aside.query_map(params![feed.name, MAX_SET_ASIDE], |r| {
            Ok(SetAside {
                position: unsigned(r.get(0)?),
                error: r.get(1)?,
                reason: r.get(2)?,
            })
        })?;
        feed.newest_set_aside = newest.collect::<rusqlite::Result<_>>()?;
    }
    Ok(feeds)
}

/// Puts a feed behind a position of this history.
pub(super) fn reset(file: &Path, name: &str, store: Uuid, to: u64) -> rusqlite::Result<()> {
    let c = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let sql = "UPDATE fait_named_feeds SET position = ?1, store = ?2, reader = reader + 1
        WHERE name = ?3";
    let to = i64::try_from(to).unwrap_or(i64::MAX);
    c.execute(sql, params![to, store.to_string(), name])
        .map(drop)
}
