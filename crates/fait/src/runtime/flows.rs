//! Which events belong to which flow. The log has no index by flow, and few ever look: this one is
//! brought up to date when somebody asks, stands beside the views, and can be thrown away.

use super::Core;
use super::db::{Db, i64_of, set_feed, u64_of};
use super::index::{OpenCommand, bodies};
use super::view::reached;
use fait_core::event::{Position, StoredEvent};
use fait_core::process::Instance;
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use rusqlite::params;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

const FEED: &str = "flows";

/// Events that the index takes at once.
const BATCH: usize = 4000;

/// How long somebody who asks waits for the index; what is new then is taken the next time.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps two from bringing the index up to date at the same time.
pub(crate) type Indexing = Mutex<()>;

impl Core {
    /// Takes what is new in the log into the index; says how far it came.
    pub(crate) async fn index_flows(&self) -> Result<Position, StoreError> {
        let _alone = self.flows.lock().await;
        let began = Instant::now();
        let mut at = self.db.feed(FEED)?;
        while at < self.store.head().await? && began.elapsed() < PATIENCE {
            let range = Range::after(at, BATCH);
            let slice = self.store.read(&Query::all(), range).await?;
            at = reached(&slice.events, slice.head, BATCH);
            self.db.take_flows(&slice.events, at)?;
        }
        Ok(at)
    }

    /// Events of a flow behind a position, as far as the index has come.
    pub(crate) async fn flow_events(
        &self,
        flow: Uuid,
        after: Position,
        most: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = vec![];
        for at in self.db.flow(flow, after, most)? {
            // What was erased since has no event, or another one behind it.
            let event = self.event_at(at).await?;
            events.extend(event.filter(|e| e.meta.origin.correlation == flow));
        }
        Ok(events)
    }
}

impl Db {
    fn take_flows(&self, events: &[StoredEvent], to: Position) -> Result<(), StoreError> {
        self.write(|tx| {
            let sql = "INSERT OR REPLACE INTO fait_flows VALUES (?1, ?2)";
            let mut insert = tx.prepare_cached(sql)?;
            for event in events {
                let flow = event.meta.origin.correlation;
                insert.execute(params![flow.as_bytes(), i64_of(event.meta.position)])?;
            }
            set_feed(tx, FEED, to)
        })
    }

    fn flow(&self, flow: Uuid, after: Position, most: usize) -> Result<Vec<Position>, StoreError> {
        self.read(|c| {
            let sql = "SELECT position FROM fait_flows WHERE flow = ?1 AND position > ?2
                ORDER BY position LIMIT ?3";
            let rows = params![flow.as_bytes(), i64_of(after), i64_of(most as u64)];
            c.prepare_cached(sql)?
                .query_map(rows, |r| r.get(0).map(u64_of))?
                .collect()
        })
    }

    /// What is asked, told and not done yet in a flow, oldest first.
    pub(crate) fn open_in(&self, flow: Uuid) -> Result<Vec<OpenCommand>, StoreError> {
        self.read(|c| {
            let sql = "SELECT body FROM fait_open WHERE json_extract(body, '$.correlation') = ?1
                ORDER BY position";
            bodies(c, sql, [flow.to_string()])
        })
    }

    /// The instances in a flow that wait for an operator.
    pub(crate) fn parked_in(&self, flow: Uuid) -> Result<Vec<Instance>, StoreError> {
        self.read(|c| {
            let sql = "SELECT body FROM fait_instances WHERE status = 'parked'
                AND json_extract(body, '$.correlation') = ?1 ORDER BY updated_at";
            bodies(c, sql, [flow.to_string()])
        })
    }
}
