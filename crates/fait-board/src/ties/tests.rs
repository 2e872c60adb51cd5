use super::{How, Ties};
use crate::note::{Kind, Target};
use crate::parse;

const BOARD: &str = "\
actor Cook
system Terminal
  takes Charge card
  sends Card charged
word order is an id
view Kitchen
  from Order placed
task Place order
  by Cook
  sees Kitchen
  asks order
  raises Order placed
  or raises Order lost when nobody looks
event Order placed
  records order
event Order lost
process Serve
  one per order
  starts on Order placed
    ask Cook to Place order
    tell Terminal to Charge card
  after 3 days without Card charged
    raise Order lost
  ends on Order lost
example E
  given Order placed with order 7
  when 3 days pass
  then Order lost
  and ask Cook to Place order
";

fn note(kind: Kind, index: usize) -> Target {
    Target::Note(kind, index)
}

#[test]
fn an_event_knows_who_raises_and_who_hears_it() {
    let ties = Ties::of(&parse(BOARD).board);
    let (placed, lost) = (note(Kind::Event, 0), note(Kind::Event, 1));
    let to = |event| -> Vec<(Target, How)> { ties.to(event).map(|t| (t.from, t.how)).collect() };
    assert_eq!(
        to(placed),
        [
            (note(Kind::View, 0), How::From),
            (note(Kind::Task, 0), How::Raises),
            (note(Kind::Process, 0), How::StartsOn),
            (note(Kind::Example, 0), How::Given),
        ]
    );
    let raised: Vec<_> = to(lost)
        .into_iter()
        .filter(|(_, how)| how.raises())
        .collect();
    assert_eq!(
        raised,
        [
            (note(Kind::Task, 0), How::OrRaises),
            (note(Kind::Process, 0), How::Raise),
        ]
    );
}

#[test]
fn messages_of_systems_are_ends_of_ties_too() {
    let ties = Ties::of(&parse(BOARD).board);
    let told: Vec<How> = ties.to(Target::Taken(0, 0)).map(|t| t.how).collect();
    let awaited: Vec<How> = ties.to(Target::Sent(0, 0)).map(|t| t.how).collect();
    assert_eq!((told, awaited), (vec![How::TellTo], vec![How::Without]));
}

#[test]
fn a_tie_knows_its_place() {
    let parsed = parse(BOARD);
    let ties = Ties::of(&parsed.board);
    for tie in ties.all() {
        assert!(BOARD.get(tie.span.bytes()).is_some_and(|t| !t.is_empty()));
    }
    let sees = ties
        .from(note(Kind::Task, 0))
        .find(|t| t.how == How::Sees)
        .unwrap();
    assert_eq!(&BOARD[sees.span.bytes()], "Kitchen");
}

#[test]
fn names_that_stand_for_nothing_give_no_tie() {
    let ties = Ties::of(&parse("task A\n  by Nobody\n  raises Nothing\n").board);
    assert_eq!(ties.all(), []);
}
