//! What happened, as an example on the board: given, when, then.

use super::Play;
use super::decision::{Words, words_of};
use super::stage::Event;
use super::story::{Occasion, Part, own, parts, said};
use super::task::Task;
use crate::app::App;
use fait_board::Board;
use fait_board::note::Note;
use fait_core::event::{StoredEvent, Tag, Time};
use fait_core::query::Query;
use fait_core::store::Range;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Most events of one story that are looked at.
const MOST: usize = 2000;

/// What happened, written onto a board as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The name of the example.
    pub name: String,
    /// The note by itself.
    pub note: String,
    /// The whole board with it; everything else is as it was, byte for byte.
    pub board: String,
}

impl Play {
    /// Writes the last thing that came of what was played as an example: what had happened before
    /// is given, a task that was done or a time that was over is when, and what came of it is
    /// then. The story is of one thing, such as the tag `order:7`; of the newest event's when none
    /// is named.
    ///
    /// # Errors
    /// Nothing was played yet that an example could tell, or the store cannot be read; a sentence
    /// says which.
    pub async fn example(
        &self,
        source: &str,
        app: &App,
        thing: Option<&Tag>,
        name: Option<&str>,
    ) -> Result<Saved, String> {
        let all = self.story(app, thing).await?;
        let parsed = fait_board::parse(source);
        let note = Teller::new(self, &all).tell(&parsed.board, name)?;
        let newline = if source.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        };
        let board = insert(source, &parsed.board, &note, newline);
        let wrong = fait_board::parse(&board).problems;
        if wrong.len() > parsed.problems.len() {
            let why = wrong.first().map_or("", |p| p.message.as_str());
            return Err(format!("the example could not be read back: {why}"));
        }
        Ok(Saved {
            name: note.name,
            note: note.lines.join(newline) + newline,
            board,
        })
    }

    /// Everything about one thing, oldest first.
    async fn story(&self, app: &App, thing: Option<&Tag>) -> Result<Vec<StoredEvent>, String> {
        let about = match thing {
            Some(tag) => tag.clone(),
            None => self.newest(app).await?,
        };
        let query = Query::tags(vec![about.clone()]);
        let slice = app.events(&query, Range::newest(MOST)).await;
        let mut all = slice.map_err(|e| e.to_string())?.events;
        if all.is_empty() {
            return Err(format!("nothing happened to `{about}` yet"));
        }
        all.reverse();
        Ok(all)
    }

    /// What the newest event happened to.
    async fn newest(&self, app: &App) -> Result<Tag, String> {
        let types: Vec<&str> = self.stage.events.iter().map(|e| e.ty.as_str()).collect();
        let slice = app.events(&Query::types(&types), Range::newest(1)).await;
        let newest = slice.map_err(|e| e.to_string())?.events;
        let tag = newest.first().and_then(|e| e.tags.first()).cloned();
        tag.ok_or_else(|| "nothing was played yet: do a task first".into())
    }
}

/// An example being written.
struct Text {
    name: String,
    lines: Vec<String>,
    /// The task or event of the board behind which it stands.
    behind: String,
}

struct Teller<'a> {
    play: &'a Play,
    all: &'a [StoredEvent],
    parts: Vec<Part<'a>>,
    /// Small numbers for the ids that were made.
    short: HashMap<String, String>,
    words: Vec<String>,
}

impl<'a> Teller<'a> {
    fn new(play: &'a Play, all: &'a [StoredEvent]) -> Self {
        let tags = || all.iter().flat_map(|e| &e.tags);
        let long =
            |t: &&Tag| t.value().parse::<Uuid>().is_ok() && !fait_core::process::is_own_tag(t);
        let taken: HashSet<&str> = tags().filter(|t| !long(t)).map(Tag::value).collect();
        let mut short: HashMap<String, String> = HashMap::new();
        let mut next = 1..;
        for tag in tags().filter(long) {
            if !short.contains_key(tag.value()) {
                let free = next.find(|n: &u64| !taken.contains(n.to_string().as_str()));
                let free = free.unwrap_or_default().to_string();
                short.insert(tag.value().into(), free);
            }
        }
        Teller {
            play,
            all,
            parts: parts(play, all),
            short,
            words: play.stage.words.iter().map(|w| w.name.clone()).collect(),
        }
    }

