//! A board of any length: the restaurant's, written down again and again with other names.

use fait_board::note::Kind;
use fait_board::parse;

/// The board that is repeated.
pub(crate) const RESTAURANT: &str = include_str!("../../../examples/restaurant/restaurant.board");

/// A board of at least so many lines. Each part is the restaurant's with a number behind every
/// name, so that no two parts share one, and all names of a part are mentioned in it.
pub(crate) fn many(lines: usize) -> String {
    let names = names();
    let (head, rest) = RESTAURANT
        .split_once("\n# ----")
        .unwrap_or(("", RESTAURANT));
    let mut board = format!("{head}\n# ----");
    board.push_str(rest);
    let mut written = board.lines().count();
    for part in 2.. {
        if written >= lines {
            break;
        }
        let again = renamed(rest, &names, part);
        written += again.lines().count();
        board.push_str("\n# ----");
        board.push_str(&again);
    }
    board
}

/// The names of the restaurant, the longest first.
fn names() -> Vec<String> {
    let board = parse(RESTAURANT).board;
    let notes = board.notes();
    let notes = notes
        .iter()
        .filter(|(kind, _)| !matches!(kind, Kind::Hotspot | Kind::Idea))
        .map(|(_, note)| note.name.text.clone());
    let messages = board
        .systems
        .iter()
        .flat_map(|system| system.takes.iter().chain(&system.sends));
    let mut names: Vec<String> = notes
        .chain(messages.map(|said| said.text.clone()))
        .collect();
    names.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
    names.dedup();
    names
}

/// The text with a number behind each of the names that stand in it.
fn renamed(text: &str, names: &[String], part: usize) -> String {
    let mut out = String::with_capacity(text.len() * 6 / 5);
    let mut before = ' ';
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let starts = !before.is_alphanumeric();
        let ends = |after: &str| !after.starts_with(char::is_alphanumeric);
        let found = names
            .iter()
            .filter(|_| starts)
            .find(|name| rest.strip_prefix(name.as_str()).is_some_and(ends));
        if let Some(name) = found {
            out.push_str(&format!("{name} x{part}"));
            rest = rest.get(name.len()..).unwrap_or_default();
            before = 'x';
        } else {
            out.push(letter);
            rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            before = letter;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::many;
    use fait_board::{LintOptions, Severity, lint, parse};

    #[test]
    fn a_long_board_is_as_good_as_the_one_it_is_made_of() {
        let text = many(1_000);
        assert_eq!(text, many(1_000));
        assert!((1_000..1_500).contains(&text.lines().count()));
        let parsed = parse(&text);
        assert_eq!(parsed.problems, []);
        let problems = lint(&parsed, &LintOptions::default());
        let broken = problems.iter().filter(|p| p.severity != Severity::Remark);
        assert_eq!(
            broken.collect::<Vec<_>>(),
            Vec::<&fait_board::Problem>::new()
        );
        assert_eq!(parsed.board.processes.len() % 4, 0);
    }
}
