//! Small boards with one mistake each, and what must be understood of the rest.

use super::parse;
use crate::note::{Kind, Level, Target};
use crate::notes::{Action, Outcome, Trigger, Type};

/// A board on which the small texts of the table stand.
const GROUND: &str = "\
actor Cook
system Terminal
  takes Charge card
  sends Card charged
word order is an id
view Kitchen board
model Order
event Order placed
event Order cooked
task Cook food
";

/// What is added, and the one problem it gives: code, line in the added text, column, message.
type Row = (&'static str, &'static str, usize, usize, &'static str);

const TABLE: &[Row] = &[
    ("\tevent A", "P001", 1, 1, "a tab stands in this line"),
    (
        "event A\n   records order",
        "P001",
        2,
        4,
        "this line is indented by 3",
    ),
    (
        "event A\n records order\n public",
        "P001",
        2,
        2,
        "this line is indented by 1",
    ),
    (
        "event A\n    records order",
        "P001",
        2,
        5,
        "this line is indented by 4",
    ),
    (
        "event A\n  records\torder",
        "P001",
        2,
        10,
        "a tab stands in this line",
    ),
    (
        "exampel A\n  given Nothing\n    deeper",
        "P002",
        1,
        1,
        "`exampel` does not start a note",
    ),
    ("Order paid", "P002", 1, 1, "`Order` does not start a note"),
    ("by Cook", "P002", 1, 1, "`by` does not start a note"),
    (
        "event A\n  record order",
        "P003",
        2,
        3,
        "`record` is not said of an event",
    ),
    (
        "policy P\n  wenever X\n    do Y",
        "P003",
        2,
        3,
        "`wenever` is not said of a policy",
    ),
    (
        "policy P\n  do Cook food",
        "P003",
        2,
        3,
        "`do` is not said of a policy",
    ),
    (
        "policy P\n  whenever Order placed\n    doo Cook food",
        "P004",
        3,
        5,
        "`doo` is not a step",
    ),
    (
        "policy P\n  whenever Order placed\n    ask Cook food",
        "P004",
        3,
        5,
        "this `ask` is not complete",
    ),
    (
        "policy P\n  whenever Order placed\n    do",
        "P004",
        3,
        5,
        "this `do` is not complete",
    ),
    ("task", "P005", 1, 1, "`task` has no name"),
    ("event A\n  records", "P005", 2, 3, "`records` says nothing"),
    (
        "event A\n  records order,, order",
        "P005",
        2,
        17,
        "a name is missing beside this comma",
    ),
    (
        "task A\n  raises Order placed,",
        "P005",
        2,
        23,
        "a name is missing beside this comma",
    ),
    (
        "process P\n  after 3 days",
        "B315",
        2,
        3,
        "this does not say without what",
    ),
    (
        "example E\n  then refused",
        "P005",
        2,
        8,
        "this does not say why it is refused",
    ),
    (
        "example E\n  given Order placed with order",
        "P005",
        2,
        27,
        "`order` has no value",
    ),
    (
        "event A\n  public\n    do Cook food",
        "P006",
        3,
        5,
        "`do Cook food` stands under a line without steps",
    ),
    (
        "example E\n  and Order placed",
        "P006",
        2,
        3,
        "this `and` continues nothing",
    ),
    (
        "process P\n  after 3 mintes without Order cooked",
        "P007",
        2,
        9,
        "`3 mintes` is not a length of time",
    ),
    (
        "policy P\n  whenever Order placed\n    ask Cook to Cook food within soon",
        "P007",
        3,
        34,
        "`soon` is not a length of time",
    ),
    (
        "word a is mony",
        "P008",
        1,
        11,
        "`mony` is not something a word can be",
    ),
    ("word a", "P008", 1, 1, "it is not said what `a` is"),
    (
        "board B\n  level desing",
        "P009",
        2,
        9,
        "`desing` is not a level",
    ),
    (
        "event A\n  public to all",
        "P010",
        2,
        10,
        "`public` stands alone",
    ),
    (
        "board A\nboard B",
        "P011",
        2,
        1,
        "the board already has a name",
    ),
    (
        "task A\n  on Order\n  on Order",
        "P011",
        3,
        3,
        "this is already said above",
    ),
    (
        "task A\n  sees Kitchn board",
        "B101",
        2,
        8,
        "no view is called `Kitchn board`",
    ),
    (
        "task A\n  by Cooc",
        "B101",
        2,
        6,
        "no actor or system is called `Cooc`",
    ),
    (
        "task A\n  raises Cook food",
        "B101",
        2,
        10,
        "no event is called `Cook food`",
    ),
    (
        "policy P\n  whenever Order placed\n    ask Chef to Cook food",
        "B101",
        3,
        9,
        "no actor is called `Chef`",
    ),
    (
        "process P\n  starts on Order paid when it rains, or snows",
        "B101",
        2,
        13,
        "no event or message is called `Order paid`",
    ),
    (
        "event Order placed",
        "B102",
        1,
        1,
        "the event `Order placed` is on the board twice",
    ),
    (
        "word order is text",
        "B104",
        1,
        1,
        "the word `order` is explained twice",
    ),
];

#[test]
fn one_mistake_gives_one_message() {
    let above = GROUND.lines().count();
    for (text, code, line, column, message) in TABLE {
        let parsed = parse(&format!("{GROUND}{text}\n"));
        let found: Vec<_> = parsed
            .problems
            .iter()
            .map(|p| {
                (
                    p.code,
                    p.span.line - above,
                    p.span.column,
                    p.message.as_str(),
                )
            })
            .collect();
        assert_eq!(found, [(*code, *line, *column, *message)], "in:\n{text}");
    }
}

#[test]
fn the_help_of_a_mistake_says_what_to_do() {
    for (text, help) in [
        ("exampel A", "did you mean `example`?"),
        (
            "by Cook",
            "indent it by two spaces to say it of the note above",
        ),
        (
            "task A\n  sees Kitchn board",
            "did you mean `Kitchen board`?",
        ),
        ("task A\n  raises Cook food", "`Cook food` is a task"),
        ("task A\n  rasies Order placed", "did you mean `raises`?"),
        (
            "task A\n  or rasies Order placed",
            "did you mean `or raises`?",
        ),
        (
            "process P\n  after 3 mintes without Order cooked",
            "did you mean `3 minutes`?",
        ),
        ("board B\n  level desing", "did you mean `design`?"),
    ] {
        let parsed = parse(&format!("{GROUND}{text}\n"));
        let helps: Vec<_> = parsed
            .problems
            .iter()
            .filter_map(|p| p.help.as_deref())
            .collect();
        assert_eq!(helps, [help], "in:\n{text}");
    }
}

#[test]
fn a_clause_before_any_note_is_told_once() {
    let parsed = parse("  by Cook\n  sees Nothing\n    deeper\nactor Cook\n");
    let codes: Vec<_> = parsed.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["P006"]);
    assert_eq!(parsed.board.actors.len(), 1);
}

