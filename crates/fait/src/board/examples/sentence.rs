//! Sentences of the board and of the program, compared in their words.

use fait_board::name::kebab_name;

/// How near two sentences must be for one to be taken for a changed form of the other.
const NEAR: f64 = 0.6;

/// A sentence without what does not matter: capitals, punctuation, articles, and what a program
/// writes in braces.
fn bare(sentence: &str) -> String {
    let mut plain = String::with_capacity(sentence.len());
    let mut inside = false;
    for c in sentence.chars() {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    let words = kebab_name(&plain);
    let matters = |word: &&str| !matches!(*word, "the" | "a" | "an" | "because");
    words
        .split('-')
        .filter(matters)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether two sentences say the same in the same words.
pub(super) fn same(board: &str, code: &str) -> bool {
    bare(board) == bare(code)
}

/// How near two sentences are, when they are near: 1 when they are the same.
pub(super) fn near(board: &str, code: &str) -> Option<f64> {
    let (board, code) = (bare(board), bare(code));
    let nearness = strsim::normalized_levenshtein(&board, &code);
    let words: Vec<&str> = board.split(' ').collect();
    let shared = code.split(' ').filter(|w| words.contains(w)).count();
    // What share their words in another order are near, too.
    let most = words.len().max(code.split(' ').count()).max(1);
    let overlap = f64::from(u32::try_from(shared).unwrap_or(0))
        / f64::from(u32::try_from(most).unwrap_or(u32::MAX));
    let nearness = nearness.max(overlap);
    (nearness >= NEAR).then_some(nearness)
}

#[cfg(test)]
mod tests {
    use super::{near, same};

    #[test]
    fn form_does_not_matter() {
        assert!(same(
            "the order is already paid",
            "The order is already paid."
        ));
        assert!(same("an invoice is open", "invoice is open"));
        assert!(same("only seats are left", "only {left} seats are left"));
        assert!(!same("the order is paid", "the order is already paid"));
        assert!(!same("e. g. one", "another. one"));
    }

    #[test]
    fn a_changed_sentence_is_near() {
        assert!(near("the bill is already paid", "the order is already paid").is_some());
        assert!(near("the food was already cooked", "the food is already cooked").is_some());
        assert!(near("no dishes were chosen", "the order was cancelled").is_none());
    }
}
