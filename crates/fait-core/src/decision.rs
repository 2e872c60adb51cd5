//! A decision answers a command from a model folded from the events of a query.

use crate::command::{Command, FieldDef, InputError, PageDef, fields_of, read_body};
use crate::event::{DecodeError, Draft, EncodeError, EntityId, EventDef, EventSet, Meta};
use crate::event::{StoredEvent, Tag, Time};
use crate::query::{Query, QueryItem};
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::ops::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// What one model is about: one id, a pair of ids (both tags required), or `()` for everything.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a model is about",
    label = "use an entity id, a pair of them, or `()`"
)]
pub trait Scope: Clone + Send + Sync + 'static {
    /// The tags that an event must carry, all of them.
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
    }
)+ } }
tuples! {
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
}

/// Facts that a decision may use and that are not in the events. The same on every retry.
#[derive(Debug)]
pub struct Context {
    /// The only clock of a decision.
    pub now: Time,
    /// Who asks.
    pub actor: Option<String>,
    /// The command's id.
    pub command: Uuid,
    made: AtomicU32,
}

impl Context {
    /// A context; applications get theirs from the runtime.
    pub fn new(now: Time, actor: Option<String>, command: Uuid) -> Self {
        Context {
            now,
            actor,
            command,
            made: AtomicU32::new(0),
        }
    }

    /// A new id, derived from the command's id and the order of the calls.
    pub fn fresh(&self) -> Uuid {
        let n = self.made.fetch_add(1, Ordering::Relaxed);
        Uuid::new_v5(&self.command, &n.to_be_bytes())
    }
}

/// A business reason not to do what is asked. Derived by `#[derive(Refusal)]`; its text is shown
/// to the person.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a refusal",
    label = "put `#[derive(Refusal)]` on an enum, or use `Never`"
)]
pub trait Refusal: std::error::Error + Clone + PartialEq + Send + Sync + 'static {
    /// Every case: its code and its sentence as written.
    const CASES: &'static [(&'static str, &'static str)];
    /// The code of this case: the variant's name.
    fn code(&self) -> &'static str;
}

impl Refusal for Infallible {
    const CASES: &'static [(&'static str, &'static str)] = &[];
    fn code(&self) -> &'static str {
        match *self {}
    }
}

/// How a command is answered: pure and synchronous, over a boundary.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no decision",
    label = "implement `Decide` for it: what it is decided on, what it emits, why it is refused"
)]
pub trait Decide: Command {
    /// A model, a tuple of models, or `Each<M>`.
    type Model: Boundary;
    /// What may happen.
    type Emits: EventSet;
    /// Why not.
    type Refusal: Refusal;
    /// What the models are about, from the command alone.
    fn boundary(&self) -> <Self::Model as Boundary>::Keys;
    /// What happens. No event at all means that nothing had to change.
    ///
    /// # Errors
    /// The refusal, which is shown to the person who asked.
    fn decide(
        &self,
        model: &Self::Model,
        context: &Context,
    ) -> Result<Vec<Self::Emits>, Self::Refusal>;
    /// Whether to offer the task at all. The default is a dry run with sample words in the fields
    /// that a person would fill; say it here where those words matter to the decision.
    ///
    /// # Errors
    /// The refusal, which is shown beside the task.
    fn offer(&self, model: &Self::Model, context: &Context) -> Result<(), Self::Refusal> {
        self.decide(model, context).map(|_| ())
    }
    /// Narrows what counts as a conflict; the default is everything that was read.
    fn guard(&self, read: Query) -> Query {
        read
    }
}

/// A refusal whose type is not known here.
pub struct Refused {
    /// The code of the case.
    pub code: String,
    /// The sentence for the person.
    pub message: String,
    /// The refusal itself, for callers that know its type.
    pub typed: Option<Box<dyn Any + Send>>,
}

