//! Two whole systems, with their logs in memory: one publishes what it issued, one hears of it.

use fait::app::AppBuilder;
use fait::bus::{CloudEvent, Incoming, Publish, Receive, Received};
use fait::decision::{Context, Decide};
use fait::event::{EventSet, Meta, Never};
use fait::query::Query;
use fait::store::{Memory, Range};
use fait::{App, Clock, command, data, entity_ids, event, published};
use std::sync::Arc;

entity_ids! { OrderId(text) => "order" }

/// Tickets were issued.
#[event]
pub(crate) struct TicketsIssued {
    #[tag]
    order: OrderId,
    number: u64,
}

/// Issue tickets
#[command]
pub(crate) struct IssueTickets {
    order: OrderId,
    number: u64,
}

impl IssueTickets {
    pub(crate) fn number(number: u64) -> IssueTickets {
        let order = OrderId((number % 10).to_string());
        IssueTickets { order, number }
    }
}

impl Decide for IssueTickets {
    type Model = ();
    type Emits = TicketsIssued;
    type Refusal = Never;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<TicketsIssued>, Never> {
        let IssueTickets { order, number } = self.clone();
        Ok(vec![TicketsIssued { order, number }])
    }
}

/// Tickets were issued, for others.
#[published(name = "com.example.tickets.tickets-issued")]
struct Issued {
    #[subject]
    order: OrderId,
    number: u64,
}

struct Announcements;

impl Publish for Announcements {
    const NAME: &'static str = "announcements";
    type Events = TicketsIssued;
    type Model = ();
    type Publishes = Issued;
    fn about(_: &TicketsIssued) {}
    fn publish(event: &TicketsIssued, (): &(), _: &Meta) -> Vec<Issued> {
        let TicketsIssued { order, number } = event.clone();
        vec![Issued { order, number }]
    }
}

/// The system that publishes; without a way out.
pub(crate) fn tickets(store: &Arc<Memory>, clock: Clock) -> AppBuilder {
    App::on(store.clone())
        .name("tickets")
        .clock(clock)
        .task::<IssueTickets>()
        .publishes::<Announcements>()
}

/// It was noted that tickets were issued.
#[event]
pub(crate) struct IssueNoted {
    #[tag]
    order: OrderId,
    number: u64,
}

/// Plan a meal
#[command]
pub(crate) struct PlanMeal {
    pub(crate) order: OrderId,
}

/// A meal was planned.
#[event]
pub(crate) struct MealPlanned {
    #[tag]
    order: OrderId,
}

impl Decide for PlanMeal {
    type Model = ();
    type Emits = MealPlanned;
    type Refusal = Never;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<MealPlanned>, Never> {
        let PlanMeal { order } = self.clone();
        Ok(vec![MealPlanned { order }])
    }
}

#[data]
struct Reads {
    order: OrderId,
    number: u64,
}

pub(crate) struct Tickets;

impl Receive for Tickets {
    const SYSTEM: &'static str = "Tickets";
    type Sends = PlanMeal;
    type Records = IssueNoted;
    fn receive(message: &CloudEvent) -> Received<Self> {
        match message.read::<Reads>() {
            Ok(Reads { order, number }) => Incoming::Record(IssueNoted { order, number }),
            Err(e) => Incoming::Unknown(e.to_string()),
        }
    }
}

/// The system that hears; without a way in.
pub(crate) fn meals(store: &Arc<Memory>, clock: Clock) -> AppBuilder {
    App::on(store.clone())
        .name("meals")
        .clock(clock)
        .task::<PlanMeal>()
}

/// The numbers that it noted, in the order of its log.
pub(crate) async fn noted(app: &App) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut after = 0;
    loop {
        let slice = app.events(&Query::all(), Range::after(after, 1000)).await;
        let slice = slice.expect("read");
        let Some(last) = slice.events.last() else {
            return numbers;
        };
        after = last.meta.position;
        let noted = slice
            .events
            .iter()
            .filter_map(|e| IssueNoted::decode(e).ok().flatten());
        numbers.extend(noted.map(|noted| noted.number));
    }
}
