//! A running system: what applications, the task UI and the command line talk to.

mod build;
mod bulk;
mod bus;
mod check;
mod compensate;
mod erase;
mod evolve;
mod feed;
mod feeds;
mod hears;
pub mod history;
mod inbox;
mod kept;
mod look;
mod migrate;
mod operate;
mod outlets;
mod pick;
mod preflight;
mod publish;
mod read;
mod sample;
mod send;
mod shadow;
mod system;
mod versions;
mod view;

pub(crate) use sample::sample;

pub use crate::runtime::begin::{Begin, MAX_ADOPTED_EVENTS};
pub use crate::runtime::bulk::{BulkState, Failed, MAX_FAILURES, Progress};
pub use crate::runtime::bus::messages::{MAX_MESSAGES, MAX_MESSAGES_BYTES};
pub use crate::runtime::bus::outlet::{Halted, Wants};
pub use crate::runtime::bus::publication::Stopped;
pub use crate::runtime::bus::publish::{MAX_BYTES_OF_ONE_EVENT, MAX_OF_ONE_EVENT};
pub use crate::runtime::bus::relay::MAX_HANDED_OVER;
pub use crate::runtime::decide::{DECLINED, Envelope, MAX_TRIES, Receipt, Recorded, SendError};
pub use crate::runtime::dispatch::MAX_WAITING;
pub use crate::runtime::dispatch::system::{
    Limits, MIN_TELLS, SystemStatus, TellError, Told, Uncertain,
};
pub use crate::runtime::hear::{InletStatus, MAX_KEPT_MESSAGES, Mood};
pub use crate::runtime::index::{OpenCommand, ProcessCount};
pub use crate::runtime::lanes::PARTITIONS;
pub use crate::runtime::models::{MAX_MODEL_BYTES, MAX_MODELS};
pub use crate::runtime::route::{Ignored, MAX_HELD_EVENTS};
pub use crate::runtime::snapshots::{MAX_SNAPSHOT_BYTES, MAX_SNAPSHOTS, MAX_SNAPSHOTS_BYTES};
pub use crate::runtime::step::MAX_ISSUED;
pub use crate::runtime::token::{Token, TokenError};
#[doc(hidden)]
pub use crate::runtime::view::Sizes as ViewSizes;
pub use crate::runtime::view::{
    AsOf, Differs, KeptStatus, MAX_FILTERS, MAX_IN, MAX_ROWS, MAX_SORTS, ParkedKey, RebuildState,
    RebuildStatus, Responsible, RowDiff, Rows, RowsQuery, Side, Unplaced, ViewAction, ViewDiff,
    ViewDone, ViewError, ViewRow, ViewStatus, ViewsFile,
};
pub use crate::trace::{Cause, Flow};
pub use build::{AppBuilder, BuildError};
pub use bulk::{Bulk, BulkError, DEFAULT_RATE, MAX_RATE, MAX_SAMPLE, Preview};
pub use bus::{BusStatus, MAX_COUNTED, OutletStatus, PublicationStatus, Trouble};
pub use compensate::{Compensation, Undo};
pub use feed::{
    Batch, Feed, FeedBuilder, FeedError, Happened, MAX_FEED_BYTES, MAX_FEED_EVENTS, Start,
};
pub use feeds::{FeedStatus, MAX_SET_ASIDE, SetAside};
pub use hears::{HearError, MAX_RECEIVER_BYTES, Reread, UnreadableMessage};
pub use inbox::{Asked, ClaimError};
pub use kept::{Kept, Key};
pub use look::{Health, ProcessStatus};
pub use migrate::{MigrateError, Migrated};
pub use operate::{Act, MAX_REASON_BYTES, OperateError, Operation};
pub use outlets::{OutletError, ReplayFrom};
pub use pick::{Filter, Picked, Standing, Stuck};
pub use preflight::{Finding, Finds, MAX_FINDINGS, Preflight};
pub use read::{MAX_WAIT, ReadError};
pub use send::{CommandError, Send};
pub use shadow::{Difference, MAX_DIFFERENCES, Shadow};
pub use system::System;
pub use versions::{Unreadable, VersionError, Versions};
pub use view::View;