    fn tell(&self, board: &Board, name: Option<&str>) -> Result<Text, String> {
        let nothing = "nothing has happened yet that an example could tell: do a task first";
        let parts = self.parts.iter().enumerate();
        let mut told = parts.filter_map(|(at, part)| Some((at, part, self.then(part)?)));
        let (at, part, then) = told.next_back().ok_or(nothing)?;
        let (given, when, behind) = match &part.occasion {
            Occasion::Task(task, body) => {
                let words = self.task_words(task, body, part);
                let when = self.fact(&task.title, &words);
                (at, when, task.title.clone())
            }
            Occasion::Came => {
                let (event, words) = part
                    .events
                    .first()
                    .and_then(|e| self.read(*e))
                    .ok_or(nothing)?;
                (at, self.event(event, &words), event.title.clone())
            }
            Occasion::Time(seconds) => {
                let timed = |p: &Part<'_>| matches!(p.occasion, Occasion::Time(_));
                let first = self.parts[..at].iter().rposition(|p| !timed(p));
                let since = first.map_or(part.at, |p| self.parts[p].at);
                let behind = first.and_then(|p| self.parts[p].events.first());
                let behind = behind.and_then(|e| self.read(*e));
                let behind = behind.map_or(String::new(), |(event, _)| event.title.clone());
                (
                    first.map_or(0, |p| p + 1),
                    passes(since, part.at, *seconds),
                    behind,
                )
            }
        };
        let given = self.parts[..given].iter().flat_map(|p| &p.events);
        let given = given.filter_map(|e| self.read(*e));
        let given: Vec<String> = given
            .map(|(event, words)| self.event(event, &words))
            .collect();
        let name = free_name(board, name.map_or_else(|| self.name(part), String::from));
        let mut lines = vec![format!("example {name}")];
        let mut add = |first: &str, all: &[String]| {
            for (n, text) in all.iter().enumerate() {
                let keyword = if n == 0 { first } else { "and" };
                lines.push(format!("  {keyword} {text}"));
            }
        };
        add("given", &given);
        add("when", &[when]);
        add("then", &then);
        Ok(Text {
            name,
            lines,
            behind,
        })
    }

    /// What came of a part; none when an example could not say any of it.
    fn then(&self, part: &Part<'_>) -> Option<Vec<String>> {
        let skipped = usize::from(matches!(part.occasion, Occasion::Came));
        // What begins here is named by whoever plays, another time otherwise.
        let begins: &[usize] = match &part.occasion {
            Occasion::Task(task, _) => &task.begins,
            _ => &[],
        };
        let events = part.events.iter().filter_map(|e| self.read(*e));
        let events = events.map(|(event, mut words)| {
            for word in begins {
                words.remove(&self.play.stage.words[*word].field);
            }
            self.event(event, &words)
        });
        let mut out: Vec<String> = events.skip(skipped).collect();
        let asks = part.asks.iter();
        out.extend(asks.map(|(role, task)| format!("ask {role} to {}", task.title)));
        if out.is_empty() && skipped == 1 {
            let (event, words) = self.read(*part.events.first()?)?;
            out.push(self.event(event, &words));
        }
        (!out.is_empty()).then_some(out)
    }

    fn name(&self, part: &Part<'_>) -> String {
        let came = part.events.last().and_then(|e| self.read(*e));
        let came = came.map_or(String::new(), |(event, _)| event.title.clone());
        match &part.occasion {
            Occasion::Task(task, _) => format!("{}, as it was played", task.title),
            Occasion::Came => format!("{came}, as it was played"),
            Occasion::Time(_) if came.is_empty() => "Time runs out, as it was played".into(),
            Occasion::Time(_) => format!("{came} when time runs out, as it was played"),
        }
    }

    fn read(&self, number: usize) -> Option<(&'a Event, Words)> {
        let stored = self.all.get(number)?;
        let event = own(self.play, stored)?;
        Some((event, words_of(&self.play.stage, event, stored)))
    }

    /// The words of a task that matter: what it asked, and what it was about.
    fn task_words(&self, task: &Task, body: &Value, part: &Part<'_>) -> Words {
        let mut words = Words::new();
        let recorded = part.events.first().and_then(|e| self.read(*e));
        for field in &task.fields {
            let name = &field.def.name;
            let given = body.get(name).filter(|v| !v.is_null()).cloned();
            let value = given.or_else(|| recorded.as_ref()?.1.get(name).cloned());
            let asked = field
                .word
                .is_some_and(|w| task.asks.contains(&w) || task.keys.contains(&w));
            if let Some(value) = value.filter(|_| asked) {
                words.insert(name.clone(), value);
            }
        }
        // A thing that begins here has no name yet.
        for word in &task.begins {
            words.remove(&self.play.stage.words[*word].field);
        }
        words
    }

