//! Our store on disk, used as an application would: nothing but its public methods.

use super::{Append, Each, Fault, Mode, Outcome, Peer, Row};
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{self, AppendCondition, AppendError, Durability, Range, Store};
use fait_store::{Disk, EventRef};
use std::ops::ControlFlow;
use std::path::Path;

/// As much as the other stores get.
const CACHE_BYTES: usize = 256 << 20;

struct Fait {
    disk: Disk,
}

pub(crate) fn open(folder: &Path, mode: Mode) -> Result<Box<dyn Peer>, Fault> {
    let durability = match mode {
        Mode::Load => Durability::Os,
        Mode::Measure => Durability::Sync,
    };
    let options = Disk::options().durability(durability);
    let disk = options.cache_bytes(CACHE_BYTES).open(folder)?;
    Ok(Box::new(Fait { disk }))
}

impl Fait {
    /// Every event that a query selects; gives the head up to which it looked.
    fn each(
        &self,
        query: &Query,
        after: u64,
        each: &mut dyn FnMut(&EventRef<'_>),
    ) -> Result<u64, Fault> {
        Ok(self
            .disk
            .scan(query, Range::after(after, usize::MAX), |event| {
                each(event);
                ControlFlow::Continue(())
            })?)
    }
}

impl Peer for Fait {
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault> {
        self.append(append)
    }

    fn append(&self, append: Append) -> Result<Outcome, Fault> {
        match block_on(self.disk.append(ours(append))) {
            Ok(appended) => Ok(Outcome::At(appended.last)),
            Err(AppendError::Conflict { .. }) => Ok(Outcome::Conflict),
            Err(e) => Err(e.into()),
        }
    }

    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault> {
        self.each(&Query::all(), 0, &mut |e| each(e.position(), e.data()))?;
        Ok(())
    }

    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault> {
        let query = query(tags);
        self.each(&query, after, &mut |e| {
            each(Row {
                position: e.position(),
                id: e.id(),
                ty: e.ty(),
                data: e.data(),
            });
        })
    }

    fn wait(&self, after: u64) -> Result<u64, Fault> {
        Ok(block_on(self.disk.wait(after))?)
    }

    fn head(&self) -> Result<u64, Fault> {
        Ok(block_on(self.disk.head())?)
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        block_on(self.disk.close());
        Ok(())
    }
}

fn query(tags: &[String]) -> Query {
    match tags {
        [] => Query::all(),
        tags => Query::tags(tags.iter().map(Tag::raw).collect()),
    }
}

fn ours(append: Append) -> store::Append {
    let events = append.events.into_iter().map(|event| NewEvent {
        id: event.id,
        ty: event.ty.into(),
        version: 1,
        tags: event.tags.into_iter().map(Tag::raw).collect(),
        data: event.data.into(),
        origin: Origin::default(),
    });
    let condition = append.condition.map(|condition| AppendCondition {
        fail_if_events_match: query(&condition.tags),
        after: condition.after,
    });
    store::Append {
        events: events.collect(),
        conditions: condition.into_iter().collect(),
        command: None,
        // The store never goes back in time by itself; what the clock says is not measured.
        recorded_at: Time(0),
    }
}
