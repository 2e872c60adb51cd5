//! Names: B1xx, B2xx, and open questions.

use super::Rule;
use crate::note::Level::{BigPicture, Design, Process};
use crate::problem::Severity::{Error, Remark, Warning};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "B101",
        level: BigPicture,
        severity: Error,
        title: "a name stands for nothing",
        why: "Notes are tied to each other by their names. A name that is misspelt ties nothing, and the \
              story has a hole that nobody sees.",
        bad: "task Place order\n  raises Order palced\n\nevent Order placed\n",
        good: "task Place order\n  raises Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B102",
        level: BigPicture,
        severity: Error,
        title: "two notes have the same kind and name",
        why: "Everything that names them means the first; what the second says is heard by nobody.",
        bad: "event Order placed\n\nevent Order placed\n",
        good: "event Order placed\n\nevent Order cancelled\n",
    },
    Rule {
        code: "B103",
        level: BigPicture,
        severity: Warning,
        title: "two names differ only in capitals, blanks or signs",
        why: "People do not hear the difference, and in a program both have the same name.",
        bad: "event Order placed\n\nevent Order Placed\n",
        good: "event Order placed\n\nevent Order placed again\n",
    },
    Rule {
        code: "B104",
        level: Design,
        severity: Error,
        title: "a word is explained twice",
        why: "A word means one thing everywhere on the board. If it means two, it is two words.",
        bad: "word total is money\nword total is a number\n",
        good: "word total is money\nword number of guests is a number\n",
    },
    Rule {
        code: "B200",
        level: BigPicture,
        severity: Remark,
        title: "there are no word lists for the language of the board",
        why: "Whether a name is in the past tense, or sounds technical, is judged with lists of words. \
              Without a list for its language, names on a board are not judged at all (B201 to B205).",
        bad: "board Restaurant\n  language Klingon\n",
        good: "board Restaurant\n  language German\n",
    },
    Rule {
        code: "B201",
        level: BigPicture,
        severity: Error,
        title: "an event is not in the past tense",
        why: "An event is something that has happened and cannot be undone. A name in the past tense keeps it \
              apart from what somebody wants, which is a task and may be refused.",
        bad: "event Pay order\n",
        good: "event Order paid\n",
    },
    Rule {
        code: "B202",
        level: BigPicture,
        severity: Warning,
        title: "an event sounds technical",
        why: "The board is the language of those who know the business. What they would not say at the \
              counter is about the program, not about what happened. A word that the board explains is \
              never technical.",
        bad: "event Order row stored\n",
        good: "word row is a number\n\nevent Order row stored\n",
    },
    Rule {
        code: "B203",
        level: BigPicture,
        severity: Warning,
        title: "an event says what happened to data",
        why: "`Order updated` hides what happened: another dish, another table, a lower price? Whoever \
              listens would have to guess it from the difference.",
        bad: "event Order updated\n",
        good: "event Dish added\n",
    },
    Rule {
        code: "B204",
        level: Process,
        severity: Warning,
        title: "a task is a form",
        why: "A form to update everything asks people to translate what they want into fields. A task says \
              what they want, asks only for what it needs, and can refuse with a reason.",
        bad: "task Update order\n",
        good: "task Add dish\n",
    },
    Rule {
        code: "B205",
        level: Process,
        severity: Warning,
        title: "a task is named like something that happened",
        why: "A task is asked for and may be refused; what has happened may not.",
        bad: "task Order placed\n",
        good: "task Place order\n",
    },
    Rule {
        code: "B900",
        level: BigPicture,
        severity: Remark,
        title: "a question is open",
        why: "Open questions belong on the board, where everybody sees them. Before a release they should \
              be answered: `--no-hotspots` makes each an error.",
        bad: "hotspot Who pays for the second plate?\n",
        good: "idea Let guests see how long the kitchen will take\n",
    },
];
