//! What every comparison needs at hand, and the entries as they come.

use super::entry::{arrow, verb};
use super::pair::{By, Paired, Pairs};
use super::scope::{Scope, Scopes};
use super::{Comparison, Counted, Draw, Entry, Options, Part, Verdict, since};
use crate::board::happened::{Arrow, Happened, Times};
use fait_board::Board;
use fait_board::note::{Kind, Level, Note, Target};
use fait_board::place::Span;
use fait_board::ties::{How, Ties};
use fait_core::event::Time;
use fait_core::manifest::Manifest;

/// A board, a program and a history, and what was found so far.
pub(super) struct Builder<'a> {
    pub(super) board: &'a Board,
    pub(super) code: Option<&'a Manifest>,
    pub(super) happened: Option<&'a Happened>,
    pub(super) ties: Ties,
    pub(super) pairs: Pairs,
    options: Options,
    since: Option<Time>,
    entries: Vec<Entry>,
}

/// One note, found in the code or not.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) kind: Kind,
    pub(super) index: usize,
    pub(super) note: &'a Note,
    pub(super) scope: Scope,
}

/// What is compared of the ends of the arrows of one sort.
pub(super) struct Ends<'e> {
    /// What the arrow says, and with which clause it is written.
    pub(super) how: &'static str,
    /// The clause with which it is written; none where that needs more than a line.
    pub(super) clause: Option<&'static str>,
    /// What the code does, in words for a sentence: `raises`.
    pub(super) does: &'static str,
    /// The drawn ends: the name on the board, that in the code, and the place.
    pub(super) drawn: Vec<End>,
    /// The coded ends: the name in the code and that on the board; none where the end is not on
    /// the board itself, which is told of the end.
    pub(super) coded: Vec<(String, Option<String>)>,
    /// How often it happened, by the name in the code; none where that is not counted.
    pub(super) times: &'e dyn Fn(&str) -> Option<Times>,
    /// Whether it is counted at all.
    pub(super) counted: bool,
}

