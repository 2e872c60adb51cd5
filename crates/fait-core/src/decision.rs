//! A decision answers a command from a model folded from the events of a query.

mod snapshot;
mod boundary;
pub mod recorded;

pub use boundary::{Boundary, BoundaryId, Each, Model, Scope};
pub use recorded::RecordedCommand;
pub use snapshot::{Form, Snapshots};

use crate::command::{Command, FieldDef, InputError, PageDef, fields_of, read_body};
use crate::event::{DecodeError, Draft, EncodeError, EventDef, EventSet, StoredEvent, Time};
use crate::query::Query;
use serde_json::Value;
use std::any::{Any, type_name};
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

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
    /// Whether an event of one of these types may come of it, or any event where none is named.
    fn may_raise(&self, types: &[String]) -> bool;
    /// What it is decided on.
    fn boundary(&self) -> BoundaryId;
    /// Takes the model out; an empty one is left, as before anything was taken in.
    fn take(&mut self) -> Box<dyn Any + Send>;
    /// Puts a model in that a decision on the same boundary took out. Says whether it is of the
    /// right type; if not, it is dropped and nothing is changed.
    fn give(&mut self, model: Box<dyn Any + Send>) -> bool;
    /// Roughly how many bytes the model holds, when events of so many bytes were folded into it.
    fn holds(&self, folded: usize) -> usize;
    /// How the model is kept on disk, if it is.
    fn form(&self) -> Option<Form>;
    /// What is kept on disk.
    ///
    /// # Errors
    /// It is not kept on disk, or cannot be written as JSON.
    fn to_snapshot(&self) -> Result<Value, serde_json::Error>;
    /// Puts a model in that was kept on disk.
    ///
    /// # Errors
    /// It was written otherwise; nothing is changed.
    fn use_snapshot(&mut self, kept: Value) -> Result<(), serde_json::Error>;
}

/// Whether a decision that may come to some types comes to one of those that are wanted, or to
/// anything where none is named.
pub fn raises<S: AsRef<str>>(emits: &[S], wanted: &[String]) -> bool {
    match wanted {
        [] => !emits.is_empty(),
        wanted => wanted.iter().any(|w| emits.iter().any(|e| e.as_ref() == w)),
    }
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
    fn may_raise(&self, types: &[String]) -> bool {
        raises(C::Emits::TYPES, types)
    }
    fn boundary(&self) -> BoundaryId {
        BoundaryId::of::<C::Model>(&self.keys)
    }
    fn take(&mut self) -> Box<dyn Any + Send> {
        let empty = C::Model::empty(&self.keys);
        Box::new(std::mem::replace(&mut self.model, empty))
    }
    fn give(&mut self, model: Box<dyn Any + Send>) -> bool {
        match model.downcast::<C::Model>() {
            Ok(model) => {
                self.model = *model;
                true
            }
            Err(_) => false,
        }
    }
    fn holds(&self, folded: usize) -> usize {
        // A model that has nothing to drop owns nothing elsewhere.
        let elsewhere = match std::mem::needs_drop::<C::Model>() {
            true => folded,
            false => 0,
        };
        size_of::<C::Model>().saturating_add(elsewhere)
    }
    fn form(&self) -> Option<Form> {
        let mut reads = vec![];
        C::Model::reads(&mut reads);
        C::Model::form().map(|f| f.about(type_name::<C::Model>(), &reads))
    }
    fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
        self.model.to_snapshot()
    }
    fn use_snapshot(&mut self, kept: Value) -> Result<(), serde_json::Error> {
        self.model = C::Model::from_snapshot(&self.keys, kept)?;
        Ok(())
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
    /// The definitions of those.
    pub read_defs: Vec<EventDef>,
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
        let mut read_defs = vec![];
        C::Model::defs(&mut read_defs);
        CommandDef {
            emits: C::Emits::defs(),
            reads,
            read_defs,
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
            read_defs: vec![],
            refusals: vec![],
            begin: None,
            check: Arc::new(|body| read_body::<C>(body).map(|_| ())),
        }
    }
}
