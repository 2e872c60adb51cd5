//! Lines without their comments, and how deep they stand.

use crate::place::{Comment, Phrase, Said, plain};
use crate::problem::{Problem, code};

/// A line that says something.
pub(super) struct Line<'a> {
    /// How many columns it is indented.
    pub(super) indent: usize,
    /// What it says, without comment.
    pub(super) phrase: Phrase<'a>,
    /// Whether it holds a tab and cannot be read because of that.
    pub(super) spoiled: bool,
    /// Whether it already has a problem.
    pub(super) told: bool,
}

pub(super) fn read(source: &str) -> (Vec<Line<'_>>, Vec<Comment>, Vec<Problem>) {
    let (mut lines, mut comments, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    // Some editors write a byte order mark; it says nothing.
    let mut start = if source.starts_with('\u{feff}') {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    let mut number = 0;
    while let Some(rest) = source.get(start..).filter(|rest| !rest.is_empty()) {
        number += 1;
        let written = rest
            .find('\n')
            .map_or(rest, |end| rest.get(..=end).unwrap_or(rest));
        let whole = Phrase::new(written, start, number, 1);
        start += written.len();
        let (spoken, comment) = cut_comment(whole);
        comments.extend(comment);
        if let Some(line) = indented(spoken, &mut problems) {
            lines.push(line);
        }
    }
    (lines, comments, problems)
}

fn cut_comment(whole: Phrase<'_>) -> (Phrase<'_>, Option<Comment>) {
    let mut before = ' ';
    for (at, letter) in whole.text.char_indices() {
        if letter == '#' && before.is_whitespace() {
            let spoken = whole.before_exactly(at);
            let comment = whole.rest_from(at);
            let text = Said {
                text: comment.text.to_owned(),
                span: comment.span(),
            };
            return (
                spoken,
                Some(Comment {
                    text,
                    alone: spoken.trim().is_empty(),
                }),
            );
        }
        before = letter;
    }
    (whole, None)
}

/// A line with its depth; nothing for a line that says nothing.
fn indented<'a>(spoken: Phrase<'a>, problems: &mut Vec<Problem>) -> Option<Line<'a>> {
    let phrase = spoken.trim();
    if phrase.is_empty() {
        return None;
    }
    let blanks = spoken.text.len() - spoken.text.trim_start().len();
    let blank = spoken.text.get(..blanks).unwrap_or("");
    let before = problems.len();
    let mut spoiled = false;
    if let Some(at) = blank.find(|c| c != ' ') {
        problems.push(tab(spoken.rest_exactly(at)));
    } else if let Some(at) = phrase.text.find('\t') {
        problems.push(tab(phrase.rest_exactly(at)));
        spoiled = true;
    }
    let indent = blank.chars().map(|c| if c == ' ' { 1 } else { 2 }).sum();
    Some(Line {
        indent,
        phrase,
        spoiled,
        told: problems.len() > before,
    })
}

fn tab(at: Phrase<'_>) -> Problem {
    let mut span = at.span();
    let letter = at.text.chars().next().unwrap_or(' ');
    span.len = letter.len_utf8();
    let what = if letter == '\t' {
        "a tab"
    } else {
        "a blank that is not a space"
    };
    Problem::error(code::INDENT, span, format!("{what} stands in this line"))
        .with_help("indent with spaces: two for a clause, four for a step")
}

/// The words of a line, for messages.
pub(super) fn shown(phrase: Phrase<'_>) -> String {
    const LONGEST: usize = 60;
    let text = plain(phrase.text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('…');
    short
}
