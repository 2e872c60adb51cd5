//! Words and examples: B404, B405, B5xx, B6xx, B703.

use super::Rule;
use crate::note::Level::Design;
use crate::problem::Severity::{Error, Remark, Warning};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "B404",
        level: Design,
        severity: Error,
        title: "a view shows a word that no event brings",
        why: "Views are made of events and of nothing else. What no event records, no view can \
              show, unless it works it out from what they record: a count, a sum.",
        bad: "view Bills\n  from Order placed\n  shows order, total\n\nevent Order placed\n  records order\n",
        good: "view Bills\n  from Order priced\n  shows order, total\n  works out bills\n\nevent Order priced\n  records order, total\n",
    },
    Rule {
        code: "B405",
        level: Design,
        severity: Remark,
        title: "a task is refused because of something that the person cannot see",
        why: "A refusal should not surprise. If what it is about feeds a view that the person looks at, \
              they need not try.",
        bad: "actor Waiter\nview Tables\n  from Order placed\ntask Cancel order\n  by Waiter\n  sees Tables\n  \
              on Order\n  refused when the food is already cooked\nmodel Order\n  remembers Order placed, \
              Food cooked\nevent Order placed\nevent Food cooked\n",
        good: "actor Waiter\nview Tables\n  from Order placed, Food cooked\ntask Cancel order\n  by Waiter\n  \
               sees Tables\n  on Order\n  refused when the food is already cooked\nmodel Order\n  remembers \
               Order placed, Food cooked\nevent Order placed\nevent Food cooked\n",
    },
    Rule {
        code: "B501",
        level: Design,
        severity: Error,
        title: "a word is not explained",
        why: "Each word of the board is explained once, with what it is. Forms, columns and types come from it.",
        bad: "event Order priced\n  records total\n",
        good: "word total is money\n\nevent Order priced\n  records total\n",
    },
    Rule {
        code: "B502",
        level: Design,
        severity: Error,
        title: "an event records a word that nobody knows",
        why: "What is recorded must come from somewhere: the task asks for it or works it out, or its model \
              remembers it from an earlier event. Otherwise the program will invent it.",
        bad: "task Price order\n  asks order\n  raises Order priced\n\nevent Order priced\n  records order, total\n",
        good: "task Price order\n  asks order, total\n  raises Order priced\n\nevent Order priced\n  \
               records order, total\n",
    },
    Rule {
        code: "B503",
        level: Design,
        severity: Warning,
        title: "a task asks for what is known already",
        why: "Nobody should have to say the same twice: it is tiresome, and the second answer may differ.",
        bad: "task Take payment\n  asks order, total\n  on Bill\n  raises Order paid\n\nmodel Bill\n  one per order\n  \
              remembers Order priced\n\nevent Order priced\n  records order, total\n\nevent Order paid\n  \
              records order\n",
        good: "task Take payment\n  asks order\n  on Bill\n  raises Order paid\n\nmodel Bill\n  one per order\n  \
               remembers Order priced\n\nevent Order priced\n  records order, total\n\nevent Order paid\n  \
               records order\n",
    },
    Rule {
        code: "B504",
        level: Design,
        severity: Warning,
        title: "nobody uses a word",
        why: "A word that is explained and not used was renamed somewhere, or something is missing.",
        bad: "word total is money\n",
        good: "word total is money\n\nevent Order priced\n  records total\n",
    },
    Rule {
        code: "B601",
        level: Design,
        severity: Remark,
        title: "no example shows a refusal",
        why: "An example is how an expert and a programmer agree on a rule, and it is run against the program.",
        bad: "task Place order\n  refused when no dishes were chosen\n",
        good: "task Place order\n  refused when no dishes were chosen\n\nexample An order needs a dish\n  \
               when Place order\n  then refused because no dishes were chosen\n",
    },
    Rule {
        code: "B602",
        level: Design,
        severity: Remark,
        title: "no example shows what is done when time runs out",
        why: "What is done when nothing happens is seldom seen, and so it is wrong for longest.",
        bad: "process Serve\n  starts on Order placed\n  after 30 minutes without Order cooked\n    \
              raise Cooking timed out\n\nevent Order placed\nevent Order cooked\nevent Cooking timed out\n",
        good: "process Serve\n  starts on Order placed\n  after 30 minutes without Order cooked\n    \
               raise Cooking timed out\n\nevent Order placed\nevent Order cooked\nevent Cooking timed out\n\n\
               example A slow kitchen\n  given Order placed\n  when 30 minutes pass\n  then Cooking timed out\n",
    },
    Rule {
        code: "B603",
        level: Design,
        severity: Error,
        title: "an example is not whole",
        why: "An example says what is done and what comes of it; without either there is nothing to run.",
        bad: "event Order placed\n\nexample An order\n  given Order placed\n",
        good: "event Order placed\n\ntask Place order\n\nexample An order\n  when Place order\n  \
               then Order placed\n",
    },
    Rule {
        code: "B703",
        level: Design,
        severity: Warning,
        title: "a public event tells something personal",
        why: "What is public goes to other systems and is never got back. What is marked `personal` can be \
              erased here, but not there.",
        bad: "word guest name is text\n  personal\n\nevent Guest checked in\n  records guest name\n  public\n",
        good: "word guest name is text\n  personal\n\nevent Guest checked in\n  records guest name\n",
    },
];
