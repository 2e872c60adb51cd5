//! The stream of a system: how it is set up, and whether the server did what it was asked.

use crate::connect::{Nats, Version};
use crate::name;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::{CreateStreamErrorKind, GetStreamErrorKind};
use async_nats::jetstream::stream::{
    Compression, Config, DiscardPolicy, Info, RetentionPolicy, StorageType,
};
use fait::bus::BusError;
use fait::reexport::serde_json::{self, Value};
use serde::Serialize;
use std::time::Duration;

/// How long and how safely a stream keeps messages. It is no archive: the log is, and whoever
/// comes later than this reads the published feed over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keep {
    /// How long messages stay; 7 days by default, for ever with none. A reader that was away for
    /// longer stops and says so.
    pub age: Option<Duration>,
    /// How many bytes the stream may have; as many as the server allows by default. When it is
    /// full it takes nothing more, and what is published waits in the log.
    pub bytes: Option<u64>,
    /// On how many servers of a cluster each message is kept: 1, 3 or 5; 1 by default.
    pub replicas: usize,
    /// How long the server knows the ids of messages; 2 minutes by default. It is a second line
    /// only: nothing depends on it.
    pub duplicates: Duration,
    /// Whether the files are compressed; needs a server of version 2.10.
    pub compressed: bool,
}

impl Default for Keep {
    fn default() -> Self {
        Keep {
            age: Some(Duration::from_secs(7 * 24 * 3600)),
            bytes: None,
            replicas: 1,
            duplicates: Duration::from_secs(120),
            compressed: false,
        }
    }
}

impl Keep {
    fn config(&self, system: &str) -> Config {
        let bytes = self.bytes.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        Config {
            name: name::stream(system),
            description: Some(format!("what {system} publishes")),
            subjects: vec![name::subjects(system)],
            retention: RetentionPolicy::Limits,
            storage: StorageType::File,
            // What is refused waits in the log; what is thrown away is missed by a reader.
            discard: DiscardPolicy::New,
            max_messages: -1,
            max_messages_per_subject: -1,
            max_message_size: -1,
            max_consumers: -1,
            max_bytes: bytes.unwrap_or(-1),
            max_age: self.age.unwrap_or_default(),
            num_replicas: self.replicas,
            duplicate_window: self.duplicates,
            compression: self.compressed.then_some(Compression::S2),
            ..Config::default()
        }
    }
}

/// What decides about order, loss and how long messages stay. The rest is the operator's.
const HELD: &[&str] = &[
    "subjects",
    "retention",
    "storage",
    "discard",
    "max_msgs",
    "max_msgs_per_subject",
    "max_msg_size",
    "max_bytes",
    "max_age",
    "num_replicas",
    "duplicate_window",
    "compression",
    "no_ack",
    "sealed",
    "mirror",
    "sources",
    "subject_transform",
    "allow_rollup_hdrs",
];

/// The stream as it is, made where there is none.
pub(crate) async fn ensure(
    nats: &Nats,
    context: &Context,
    system: &str,
    keep: &Keep,
) -> Result<Info, BusError> {
    if keep.compressed {
        nats.needs("a compressed stream", Version(2, 10, 0))?;
    }
    let asked = keep.config(system);
    if let Some(info) = look(context, &asked.name).await? {
        let wrong = differences(HELD, &asked, &info.config)?;
        return match wrong.is_empty() {
            true => Ok(info),
            false => Err(BusError::Unfit(format!(
                "the stream {} is set up otherwise: {}. Change it with `nats stream edit {0}`, or \
                 what the program asks for",
                asked.name,
                wrong.join("; ")
            ))),
        };
    }
    let made = context.create_stream(asked.clone()).await;
    let info = made
        .map_err(|e| unmade(&asked.name, &e))?
        .cached_info()
        .clone();
    let wrong = differences(HELD, &asked, &info.config)?;
    match wrong.is_empty() {
        true => Ok(info),
        false => Err(BusError::Unfit(format!(
            "the NATS server made the stream {} otherwise than it was asked to: {}. It is probably \
             too old for that",
            asked.name,
            wrong.join("; ")
        ))),
    }
}

/// The stream as it is, if there is one.
pub(crate) async fn look(context: &Context, stream: &str) -> Result<Option<Info>, BusError> {
    match context.get_stream(stream).await {
        Ok(stream) => Ok(Some(stream.cached_info().clone())),
        Err(e) => match e.kind() {
            GetStreamErrorKind::JetStream(error) if error.code() == 404 => Ok(None),
            _ => Err(BusError::Later(format!(
                "the NATS server does not say how the stream {stream} is: {e}"
            ))),
        },
    }
}

/// No node that may be asked, at this time.
const NO_PEERS: u64 = 10005;
/// More than one replica, and no cluster.
const NO_REPLICAS: u64 = 10074;

fn unmade(stream: &str, e: &async_nats::jetstream::context::CreateStreamError) -> BusError {
    let text = format!("the stream {stream} cannot be made: {e}");
    match e.kind() {
        CreateStreamErrorKind::JetStream(error) => {
            let code = error.error_code().0;
            match (error.code() == 400 && code != NO_PEERS) || code == NO_REPLICAS {
                true => BusError::Unfit(text),
                false => BusError::Later(text),
            }
        }
        CreateStreamErrorKind::EmptyStreamName
        | CreateStreamErrorKind::InvalidStreamName
        | CreateStreamErrorKind::DomainAndExternalSet => BusError::Unfit(text),
        _ => BusError::Later(text),
    }
}

/// Which history a stream holds: its name and when it was made.
pub(crate) fn history(info: &Info) -> String {
    format!("{} of {}", info.config.name, info.created)
}

/// What a server says otherwise than it was asked, in words. Servers leave out what they do not
/// know, and say nothing about it.
pub(crate) fn differences(
    held: &[&str],
    asked: &impl Serialize,
    said: &impl Serialize,
) -> Result<Vec<String>, BusError> {
    let plain = |e: serde_json::Error| BusError::Unfit(e.to_string());
    let asked = serde_json::to_value(asked).map_err(plain)?;
    let said = serde_json::to_value(said).map_err(plain)?;
    let same = |key: &&&str| worth(&asked, key) == worth(&said, key);
    let differ = held.iter().filter(|key| !same(key)).map(|key| {
        let (asked, said) = (shown(&asked, key), shown(&said, key));
        format!("{key} is {said}, and {asked} was asked for")
    });
    Ok(differ.collect())
}

/// What is left out is as good as none, `false` and 0.
fn worth<'a>(config: &'a Value, key: &str) -> Option<&'a Value> {
    let nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(n) => n.as_i64() == Some(0),
        Value::String(s) => s == "none",
        _ => false,
    };
    config.get(key).filter(|value| !nothing(value))
}

fn shown(config: &Value, key: &str) -> String {
    match (worth(config, key), key) {
        (None, _) => "none".into(),
        (Some(Value::Number(n)), "max_age" | "duplicate_window" | "inactive_threshold") => {
            format!("{} s", n.as_f64().unwrap_or_default() / 1e9)
        }
        (Some(value), _) => value.to_string(),
    }
}
