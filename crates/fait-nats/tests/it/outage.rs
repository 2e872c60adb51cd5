//! Two whole systems, and a broker that is away.

use crate::server::Server;
use crate::systems::{IssueTickets, PlanMeal, Tickets, meals, noted, tickets};
use fait::app::{Mood, OutletStatus};
use fait::bus::Outlet;
use fait::store::Memory;
use fait::{App, Clock};
use fait_nats::{Nats, Options};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

const MINUTE: Duration = Duration::from_secs(60);

/// The system that publishes, on its log.
fn relaying(nats: &Nats, store: &Arc<Memory>, clock: Clock) -> App {
    let tickets = tickets(store, clock).relays("nats", nats.outlet("tickets"));
    tickets.build().expect("it starts")
}

/// The two systems: one on its log, and the one that hears it.
fn both(nats: &Nats, store: &Arc<Memory>, clock: fn() -> Clock) -> (App, App) {
    let tickets = relaying(nats, store, clock());
    let inlet = nats.inlet("tickets", "meals");
    let meals = meals(&Arc::default(), clock()).hears::<Tickets>("tickets", inlet);
    (tickets, meals.build().expect("it starts"))
}

async fn outlet(app: &App) -> OutletStatus {
    app.bus().await.expect("read").outlets.remove(0)
}

/// Waits until it is seen that nobody is there.
async fn alone(app: &App) -> OutletStatus {
    loop {
        let stands = outlet(app).await;
        let why = stands.trouble.as_ref().map_or("", |trouble| &trouble.error);
        if why.contains("no connection to the NATS server") {
            return stands;
        }
        app.retry_outlet("nats").expect("an outlet");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for what must come; what is tried again at some time is tried at once.
async fn drained(tickets: &App, meals: &App, upto: u64) {
    loop {
        let noted = noted(meals).await;
        if noted.len() as u64 >= upto {
            return assert!(noted.into_iter().eq(1..=upto), "once and in order");
        }
        tickets.retry_outlet("nats").expect("an outlet");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_systems_go_on_for_ten_minutes_without_their_broker_and_nothing_is_lost() {
    let mut server = Server::start("");
    let nats = Nats::connect(&server.url(), Options::default())
        .await
        .expect("connected");
    let (tickets, meals) = both(&nats, &Arc::default(), Clock::by_hand);
    for number in 1..=10 {
        tickets
            .send(IssueTickets::number(number))
            .await
            .expect("issued");
    }
    drained(&tickets, &meals, 10).await;

    server.kill();
    for minute in 1..=10 {
        for n in 1..=6 {
            let number = 10 + (minute - 1) * 6 + n;
            tickets
                .send(IssueTickets::number(number))
                .await
                .expect("it goes on");
            let order = number.to_string().into();
            meals.send(PlanMeal { order }).await.expect("it goes on");
        }
        tickets.advance(MINUTE).await;
        meals.advance(MINUTE).await;
        let stands = alone(&tickets).await;
        assert_eq!(stands.waiting, minute * 6, "the lag is shown");
    }
    while meals.inlets().await.expect("read").remove(0).mood == Mood::Hears {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(noted(&meals).await.len(), 10);

    server.up();
    drained(&tickets, &meals, 70).await;
    while outlet(&tickets).await.waiting > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(outlet(&tickets).await.trouble, None);
    tickets.stop().await;
    meals.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_made_anew_stops_both_sides_until_an_operator_says_how_to_go_on() {
    let server = Server::start("");
    let nats = Nats::connect(&server.url(), Options::default())
        .await
        .expect("connected");
    let (tickets, meals) = both(&nats, &Arc::default(), Clock::machine);
    for number in 1..=5 {
        tickets
            .send(IssueTickets::number(number))
            .await
            .expect("issued");
    }
    drained(&tickets, &meals, 5).await;
    let client = async_nats::connect(server.url()).await.expect("connected");
    let context = async_nats::jetstream::new(client);
    context
        .delete_stream("fait-tickets")
        .await
        .expect("deleted");
    tickets.send(IssueTickets::number(6)).await.expect("issued");
    while outlet(&tickets).await.halted.is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(outlet(&tickets).await.waiting, 1);
    let from = fait::app::ReplayFrom::Start;
    tickets
        .replay("nats", from, "ann", Some("the stream was deleted"))
        .await
        .expect("replayed");
    loop {
        let stands = meals.inlets().await.expect("read").remove(0);
        if matches!(stands.mood, Mood::Stopped { .. }) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(noted(&meals).await.len(), 5);
    meals
        .continue_hearing("tickets", None, "operator:ann")
        .await
        .expect("it goes on");
    drained(&tickets, &meals, 6).await;
    tickets.stop().await;
    meals.stop().await;
}

/// A program on a log that others are on as well.
struct Program(Runtime);

impl Program {
    fn start(store: &Arc<Memory>, url: &str) -> Program {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a runtime");
        let (store, url) = (store.clone(), url.to_string());
        runtime.spawn(async move {
            let nats = Nats::connect(&url, Options::default())
                .await
                .expect("connected");
            let app = relaying(&nats, &store, Clock::machine());
            std::future::pending::<()>().await;
            drop(app);
        });
        Program(runtime)
    }

    /// Nothing of it goes on behind where it waits now.
    fn kill(self) {
        self.0.shutdown_background();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_programs_on_one_log_that_are_killed_hand_over_each_message_once() {
    const MESSAGES: u64 = 2000;
    let mut server = Server::start("");
    let url = server.url();
    let nats = Nats::connect(&url, Options::default())
        .await
        .expect("connected");
    let store = Arc::default();
    let (tickets, meals) = both(&nats, &store, Clock::machine);
    let mut others = [Program::start(&store, &url), Program::start(&store, &url)];
    for number in 1..=MESSAGES {
        tickets
            .send(IssueTickets::number(number))
            .await
            .expect("issued");
        if number % 100 == 0 {
            let other = &mut others[(number / 100 % 2) as usize];
            std::mem::replace(other, Program::start(&store, &url)).kill();
        }
        match number % 700 {
            0 => server.kill(),
            50 if !server.runs() => server.up(),
            _ => {}
        }
    }
    if !server.runs() {
        server.up();
    }
    drained(&tickets, &meals, MESSAGES).await;
    let reached = nats.outlet("tickets").reached().await.expect("reached");
    assert_eq!(reached.sequence, MESSAGES, "each stands there once");
    others.into_iter().for_each(Program::kill);
    tickets.stop().await;
    meals.stop().await;
}
