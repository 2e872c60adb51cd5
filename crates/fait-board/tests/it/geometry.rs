//! What must hold in every picture, measured on the SVG itself: nothing covers anything, nothing
//! leaves the sheet, no arrow runs through a card, and all that a page relies on is there.

use std::collections::HashSet;

use fait_board::note::Kind;
use fait_board::{DrawOptions, draw, parse};
use roxmltree::{Document, Node};

use crate::boards::{BROKEN, RESTAURANT};

/// The width of a column: a model may be wider, and its text stays in its first column.
const COLUMN: i32 = 176;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Area {
    left: i32,
    top: i32,
    right: i32,
    bottom: i32,
}

struct Card<'d> {
    node: Node<'d, 'd>,
    area: Area,
    /// How far right no arrow may run: a model is passed between its columns.
    closed: i32,
    of: Option<&'d str>,
}

/// Draws a board and checks the picture.
#[track_caller]
pub(crate) fn sound(text: &str) {
    let board = parse(text).board;
    let whole = draw(&board, &DrawOptions::default());
    check(&whole);
    for chapter in board.chapters.iter().take(1) {
        let chapter = Some(chapter.note.name.text.clone());
        check(&draw(
            &board,
            &DrawOptions {
                chapter,
                ..DrawOptions::default()
            },
        ));
    }
}

#[track_caller]
fn check(picture: &str) {
    let document = Document::parse(picture).unwrap_or_else(|e| panic!("{e}: {picture}"));
    let cards = cards(&document);
    inside(&document);
    apart(&cards);
    texts_stay_in_their_cards(&cards);
    arrows_run_beside(&document, &cards);
    joined(&document);
}

fn number(node: Node<'_, '_>, name: &str) -> i32 {
    let text = node.attribute(name).unwrap_or("0");
    text.parse().unwrap_or_else(|_| panic!("{name}={text}"))
}

fn area(rect: Node<'_, '_>) -> Area {
    let (left, top) = (number(rect, "x"), number(rect, "y"));
    Area {
        left,
        top,
        right: left + number(rect, "width"),
        bottom: top + number(rect, "height"),
    }
}

fn is(node: Node<'_, '_>, class: &str) -> bool {
    let mut classes = node.attribute("class").unwrap_or_default().split(' ');
    classes.any(|found| found == class)
}

fn all<'d>(document: &'d Document<'_>) -> impl Iterator<Item = Node<'d, 'd>> {
    let root = document.root_element();
    root.descendants().filter(|node| node.is_element())
}

/// Every group with a box: notes, reactions, ends.
fn cards<'d>(document: &'d Document<'_>) -> Vec<Card<'d>> {
    let groups = all(document).filter(|node| node.has_tag_name("g"));
    let card = |node: Node<'d, 'd>| {
        let rect = node.children().find(|child| child.has_tag_name("rect"))?;
        let area = area(rect);
        let closed = match is(node, "model") {
            true => area.right.min(area.left + COLUMN),
            false => area.right,
        };
        let of = node.attribute("data-of");
        Some(Card {
            node,
            area,
            closed,
            of,
        })
    };
    groups.filter_map(card).collect()
}

#[track_caller]
fn inside(document: &Document<'_>) {
    let sheet = document.root_element();
    let (width, height) = (number(sheet, "width"), number(sheet, "height"));
    let holds = |x: i32, y: i32| (0..=width).contains(&x) && (0..=height).contains(&y);
    for node in all(document) {
        let in_marker = node.ancestors().any(|above| above.has_tag_name("marker"));
        let fits = match node.tag_name().name() {
            "rect" => {
                let area = area(node);
                holds(area.left, area.top) && holds(area.right, area.bottom)
            }
            "text" => holds(number(node, "x"), number(node, "y")),
            "path" if is(node, "arrow") && !in_marker => {
                points(node).iter().all(|(x, y)| holds(*x, *y))
            }
            _ => true,
        };
        assert!(fits, "outside of {width} × {height}: {node:?}");
    }
}

