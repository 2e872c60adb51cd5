//! How often everything happened, and when last: counted on from where it was counted before.

use fait::App;
use fait::event::{Position, Time};
use fait::query::Query;
use fait::store::{Range, StoreError};
use std::collections::BTreeMap;

/// Events that are counted for one look at the page; the next look goes on from there.
const AT_ONCE: usize = 50_000;

/// Events read at once.
const PAGE: usize = 1000;

/// How often an event happened, and when last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Happened {
    pub(crate) times: u64,
    pub(crate) last: Time,
}

/// What was counted so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// By the stored name of the event.
    pub(crate) events: BTreeMap<String, Happened>,
    /// The position up to which events are counted.
    pub(crate) up_to: Position,
    /// The head of the log when it was counted.
    pub(crate) head: Position,
}

impl Tally {
    /// Counts on.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(crate) async fn go_on(&mut self, app: &App, names: &[&String]) -> Result<(), StoreError> {
        self.head = app.head().await?;
        let (query, mut read) = (Query::types(names), 0);
        while self.up_to < self.head && read < AT_ONCE {
            let slice = app.events(&query, Range::after(self.up_to, PAGE)).await?;
            for event in &slice.events {
                let last = event.meta.recorded_at;
                let known = self.events.entry(event.ty.clone());
                let known = known.or_insert(Happened { times: 0, last });
                known.times += 1;
                known.last = last;
            }
            self.head = self.head.max(slice.head);
            read += slice.events.len();
            self.up_to = match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => last.meta.position,
                _ => slice.head,
            };
        }
        Ok(())
    }

    /// Whether everything is counted.
    pub(crate) fn is_whole(&self) -> bool {
        self.up_to >= self.head
    }
}