#[test]
fn mentions_of_a_note_that_could_not_be_read_are_no_second_mistake() {
    let parsed = parse("evnt Order paid\ntask Pay\n  raises Order paid\n");
    let codes: Vec<_> = parsed.problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["P002"]);
}

#[test]
fn the_longest_known_name_wins() {
    let parsed = parse(
        "actor Waiter\nactor Waiter to be\ntask Hand over to waiter\ntask Wait within reason\n\
         event Ready\nevent Ready when cold\nprocess Serve, then bill\n\
         \x20 starts on Ready, Ready when cold when the guest is in, or not\n\
         \x20   ask Waiter to Hand over to waiter within 3 minutes\n\
         \x20   ask Waiter to be to Wait within reason\n",
    );
    assert_eq!(parsed.problems, []);
    let reaction = &parsed.board.processes[0].reactions[0];
    let Trigger::Starts(events, Some(when)) = &reaction.trigger else {
        panic!("it starts with a condition");
    };
    assert_eq!(events[1].text(), "Ready when cold");
    assert_eq!(when.text, "the guest is in, or not");
    let Action::Ask {
        actor,
        task,
        within: Some(within),
    } = &reaction.steps[0].action
    else {
        panic!("it asks with a deadline");
    };
    assert_eq!(
        (actor.text(), task.text()),
        ("Waiter", "Hand over to waiter")
    );
    assert_eq!(
        (within.seconds(), within.to_string().as_str()),
        (180, "3 minutes")
    );
    let Action::Ask {
        actor,
        task,
        within: None,
    } = &reaction.steps[1].action
    else {
        panic!("it asks without a deadline");
    };
    assert_eq!(
        (actor.text(), task.text()),
        ("Waiter to be", "Wait within reason")
    );
}

