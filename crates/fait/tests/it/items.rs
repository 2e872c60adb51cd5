//! Items that are touched: events that nobody can read, code that panics, rows that come and go;
//! and the same folded by hand, to compare views with.

use fait::data;
use fait::event::{
    DecodeError, Draft, EncodeError, Event, EventDef, EventSet, Meta, NewEvent, Origin, Position,
    StoredEvent, Tag, Time,
};
use fait::projection::Projection;
use fait::reexport::serde_json::{self, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Store};
use fait::{entity_ids, event};
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};

entity_ids! { ItemId(number) => "item" }

/// Some items were touched.
#[event]
pub(crate) struct Touched {
    #[tag]
    pub(crate) items: Vec<ItemId>,
    pub(crate) n: u64,
    pub(crate) how: How,
}

/// What it does to them.
#[data]
#[derive(Copy, Eq)]
pub(crate) enum How {
    Put,
    Remove,
    /// The projection panics on this item, before or after it has changed the row.
    Poison(u64, bool),
    /// The event cannot be read.
    Broken,
    /// Reading it panics.
    Bursts,
    /// Whoever asks for its keys panics.
    Keyless,
}

impl Touched {
    pub(crate) fn new(items: &[u64], n: u64, how: How) -> Touched {
        let items = items.iter().copied().map(ItemId).collect();
        Touched { items, n, how }
    }
}

/// The same as a set that cannot be read before it is healed.
pub(crate) struct Touches<const HEALED: bool>(Touched);

impl<const HEALED: bool> EventSet for Touches<HEALED> {
    const TYPES: &'static [&'static str] = <Touched as EventSet>::TYPES;
    fn tags(&self) -> Vec<Tag> {
        Event::tags(&self.0)
    }
    fn decode(event: &StoredEvent) -> Result<Option<Self>, DecodeError> {
        let Some(touched) = <Touched as EventSet>::decode(event)? else {
            return Ok(None);
        };
        match touched.how {
            How::Broken if !HEALED => Err(event.unreadable("it is broken")),
            How::Bursts if !HEALED => panic!("event {} bursts", touched.n),
            _ => Ok(Some(Touches(touched))),
        }
    }
    fn encode(&self) -> Result<Draft, EncodeError> {
        EventSet::encode(&self.0)
    }
    fn defs() -> Vec<EventDef> {
        <Touched as EventSet>::defs()
    }
}

/// What an item has seen.
#[data]
#[derive(Default)]
pub(crate) struct Item {
    pub(crate) seen: Vec<u64>,
}

/// A view of the items, by their tags or by keys that it says itself.
pub(crate) struct Items<const HEALED: bool, const BY_KEYS: bool>;

pub(crate) const BY_TAGS: &str = "by-tags";
pub(crate) const BY_KEYS: &str = "by-keys";

impl<const HEALED: bool, const KEYED: bool> Items<HEALED, KEYED> {
    fn keys(event: &Touches<HEALED>) -> Vec<ItemId> {
        assert!(HEALED || event.0.how != How::Keyless, "no keys");
        event.0.items.clone()
    }
}

impl<const HEALED: bool, const KEYED: bool> Projection for Items<HEALED, KEYED> {
    const NAME: &'static str = if KEYED { BY_KEYS } else { BY_TAGS };
    const KEYS: Option<fn(&Touches<HEALED>) -> Vec<ItemId>> =
        if KEYED { Some(Self::keys) } else { None };
    type Key = ItemId;
    type Events = Touches<HEALED>;
    type Row = Item;
    fn project(row: &mut Option<Item>, key: &ItemId, event: Touches<HEALED>, _: &Meta) {
        let Touched { n, how, .. } = event.0;
        match how {
            How::Poison(item, half) if !HEALED && item == key.0 => {
                if half {
                    row.get_or_insert_default().seen.push(n + 1_000_000);
                }
                panic!("event {n} is poison");
            }
            How::Remove => *row = None,
            _ => row.get_or_insert_default().seen.push(n),
        }
    }
}

/// The rows, folded one event after the other and by nothing but this.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Naive {
    pub(crate) rows: BTreeMap<u64, (Vec<u64>, Position)>,
    pub(crate) parked: BTreeMap<u64, Position>,
    pub(crate) unread: BTreeSet<Position>,
}

