//! `#[derive(Refusal)]`: texts, codes, cases.

use crate::domain::DishId;
use fait_core::decision::Refusal;
use fait_macros::Refusal;

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Reason {
    #[refused("this order was already placed")]
    AlreadyPlaced,
    #[refused("a table may have at most {0} open orders")]
    TableFull(u32),
    #[refused("{dish} costs {price:.2}, and {dish} is {{sold}} out")]
    SoldOut { dish: DishId, price: f64, at: u32 },
    #[refused("{1} before {0}")]
    Order(u32, String),
    #[refused("no value is said")]
    Quiet(u32),
    #[refused("{formatter} and {self_}")]
    Awkward { formatter: u32, self_: u32 },
}

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "fait_core")]
enum Nothing {}

#[test]
fn each_reason_says_its_sentence() {
    let sold_out = Reason::SoldOut {
        dish: "soup".into(),
        price: 4.5,
        at: 9,
    };
    let cases = [
        (Reason::AlreadyPlaced, "this order was already placed"),
        (
            Reason::TableFull(3),
            "a table may have at most 3 open orders",
        ),
        (sold_out, "soup costs 4.50, and soup is {sold} out"),
        (Reason::Order(1, "two".into()), "two before 1"),
        (Reason::Quiet(1), "no value is said"),
        (
            Reason::Awkward {
                formatter: 1,
                self_: 2,
            },
            "1 and 2",
        ),
    ];
    for (reason, sentence) in cases {
        assert_eq!(reason.to_string(), sentence);
        let error: &dyn std::error::Error = &reason;
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn codes_are_the_variants_and_cases_are_as_written() {
    assert_eq!(Reason::TableFull(3).code(), "TableFull");
    assert_eq!(Reason::CASES.len(), 6);
    assert_eq!(
        Reason::CASES[1],
        ("TableFull", "a table may have at most {0} open orders")
    );
    assert_eq!(
        Reason::CASES[2].1,
        "{dish} costs {price:.2}, and {dish} is {{sold}} out"
    );
    assert!(Nothing::CASES.is_empty());
}