#[test]
fn a_message_of_a_system_is_not_an_event() {
    let parsed = parse(&format!(
        "{GROUND}process P\n  on Card charged\n    tell Terminal to Charge card\n"
    ));
    assert_eq!(parsed.problems, []);
    let reaction = &parsed.board.processes[0].reactions[0];
    assert_eq!(
        reaction.trigger.events()[0].target,
        Some(Target::Sent(0, 0))
    );
    let Action::Tell { system, message } = &reaction.steps[0].action else {
        panic!("it tells a system");
    };
    assert_eq!(system.target, Some(Target::Note(Kind::System, 0)));
    assert_eq!(message.target, Some(Target::Taken(0, 0)));
}

#[test]
fn values_of_an_example_may_hold_commas() {
    let parsed = parse(&format!(
        "{GROUND}word dishes is a list of text\nexample E\n\
         \x20 given Order placed with dishes cake, soup, order 7\n  then Kitchen board shows cake\n"
    ));
    assert_eq!(parsed.problems, []);
    let example = &parsed.board.examples[0];
    let with: Vec<_> = example.given[0]
        .with
        .iter()
        .map(|(word, value)| (word.text(), &*value.text))
        .collect();
    assert_eq!(with, [("dishes", "cake, soup"), ("order", "7")]);
    assert!(matches!(&example.then[0], Outcome::Shows(view, what)
        if view.text() == "Kitchen board" && what.text == "cake"));
}

#[test]
fn types_nest() {
    let parsed = parse(
        "word a is a list of one of Red, Blue or nothing\nword b is yes or no\n\
         word c is money or nothing\nword d is is text\n",
    );
    assert_eq!(parsed.problems, []);
    let types: Vec<_> = parsed
        .board
        .words
        .iter()
        .flat_map(|w| &w.is)
        .map(Type::to_string)
        .collect();
    let expected = [
        "list of one of Red, Blue or nothing",
        "yes or no",
        "money or nothing",
        "text",
    ];
    assert_eq!(types, expected);
    assert_eq!(parsed.board.words[3].note.name.text, "d is");
}

#[test]
fn contexts_and_chapters_may_be_reopened() {
    let parsed =
        parse("context A\nevent X\ncontext B\nevent Y\ncontext A\n  runs elsewhere\nevent Z");
    assert_eq!(parsed.problems, []);
    let board = parsed.board;
    let contexts: Vec<_> = board
        .events
        .iter()
        .map(|event| event.note.context)
        .collect();
    assert_eq!(contexts, [Some(0), Some(1), Some(0)]);
    assert_eq!(board.contexts[0].reopened.len(), 1);
    assert!(board.contexts[0].runs_elsewhere.is_some());
}

#[test]
fn line_ends_marks_and_comments_keep_their_places() {
    let text =
        "\u{feff}board B # top\r\n  level process\r\n\r\n# alone\r\nhotspot Who pays #4?\r\n";
    let parsed = parse(text);
    assert_eq!(parsed.problems, []);
    assert_eq!(parsed.board.level, Level::Process);
    let comments: Vec<_> = parsed
        .comments
        .iter()
        .map(|c| (&*c.text.text, c.text.span.line, c.text.span.column, c.alone))
        .collect();
    assert_eq!(
        comments,
        [
            ("# top", 1, 9, false),
            ("# alone", 4, 1, true),
            ("#4?", 5, 18, false)
        ]
    );
    for comment in &parsed.comments {
        assert_eq!(&text[comment.text.span.bytes()], comment.text.text);
    }
}
