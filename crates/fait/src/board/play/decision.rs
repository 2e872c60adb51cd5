//! Deciding a task as a person chose: the board says what can come of it, not which of it does.

use super::form::{NO_WAY, past, way_field};
use super::stage::{Event, Stage};
use super::task::{Outcome, Task};
use super::word::text_of;
use fait_core::command::{InputError, PageDef};
use fait_core::decision::{
    BoundaryId, CommandDef, Context, Deciding, Form, Refused, Verdict, raises,
};
use fait_core::event::{DecodeError, Draft, EncodeError, EventDef, StoredEvent, Tag};
use fait_core::query::{Query, QueryItem};
use serde::de::Error as _;
use serde_json::{Map, Value, json};
use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Words by their field.
pub(super) type Words = Map<String, Value>;

/// The code of a refusal that no note of the board says.
const UNKNOWN: &str = "NothingKnown";

/// A task of a board that is played, with what it needs of the board.
struct Played {
    stage: Arc<Stage>,
    task: Task,
    /// The types that it is decided on, and those that may come of it.
    reads: Vec<String>,
    emits: Vec<String>,
    /// The key that is begun elsewhere, so that a thing that nobody began is noticed.
    begun: Option<usize>,
}

/// What is remembered of what a task is about.
#[derive(Clone, Debug, Default)]
struct Memory {
    words: Words,
    any: bool,
}

/// A decision under way.
struct Decision {
    played: Arc<Played>,
    body: Words,
    query: Query,
    memory: Memory,
}

/// The command of a task.
pub(super) fn command(stage: &Arc<Stage>, all: &[Task], number: usize) -> CommandDef {
    let task = &all[number];
    let mut reads: BTreeSet<usize> = task.remembers.iter().copied().collect();
    reads.extend(past(stage, task));
    let own: Vec<usize> = task.events().into_iter().collect();
    let types = |events: &mut dyn Iterator<Item = usize>| {
        let named = events.flat_map(|e| {
            let event = &stage.events[e];
            std::iter::once(event.ty.clone()).chain(event.was.clone())
        });
        named.collect::<Vec<String>>()
    };
    let defs = |events: &mut dyn Iterator<Item = usize>| {
        let all = events.map(|e| event_def(stage, &stage.events[e]));
        all.collect::<Vec<EventDef>>()
    };
    let refusals = task.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Refused(code, sentence, _) => Some((code.clone(), sentence.clone())),
        _ => None,
    });
    let read_types = types(&mut reads.iter().copied());
    let played = Arc::new(Played {
        stage: stage.clone(),
        task: task.clone(),
        reads: read_types.clone(),
        emits: types(&mut own.iter().copied()),
        begun: begun(all, task),
    });
    let checking = played.clone();
    CommandDef {
        name: task.name.clone(),
        title: task.title.clone(),
        doc: task.about.clone(),
        fields: task.fields.iter().map(|f| f.def.clone()).collect(),
        page: page(all, task),
        emits: defs(&mut own.iter().copied()),
        reads: read_types,
        read_defs: defs(&mut reads.iter().copied()),
        refusals: refusals.collect(),
        begin: Some(Arc::new(move |body| {
            let body = played.read(body)?;
            let query = played.query(&body);
            Ok(Box::new(Decision {
                played: played.clone(),
                body,
                query,
                memory: Memory::default(),
            }) as Box<dyn Deciding>)
        })),
        check: Arc::new(move |body| checking.read(body).map(drop)),
    }
}

/// The definition of an event.
pub(super) fn event_def(stage: &Stage, event: &Event) -> EventDef {
    let mut properties = Map::new();
    for word in data_words(event) {
        let word = &stage.words[word];
        properties.insert(word.field.clone(), word.schema_or_null());
    }
    if let Some(first) = event.ways.first() {
        let schema = json!({"type": ["string", "null"], "title": "Which way", "default": first});
        properties.insert(way_field(stage), schema);
    }
    EventDef {
        name: event.ty.clone(),
        was: event.was.clone(),
        version: 1,
        doc: event.about.clone(),
        schema: json!({"type": "object", "properties": properties}),
        code: None,
    }
}

/// The words in an event's data: what it records; of an event of which the board does not say
/// that, what it is about.
fn data_words(event: &Event) -> Vec<usize> {
    match event.records.is_empty() {
        true => event.carries.clone(),
        false => event.records.clone(),
    }
}

