//! Small values: lengths of time, types of words, the level of a board.

use super::lines::shown;
use crate::note::Level;
use crate::notes::{Period, Type, Unit};
use crate::place::{MOST_JOINTS, Phrase};
use crate::problem::{Problem, code};
use crate::spelling::nearest;

/// How deep `list of list of …` may go.
const DEEPEST: usize = 4;

/// Every unit in both its forms.
const UNITS: [(&str, &str, Unit); 5] = [
    ("second", "seconds", Unit::Second),
    ("minute", "minutes", Unit::Minute),
    ("hour", "hours", Unit::Hour),
    ("day", "days", Unit::Day),
    ("week", "weeks", Unit::Week),
];

/// The level of a board.
pub(super) fn level(phrase: Phrase<'_>) -> Result<Level, Problem> {
    match phrase.plain().as_str() {
        "big picture" => Ok(Level::BigPicture),
        "process" => Ok(Level::Process),
        "design" => Ok(Level::Design),
        other => {
            let levels = ["big picture", "process", "design"];
            let message = format!("`{}` is not a level", shown(phrase));
            let problem = Problem::error(code::LEVEL, phrase.span(), message);
            Err(match nearest(other, levels) {
                None => problem.with_help("the levels are: big picture, process, design"),
                guess => problem.with_guess(guess),
            })
        }
    }
}

/// Whoever says more has slipped; a hundred years, in seconds.
const LONGEST: u64 = 100 * 366 * 24 * 60 * 60;

/// A length of time, alone in the phrase.
pub(super) fn period(phrase: Phrase<'_>) -> Result<Period, Problem> {
    let (count, unit) = phrase.first_word();
    let found = UNITS
        .iter()
        .find(|(one, many, _)| [*one, *many].contains(&unit.text));
    let message = format!("`{}` is not a length of time", shown(phrase));
    let problem = Problem::error(code::PERIOD, phrase.span(), message);
    if let (Some(count), Some((_, _, unit))) = (number(count), found) {
        let (unit, span) = (*unit, phrase.span());
        let period = Period { count, unit, span };
        return match period.seconds() {
            0 => Err(problem.with_help("nothing can happen in no time: say at least 1")),
            1..=LONGEST => Ok(period),
            _ => Err(problem.with_help("say at most a hundred years")),
        };
    }
    let guess = nearest(unit.text, UNITS.iter().map(|(_, many, _)| *many))
        .filter(|_| number(count).is_some());
    Err(match guess {
        Some(unit) => problem.with_help(format!("did you mean `{} {unit}`?", count.text)),
        None => problem.with_help("say a number and seconds, minutes, hours, days or weeks"),
    })
}

/// A whole number without sign.
pub(super) fn number(phrase: Phrase<'_>) -> Option<u64> {
    let digits = !phrase.is_empty() && phrase.text.bytes().all(|byte| byte.is_ascii_digit());
    phrase.text.parse().ok().filter(|_| digits)
}

/// The name of a word and what it is: cut at the first `is` after which a type stands.
pub(super) fn word_parts(phrase: Phrase<'_>) -> (Phrase<'_>, Option<Phrase<'_>>) {
    let joints = phrase.joints("is", MOST_JOINTS);
    let readable = |at: &&usize| type_of(phrase.sides(**at, "is").1).is_ok();
    match joints.iter().find(readable).or_else(|| joints.first()) {
        Some(at) => {
            let (name, is) = phrase.sides(*at, "is");
            (name, Some(is))
        }
        None => (phrase, None),
    }
}

/// What a word is.
pub(super) fn type_of(phrase: Phrase<'_>) -> Result<Type, Problem> {
    read_type(phrase, 0).ok_or_else(|| no_type(phrase))
}

fn read_type(phrase: Phrase<'_>, depth: usize) -> Option<Type> {
    if depth > DEEPEST {
        return None;
    }
    if let Some(of) = phrase.ahead_of("or nothing") {
        let of = read_type(of, depth + 1)?;
        return Some(Type::OrNothing(Box::new(of)));
    }
    if let Some(names) = phrase.after("one of") {
        return one_of(names);
    }
    let bare = phrase
        .after("an")
        .or_else(|| phrase.after("a"))
        .unwrap_or(phrase);
    if let Some(of) = bare.after("list of") {
        return Some(Type::ListOf(Box::new(read_type(of, depth + 1)?)));
    }
    match bare.plain().as_str() {
        "id" => Some(Type::Id),
        "text" => Some(Type::Text),
        "number" => Some(Type::Number),
        "money" => Some(Type::Money),
        "date" => Some(Type::Date),
        "time" => Some(Type::Time),
        "yes or no" => Some(Type::YesOrNo),
        _ => None,
    }
}

fn one_of(names: Phrase<'_>) -> Option<Type> {
    let mut rest = names;
    let mut all = Vec::new();
    while let Some(comma) = rest.text.find(',') {
        all.push(rest.before(comma).said());
        rest = rest.rest_from(comma + 1);
    }
    all.push(rest.said());
    all.iter()
        .all(|name| !name.text.is_empty())
        .then_some(Type::OneOf(all))
}

fn no_type(phrase: Phrase<'_>) -> Problem {
    let types = [
        "an id",
        "text",
        "a number",
        "money",
        "a date",
        "a time",
        "yes or no",
    ];
    let message = format!("`{}` is not something a word can be", shown(phrase));
    let problem = Problem::error(code::TYPE, phrase.span(), message);
    match nearest(&phrase.plain(), types) {
        None => problem.with_help(
            "a word is an id, text, a number, money, a date, a time, yes or no, \
             a list of …, one of …, or any of these with `or nothing` behind it",
        ),
        guess => problem.with_guess(guess),
    }
}
