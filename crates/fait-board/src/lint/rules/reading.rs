//! What can make a board unreadable: P0xx.

use super::Rule;
use crate::note::Level::BigPicture;
use crate::problem::Severity::Error;

/// They differ only in their texts.
const fn unreadable(
    code: &'static str,
    title: &'static str,
    why: &'static str,
    [bad, good]: [&'static str; 2],
) -> Rule {
    Rule {
        code,
        level: BigPicture,
        severity: Error,
        title,
        why,
        bad,
        good,
    }
}

pub(super) const RULES: &[Rule] = &[
    unreadable(
        "P001",
        "a line is indented oddly",
        "Depth has meaning: a note stands at the margin, a clause two spaces in, a step four. A tab looks \
         different in every editor.",
        [
            "event Order placed\n   pivotal\n",
            "event Order placed\n  pivotal\n",
        ],
    ),
    unreadable(
        "P002",
        "a line at the margin does not start a note",
        "A note starts with its kind. If that cannot be read, all that is said of the note is passed over.",
        ["evnt Order placed\n", "event Order placed\n"],
    ),
    unreadable(
        "P003",
        "this is not said of such a note",
        "Each kind of note has its own clauses.",
        [
            "event Order placed\n  asks order\n",
            "event Order placed\n  records order\n",
        ],
    ),
    unreadable(
        "P004",
        "a step cannot be read",
        "A process does four things: it asks an actor, does a task, tells a system, or raises an event.",
        [
            "process Serve\n  starts on Order placed\n    remind Cook\n\nevent Order placed\n",
            "process Serve\n  starts on Order placed\n    do Cook food\n\nevent Order placed\n\
             task Cook food\n",
        ],
    ),
    unreadable(
        "P005",
        "something is left out",
        "A clause without its words says nothing.",
        [
            "event Order placed\n  records\n",
            "event Order placed\n  records order\n",
        ],
    ),
    unreadable(
        "P006",
        "a line belongs to nothing",
        "A clause belongs to the note above it, and a step to the clause above it.",
        ["  pivotal\n", "event Order placed\n  pivotal\n"],
    ),
    unreadable(
        "P007",
        "this is not a length of time",
        "A time is a whole number of seconds, minutes, hours, days or weeks.",
        [
            "process Serve\n  after half an hour without Order cooked\n\nevent Order cooked\n",
            "process Serve\n  after 30 minutes without Order cooked\n\nevent Order cooked\n",
        ],
    ),
    unreadable(
        "P008",
        "it is not said what a word is",
        "Forms, columns and types come from what a word is.",
        ["word total is cash\n", "word total is money\n"],
    ),
    unreadable(
        "P009",
        "this is not a level",
        "The level says how finished the board is, and so which rules apply.",
        [
            "board Restaurant\n  level done\n",
            "board Restaurant\n  level design\n",
        ],
    ),
    unreadable(
        "P010",
        "too much is said",
        "Some clauses stand alone; what is written behind them would be lost.",
        [
            "event Order placed\n  pivotal moment\n",
            "event Order placed\n  pivotal\n",
        ],
    ),
    unreadable(
        "P011",
        "this is said twice",
        "Where only one can be true, the first is taken; a second would be lost.",
        [
            "model Order\nmodel Bill\ntask Pay\n  on Order\n  on Bill\n",
            "model Order\nmodel Bill\ntask Pay\n  on Bill\n",
        ],
    ),
    unreadable(
        "P012",
        "a letter does not show",
        "Lines that look the same must mean the same, to people and to programs.",
        ["event Order\u{200b} placed\n", "event Order placed\n"],
    ),
];
