//! One example, run on a system that has nothing behind it yet.

use super::aftermath::{Aftermath, Refused, Teller};
use super::expect::Judge;
use super::known::{self, Known};
use super::plan::{Act, Fact, Plan, What};
use super::program::Program;
use super::report::{Failed, Miss, Verdict};
use super::value;
use crate::app::{App, Envelope, SendError};
use fait_board::Board;
use fait_board::name::kebab_name;
use fait_core::event::{Origin, Position, StoredEvent, panic_text};
use fait_core::manifest::ProcessEntry;
use fait_core::process::Target;
use fait_core::query::Query;
use fait_core::store::{Append, Range, StoreError};
use futures_util::FutureExt;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::collections::btree_map::Values;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

/// Open tasks that are looked at, at most.
const ASKED: usize = 1000;

/// Deadlines for which is waited, when what is given comes of one.
const DEADLINES: u32 = 3;

/// Who does what an example does.
const SOMEBODY: &str = "somebody";

/// Runs an example and says what came of it.
pub(super) async fn run(app: &App, board: &Board, program: &Program, plan: Plan) -> Verdict {
    let mut run = Run {
        app,
        board,
        program,
        known: plan.known.clone(),
        ours: BTreeSet::new(),
        refused: vec![],
        done: vec![],
        filled: vec![],
    };
    match run.all(&plan).await {
        Ok(None) => Verdict::Passed,
        Ok(Some(failed)) => Verdict::Failed(failed),
        Err(e) => {
            let line = plan.given.first().map_or(0, |fact| fact.line);
            run.broken(Miss::new(line, format!("the store does not answer: {e}")))
        }
    }
}

struct Run<'a> {
    app: &'a App,
    board: &'a Board,
    program: &'a Program,
    known: Known,
    /// What the example itself recorded, or took as recorded.
    ours: BTreeSet<Position>,
    refused: Vec<Refused>,
    /// The tasks of `when`, by their names in the program.
    done: Vec<String>,
    /// What stood for words that the example does not say.
    filled: Vec<String>,
}

