//! The story: B3xx, B401 to B403, B701 and B702.

use super::Rule;
use crate::note::Level::{Design, Process};
use crate::problem::Severity::{Error, Remark, Warning};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "B301",
        level: Process,
        severity: Error,
        title: "nothing raises an event",
        why: "An event answers an input: a person or another system does something, or time passes. An event \
              without a cause never happens.",
        bad: "event Order placed\n",
        good: "task Place order\n  raises Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B302",
        level: Process,
        severity: Remark,
        title: "nobody listens to an event",
        why: "That is allowed: some things are recorded for later. Often something is missing: a view, a rule, \
              a process.",
        bad: "task Place order\n  raises Order placed\n\nevent Order placed\n",
        good: "task Place order\n  raises Order placed\n\nevent Order placed\n\nview Kitchen board\n  \
               from Order placed\n",
    },
    Rule {
        code: "B303",
        level: Design,
        severity: Warning,
        title: "an event records nothing",
        why: "Nobody could tell what it happened to.",
        bad: "event Order placed\n",
        good: "event Order placed\n  records order\n",
    },
    Rule {
        code: "B304",
        level: Process,
        severity: Error,
        title: "nobody can do a task",
        why: "Everything that is done is done by somebody: a person, another system, or a process.",
        bad: "task Refund guest\n",
        good: "actor Cashier\n\ntask Refund guest\n  by Cashier\n",
    },
    Rule {
        code: "B305",
        level: Process,
        severity: Error,
        title: "a task changes nothing",
        why: "What a task did is known only from the events that it raised.",
        bad: "task Place order\n",
        good: "task Place order\n  raises Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B306",
        level: Design,
        severity: Warning,
        title: "nothing decides a task",
        why: "Whether a task may be done depends on what has happened before. A model remembers that.",
        bad: "task Place order\n",
        good: "task Place order\n  on Order\n\nmodel Order\n",
    },
    Rule {
        code: "B307",
        level: Design,
        severity: Error,
        title: "it is not said of what there is one model",
        why: "A decision looks at the past of one thing, or of a few: of this order, of this ticket and this bill.",
        bad: "model Order\n",
        good: "model Order\n  one per order\n",
    },
    Rule {
        code: "B308",
        level: Process,
        severity: Error,
        title: "a process asks the wrong person",
        why: "The task would lie in the inbox of somebody who may not do it.",
        bad: "actor Cook\nactor Waiter\n\ntask Cook food\n  by Cook\n\nprocess Serve\n  starts on Order placed\n    \
              ask Waiter to Cook food\n\nevent Order placed\n",
        good: "actor Cook\nactor Waiter\n\ntask Cook food\n  by Cook\n\nprocess Serve\n  starts on Order placed\n    \
               ask Cook to Cook food\n\nevent Order placed\n",
    },
    Rule {
        code: "B309",
        level: Process,
        severity: Error,
        title: "a system is told something that it does not take",
        why: "What another system takes is agreed with those who run it.",
        bad: "system Card terminal\n  takes Charge card\n\nprocess Pay\n  starts on Order placed\n    \
              tell Card terminal to Refund card\n\nevent Order placed\n",
        good: "system Card terminal\n  takes Charge card\n\nprocess Pay\n  starts on Order placed\n    \
               tell Card terminal to Charge card\n\nevent Order placed\n",
    },
    Rule {
        code: "B310",
        level: Process,
        severity: Warning,
        title: "a policy tells a system or asks a person",
        why: "A policy has no memory. After a replay it would charge every card again. A process remembers \
              what it has done.",
        bad: "actor Cook\n\ntask Cook food\n  by Cook\n\npolicy Cook what is ordered\n  whenever Order placed\n    \
              ask Cook to Cook food\n\nevent Order placed\n",
        good: "task Open bill\n\npolicy Open a bill\n  whenever Order placed\n    do Open bill\n\n\
               event Order placed\n",
    },
    Rule {
        code: "B311",
        level: Process,
        severity: Error,
        title: "it is not said of what there is one process",
        why: "Each order goes its own way through the process.",
        bad: "process Serve\n  starts on Order placed\n\nevent Order placed\n",
        good: "process Serve\n  one per order\n  starts on Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B312",
        level: Process,
        severity: Error,
        title: "a process never starts",
        why: "A process is a state machine: it begins with an event.",
        bad: "process Serve\n  on Order cooked\n\nevent Order cooked\n",
        good: "process Serve\n  starts on Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B313",
        level: Process,
        severity: Error,
        title: "a process never ends",
        why: "What never ends is kept for ever, and nobody can say how many are still open.",
        bad: "process Serve\n  starts on Order placed\n\nevent Order placed\n",
        good: "process Serve\n  starts on Order placed\n  ends on Order paid\n\nevent Order placed\n\
               event Order paid\n",
    },
    Rule {
        code: "B314",
        level: Process,
        severity: Error,
        title: "a process can wait for ever",
        why: "People forget, and other systems are down. What is done then belongs to the story.",
        bad: "process Serve\n  starts on Order placed\n  ends on Order cooked\n\nevent Order placed\n\
              event Order cooked\n",
        good: "process Serve\n  starts on Order placed\n  after 30 minutes without Order cooked\n    \
               raise Cooking timed out\n  ends on Order cooked\n\nevent Order placed\nevent Order cooked\n\
               event Cooking timed out\n",
    },
    Rule {
        code: "B315",
        level: Process,
        severity: Error,
        title: "time runs out, but it is not said without what",
        why: "A clock runs because something is awaited. If it comes, the clock stops.",
        bad: "process Serve\n  after 30 minutes\n    raise Cooking timed out\n\nevent Cooking timed out\n",
        good: "process Serve\n  after 30 minutes without Order cooked\n    raise Cooking timed out\n\n\
               event Cooking timed out\nevent Order cooked\n",
    },
    Rule {
        code: "B316",
        level: Process,
        severity: Warning,
        title: "a process tries again without a limit",
        why: "What did not work a hundred times needs a person.",
        bad: "task Print ticket\n\nprocess Deliver\n  starts on Ticket sold\n    do Print ticket\n  \
              after 1 hour without Ticket printed\n    do Print ticket\n\nevent Ticket sold\nevent Ticket printed\n",
        good: "task Print ticket\ntask Call guest\n\nprocess Deliver\n  starts on Ticket sold\n    do Print ticket\n  \
               after 1 hour without Ticket printed\n    do Print ticket\n  after 3 tries without Ticket printed\n    \
               do Call guest\n\nevent Ticket sold\nevent Ticket printed\n",
    },
    Rule {
        code: "B317",
        level: Design,
        severity: Error,
        title: "an event cannot find its process",
        why: "There is one process per order, and the event does not say which order it is about. It would go on \
              with none, or with the wrong one.",
        bad: "process Serve\n  one per order\n  starts on Order placed\n  on Order cooked\n\n\
              event Order placed\n  records order\nevent Order cooked\n  records table\n",
        good: "process Serve\n  one per order\n  starts on Order placed\n  on Order cooked\n\n\
               event Order placed\n  records order\nevent Order cooked\n  records order, table\n",
    },
    Rule {
        code: "B318",
        level: Process,
        severity: Warning,
        title: "an actor has nothing to do",
        why: "Either their tasks are missing, or they are not part of the story.",
        bad: "actor Manager\n",
        good: "actor Manager\n\ntask Write off bill\n  by Manager\n",
    },
    Rule {
        code: "B319",
        level: Design,
        severity: Warning,
        title: "a process may give up after something that nothing undoes",
        why: "A room is reserved, the payment fails, and the room stays empty.",
        bad: "task Reserve room\n  raises Room reserved\n\nprocess Book\n  starts on Trip booked\n    do Reserve room\n  \
              gives up on Payment failed\n\nevent Trip booked\nevent Room reserved\nevent Payment failed\n",
        good: "task Reserve room\n  raises Room reserved\n  undone by Release room\n\ntask Release room\n\n\
               process Book\n  starts on Trip booked\n    do Reserve room\n  gives up on Payment failed\n\n\
               event Trip booked\nevent Room reserved\nevent Payment failed\n",
    },
    Rule {
        code: "B320",
        level: Process,
        severity: Warning,
        title: "two processes ask for the same on the same event",
        why: "It would be done twice. Two ways to go on are told apart by a `when` where they start.",
        bad: "task Cook food\n\nprocess Eat first\n  starts on Order placed\n    do Cook food\n\n\
              process Pay first\n  starts on Order placed\n    do Cook food\n\nevent Order placed\n",
        good: "task Cook food\n\nprocess Eat first\n  starts on Order placed when the guest eats first\n    \
               do Cook food\n\nprocess Pay first\n  starts on Order placed when the guest pays first\n    \
               do Cook food\n\nevent Order placed\n",
    },
    Rule {
        code: "B401",
        level: Process,
        severity: Error,
        title: "nothing feeds a view",
        why: "A view is made of events and of nothing else.",
        bad: "view Kitchen board\n",
        good: "view Kitchen board\n  from Order placed\n\nevent Order placed\n",
    },
    Rule {
        code: "B402",
        level: Process,
        severity: Warning,
        title: "nobody sees a view",
        why: "A view is for somebody who decides something.",
        bad: "view Kitchen board\n",
        good: "actor Cook\n\nview Kitchen board\n  for Cook\n",
    },
    Rule {
        code: "B403",
        level: Design,
        severity: Warning,
        title: "a task is done blind",
        why: "People decide from what they see. What that is belongs to the task.",
        bad: "actor Cook\n\ntask Cook food\n  by Cook\n",
        good: "actor Cook\n\nview Kitchen board\n\ntask Cook food\n  by Cook\n  sees Kitchen board\n",
    },
    Rule {
        code: "B701",
        level: Process,
        severity: Error,
        title: "something private is used across a border of systems",
        why: "What runs elsewhere is changed by others. Only what is `public` is a promise.",
        bad: "context Tickets\n  runs elsewhere\n\nevent Ticket issued\n\ncontext Till\n\nview Tickets\n  \
              from Ticket issued\n",
        good: "context Tickets\n  runs elsewhere\n\nevent Ticket issued\n  public\n\ncontext Till\n\nview Tickets\n  \
               from Ticket issued\n",
    },
    Rule {
        code: "B702",
        level: Process,
        severity: Warning,
        title: "a task says what happened in another context",
        why: "Each context speaks for itself. What happens in another is decided there.",
        bad: "context Till\n\nevent Order paid\n\ncontext Kitchen\n\ntask Serve food\n  raises Order paid\n",
        good: "context Till\n\nevent Order paid\n\ntask Take payment\n  raises Order paid\n",
    },
];
