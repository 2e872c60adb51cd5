//! What a decision is made on: models, each about something, and how they are kept meanwhile.

use super::snapshot::{Form, Snapshots};
use crate::event::{DecodeError, EntityId, EventDef, EventSet, Meta, StoredEvent, Tag};
use crate::query::{Query, QueryItem};
use serde::de::Error as _;
use serde_json::Value;
use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Index;

/// What one model is about: one id, a pair of ids (both tags required), or `()` for everything.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a model is about",
    label = "use an entity id, a pair of them, or `()`"
)]
pub trait Scope: Clone + Send + Sync + 'static {
    /// The tags that an event must carry, all of them. Two that are not the same must not have
    /// the same tags: a folded model is kept, and found again, by them.
    fn tags(&self) -> Vec<Tag>;
}

impl<I: EntityId> Scope for I {
    fn tags(&self) -> Vec<Tag> {
        vec![self.tag()]
    }
}

impl<A: EntityId, B: EntityId> Scope for (A, B) {
    fn tags(&self) -> Vec<Tag> {
        vec![self.0.tag(), self.1.tag()]
    }
}

impl Scope for () {
    fn tags(&self) -> Vec<Tag> {
        vec![]
    }
}

/// State folded from events, for one decision or one aggregate. Pure.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a decision model",
    label = "implement `Model` for it, or use a tuple of models or `Each<M>`"
)]
pub trait Model: Default + Send + Sync + 'static {
    /// What it is about.
    type Key: Scope;
    /// What it remembers.
    type Events: EventSet;
    /// Takes one event in. Must not fail: what is in history has happened.
    fn evolve(&mut self, event: Self::Events);
    /// The same with time, actor and position, for models that need them.
    fn evolve_with(&mut self, event: Self::Events, _meta: &Meta) {
        self.evolve(event);
    }
    /// How it is kept on disk, so that a long history is not folded again after a restart. By
    /// default it is not. In a tuple or `Each`, all of the models must be.
    fn snapshots() -> Option<Snapshots<Self>> {
        None
    }
}

/// One model, a tuple of models, or `Each<M>`: the consistency boundary of a decision.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decided on",
    label = "use a model, a tuple of up to six, or `Each<M>`"
)]
pub trait Boundary: Sized + Send + Sync + 'static {
    /// What the models are about.
    type Keys: Clone + Send + Sync + 'static;
    /// Before anything happened.
    fn empty(keys: &Self::Keys) -> Self;
    /// Adds what must be read.
    fn query(keys: &Self::Keys, query: &mut Query);
    /// Takes one event in, if it concerns these models.
    ///
    /// # Errors
    /// The event concerns them and cannot be read.
    fn absorb(&mut self, keys: &Self::Keys, event: &StoredEvent) -> Result<(), DecodeError>;
    /// The event types that are read.
    fn reads(out: &mut Vec<&'static str>);
    /// Their definitions.
    fn defs(out: &mut Vec<EventDef>);
    /// Writes down what the models are about, such that different keys never read alike. What
    /// was folded for one decision is used for the next by this.
    fn identify(keys: &Self::Keys, out: &mut String);
    /// How it is kept on disk; none when any of the models is not.
    fn form() -> Option<Form> {
        None
    }
    /// What is kept on disk.
    ///
    /// # Errors
    /// It is not kept on disk, or cannot be written as JSON.
    fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
        Err(serde_json::Error::custom("it is not kept on disk"))
    }
    /// What was kept on disk.
    ///
    /// # Errors
    /// It is not kept on disk, or was written otherwise.
    fn from_snapshot(_keys: &Self::Keys, _kept: Value) -> Result<Self, serde_json::Error> {
        Err(serde_json::Error::custom("it is not kept on disk"))
    }
}

/// Which boundary a decision is made on: its models and what they are about. Different commands
/// that are decided on the same have the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BoundaryId {
    models: TypeId,
    keys: String,
}

impl BoundaryId {
    /// The boundary of some keys.
    pub fn of<B: Boundary>(keys: &B::Keys) -> Self {
        let mut text = String::new();
        B::identify(keys, &mut text);
        BoundaryId {
            models: TypeId::of::<B>(),
            keys: text,
        }
    }

    /// The boundary of models that are made at run time: the type that holds them, and a text
    /// that says which they are and what they are about, such that no two read alike.
    pub fn held_in<T: 'static>(keys: String) -> Self {
        BoundaryId {
            models: TypeId::of::<T>(),
            keys,
        }
    }

    /// What the models are about, as a text.
    pub fn keys(&self) -> &str {
        &self.keys
    }
}

