//! What a simulated life does: made up by chance, in a world so small that things meet.

use super::engine;
use super::model::Model;
use super::rng::Rng;
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, CommandKey, ERASED, Erase, Keep, Range};
use uuid::Uuid;

/// One operation of a life.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Append(Append),
    /// Sent at once: the first alone, the others as one group behind it.
    Together(Vec<Append>),
    Read(Query, Range),
    /// Looks for an event and for a command of this id.
    Look(Uuid),
    Tend,
    Erase(Erase),
    Backup,
    Reopen,
}

/// Makes up what happens.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) rng: Rng,
    fresh: u128,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Plan {
        Plan {
            rng: Rng::new(seed),
            fresh: 0,
        }
    }

    pub(super) fn step(&mut self, model: &Model) -> Step {
        match self.rng.below(40) {
            0..=19 => Step::Append(self.append(model)),
            20..=24 => {
                let more = 1 + self.rng.below(4);
                let mut appends = vec![self.plain()];
                appends.extend((0..more).map(|_| self.append(model)));
                Step::Together(appends)
            }
            25..=30 => Step::Read(self.query(), self.range(model)),
            31..=32 => Step::Look(self.known(model)),
            33..=35 => Step::Tend,
            36 if engine::ERASES => Step::Erase(self.erase(model)),
            37 if engine::BACKS_UP => Step::Backup,
            36..=38 => Step::Reopen,
            _ => Step::Read(Query::all(), Range::after(0, usize::MAX)),
        }
    }

    fn uuid(&mut self) -> Uuid {
        self.fresh += 1;
        Uuid::from_u128(self.fresh)
    }

    fn tag(&mut self) -> Tag {
        let kind = ["order", "table"][self.rng.below(2)];
        Tag::new(kind, self.rng.below(4))
    }

    fn ty(&mut self) -> String {
        ["Placed", "Paid", "Served"][self.rng.below(3)].into()
    }

    fn event(&mut self) -> NewEvent {
        let length = match self.rng.below(20) {
            0 => 0,
            1..=2 => self.rng.below(3_000),
            3 => self.rng.below(6_000),
            _ => self.rng.below(200),
        };
        let byte = self.rng.next() as u8;
        let actor = self.rng.one_in(2).then(|| "waiter:ann".into());
        NewEvent {
            id: self.uuid(),
            ty: self.ty(),
            version: 1,
            tags: (0..self.rng.below(3)).map(|_| self.tag()).collect(),
            data: vec![byte; length].into(),
            origin: Origin {
                actor,
                ..Origin::default()
            },
        }
    }

    /// An append that cannot be refused.
    pub(super) fn plain(&mut self) -> Append {
        let count = match self.rng.below(4) {
            0 => 2 + self.rng.below(4),
            _ => 1,
        };
        Append {
            events: (0..count).map(|_| self.event()).collect(),
            conditions: vec![],
            command: self.rng.one_in(2).then(|| CommandKey {
                id: self.uuid(),
                fingerprint: Uuid::nil(),
            }),
            recorded_at: Time(self.rng.below(1_000) as u64),
        }
    }

    pub(super) fn append(&mut self, model: &Model) -> Append {
        let old = model.old(self.rng.below(model.len())).cloned();
        let mut append = self.plain();
        match (self.rng.below(24), old) {
            (0..=1, Some(old)) => return old,
            (2, Some(old)) => {
                return Append {
                    command: None,
                    ..old
                };
            }
            (3, Some(old)) => append.events[0].id = old.events[0].id,
            (4, Some(old)) => {
                append.command = old.command.map(|key| CommandKey {
                    fingerprint: Uuid::from_u128(1),
                    ..key
                });
            }
            (5, _) => append.events.clear(),
            _ => {}
        }
        let conditions = [0, 0, 1, 1, 2][self.rng.below(5)];
        append.conditions = (0..conditions).map(|_| self.condition(model)).collect();
        append
    }

    fn condition(&mut self, model: &Model) -> AppendCondition {
        let head = model.head();
        let after = match self.rng.below(12) {
            0 => 0,
            1 => head + 1,
            2..=4 => self.rng.below(head as usize + 1) as u64,
            _ => head,
        };
        AppendCondition {
            fail_if_events_match: self.query(),
            after,
        }
    }

    pub(super) fn query(&mut self) -> Query {
        if self.rng.one_in(8) {
            return Query::all();
        }
        let items = (0..1 + self.rng.below(2)).map(|_| {
            let types = (0..self.rng.below(3)).map(|_| match self.rng.below(12) {
                0 => ERASED.into(),
                _ => self.ty(),
            });
            let types = types.collect();
            let tags = (0..self.rng.below(3)).map(|_| self.tag()).collect();
            QueryItem { types, tags }
        });
        Query {
            items: items.collect(),
        }
    }

    pub(super) fn range(&mut self, model: &Model) -> Range {
        let end = model.head() as usize + 2;
        let before = self.rng.one_in(3).then(|| self.rng.below(end) as u64);
        Range {
            after: match self.rng.below(2) {
                0 => 0,
                _ => self.rng.below(end) as u64,
            },
            before,
            backwards: self.rng.one_in(2),
            limit: 1 + self.rng.below(end),
        }
    }

    /// The id of something old, most of the time.
    fn known(&mut self, model: &Model) -> Uuid {
        let old = model.old(self.rng.below(model.len() + 1));
        match old {
            Some(old) if self.rng.one_in(2) => old.events[0].id,
            Some(old) => old.command.map_or(Uuid::nil(), |key| key.id),
            None => Uuid::nil(),
        }
    }

    fn erase(&mut self, model: &Model) -> Erase {
        let tag = self.tag();
        let mut tombstone = self.plain();
        tombstone.events[0].tags.push(tag.clone());
        if self.rng.one_in(4) {
            tombstone.conditions = vec![self.condition(model)];
        }
        Erase {
            tag,
            keep: Keep {
                types: self.rng.one_in(2),
                times: self.rng.one_in(2),
            },
            tombstone,
        }
    }
}