#[track_caller]
fn apart(cards: &[Card<'_>]) {
    let mut order: Vec<&Card<'_>> = cards.iter().collect();
    order.sort_by_key(|card| card.area.top);
    for (at, one) in order.iter().enumerate() {
        let below = order.iter().skip(at + 1);
        for other in below.take_while(|other| other.area.top < one.area.bottom) {
            let (a, b) = (one.area, other.area);
            let beside = a.right <= b.left || b.right <= a.left;
            assert!(beside, "{:?} covers {:?}", one.node, other.node);
        }
    }
}

#[track_caller]
fn texts_stay_in_their_cards(cards: &[Card<'_>]) {
    for Card { node, area, .. } in cards {
        let texts = node.children().filter(|child| child.has_tag_name("text"));
        for text in texts.filter(|text| !is(*text, "badge")) {
            let (x, y) = (number(text, "x"), number(text, "y"));
            let fits = area.left < x && x < area.right && area.top < y && y < area.bottom;
            assert!(fits, "{text:?} leaves {node:?}");
        }
        let told = node.children().any(|child| child.has_tag_name("title"));
        assert!(told || is(*node, "legend"), "{node:?}");
    }
}

/// The points of a path, with the corners as if they were not round.
fn points(path: Node<'_, '_>) -> Vec<(i32, i32)> {
    let d = path.attribute("d").unwrap_or_default();
    let numbers: Vec<Vec<i32>> = d
        .split(['M', 'L', 'Q'])
        .skip(1)
        .map(|piece| {
            let numbers = piece.split_whitespace();
            numbers.map(|number| number.parse().unwrap()).collect()
        })
        .collect();
    let points: Vec<(i32, i32)> = numbers.iter().map(|of| (of[0], of[1])).collect();
    assert!(points.len() > 1, "{d}");
    points
}

#[track_caller]
fn arrows_run_beside(document: &Document<'_>, cards: &[Card<'_>]) {
    for arrow in all(document).filter(|node| is(*node, "arrow")) {
        let own = arrow.attribute("data-from").filter(|_| is(arrow, "rail"));
        let points = points(arrow);
        for pair in points.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            assert!(ax == bx || ay == by, "{arrow:?} is not straight");
            let (left, right, top, bottom) = (ax.min(bx), ax.max(bx), ay.min(by), ay.max(by));
            for card in cards {
                let area = card.area;
                let beside = right <= area.left || card.closed <= left;
                // The line of a process runs behind its own reactions.
                if beside
                    || bottom <= area.top
                    || area.bottom <= top
                    || own.is_some_and(|own| card.of == Some(own))
                {
                    continue;
                }
                panic!("{arrow:?} runs through {:?}", card.node);
            }
        }
    }
}

/// Ids are unique, and whatever names an id names one that is there.
#[track_caller]
fn joined(document: &Document<'_>) {
    let mut ids = HashSet::new();
    for node in all(document) {
        let id = node.attribute("id");
        assert!(id.is_none_or(|id| ids.insert(id)), "{node:?} twice");
        assert!(id.is_none_or(|id| !id.contains(char::is_whitespace)));
    }
    for node in all(document) {
        for name in ["data-note", "data-of", "data-from", "data-to", "data-via"] {
            let known = node.attribute(name).is_none_or(|id| ids.contains(id));
            assert!(known, "{node:?}: no {name}");
        }
        for name in ["marker-start", "marker-end"] {
            let url = node.attribute(name).map(|url| {
                let url = url.trim_start_matches("url(#");
                url.trim_end_matches(')')
            });
            assert!(url.is_none_or(|id| ids.contains(id)), "{node:?}");
        }
    }
}

#[test]
fn the_pictures_of_the_boards_are_sound() {
    sound(RESTAURANT);
    sound(BROKEN);
    sound("");
}

#[test]
fn the_pictures_of_the_example_boards_are_sound() {
    for board in [
        include_str!("../../../../examples/boards/hotel.board"),
        include_str!("../../../../examples/boards/insurance.board"),
        include_str!("../../../../examples/boards/library.board"),
        include_str!("../../../../examples/boards/parcels.board"),
        include_str!("../../../../examples/boards/tickets.board"),
        include_str!("../../../../examples/courses/courses.board"),
    ] {
        sound(board);
    }
}

#[test]
fn a_board_of_sixty_tasks_is_drawn_soundly() {
    sound(&many(60));
}

#[test]
fn long_names_are_wrapped_and_not_one_letter_leaves_its_card() {
    for word in [
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen",
        "注文が入りました注文が入りました注文が入りました注文が入りました",
        "ÄÖÜẞäöüß Überprüfungsgebühr ist fällig geworden für Änderungen",
        "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
        "🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰🍰",
        "Заказ был полностью приготовлен и доставлен пользователю",
    ] {
        sound(&everything(word));
    }
}

