//! The canonical layout of a board: what `fait board fmt` writes.

use crate::note::Kind;
use crate::place::Phrase;
use crate::read::rows::{Depth, Row, rows, without_tabs, word_parts};
use crate::read::{BYTE_ORDER, is_unseen};

/// A word with a longer name does not push the `is` of the others to the right, in characters.
const LONGEST: usize = 32;

/// The text in its canonical layout. It says the same: [`parse`](crate::parse) gives the same
/// board and the same comments at other places, and formatting it again changes nothing.
///
/// Clauses are indented by two spaces and steps by four, words stand one space apart and comments
/// two spaces behind them, the `is` of words that stand together are below each other. A note
/// with clauses has one blank line around it; of more blank lines one stays. Every line ends with
/// a line feed.
///
/// A line that cannot be read stays as it is. Two mistakes are repaired, as there is one way only
/// to understand them: a line that is indented wrongly is indented as [`parse`](crate::parse)
/// takes it, and a tab between words becomes a space.
#[must_use]
pub fn format(source: &str) -> String {
    let text = without_tabs(source);
    let rows = rows(&text);
    let mut page = Page::default();
    let mut names = names(&rows).into_iter();
    for (at, row) in rows.iter().enumerate() {
        let width = names.next().flatten();
        match row {
            Row::Blank => page.blank(),
            Row::Comment { text, indent } => page.comment(text, *indent),
            Row::Lost(written) => {
                let end = written.start + written.whole.len();
                page.lost(source.get(written.start..end).unwrap_or(written.whole));
            }
            Row::Said {
                what,
                phrase,
                comment,
            } => {
                if let Depth::Note(kind) = what {
                    let next = rows.get(at + 1..).unwrap_or(&[]);
                    page.opens(*kind, has_body(next));
                }
                let (indent, said) = match what {
                    Depth::Note(Kind::Word) => ("", word(*phrase, width)),
                    Depth::Note(_) => ("", phrase.plain()),
                    Depth::Clause => ("  ", phrase.plain()),
                    Depth::Step => ("    ", phrase.plain()),
                };
                let comment = comment.map_or_else(String::new, |text| format!("  {text}"));
                page.line(format!("{indent}{said}{comment}"));
            }
        }
    }
    page.text()
}

/// Whether the note above these rows says something below its name.
fn has_body(rows: &[Row<'_>]) -> bool {
    let next = rows
        .iter()
        .find(|row| !matches!(row, Row::Blank | Row::Comment { .. }));
    match next {
        Some(Row::Said { what, .. }) => !matches!(what, Depth::Note(_)),
        _ => false,
    }
}

/// The opening line of a word, its name as wide as the longest beside it.
fn word(phrase: Phrase<'_>, width: Option<usize>) -> String {
    match word_parts(phrase) {
        (name, Some(is)) => {
            let width = width.unwrap_or(0);
            format!("word {name:<width$} is {is}").trim_end().to_owned()
        }
        (name, None) => format!("word {name}"),
    }
}

/// For each row the width of the longest name in its block of words. A block ends with a blank
/// line, with another note, and with a line that could not be read.
fn names(rows: &[Row<'_>]) -> Vec<Option<usize>> {
    let mut widths = vec![None; rows.len()];
    let mut block = Vec::new();
    let mut widest = 0;
    for (at, row) in rows.iter().enumerate() {
        match row {
            Row::Said {
                what: Depth::Note(Kind::Word),
                phrase,
                ..
            } => {
                let (name, is) = word_parts(*phrase);
                let width = name.chars().count();
                if is.is_some() && width <= LONGEST {
                    widest = widest.max(width);
                    block.push(at);
                }
            }
            Row::Comment { .. } => {}
            Row::Said { what, .. } if !matches!(what, Depth::Note(_)) => {}
            Row::Said { .. } | Row::Blank | Row::Lost(_) => {
                close(&mut widths, &mut block, &mut widest);
            }
        }
    }
    close(&mut widths, &mut block, &mut widest);
    widths
}

fn close(widths: &mut [Option<usize>], block: &mut Vec<usize>, widest: &mut usize) {
    for at in block.drain(..) {
        if let Some(width) = widths.get_mut(at) {
            *width = Some(*widest);
        }
    }
    *widest = 0;
}

/// The lines that are written.
#[derive(Default)]
struct Page {
    lines: Vec<String>,
    /// The line at which the comments begin that stand right above the next line, at the margin.
    above: usize,
    /// The note above, and whether it says something below its name.
    note: Option<(Kind, bool)>,
}

impl Page {
    /// At most one, and none at the start.
    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.line(String::new());
        }
    }

    fn comment(&mut self, text: &str, indent: usize) {
        match indent {
            0 => self.lines.push(text.to_owned()),
            1..=3 => self.line(format!("  {text}")),
            _ => self.line(format!("    {text}")),
        }
    }

    /// A line as it stood, with the end it had.
    fn lost(&mut self, whole: &str) {
        self.note = None;
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let text = line.strip_suffix('\r').unwrap_or(line);
        let line = if text.contains(is_unseen) {
            // Its end may be what cannot be read.
            line
        } else {
            text.trim_end()
        };
        self.line(line.to_owned());
    }

    fn line(&mut self, line: String) {
        self.lines.push(line);
        self.above = self.lines.len();
    }

    /// A note opens: between it and the one above there is a blank line, unless both are short.
    fn opens(&mut self, kind: Kind, has_body: bool) {
        let apart = self.note.is_some_and(|(above, body)| {
            let list = above == kind && matches!(kind, Kind::Word | Kind::Actor);
            (body || has_body) && !list
        });
        let after = self.above.checked_sub(1).and_then(|at| self.lines.get(at));
        if apart && after.is_some_and(|line| !line.is_empty()) {
            self.lines.insert(self.above, String::new());
        }
        self.note = Some((kind, has_body));
    }

    fn text(mut self) -> String {
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        let mut text = self.lines.join("\n");
        if !self.lines.is_empty() {
            text.push('\n');
        }
        if text.starts_with(BYTE_ORDER) {
            // It is part of a line that cannot be read. Alone it would be taken for the mark of
            // an editor and be lost.
            text.insert(0, BYTE_ORDER);
        }
        text
    }
}