use crate::runtime::Core;
use fait_core::event::Position;
use std::sync::Arc;
use std::time::Duration;

/// A running system. Cheap to clone; stops with [`App::stop`] or when the runtime ends.
#[derive(Clone)]
pub struct App {
    pub(crate) core: Arc<Core>,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("name", &self.core.name)
            .finish_non_exhaustive()
    }
}

impl App {
    /// The system's name.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// The clock.
    pub fn clock(&self) -> &crate::Clock {
        &self.core.clock
    }

    /// Begins to stop, without waiting for it; see [`App::stop`].
    pub fn begin_stop(&self) {
        self.core.stop.cancel();
    }

    /// Stops: nothing new is begun, what is under way is finished, checkpoints are written.
    pub async fn stop(&self) {
        self.core.stop.cancel();
        self.core.tasks.close();
        self.core.tasks.wait().await;
        self.core.store.close().await;
    }

    /// Resolves once the system is asked to stop.
    pub async fn stopping(&self) {
        self.core.stop.cancelled().await;
    }

    /// Waits until everything that follows from what has happened has happened: views have caught
    /// up, processes have stepped, what they sent is done, what others are told is recorded and
    /// handed over, what is heard is recorded. People and deadlines that have not come are not
    /// waited for, and other systems only while they answer within a second.
    pub async fn settle(&self) {
        let mut quiet = 0;
        while quiet < 2 {
            let Ok(head) = self.core.store.head().await else {
                return;
            };
            if self.is_settled(head).await {
                quiet += 1
            } else {
                quiet = 0
            }
            if self.core.stop.is_cancelled() {
                return;
            }
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
    }

    async fn is_settled(&self, head: Position) -> bool {
        let core = &self.core;
        let followed = core.index.at() >= head
            && core.views.values().all(|v| v.settled(head))
            && core.processes.values().all(|p| p.feed.at() >= head)
            && core.hearings.values().all(|h| h.is_idle())
            && core.publications.settled(head);
        let now = core.clock.now();
        followed
            && core.outlets.iter().all(|o| o.settled(head, now))
            && core.dispatch.is_idle(now)
            && core
                .db
                .next_due(None)
                .is_ok_and(|due| due.is_none_or(|due| due > now))
            && core.store.head().await.is_ok_and(|now| now == head)
    }

    /// The next time at which something happens by itself: a deadline, the end of the time that a
    /// command or task has, another try of telling a system.
    pub(crate) fn next_time(&self) -> Option<fait_core::event::Time> {
        let now = self.core.clock.now();
        let due = self.core.db.next_due(None).ok().flatten();
        // What is due now and still there waits for something else than time.
        let next = self.core.dispatch.next_time().filter(|at| *at > now);
        let outlets = self.core.outlets.iter().filter_map(|o| o.state().next_try);
        let outlets = outlets.filter(|at| *at > now);
        due.into_iter().chain(next).chain(outlets).min()
    }

    /// Lets time pass at once, deadline by deadline, settling at each.
    ///
    /// # Panics
    /// The system's clock is the machine's: neither [`Clock::by_hand`](crate::Clock::by_hand) nor
    /// [`Clock::paced`](crate::Clock::paced).
    pub async fn advance(&self, time: Duration) {
        assert!(
            self.core.clock.can_be_moved(),
            "the machine's time cannot be advanced, only that of a clock of one's own"
        );
        self.settle().await;
        let until = self.core.clock.now() + time;
        while let Some(next) = self.next_time()
            && next <= until
        {
            self.core.clock.not_before(next);
            self.settle().await;
        }
        self.core.clock.not_before(until);
        self.settle().await;
    }
}
