//! What was published, read back from the log.

use super::super::Core;
use crate::bus::{Message, Messages};
use fait_core::bus::fact::{MessagePublished, PUBLISHED, published_tag};
use fait_core::event::{Position, StoredEvent};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Range, StoreError};

/// Most messages that are given at once.
pub const MAX_MESSAGES: usize = 1000;

/// No more are given once there are so many bytes of them.
pub const MAX_MESSAGES_BYTES: usize = 4 << 20;

/// Messages read at once: each may have a megabyte.
const PAGE: usize = 50;

impl Core {
    /// What was published behind a position, in order.
    pub(crate) async fn published(
        &self,
        after: Position,
        most: usize,
        types: &[String],
    ) -> Result<Messages, StoreError> {
        let most = most.clamp(1, MAX_MESSAGES);
        let query = messages_of(types);
        let mut messages = vec![];
        let (mut upto, mut bytes) = (after, 0);
        loop {
            let limit = PAGE.min(most - messages.len());
            let slice = self.store.read(&query, Range::after(upto, limit)).await?;
            let full = slice.events.len() == limit;
            for event in &slice.events {
                bytes += event.data.len();
                messages.extend(self.message_of(event)?);
                upto = event.meta.position;
            }
            if !full {
                upto = upto.max(slice.head);
                break;
            }
            if messages.len() >= most || bytes >= MAX_MESSAGES_BYTES {
                break;
            }
        }
        Ok(Messages { messages, upto })
    }

    /// The message that an event is; none when it is no message.
    fn message_of(&self, event: &StoredEvent) -> Result<Option<Message>, StoreError> {
        let message = MessagePublished::read(event).map_err(StoreError::new)?;
        Ok(message.map(|m| Message {
            position: event.meta.position,
            id: event.meta.id,
            event: m.cloud_event(&event.meta, &self.source),
        }))
    }
}

/// Messages of some types, or all where none is named.
pub(crate) fn messages_of(types: &[String]) -> Query {
    let of = |ty: &String| QueryItem::of(&[PUBLISHED], vec![published_tag(ty)]);
    match types {
        [] => Query::types(&[PUBLISHED]),
        types => Query {
            items: types.iter().map(of).collect(),
        },
    }
}
