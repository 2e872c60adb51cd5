//! Taking back what an instance did: its accepted commands, the last first, each with its inverse.

use super::{App, OperateError};
use crate::runtime::step::MAX_ISSUED;
use fait_core::event::Position;
use fait_core::process::{Action, Fact, Instance, Issued, Outcome, Target, instance_tag, types};
use fait_core::query::{Query, QueryItem};
use fait_core::store::Range;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use uuid::Uuid;

/// Facts that are read at once.
const PAGE: usize = 500;

/// What taking back would do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compensation {
    /// The accepted commands, the last first.
    pub done: Vec<Undo>,
    /// The open commands that would be taken back.
    pub withdrawn: Vec<Uuid>,
}

/// One accepted command with its inverse.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undo {
    /// The command.
    pub command: Uuid,
    /// Its name.
    pub name: String,
    /// Its body, as it was issued.
    pub body: Value,
    /// Where it was accepted.
    pub position: Position,
    /// The inverse with its body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inverse: Option<(String, Value)>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

impl App {
    /// What [`Act::Compensate`](super::Act::Compensate) would do; nothing is done.
    ///
    /// # Errors
    /// There is no such instance, it was compensated before, or the store cannot be read.
    pub async fn compensation(
        &self,
        process: &str,
        key: &str,
    ) -> Result<Compensation, OperateError> {
        self.known(process)?;
        let instance = self.existing(process, key).await?;
        let kinds = [types::STEPPED, types::OPERATED, types::SETTLED];
        let tag = instance_tag(process, key);
        let query = Query::default().or(QueryItem::of(&kinds, vec![tag]));
        let mut issued: HashMap<Uuid, Issued> = HashMap::new();
        let (mut done, mut after) = (vec![], 0);
        loop {
            let range = Range::after(after, PAGE);
            let slice = self.core.store.read(&query, range).await?;
            for event in &slice.events {
                let fact = Fact::read(event).map_err(fait_core::store::StoreError::new)?;
                match fact {
                    Some(Fact::Stepped(step)) => {
                        issued.extend(step.issued.into_iter().map(|c| (c.id, c)));
                    }
                    Some(Fact::Operated(o)) if o.action == Action::Compensate => {
                        return Err(OperateError::Compensated {
                            process: process.into(),
                            key: key.into(),
                        });
                    }
                    Some(Fact::Operated(o)) => {
                        issued.extend(o.issued.into_iter().map(|c| (c.id, c)));
                    }
                    Some(Fact::Settled(s)) if s.outcome == Outcome::Accepted => {
                        let was = issued.remove(&s.command);
                        done.extend(was.map(|c| self.undo(c, event.meta.position)));
                    }
                    _ => {}
                }
            }
            match slice.events.last() {
                Some(last) if slice.events.len() == PAGE => after = last.meta.position,
                _ => break,
            }
        }
        done.reverse();
        Ok(Compensation {
            done,
            withdrawn: instance.open.keys().copied().collect(),
        })
    }

    fn undo(&self, done: Issued, position: Position) -> Undo {
        let inverse = self.inverse(&done);
        let (inverse, why_not) = match inverse {
            Ok(inverse) => (Some(inverse), None),
            Err(why) => (None, Some(why)),
        };
        Undo {
            command: done.id,
            name: done.name,
            body: done.body,
            position,
            inverse,
            why_not,
        }
    }

    /// The inverse with the fields that have the same names.
    fn inverse(&self, done: &Issued) -> Result<(String, Value), String> {
        let commands = &self.core.commands;
        let Some(def) = commands.get(&done.name) else {
            return Err(format!(
                "this program does not know `{}` any more",
                done.name
            ));
        };
        let Some(name) = &def.page.undone_by else {
            return Err("nothing undoes it".into());
        };
        let Some(inverse) = commands.get(name) else {
            return Err(format!("`{name}`, which undoes it, is not wired"));
        };
        let mut body = Map::new();
        for field in &inverse.fields {
            if let Some(value) = done.body.get(&field.name) {
                body.insert(field.name.clone(), value.clone());
            }
        }
        let body = Value::Object(body);
        match (inverse.check)(&body) {
            Ok(()) => Ok((name.clone(), body)),
            Err(e) => Err(format!("`{name}` undoes it, but cannot be written: {e}")),
        }
    }

    fn target(&self, command: &str) -> Target {
        let to = self.core.commands.get(command);
        let to = to.and_then(|def| def.page.to.clone());
        to.map_or(Target::Here, Target::System)
    }

    /// The inverses as commands to be issued.
    pub(super) fn inverses(
        &self,
        i: &Instance,
        plan: &Compensation,
    ) -> Result<Vec<Issued>, OperateError> {
        let mut tries = i.tries.clone();
        let mut issue = |undo: &Undo| {
            let (name, body) = undo.inverse.clone()?;
            let text = format!("fait undone {} {} {}", i.process, i.key, undo.command);
            let tried = tries.entry(name.clone()).or_insert(0);
            *tried += 1;
            Some(Issued {
                id: Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()),
                to: self.target(&name),
                name,
                body,
                due: None,
                tries: *tried,
                expires: false,
            })
        };
        let all: Vec<Issued> = plan.done.iter().filter_map(&mut issue).collect();
        match all.len() {
            0 => Err(OperateError::NothingToUndo {
                process: i.process.clone(),
                key: i.key.clone(),
            }),
            n if n > MAX_ISSUED => Err(OperateError::Limit(format!(
                "{n} commands would be issued at once; at most {MAX_ISSUED} fit: take them back \
                 one by one, and complete the instance"
            ))),
            _ => Ok(all),
        }
    }
}
