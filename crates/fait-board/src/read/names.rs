//! The names of the board, found longest first.

use std::collections::HashMap;

use super::lines::shown;
use crate::note::{Kind, Mention, Target};
use crate::place::{MOST_JOINTS, Phrase};
use crate::problem::{Problem, code};
use crate::spelling::nearest;

/// Which names may stand in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    Note(Kind),
    Sent,
    Taken,
}

/// What may be heard by a process: events of the board and messages of other systems.
pub(super) const HEARD: &[Scope] = &[Scope::Note(Kind::Event), Scope::Sent];
/// The events of the board.
pub(super) const EVENT: &[Scope] = &[Scope::Note(Kind::Event)];
/// The tasks of the board.
pub(super) const TASK: &[Scope] = &[Scope::Note(Kind::Task)];
/// Who can do a task.
pub(super) const DOER: &[Scope] = &[Scope::Note(Kind::Actor), Scope::Note(Kind::System)];
/// What may be told in an example.
pub(super) const FACT: &[Scope] = &[
    Scope::Note(Kind::Event),
    Scope::Note(Kind::Task),
    Scope::Sent,
];

/// All names, and the problems found with them.
#[derive(Default)]
pub(super) struct Names {
    /// The names of each scope, at its [`Scope::place`].
    known: [Shelf; Scope::COUNT],
    /// Names that stand in lines that could not be read.
    lost: Shelf,
    /// How many guesses were looked for.
    guesses: usize,
    pub(super) problems: Vec<Problem>,
}

/// Names that may stand in the same places.
#[derive(Default)]
struct Shelf {
    names: HashMap<String, Option<Target>>,
    /// As they were written, in the order of the file, so that a guess is always the same.
    listed: Vec<String>,
    /// The length of the longest, in bytes.
    longest: usize,
    /// Whether there is a name that goes on behind a comma.
    with_comma: bool,
}

impl Shelf {
    fn add(&mut self, name: &str, target: Option<Target>) {
        self.names.insert(name.to_owned(), target);
        self.listed.push(name.to_owned());
        self.longest = self.longest.max(name.len());
        self.with_comma |= name.contains(',');
    }
}

impl Scope {
    const COUNT: usize = Kind::ALL.len() + 2;

    fn place(self) -> usize {
        match self {
            Scope::Note(kind) => kind as usize,
            Scope::Sent => Kind::ALL.len(),
            Scope::Taken => Kind::ALL.len() + 1,
        }
    }
}

/// What a piece of text turned out to be.
enum Found {
    Known(Target),
    /// The name of a note that could not be read: no second mistake.
    Lost,
}

impl Names {
    /// Adds a name; gives what had the name before.
    pub(super) fn add(&mut self, scope: Scope, name: &str, target: Target) -> Option<Target> {
        let shelf = self.known.get_mut(scope.place())?;
        if let Some(before) = shelf.names.get(name) {
            return *before;
        }
        shelf.add(name, Some(target));
        None
    }

    /// Adds the name of a note that could not be read.
    pub(super) fn lose(&mut self, name: &str) {
        self.lost.add(name, None);
    }

    /// The names that may stand in a place, and those that are lost.
    fn shelves(&self, scopes: &[Scope]) -> impl Iterator<Item = &Shelf> {
        let known = scopes
            .iter()
            .filter_map(|scope| self.known.get(scope.place()));
        known.chain([&self.lost])
    }

    /// A single name.
    pub(super) fn one(&mut self, phrase: Phrase<'_>, scopes: &[Scope]) -> Mention {
        match self.find(phrase, scopes) {
            Some(found) => mention(phrase, found),
            None => self.unknown(phrase, scopes),
        }
    }

    /// A single name for which it is no mistake to stand for nothing.
    pub(super) fn perhaps(&self, phrase: Phrase<'_>, scopes: &[Scope]) -> Mention {
        mention(phrase, self.find(phrase, scopes).unwrap_or(Found::Lost))
    }

