//! "Did you mean": the nearest of the names that exist.

/// Longer texts are sentences, not misspelt names.
const LONGEST: usize = 60;

/// The candidate nearest to `wrong`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(
    wrong: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let wrong: Vec<char> = wrong
        .chars()
        .flat_map(char::to_lowercase)
        .take(LONGEST + 1)
        .collect();
    if wrong.is_empty() || wrong.len() > LONGEST {
        return None;
    }
    let limit = (wrong.len() / 3).clamp(1, 6);
    let mut best: Option<(usize, &str)> = None;
    for name in candidates {
        let right: Vec<char> = name
            .chars()
            .flat_map(char::to_lowercase)
            .take(LONGEST + 1)
            .collect();
        if right.len().abs_diff(wrong.len()) > limit {
            continue;
        }
        let found = (distance(&wrong, &right), name);
        if found.0 <= limit && best.is_none_or(|best| found < best) {
            best = Some(found);
        }
    }
    best.map(|(_, name)| name.to_owned())
}

/// Slips between two spellings: a letter more, less, other, or two letters swapped.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut rows = [
        vec![0; right.len() + 1],
        (0..=right.len()).collect(),
        Vec::new(),
    ];
    for (i, a) in left.iter().enumerate() {
        let [older, old, _] = &rows;
        let mut row = Vec::with_capacity(right.len() + 1);
        row.push(i + 1);
        for (j, b) in right.iter().enumerate() {
            let mut cost = (old[j + 1] + 1)
                .min(row[j] + 1)
                .min(old[j] + usize::from(a != b));
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                cost = cost.min(older[j - 1] + 1);
            }
            row.push(cost);
        }
        rows[2] = row;
        rows.rotate_left(1);
    }
    rows[1].last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
