//! Which instances an event belongs to, and what it may do there: begin one, go on with one, end
//! one. All of it comes from the event alone, so that the same history always goes the same way.

use super::def::Alias;
use super::{Process, Route};
use crate::command::{Command, CommandSet};
use crate::event::{DecodeError, EntityId, Event, EventSet, StoredEvent, decode_event};
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// What an event may do with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Begin it. An instance that has begun hears it as any other event.
    Start,
    /// Go on with it; what has not begun does not begin.
    Proceed,
}

/// What happens with an event for an instance that has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmatched {
    /// It is counted, and shown as a sample.
    Ignore,
    /// It is kept for so long: when the instance begins by then, it hears it right after. For what
    /// may overtake its own beginning, such as messages of different systems. Then it is ignored.
    Hold(Duration),
    /// A person must look: an instance is made that waits for one.
    Park,
}

/// How an event finds an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// By its key.
    Key(String),
    /// By another id, which an earlier event gave to a key: the alias's name and the id's value.
    Alias(String, String),
}

/// One instance that an event belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// How the instance is found.
    pub way: Way,
    /// What may be done with it.
    pub may: May,
    /// What happens when it has not begun.
    pub unmatched: Unmatched,
    /// Whether it ends with this event.
    pub ends: bool,
    /// Whether an instance that has ended begins anew.
    pub again: bool,
}

impl Routed {
    /// An event that may begin the instance with this key.
    pub fn to(key: impl fmt::Display) -> Routed {
        Routed {
            way: Way::Key(key.to_string()),
            may: May::Start,
            unmatched: Unmatched::Ignore,
            ends: false,
            again: false,
        }
    }
}

/// One key, some, or none.
pub trait Keys<K> {
    /// All of them.
    fn keys(self) -> Vec<K>;
}

impl<K: EntityId> Keys<K> for K {
    fn keys(self) -> Vec<K> {
        vec![self]
    }
}

impl<K: EntityId> Keys<K> for Option<K> {
    fn keys(self) -> Vec<K> {
        self.into_iter().collect()
    }
}

impl<K: EntityId> Keys<K> for Vec<K> {
    fn keys(self) -> Vec<K> {
        self
    }
}

type Ways = Arc<dyn Fn(&StoredEvent) -> Result<Vec<Way>, DecodeError> + Send + Sync>;

struct Entry {
    types: Vec<&'static str>,
    ways: Ways,
    by: Option<&'static str>,
    rule: Routed,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("types", &self.types)
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// The routes of a process, as [`Process::routes`] fills them.
///
/// Once one is given, all are: each event of the process has a route, one of them begins an
/// instance, one of them ends it (or [`ends_itself`](Self::ends_itself) says that `react` does),
/// and of each command it is said what becomes of its outcome. The system does not start before.
pub struct Routes<P: Process> {
    entries: Vec<Entry>,
    aliases: Vec<Alias>,
    ends_itself: bool,
    hears: BTreeSet<&'static str>,
    parks_others: bool,
    process: PhantomData<fn() -> P>,
}

impl<P: Process> fmt::Debug for Routes<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}

impl<P: Process> Routes<P> {
    pub(super) fn new() -> Self {
        Routes {
            entries: vec![],
            aliases: vec![],
            ends_itself: false,
            hears: BTreeSet::new(),
            parks_others: false,
            process: PhantomData,
        }
    }

    /// An event that begins an instance; one that has begun hears it like any other.
    pub fn start<E: Event, K: Keys<P::Key>>(
        &mut self,
        keys: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Rule<'_> {
        self.add::<E>(May::Start, None, by_key::<P, E, K>(keys))
    }

    /// An event that an instance goes on with, once it has begun.
    pub fn proceed<E: Event, K: Keys<P::Key>>(
        &mut self,
        keys: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Rule<'_> {
        self.add::<E>(May::Proceed, None, by_key::<P, E, K>(keys))
    }

    /// An event that an instance ends with, once it has begun: `react` hears it, and then nothing
    /// more but what comes late.
    pub fn ends_on<E: Event, K: Keys<P::Key>>(
        &mut self,
        keys: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Rule<'_> {
        let mut rule = self.proceed(keys);
        rule.entry().rule.ends = true;
        rule
    }

    /// An event that says which key another id stands for. It must be tagged with that id, so that
    /// it is found again; [`proceed_by`](Self::proceed_by) routes by it.
    pub fn alias<E: Event, I: EntityId>(
        &mut self,
        name: &'static str,
        pair: impl Fn(&E) -> (I, P::Key) + Send + Sync + 'static,
    ) {
        let pairs = move |event: &StoredEvent| {
            let (id, key) = pair(&decode_event::<E>(event)?);
            Ok(vec![(id.to_string(), key.to_string())])
        };
        let pairs: super::Aliased = Arc::new(pairs);
        for ty in types_of::<E>() {
            self.aliases.push(Alias {
                name: name.into(),
                ty: ty.into(),
                kind: I::KIND.into(),
                pairs: pairs.clone(),
            });
        }
    }

