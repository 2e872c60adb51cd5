//! One name, three spellings: plain words on the board, a Rust type, an address.

use crate::note::Kind;

/// The Rust name of a type: `Order placed` becomes `OrderPlaced`.
///
/// ```
/// assert_eq!(fait_board::name::rust_name("Feed a sponsor's guests"), "FeedASponsorsGuests");
/// ```
#[must_use]
pub fn rust_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in words(name) {
        let mut letters = word.chars();
        out.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(letters.as_str());
    }
    not_a_number(out)
}

/// The Rust name of a field: `pays first` becomes `pays_first`.
#[must_use]
pub fn field_name(name: &str) -> String {
    not_a_number(joined(name, '_'))
}

/// The form used in addresses and ids: `Order placed` becomes `order-placed`.
#[must_use]
pub fn kebab_name(name: &str) -> String {
    joined(name, '-')
}

/// The id of a note in the picture, where it is drawn first: `note-event-order-placed`.
#[must_use]
pub fn note_id(kind: Kind, name: &str) -> String {
    format!("note-{}-{}", kind.keyword(), kebab_name(name))
}

/// Whether a name of the board and one of a program are the same words: `Order placed`,
/// `OrderPlaced`, `order_placed` and `orders.order-placed` are.
#[must_use]
pub fn same(board: &str, code: &str) -> bool {
    let own = code.rsplit('.').next().unwrap_or(code);
    folded(board).eq(folded(own))
}

fn folded(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
}

fn joined(name: &str, joint: char) -> String {
    let mut out = String::with_capacity(name.len());
    for word in words(name) {
        if !out.is_empty() {
            out.push(joint);
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

/// The words of a name without punctuation; an apostrophe does not end a word.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '’'))
        .map(|word| {
            word.chars()
                .filter(|c| c.is_alphanumeric())
                .collect::<String>()
        })
        .filter(|word| !word.is_empty())
}

/// A Rust name cannot start with a digit.
fn not_a_number(name: String) -> String {
    if name.starts_with(|c: char| c.is_numeric()) {
        format!("_{name}")
    } else {
        name
    }
}

#[cfg(test)]
mod tests;
