//! A process, input by input, with deadlines that the test lets come.

use super::{BEGIN, shown, stored};
use fait_core::command::{Command, CommandSet};
use fait_core::event::{Draft, EntityId, Event, EventSet, Time};
use fait_core::process::{
    AnyInput, Issue, Issued, Outcome, Process, ProcessDef, Reaction, Target, Way,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;
use uuid::Uuid;

/// A process under test: first what it is told, then what must come of it.
#[derive(Debug)]
pub struct ProcessTest<P: Process> {
    def: ProcessDef,
    key: String,
    state: Option<Value>,
    now: Time,
    position: u64,
    deadlines: BTreeMap<String, Time>,
    aliases: BTreeMap<(String, String), String>,
    last: Reaction,
    ended: bool,
    process: PhantomData<fn() -> P>,
}

/// An instance that has not begun.
pub fn process<P: Process>(key: impl Into<P::Key>) -> ProcessTest<P> {
    let key: P::Key = key.into();
    ProcessTest {
        def: ProcessDef::of::<P>(),
        key: EntityId::tag(&key).value().into(),
        state: None,
        now: BEGIN,
        position: 0,
        deadlines: BTreeMap::new(),
        aliases: BTreeMap::new(),
        last: Reaction::default(),
        ended: false,
        process: PhantomData,
    }
}

impl<P: Process> ProcessTest<P> {
    /// Something happens.
    #[track_caller]
    pub fn on<E: Event>(mut self, event: E) -> Self {
        self.position += 1;
        let event = stored(&event, self.position, self.now);
        let routed = match (self.def.route)(&event) {
            Ok(routed) => routed.into_iter().find(|r| self.found_by(&r.way)),
            Err(e) => panic!("{e}"),
        };
        let Some(routed) = routed else {
            panic!("`{}` does not concern {}", event.ty, self.key);
        };
        for alias in self.def.aliases.iter().filter(|a| a.ty == event.ty) {
            match (alias.pairs)(&event) {
                Ok(pairs) => self
                    .aliases
                    .extend((pairs.into_iter()).map(|(id, key)| ((alias.name.clone(), id), key))),
                Err(e) => panic!("{e}"),
            }
        }
        let mut stepped = self.input(AnyInput::Event(&event));
        if routed.ends && stepped.state.is_some() && stepped.last.parked.is_none() {
            stepped.last.ended = true;
            stepped.ended = true;
            stepped.deadlines.clear();
        }
        stepped
    }

    /// Whether this way leads to the instance, after what it was told until now.
    fn found_by(&self, way: &Way) -> bool {
        match way {
            Way::Key(key) => *key == self.key,
            Way::Alias(name, id) => {
                let known = |(alias, key): (&(String, String), &String)| {
                    alias.0 == *name && alias.1 == *id && *key == self.key
                };
                self.aliases.iter().any(known)
            }
        }
    }

    /// Time passes; deadlines come only when [`fires`](Self::fires) says so.
    pub fn after(mut self, time: Duration) -> Self {
        self.now = self.now + time;
        self
    }

    /// A deadline comes. It must have been set.
    #[track_caller]
    pub fn fires(mut self, timer: P::Timer) -> Self {
        let name = name(&timer);
        let Some(due) = self.deadlines.remove(&name) else {
            panic!(
                "deadline {name} is not set; set are {:?}",
                self.deadlines.keys()
            );
        };
        self.now = self.now.max(due);
        self.input(AnyInput::Timer(&name))
    }

    /// A command that it sent is refused.
    #[track_caller]
    pub fn refused(self, command: impl Into<P::Sends>, reason: &str) -> Self {
        let outcome = Outcome::Refused {
            code: "Refused".into(),
            reason: reason.into(),
        };
        self.settled(&command.into(), &outcome)
    }

    /// A command that it sent could not be carried out.
    #[track_caller]
    pub fn failed(self, command: impl Into<P::Sends>, error: &str) -> Self {
        self.settled(
            &command.into(),
            &Outcome::Failed {
                error: error.into(),
            },
        )
    }

    #[track_caller]
    fn settled(self, command: &P::Sends, outcome: &Outcome) -> Self {
        let issue = issue(command);
        let issued = Issued {
            id: Uuid::from_u128(9),
            name: issue.name,
            body: issue.body,
            to: Target::Here,
            due: None,
            tries: 1,
            expires: false,
        };
        self.input(AnyInput::Settled(&issued, outcome))
    }

    #[track_caller]
    fn input(mut self, input: AnyInput<'_>) -> Self {
        if self.ended {
            self.last = Reaction {
                state: self.last.state,
                ..Reaction::default()
            };
            return self;
        }
        let state = self.state.as_ref().map(|s| (self.def.version, s));
        match (self.def.react)(&self.key, state, input, self.now) {
            Err(why) => panic!("the process cannot step: {why}"),
            Ok(reaction) => {
                if reaction.parked.is_none() {
                    self.state = Some(reaction.state.clone());
                    self.ended |= reaction.ended;
                    self.deadlines
                        .retain(|n, _| !reaction.cancelled.contains(n));
                    self.deadlines.extend(reaction.set.iter().cloned());
                    if self.ended {
                        self.deadlines.clear();
                    }
                }
                self.last = reaction;
            }
        }
        self
    }

    /// It sends exactly these commands.
    #[track_caller]
    pub fn sends<C: Into<P::Sends>>(self, commands: impl IntoIterator<Item = C>) -> Self {
        let wanted: Vec<Issue> = commands.into_iter().map(|c| issue(&c.into())).collect();
        let got: Vec<&Issue> = self
            .last
            .issued
            .iter()
            .filter(|i| i.role.is_none())
            .collect();
        assert!(
            got.iter().copied().eq(wanted.iter()),
            "it sends otherwise\nwanted: {wanted:#?}\ngot: {got:#?}"
        );
        self
    }

    /// It asks a role for a task.
    #[track_caller]
    pub fn asks<C: Command>(self, role: &str) -> Self {
        let asks: Vec<_> = self
            .last
            .issued
            .iter()
            .filter_map(|i| i.role.as_ref().map(|r| format!("{r} to {}", i.name)))
            .collect();
        let wanted = format!("{role} to {}", C::NAME);
        assert!(
            asks.contains(&wanted),
            "it does not ask {wanted}; it asks {asks:?}"
        );
        self
    }

    /// It sets a deadline, so long after now.
    #[track_caller]
    pub fn wakes(self, timer: P::Timer, after: Duration) -> Self {
        let wanted = (name(&timer), self.now + after);
        let set = &self.last.set;
        assert!(
            set.contains(&wanted),
            "it does not set {wanted:?}; it sets {set:?}"
        );
        self
    }

    /// It raises exactly these events.
    #[track_caller]
    pub fn raises<E: Into<P::Raises>>(self, events: impl IntoIterator<Item = E>) -> Self {
        let wanted: Result<Vec<Draft>, _> = events.into_iter().map(|e| e.into().encode()).collect();
        match wanted {
            Err(e) => panic!("{e}"),
            Ok(wanted) => assert!(
                wanted == self.last.raised,
                "it raises otherwise\nwanted:\n{}\ngot:\n{}",
                shown(&wanted),
                shown(&self.last.raised)
            ),
        }
        self
    }

    /// Nothing comes of it.
    #[track_caller]
    pub fn does_nothing(self) -> Self {
        assert!(
            self.last.is_nothing(),
            "something comes of it: {:#?}",
            self.last
        );
        self
    }

    /// It is in this state.
    #[track_caller]
    pub fn is(self, state: P) -> Self {
        let wanted = serde_json::to_value(state).unwrap_or_default();
        let got = self.state.clone().unwrap_or_default();
        assert!(
            got == wanted,
            "it is in another state\nwanted: {wanted}\ngot: {got}"
        );
        self
    }

    /// It ends.
    #[track_caller]
    pub fn ends(self) -> Self {
        assert!(self.last.ended, "it does not end");
        self
    }

    /// It waits for an operator.
    #[track_caller]
    pub fn parks(self) -> Self {
        assert!(
            self.last.parked.is_some(),
            "it does not park: {:#?}",
            self.last
        );
        self
    }
}

#[track_caller]
fn issue<C: CommandSet>(command: &C) -> Issue {
    match Issue::send(command) {
        Ok(issue) => issue,
        Err(e) => panic!("{e}"),
    }
}

#[track_caller]
fn name<T: serde::Serialize>(timer: &T) -> String {
    match serde_json::to_string(timer) {
        Ok(name) => name,
        Err(e) => panic!("the deadline cannot be written: {e}"),
    }
}