impl Run<'_> {
    async fn all(&mut self, plan: &Plan) -> Result<Option<Failed>, StoreError> {
        let failed = |run: &Self, miss| {
            Ok(Some(Failed {
                misses: vec![miss],
                filled: run.filled.clone(),
                ..Failed::default()
            }))
        };
        for fact in &plan.given {
            if let Err(miss) = self.given(fact).await? {
                return failed(self, miss);
            }
        }
        let mark = self.app.head().await?;
        self.known.expected = plan.expected.clone();
        for act in &plan.when {
            let done = match act {
                Act::Passes(period) => {
                    self.app
                        .advance(Duration::from_secs(period.seconds()))
                        .await;
                    Ok(())
                }
                Act::Fact(fact) => self.fact(fact).await?,
            };
            if let Err(miss) = done {
                return failed(self, miss);
            }
        }
        let teller = self.teller();
        let refused = self.refused.clone();
        let after = Aftermath::of(self.app, teller, mark, &self.ours, refused).await?;
        let mut judge = Judge::new(self.app, teller, &after, self.done.clone());
        let misses = judge.misses(&plan.then).await;
        let happened = match after.told.is_empty() {
            true => vec!["nothing".into()],
            false => after.told.clone(),
        };
        Ok((!misses.is_empty()).then(|| Failed {
            misses,
            happened,
            asked: after.asked.iter().map(|a| teller.asked(a)).collect(),
            filled: self.filled.clone(),
        }))
    }

    fn broken(&self, miss: Miss) -> Verdict {
        Verdict::Failed(Failed {
            misses: vec![miss],
            filled: self.filled.clone(),
            ..Failed::default()
        })
    }

    fn teller(&self) -> Teller<'_> {
        Teller {
            board: self.board,
            program: self.program,
            known: &self.known,
        }
    }

    /// What had happened; a task that was done must have been accepted.
    async fn given(&mut self, fact: &Fact) -> Result<Result<(), Miss>, StoreError> {
        if let What::Event { name, .. } = &fact.what
            && let Some(position) = self.comes_by_itself(fact, name).await?
        {
            self.ours.insert(position);
            return Ok(Ok(()));
        }
        let done = self.fact(fact).await?;
        self.done.clear();
        Ok(match self.refused.pop() {
            Some(Refused { task, reason, .. }) => {
                let message = format!("`{task}` is given, but was refused: {reason}");
                Err(Miss::new(fact.line, message).help("say before it what has to have happened"))
            }
            None => done,
        })
    }

    /// An event that has come of what was given before, or comes when time passes: one that a
    /// process raises, because something did not happen in time, is not there before that time.
    async fn comes_by_itself(
        &self,
        fact: &Fact,
        name: &str,
    ) -> Result<Option<Position>, StoreError> {
        let manifest = &self.program.manifest;
        let raised = |mut all: Values<'_, String, ProcessEntry>| {
            all.any(|p| p.raises.iter().any(|e| e == name))
        };
        let mut left = match raised(manifest.processes.values()) {
            true => DEADLINES,
            false => 0,
        };
        loop {
            let came = self.came_by_itself(fact, name).await?;
            let (Some(next), None, true) = (self.app.next_time(), came, left > 0) else {
                return Ok(came);
            };
            left -= 1;
            self.app.advance(next.since(self.app.clock().now())).await;
        }
    }

    /// An event that processes have raised, with the words that are given: it is not recorded a
    /// second time.
    async fn came_by_itself(
        &self,
        fact: &Fact,
        name: &str,
    ) -> Result<Option<Position>, StoreError> {
        let slice = self
            .app
            .events(&Query::types(&[name]), Range::after(0, ASKED))
            .await?;
        let fits = |e: &&StoredEvent| {
            let data = e.json().unwrap_or_default();
            let same = fact.with.iter().all(|w| {
                let schema = fact.shape.named(&w.field).map(|f| &f.schema);
                let found = data.get(&w.field).unwrap_or(&Value::Null);
                schema.is_some_and(|schema| value::equal(&w.value, found, schema))
            });
            same && !self.ours.contains(&e.meta.position)
        };
        Ok(slice.events.iter().find(fits).map(|e| e.meta.position))
    }

    async fn fact(&mut self, fact: &Fact) -> Result<Result<(), Miss>, StoreError> {
        let body = self.body(fact);
        let done = match &fact.what {
            What::Event { name, from } => self.happens(fact, name, from.as_deref(), &body).await,
            What::Task { name } => self.does(fact, name, body).await?,
        };
        self.app.settle().await;
        Ok(done)
    }

    /// The fields of an event or a command: what the example says, and the rest filled in.
    fn body(&mut self, fact: &Fact) -> Value {
        let mut body = Map::new();
        for with in &fact.with {
            body.insert(with.field.clone(), with.value.clone());
            if let Some(field) = fact.shape.named(&with.field) {
                self.known.meets(self.board, field, &with.value);
            }
        }
        let mut filled = vec![];
        for field in &fact.shape.0 {
            let needed = field.required
                || fact.records.contains(&field.name)
                || self.known.chosen(self.board, field).is_some();
            if !needed || body.contains_key(&field.name) {
                continue;
            }
            let value = self.known.fill(self.board, field);
            let teller = self.teller();
            let word = teller.word(&fact.shape, &field.name);
            filled.push(format!(
                "{word} {}",
                teller.said(&fact.shape, &field.name, &value)
            ));
            body.insert(field.name.clone(), value);
        }
        if !filled.is_empty() {
            let (line, title) = (fact.line, &fact.title);
            self.filled
                .push(format!("line {line}, {title}: {}", filled.join(", ")));
        }
        Value::Object(body)
    }

    /// An event becomes history.
    async fn happens(
        &mut self,
        fact: &Fact,
        name: &str,
        from: Option<&str>,
        data: &Value,
    ) -> Result<(), Miss> {
        let core = &self.app.core;
        let title = &fact.title;
        let wrong = |why: String| Miss::new(fact.line, format!("`{title}` cannot happen: {why}"));
        let Some(def) = self.program.manifest.events.get(name) else {
            return Err(wrong("the program does not have it".into()));
        };
        let draft = self.program.draft(def, data).map_err(wrong)?;
        let (id, message) = (core.clock.id(), core.clock.id());
        let origin = Origin {
            actor: from.map(|system| format!("system:{system}")),
            correlation: message,
            command: from.map(|_| message),
            ..Origin::default()
        };
        let append = Append {
            events: vec![draft.with(id, origin)],
            conditions: vec![],
            command: None,
            recorded_at: core.clock.now(),
        };
        let appended = core
            .store
            .append(append)
            .await
            .map_err(|e| wrong(e.to_string()))?;
        self.ours.insert(appended.first);
        Ok(())
    }

    /// Somebody does a task: who is asked for it, when somebody is; else a role that may.
    async fn does(
        &mut self,
        fact: &Fact,
        name: &str,
        body: Value,
    ) -> Result<Result<(), Miss>, StoreError> {
        self.done.push(name.into());
        let asked = self.app.waiting(ASKED)?.into_iter().find_map(|asked| {
            let Target::Role(role) = &asked.open.issued.to else {
                return None;
            };
            let given = asked.open.issued.body.as_object();
            let agrees = given
                .into_iter()
                .flatten()
                .all(|(k, v)| body.get(k).is_none_or(|b| b == v));
            let fields = body.as_object().into_iter().flat_map(Map::values);
            let about = fields.map(known::plain).any(|text| text == asked.key);
            let is = asked.open.issued.name == *name && agrees && about;
            is.then(|| (role.clone(), asked.open.issued.id))
        });
        let commands = &self.program.manifest.commands;
        let by = commands.get(name).and_then(|c| c.page.by.first());
        let role = asked.as_ref().map(|(role, _)| role).or(by);
        let envelope = Envelope {
            actor: role.map(|role| format!("{}:{SOMEBODY}", kebab_name(role))),
            answering: asked.as_ref().map(|(_, id)| *id),
            ..Envelope::default()
        };
        let sent = AssertUnwindSafe(self.app.send_json(name, body, envelope)).catch_unwind();
        let sent = match sent.await {
            Ok(sent) => sent,
            Err(panic) => return Ok(Err(Miss::new(fact.line, panic_text(&*panic)))),
        };
        let (code, reason) = match sent {
            Ok(_) => return Ok(Ok(())),
            Err(SendError::Refused(refused)) => (refused.code, refused.message),
            // What does not fit is refused at the door.
            Err(SendError::Input(e)) => (String::new(), e.message),
            Err(other) => {
                let message = format!("`{}` cannot be done: {other}", fact.title);
                return Ok(Err(Miss::new(fact.line, message)));
            }
        };
        self.refused.push(Refused {
            line: fact.line,
            task: fact.title.clone(),
            code,
            reason,
        });
        Ok(Ok(()))
    }
}
