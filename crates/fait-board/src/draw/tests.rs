//! The parts of the picture: text that fits, columns in order, lanes that are not shared.

use super::columns::{Columns, Doer};
use super::plan::Plan;
use super::sheet::Sheet;
use super::strips::Strips;
use super::text::{Pen, grouped, wrap};
use super::ways::Ways;
use super::{DrawOptions, draw, style};
use crate::parse;

mod crossings;

const SMALL: &str = "\
board Small
actor Cook
actor Guest
model Kitchen
task Order food
  by Guest
  on Kitchen
  raises Food ordered
task Cook food
  by Cook
  on Kitchen
  raises Food cooked
event Food ordered
event Food cooked
event Cooking timed out
process Serve
  one per order
  starts on Food ordered
    ask Cook to Cook food within 3 minutes
  after 3 minutes without Food cooked
    raise Cooking timed out
    ask Cook to Cook food
  on Cooking timed out
    do Order food
  ends on Food cooked
policy Cheer
  whenever Food ordered, Food cooked
    do Order food
";

#[test]
fn text_is_wrapped_between_words_and_long_words_are_cut() {
    assert_eq!(wrap("Order placed", Pen::Name, 200), ["Order placed"]);
    assert_eq!(
        wrap("Order placed by somebody", Pen::Name, 80),
        ["Order", "placed by", "somebody"]
    );
    assert_eq!(wrap("  ", Pen::Name, 90), [""; 0]);
    for (text, width) in [("x".repeat(5_000), 100), ("wide ".repeat(500), 60)] {
        let lines = wrap(&text, Pen::Detail, width);
        assert!(lines.len() <= 9);
        assert!(lines.iter().all(|line| Pen::Detail.width(line) <= width));
    }
}

#[test]
fn numbers_are_grouped() {
    for (number, text) in [
        (0, "0"),
        (999, "999"),
        (1_000, "1,000"),
        (12_345_678, "12,345,678"),
    ] {
        assert_eq!(grouped(number), text);
    }
}

#[test]
fn columns_are_tasks_and_an_event_without_a_task_stands_with_its_reaction() {
    let board = parse(SMALL).board;
    let mut columns = Columns::of(&board, None);
    assert_eq!(columns.list.len(), 2);
    assert_eq!(columns.list[0].doers, [Doer::Actor(1)]);
    let strips = Strips::of(&board, &mut columns);
    assert_eq!(
        columns.home.get(&2),
        Some(&1),
        "it timed out where cooking was waited for"
    );
    let serve = &strips.list[0];
    let places: Vec<_> = serve.stands.iter().map(|(_, column)| *column).collect();
    assert_eq!(places, [0, 1, 1]);
    assert_eq!(serve.end, Some(2));
}

#[test]
fn arrows_with_different_aims_share_no_lane() {
    let board = parse(SMALL).board;
    let mut columns = Columns::of(&board, None);
    let strips = Strips::of(&board, &mut columns);
    let sheet = Sheet::of(&board, &columns, &strips, &DrawOptions::default().counts);
    let ways = Ways::of(&board, &sheet, &columns);
    let aims: Vec<_> = ways
        .nets
        .iter()
        .map(|net| (net.target, net.automatic, net.track))
        .collect();
    assert_eq!(aims, [(0, true, 1), (1, false, 0)]);
    assert_eq!(
        ways.right.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 3, 0]
    );
    assert_eq!(
        (ways.crossings.as_slice(), ways.raised.len()),
        (&[0, 1][..], 1)
    );
}

#[test]
fn cards_do_not_overlap() {
    let board = parse(SMALL).board;
    let mut columns = Columns::of(&board, None);
    let strips = Strips::of(&board, &mut columns);
    let plan = Plan::of(&board, &columns, &strips, &DrawOptions::default().counts);
    let mut cards = Vec::new();
    for cells in &plan.sheet.columns {
        cards.extend(
            cells
                .who
                .iter()
                .chain(&cells.sees)
                .chain(&cells.does)
                .chain(&cells.happened),
        );
    }
    cards.extend(plan.sheet.bars.iter().flat_map(|bar| &bar.cards));
    for rail in &plan.sheet.rails {
        cards.extend(
            rail.label
                .iter()
                .chain(rail.stands.iter().map(|stand| &stand.card)),
        );
        cards.extend(rail.ends.iter().flat_map(|(_, cards)| cards));
    }
    for (number, one) in cards.iter().enumerate() {
        assert!(
            one.right() < plan.width && one.bottom() < plan.height,
            "{}",
            one.label
        );
        for other in &cards[number + 1..] {
            let beside = one.right() <= other.x || other.right() <= one.x;
            let apart = one.bottom() <= other.y || other.bottom() <= one.y;
            assert!(beside || apart, "{} covers {}", one.label, other.label);
        }
    }
}

#[test]
fn a_page_that_forbids_styles_gets_none() {
    let board = parse(SMALL).board;
    let bare = draw(
        &board,
        &DrawOptions {
            embed_style: false,
            ..DrawOptions::default()
        },
    );
    assert!(!bare.contains("<style") && !bare.contains("style="));
    let whole = draw(&board, &DrawOptions::default());
    assert!(whole.contains("<style>") && !whole.contains("style="));
    assert!(
        !style().contains(['<', '&', '>']),
        "the style needs no escapes"
    );
}

#[test]
fn counts_are_found_by_either_name() {
    let board = parse(SMALL).board;
    let counts = [
        ("Food ordered".to_owned(), 1_200),
        ("FoodCooked".to_owned(), 7),
    ]
    .into();
    let picture = draw(
        &board,
        &DrawOptions {
            counts,
            ..DrawOptions::default()
        },
    );
    assert!(picture.contains(">1,200</text>") && picture.contains(">7</text>"));
    assert!(picture.contains("event: Food ordered, happened 1,200 times"));
}

#[test]
fn what_is_written_cannot_leave_its_place() {
    let mut board = parse("event <script>\"&'\ntask A\n  raises <script>\"&'").board;
    // The reader lets no such letter through; who builds a board may.
    board.events[0].note.name.text.push('\u{1}');
    let picture = draw(&board, &DrawOptions::default());
    assert!(!picture.contains("<script>") && !picture.contains('\u{1}'));
    assert!(picture.contains("&lt;script&gt;&quot;&amp;"));
}