impl<M: Model> Boundary for M {
    type Keys = M::Key;
    fn empty(_: &M::Key) -> M {
        M::default()
    }
    fn query(key: &M::Key, query: &mut Query) {
        query
            .items
            .push(QueryItem::of(M::Events::TYPES, key.tags()));
    }
    fn absorb(&mut self, key: &M::Key, event: &StoredEvent) -> Result<(), DecodeError> {
        if key.tags().iter().all(|t| event.tags.contains(t))
            && let Some(e) = M::Events::decode(event)?
        {
            self.evolve_with(e, &event.meta);
        }
        Ok(())
    }
    fn reads(out: &mut Vec<&'static str>) {
        out.extend(M::Events::TYPES);
    }
    fn defs(out: &mut Vec<EventDef>) {
        out.extend(M::Events::defs());
    }
    fn identify(key: &M::Key, out: &mut String) {
        out.push('[');
        for tag in key.tags() {
            let tag = tag.as_str();
            // With the length before it, no tag can look like the end of a list.
            let _ = write!(out, "{}:{tag}", tag.len());
        }
        out.push(']');
    }
    fn form() -> Option<Form> {
        M::snapshots().map(|s| s.form())
    }
    fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
        match M::snapshots() {
            Some(kept) => kept.write(self),
            None => Err(serde_json::Error::custom("it is not kept on disk")),
        }
    }
    fn from_snapshot(_: &M::Key, kept: Value) -> Result<M, serde_json::Error> {
        match M::snapshots() {
            Some(form) => form.read(kept),
            None => Err(serde_json::Error::custom("it is not kept on disk")),
        }
    }
}

/// Nothing needs to be known.
impl Boundary for () {
    type Keys = ();
    fn empty((): &()) {}
    fn query((): &(), _: &mut Query) {}
    fn absorb(&mut self, (): &(), _: &StoredEvent) -> Result<(), DecodeError> {
        Ok(())
    }
    fn reads(_: &mut Vec<&'static str>) {}
    fn defs(_: &mut Vec<EventDef>) {}
    fn identify((): &(), out: &mut String) {
        out.push_str("()");
    }
}

/// One model per id, for any number of ids: `stock[&dish].left`.
#[derive(Clone, Debug, PartialEq)]
pub struct Each<M: Model>(pub BTreeMap<M::Key, M>)
where
    M::Key: Ord;

/// The model of an id that the boundary did not name is not there: indexing it panics, as with a
/// map. Name every id in `boundary`.
impl<M: Model> Index<&M::Key> for Each<M>
where
    M::Key: Ord,
{
    type Output = M;
    fn index(&self, key: &M::Key) -> &M {
        &self.0[key]
    }
}

impl<M: Model> Boundary for Each<M>
where
    M::Key: Ord,
{
    type Keys = Vec<M::Key>;
    fn empty(keys: &Self::Keys) -> Self {
        Each(keys.iter().map(|k| (k.clone(), M::default())).collect())
    }
    fn query(keys: &Self::Keys, query: &mut Query) {
        for key in keys {
            <M as Boundary>::query(key, query);
        }
    }
    fn absorb(&mut self, _: &Self::Keys, event: &StoredEvent) -> Result<(), DecodeError> {
        self.0
            .iter_mut()
            .try_for_each(|(key, model)| model.absorb(key, event))
    }
    fn reads(out: &mut Vec<&'static str>) {
        M::reads(out);
    }
    fn defs(out: &mut Vec<EventDef>) {
        <M as Boundary>::defs(out);
    }
    fn identify(keys: &Self::Keys, out: &mut String) {
        out.push('{');
        for key in keys {
            M::identify(key, out);
        }
        out.push('}');
    }
    fn form() -> Option<Form> {
        M::form()
    }
    fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
        self.0.values().map(M::to_snapshot).collect()
    }
    fn from_snapshot(keys: &Self::Keys, kept: Value) -> Result<Self, serde_json::Error> {
        let mut each = Self::empty(keys);
        let kept: Vec<Value> = serde_json::from_value(kept)?;
        if kept.len() != each.0.len() {
            return Err(serde_json::Error::custom(
                "there are not as many models as ids",
            ));
        }
        for ((key, model), kept) in each.0.iter_mut().zip(kept) {
            *model = M::from_snapshot(key, kept)?;
        }
        Ok(each)
    }
}

macro_rules! tuples { ($(($($b:ident $i:tt),+)),+ $(,)?) => { $(
    impl<$($b: Boundary),+> Boundary for ($($b,)+) {
        type Keys = ($($b::Keys,)+);
        fn empty(keys: &Self::Keys) -> Self {
            ($($b::empty(&keys.$i),)+)
        }
        fn query(keys: &Self::Keys, query: &mut Query) {
            $($b::query(&keys.$i, query);)+
        }
        fn absorb(&mut self, keys: &Self::Keys, e: &StoredEvent) -> Result<(), DecodeError> {
            $(self.$i.absorb(&keys.$i, e)?;)+
            Ok(())
        }
        fn reads(out: &mut Vec<&'static str>) {
            $($b::reads(out);)+
        }
        fn defs(out: &mut Vec<EventDef>) {
            $($b::defs(out);)+
        }
        fn identify(keys: &Self::Keys, out: &mut String) {
            out.push('(');
            $($b::identify(&keys.$i, out);)+
            out.push(')');
        }
        fn form() -> Option<Form> {
            let forms = [$($b::form()?),+];
            Form::all(&forms)
        }
        fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
            Ok(Value::Array(vec![$(self.$i.to_snapshot()?),+]))
        }
        fn from_snapshot(keys: &Self::Keys, kept: Value) -> Result<Self, serde_json::Error> {
            let mut kept = serde_json::from_value::<Vec<Value>>(kept)?.into_iter();
            Ok(($($b::from_snapshot(&keys.$i, kept.next().unwrap_or_default())?,)+))
        }
    }
)+ } }
tuples! {
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
}
