//! What is no mistake, though it looks like one, and what is one, though it hardly shows.

use fait_board::note::Level;
use fait_board::{LintOptions, Problem, Severity, lint, parse};

/// The codes of all that is wrong with a board at level design, without remarks.
fn codes(board: &str) -> Vec<&'static str> {
    let options = LintOptions {
        level: Some(Level::Design),
        ..LintOptions::default()
    };
    let problems = lint(&parse(board), &options);
    let weighty = problems
        .into_iter()
        .filter(|p| p.severity != Severity::Remark);
    weighty.map(|p| p.code).collect()
}

/// Whether a board at level design breaks one rule.
fn breaks(code: &str, board: &str) -> bool {
    let options = LintOptions {
        level: Some(Level::Design),
        ..LintOptions::default()
    };
    let problems: Vec<Problem> = lint(&parse(board), &options);
    problems.iter().any(|problem| problem.code == code)
}

#[test]
fn what_a_view_works_out_no_event_records() {
    let board = |clause: &str| {
        format!(
            "view Shelf\n  from Book lent\n  shows book\n  {clause}\n\nevent Book lent\n  records book\n"
        )
    };
    assert!(breaks("B404", &board("shows times lent")));
    assert!(!breaks("B404", &board("works out times lent")));
    // It is a word of the board all the same.
    assert!(breaks("B501", &board("works out times lent")));
}

#[test]
fn what_is_missing_may_be_what_could_not_be_read() {
    let whole = "event Order placed\n";
    assert!(breaks("B303", whole));
    // One mistake, one message: the misspelt line said what is recorded.
    let torn = "event Order placed\n  recrods order\n";
    assert!(!breaks("B303", torn));
    assert!(breaks("P003", torn));
    // The mistake of one note excuses no other.
    let other = "event Order placed\n\nevent Order paid\n  recrods order\n";
    assert!(breaks("B303", other));
}

#[test]
fn a_note_that_is_on_the_board_twice_is_one_mistake() {
    let twice = "actor W\nword order is an id\nevent Order placed\n  records order\n";
    let again = "event Order placed\n";
    let found = codes(&format!("{twice}{again}"));
    assert_eq!(found, ["B318", "B301", "B102"]);
}

#[test]
fn a_name_that_stands_for_nothing_is_one_mistake() {
    // Who does it, what it sees and what feeds the view is said, if wrongly.
    let board = "task Serve\n  by Wiater\n  sees Tabels\n  on Odrer\n  raises Food servd\n\n\
                 view Tables\n  from Food servd\n  for Wiater\n";
    assert_eq!(codes(board), ["B101"; 6]);
}

#[test]
fn another_systems_inside_is_not_ours_to_complete() {
    let board = "word ticket is an id\n\ncontext Tickets\n  runs elsewhere\n\n\
                 task Issue ticket\n\nevent Ticket issued\n  records ticket\n\nmodel Ticket\n\n\
                 view Tickets\n";
    assert_eq!(codes(board), [""; 0]);
}

#[test]
fn an_undo_is_reached_by_what_it_undoes() {
    let task = "task Release room\n";
    assert!(breaks("B304", task));
    assert!(!breaks(
        "B304",
        &format!("{task}task Reserve room\n  public\n  undone by Release room\n")
    ));
}

#[test]
fn an_example_raises_asks_and_hears_nothing() {
    let board = "actor Cook\ntask Cook food\nevent Order placed\nexample One\n  \
                 given Order placed\n  when 1 hour passes\n  then ask Cook to Cook food\n  \
                 and raise Order placed\n";
    for code in ["B301", "B302", "B304", "B318"] {
        assert!(breaks(code, board), "{code}");
    }
}

#[test]
fn a_system_may_send_what_happened() {
    let event = "event Card charged\n";
    assert!(breaks("B301", event));
    let system = "system Card terminal\n  sends Card charged\n";
    assert!(!breaks("B301", &format!("{system}{event}")));
}

#[test]
fn the_view_of_an_actor_is_something_to_do() {
    assert!(!breaks("B318", "actor Owner\nview Takings\n  for Owner\n"));
}

#[test]
fn a_system_is_never_blind() {
    let board = "system Till\nactor Cashier\ntask Pay\n  by Till\n";
    assert!(!breaks("B403", board));
    assert!(breaks("B403", &format!("{board}  by Cashier\n")));
}

#[test]
fn words_are_known_from_what_is_remembered() {
    let board = |remembers: &str| {
        format!(
            "task Settle bill\n  on Bill\n  raises Order paid\n\nmodel Bill\n  one per order\n  \
             remembers {remembers}\n\nevent Order priced\n  records total\n\n\
             event Order paid\n  records order, total\n"
        )
    };
    assert!(!breaks("B502", &board("Order priced")));
    assert!(!breaks("B502", &board("Order priced, Order padi")));
    let forgets = board("Order priced").replace("  remembers Order priced\n", "");
    assert!(breaks("B502", &forgets));
}

#[test]
fn words_are_known_from_what_a_process_hears() {
    let board = "process Serve\n  one per order\n  starts on Order placed\n    raise Cook called\n\n\
                 event Order placed\n  records order, table\n\n\
                 event Cook called\n  records order, table\n";
    assert!(!breaks("B502", board));
    assert!(breaks(
        "B502",
        &board.replace("order, table\n\n", "order\n\n")
    ));
}

