//! Lines without their comments, and how deep they stand.

use crate::place::{Comment, Phrase, Said, plain};
use crate::problem::{Problem, code};

/// A line that says something.
pub(super) struct Line<'a> {
    /// How many columns it is indented.
    pub(super) indent: usize,
    /// What it says, without comment.
    pub(super) phrase: Phrase<'a>,
    /// The comment behind it.
    pub(super) comment: Option<&'a str>,
    /// Whether it holds a tab or an unseen letter and cannot be read because of that.
    pub(super) spoiled: bool,
    /// Whether it already has a problem.
    pub(super) told: bool,
}

/// One line of the text without its end.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    /// With its blanks and its comment.
    pub(crate) text: &'a str,
    /// With its end as well.
    pub(crate) whole: &'a str,
    /// Offset of its first byte.
    pub(crate) start: usize,
}

/// What some editors write at the beginning of a file.
pub(crate) const BYTE_ORDER: char = '\u{feff}';

/// The lines of a text. A line ends with a line feed, or a carriage return and a line feed.
pub(crate) fn written(source: &str) -> impl Iterator<Item = Written<'_>> {
    // Some editors write a byte order mark; it says nothing.
    let body = source.strip_prefix(BYTE_ORDER).unwrap_or(source);
    let mut start = source.len() - body.len();
    body.split_inclusive('\n').map(move |whole| {
        let text = whole.strip_suffix('\n').unwrap_or(whole);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let line = Written { text, whole, start };
        start += whole.len();
        line
    })
}

pub(super) fn read(source: &str) -> (Vec<Line<'_>>, Vec<Comment>, Vec<Problem>) {
    let (mut lines, mut comments, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for (number, written) in (1..).zip(written(source)) {
        let whole = Phrase::new(written.text, written.start, number, 1);
        let (spoken, comment) = cut_comment(whole);
        let behind = comment.map(|comment| comment.text);
        comments.extend(comment.map(|comment| {
            let (text, span) = (comment.text.to_owned(), comment.span());
            Comment {
                text: Said { text, span },
                alone: spoken.trim().is_empty(),
            }
        }));
        let before = problems.len();
        problems.extend(unseen(whole));
        let told = problems.len() > before;
        if let Some(line) = indented(spoken, told, &mut problems) {
            lines.push(Line {
                comment: behind,
                ..line
            });
        }
    }
    (lines, comments, problems)
}

/// A line whose letters do not all show is refused, also in its comment: lines that look the same
/// must mean the same.
fn unseen(line: Phrase<'_>) -> Option<Problem> {
    if line
        .text
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
    {
        return None;
    }
    let at = line.text.find(is_unseen)?;
    let at = line.rest_exactly(at);
    let letter = at.text.chars().next()?;
    let mut span = at.span();
    span.len = letter.len_utf8();
    let code_point = u32::from(letter);
    let message = format!("an unseen letter stands in this line: U+{code_point:04X}");
    let help = match letter {
        '\r' => "end each line with a line feed, or a carriage return and a line feed",
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            "take it out: it makes the line look different from what it says"
        }
        _ => "take it out: it does not show, but it makes another name of the name it stands in",
    };
    Some(Problem::error(code::UNSEEN, span, message).with_help(help))
}

/// Control letters, marks of the direction of writing, and letters without width. Joiners between
/// letters are none of them: some scripts need them, and so do some signs.
pub(crate) fn is_unseen(letter: char) -> bool {
    (letter.is_control() && letter != '\t')
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        )
        || matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(letter, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What a line says, and its comment with its `#`.
pub(super) fn cut_comment(whole: Phrase<'_>) -> (Phrase<'_>, Option<Phrase<'_>>) {
    let begins = |at: &usize| {
        let before = whole.text.get(..*at).unwrap_or("");
        before.is_empty() || before.ends_with(char::is_whitespace)
    };
    let mut signs = whole.text.match_indices('#').map(|(at, _)| at);
    if let Some(at) = signs.find(begins) {
        return (whole.before_exactly(at), Some(whole.rest_from(at)));
    }
    (whole, None)
}

/// A line with its depth; nothing for a line that says nothing.
fn indented<'a>(spoken: Phrase<'a>, told: bool, problems: &mut Vec<Problem>) -> Option<Line<'a>> {
    let phrase = spoken.trim();
    if phrase.is_empty() {
        return None;
    }
    let blanks = spoken.text.len() - spoken.text.trim_start().len();
    let blank = spoken.text.get(..blanks).unwrap_or("");
    let before = problems.len();
    let mut spoiled = told && phrase.text.contains(is_unseen);
    if told {
        // One mistake, one message.
    } else if let Some(at) = blank.find(|c| c != ' ') {
        problems.push(tab(spoken.rest_exactly(at)));
    } else if let Some(at) = phrase.text.find('\t') {
        problems.push(tab(phrase.rest_exactly(at)));
        spoiled = true;
    }
    let indent = blank.chars().map(columns).sum();
    Some(Line {
        indent,
        phrase,
        comment: None,
        spoiled,
        told: told || problems.len() > before,
    })
}

/// How many columns a blank at the start of a line counts.
pub(super) fn columns(blank: char) -> usize {
    if blank == ' ' { 1 } else { 2 }
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
