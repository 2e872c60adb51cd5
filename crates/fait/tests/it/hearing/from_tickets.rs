//! What the guide to receiving shows: a system that hears when tickets were issued.

use fait::app::AppBuilder;
use fait::bus::{CloudEvent, Expects, Incoming, Inlet, Receive, Received};
use fait::decision::{Context, Decide};
use fait::event::Never;
use fait::reexport::serde_json::json;
use fait::test::{message, message_of, receive};
use fait::{CommandSet, EventSet, command, data, entity_ids, event, published};

entity_ids! { PurchaseId(text) => "purchase" }

/// Tickets were issued over there.
#[event]
pub(crate) struct TicketsIssued {
    #[tag]
    pub(crate) purchase: PurchaseId,
    pub(crate) tickets: u32,
}

/// Send a thank-you
#[command]
pub(crate) struct Thank {
    pub(crate) purchase: PurchaseId,
}

/// Somebody was thanked.
#[event]
pub(crate) struct Thanked {
    #[tag]
    pub(crate) purchase: PurchaseId,
}

impl Decide for Thank {
    type Model = ();
    type Emits = Thanked;
    type Refusal = Never;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<Thanked>, Never> {
        let purchase = self.purchase.clone();
        Ok(vec![Thanked { purchase }])
    }
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Asks {
    Thank(Thank),
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Issued(TicketsIssued),
}

/// What is read of their message: no more than is needed.
#[data]
pub(crate) struct Issued {
    purchase: PurchaseId,
    tickets: u32,
}

pub(crate) struct FromTickets;

impl Receive for FromTickets {
    const SYSTEM: &'static str = "Tickets";
    type Sends = Asks; // a CommandSet: what a message may ask for here
    type Records = Heard; // an EventSet: what it may be recorded as
    fn receive(message: &CloudEvent) -> Received<Self> {
        match message.ty.as_str() {
            "com.example.tickets.issued.v1" => match message.read::<Issued>() {
                Ok(Issued { purchase, tickets }) => {
                    Incoming::Record(TicketsIssued { purchase, tickets }.into())
                }
                Err(e) => Incoming::Unknown(e.to_string()),
            },
            "com.example.tickets.collected.v1" => match message.subject.clone() {
                Some(purchase) => Incoming::Command(
                    Thank {
                        purchase: PurchaseId(purchase),
                    }
                    .into(),
                ),
                None => Incoming::Unknown("it does not say which purchase".into()),
            },
            _ => Incoming::Ignore,
        }
    }
    fn expects() -> Vec<Expects> {
        vec![Expects::of::<Issued>("com.example.tickets.issued.v1")]
    }
}

pub(crate) fn hearing(app: AppBuilder, inlet: impl Inlet) -> AppBuilder {
    app.task::<Thank>().hears::<FromTickets>("tickets", inlet)
}

#[test]
fn issued_tickets_are_recorded() {
    let issued = json!({"purchase": "p-7", "tickets": 2});
    receive::<FromTickets>()
        .given(message("com.example.tickets.issued.v1", issued))
        .then_records(TicketsIssued {
            purchase: "p-7".into(),
            tickets: 2,
        })
        .given(message(
            "com.example.tickets.issued.v1",
            json!({"purchase": "p-7"}),
        ))
        .then_unknown()
        .given(message("com.example.tickets.priced.v1", json!({})))
        .then_ignores();
}

/// Somebody has collected tickets, as the other system says it.
#[published(name = "com.example.tickets.collected")]
struct Collected {
    #[subject]
    purchase: PurchaseId,
}

#[test]
fn a_message_that_asks_for_something_is_a_command() {
    let purchase: PurchaseId = "p-7".into();
    receive::<FromTickets>()
        .given(message_of(&Collected {
            purchase: purchase.clone(),
        }))
        .then_sends(Thank { purchase });
}

fn issued() -> CloudEvent {
    message(
        "com.example.tickets.issued.v1",
        json!({"purchase": "p-7", "tickets": 2}),
    )
}

#[test]
#[should_panic(expected = "is not ignored")]
fn the_kit_says_when_it_is_not_ignored() {
    receive::<FromTickets>().given(issued()).then_ignores();
}

#[test]
#[should_panic(expected = "is something else here")]
fn the_kit_says_when_it_is_another_event() {
    receive::<FromTickets>()
        .given(issued())
        .then_records(TicketsIssued {
            purchase: "p-7".into(),
            tickets: 3,
        });
}

#[test]
#[should_panic(expected = "command Thank")]
fn the_kit_says_when_it_is_no_command() {
    let purchase: PurchaseId = "p-7".into();
    receive::<FromTickets>()
        .given(issued())
        .then_sends(Thank { purchase });
}

#[test]
#[should_panic(expected = "is understood")]
fn the_kit_says_when_it_is_understood() {
    receive::<FromTickets>().given(issued()).then_unknown();
}

#[tokio::test]
async fn it_is_wired() {
    let app = hearing(fait::App::in_memory(), fait::bus::InProcess::new());
    let manifest = app.build().unwrap().manifest();
    assert_eq!(manifest.receivers["tickets"].sends, ["Thank"]);
    assert_eq!(
        manifest.hears["Tickets"][0].ty,
        "com.example.tickets.issued.v1"
    );
}

#[test]
fn the_guide_shows_this_code() {
    let code = include_str!("from_tickets.rs");
    let guide = include_str!("../../../../../docs/guide/receiving.md");
    let from = "```rust,from=crates/fait/tests/it/hearing/from_tickets.rs\n";
    let blocks: Vec<&str> = guide
        .split(from)
        .skip(1)
        .filter_map(|b| Some(b.split_once("```")?.0))
        .collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert!(code.contains(block), "{block}");
    }
}
