//! Small boards, and what must be understood of them.

mod mistakes;

use self::mistakes::GROUND;
use super::parse;
use crate::note::{Kind, Level, Target};
use crate::notes::{Action, Occasion, Outcome, Trigger, Type};

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
fn more_blanks_between_words_are_one() {
    let parsed = parse(
        "word a  is  money  or   nothing\nword b is a  list  of  text\nactor Cook\n\
         task Cook\u{a0}food\n  refused  when  too   late\nevent Late\n\
         policy P\n  whenever  Late\n    ask  Cook  to  Cook  food  within  3  minutes\n",
    );
    assert_eq!(parsed.problems, []);
    let is: Vec<_> = parsed
        .board
        .words
        .iter()
        .flat_map(|word| &word.is)
        .collect();
    assert_eq!(
        is.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["money or nothing", "list of text",]
    );
    assert_eq!(parsed.board.tasks[0].refused_when[0].text, "too late");
}

#[test]
fn a_name_may_have_any_joiner_in_it() {
    let parsed = parse(
        "word price, net is money\nword to do with it is text\nactor Cook\ntask Pay with card\n\
         event Paid with card when late\n  records price, net, to do with it\n\
         example E\n  when Pay with card with to do with it is this, or that\n\
         \x20 then Paid with card when late\n",
    );
    assert_eq!(parsed.problems, []);
    let records: Vec<_> = parsed.board.events[0]
        .records
        .iter()
        .map(|w| w.text())
        .collect();
    assert_eq!(records, ["price, net", "to do with it"]);
    let Occasion::Fact(fact) = &parsed.board.examples[0].when[0] else {
        panic!("something is done");
    };
    assert_eq!(fact.what.text(), "Pay with card");
}

#[test]
fn letters_that_some_scripts_need_are_no_mistake() {
    let text = "event \u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}\n\
                actor \u{1f469}\u{200d}\u{1f373} Cook\n";
    assert_eq!(parse(text).problems, []);
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
