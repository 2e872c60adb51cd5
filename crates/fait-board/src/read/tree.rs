//! Notes with their clauses and steps, as the indentation puts them.

use super::lines::{Line, is_unseen, shown};
use crate::note::Kind;
use crate::place::{Phrase, plain};
use crate::problem::{Problem, code};
use crate::spelling::nearest;

/// Clause keywords of every kind of note. The longest that fits is taken.
pub(super) fn clause_keywords(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Board => &["level", "language", "about", "hotspot"],
        Kind::Word => &["personal", "about", "hotspot"],
        Kind::System => &["takes", "sends", "about", "hotspot"],
        Kind::Context => &["runs elsewhere", "about", "hotspot"],
        Kind::View => &[
            "from",
            "shows",
            "works out",
            "for",
            "one row per",
            "planned",
            "about",
            "hotspot",
        ],
        Kind::Task => &[
            "by",
            "sees",
            "asks",
            "works out",
            "on",
            "raises",
            "or raises",
            "refused when",
            "undone by",
            "public",
            "planned",
            "about",
            "hotspot",
        ],
        Kind::Event => &[
            "records", "pivotal", "public", "planned", "was", "about", "hotspot",
        ],
        Kind::Model => &[
            "one per",
            "remembers",
            "rule",
            "planned",
            "about",
            "hotspot",
        ],
        Kind::Policy => &["whenever", "planned", "about", "hotspot"],
        Kind::Process => &[
            "one per",
            "also known by",
            "starts on",
            "on",
            "after",
            "ends on",
            "gives up on",
            "planned",
            "about",
            "hotspot",
        ],
        Kind::Example => &["given", "when", "then", "and", "about", "hotspot"],
        Kind::Actor | Kind::Chapter | Kind::Hotspot | Kind::Idea => &["about", "hotspot"],
    }
}

/// Whether steps may stand under a clause.
pub(super) fn takes_steps(keyword: &str) -> bool {
    matches!(keyword, "whenever" | "starts on" | "on" | "after")
}

/// A note as it was written.
pub(super) struct RawNote<'a> {
    pub(super) kind: Kind,
    /// The whole opening line.
    pub(super) head: Phrase<'a>,
    /// The line after its keyword.
    pub(super) name: Phrase<'a>,
    pub(super) clauses: Vec<RawClause<'a>>,
    pub(super) last_line: usize,
}

/// A clause as it was written.
pub(super) struct RawClause<'a> {
    pub(super) keyword: &'static str,
    /// The whole line.
    pub(super) line: Phrase<'a>,
    /// The line after its keyword.
    pub(super) rest: Phrase<'a>,
    pub(super) steps: Vec<Phrase<'a>>,
}

/// All notes, and the names that stand in lines that could not be read.
#[derive(Default)]
pub(super) struct Tree<'a> {
    pub(super) notes: Vec<RawNote<'a>>,
    /// Mentions of these are no second mistake.
    pub(super) lost: Vec<String>,
    /// What each line was taken for.
    pub(super) read_as: Vec<ReadAs>,
}

/// What a line was taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadAs {
    /// Nothing: it could not be read, or stands under a line that could not.
    Lost,
    /// The opening line of a note.
    Note(Kind),
    /// A clause.
    Clause,
    /// A step.
    Step,
}

pub(super) fn grow<'a>(lines: &[Line<'a>], problems: &mut Vec<Problem>) -> Tree<'a> {
    let mut gardener = Gardener {
        tree: Tree::default(),
        problems,
        open: Open::Nothing,
        odd_indent_told: false,
        told: false,
    };
    for line in lines {
        gardener.line(line);
    }
    gardener.tree
}

/// What the next, deeper line would belong to.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// Nothing yet.
    Nothing,
    /// A note that could not be read: its clauses are passed over.
    LostNote,
    /// A note.
    Note,
    /// A clause that could not be read: its steps are passed over.
    LostClause,
    /// A clause.
    Clause,
}

struct Gardener<'a, 'p> {
    tree: Tree<'a>,
    problems: &'p mut Vec<Problem>,
    open: Open,
    odd_indent_told: bool,
    /// Whether the line that is being read already has a problem.
    told: bool,
}

