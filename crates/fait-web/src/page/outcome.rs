//! What the pages of operators share: what came of the last thing done, and tables of numbers.

use super::words::sentence;
use maud::{Markup, html};

/// What was done, or why nothing was.
pub(super) fn outcome(done: Option<&str>, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(done) = done {
            div.receipt #receipt tabindex="-1" data-focus {
                span.tick aria-hidden="true" { "✓" } p { (done) }
            }
        }
        @if let Some(wrong) = wrong {
            div.errors #errors role="alert" tabindex="-1" data-focus {
                h2 { "Nothing was changed" } p { (sentence(wrong)) }
            }
        }
    }
}

/// A table with its name, where there is anything to show; heads of numbers are marked.
pub(super) fn table(name: &str, heads: &[(&str, bool)], rows: &[Markup]) -> Markup {
    html! {
        @if !rows.is_empty() {
            h2 { (name) }
            div.wide tabindex="0" role="region" aria-label=(name) {
                table {
                    thead { tr {
                        @for (head, number) in heads { th.number[*number] scope="col" { (head) } }
                    } }
                    tbody { @for row in rows { tr { (row) } } }
                }
            }
        }
    }
}