/// One drawn end of an arrow.
pub(super) struct End {
    pub(super) name: String,
    /// None where the end is not in the code, which is told of the end.
    pub(super) code: Option<String>,
    pub(super) span: Span,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        board: &'a Board,
        code: Option<&'a Manifest>,
        happened: Option<&'a Happened>,
        options: Options,
    ) -> Self {
        let ties = Ties::of(board);
        let pairs = Pairs::new(board, &ties, &Scopes::new(board, &ties), code, happened);
        Builder {
            board,
            code,
            happened,
            ties,
            pairs,
            options,
            since: happened.and_then(|happened| since(happened, options)),
            entries: vec![],
        }
    }

    /// Whether the board is as finished as that.
    pub(super) fn at(&self, level: Level) -> bool {
        self.board.level >= level
    }

    pub(super) fn subject(&self, kind: Kind, index: usize, note: &'a Note) -> Subject<'a> {
        let scope = Scopes::new(self.board, &self.ties).of(kind, index);
        Subject {
            kind,
            index,
            note,
            scope,
        }
    }

    /// What was found so far.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The line to write for an arrow of a note, to be completed.
    pub(super) fn draw_of(&mut self, s: Subject<'_>, arrow: &Part) -> Option<&mut Draw> {
        let (kind, name) = (s.kind.keyword(), &s.note.name.text);
        let is = |e: &&mut Entry| e.kind == kind && e.name == *name && e.part == *arrow;
        self.entries.iter_mut().find(is)?.draw.as_mut()
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// All entries in the order of the board; what is not on it at the end.
    pub(super) fn finish(mut self) -> Comparison {
        let line = |entry: &Entry| entry.place.map_or(usize::MAX, |place| place.line);
        self.entries.sort_by_key(line);
        self.told_once();
        Comparison {
            board: self.board.name().into(),
            program: self.code.map(|code| code.name.clone()),
            counted: self.happened.map(|happened| Counted {
                up_to: happened.up_to,
                head: happened.head,
                days: self.options.days,
            }),
            entries: self.entries,
        }
    }

    /// Of a note that never happened no arrow did: that is told of the note alone.
    fn told_once(&mut self) {
        let never = |entry: &&Entry| entry.verdict == Verdict::NeverHappened;
        let notes = self.entries.iter().filter(never);
        let notes = notes.filter(|entry| entry.part == Part::Note);
        let notes: Vec<String> = notes.map(|entry| entry.name.clone()).collect();
        for entry in self.entries.iter_mut().filter(|entry| never(&&**entry)) {
            let Part::Arrow { how, to } = &entry.part else {
                continue;
            };
            if notes.contains(to) || notes.contains(&entry.name) {
                let verb = verb(how);
                entry.says = format!("{} `{}` {verb} `{to}`", entry.kind, entry.name);
                entry.verdict = Verdict::Agrees;
            }
        }
    }

    /// Judges a note by where it was found. Says whether its parts are to be compared.
    pub(super) fn note(&mut self, s: Subject<'_>, found: Option<&Paired>, times: Option<Times>) {
        let (kind, name) = (s.kind.keyword(), &s.note.name.text);
        let whom = format!("{kind} `{name}`");
        let mut entry = match (found, s.scope) {
            (Some(p), _) if renamed(p) && self.code.is_some() => self.renamed(s, p),
            (Some(p), Scope::Planned) if self.code.is_some() && s.note.planned.is_some() => {
                let says = format!("{whom} is planned, and in the code already");
                let entry = s.entry(Verdict::NoLongerPlanned, says).code(&p.code);
                entry.help("take the line `planned` away")
            }
            (Some(p), _) => {
                let says = format!("{whom} agrees");
                self.lived(s.entry(Verdict::Agrees, says).code(&p.code), times)
            }
            (None, Scope::Planned) => s.entry(Verdict::Planned, format!("{whom} is planned")),
            (None, Scope::Elsewhere) => {
                s.entry(Verdict::Elsewhere, format!("{whom} runs elsewhere"))
            }
            (None, Scope::Expected) if self.code.is_none() => {
                self.lived(s.entry(Verdict::Agrees, format!("{whom} is drawn")), times)
            }
            (None, Scope::Expected) => {
                let says = format!("{whom} is not in the code");
                let entry = s.entry(Verdict::Missing, says);
                entry.help(&self.how_to_add(s))
            }
        };
        entry.happened = times;
        if let (Verdict::Missing, Some(times)) = (entry.verdict, times) {
            entry.says += &format!(" any more, though it happened {}", times.said());
        }
        self.add(entry);
    }

    fn how_to_add(&self, s: Subject<'_>) -> String {
        let name = fait_board::name::rust_name(&s.note.name.text);
        match s.kind {
            Kind::Event | Kind::Task => {
                format!("write `{name}`, or mark the note `planned` until it is written")
            }
            _ => "write it, or mark what it hears `planned` until it is written".into(),
        }
    }

    fn renamed(&self, s: Subject<'_>, p: &Paired) -> Entry {
        let (kind, name) = (s.kind.keyword(), &s.note.name.text);
        let is = super::name::plain(&p.code);
        let why = match p.by {
            By::OldOnBoard => "the board says that this was its name",
            By::OldInCode => "the code says that it had the name of the board",
            _ => "it has the same words and arrows, or nearly the same name",
        };
        let says = format!("{kind} `{name}` is `{}` in the code: {why}", p.code);
        let help = match (p.by, s.kind) {
            (By::OldOnBoard, _) => "rename it in the code, too; a stored event keeps its old name \
                 with `was`"
                .to_string(),
            (_, Kind::Event) => format!(
                "write `event {is}` with `was {name}` on the board, or rename it back in the code"
            ),
            (_, _) => format!("write `{kind} {is}` on the board, or rename it back in the code"),
        };
        s.entry(Verdict::Renamed, says).code(&p.code).help(&help)
    }

    /// What agrees, in the light of what happened.
    pub(super) fn lived(&self, mut entry: Entry, times: Option<Times>) -> Entry {
        let Some(happened) = self.happened else {
            return entry;
        };
        entry.happened = times;
        match (times, self.since) {
            (Some(times), Some(since)) if times.last < since => {
                let days = self.options.days.unwrap_or_default();
                entry.says = format!(
                    "{} in the last {days} days; before, it happened {}",
                    entry.never(),
                    times.said()
                );
                entry.verdict = Verdict::NeverHappened;
            }
            (Some(times), _) => entry.says += &format!("; it happened {}", times.said()),
            (None, _) if happened.is_whole() => {
                entry.says = entry.never();
                entry.verdict = Verdict::NeverHappened;
            }
            (None, _) => {}
        }
        entry
    }

    /// Compares the ends of the arrows of one sort.
    pub(super) fn arrows(&mut self, s: Subject<'_>, code: &str, ends: Ends<'_>) {
        let mut drawn: Vec<&str> = vec![];
        for end in &ends.drawn {
            if drawn.contains(&end.name.as_str()) {
                continue;
            }
            drawn.push(&end.name);
            let Some(other) = &end.code else {
                continue;
            };
            let part = arrow(ends.how, &end.name);
            let is_coded = ends.coded.iter().any(|(name, _)| name == other);
            let whom = s.whom();
            let entry = match is_coded || self.code.is_none() {
                true => {
                    let says = format!("{whom} {} `{}`", verb(ends.how), end.name);
                    let entry = s.part(part, Verdict::Agrees, says);
                    match ends.counted {
                        true => self.lived(entry, (ends.times)(other)),
                        false => entry,
                    }
                }
                false => {
                    let says = format!(
                        "{whom} {} `{}` on the board, and not in the code",
                        verb(ends.how),
                        end.name
                    );
                    s.part(part, Verdict::Missing, says)
                }
            };
            let entry = entry.at(end.span).code(code);
            self.add(entry);
        }
        for (other, name) in &ends.coded {
            let Some(name) = name else { continue };
            if ends
                .drawn
                .iter()
                .any(|end| end.code.as_ref() == Some(other))
            {
                continue;
            }
            let entry = self.undrawn(s, code, &ends, (other, name));
            self.add(entry);
        }
    }

    fn undrawn(
        &self,
        s: Subject<'_>,
        code: &str,
        ends: &Ends<'_>,
        (other, name): (&str, &str),
    ) -> Entry {
        let times = (ends.times)(other).filter(|_| ends.counted);
        let (verdict, lived) = match times {
            Some(times) => (
                Verdict::NotDrawn,
                format!(", which happened {}", times.said()),
            ),
            None => (Verdict::NotOnBoard, String::new()),
        };
        let says = format!("`{code}` {} `{other}`{lived}; that is not drawn", ends.does);
        let mut entry = s.part(arrow(ends.how, name), verdict, says).code(code);
        entry.happened = times;
        if let Some(clause) = ends.clause {
            let last = ends.drawn.iter().map(|end| end.span.line).max();
            let behind = match s.kind {
                // The steps of a reaction stay with it.
                Kind::Policy | Kind::Process => s.note.last_line,
                _ => last.unwrap_or(s.note.span.line),
            };
            entry = entry.draw(behind, format!("  {clause} {name}"));
        }
        entry
    }

    /// The ends of some ties of a note.
    pub(super) fn ends(&self, s: Subject<'_>, how: impl Fn(How) -> bool) -> Vec<End> {
        let ties = self.ties.from(Target::Note(s.kind, s.index));
        let ties = ties.filter(|tie| how(tie.how));
        let end = |tie: &fait_board::ties::Tie| {
            let (name, code) = self.target(tie.to)?;
            Some(End {
                name,
                code,
                span: tie.span,
            })
        };
        ties.filter_map(end).collect()
    }

    /// The name of a target on the board, and that in the code.
    fn target(&self, target: Target) -> Option<(String, Option<String>)> {
        let board = self.board;
        let paired = |kind, at| self.pairs.of(kind, at).map(|p| p.code.clone());
        Some(match target {
            Target::Note(Kind::Event, at) => {
                let note = &board.events.get(at)?.note;
                (note.name.text.clone(), paired(Kind::Event, at))
            }
            Target::Note(Kind::Task, at) => {
                let note = &board.tasks.get(at)?.note;
                (note.name.text.clone(), paired(Kind::Task, at))
            }
            Target::Note(Kind::View, at) => {
                let note = &board.views.get(at)?.note;
                (note.name.text.clone(), paired(Kind::View, at))
            }
            Target::Sent(system, at) => {
                let said = board.systems.get(system)?.sends.get(at)?;
                let names = self.code.iter().flat_map(|m| m.events.keys());
                let counted = self.happened.iter().flat_map(|h| h.events.keys());
                let code = super::pair::message(names.chain(counted), &said.text);
                (said.text.clone(), code)
            }
            Target::Taken(system, at) => {
                let said = board.systems.get(system)?.takes.get(at)?;
                let names = self.code.iter().flat_map(|m| m.commands.keys());
                let arrows = self.happened.iter().flat_map(|h| &h.arrows);
                let told = arrows.filter_map(|(arrow, _)| match arrow {
                    Arrow::Sent { command, .. } => Some(command),
                    _ => None,
                });
                let code = super::pair::message(names.chain(told), &said.text);
                (said.text.clone(), code)
            }
            Target::Note(..) => return None,
        })
    }

    /// The name on the board of something in the code, when it is there.
    pub(super) fn drawn_name(&self, kind: Kind, code: &str) -> Option<String> {
        let at = self.pairs.note(kind, code)?;
        let found = self.target(Target::Note(kind, at));
        found.map(|(name, _)| name)
    }

    /// The name on the board of an event or of a message that a system sends.
    pub(super) fn heard_name(&self, code: &str) -> Option<String> {
        let sent = self.board.systems.iter().flat_map(|system| &system.sends);
        let mut sent = sent.filter(|said| fait_board::name::same(&said.text, code));
        let event = self.drawn_name(Kind::Event, code);
        event.or_else(|| sent.next().map(|said| said.text.clone()))
    }

    /// The name on the board of a task or of a message that a system takes.
    pub(super) fn sent_name(&self, code: &str) -> Option<String> {
        let taken = self.board.systems.iter().flat_map(|system| &system.takes);
        let mut taken = taken.filter(|said| fait_board::name::same(&said.text, code));
        let task = self.drawn_name(Kind::Task, code);
        task.or_else(|| taken.next().map(|said| said.text.clone()))
    }

    /// The stored names under which an event of the code is found in a history.
    pub(super) fn stored_names(&self, code: &str) -> Vec<String> {
        let mut names = vec![code.to_string()];
        let def = self.code.and_then(|manifest| manifest.events.get(code));
        names.extend(def.iter().flat_map(|def| def.was.clone()));
        names
    }
}

fn renamed(p: &Paired) -> bool {
    p.by != By::Name
}

impl Subject<'_> {
    /// `event `Order placed``
    pub(super) fn whom(&self) -> String {
        format!("{} `{}`", self.kind.keyword(), self.note.name.text)
    }

    /// An entry about the note as such.
    pub(super) fn entry(&self, verdict: Verdict, says: String) -> Entry {
        self.part(Part::Note, verdict, says)
    }

    /// An entry about a part of the note, at the note.
    pub(super) fn part(&self, part: Part, verdict: Verdict, says: String) -> Entry {
        let name = self.note.name.text.clone();
        Entry::new(self.kind, name, part, verdict, says).at(self.note.span)
    }
}
