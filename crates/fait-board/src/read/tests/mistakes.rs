//! Small boards with one mistake each.

use crate::read::parse;

/// A board on which the small texts of the table stand.
pub(super) const GROUND: &str = "\
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
        "event \u{200b}A",
        "P012",
        1,
        7,
        "an unseen letter stands in this line: U+200B",
    ),
    (
        "event A\0",
        "P012",
        1,
        8,
        "an unseen letter stands in this line: U+0000",
    ),
    (
        "event A # \u{202e}txen",
        "P012",
        1,
        11,
        "an unseen letter stands in this line: U+202E",
    ),
    (
        "event A\revent B",
        "P012",
        1,
        8,
        "an unseen letter stands in this line: U+000D",
    ),
    (
        "event A\u{feff}",
        "P012",
        1,
        8,
        "an unseen letter stands in this line: U+FEFF",
    ),
    (
        "event A\n  pivo\u{ad}tal",
        "P012",
        2,
        7,
        "an unseen letter stands in this line: U+00AD",
    ),
    (
        "\u{c}",
        "P012",
        1,
        1,
        "an unseen letter stands in this line: U+000C",
    ),
    ("event \t A", "P001", 1, 7, "a tab stands in this line"),
    (
        "event A\n\u{a0} pivotal",
        "P001",
        2,
        1,
        "a blank that is not a space stands in this line",
    ),
    ("task !", "P005", 1, 1, "`task` has no name"),
    (
        "process P\n  after 0 days without Order cooked",
        "P007",
        2,
        9,
        "`0 days` is not a length of time",
    ),
    (
        "process P\n  after 0 tries without Order cooked",
        "P007",
        2,
        9,
        "`0 tries` is not a length of time",
    ),
    (
        "process P\n  after 101 years without Order cooked",
        "P007",
        2,
        9,
        "`101 years` is not a length of time",
    ),
    (
        "process P\n  after 99999999 weeks without Order cooked",
        "P007",
        2,
        9,
        "`99999999 weeks` is not a length of time",
    ),
    (
        "system Till\n  snds Drawer open\nprocess P\n  on Drawer open",
        "P003",
        2,
        3,
        "`snds` is not said of a system",
    ),
    (
        "event\tOrder paid\ntask A\n  raises Order paid",
        "P001",
        1,
        6,
        "a tab stands in this line",
    ),
    (
        "event Order\u{200b} paid\ntask A\n  raises Order paid",
        "P012",
        1,
        12,
        "an unseen letter stands in this line: U+200B",
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
