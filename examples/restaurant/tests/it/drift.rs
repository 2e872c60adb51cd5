//! The board of the restaurant held against its code and against what happened there: no
//! difference, and each kind of difference found and explained.

use crate::house::{House, all, open};
use fait::board::check::{Comparison, Drift, Options, Verdict, compare, strict};
use fait::board::happened::{Happened, Tally, Times};
use fait::event::{Time, minutes};
use fait::manifest::Manifest;
use insta::assert_snapshot;
use restaurant::BOARD;
use restaurant::card::Terminal;
use restaurant::orders::COOK;
use restaurant::till::ASSISTANT_MANAGER;
use std::time::Duration;

/// A board after some words of it were replaced, each of which stands there.
fn board(edits: &[(&str, &str)]) -> String {
    edits.iter().fold(BOARD.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

/// The manifest after some words of it were replaced everywhere.
fn coded(edits: &[(&str, &str)]) -> Manifest {
    let wired = restaurant::wired(fait::App::in_memory(), Terminal::new(false));
    let text = serde_json::to_string(&wired.manifest()).unwrap();
    let text = edits.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    serde_json::from_str(&text).unwrap()
}

fn held(text: &str, code: &Manifest, happened: Option<&Happened>) -> Comparison {
    let parsed = fait_board::parse(text);
    assert_eq!(parsed.problems, [], "the board is read");
    compare(&parsed.board, Some(code), happened, Options::default())
}

/// What differs between a board and the code, without what is only worth knowing.
fn differs(text: &str, code: &Manifest, happened: Option<&Happened>) -> String {
    let comparison = held(text, code, happened);
    let entries = comparison.differences().map(ToString::to_string);
    let mut lines: Vec<String> = entries.collect();
    lines.push(comparison.sum());
    lines.join("\n\n")
}

/// An evening: one order cooked twice, one forgotten by the kitchen, one that pays first.
async fn evening() -> House {
    let house = open();
    let twice = house.place("1", false).await;
    house.answer(COOK, twice).await;
    house.cook(twice, "cook:harry").await;
    house.answer(ASSISTANT_MANAGER, twice).await;
    house.place("2", false).await;
    house.place("3", true).await;
    house.app.advance(minutes(31)).await;
    house
}

async fn counted(house: &House) -> Happened {
    Tally::default()
        .count(&house.app, usize::MAX)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_board_agrees_with_the_code_and_with_what_happened() {
    let house = evening().await;
    let happened = counted(&house).await;
    let comparison = held(BOARD, &house.app.manifest(), Some(&happened));
    assert!(comparison.agrees(), "{comparison}");
    assert_snapshot!(comparison);
}

#[test]
fn the_program_starts_strictly() {
    let wired = restaurant::wired(fait::App::in_memory(), Terminal::new(false));
    assert_eq!(strict(&wired, BOARD), Ok(()));
    assert_eq!(wired.manifest(), coded(&[]));
}

#[test]
fn a_program_that_differs_does_not_start() {
    let wired = restaurant::wired(fait::App::in_memory(), Terminal::new(false));
    let drift = strict(&wired, &board(&[("by Cook\n", "by Waiter\n")])).unwrap_err();
    assert!(matches!(drift, Drift::Differs(_)));
    assert_snapshot!(drift);
    let unreadable = strict(&wired, "board Restaurant\nevnt Order placed\n").unwrap_err();
    assert_snapshot!(unreadable, @r"
    the board cannot be read
    line 2: `evnt` does not start a note
    ");
}

#[tokio::test]
async fn a_renamed_event_is_one_difference_and_explained() {
    let happened = counted(&evening().await).await;
    let renamed = coded(&[("OrderCooked\"", "DinnerReady\"")]);
    assert_snapshot!("renamed_in_the_code", differs(BOARD, &renamed, None));
    assert_snapshot!(
        "renamed_in_the_code_with_history",
        differs(BOARD, &renamed, Some(&happened))
    );
    let mut knows = renamed;
    let def = knows.events.get_mut("DinnerReady").unwrap();
    def.was.push("OrderCooked".into());
    assert_snapshot!(
        "renamed_in_the_code_which_says_so",
        differs(BOARD, &knows, Some(&happened))
    );
    let text = BOARD.replace("Order cooked", "Dinner ready").replace(
        "event Dinner ready\n",
        "event Dinner ready\n  was Order cooked\n",
    );
    assert_snapshot!(
        "renamed_on_the_board",
        differs(&text, &coded(&[]), Some(&happened))
    );
}

#[tokio::test]
async fn a_missing_task_is_found() {
    let happened = counted(&evening().await).await;
    let mut code = coded(&[]);
    code.commands.remove("PriceOrder");
    code.commands.remove("CancelOrder");
    for process in code.processes.values_mut() {
        process.sends.retain(|name| name != "PriceOrder");
    }
    assert_snapshot!(differs(BOARD, &code, Some(&happened)));
}

#[tokio::test]
async fn an_arrow_that_happened_and_is_not_drawn_is_found_and_can_be_drawn() {
    let happened = counted(&evening().await).await;
    let text = board(&[
        (
            "  or raises Order cooked twice when the order was already cooked\n",
            "",
        ),
        (
            "  on Order cooked twice\n    ask Floor manager to Sort out order\n",
            "",
        ),
        (
            "    ask Assistant manager to Price order within 10 minutes\n",
            "",
        ),
    ]);
    let comparison = held(&text, &coded(&[]), Some(&happened));
    assert_snapshot!(differs(&text, &coded(&[]), Some(&happened)));

    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let mut draws: Vec<_> = comparison
        .differences()
        .filter_map(|e| e.draw.clone())
        .collect();
    draws.sort_by_key(|draw| std::cmp::Reverse(draw.behind));
    draws.dedup();
    for draw in draws {
        lines.insert(draw.behind, draw.text);
    }
    let drawn = lines.join("\n");
    let left = held(&drawn, &coded(&[]), Some(&happened));
    assert!(left.agrees(), "{drawn}\n{left}");
}

#[test]
fn an_event_that_no_code_reads_any_more_is_found() {
    let times = Times {
        count: 3,
        last: Time(1_764_000_000_000),
    };
    let mut happened = Happened::default();
    for name in ["OrderCoked", "TableMoved", "MealTicketsIssued"] {
        happened.events.insert(name.into(), times);
    }
    let mut code = coded(&[]);
    assert_snapshot!(differs(BOARD, &code, Some(&happened)));
    code.retired
        .insert("TableMoved".into(), "tables stay".into());
    code.events.get_mut("OrderCooked").unwrap().was = vec!["OrderCoked".into()];
    happened.events.remove("MealTicketsIssued");
    let comparison = held(BOARD, &code, Some(&happened));
    assert!(comparison.agrees(), "{comparison}");
}

#[test]
fn a_changed_refusal_is_found() {
    let text = board(&[
        (
            "refused when no dishes were chosen",
            "refused when nobody chose a dish",
        ),
        (
            "refused when the food is already cooked",
            "refused when the food was cooked already",
        ),
        (
            "refused when the order has no price",
            "refused when the moon is full",
        ),
        ("  refused when the card terminal is still at it\n", ""),
    ]);
    assert_snapshot!(differs(&text, &coded(&[]), None));
    let same = board(&[(
        "refused when no dishes were chosen",
        "refused when No dishes were chosen.",
    )]);
    assert!(held(&same, &coded(&[]), None).agrees());
}

#[test]
fn a_word_more_or_less_is_found() {
    let text = board(&[
        (
            "  records order, table, dishes, pays first\n",
            "  records order, table, dishes, sponsor\n",
        ),
        (
            "  asks ingredients, cooked by\n",
            "  asks ingredient, cooked by, reason\n",
        ),
        (
            "word cooked by    is text",
            "word cooked by    is a number\nword ingredient is a list of text",
        ),
    ]);
    assert_snapshot!(differs(&text, &coded(&[]), None));
}

#[test]
fn a_wrong_role_is_found() {
    let text = board(&[(
        "task Cook food\n  by Cook\n",
        "task Cook food\n  by Waiter\n",
    )]);
    assert_snapshot!("another_actor", differs(&text, &coded(&[]), None));
    let renamed = coded(&[("\"Cook\"", "\"Kitchen hand\"")]);
    assert_snapshot!("another_role", differs(BOARD, &renamed, None));
}

#[test]
fn a_view_that_shows_or_hears_something_else_is_found() {
    let text = board(&[
        (
            "  shows order, table, dishes\n",
            "  shows order, table, reason\n",
        ),
        (
            "  from Order placed, Order spiked, Order cancelled\n",
            "  from Order placed, Order paid\n",
        ),
    ]);
    assert_snapshot!(differs(&text, &coded(&[]), None));
}

#[tokio::test]
async fn deadlines_are_held_against_how_they_were_set() {
    let happened = counted(&evening().await).await;
    let text = board(&[
        (
            "    ask Cook to Cook food within 30 minutes\n",
            "    ask Cook to Cook food within 20 minutes\n",
        ),
        (
            "  after 30 minutes without Order cooked\n    raise Cooking timed out\n    ask Cook to Cook food within 30 minutes\n",
            "  after 20 minutes without Order cooked\n    raise Cooking timed out\n    ask Cook to Cook food within 20 minutes\n",
        ),
    ]);
    assert_snapshot!(differs(&text, &coded(&[]), Some(&happened)));
}

#[test]
fn what_is_planned_and_in_the_code_is_remarked() {
    let text = board(&[("task Cook food\n", "task Cook food\n  planned\n")]);
    let comparison = held(&text, &coded(&[]), None);
    assert!(comparison.agrees());
    assert_snapshot!(comparison);
}

#[test]
fn what_is_in_the_code_only_is_found() {
    let cut = |from: &str, to: &str| {
        let (start, end) = (BOARD.find(from).unwrap(), BOARD.find(to).unwrap());
        format!("{}{}", &BOARD[..start], &BOARD[end..])
    };
    let text = cut("task Write off bill", "event Bill written off");
    let text = text.replace(
        "  after 3 tries without Card charged\n    ask Floor manager to Write off bill\n",
        "",
    );
    assert_snapshot!("a_task", differs(&text, &coded(&[]), None));
    let text = cut("policy Close the order", "task Spike order");
    assert_snapshot!("a_policy", differs(&text, &coded(&[]), None));
    let text = cut("view Kitchen board", "task Cook food").replace("  sees Kitchen board\n", "");
    assert_snapshot!("a_view", differs(&text, &coded(&[]), None));
    let text = board(&[
        (
            "  sends Card charged, Card declined\n",
            "  sends Card charged, Card swallowed\n",
        ),
        ("Card declined\n", "Card swallowed\n"),
        (
            "without Card charged, Card declined",
            "without Card charged, Card swallowed",
        ),
        (
            "  remembers Order priced, Payment started,",
            "  remembers Order priced,",
        ),
    ]);
    assert_snapshot!("a_message_and_a_memory", differs(&text, &coded(&[]), None));
}

#[test]
fn a_draft_is_held_against_its_events_only() {
    let draft = "board Restaurant\nactor Waiter\nevent Order placed\nevent Order eaten\n";
    let mut code = coded(&[]);
    code.events.retain(|name, _| name == "OrderPlaced");
    code.roles.retain(|name, _| name == "Waiter");
    (code.systems, code.receives) = Default::default();
    assert_snapshot!(differs(draft, &code, None));
}

#[tokio::test]
async fn what_did_not_happen_for_days_is_remarked() {
    let house = evening().await;
    house.app.advance(Duration::from_secs(40 * 86_400)).await;
    house.place("9", true).await;
    let happened = counted(&house).await;
    let parsed = fait_board::parse(BOARD);
    let days = Options { days: Some(30) };
    let code = house.app.manifest();
    let comparison = compare(&parsed.board, Some(&code), Some(&happened), days);
    let verdict = |name: &str| {
        let mut entries = comparison.of_note(fait_board::note::Kind::Event, name);
        entries.next().unwrap().verdict
    };
    assert_eq!(verdict("Order placed"), Verdict::Agrees);
    assert_eq!(verdict("Order cooked twice"), Verdict::NeverHappened);
    let mut lines = comparison.remarks().map(ToString::to_string);
    let cooked = lines.find(|line| line.contains("event `Order cooked`"));
    assert_snapshot!(cooked.unwrap());
}

#[tokio::test]
async fn without_a_program_the_board_is_held_against_what_happened() {
    let happened = counted(&evening().await).await;
    let text = board(&[
        (
            "  or raises Order cooked twice when the order was already cooked\n",
            "",
        ),
        ("event Order placed", "event Order plaiced"),
    ])
    .replace("Order placed", "Order plaiced");
    let parsed = fait_board::parse(&text);
    let comparison = compare(&parsed.board, None, Some(&happened), Options::default());
    assert_snapshot!(comparison);
}

#[tokio::test]
async fn counting_in_parts_is_counting_at_once() {
    let house = evening().await;
    let whole = counted(&house).await;
    assert!(whole.is_whole());
    let mut tally = Tally::default();
    let mut parts = 0;
    let in_parts = loop {
        let happened = tally.count(&house.app, 3).await.unwrap();
        parts += 1;
        if happened.is_whole() {
            break happened;
        }
        assert_eq!(happened.up_to, parts * 3);
    };
    assert!(parts > 5);
    assert_eq!(in_parts, whole);
    let mut again = Tally::default();
    for event in all(&house.app)
        .await
        .iter()
        .flat_map(|event| [event, event])
    {
        again.take(event);
    }
    let again = again.happened();
    assert_eq!((again.events, again.arrows), (whole.events, whole.arrows));
}