impl Naive {
    pub(crate) fn of<'a>(
        events: impl IntoIterator<Item = (Position, &'a Touched)>,
        view: &str,
        healed: bool,
    ) -> Naive {
        let mut naive = Naive::default();
        for (at, event) in events {
            naive.take(at, event, view, healed);
        }
        naive
    }

    pub(crate) fn take(&mut self, at: Position, event: &Touched, view: &str, healed: bool) {
        let unread = !healed && matches!(event.how, How::Broken | How::Bursts);
        let keyless = !healed && event.how == How::Keyless;
        if view == BY_KEYS && (unread || keyless) {
            self.unread.insert(at);
            return;
        }
        let items: BTreeSet<u64> = event.items.iter().map(|i| i.0).collect();
        for item in items {
            if self.parked.contains_key(&item) {
                continue;
            }
            let poison = matches!(event.how, How::Poison(at, _) if at == item && !healed);
            if unread || poison {
                self.parked.insert(item, at);
            } else if event.how == How::Remove {
                self.rows.remove(&item);
            } else {
                let row = self.rows.entry(item).or_default();
                row.0.push(event.n);
                row.1 = at;
            }
        }
    }

    /// As it would be dumped.
    fn dump(&self) -> Dump {
        let text = |seen: &Vec<u64>| json!({ "seen": seen }).to_string();
        let row = |(key, (seen, at)): (&u64, &(Vec<u64>, u64))| (key.to_string(), text(seen), *at);
        let mut rows: Vec<_> = self.rows.iter().map(row).collect();
        rows.sort();
        let parked = self.parked.iter().map(|(k, at)| (k.to_string(), *at));
        let mut parked: Vec<_> = parked.collect();
        parked.sort();
        let unread = self.unread.iter().copied().collect();
        Dump {
            rows,
            parked,
            unread,
        }
    }
}

/// What a generation holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Dump {
    pub(crate) rows: Vec<(String, String, Position)>,
    pub(crate) parked: Vec<(String, Position)>,
    pub(crate) unread: Vec<Position>,
}

impl Dump {
    pub(crate) fn of(c: &Connection, view: &str, generation: u64) -> Dump {
        let table = format!("{}__{generation}", view.replace('-', "_"));
        let number = i64::try_from(generation).unwrap();
        let mut rows = c
            .prepare(&format!(
                "SELECT key, \"row\", position FROM \"{table}\" ORDER BY key"
            ))
            .unwrap();
        let rows = rows.query_map([], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)? as u64))
        });
        let of = |what: &str| {
            format!(
                "SELECT {what} FROM {} WHERE view = ?1 AND gen = ?2 ORDER BY 1",
                if what == "position" {
                    "fait_unread"
                } else {
                    "fait_parked_keys"
                }
            )
        };
        let mut parked = c.prepare(&of("key, position")).unwrap();
        let parked = parked.query_map((view, number), |r| {
            Ok((r.get(0)?, r.get::<_, i64>(1)? as u64))
        });
        let mut unread = c.prepare(&of("position")).unwrap();
        let unread = unread.query_map((view, number), |r| Ok(r.get::<_, i64>(0)? as u64));
        Dump {
            rows: rows.unwrap().map(Result::unwrap).collect(),
            parked: parked.unwrap().map(Result::unwrap).collect(),
            unread: unread.unwrap().map(Result::unwrap).collect(),
        }
    }
}

impl PartialEq<Naive> for Dump {
    fn eq(&self, naive: &Naive) -> bool {
        *self == naive.dump()
    }
}

/// An event as an application would append it; its number is its id.
pub(crate) fn new_event(event: &Touched) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(u128::from(event.n) + 1),
        ty: Touched::TYPE.into(),
        version: Touched::VERSION,
        tags: Event::tags(event),
        data: serde_json::to_vec(event).unwrap().into(),
        origin: Origin::default(),
    }
}

pub(crate) async fn append(store: &dyn Store, events: Vec<NewEvent>) {
    let append = Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000),
    };
    store.append(append).await.unwrap();
}
