//! Asked tasks: who is asked what, and taking one upon oneself.

use super::{App, OpenCommand, SendError};
use fait_core::event::{Origin, Time};
use fait_core::process::{Claimed, Fact, command_tag, types};
use fait_core::query::{Query, QueryItem};
use fait_core::store::{Append, AppendCondition, AppendError, Range, StoreError};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// A task that somebody is asked to do.
pub type Asked = OpenCommand;

/// Why a task cannot be claimed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// Somebody else has it.
    #[error("{by} has it until {until}")]
    Taken {
        /// Who.
        by: String,
        /// Until when.
        until: Time,
    },
    /// It is done, taken back, or was never asked.
    #[error(transparent)]
    Send(#[from] SendError),
}

impl App {
    /// The tasks that a role is asked to do, oldest first, at most so many.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn inbox(&self, role: &str, limit: usize) -> Result<Vec<Asked>, StoreError> {
        self.core.db.open_for("role", Some(role), limit)
    }

    /// The open commands and tasks of one instance.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn open_of(&self, process: &str, key: &str) -> Result<Vec<Asked>, StoreError> {
        self.core.db.open_of(process, key)
    }

    /// Everything open that is asked of people or told to systems, oldest first.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn waiting(&self, limit: usize) -> Result<Vec<Asked>, StoreError> {
        let mut all = self.core.db.open_for("role", None, limit)?;
        all.extend(self.core.db.open_for("system", None, limit)?);
        Ok(all)
    }

    /// An asked task that is still open, as far as the index knows.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn asked(&self, id: Uuid) -> Result<Option<Asked>, StoreError> {
        self.core.db.open_one(id)
    }

    /// Whether an asked task is open, from the log itself.
    ///
    /// # Errors
    /// [`SendError::NotAsked`] says what became of it.
    pub async fn is_asked(&self, id: Uuid) -> Result<(), SendError> {
        self.core.open_command(id).await.map(|_| ())
    }

    /// Takes an asked task upon somebody for a time. Afterwards it is anybody's again.
    ///
    /// # Errors
    /// Somebody else has it, or it is not open any more.
    pub async fn claim(&self, task: Uuid, by: &str, time: Duration) -> Result<Time, ClaimError> {
        let core = &self.core;
        let answer = core.open_command(task).await?;
        let query = Query::default().or(QueryItem::of(&[types::CLAIMED], vec![command_tag(task)]));
        loop {
            let newest = core.store.read(&query, Range::newest(1)).await;
            let newest = newest.map_err(SendError::from)?.events.pop();
            let now = core.clock.now();
            let mut after = answer.position;
            if let Some(event) = newest {
                if let Ok(Some(Fact::Claimed(c))) = Fact::read(&event)
                    && c.until > now
                    && !c.back
                    && c.by != by
                {
                    return Err(ClaimError::Taken {
                        by: c.by,
                        until: c.until,
                    });
                }
                after = event.meta.position;
            }
            let until = now + time;
            let claimed = Fact::Claimed(Claimed {
                process: answer.process.clone(),
                key: answer.key.clone(),
                command: task,
                by: by.into(),
                until,
                back: false,
            });
            let origin = Origin {
                actor: Some(by.into()),
                correlation: answer.correlation,
                causation: Some(answer.cause),
                ..Origin::default()
            };
            let append = Append {
                events: vec![claimed.draft(&answer.about).with(core.clock.id(), origin)],
                conditions: vec![
                    AppendCondition {
                        fail_if_events_match: query.clone(),
                        after,
                    },
                    answer.still_open(),
                ],
                command: None,
                recorded_at: now,
            };
            match core.store.append(append).await {
                Ok(_) => return Ok(until),
                Err(AppendError::Conflict { condition: 0, .. }) => {}
                Err(AppendError::Conflict { .. }) => {
                    core.open_command(task).await?;
                }
                Err(AppendError::Store(e)) => return Err(SendError::Store(e).into()),
                Err(e) => return Err(SendError::Defect(e.to_string()).into()),
            }
        }
    }
}

/// A word that fits a schema, for a dry run of a decision.
pub(super) fn sample(schema: &Value) -> Value {
    let first = |list: &str| schema[list].as_array().and_then(|l| l.first()).cloned();
    if let Some(value) = schema.get("const").cloned().or_else(|| first("enum")) {
        return value;
    }
    if let Some(reference) = schema["$ref"].as_str()
        && let Some(name) = reference.strip_prefix("#/$defs/")
    {
        return sample(&schema["$defs"][name]);
    }
    if let Some(one) = first("oneOf").or_else(|| first("anyOf")) {
        return sample(&one);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match (kind, schema["format"].as_str()) {
        (Some("integer" | "number"), _) => {
            json!(schema["minimum"].as_i64().map_or(1, |least| least.max(1)))
        }
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) => json!([sample(&schema["items"])]),
        (Some("object"), _) => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, s)| (name.clone(), sample(s))).collect()
        }
        (_, Some("uuid")) => json!(Uuid::nil()),
        (_, Some("money")) => json!("1.00"),
        (_, Some("date-time")) => json!("2026-01-01T00:00:00Z"),
        _ => json!("some words"),
    }
}