/// An event with some words; those that are not there are recorded as nothing.
pub(super) fn draft(stage: &Stage, event: &Event, words: &Words) -> Draft {
    let value = |word: usize| words.get(&stage.words[word].field).cloned();
    let mut data = Map::new();
    for word in data_words(event) {
        let field = stage.words[word].field.clone();
        data.insert(field, value(word).unwrap_or(Value::Null));
    }
    if let Some(first) = event.ways.first() {
        let field = way_field(stage);
        let way = words.get(&field).and_then(Value::as_str);
        let way = way.unwrap_or(first.as_str());
        let way = Some(way).filter(|w| *w != NO_WAY);
        data.insert(field, way.into());
    }
    let mut tags: Vec<Tag> = vec![];
    for word in &event.carries {
        let kind = stage.words[*word].kind.as_deref().unwrap_or_default();
        let values = match value(*word) {
            Some(Value::Array(all)) => all,
            one => one.into_iter().collect(),
        };
        for text in values.iter().filter_map(text_of) {
            let tag = Tag::new(kind, text);
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
    }
    Draft {
        ty: event.ty.clone(),
        version: 1,
        tags,
        data: Value::Object(data).to_string().into(),
    }
}

/// What an event says, by the fields of the words: its data, and of what it is tagged with.
pub(super) fn words_of(stage: &Stage, event: &Event, stored: &StoredEvent) -> Words {
    let mut out = Words::new();
    for word in &event.carries {
        let word = &stage.words[*word];
        let mut tags = stored.tags.iter();
        let tag = tags.find(|t| Some(t.kind()) == word.kind.as_deref());
        if let Some(value) = tag.and_then(|t| word.read(&json!(t.value())).ok()) {
            out.insert(word.field.clone(), value);
        }
    }
    if let Ok(Value::Object(data)) = stored.json() {
        out.extend(data.into_iter().filter(|(_, value)| !value.is_null()));
    }
    out
}

/// The key of a task that another task begins.
fn begun(all: &[Task], task: &Task) -> Option<usize> {
    let [key] = task.keys[..] else { return None };
    let elsewhere = all.iter().any(|t| t.begins.contains(&key));
    let own = task.begins.contains(&key) || task.asks.contains(&key);
    (elsewhere && !own && !task.automatic).then_some(key)
}

fn page(all: &[Task], task: &Task) -> PageDef {
    let starts = task
        .keys
        .iter()
        .all(|k| task.begins.contains(k) || task.asks.contains(k));
    PageDef {
        by: task.roles.clone(),
        sees: task.sees.clone(),
        about: None,
        button: task.button.clone(),
        undone_by: task
            .undone_by
            .and_then(|n| all.get(n))
            .map(|t| t.name.clone()),
        to: None,
        starts,
    }
}

impl Played {
    /// The words of a command.
    fn read(&self, body: &Value) -> Result<Words, InputError> {
        let wrong = |field: Option<&str>, message: String| InputError {
            field: field.map(String::from),
            message,
        };
        let Some(given) = body.as_object() else {
            let message = format!("the body of `{}` must be a JSON object", self.task.name);
            return Err(wrong(None, message));
        };
        let fields = &self.task.fields;
        if let Some(unknown) = given
            .keys()
            .find(|k| !fields.iter().any(|f| f.def.name == **k))
        {
            let message = format!("`{}` has no such field", self.task.name);
            return Err(wrong(Some(unknown), message));
        }
        let mut out = Words::new();
        for field in fields {
            let def = &field.def;
            let value = given.get(&def.name).filter(|v| !v.is_null());
            let Some(value) = value else {
                if def.optional {
                    continue;
                }
                return Err(wrong(Some(&def.name), "is missing".into()));
            };
            let read = match field.word {
                Some(word) => self.stage.words[word].read(value),
                None => match def.schema["enum"]
                    .as_array()
                    .is_some_and(|a| a.contains(value))
                {
                    true => Ok(value.clone()),
                    false => Err(format!("{value} is none of the choices")),
                },
            };
            let value = read.map_err(|why| wrong(Some(&def.name), why))?;
            out.insert(def.name.clone(), value);
        }
        Ok(out)
    }

    /// What is looked at: everything that happened to what the task is about. Nothing when that
    /// begins with it.
    fn query(&self, body: &Words) -> Query {
        let tag = |key: &usize| {
            let word = &self.stage.words[*key];
            let text = text_of(body.get(&word.field)?)?;
            Some(Tag::new(word.kind.as_deref()?, text))
        };
        let tags: Option<Vec<Tag>> = self.task.keys.iter().map(tag).collect();
        match tags.filter(|tags| !tags.is_empty() && !self.reads.is_empty()) {
            Some(tags) => Query::default().or(QueryItem::of(&self.reads, tags)),
            None => Query::default(),
        }
    }
}

impl Decision {
    fn outcome(&self) -> Option<&Outcome> {
        let task = &self.played.task;
        let chosen = task
            .choice
            .as_ref()
            .and_then(|c| self.body.get(c)?.as_str());
        match chosen {
            Some(text) => task.outcomes.iter().find(|o| o.text() == text),
            None => task.usual(),
        }
    }

    /// What can be seen to be wrong although the board does not say so.
    fn known(&self) -> Result<(), Refused> {
        let Some(key) = self.played.begun.filter(|_| !self.memory.any) else {
            return Ok(());
        };
        let word = &self.played.stage.words[key];
        let id = self.body.get(&word.field).and_then(text_of);
        Err(Refused {
            code: UNKNOWN.into(),
            message: format!(
                "nothing is known of {} {}",
                word.name,
                id.unwrap_or_default()
            ),
            typed: None,
        })
    }

    /// Everything that the events of this task may record.
    fn words(&self, context: &Context) -> Words {
        let mut words = self.memory.words.clone();
        for word in &self.played.task.begins {
            let field = &self.played.stage.words[*word].field;
            words.insert(field.clone(), json!(context.fresh().to_string()));
        }
        // A way belongs to one event: an earlier one does not decide it.
        words.remove(&way_field(&self.played.stage));
        words.extend(self.body.clone());
        words
    }
}

impl Deciding for Decision {
    fn query(&self) -> &Query {
        &self.query
    }
    fn guard(&self) -> Query {
        self.query.clone()
    }
    fn absorb(&mut self, stored: &StoredEvent) -> Result<(), DecodeError> {
        let stage = &self.played.stage;
        let mut events = stage.events.iter();
        let is = |e: &&Event| e.ty == stored.ty || e.was.contains(&stored.ty);
        if let Some(event) = events.find(is) {
            self.memory.words.extend(words_of(stage, event, stored));
            self.memory.any = true;
        }
        Ok(())
    }
    fn decide(&self, context: &Context) -> Verdict {
        if let Err(refused) = self.known() {
            return Verdict::Refused(refused);
        }
        match self.outcome() {
            Some(Outcome::Raises(events, _)) => {
                let (words, stage) = (self.words(context), &self.played.stage);
                let drafts = events
                    .iter()
                    .map(|e| draft(stage, &stage.events[*e], &words));
                Verdict::Events(drafts.collect())
            }
            Some(Outcome::Refused(code, sentence, _)) => Verdict::Refused(Refused {
                code: code.clone(),
                message: sentence.clone(),
                typed: None,
            }),
            Some(Outcome::Nothing(_)) => Verdict::Events(vec![]),
            None if self.played.task.outcomes.is_empty() => Verdict::Events(vec![]),
            None => Verdict::Defect(EncodeError {
                ty: self.played.task.name.clone(),
                message: "the choice is not known".into(),
            }),
        }
    }
    fn offer(&self, _: &Context) -> Result<(), Refused> {
        self.known()
    }
    fn may_raise(&self, types: &[String]) -> bool {
        raises(&self.played.emits, types)
    }
    fn boundary(&self) -> BoundaryId {
        let items = self.query.items.iter().map(|i| json!([i.types, i.tags]));
        BoundaryId::held_in::<Memory>(items.collect::<Value>().to_string())
    }
    fn take(&mut self) -> Box<dyn Any + Send> {
        Box::new(std::mem::take(&mut self.memory))
    }
    fn give(&mut self, model: Box<dyn Any + Send>) -> bool {
        match model.downcast::<Memory>() {
            Ok(memory) => {
                self.memory = *memory;
                true
            }
            Err(_) => false,
        }
    }
    fn holds(&self, folded: usize) -> usize {
        size_of::<Memory>().saturating_add(folded)
    }
    fn form(&self) -> Option<Form> {
        None
    }
    fn to_snapshot(&self) -> Result<Value, serde_json::Error> {
        Err(serde_json::Error::custom("it is not kept on disk"))
    }
    fn use_snapshot(&mut self, _: Value) -> Result<(), serde_json::Error> {
        Err(serde_json::Error::custom("it is not kept on disk"))
    }
}
