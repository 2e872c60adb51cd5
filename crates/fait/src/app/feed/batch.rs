//! One batch of a feed.

use super::{Feed, FeedError, Found, Keeper};
use crate::app::versions::Unreadable;
use crate::checkpoint::Step;
use crate::runtime::feeds::Aside;
use fait_core::event::Position;

/// Some events of a feed, in the order of the log. It counts as taken in when it is acknowledged
/// with [`Batch::done`]; dropped without, it comes again.
///
/// An event that cannot be read is a batch of its own, without events: [`Batch::unreadable`] has it
/// as it is stored, with the reason. It cannot be acknowledged, so that nothing is passed over
/// without a word: stop, or set it aside with [`Batch::set_aside`] and acknowledge then.
#[derive(Debug)]
#[must_use = "a batch that is not acknowledged with `done` comes again"]
pub struct Batch<'f, T> {
    feed: &'f mut Feed<T>,
    events: Vec<T>,
    unreadable: Option<Box<Unreadable>>,
    upto: Position,
    aside: bool,
    stepped: bool,
}

impl<'f, T> Batch<'f, T> {
    pub(super) fn new(feed: &'f mut Feed<T>, found: Found<T>) -> Batch<'f, T> {
        Batch {
            feed,
            events: found.events,
            unreadable: found.unreadable,
            upto: found.upto,
            aside: false,
            stepped: false,
        }
    }

    /// The events.
    pub fn events(&self) -> &[T] {
        &self.events
    }

    /// Takes the events out, for example to hand them to another thread.
    pub fn take_events(&mut self) -> Vec<T> {
        std::mem::take(&mut self.events)
    }

    /// The event that cannot be read, when this batch is one.
    pub fn unreadable(&self) -> Option<&Unreadable> {
        self.unreadable.as_deref()
    }

    /// Where the feed stands once this batch is acknowledged.
    pub fn upto(&self) -> Position {
        self.upto
    }

    /// Sets the event that cannot be read aside, saying why it may be passed over. That is kept
    /// beside the views, and shown with the feed, until a later run of the feed can read the event.
    ///
    /// # Errors
    /// Every event of this batch can be read; the feed has no name; it cannot be noted.
    pub async fn set_aside(&mut self, reason: &str) -> Result<(), FeedError> {
        let wrong = |why: &str| Err(FeedError::Use(why.into()));
        let Some(unreadable) = &self.unreadable else {
            return wrong("nothing is to be set aside: every event of this batch can be read");
        };
        let Some(lease) = &self.feed.lease else {
            return wrong(
                "a feed without a name has nowhere to note what is set aside: begin it behind the \
                 event instead",
            );
        };
        let aside = Aside {
            position: unreadable.event.meta.position,
            error: unreadable.error.to_string(),
            reason: reason.into(),
        };
        self.feed.app.core.db.set_aside(&lease.name, &aside)?;
        self.feed.aside = true;
        self.aside = true;
        Ok(())
    }

    /// The move of the checkpoint in the reader's own database; it belongs into the transaction of
    /// what is made of this batch. After the commit acknowledge with [`Batch::done`].
    ///
    /// # Errors
    /// The checkpoint is not in the reader's database, or the batch is an event that cannot be read
    /// and was not set aside.
    pub fn step(&mut self) -> Result<Step, FeedError> {
        let (Keeper::Reader, Some(lease)) = (&self.feed.keeper, &self.feed.lease) else {
            return Err(FeedError::Use(
                "the checkpoint of this feed is not in a database of yours: open it with \
                 `.checkpoint(…)`"
                    .into(),
            ));
        };
        self.check()?;
        self.stepped = true;
        let signed = |n: Position| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Step {
            position: signed(self.upto),
            feed: lease.name.clone(),
            store: self.feed.app.store_id().to_string(),
            after: signed(self.feed.done),
        })
    }

    /// Acknowledges the batch: the checkpoint moves behind it. With a checkpoint in a database of
    /// the reader's own it says that the transaction with the [`Step`] is committed.
    ///
    /// # Errors
    /// The batch is an event that cannot be read and was not set aside; the checkpoint is not this
    /// reader's any more, or was not moved; the database of the views cannot be written. The batch
    /// comes again then.
    pub async fn done(self) -> Result<(), FeedError> {
        self.check()?;
        if matches!(self.feed.keeper, Keeper::Reader) && !self.stepped {
            return Err(FeedError::Use(
                "the checkpoint was not moved: `batch.step()` has the move, for the transaction of \
                 what you make of the batch"
                    .into(),
            ));
        }
        let aside = self.unreadable.map_or(0, |u| u.event.meta.position);
        self.feed.acknowledge(self.upto, aside)
    }

    fn check(&self) -> Result<(), FeedError> {
        match &self.unreadable {
            Some(unreadable) if !self.aside => Err(FeedError::Unreadable(unreadable.clone())),
            _ => Ok(()),
        }
    }
}
