//! Conditions in plain words: which of them an event answers by itself.

/// Words that turn a sentence round.
const NOT: &[&str] = &[
    "not", "no", "never", "without", "cannot", "cant", "dont", "doesnt", "didnt", "isnt", "wasnt",
    "arent", "hasnt", "havent", "wont",
];

/// Words with which a sentence says more than one thing.
const MORE: &[&str] = &["or", "and", "but", "unless", "only", "if", "until"];

/// The yes-or-no word that a condition names, and whether it has to be yes. Nothing when the
/// condition names none or several, or says more than that: then a person is asked.
pub(super) fn clear(condition: &str, words: &[(usize, &str)]) -> Option<(usize, bool)> {
    let said = tokens(condition);
    let mut found = words.iter().filter_map(|(word, name)| {
        let name = tokens(name);
        let fits = |part: &[String]| part == name;
        let at = said.windows(name.len().max(1)).position(fits)?;
        Some((*word, at..at + name.len()))
    });
    let (word, place) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let around = said.iter().enumerate().filter(|(n, _)| !place.contains(n));
    let around: Vec<&str> = around.map(|(_, token)| token.as_str()).collect();
    if around.iter().any(|token| MORE.contains(token)) {
        return None;
    }
    let turned = around.iter().filter(|token| NOT.contains(token)).count();
    Some((word, turned % 2 == 0))
}

/// The words of a text such that `pays` and `pay` are one.
fn tokens(text: &str) -> Vec<String> {
    let plain: String = text
        .chars()
        .filter(|c| !matches!(c, '\'' | '’'))
        .flat_map(char::to_lowercase)
        .collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(|token| match token.strip_suffix('s') {
            Some(stem) if stem.chars().count() > 2 => stem.to_string(),
            _ => token.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::clear;

    #[test]
    fn a_condition_that_names_one_yes_or_no_word_is_clear() {
        let words = [(3, "pays first"), (5, "urgent")];
        assert_eq!(clear("the guest pays first", &words), Some((3, true)));
        let turned = "the guest does not pay first";
        assert_eq!(clear(turned, &words), Some((3, false)));
        assert_eq!(clear("it isn't urgent", &words), Some((5, false)));
        assert_eq!(clear("it is urgent and the guest pays first", &words), None);
        assert_eq!(clear("urgent or heavy", &words), None);
        assert_eq!(clear("the parcel is heavy", &words), None);
        assert_eq!(clear("the guest pays later", &words), None);
    }
}
