//! Words: documentation comments as texts, names in plain words, and "did you mean".

use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The documentation comment as one text; empty when there is none.
pub(crate) fn documentation(attrs: &[Attribute]) -> String {
    let mut lines = vec![];
    for attr in attrs.iter().filter(|a| a.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attr.meta
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) = &pair.value
        {
            lines.extend(comment_lines(&text.value()));
        }
    }
    lines.join("\n").trim().to_string()
}

/// First line and rest of a documentation comment.
pub(crate) fn first_and_rest(text: &str) -> (String, String) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    (first.trim().to_string(), rest.trim().to_string())
}

/// The lines of one comment, without the space or the `*` that they begin with.
fn comment_lines(text: &str) -> Vec<String> {
    let starred = |line: &str| line.trim_start().starts_with('*');
    let blank = |line: &str| line.trim().is_empty();
    let stars = text.contains('\n') && text.lines().skip(1).all(|l| starred(l) || blank(l));
    let clean = |line: &str| {
        let line = if stars && starred(line) {
            &line.trim_start()[1..]
        } else {
            line
        };
        line.strip_prefix(' ')
            .unwrap_or(line)
            .trim_end()
            .to_string()
    };
    if text.is_empty() {
        vec![String::new()]
    } else {
        text.lines().map(clean).collect()
    }
}

/// `PlaceOrder` and `place_order` become `Place order`; `PrintPDF` becomes `Print PDF`.
pub(crate) fn plain(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = vec![];
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after_small = before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit());
        let after_acronym = before.is_some_and(char::is_uppercase)
            && chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if c == '_' || c.is_uppercase() && (after_small || after_acronym) {
            words.push(std::mem::take(&mut word));
        }
        if c != '_' {
            word.push(c);
        }
    }
    words.push(word);
    words.retain(|w| !w.is_empty());
    let acronym = |w: &str| w.chars().count() > 1 && w.chars().all(char::is_uppercase);
    let small = words.iter().map(|w| {
        if acronym(w) {
            w.clone()
        } else {
            w.to_lowercase()
        }
    });
    capital(&small.collect::<Vec<_>>().join(" "))
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

/// `` `a`, `b` and `c` ``; the empty name is that of a bare text.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown = |name: &str| match name {
        "" => "a bare text".to_string(),
        name => format!("`{name}`"),
    };
    let quoted: Vec<String> = names.iter().map(|n| shown(n.as_ref())).collect();
    match quoted.as_slice() {
        [] => "nothing".into(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// `; did you mean …?`, when one of the known words is near enough.
pub(crate) fn did_you_mean<S: AsRef<str>>(word: &str, known: &[S]) -> String {
    let near = known
        .iter()
        .map(|k| (distance(&word.to_lowercase(), k.as_ref()), k.as_ref()))
        .filter(|(d, k)| *d <= 2 && *d < k.chars().count())
        .min();
    near.map(|(_, k)| format!("; did you mean `{k}`?"))
        .unwrap_or_default()
}

/// How many letters differ: Levenshtein's distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Tokens as a person writes them: `a::b`, not `a :: b`.
pub(crate) fn written(tokens: &impl ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    text.replace(" :: ", "::")
        .replace(":: ", "::")
        .replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_plain_words() {
        let cases = [
            ("PlaceOrder", "Place order"),
            ("cooked_by", "Cooked by"),
            ("PrintPDFBill", "Print PDF bill"),
            ("order", "Order"),
            ("Table2Closed", "Table2 closed"),
            ("_x", "X"),
            ("", ""),
        ];
        for (name, words) in cases {
            assert_eq!(plain(name), words);
        }
    }

    #[test]
    fn starred_comments_lose_their_stars() {
        assert_eq!(
            comment_lines(" Which table?\n * By the window.\n "),
            ["Which table?", "By the window.", ""]
        );
        assert_eq!(comment_lines(" * a list"), ["* a list"]);
    }

    #[test]
    fn a_near_word_is_suggested() {
        let known = ["name", "version", "by"];
        assert_eq!(did_you_mean("verson", &known), "; did you mean `version`?");
        assert_eq!(did_you_mean("colour", &known), "");
        assert_eq!(did_you_mean("xy", &["by"]), "; did you mean `by`?");
        assert_eq!(did_you_mean("ab", &["by"]), "");
    }
}
