//! The text row by row, with what each row was taken for: what a formatter needs.

use super::lines::{self, Written, is_unseen, written};
use super::tree::{self, ReadAs};
use super::values;
use crate::note::Kind;
use crate::place::Phrase;

/// One line of the text.
#[derive(Clone, Copy)]
pub(crate) enum Row<'a> {
    /// A line without anything.
    Blank,
    /// A comment that has the line for itself.
    Comment {
        /// With its `#`.
        text: &'a str,
        /// How many columns it is indented.
        indent: usize,
    },
    /// A line that could not be read, or that stands under one.
    Lost(Written<'a>),
    /// A line that says something.
    Said {
        /// What it opens or belongs to.
        what: Depth,
        /// Its words.
        phrase: Phrase<'a>,
        /// The comment behind it, with its `#`.
        comment: Option<&'a str>,
    },
}

/// How deep a line stands, and what it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The opening line of a note.
    Note(Kind),
    /// A clause of the note above.
    Clause,
    /// A step of the clause above.
    Step,
}

/// All rows of a text.
pub(crate) fn rows<'a>(source: &'a str) -> Vec<Row<'a>> {
    let (lines, _, mut problems) = lines::read(source);
    let tree = tree::grow(&lines, &mut problems);
    let mut said = lines.iter().zip(&tree.read_as).peekable();
    let row = |(number, written): (usize, Written<'a>)| {
        let here = said.next_if(|(line, _)| line.phrase.span().line == number);
        if written.text.contains(is_unseen) {
            return Row::Lost(written);
        }
        let Some((line, read_as)) = here else {
            return silent(written);
        };
        let what = match *read_as {
            ReadAs::Lost => return Row::Lost(written),
            ReadAs::Note(kind) => Depth::Note(kind),
            ReadAs::Clause => Depth::Clause,
            ReadAs::Step => Depth::Step,
        };
        let (phrase, comment) = (line.phrase, line.comment);
        Row::Said {
            what,
            phrase,
            comment,
        }
    };
    (1..).zip(written(source)).map(row).collect()
}

fn silent(written: Written<'_>) -> Row<'_> {
    let text = written.text.trim();
    if text.is_empty() {
        return Row::Blank;
    }
    let blanks = written.text.chars().take_while(|c| c.is_whitespace());
    let indent = blanks.map(lines::columns).sum();
    Row::Comment { text, indent }
}

/// The text with a space for each tab between words, where a tab can mean nothing else. It has
/// the same places as `source`.
pub(crate) fn without_tabs(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for written in written(source) {
        out.push_str(source.get(out.len()..written.start).unwrap_or(""));
        let end = written.start + written.whole.len();
        let (spoken, _) = lines::cut_comment(Phrase::new(written.text, 0, 1, 1));
        let text = spoken.text.trim_start();
        out.push_str(
            written
                .text
                .get(..spoken.text.len() - text.len())
                .unwrap_or(""),
        );
        out.extend(text.chars().map(|c| if c == '\t' { ' ' } else { c }));
        out.push_str(source.get(out.len()..end).unwrap_or(""));
    }
    out
}

/// The name in the opening line of a word, and what stands behind its `is`.
pub(crate) fn word_parts(phrase: Phrase<'_>) -> (String, Option<String>) {
    let (name, is) = values::word_parts(phrase.first_word().1);
    (name.plain(), is.map(Phrase::plain))
}