impl<'a> Gardener<'a, '_> {
    fn line(&mut self, line: &Line<'a>) {
        self.told = line.told;
        let read_as = match self.depth(line) {
            0 => self.note(line).map(ReadAs::Note),
            2 if self.told && self.is_note(line) => self.note(line).map(ReadAs::Note),
            2 => self.clause(line).map(|()| ReadAs::Clause),
            _ => self.step(line).map(|()| ReadAs::Step),
        };
        self.tree.read_as.push(read_as.unwrap_or(ReadAs::Lost));
        if self.open != Open::LostNote
            && let Some(note) = self.tree.notes.last_mut()
        {
            note.last_line = line.phrase.span().line;
        }
    }

    /// Whether a line that is indented wrongly is a note that should stand at the margin.
    fn is_note(&self, line: &Line<'a>) -> bool {
        let (word, name) = line.phrase.first_word();
        let note = Kind::ALL
            .into_iter()
            .any(|kind| kind.keyword() == word.text);
        let above = self.tree.notes.last().map_or(Kind::Board, |note| note.kind);
        let clause = clause_keywords(above).contains(&word.text);
        note && !name.is_empty() && !(clause && self.open != Open::Nothing)
    }

    /// Adds a problem, unless the line has one already.
    fn tell(&mut self, problem: Problem) {
        if !self.told {
            self.problems.push(problem);
        }
    }

    /// The depth of a line; an odd one is told once per note and read as the nearest good one.
    fn depth(&mut self, line: &Line<'a>) -> usize {
        if line.indent == 0 {
            self.odd_indent_told = false;
            return 0;
        }
        let in_steps = match self.tree.notes.last().and_then(|note| note.clauses.last()) {
            Some(clause) => self.open == Open::Clause && takes_steps(clause.keyword),
            None => false,
        };
        let depth = match line.indent {
            1 | 2 => 2,
            3 if !in_steps => 2,
            _ if self.open == Open::Note => 2,
            _ => 4,
        };
        if depth != line.indent {
            if !self.odd_indent_told && self.open != Open::LostNote {
                self.odd_indent_told = true;
                let message = format!("this line is indented by {}", line.indent);
                self.tell(
                    Problem::error(code::INDENT, line.phrase.span(), message)
                        .with_help(format!("indent {} here", spaces(depth))),
                );
            }
            self.told = true;
        }
        depth
    }

    fn note(&mut self, line: &Line<'a>) -> Option<Kind> {
        self.open = Open::LostNote;
        let (keyword, name) = line.phrase.first_word();
        if line.spoiled {
            self.lose(name);
            return None;
        }
        let Some(kind) = Kind::ALL
            .into_iter()
            .find(|kind| kind.keyword() == keyword.text)
        else {
            self.lose(name);
            self.tell(no_note(line.phrase));
            return None;
        };
        if name.is_empty() || is_code(kind) && !name.text.contains(char::is_alphanumeric) {
            self.lose(name);
            let message = format!("`{}` has no name", kind.keyword());
            let problem = Problem::error(code::MISSING, line.phrase.span(), message);
            self.tell(match name.is_empty() {
                true => problem,
                false => problem.with_help("a name has at least one letter or digit"),
            });
            return None;
        }
        let head = line.phrase;
        let last_line = head.span().line;
        self.tree.notes.push(RawNote {
            kind,
            head,
            name,
            clauses: Vec::new(),
            last_line,
        });
        self.open = Open::Note;
        Some(kind)
    }

    /// Keeps a name of which nothing else could be read.
    fn lose(&mut self, name: Phrase<'_>) {
        let seen: String = name.text.chars().filter(|c| !is_unseen(*c)).collect();
        self.tree.lost.push(plain(&seen));
    }

    fn clause(&mut self, line: &Line<'a>) -> Option<()> {
        if self.open == Open::LostNote {
            return None;
        }
        let Some(note) = self
            .tree
            .notes
            .last_mut()
            .filter(|_| self.open != Open::Nothing)
        else {
            let message = "this clause belongs to no note";
            self.tell(
                Problem::error(code::ASTRAY, line.phrase.span(), message)
                    .with_help("start the line at the margin to open a note"),
            );
            self.open = Open::LostNote;
            return None;
        };
        self.open = Open::LostClause;
        let kind = note.kind;
        if line.spoiled {
            self.lose_messages(kind, line.phrase);
            return None;
        }
        let fitting = clause_keywords(note.kind)
            .iter()
            .filter_map(|keyword| Some((*keyword, line.phrase.after(keyword)?)));
        match fitting.max_by_key(|(keyword, _)| keyword.len()) {
            Some((keyword, rest)) => {
                note.clauses.push(RawClause {
                    keyword,
                    line: line.phrase,
                    rest,
                    steps: vec![],
                });
                self.open = Open::Clause;
                Some(())
            }
            None => {
                self.lose_messages(kind, line.phrase);
                self.tell(no_clause(kind, line.phrase));
                None
            }
        }
    }

    /// Keeps the messages of a system of which it could not be read that it sends them.
    fn lose_messages(&mut self, kind: Kind, line: Phrase<'_>) {
        if kind == Kind::System {
            let (_, messages) = line.first_word();
            messages.pieces().for_each(|message| self.lose(message));
        }
    }

    fn step(&mut self, line: &Line<'a>) -> Option<()> {
        if line.spoiled || matches!(self.open, Open::LostNote | Open::LostClause) {
            return None;
        }
        let clause = match self.tree.notes.last_mut() {
            Some(note) if self.open == Open::Clause => note.clauses.last_mut().filter(|clause| {
                matches!(note.kind, Kind::Policy | Kind::Process) && takes_steps(clause.keyword)
            }),
            _ => None,
        };
        match clause {
            Some(clause) => {
                clause.steps.push(line.phrase);
                Some(())
            }
            None => {
                let message = format!("`{}` stands under a line without steps", shown(line.phrase));
                let help = "steps stand under `starts on`, `on` or `after` of a process, \
                            and under `whenever` of a policy";
                self.tell(
                    Problem::error(code::ASTRAY, line.phrase.span(), message).with_help(help),
                );
                self.open = Open::LostClause;
                None
            }
        }
    }
}