impl Refused {
    /// Erases a refusal.
    pub fn from<R: Refusal>(r: R) -> Self {
        Refused {
            code: r.code().into(),
            message: r.to_string(),
            typed: Some(Box::new(r)),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// What a decision came to.
#[derive(Debug)]
pub enum Verdict {
    /// These events.
    Events(Vec<Draft>),
    /// Not this time.
    Refused(Refused),
    /// The program cannot write its own event.
    Defect(EncodeError),
}

/// One decision being made, with types erased: what the runtime drives.
pub trait Deciding: Send + Sync {
    /// What must be read.
    fn query(&self) -> &Query;
    /// What must not have changed meanwhile.
    fn guard(&self) -> Query;
    /// Takes one event in, in the order of positions.
    ///
    /// # Errors
    /// The event cannot be read.
    fn absorb(&mut self, event: &StoredEvent) -> Result<(), DecodeError>;
    /// Decides on what was taken in.
    fn decide(&self, context: &Context) -> Verdict;
    /// Whether the task is offered.
    ///
    /// # Errors
    /// Why not.
    fn offer(&self, context: &Context) -> Result<(), Refused>;
}

/// A typed decision under way.
pub struct Decision<C: Decide> {
    command: C,
    keys: <C::Model as Boundary>::Keys,
    model: C::Model,
    query: Query,
}

impl<C: Decide> Decision<C> {
    /// Begins deciding a command.
    pub fn new(command: C) -> Self {
        let keys = command.boundary();
        let mut query = Query::default();
        C::Model::query(&keys, &mut query);
        Decision {
            model: C::Model::empty(&keys),
            command,
            keys,
            query,
        }
    }

    /// Decides, with its types.
    ///
    /// # Errors
    /// The refusal.
    pub fn decide_typed(&self, context: &Context) -> Result<Vec<C::Emits>, C::Refusal> {
        self.command.decide(&self.model, context)
    }
}

impl<C: Decide> Deciding for Decision<C> {
    fn query(&self) -> &Query {
        &self.query
    }
    fn guard(&self) -> Query {
        self.command.guard(self.query.clone())
    }
    fn absorb(&mut self, event: &StoredEvent) -> Result<(), DecodeError> {
        self.model.absorb(&self.keys, event)
    }
    fn decide(&self, context: &Context) -> Verdict {
        match self.decide_typed(context) {
            Err(refusal) => Verdict::Refused(Refused::from(refusal)),
            Ok(events) => match events.iter().map(EventSet::encode).collect() {
                Ok(drafts) => Verdict::Events(drafts),
                Err(e) => Verdict::Defect(e),
            },
        }
    }
    fn offer(&self, context: &Context) -> Result<(), Refused> {
        self.command
            .offer(&self.model, context)
            .map_err(Refused::from)
    }
}

/// Says whether JSON fits a command.
pub type Check = Arc<dyn Fn(&Value) -> Result<(), InputError> + Send + Sync>;

/// Begins a decision from the JSON of a command.
pub type Begin = Arc<dyn Fn(&Value) -> Result<Box<dyn Deciding>, InputError> + Send + Sync>;

/// A command with its decision as data: what the registry holds.
#[derive(Clone)]
pub struct CommandDef {
    /// The name.
    pub name: String,
    /// The instruction.
    pub title: String,
    /// The rest of the documentation.
    pub doc: String,
    /// The fields in the order of the form.
    pub fields: Vec<FieldDef>,
    /// How it appears to people.
    pub page: PageDef,
    /// The event types that it may raise.
    pub emits: Vec<EventDef>,
    /// The event types that it is decided on.
    pub reads: Vec<String>,
    /// Code and sentence of every refusal.
    pub refusals: Vec<(String, String)>,
    /// Begins the decision; none when an outside system does it.
    pub begin: Option<Begin>,
    /// Whether the JSON fits the command.
    pub check: Check,
}

impl fmt::Debug for CommandDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandDef")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl CommandDef {
    /// The definition of a command that is decided here.
    pub fn of<C: Decide>() -> Self {
        let mut reads = vec![];
        C::Model::reads(&mut reads);
        let mut reads: Vec<String> = reads.into_iter().map(String::from).collect();
        reads.sort();
        reads.dedup();
        CommandDef {
            emits: C::Emits::defs(),
            reads,
            refusals: C::Refusal::CASES
                .iter()
                .map(|(code, text)| (code.to_string(), text.to_string()))
                .collect(),
            begin: Some(Arc::new(|body| {
                let command: C = read_body(body)?;
                Ok(Box::new(Decision::new(command)) as Box<dyn Deciding>)
            })),
            ..CommandDef::told::<C>()
        }
    }

    /// The definition of a command that an outside system does.
    pub fn told<C: Command>() -> Self {
        CommandDef {
            name: C::NAME.into(),
            title: C::TITLE.into(),
            doc: C::DOC.into(),
            fields: fields_of::<C>(),
            page: C::PAGE.into(),
            emits: vec![],
            reads: vec![],
            refusals: vec![],
            begin: None,
            check: Arc::new(|body| read_body::<C>(body).map(|_| ())),
        }
    }
}
