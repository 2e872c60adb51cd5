//! "Did you mean": the nearest of the names that exist.

use rapidfuzz::distance::osa::{Args, BatchComparator};

/// Longer texts are sentences, not misspelt names.
const LONGEST: usize = 60;

/// The candidate nearest to `wrong`, if it is near enough to be a slip: a letter more, less or
/// other, or two letters swapped. Of several that are as near the first in the alphabet.
pub(crate) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let wrong: Vec<char> = lowered(wrong);
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let limit = (wrong.len() / 3).clamp(1, 6);
    let within = Args::default().score_cutoff(limit);
    let comparator = BatchComparator::new(wrong.iter().copied());
    let mut best: Option<(usize, &str)> = None;
    for name in candidates {
        // A letter has at most four bytes.
        if name.len() > 4 * (wrong.len() + limit) || name.len() + limit < wrong.len() {
            continue;
        }
        let right = lowered(name);
        if right.len().abs_diff(wrong.len()) > limit {
            continue;
        }
        let slips = comparator.distance_with_args(right.iter().copied(), &within);
        if let Some(found) = slips.map(|slips| (slips, name))
            && best.is_none_or(|best| found < best)
        {
            best = Some(found);
        }
    }
    best.map(|(_, name)| name.to_owned())
}

fn lowered(text: &str) -> Vec<char> {
    const MOST: usize = LONGEST + 7;
    if text.is_ascii() {
        let small = text
            .bytes()
            .map(|byte| char::from(byte.to_ascii_lowercase()));
        return small.take(MOST).collect();
    }
    text.chars()
        .flat_map(char::to_lowercase)
        .take(MOST)
        .collect()
}

#[cfg(test)]
mod tests;
