//! UmaDB's engine in this process, with its defaults, behind the group thread.

use super::group::{Engine, Group};
use super::{Append, Each, Fault, Outcome, Peer, Row, fault};
use std::path::Path;
use std::sync::Arc;
use umadb_core::db::{UmaDb, is_integrity_error};
use umadb_dcb::{
    DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem, DcbSequencedEvent,
};
use uuid::Uuid;

/// Events that are read at once.
const SLICE: u32 = 4_096;

struct Writer(Arc<UmaDb>);

struct Uma {
    group: Group<Writer>,
    db: Arc<UmaDb>,
}

pub(crate) fn open(folder: &Path) -> Result<Box<dyn Peer>, Fault> {
    std::fs::create_dir_all(folder)?;
    let db = Arc::new(UmaDb::new(folder)?);
    let head = db.head()?.unwrap_or(0);
    let group = Group::start(Writer(db.clone()), head)?;
    Ok(Box::new(Uma { group, db }))
}

impl Engine for Writer {
    fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Outcome>, Fault> {
        let items = appends.into_iter().map(|append| {
            let condition = append.condition.map(|condition| {
                DcbAppendCondition::new(query(&condition.tags)).after(Some(condition.after))
            });
            let events = append.events.into_iter().map(|event| {
                DcbEvent::default()
                    .event_type(event.ty)
                    .tags(event.tags)
                    .data(event.data)
                    .uuid(event.id)
            });
            (events.collect(), condition, None)
        });
        let outcomes = self.0.append_batch(items.collect())?;
        let outcome = |result| match result {
            Ok(position) => Ok(Outcome::At(position)),
            Err(e) if is_integrity_error(&e) => Ok(Outcome::Conflict),
            Err(e) => Err(fault(e)),
        };
        outcomes.into_iter().map(outcome).collect()
    }
}

fn query(tags: &[String]) -> DcbQuery {
    DcbQuery::new().item(DcbQueryItem::new().tags(tags))
}

fn give(event: &DcbSequencedEvent, each: Each<'_>) {
    each(Row {
        position: event.position,
        id: event.event.uuid.unwrap_or(Uuid::nil()),
        ty: &event.event.event_type,
        data: &event.event.data,
    });
}

impl Peer for Uma {
    fn append_alone(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.alone(append)
    }

    fn append(&self, append: Append) -> Result<Outcome, Fault> {
        self.group.together(append)
    }

    fn scan(&self, each: &mut dyn FnMut(u64, &[u8])) -> Result<(), Fault> {
        let mut from = 1;
        loop {
            let mut slice = self.db.read(None, Some(from), false, Some(SLICE))?;
            let events = slice.next_batch()?;
            let Some(last) = events.last() else {
                return Ok(());
            };
            from = last.position + 1;
            for event in &events {
                each(event.position, &event.event.data);
            }
        }
    }

    fn read(&self, tags: &[String], after: u64, each: Each<'_>) -> Result<u64, Fault> {
        let query = (!tags.is_empty()).then(|| query(tags));
        let (events, head) = self
            .db
            .read_with_head(query, Some(after + 1), false, None)?;
        events.iter().for_each(|event| give(event, each));
        Ok(head.unwrap_or(0))
    }

    fn wait(&self, after: u64) -> Result<u64, Fault> {
        Ok(self.group.bell().wait(after))
    }

    fn head(&self) -> Result<u64, Fault> {
        Ok(self.group.bell().head())
    }

    fn close(self: Box<Self>) -> Result<(), Fault> {
        Ok(())
    }
}