/// Whether the name of such a note is also a name in a program.
fn is_code(kind: Kind) -> bool {
    match kind {
        Kind::Board | Kind::Context | Kind::Chapter => false,
        Kind::Example | Kind::Hotspot | Kind::Idea => false,
        Kind::Word | Kind::Actor | Kind::System | Kind::View | Kind::Task => true,
        Kind::Event | Kind::Model | Kind::Policy | Kind::Process => true,
    }
}

fn spaces(depth: usize) -> &'static str {
    if depth == 2 {
        "a clause by two spaces"
    } else {
        "a step by four spaces"
    }
}

fn no_note(line: Phrase<'_>) -> Problem {
    let (word, _) = line.first_word();
    let message = format!("`{}` does not start a note", shown(word));
    let problem = Problem::error(code::NOTE, line.span(), message);
    let guess = nearest(word.text, Kind::ALL.into_iter().map(Kind::keyword));
    if guess.is_some() {
        return problem.with_guess(guess);
    }
    let mut clauses = Kind::ALL.into_iter().flat_map(clause_keywords);
    if clauses.any(|keyword| line.after(keyword).is_some()) {
        return problem.with_help("indent it by two spaces to say it of the note above");
    }
    let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::keyword).collect();
    problem.with_help(format!("a note starts with one of: {}", kinds.join(", ")))
}

fn no_clause(kind: Kind, line: Phrase<'_>) -> Problem {
    let (word, _) = line.first_word();
    let known = clause_keywords(kind);
    let of = kind.with_article();
    let message = format!("`{}` is not said of {of}", shown(word));
    let problem = Problem::error(code::CLAUSE, line.span(), message);
    // The longest first: the first word of `or raises` is near to many short ones.
    let mut longest_first = known.to_vec();
    longest_first.sort_by_key(|keyword| std::cmp::Reverse(keyword.split(' ').count()));
    let guess = longest_first
        .iter()
        .filter_map(|keyword| {
            let words = keyword.split(' ').count();
            let start: Vec<&str> = line.text.split_whitespace().take(words).collect();
            nearest(&start.join(" "), [*keyword])
        })
        .next();
    if guess.is_some() {
        return problem.with_guess(guess);
    }
    let step = ["ask", "do", "tell", "raise"]
        .iter()
        .any(|step| line.after(step).is_some());
    if step && matches!(kind, Kind::Policy | Kind::Process) {
        return problem.with_help("indent a step by four spaces, under the clause it answers");
    }
    problem.with_help(format!("of {of} one can say: {}", known.join(", ")))
}
