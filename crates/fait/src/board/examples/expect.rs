//! What an example expects, held against what happened.

use super::aftermath::{Aftermath, Refused, Teller, lasting};
use super::known;
use super::plan::{Expect, Expected, Fact, Shown, What, With};
use super::program::Shape;
use super::report::{Miss, and};
use super::{sentence, value};
use crate::app::{App, RowsQuery, ViewRow};
use fait_board::name;
use fait_board::notes::Period;
use fait_core::event::{Position, StoredEvent, Time};
use fait_core::process::{Issued, Target};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::time::Duration;

/// Rows of a view that are looked at, at most.
const ROWS: usize = 1000;

/// Holds what is expected against what happened.
pub(super) struct Judge<'a> {
    pub(super) app: &'a App,
    pub(super) teller: Teller<'a>,
    pub(super) after: &'a Aftermath,
    /// Events that stand for an outcome already.
    used: BTreeSet<Position>,
    /// The tasks that the example did, by their names in the program.
    pub(super) done: Vec<String>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        app: &'a App,
        teller: Teller<'a>,
        after: &'a Aftermath,
        done: Vec<String>,
    ) -> Judge<'a> {
        Judge {
            app,
            teller,
            after,
            used: BTreeSet::new(),
            done,
        }
    }

    /// All that is not as expected, in the order of the lines.
    pub(super) async fn misses(&mut self, then: &[Expect]) -> Vec<Miss> {
        let mut misses = vec![];
        let mut order: Vec<&Expect> = then.iter().collect();
        // Who says more about an event gets it first.
        order.sort_by_key(|expect| match expect {
            Expect::Fact(fact) => Reverse(fact.with.len()),
            _ => Reverse(0),
        });
        for expect in order {
            let miss = match expect {
                Expect::Fact(fact) => self.fact(fact),
                Expect::Refused { line, reason } => self.refused(*line, reason),
                Expect::Step { line, step } => self.step(*line, step),
                Expect::Shows(shown) => self.shown(shown).await,
            };
            misses.extend(miss);
        }
        misses.extend(self.unexpected(then));
        misses.sort_by_key(|m| m.line);
        misses
    }

    /// What was refused although the example does not say so.
    fn unexpected(&self, then: &[Expect]) -> Vec<Miss> {
        let says = then.iter().any(|e| matches!(e, Expect::Refused { .. }));
        let refused = self.after.refused.iter().filter(|_| !says);
        let miss = |r: &Refused| {
            let Refused {
                line, task, reason, ..
            } = r;
            Miss::new(*line, format!("`{task}` was refused: {reason}")).help(format!(
                "if it is meant to be, say `then refused because {reason}`"
            ))
        };
        refused.map(miss).collect()
    }

    fn fact(&mut self, fact: &Fact) -> Option<Miss> {
        match &fact.what {
            What::Event { name, .. } => self.event(fact.line, &fact.title, name, fact),
            What::Task { name } => self.issued(fact, name),
        }
    }

    fn event(&mut self, line: usize, title: &str, name: &str, fact: &Fact) -> Option<Miss> {
        let of_type = |e: &&StoredEvent| e.ty == *name;
        let mut nearest: Option<Vec<String>> = None;
        for event in self.after.events.iter().filter(of_type) {
            if self.used.contains(&event.meta.position) {
                continue;
            }
            let data = event.json().unwrap_or_default();
            let wrong = self.differences(&fact.shape, &fact.with, &data);
            if wrong.is_empty() {
                self.used.insert(event.meta.position);
                return None;
            }
            if nearest.as_ref().is_none_or(|n| wrong.len() < n.len()) {
                nearest = Some(wrong);
            }
        }
        if let Some(wrong) = nearest {
            let message = format!("`{title}` happened, but {}", and(&wrong));
            return Some(Miss::new(line, message));
        }
        let mut all = self.after.events.iter().filter(of_type);
        let miss = match all.next() {
            Some(_) => Miss::new(line, format!("`{title}` did not happen once more")),
            None => Miss::new(line, format!("`{title}` did not happen")),
        };
        let before = self.after.before.iter().any(|e| e.ty == *name);
        Some(match before {
            true => miss.help("it had happened before the `when`, and did not happen again"),
            false => miss,
        })
    }

    /// The words that have other values: `` `cooked by` is Harry, not Tom ``.
    fn differences(&self, shape: &Shape, with: &[With], data: &Value) -> Vec<String> {
        let differs = |w: &With| {
            let found = data.get(&w.field).unwrap_or(&Value::Null);
            let schema = &shape.named(&w.field)?.schema;
            if value::equal(&w.value, found, schema) {
                return None;
            }
            let found = self.teller.said(shape, &w.field, found);
            Some(format!("`{}` is {found}, not {}", w.word, w.text))
        };
        with.iter().filter_map(differs).collect()
    }

    /// A task that processes do, ask for or tell.
    fn issued(&self, fact: &Fact, name: &str) -> Option<Miss> {
        let mut nearest = None;
        for (issued, _) in self.after.issued.iter().filter(|(i, _)| i.name == *name) {
            let wrong = self.differences(&fact.shape, &fact.with, &issued.body);
            if wrong.is_empty() {
                return None;
            }
            nearest = Some(wrong);
        }
        let title = &fact.title;
        let message = match nearest {
            Some(wrong) => format!("`{title}` is to be done, but {}", and(&wrong)),
            None => format!("no process does `{title}` or asks for it"),
        };
        Some(Miss::new(fact.line, message))
    }

    fn refused(&self, line: usize, reason: &str) -> Option<Miss> {
        let refused = &self.after.refused;
        if refused.iter().any(|r| sentence::same(reason, &r.reason)) {
            return None;
        }
        // The sentence as it is written, without what the program fills in.
        let written = |r: &Refused| self.sentence_of(&r.code);
        if refused
            .iter()
            .filter_map(written)
            .any(|said| sentence::same(reason, &said))
        {
            return None;
        }
        if let Some(other) = refused.first() {
            let Refused {
                task,
                code,
                reason: said,
                ..
            } = other;
            let coded = match code.is_empty() {
                true => String::new(),
                false => format!(" (`{code}`)"),
            };
            let how = match sentence::near(reason, said) {
                Some(_) => "in other words",
                None => "for another reason",
            };
            let miss = Miss::new(line, format!("`{task}` was refused {how}{coded}: {said}"));
            return Some(match sentence::near(reason, said) {
                Some(_) => {
                    miss.help("is it the same reason? Say it the same here and in the program")
                }
                None => match self.near(reason) {
                    Some(near) => miss.help(near),
                    None => miss,
                },
            });
        }
        let miss = match self.done.last() {
            Some(task) => {
                let task = self.teller.task(task);
                Miss::new(line, format!("`{task}` was not refused"))
            }
            None => Miss::new(line, "nothing was refused, since no task was done"),
        };
        Some(match self.near(reason) {
            Some(near) => miss.help(near),
            None => miss,
        })
    }

    /// What the tasks of the example can be refused for.
    fn cases(&self) -> impl Iterator<Item = (&String, &String)> {
        let commands = &self.teller.program.manifest.commands;
        let done = self.done.iter().filter_map(|task| commands.get(task));
        done.flat_map(|c| &c.refusals)
    }

    fn sentence_of(&self, code: &str) -> Option<String> {
        let mut cases = self.cases();
        cases
            .find(|(c, _)| *c == code)
            .map(|(_, said)| said.clone())
    }

    /// The refusal of the program that is nearest to a reason; else all that there are.
    fn near(&self, reason: &str) -> Option<String> {
        let nearness = |said: &String| sentence::near(reason, said);
        let near = self
            .cases()
            .filter_map(|(code, said)| Some((nearness(said)?, code, said)))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, code, said)) = near {
            return Some(match sentence::same(reason, said) {
                true => format!("the program has that reason, as `{code}`, but did not give it"),
                false => format!("the nearest reason that the program has is `{code}`: {said}"),
            });
        }
        let all: Vec<String> = self
            .cases()
            .map(|(_, said)| format!("\"{said}\""))
            .collect();
        match all.is_empty() {
            true if self.done.is_empty() => None,
            true => Some("the program has no reason to refuse it".into()),
            false => Some(format!("the program refuses it for {}", and(&all))),
        }
    }

    fn step(&self, line: usize, step: &Expected) -> Option<Miss> {
        match step {
            Expected::Ask {
                actor,
                task,
                within,
            } => self.asked(line, actor, task, *within),
            Expected::Do {
                task: (title, name),
            } => {
                // In a board that is played, somebody who is no actor plays the program's part.
                let actors = &self.teller.board.actors;
                let by_hand = |to: &Target| match to {
                    Target::Role(role) => {
                        actors.iter().any(|a| name::same(&a.note.name.text, role))
                    }
                    Target::Here | Target::System(_) => false,
                };
                let here = |i: &Issued| i.name == *name && !by_hand(&i.to);
                self.none_of(here)?;
                let miss = Miss::new(line, format!("nothing does `{title}`"));
                let asked = self.after.issued.iter().find(|(i, _)| i.name == *name);
                Some(match asked {
                    Some((issued, _)) => miss.help(match &issued.to {
                        Target::Role(role) => format!("it is asked of {role} instead"),
                        Target::Here | Target::System(_) => "it is done otherwise".into(),
                    }),
                    None => miss,
                })
            }
            Expected::Tell {
                system,
                message: (title, name),
            } => {
                let told = |i: &Issued| match &i.to {
                    // In a board that is played, somebody plays the part of the system.
                    Target::System(to) | Target::Role(to) => {
                        i.name == *name && name::same(system, to)
                    }
                    Target::Here => false,
                };
                self.none_of(told)?;
                Some(Miss::new(line, format!("{system} is not told to {title}")))
            }
            Expected::Raise {
                event: (title, name),
            } => {
                // It may be the same event that another line says more about.
                let raised = self.after.events.iter().any(|e| e.ty == *name);
                let miss = || Miss::new(line, format!("`{title}` is not raised"));
                (!raised).then(miss)
            }
        }
    }

    /// Something when nothing that was issued is so.
    fn none_of(&self, is: impl Fn(&Issued) -> bool) -> Option<()> {
        let found = self.after.issued.iter().any(|(issued, _)| is(issued));
        (!found).then_some(())
    }

    fn asked(
        &self,
        line: usize,
        actor: &str,
        (title, name): &(String, String),
        within: Option<Period>,
    ) -> Option<Miss> {
        let role = |i: &Issued| match &i.to {
            Target::Role(role) => Some(role.clone()),
            Target::Here | Target::System(_) => None,
        };
        let of_name = || self.after.issued.iter().filter(|(i, _)| i.name == *name);
        let of_actor = |i: &Issued| role(i).is_some_and(|role| name::same(actor, &role));
        let has = |issued: &Issued, at: Time| issued.due.map(|due| due.since(at));
        let wanted = within.map(|p| Duration::from_secs(p.seconds()));
        let mut times = vec![];
        for (issued, at) in of_name().filter(|(i, _)| of_actor(i)) {
            if wanted.is_none() || has(issued, *at) == wanted {
                return None;
            }
            times.push(has(issued, *at));
        }
        if let (Some(within), Some(time)) = (within, times.first()) {
            let time = time.map_or("without a deadline".into(), |t| {
                format!("within {}", lasting(t))
            });
            let message = format!("{actor} is asked to {title} {time}, not within {within}");
            return Some(Miss::new(line, message));
        }
        let miss = Miss::new(line, format!("{actor} is not asked to {title}"));
        if let Some((other, _)) = of_name().next() {
            return Some(miss.help(match role(other) {
                Some(role) => format!("{role} is asked instead"),
                None => "it is done without a person instead".into(),
            }));
        }
        let mut before = self.after.asked_before.iter().map(|a| &a.open.issued);
        Some(match before.any(|i| i.name == *name && of_actor(i)) {
            true => {
                miss.help("it was asked before the `when`, is still open, and was not asked again")
            }
            false => miss,
        })
    }

    async fn shown(&self, shown: &Shown) -> Option<Miss> {
        let (line, title) = (shown.line, &shown.title);
        let rows = match self
            .app
            .view_rows(&shown.view, &RowsQuery::default().limit(ROWS))
            .await
        {
            Ok(rows) => rows.rows,
            Err(e) => return Some(Miss::new(line, format!("`{title}` cannot be read: {e}"))),
        };
        let manifest = &self.teller.program.manifest;
        let schema = manifest.views.get(&shown.view).map(|v| &v.row);
        let shape = schema.map(Shape::of_schema).unwrap_or_default();
        let is_key = |row: &ViewRow| {
            let key = shown.key.as_ref();
            key.is_none_or(|key| known::plain(&key.value) == row.key)
        };
        let found = rows
            .iter()
            .find(|row| is_key(row) && self.differences(&shape, &shown.with, &row.row).is_empty());
        let has = match (shown.not, found) {
            (false, Some(_)) | (true, None) => return None,
            (true, Some(row)) => format!("`{title}` shows {}", self.row(&shape, shown, row)),
            (false, None) => match rows.iter().find(|row| shown.key.is_some() && is_key(row)) {
                Some(row) => {
                    let wrong = self.differences(&shape, &shown.with, &row.row);
                    format!("`{title}` shows it, but {}", and(&wrong))
                }
                None => format!("`{title}` does not show it"),
            },
        };
        let mut all: Vec<String> = rows
            .iter()
            .map(|row| self.row(&shape, shown, row))
            .collect();
        all.sort();
        Some(Miss::new(line, has).help(match all.is_empty() {
            true => "it shows nothing".into(),
            false => format!("it shows: {}", all.join("; ")),
        }))
    }

    fn row(&self, shape: &Shape, shown: &Shown, row: &ViewRow) -> String {
        let kind = self.app.view_key(&shown.view).unwrap_or("key");
        let known = self.teller.known.called(&row.key);
        let key = format!("{kind} {}", known.unwrap_or_else(|| row.key.clone()));
        let mut words = vec![key];
        let note = self.teller.board.views.iter();
        let note = note.filter(|v| v.note.name.text == shown.title);
        let order = note.flat_map(|v| &v.shows).cloned().collect::<Vec<_>>();
        words.extend(self.teller.words(shape, &row.row, &order));
        words.join(", ")
    }
}
