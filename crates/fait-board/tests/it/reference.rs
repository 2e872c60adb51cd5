//! The reference of the rules is what the rules say of themselves.
//!
//! After a change of a rule: `INSTA_UPDATE=always cargo test -p fait-board reference`.

use std::fs;
use std::path::Path;

use fait_board::note::Level;
use fait_board::{Rule, Severity};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/board-rules.md");

const HEAD: &str = "\
# The rules of the board

`fait board lint` holds a board against these rules. Each has a code that stays the same. A rule is silent on a board
that has not come so far: a board says its `level`, which is *big picture* where it says nothing, so that a draft is
never an error. `fait board lint --explain B304` says the same at the terminal.

What is an **error** here makes the program fail; **warnings** do with `--deny warnings`, or `--deny B204` for one
rule. **Remarks** are only counted, and shown with `--remarks`. `--allow B302` takes a rule out, except for what makes
a board unreadable. What was written wrongly is said once: where a note holds something that could not be read,
nothing is said of what it seems to lack.

How names should sound (B201 to B205) depends on their language. `language German` in the `board` note says it;
English is meant where it does not. For other languages names are not judged.
";

#[test]
fn the_reference_of_the_rules_is_made_of_them() {
    let mut text = HEAD.to_owned();
    text.push_str("\n| code | from level | weight | what is wrong |\n|---|---|---|---|\n");
    for rule in Rule::all() {
        let code = rule.code.to_lowercase();
        text.push_str(&format!(
            "| [{}](#{code}) | {} | {} | {} |\n",
            rule.code,
            level(rule),
            weight(rule),
            rule.title
        ));
    }
    for rule in Rule::all() {
        let code = rule.code;
        let says = format!("**{}.** {}", capital(rule.title), rule.why);
        text.push_str(&format!("\n## {code}\n\n{}\n", wrapped(&says)));
        for (says, board) in [("Breaks it:", rule.bad), ("Keeps it:", rule.good)] {
            text.push_str(&format!("\n{says}\n\n```text\n{}```\n", visible(board)));
        }
    }
    let file = Path::new(FILE);
    if std::env::var("INSTA_UPDATE").is_ok_and(|how| how == "always") {
        fs::write(file, &text).unwrap_or_default();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    assert!(
        kept == text,
        "{FILE} is not what the rules say; see the top of {}",
        file!()
    );
}

fn level(rule: &Rule) -> &'static str {
    match rule.level {
        Level::BigPicture => "big picture",
        Level::Process => "process",
        Level::Design => "design",
    }
}

fn weight(rule: &Rule) -> &'static str {
    match rule.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Remark => "remark",
    }
}

/// A paragraph in lines of the width that the documents have.
fn wrapped(text: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        let width = word.chars().count();
        let joint = match column {
            0 => "",
            _ if column + 1 + width > 118 => "\n",
            _ => " ",
        };
        column = if joint == "\n" {
            0
        } else {
            column + joint.len()
        };
        column += width;
        out.push_str(joint);
        out.push_str(word);
    }
    out
}

fn capital(title: &str) -> String {
    let mut letters = title.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.clone()).collect()
}

/// A board in which every letter can be seen.
fn visible(board: &str) -> String {
    board.replace('\u{200b}', "<U+200B>")
}
