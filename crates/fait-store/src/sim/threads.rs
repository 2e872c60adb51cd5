//! Makes histories: threads that append under conditions and read, all at once.

use super::history::{Call, Did};
use super::rng::Rng;
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, AppendCondition, Range, Store};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use uuid::Uuid;

/// Lets some threads do some operations each, and gives what they saw.
pub(super) fn record(store: &dyn Store, seed: u64, threads: usize, each: usize) -> Vec<Call> {
    let count = AtomicU64::new(0);
    let history = Mutex::new(vec![]);
    thread::scope(|scope| {
        for number in 0..threads {
            let (count, history) = (&count, &history);
            scope.spawn(move || {
                let mut caller = Caller {
                    store,
                    rng: Rng::new(seed << 8 | number as u64),
                    number,
                    sent: 0,
                };
                let mut seen = vec![];
                for _ in 0..each {
                    let begun = count.fetch_add(1, Ordering::SeqCst);
                    let did = caller.act();
                    let ended = count.fetch_add(1, Ordering::SeqCst);
                    seen.extend(did.map(|did| Call { begun, ended, did }));
                }
                if let Ok(mut history) = history.lock() {
                    history.extend(seen);
                }
            });
        }
    });
    history.into_inner().unwrap_or_default()
}

/// One thread.
struct Caller<'a> {
    store: &'a dyn Store,
    rng: Rng,
    number: usize,
    sent: u64,
}

impl Caller<'_> {
    fn act(&mut self) -> Option<Did> {
        let query = self.query();
        if self.rng.one_in(3) {
            let read = block_on(self.store.read(&query, Range::after(0, usize::MAX))).ok()?;
            let found = read.events.iter();
            let found = found.map(|e| (e.meta.position, e.meta.id)).collect();
            return Some(Did::Read(query, found, read.head));
        }
        // A head that may be old by now: conflicts are to happen.
        let head = block_on(self.store.head()).ok()?;
        let after = head.saturating_sub(self.rng.below(3) as u64);
        let conditions = match self.rng.below(4) {
            0 => vec![],
            _ => vec![AppendCondition {
                fail_if_events_match: query,
                after,
            }],
        };
        let events = (0..1 + self.rng.below(3)).map(|_| self.event()).collect();
        let append = Append {
            events,
            conditions,
            command: None,
            recorded_at: Time(1),
        };
        let answer = block_on(self.store.append(append.clone()));
        Some(Did::Append(append, answer))
    }

    fn query(&mut self) -> Query {
        match self.rng.below(3) {
            0 => Query::all(),
            1 => Query::types(&[self.ty()]),
            _ => Query::tags(vec![self.tag()]),
        }
    }

    fn ty(&mut self) -> String {
        ["Placed", "Paid"][self.rng.below(2)].into()
    }

    fn tag(&mut self) -> Tag {
        Tag::new("order", self.rng.below(4))
    }

    fn event(&mut self) -> NewEvent {
        self.sent += 1;
        NewEvent {
            id: Uuid::from_u64_pair(self.number as u64 + 1, self.sent),
            ty: self.ty(),
            version: 1,
            tags: vec![self.tag()],
            data: vec![b'x'; self.rng.below(100)].into(),
            origin: Origin::default(),
        }
    }
}