    /// Names with commas between them.
    pub(super) fn list(&mut self, phrase: Phrase<'_>, scopes: &[Scope]) -> Vec<Mention> {
        self.list_until(phrase, scopes, None).0
    }

    /// Names with commas between them, and what follows `joiner` if it is there.
    pub(super) fn list_until<'a>(
        &mut self,
        phrase: Phrase<'a>,
        scopes: &[Scope],
        joiner: Option<&str>,
    ) -> (Vec<Mention>, Option<Phrase<'a>>) {
        let (names, rest) = self.pieces(phrase, scopes, joiner);
        let mentions = names.into_iter().map(|name| self.one(name, scopes));
        (mentions.collect(), rest)
    }

    /// Words of the business. Whether they are explained is a later question.
    pub(super) fn words(&mut self, phrase: Phrase<'_>) -> Vec<Mention> {
        let scopes = [Scope::Note(Kind::Word)];
        let (names, _) = self.pieces(phrase, &scopes, None);
        let mentions = names.into_iter().map(|name| self.perhaps(name, &scopes));
        mentions.collect()
    }

    /// Cuts a list at its commas, each time after the longest known name; else at the first.
    fn pieces<'a>(
        &mut self,
        phrase: Phrase<'a>,
        scopes: &[Scope],
        joiner: Option<&str>,
    ) -> (Vec<Phrase<'a>>, Option<Phrase<'a>>) {
        let mut rest = phrase;
        let mut names = Vec::new();
        loop {
            let end = self.end(rest, scopes, joiner);
            let name = rest.before(end.at);
            if name.is_empty() {
                self.problems.push(nothing_here(name));
            } else {
                names.push(name);
            }
            rest = rest.rest_from(end.at + end.len);
            match end.what {
                Ending::Comma => {}
                Ending::Joiner => return (names, Some(rest)),
                Ending::Line => return (names, None),
            }
        }
    }

    /// Where the first name of a list ends.
    fn end(&self, rest: Phrase<'_>, scopes: &[Scope], joiner: Option<&str>) -> End {
        let with_comma = self.shelves(scopes).any(|shelf| shelf.with_comma);
        let longest = self.shelves(scopes).map(|shelf| shelf.longest).max();
        // Blanks between the words of a name may be more than one.
        let longest = longest.unwrap_or(0).saturating_mul(2).min(LONGEST);
        let ends = ends(rest, joiner, with_comma);
        let fits = |end: &&End| {
            let name = rest.before(end.at);
            name.text.len() <= longest && self.find(name, scopes).is_some()
        };
        let known = match ends.as_slice() {
            [only] => Some(only),
            _ => ends.iter().rev().find(fits).or_else(|| ends.first()),
        };
        known.copied().unwrap_or(End::line(rest))
    }

    /// Cuts at the `joiner` after the longest known name; else at the first one.
    pub(super) fn cut<'a>(
        &self,
        phrase: Phrase<'a>,
        scopes: &[Scope],
        joiner: &str,
    ) -> Option<(Phrase<'a>, Phrase<'a>)> {
        let joints = phrase.joints(joiner, MOST_JOINTS);
        let known = |at: &&usize| {
            let name = phrase.before(**at);
            name.text.len() <= LONGEST && self.find(name, scopes).is_some()
        };
        let at = joints.iter().rev().find(known).or_else(|| joints.first())?;
        Some(phrase.sides(*at, joiner))
    }

    /// Whether the phrase is the name of something.
    pub(super) fn knows(&self, phrase: Phrase<'_>, scopes: &[Scope]) -> bool {
        self.find(phrase, scopes).is_some()
    }

    fn find(&self, phrase: Phrase<'_>, scopes: &[Scope]) -> Option<Found> {
        let name = phrase.words();
        let found = |shelf: &Shelf| shelf.names.get(name.as_ref()).copied();
        let found = self.shelves(scopes).find_map(found)?;
        Some(found.map_or(Found::Lost, Found::Known))
    }

    /// Reports a name that stands for nothing.
    fn unknown(&mut self, phrase: Phrase<'_>, scopes: &[Scope]) -> Mention {
        let what = kinds_in_words(scopes);
        let name = phrase.plain();
        let message = format!("no {what} is called `{}`", shown(phrase));
        let problem = Problem::error(code::UNKNOWN, phrase.span(), message);
        let guess = self.guess(&name, scopes);
        let problem = match (guess, self.kind_of(&name)) {
            (None, Some(kind)) => {
                problem.with_help(format!("`{}` is {}", shown(phrase), kind.with_article()))
            }
            (guess, _) => problem.with_guess(guess),
        };
        self.problems.push(problem);
        mention(phrase, Found::Lost)
    }

    /// The nearest of the names that may stand here.
    fn guess(&mut self, name: &str, scopes: &[Scope]) -> Option<String> {
        if self.guesses == MOST_GUESSES {
            return None;
        }
        self.guesses += 1;
        let shelves = scopes
            .iter()
            .filter_map(|scope| self.known.get(scope.place()));
        let listed = shelves.flat_map(|shelf| &shelf.listed);
        nearest(name, listed.map(String::as_str))
    }

    /// What kind of note has this name, for a name in the wrong place.
    fn kind_of(&self, name: &str) -> Option<Kind> {
        let has = |kind: &Kind| {
            let shelf = self.known.get(Scope::Note(*kind).place());
            shelf.is_some_and(|shelf| shelf.names.contains_key(name))
        };
        Kind::ALL.into_iter().find(has)
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Comma,
    Joiner,
    Line,
}

