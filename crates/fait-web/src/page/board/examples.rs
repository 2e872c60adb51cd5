//! The examples of the board: given, when, then, and whether the program does so.

use super::facts::Tried;
use super::look::{Look, marked};
use fait::board::{Failed, Verdict};
use fait_board::note::{Kind, Note, Target};
use maud::{Markup, html};

/// All examples, in the order of the file.
pub(super) fn all(look: Look<'_>) -> Markup {
    let examples = &look.sheet.board.examples;
    html! {
        section.stage.plain #examples data-live aria-label="Examples" {
            @if examples.is_empty() { p.empty { "The board has no example yet." } }
            @else { (sum(look)) }
            ul.examples {
                @for (index, example) in examples.iter().enumerate() {
                    li.card {
                        h2 { (look.link(Target::Note(Kind::Example, index))) }
                        (verdict(look, &example.note.name.text))
                        (said(look, &example.note))
                        (why(look, &example.note.name.text))
                    }
                }
            }
        }
    }
}

/// How many pass; without a program, how to know.
fn sum(look: Look<'_>) -> Markup {
    let file = match look.sheet.file.as_str() {
        "" => "the.board",
        file => file,
    };
    html! {
        @match &look.facts.tried {
            Tried::Not => p.lead {
                "The examples are not run here. " code { "fait board test " (file) }
                " runs them against a program."
            },
            Tried::Running => p.lead { "The examples are being run …" },
            Tried::Known(tried) => {
                p.lead {
                    (tried.passed()) " of " (tried.examples.len()) " pass"
                    @if tried.failed() > 0 { ", " (tried.failed()) " fail" }
                    @if tried.skipped() > 0 { ", " (tried.skipped()) " not run" }
                    ", each against a fresh system."
                }
                @for problem in &tried.problems { p.wrong { (problem) } }
            }
        }
    }
}

/// Whether an example passes, in a word; nothing when that is not known.
pub(super) fn verdict(look: Look<'_>, example: &str) -> Markup {
    let Tried::Known(all) = &look.facts.tried else {
        return html! {};
    };
    html! {
        @match all.of(example).map(|tried| &tried.verdict) {
            Some(Verdict::Passed) => span.agrees { "✓ passes" },
            Some(Verdict::Failed(_)) => strong.differs { "✗ fails" },
            Some(Verdict::Skipped { .. }) => span.stands { "– not run" },
            None => {},
        }
    }
}

/// Why an example fails or is not run.
pub(super) fn why(look: Look<'_>, example: &str) -> Markup {
    let Tried::Known(all) = &look.facts.tried else {
        return html! {};
    };
    html! {
        @match all.of(example).map(|tried| &tried.verdict) {
            Some(Verdict::Failed(failed)) => (misses(look, failed)),
            Some(Verdict::Skipped { why, .. }) => p.stands { (marked(why)) },
            Some(Verdict::Passed) | None => {},
        }
    }
}

fn misses(look: Look<'_>, failed: &Failed) -> Markup {
    let listed = |title: &str, all: &[String]| {
        html! {
            @if !all.is_empty() {
                h3 { (title) }
                ul { @for one in all { li { (marked(one)) } } }
            }
        }
    };
    html! {
        ul { @for miss in &failed.misses {
            li {
                a href=(look.ask.line(miss.line)) { "Line " (miss.line) } " " (marked(&miss.message))
                @if let Some(help) = &miss.help { " – " (marked(help)) }
            }
        } }
        (listed("What happened instead", &failed.happened))
        (listed("What people are asked", &failed.asked))
        (listed("Filled in", &failed.filled))
    }
}

/// What the text says of a note below its name.
pub(super) fn said(look: Look<'_>, note: &Note) -> Markup {
    let lines = look.sheet.lines(note);
    let own = look.sheet.source.lines().skip(*lines.start());
    let own = own.take(lines.end() - lines.start());
    let text: Vec<&str> = own
        .map(|line| line.strip_prefix("  ").unwrap_or(line))
        .collect();
    html! { pre.said { code { (text.join("\n").trim_end()) } } }
}
