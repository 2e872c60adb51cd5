//! Given, when, then.

use super::lines::shown;
use super::names::{FACT, Names, Scope};
use super::tree::RawClause;
use super::{steps, values};
use crate::note::{Kind, Mention};
use crate::notes::{Example, Fact, Occasion, Outcome};
use crate::place::{Phrase, Said};
use crate::problem::{Problem, code};

const VIEW: &[Scope] = &[Scope::Note(Kind::View)];
const WORD: &[Scope] = &[Scope::Note(Kind::Word)];

/// Which part of an example a line belongs to; `and` continues the one before.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Given,
    When,
    Then,
}

/// Adds one line to an example.
pub(super) fn clause(
    example: &mut Example,
    part: &mut Option<Part>,
    clause: &RawClause<'_>,
    names: &mut Names,
) {
    match clause.keyword {
        "given" => *part = Some(Part::Given),
        "when" => *part = Some(Part::When),
        "then" => *part = Some(Part::Then),
        _ => {}
    }
    match part {
        Some(Part::Given) => example.given.extend(fact(clause.rest, names)),
        Some(Part::When) => example.when.extend(occasion(clause.rest, names)),
        Some(Part::Then) => example.then.extend(outcome(clause.rest, names)),
        None => {
            let message = "this `and` continues nothing";
            names.problems.push(
                Problem::error(code::ASTRAY, clause.line.span(), message)
                    .with_help("start with `given`, `when` or `then`"),
            );
        }
    }
}

fn occasion(rest: Phrase<'_>, names: &mut Names) -> Option<Occasion> {
    for passes in [" passes", " pass"] {
        let Some(length) = rest.text.strip_suffix(passes).map(str::len) else {
            continue;
        };
        if !rest.text.starts_with(|c: char| c.is_ascii_digit()) {
            break;
        }
        return match values::period(rest.before(length)) {
            Ok(period) => Some(Occasion::Passes(period)),
            Err(problem) => {
                names.problems.push(problem);
                None
            }
        };
    }
    fact(rest, names).map(Occasion::Fact)
}

fn outcome(rest: Phrase<'_>, names: &mut Names) -> Option<Outcome> {
    if let Some((view, shows)) = names.cut(rest, VIEW, "shows")
        && names.knows(view, VIEW)
    {
        return Some(Outcome::Shows(names.one(view, VIEW), shows.said()));
    }
    let (name, _) = fact_parts(rest, names);
    if !names.knows(name, FACT) {
        if let Some(reason) = rest.after("refused") {
            return refusal(rest, reason, names);
        }
        if steps::is_step(rest) {
            return steps::step(rest, names).map(Outcome::Step);
        }
    }
    fact(rest, names).map(Outcome::Fact)
}

fn refusal(line: Phrase<'_>, rest: Phrase<'_>, names: &mut Names) -> Option<Outcome> {
    let reason = rest.after("because").filter(|reason| !reason.is_empty());
    if reason.is_none() {
        names.problems.push(
            Problem::error(
                code::MISSING,
                line.span(),
                "this does not say why it is refused",
            )
            .with_help("say `refused because <reason>`, in the words of `refused when`"),
        );
    }
    reason.map(|reason| Outcome::Refused(reason.said()))
}

fn fact(rest: Phrase<'_>, names: &mut Names) -> Option<Fact> {
    let (name, with) = fact_parts(rest, names);
    let what = names.one(name, FACT);
    let with = with.map_or_else(Vec::new, |with| values_of(with, names));
    Some(Fact { what, with })
}

/// The name, and what stands behind `with`.
fn fact_parts<'a>(rest: Phrase<'a>, names: &Names) -> (Phrase<'a>, Option<Phrase<'a>>) {
    if names.knows(rest, FACT) {
        return (rest, None);
    }
    match names.cut(rest, FACT, "with") {
        Some((name, with)) => (name, Some(with)),
        None => (rest, None),
    }
}

/// `order 7, dishes cake, soup`: what starts with no word belongs to the value before.
fn values_of(with: Phrase<'_>, names: &mut Names) -> Vec<(Mention, Said)> {
    let mut all: Vec<(Phrase<'_>, Phrase<'_>)> = Vec::new();
    for item in with.pieces() {
        let (word, value) = word_and_value(item, names);
        match all.last_mut() {
            Some((_, last)) if !names.knows(word, WORD) => *last = last.up_to(item, with),
            _ => all.push((word, value)),
        }
    }
    for (word, value) in &all {
        if word.is_empty() || value.is_empty() {
            let message = format!("`{}` has no value", shown(*word));
            names
                .problems
                .push(Problem::error(code::MISSING, word.span(), message));
        }
    }
    all.into_iter()
        .map(|(word, value)| (names.perhaps(word, WORD), value.said()))
        .collect()
}

/// Cuts after the longest known word; else after the first one.
fn word_and_value<'a>(item: Phrase<'a>, names: &Names) -> (Phrase<'a>, Phrase<'a>) {
    let blanks = item
        .text
        .match_indices(char::is_whitespace)
        .map(|(at, _)| at)
        .take(16);
    let mut ends: Vec<usize> = blanks.collect();
    ends.push(item.text.len());
    let known = ends
        .iter()
        .rev()
        .find(|end| names.knows(item.before(**end), WORD));
    match known {
        Some(end) => (item.before(*end), item.rest_from(*end)),
        None => item.first_word(),
    }
}
