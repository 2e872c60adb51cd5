//! What makes a name a good one differs from language to language: one file of words for each.

use std::collections::HashSet;
use std::sync::LazyLock;

/// The words of a language by which names are judged. The files say what each list is for.
pub(super) struct Language {
    names: HashSet<&'static str>,
    pub(super) verb_first: bool,
    capital_nouns: bool,
    shapes: Vec<Shape>,
    not_past: HashSet<&'static str>,
    past: HashSet<&'static str>,
    either: HashSet<&'static str>,
    particles: HashSet<&'static str>,
    with_participle: HashSet<&'static str>,
    verbs_too: HashSet<&'static str>,
    sentences: HashSet<&'static str>,
    data_events: HashSet<&'static str>,
    data_tasks: HashSet<&'static str>,
    technical: HashSet<&'static str>,
}

/// The languages that have a file.
static LANGUAGES: LazyLock<[Language; 2]> = LazyLock::new(|| {
    [
        Language::read(include_str!("languages/english.words")),
        Language::read(include_str!("languages/german.words")),
    ]
});

/// What they are called, for messages.
pub(super) const KNOWN: &str = "English, German";

/// A name cut into words, as they were written and in small letters.
pub(super) struct Words {
    written: Vec<String>,
    pub(super) small: Vec<String>,
}

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let words = name
            .split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
            .filter(|word| !word.is_empty());
        let written: Vec<String> = words.map(str::to_owned).collect();
        let small = written.iter().map(|word| word.to_lowercase()).collect();
        Self { written, small }
    }
}

impl Language {
    /// The language of that name; English when none is said.
    pub(super) fn of(name: Option<&str>) -> Option<&'static Language> {
        let name = name.unwrap_or("english").to_lowercase();
        LANGUAGES
            .iter()
            .find(|language| language.names.contains(name.as_str()))
    }

    /// Whether the name of an event says that something happened.
    pub(super) fn has_happened(&self, words: &Words) -> bool {
        (0..words.small.len())
            .any(|at| self.past_at(words, at) || (at > 0 && self.either(words, at)))
    }

    /// The words of a name that say that something happened.
    pub(super) fn happenings<'w>(&self, words: &'w Words) -> Vec<&'w str> {
        let small = words.small.iter().enumerate();
        small
            .filter(|(at, _)| self.past_at(words, *at) || self.either(words, *at))
            .map(|(_, word)| word.as_str())
            .collect()
    }

    /// Whether the name of a task is that of an event: `Order placed`, `Placed order`.
    pub(super) fn is_no_task(&self, words: &Words) -> bool {
        let small = words.small.iter().map(String::as_str);
        let last = small
            .clone()
            .rposition(|word| !self.particles.contains(word));
        let first = small.clone().next().unwrap_or("");
        let begins = self.verb_first && !self.verbs_too.contains(first) && self.past_at(words, 0);
        let ends = last.is_some_and(|last| last > 0 && self.past_at(words, last));
        let fits = self.with_participle.contains(first)
            || small.skip(1).any(|word| self.sentences.contains(word));
        begins || (ends && !fits)
    }

    /// A verb that says what happened to data, in the name of an event.
    pub(super) fn data_event<'w>(&self, words: &'w Words) -> Option<&'w str> {
        first_of(&self.data_events, &words.small)
    }

    /// A verb that says what is done to data, where the verb of a task stands.
    pub(super) fn data_task<'w>(&self, words: &'w Words) -> Option<&'w str> {
        let verb = match self.verb_first {
            true => words.small.get(..1),
            false => words.small.get(words.small.len().saturating_sub(1)..),
        };
        first_of(&self.data_tasks, verb.unwrap_or_default())
    }

    /// The technical words of a name.
    pub(super) fn technical<'w>(&self, words: &'w Words) -> impl Iterator<Item = &'w str> {
        let small = words.small.iter().map(String::as_str);
        small.filter(|word| self.technical.contains(word))
    }

    fn either(&self, words: &Words, at: usize) -> bool {
        let word = words.small.get(at).map_or("", String::as_str);
        self.either.contains(word)
    }

    fn past_at(&self, words: &Words, at: usize) -> bool {
        let (Some(word), Some(written)) = (words.small.get(at), words.written.get(at)) else {
            return false;
        };
        if self.past.contains(word.as_str()) {
            return true;
        }
        let noun =
            self.capital_nouns && words.small.len() > 1 && written.starts_with(char::is_uppercase);
        !noun
            && !self.not_past.contains(word.as_str())
            && !self.either.contains(word.as_str())
            && self.shapes.iter().any(|shape| shape.fits(word))
    }

    fn read(text: &'static str) -> Self {
        let list = |key: &str| -> Vec<&'static str> {
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let mut found = lines.skip_while(|line| !starts(line, key));
            let own = found
                .next()
                .map_or("", |line| line.get(key.len() + 1..).unwrap_or(""));
            let more = found.take_while(|line| line.starts_with(' '));
            let all = std::iter::once(own).chain(more);
            all.flat_map(str::split_whitespace).collect()
        };
        let set = |key: &str| list(key).into_iter().collect::<HashSet<_>>();
        Self {
            names: set("names"),
            verb_first: list("verb first") == ["yes"],
            capital_nouns: list("capital nouns") == ["yes"],
            shapes: list("past shapes").into_iter().map(Shape::read).collect(),
            not_past: set("not past"),
            past: set("past"),
            either: set("either"),
            particles: set("particles"),
            with_participle: set("with participle"),
            verbs_too: set("verbs too"),
            sentences: set("sentences"),
            data_events: set("data events"),
            data_tasks: set("data tasks"),
            technical: set("technical"),
        }
    }
}

/// Whether the line is that of the key.
fn starts(line: &str, key: &str) -> bool {
    line.strip_prefix(key)
        .is_some_and(|rest| rest.starts_with(':'))
}

fn first_of<'w>(list: &HashSet<&str>, words: &'w [String]) -> Option<&'w str> {
    let mut words = words.iter().map(String::as_str);
    words.find(|word| list.contains(word))
}

/// A shape of words: `*` stands for two letters or more.
struct Shape {
    start: &'static str,
    middle: &'static str,
    end: &'static str,
}

impl Shape {
    fn read(shape: &'static str) -> Self {
        let (start, rest) = shape.split_once('*').unwrap_or((shape, ""));
        let (middle, end) = rest.split_once('*').unwrap_or(("", rest));
        Self { start, middle, end }
    }

    fn fits(&self, word: &str) -> bool {
        let long = |part: &str| part.chars().nth(1).is_some();
        let inner = word
            .strip_prefix(self.start)
            .and_then(|rest| rest.strip_suffix(self.end));
        match inner {
            None => false,
            Some(inner) if self.middle.is_empty() => long(inner),
            Some(inner) => inner.match_indices(self.middle).any(|(at, middle)| {
                let (before, after) = inner.split_at_checked(at).unwrap_or((inner, ""));
                long(before) && long(after.get(middle.len()..).unwrap_or(""))
            }),
        }
    }
}

#[cfg(test)]
mod tests;