#[test]
fn what_is_recorded_anew_may_be_asked_anew() {
    let board = |records: &str| {
        format!(
            "task Move guest\n  asks booking, room\n  on Stay\n  raises Guest moved\n\n\
             model Stay\n  one per booking\n  remembers Guest checked in\n\n\
             event Guest checked in\n  records booking, room\n\n\
             event Guest moved\n  records {records}\n"
        )
    };
    assert!(!breaks("B503", &board("booking, room")));
    assert!(breaks("B503", &board("booking")));
}

#[test]
fn another_person_is_no_second_try() {
    let process = |again: &str| {
        format!(
            "actor Cook\nactor Manager\ntask Cook food\n  by Cook, Manager\n\n\
             process Serve\n  starts on Order placed\n    ask Cook to Cook food\n  \
             after 30 minutes without Order cooked\n    ask {again} to Cook food\n\n\
             event Order placed\nevent Order cooked\n"
        )
    };
    assert!(!breaks("B316", &process("Manager")));
    assert!(breaks("B316", &process("Cook")));
}

#[test]
fn an_event_finds_its_process_by_another_name() {
    let board = |known: &str| {
        format!(
            "process Feed\n  one per sponsor\n{known}  starts on Sponsor won\n  \
             on Tickets issued\n\nevent Sponsor won\n  records sponsor\n\n\
             event Tickets issued\n  records booking\n"
        )
    };
    assert!(!breaks("B317", &board("  also known by booking\n")));
    assert!(breaks("B317", &board("")));
    // The first event gives a process its key.
    let starts = board("  also known by booking\n").replace("records sponsor", "records booking");
    assert!(breaks("B317", &starts));
}

#[test]
fn what_ends_the_process_or_undoes_needs_no_undoing() {
    let board = "task Charge card\n  raises Card charged\n  or raises Payment failed\n\n\
                 task Send ticket\n  raises Ticket sent\n\ntask Reserve\n  undone by Release\n\n\
                 task Release\n  raises Seat released\n\n\
                 process Book\n  starts on Seat wanted\n    do Charge card\n    do Send ticket\n    \
                 do Reserve\n  on Seat lost\n    do Release\n  ends on Ticket sent\n  \
                 gives up on Payment failed\n\nevent Seat wanted\nevent Seat lost\n\
                 event Card charged\nevent Payment failed\nevent Ticket sent\nevent Seat released\n";
    assert!(!breaks("B319", board));
    assert!(breaks(
        "B319",
        &board.replace("  or raises Payment failed\n", "")
    ));
    assert!(breaks(
        "B319",
        &board.replace("  undone by Release\n", "  raises Seat lost\n")
    ));
}

#[test]
fn only_what_may_run_at_the_same_time_asks_twice() {
    let board = |first: &str, second: &str| {
        format!(
            "task Price\n\nprocess One\n  starts on Order placed{first}\n  on Order cooked\n    \
             do Price\n\nprocess Two\n  starts on Order placed{second}\n  on Order cooked\n    \
             do Price\n\nevent Order placed\nevent Order cooked\n"
        )
    };
    assert!(breaks("B320", &board("", "")));
    assert!(breaks("B320", &board(" when it rains", " when it rains")));
    assert!(breaks("B320", &board("", " when it rains")));
    assert!(breaks("B320", &board(" when it rains", "")));
    assert!(!breaks(
        "B320",
        &board(" when it rains", " when the sun shines")
    ));
    // What begins with something else is something else.
    let other = board("", "").replacen("starts on Order placed", "starts on Order phoned in", 1);
    assert!(!breaks("B320", &format!("{other}event Order phoned in\n")));
    // A policy is always there.
    let policy = "policy Price it\n  whenever Order cooked\n    do Price\n";
    let one = board(" when it rains", " when the sun shines");
    assert!(breaks("B320", &format!("{one}{policy}")));
    assert!(breaks("B320", &format!("{policy}{one}")));
}

#[test]
fn within_one_system_nothing_has_to_be_public() {
    let board =
        "context Kitchen\nevent Food cooked\n\ncontext Till\nview Bills\n  from Food cooked\n";
    assert!(!breaks("B701", board));
    let elsewhere = board.replace("context Till\n", "context Till\n  runs elsewhere\n");
    assert!(breaks("B701", &elsewhere));
}

#[test]
fn a_view_may_be_shown_without_doing_anything() {
    let view = "view Tables\nevent Order placed\nexample One\n  given Order placed\n  ";
    assert!(!breaks("B603", &format!("{view}then Tables shows 4\n")));
    assert!(breaks("B603", &format!("{view}then Order placed\n")));
}

#[test]
fn the_words_of_the_glossary_win() {
    let event = "event Table synced\n  records table\n";
    assert!(breaks("B202", event));
    // `synced` is still not what an expert says.
    assert!(breaks("B202", &format!("word table is a number\n{event}")));
    let taken = event.replace("synced", "taken");
    assert!(!breaks("B202", &format!("word table is a number\n{taken}")));
}

#[test]
fn names_are_judged_in_their_language() {
    let board = |language: &str, event: &str| format!("board B\n{language}event {event}\n");
    let german = "  language German\n";
    assert!(!breaks("B201", &board(german, "Bestellung aufgegeben")));
    assert!(breaks("B201", &board(german, "Order placed")));
    assert!(breaks("B201", &board("", "Bestellung aufgegeben")));
    // Without word lists nothing is said of names, but that.
    let unknown = board("  language Klingon\n", "Row update");
    assert!(breaks("B200", &unknown));
    assert!(!breaks("B201", &unknown) && !breaks("B202", &unknown));
}