/// A board with every kind of note, each with this name.
pub(crate) fn everything(name: &str) -> String {
    format!(
        "board {name}\n  about {name}\n  hotspot {name}\nactor {name}\nsystem {name}\n  \
         takes {name}\ncontext {name}\n  runs elsewhere\nchapter {name}\n  hotspot {name}\n\
         view {name}\n  from {name}\n  hotspot {name}\ntask {name}\n  by {name}\n  sees {name}\n  \
         asks {name}\n  on {name}\n  raises {name}\n  hotspot {name}\nevent {name}\n  \
         records {name}\n  pivotal\n  hotspot {name}\nmodel {name}\n  one per {name}\n  \
         hotspot {name}\npolicy {name}\n  whenever {name}\n    do {name}\nprocess {name}\n  \
         one per {name}\n  starts on {name} when {name}\n    ask {name} to {name} within 3 days\n  \
         after 3 days without {name}\n    tell {name} to {name}\n    raise {name}\n  \
         after 3 tries without {name}\n    do {name}\n  ends on {name}\n  gives up on {name}\n  \
         hotspot {name}\nhotspot {name}\nidea {name}\n"
    )
}

/// A board of many tasks: chapters of six, a process and a policy in each, and one process over
/// the whole story.
pub(crate) fn many(tasks: usize) -> String {
    let mut text = String::from("board Many\nactor Clerk\nactor Chief\n");
    for number in 0..tasks {
        let (chapter, last) = (number / 6, tasks - 1);
        if number % 6 == 0 {
            text += &format!("context Part {}\nchapter Chapter {chapter}\n", chapter / 2);
            text += &format!("view List {chapter}\n  from Step {number} done\n");
        }
        text += &format!(
            "task Do step {number}\n  by Clerk\n  sees List {chapter}\n  on Case {chapter}\n  \
             raises Step {number} done\n  or raises Step {number} refused when it is too late\n\
             event Step {number} done\nevent Step {number} refused\n"
        );
        if number % 6 == 5 || number == last {
            let first = chapter * 6;
            text += &format!("model Case {chapter}\n  one per case\nprocess Run {chapter}\n");
            text += &format!("  starts on Step {first} done\n    ask Clerk to Do step {number}\n");
            for step in first + 1..number {
                text += &format!(
                    "  on Step {step} done\n    ask Clerk to Do step {}\n  \
                     after {step} days without Step {step} done\n    \
                     raise Step {step} late\n    ask Chief to Do step {step}\n",
                    step + 1
                );
            }
            text += &format!("  ends on Step {number} done\npolicy Undo {chapter}\n");
            text += &format!("  whenever Step {number} refused\n    do Do step {first}\n");
        }
        text += &format!("event Step {number} late\n");
    }
    text += &format!(
        "process All\n  starts on Step 0 done\n    do Do step {}\n  ends on Step 1 done\n",
        tasks - 1
    );
    text
}

#[test]
fn the_ids_of_the_contract_are_those_of_the_names() {
    let picture = draw(&parse(RESTAURANT).board, &DrawOptions::default());
    let document = Document::parse(&picture).unwrap();
    let arrow = |class: &str, from: &str, to: &str| {
        all(&document).any(|node| {
            is(node, class)
                && node.attribute("data-from") == Some(from)
                && node.attribute("data-to") == Some(to)
        })
    };
    let id = fait_board::name::note_id;
    let (cook, order) = (id(Kind::Task, "Cook food"), id(Kind::Model, "Order"));
    let (cooked, serve) = (
        id(Kind::Event, "Order cooked"),
        id(Kind::Process, "Serve, then bill"),
    );
    assert!(arrow("down", &cook, &order) && arrow("down", &order, &cooked));
    assert!(arrow("hears", &cooked, &serve) && arrow("asks", &serve, &cook));
    assert!(arrow("feeds", &cooked, &id(Kind::View, "Kitchen board")));
    let late = id(Kind::Event, "Cooking timed out");
    assert!(arrow("raises", &serve, &late) && arrow("rail", &serve, &serve));
    let bill = id(Kind::Task, "Settle bill");
    assert!(arrow(
        "does",
        &id(Kind::Policy, "A ticket pays the bill"),
        &bill
    ));
    assert!(all(&document).any(|node| {
        node.attribute("id") == Some("reaction-serve-then-bill-1") && is(node, "reaction")
    }));
}