    fn event(&self, event: &Event, words: &Words) -> String {
        let stage = &self.play.stage;
        let own = match event.records.is_empty() {
            true => &event.carries,
            false => &event.records,
        };
        let fields: Vec<&str> = own.iter().map(|w| stage.words[*w].field.as_str()).collect();
        let words = words
            .iter()
            .filter(|(field, _)| fields.contains(&field.as_str()));
        let words = words.map(|(field, value)| (field.clone(), value.clone()));
        self.fact(&event.title, &words.collect())
    }

    /// A fact with its words, in the order in which the board explains them.
    fn fact(&self, title: &str, words: &Words) -> String {
        let mut with = vec![];
        for word in &self.play.stage.words {
            let Some(value) = words.get(&word.field) else {
                continue;
            };
            if let Some(text) = said(&self.shortened(value), &self.words) {
                with.push(format!("{} {text}", word.name));
            }
        }
        match with.is_empty() {
            true => title.into(),
            false => format!("{title} with {}", with.join(", ")),
        }
    }

    fn shortened(&self, value: &Value) -> Value {
        match value {
            Value::String(id) => self
                .short
                .get(id)
                .map_or_else(|| value.clone(), |s| s.as_str().into()),
            Value::Array(all) => all.iter().map(|v| self.shortened(v)).collect(),
            other => other.clone(),
        }
    }
}

/// How long nothing was done: at least as long as the deadline that was reached.
fn passes(since: Time, until: Time, seconds: u64) -> String {
    let millis = until.since(since).as_millis();
    let elapsed = u64::try_from((millis + 500) / 1000).unwrap_or(u64::MAX);
    let seconds = elapsed.max(seconds);
    let units = [
        (604_800, "week"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let fits = units.iter().find(|(long, _)| seconds.is_multiple_of(*long));
    let (long, unit) = fits.copied().unwrap_or((1, "second"));
    match seconds / long {
        1 => format!("1 {unit} passes"),
        n => format!("{n} {unit}s pass"),
    }
}

/// A name that no other example has.
fn free_name(board: &Board, name: String) -> String {
    let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.replace('#', "");
    let taken = |name: &str| board.examples.iter().any(|e| e.note.name.text == name);
    let mut numbers = 2..;
    let mut out = name.clone();
    while taken(&out) {
        out = format!("{name} {}", numbers.next().unwrap_or(0));
    }
    out
}

/// Puts an example behind the last note of the chapter in which what it is about stands.
fn insert(source: &str, board: &Board, example: &Text, newline: &str) -> String {
    let mut notes = notes(board);
    notes.sort_by_key(|n| n.order);
    let at = notes.iter().position(|n| n.name.text == example.behind);
    let line = at.map(|at| {
        let place = (notes[at].context, notes[at].chapter);
        let same = |n: &&&Note| (n.context, n.chapter) == place;
        let last = notes[at..].iter().take_while(same).last();
        last.map_or(notes[at].last_line, |n| n.last_line)
    });
    let text = example.lines.join(newline);
    let end = line.and_then(|line| {
        source
            .split_inclusive('\n')
            .take(line)
            .map(str::len)
            .reduce(|a, b| a + b)
    });
    let end = end.unwrap_or(source.len());
    let (before, after) = source.split_at(end);
    let mut out = String::from(before);
    if !before.is_empty() && !before.ends_with('\n') {
        out.push_str(newline);
    }
    if !before.is_empty() {
        out.push_str(newline);
    }
    out.push_str(&text);
    out.push_str(newline);
    out.push_str(after);
    out
}

fn notes(board: &Board) -> Vec<&Note> {
    let mut out: Vec<&Note> = vec![];
    out.extend(board.words.iter().map(|n| &n.note));
    out.extend(board.actors.iter().map(|n| &n.note));
    out.extend(board.systems.iter().map(|n| &n.note));
    out.extend(board.views.iter().map(|n| &n.note));
    out.extend(board.tasks.iter().map(|n| &n.note));
    out.extend(board.events.iter().map(|n| &n.note));
    out.extend(board.models.iter().map(|n| &n.note));
    out.extend(board.policies.iter().map(|n| &n.note));
    out.extend(board.processes.iter().map(|n| &n.note));
    out.extend(board.examples.iter().map(|n| &n.note));
    out.extend(board.hotspots.iter().map(|n| &n.note));
    out.extend(board.ideas.iter().map(|n| &n.note));
    out
}
