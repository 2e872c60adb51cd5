//! Recording what was asked beside what came of it, so that it can be decided again.

use super::Core;
use super::decide::Execution;
use fait_core::bus::fact::OWN_KINDS;
use fait_core::decision::RecordedCommand;
use fait_core::decision::recorded::{PAIR, TYPE};
use fait_core::event::{Draft, NewEvent, Origin, Position, Tag, Time};
use fait_core::process::is_own_tag;
use fait_core::store::{
    MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MAX_ORIGIN_BYTES, MAX_TAGS, origin_bytes,
};

impl Core {
    /// Puts what was asked into the events that came of it: into the first that carries all tags
    /// of the append, so that whatever is erased of the append, this goes too; where there is
    /// none, or no room, into an event of its own. What fits nowhere is counted and not recorded,
    /// rather than that the command fails.
    pub(super) fn record_command(
        &self,
        x: &Execution<'_>,
        at: Time,
        seen: Option<Position>,
        origin: &Origin,
        events: &mut Vec<NewEvent>,
    ) {
        let issued = x.answer.as_ref().map(|a| &a.issued);
        // A process has recorded what it issues, and erasing it erases that.
        let known = issued.is_some_and(|i| i.name == x.name && i.body == *x.body);
        let mut said = RecordedCommand {
            at,
            name: None,
            body: Default::default(),
            seen,
        };
        if !known && !self.unrecorded.contains(x.name) {
            said.name = Some(x.name.into());
            said.body = x.body.clone();
        }
        let text = said.to_json();
        let tags = if said.name.is_some() {
            tags_of(events)
        } else {
            vec![]
        };
        let all = |e: &&mut NewEvent| tags.iter().all(|tag| e.tags.contains(tag));
        let mut carriers = events.iter_mut().filter(all);
        let room = origin_bytes(origin) + PAIR.len() + text.len() <= MAX_ORIGIN_BYTES;
        if let Some(event) = carriers.next().filter(|_| room) {
            event.origin.pairs.insert(PAIR.into(), text);
            return;
        }
        let bytes: usize = events.iter().map(|e| e.data.len()).sum();
        let fits = tags.len() <= MAX_TAGS
            && text.len() <= MAX_EVENT_BYTES
            && events.len() < MAX_BATCH_EVENTS
            && bytes + text.len() <= MAX_BATCH_BYTES;
        if !fits {
            metrics::counter!("fait_commands_unrecorded_total", "command" => x.name.to_string())
                .increment(1);
            return;
        }
        let draft = Draft {
            ty: TYPE.into(),
            version: 1,
            tags,
            data: text.into(),
        };
        events.push(draft.with(self.clock.id(), origin.clone()));
    }
}

/// All tags of some events, each once; without those that the facts of processes and of the bus
/// carry for themselves, under which nothing of a person is erased.
fn tags_of(events: &[NewEvent]) -> Vec<Tag> {
    let mut tags: Vec<Tag> = vec![];
    for event in events {
        let fact = event.ty.starts_with('$');
        let own = |t: &Tag| is_own_tag(t) || OWN_KINDS.contains(&t.kind());
        for tag in event.tags.iter().filter(|t| !(fact && own(t))) {
            if !tags.contains(tag) {
                tags.push(tag.clone());
            }
        }
    }
    tags
}
