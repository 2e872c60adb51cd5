//! Where something stands in the text, and text that knows where it stands.

use std::borrow::Cow;

/// A stretch of one line of the board's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte in the whole text.
    pub start: usize,
    /// Length in bytes.
    pub len: usize,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1 in characters.
    pub column: usize,
}

impl Span {
    /// The bytes of the whole text that this span covers.
    #[must_use]
    pub fn bytes(self) -> std::ops::Range<usize> {
        self.start..self.start.saturating_add(self.len)
    }
}

/// Words taken from the board as they were written, with their place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The words; runs of spaces between them are one space.
    pub text: String,
    /// Where they stand.
    pub span: Span,
}

/// A comment and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The comment with its `#`.
    pub text: Said,
    /// Whether it has the line for itself.
    pub alone: bool,
}

/// A line with more joiners of one kind is cut at one of its first; each could be the right one,
/// and each is tried.
pub(crate) const MOST_JOINTS: usize = 64;

/// A borrowed piece of one line, which can be cut further without losing its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phrase<'a> {
    pub(crate) text: &'a str,
    start: usize,
    line: usize,
    column: usize,
}

impl<'a> Phrase<'a> {
    pub(crate) fn new(text: &'a str, start: usize, line: usize, column: usize) -> Self {
        Self {
            text,
            start,
            line,
            column,
        }
    }

    pub(crate) fn span(self) -> Span {
        Span {
            start: self.start,
            len: self.text.len(),
            line: self.line,
            column: self.column,
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn said(self) -> Said {
        Said {
            text: self.plain(),
            span: self.span(),
        }
    }

    /// The words with single spaces between them: the form in which names are compared.
    pub(crate) fn plain(self) -> String {
        self.words().into_owned()
    }

    /// The same, borrowed where it is written like that.
    pub(crate) fn words(self) -> Cow<'a, str> {
        if is_plain(self.text) {
            Cow::Borrowed(self.text)
        } else {
            Cow::Owned(plain(self.text))
        }
    }

    /// What stands before the byte `at`.
    pub(crate) fn before(self, at: usize) -> Self {
        self.before_exactly(at).trim()
    }

    /// What stands from the byte `at` on.
    pub(crate) fn rest_from(self, at: usize) -> Self {
        self.rest_exactly(at).trim()
    }

    /// What stands before the byte `at`, with its blanks.
    pub(crate) fn before_exactly(self, at: usize) -> Self {
        Self {
            text: self.text.get(..at).unwrap_or(self.text),
            ..self
        }
    }

    /// What stands from the byte `at` on, with its blanks.
    pub(crate) fn rest_exactly(self, at: usize) -> Self {
        let (skipped, rest) = self.text.split_at_checked(at).unwrap_or((self.text, ""));
        Self {
            text: rest,
            start: self.start + skipped.len(),
            line: self.line,
            column: self.column + skipped.chars().count(),
        }
    }

    pub(crate) fn trim(self) -> Self {
        let text = self.text.trim_end();
        let rest = text.trim_start();
        let skipped = text.len() - rest.len();
        let blanks = text.get(..skipped).unwrap_or("").chars().count();
        Self {
            text: rest,
            start: self.start + skipped,
            line: self.line,
            column: self.column + blanks,
        }
    }

    /// The first word and the rest.
    pub(crate) fn first_word(self) -> (Self, Self) {
        let end = self
            .text
            .find(char::is_whitespace)
            .unwrap_or(self.text.len());
        (self.before(end), self.rest_from(end))
    }

    /// What follows `keyword`, if the phrase starts with all its words.
    pub(crate) fn after(self, keyword: &str) -> Option<Self> {
        let mut rest = self;
        for expected in keyword.split(' ') {
            let behind = rest.text.strip_prefix(expected)?;
            if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
                return None;
            }
            rest = rest.rest_from(expected.len());
        }
        Some(rest)
    }

    /// What stands before `keyword`, if the phrase ends with all its words.
    pub(crate) fn ahead_of(self, keyword: &str) -> Option<Self> {
        let mut rest = self;
        for expected in keyword.rsplit(' ') {
            let end = rest.text.len().checked_sub(expected.len())?;
            let before = rest.before_exactly(end);
            if !rest.text.ends_with(expected) || !before.text.ends_with(char::is_whitespace) {
                return None;
            }
            rest = before.trim();
        }
        Some(rest)
    }

    /// The bytes at which `joiner` stands as a word of its own, inside the phrase: the first of
    /// them, at most `most`.
    pub(crate) fn joints(self, joiner: &str, most: usize) -> Vec<usize> {
        let stands_alone = |at: &usize| {
            let before = self.text.get(..*at).unwrap_or("");
            let after = self.text.get(at + joiner.len()..).unwrap_or("");
            before.ends_with(char::is_whitespace) && after.starts_with(char::is_whitespace)
        };
        self.text
            .match_indices(joiner)
            .map(|(at, _)| at)
            .filter(stands_alone)
            .take(most)
            .collect()
    }

    /// The pieces between commas, with their places.
    pub(crate) fn pieces(self) -> impl Iterator<Item = Phrase<'a>> {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let phrase = rest.take()?;
            let end = phrase.text.find(',');
            rest = end.map(|end| phrase.rest_exactly(end + 1));
            Some(phrase.before(end.unwrap_or(phrase.text.len())).trim())
        })
    }

    /// The stretch from here to the end of `last`, where both are pieces of `whole`.
    pub(crate) fn up_to(self, last: Self, whole: Self) -> Self {
        let from = self.start.saturating_sub(whole.start);
        let to = (last.start + last.text.len()).saturating_sub(whole.start);
        Self {
            text: whole.text.get(from..to).unwrap_or(self.text),
            ..self
        }
    }

    /// The two sides of the joiner that stands at the byte `at`.
    pub(crate) fn sides(self, at: usize, joiner: &str) -> (Self, Self) {
        (self.before(at), self.rest_from(at + joiner.len()))
    }
}

/// Whether there are single spaces between all words, and no other blanks. A text with letters
/// beyond ASCII may be, and is not looked at.
fn is_plain(text: &str) -> bool {
    let mut before = b' ';
    for byte in text.bytes() {
        if !matches!(byte, b' '..=b'~') || (byte == b' ' && before == b' ') {
            return false;
        }
        before = byte;
    }
    text.is_empty() || before != b' '
}

/// Words with single spaces between them.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}