/// Where a name in a list could end, and what ends it there.
#[derive(Clone, Copy)]
struct End {
    at: usize,
    len: usize,
    what: Ending,
}

impl End {
    fn line(rest: Phrase<'_>) -> Self {
        Self {
            at: rest.text.len(),
            len: 0,
            what: Ending::Line,
        }
    }
}

/// Whoever has more unknown names than this has one mistake that explains them all; guessing
/// for each would take seconds on a big board.
const MOST_GUESSES: usize = 200;

/// A name with a comma or a joiner in it is not found in a list when it has more bytes.
const LONGEST: usize = 4096;

fn ends(rest: Phrase<'_>, joiner: Option<&str>, with_comma: bool) -> Vec<End> {
    let most = if with_comma { MOST_JOINTS } else { 1 };
    let commas = rest.text.match_indices(',').take(most);
    let mut all: Vec<End> = commas
        .map(|(at, _)| End {
            at,
            len: 1,
            what: Ending::Comma,
        })
        .collect();
    // Where a comma ends every name, nothing behind the first one can.
    let within = match all.first() {
        Some(comma) if !with_comma => rest.before_exactly(comma.at),
        _ => rest,
    };
    if let Some(joiner) = joiner {
        let joints = within.joints(joiner, MOST_JOINTS).into_iter();
        all.extend(joints.map(|at| End {
            at,
            len: joiner.len(),
            what: Ending::Joiner,
        }));
    }
    if all.is_empty() || with_comma || joiner.is_some() && within.text.len() == rest.text.len() {
        all.push(End::line(rest));
    }
    all.sort_by_key(|end| end.at);
    all
}

fn mention(phrase: Phrase<'_>, found: Found) -> Mention {
    let target = match found {
        Found::Known(target) => Some(target),
        Found::Lost => None,
    };
    Mention {
        name: phrase.said(),
        target,
    }
}

fn nothing_here(rest: Phrase<'_>) -> Problem {
    Problem::error(
        code::MISSING,
        rest.span(),
        "a name is missing beside this comma",
    )
}

/// `actor or system`
fn kinds_in_words(scopes: &[Scope]) -> String {
    let words: Vec<&str> = scopes
        .iter()
        .map(|scope| match scope {
            Scope::Note(kind) => kind.keyword(),
            Scope::Sent | Scope::Taken => "message",
        })
        .collect();
    words.join(" or ")
}
