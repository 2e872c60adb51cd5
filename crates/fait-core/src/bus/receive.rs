//! What becomes of the messages of other systems: the anti-corruption layer.

use super::cloud::CloudEvent;
use crate::command::CommandSet;
use crate::event::{Draft, EventDef, EventSet, schema_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Turns the messages of another system into the words of this one. Pure: it sees a message and
/// nothing else, so that a message can be read again after a fix.
pub trait Receive: Send + Sync + 'static {
    /// The other system, as the board calls it; what comes of its messages is done by it.
    const SYSTEM: &'static str;
    /// The commands that a message may become.
    type Sends: CommandSet;
    /// The events that a message may become.
    type Records: EventSet;
    /// What it is here.
    fn receive(message: &CloudEvent) -> Received<Self>;
    /// What it reads of the other system's messages. The other system's contract is held against
    /// it, so that a change that would break this one is found there.
    fn expects() -> Vec<Expects> {
        vec![]
    }
}

/// What a message is to a [`Receive`].
pub type Received<R> = Incoming<<R as Receive>::Sends, <R as Receive>::Records>;

/// What a message of another system is here.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming<C, E> {
    /// Something is asked: decided here, once for each message.
    Command(C),
    /// Something that happened there, and matters here.
    Record(E),
    /// None of this system's business.
    Ignore,
    /// It should be understood and is not: kept as it came, with this reason, until somebody
    /// has it read again.
    Unknown(String),
}

/// What a consumer reads of one published type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expects {
    /// The `type` on the bus, with the version.
    #[serde(rename = "type")]
    pub ty: String,
    /// The JSON Schema of what it reads: its own, with the fields that it needs.
    pub schema: Value,
}

impl Expects {
    /// What is read of one type, by a type of the consumer's own.
    pub fn of<T: JsonSchema>(ty: &str) -> Expects {
        Expects {
            ty: ty.into(),
            schema: schema_of::<T>(),
        }
    }
}

/// A command by its name and JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// Its JSON.
    pub body: Value,
}

/// What a message is here, with its types erased.
pub type ReadMessage =
    Arc<dyn Fn(&CloudEvent) -> Result<Incoming<Asked, Draft>, String> + Send + Sync>;

/// A [`Receive`] as data: what the registry holds.
#[derive(Clone)]
pub struct ReceiveDef {
    /// The other system.
    pub system: String,
    /// Names of the commands that a message may become.
    pub sends: Vec<String>,
    /// The events that a message may become.
    pub records: Vec<EventDef>,
    /// What it reads.
    pub expects: Vec<Expects>,
    /// What a message is here.
    pub receive: ReadMessage,
}

impl fmt::Debug for ReceiveDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiveDef")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

impl ReceiveDef {
    /// The definition of a Rust type.
    pub fn of<R: Receive>() -> Self {
        ReceiveDef {
            system: R::SYSTEM.into(),
            sends: R::Sends::NAMES.iter().map(|s| s.to_string()).collect(),
            records: R::Records::defs(),
            expects: R::expects(),
            receive: Arc::new(read_message::<R>),
        }
    }
}

fn read_message<R: Receive>(message: &CloudEvent) -> Result<Incoming<Asked, Draft>, String> {
    Ok(match R::receive(message) {
        Incoming::Command(command) => {
            let (name, body) = command.encode().map_err(|e| e.to_string())?;
            let name = name.into();
            Incoming::Command(Asked { name, body })
        }
        Incoming::Record(event) => Incoming::Record(event.encode().map_err(|e| e.to_string())?),
        Incoming::Ignore => Incoming::Ignore,
        Incoming::Unknown(why) => Incoming::Unknown(why),
    })
}
