//! Names and sentences of board and code: what is the same, what is near, what would be written.

use fait_board::name::{kebab_name, same};
use std::collections::BTreeSet;

/// From here on two names are near enough to ask whether one was meant for the other.
const NEAR: f64 = 0.6;

/// A name of the code in plain words: `OrderPlaced` and `order-placed` as `Order placed`.
pub(super) fn plain(code: &str) -> String {
    let own = code.rsplit('.').next().unwrap_or(code);
    let mut out = String::with_capacity(own.len() + 4);
    let mut lower = false;
    for c in own.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && lower {
                out.push(' ');
            }
            match out.is_empty() {
                true => out.extend(c.to_uppercase()),
                false => out.extend(c.to_lowercase()),
            }
            lower = !c.is_uppercase();
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
            lower = false;
        }
    }
    out.trim_end().to_string()
}

/// A field in plain words: `cooked_by` as `cooked by`.
pub(super) fn plain_word(field: &str) -> String {
    field.replace(['_', '-'], " ").to_lowercase()
}

/// How alike two names are as words, from 0 to 1.
pub(super) fn likeness(a: &str, b: &str) -> f64 {
    let own = |name: &str| kebab_name(&plain(name));
    strsim::normalized_levenshtein(&own(a), &own(b))
}

/// The nearest of some names, if one is near.
pub(super) fn nearest<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = among.map(|other| (likeness(name, other), other));
    let near = near.filter(|(like, _)| *like >= NEAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// The id of a reason, made from its sentence; case and punctuation do not matter.
pub(super) fn reason_id(sentence: &str) -> String {
    kebab_name(sentence)
}

/// The reason that is most like a sentence, if one shares enough of its words.
pub(super) fn nearest_reason<'r>(
    sentence: &str,
    among: impl Iterator<Item = &'r str>,
) -> Option<&'r str> {
    let own = reason_id(sentence);
    let like = |other: &str| {
        let other = reason_id(other);
        let letters = strsim::normalized_levenshtein(&own, &other);
        letters.max(shared(&own, &other))
    };
    let near = among.map(|other| (like(other), other));
    let near = near.filter(|(like, _)| *like >= NEAR);
    near.max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| other)
}

/// The part of the words that two ids have in common, from 0 to 1.
fn shared(a: &str, b: &str) -> f64 {
    let words = |id: &str| id.split('-').map(String::from).collect::<Vec<_>>();
    overlap(
        &words(a).into_iter().collect(),
        &words(b).into_iter().collect(),
    )
}

/// The part of two sets that both have, from 0 to 1; 0 for two empty ones.
pub(super) fn overlap(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    let all = a.union(b).count();
    match all {
        0 => 0.0,
        all => a.intersection(b).count() as f64 / all as f64,
    }
}

/// Whether one of some names of the board is that of the code.
pub(super) fn is_one_of<'n>(code: &str, mut board: impl Iterator<Item = &'n str>) -> bool {
    board.any(|name| same(name, code))
}