    /// An event that an instance goes on with, found by an id that an earlier event gave to its
    /// key with [`alias`](Self::alias).
    pub fn proceed_by<E: Event, I: EntityId>(
        &mut self,
        name: &'static str,
        id: impl Fn(&E) -> I + Send + Sync + 'static,
    ) -> Rule<'_> {
        let ways: Ways = Arc::new(move |event| {
            let id = id(&decode_event::<E>(event)?);
            Ok(vec![Way::Alias(name.into(), id.to_string())])
        });
        self.add::<E>(May::Proceed, Some(name), ways)
    }

    /// `react` itself ends each instance with `out.end()`.
    pub fn ends_itself(&mut self) {
        self.ends_itself = true;
    }

    /// `react` hears what becomes of this command when it is not done.
    pub fn hears<C: Command>(&mut self)
    where
        P::Sends: From<C>,
    {
        self.hears.insert(C::NAME);
    }

    /// When a command of which nothing is said is not done, the instance waits for an operator.
    pub fn parks_others(&mut self) {
        self.parks_others = true;
    }

    fn add<E: Event>(&mut self, may: May, by: Option<&'static str>, ways: Ways) -> Rule<'_> {
        self.entries.push(Entry {
            types: types_of::<E>(),
            ways,
            by,
            rule: Routed {
                may,
                ..Routed::to("")
            },
        });
        let last = self.entries.len() - 1;
        Rule {
            entry: &mut self.entries[last],
        }
    }

    /// What a definition needs of it.
    pub(super) fn finish(self) -> Finished {
        if self.entries.is_empty() && self.aliases.is_empty() {
            return Finished {
                route: by_correlation::<P>(),
                aliases: vec![],
                hears: None,
                problems: vec![],
            };
        }
        let problems = self.problems();
        let hears = self.hears.iter().map(ToString::to_string).collect();
        let entries = self.entries;
        let route = move |event: &StoredEvent| {
            let mine = |entry: &&Entry| entry.types.contains(&event.ty.as_str());
            let mut routed = vec![];
            for entry in entries.iter().filter(mine) {
                let ways = (entry.ways)(event)?;
                routed.extend(ways.into_iter().map(|way| Routed {
                    way,
                    ..entry.rule.clone()
                }));
            }
            Ok(routed)
        };
        Finished {
            route: Arc::new(route),
            aliases: self.aliases,
            hears: Some(hears),
            problems,
        }
    }

    fn problems(&self) -> Vec<String> {
        let mut problems = vec![];
        let routed: BTreeSet<&str> = self.entries.iter().flat_map(|e| e.types.clone()).collect();
        let heard: BTreeSet<&str> = P::Events::TYPES.iter().copied().collect();
        for ty in heard.difference(&routed) {
            problems.push(format!(
                "it hears `{ty}`, which has no route: say `start`, `proceed` or `ends_on` for it"
            ));
        }
        for ty in routed.difference(&heard) {
            problems.push(format!(
                "it routes `{ty}`, which is not among its events: add it to them"
            ));
        }
        if !self.entries.iter().any(|e| e.rule.may == May::Start) {
            problems.push("nothing begins it: say `start` for an event".into());
        }
        if !self.ends_itself && !self.entries.iter().any(|e| e.rule.ends) {
            problems.push(
                "nothing ends it: say `ends_on` for an event, or `ends_itself` when `react` does"
                    .into(),
            );
        }
        let known = |name: &str| self.aliases.iter().any(|a| a.name == name);
        for by in self.entries.iter().filter_map(|e| e.by) {
            if !known(by) {
                problems.push(format!(
                    "it goes by `{by}`, which no event gives: say `alias` for one"
                ));
            }
        }
        for name in P::Sends::NAMES {
            if !self.hears.contains(name) && !self.parks_others {
                problems.push(format!(
                    "what becomes of `{name}` when it is not done is not said: say                      `hears::<{name}>` when `react` does something then, or `parks_others`"
                ));
            }
        }
        problems
    }
}

/// One route, to say more about it.
#[derive(Debug)]
pub struct Rule<'a> {
    entry: &'a mut Entry,
}

impl Rule<'_> {
    fn entry(&mut self) -> &mut Entry {
        self.entry
    }

    /// What happens when the instance has not begun; [`Unmatched::Ignore`] when nothing is said.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the route is kept either way"
    )]
    pub fn unmatched(self, unmatched: Unmatched) -> Self {
        self.entry.rule.unmatched = unmatched;
        self
    }

    /// An instance that has ended begins anew, with the state of one that has not begun. Otherwise
    /// what comes after the end is counted as late.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the route is kept either way"
    )]
    pub fn again(self) -> Self {
        self.entry.rule.again = true;
        self
    }
}

/// What became of routes.
pub(super) struct Finished {
    pub(super) route: Route,
    pub(super) aliases: Vec<Alias>,
    pub(super) hears: Option<Vec<String>>,
    pub(super) problems: Vec<String>,
}

fn types_of<E: Event>() -> Vec<&'static str> {
    std::iter::once(E::TYPE)
        .chain(E::WAS.iter().copied())
        .collect()
}

fn by_key<P: Process, E: Event, K: Keys<P::Key>>(
    keys: impl Fn(&E) -> K + Send + Sync + 'static,
) -> Ways {
    Arc::new(move |event| {
        let keys = keys(&decode_event::<E>(event)?).keys();
        Ok(keys.iter().map(|k| Way::Key(k.to_string())).collect())
    })
}

/// The default: every event may begin an instance.
fn by_correlation<P: Process>() -> Route {
    Arc::new(|event| {
        let Some(e) = P::Events::decode(event)? else {
            return Ok(vec![]);
        };
        let keys = P::correlate(&e).map_err(|m| event.unreadable(m))?;
        Ok(keys.iter().map(Routed::to).collect())
    })
}
