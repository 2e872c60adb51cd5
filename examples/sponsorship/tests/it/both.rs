//! Both systems, their clocks moved by hand: over the bus inside one program, and over HTTP.

use fait::Clock;
use fait::app::{App, Asked, Envelope, SendError, System, TellError, Told, Uncertain};
use fait::bus::InProcess;
use fait::event::{EntityId, StoredEvent, hours};
use fait::query::Query;
use fait::store::{BoxFuture, Range};
use fait_web::{Clients, Site};
use serde_json::Value;
use sponsorship::events::{Level, SponsorId};
use sponsorship::sponsors::{BookSponsorTickets, OnboardSponsor, SPONSOR_MANAGER, SignContract};
use sponsorship::{TOKEN, door_at, feed_at};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tickets::days::OpenDay;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The open door inside one program.
#[derive(Clone, Default)]
struct Door(Arc<Mutex<Option<App>>>);

impl Door {
    fn leads_to(&self, app: Option<App>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = app;
    }
}

impl System for Door {
    fn tell(&self, told: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        let app = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| TellError::later("nobody is there"))?;
            let envelope = Envelope {
                id: Some(told.id),
                actor: Some("client:sponsorship".into()),
                correlation: Some(told.correlation),
                causation: Some(told.cause),
                ..Envelope::default()
            };
            match app.send_json(&told.name, told.body, envelope).await {
                Ok(_) => Ok(()),
                Err(SendError::Refused(no)) => Err(TellError::refused(no.code, no.message)),
                Err(e) => Err(TellError::later(e)),
            }
        })
    }
    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// A wire that can be cut: then what is under way on it is torn, and nobody answers.
struct Wire {
    address: String,
    whole: watch::Sender<bool>,
}

impl Wire {
    async fn to(other: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (whole, seen) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut seen = seen.clone();
                tokio::spawn(async move {
                    if *seen.borrow_and_update() {
                        let mut far = TcpStream::connect(other).await.unwrap();
                        tokio::select! {
                            _ = copy_bidirectional(&mut near, &mut far) => {}
                            _ = seen.wait_for(|whole| !whole) => {}
                        }
                    }
                });
            }
        });
        Wire { address, whole }
    }

    fn carries(&self, whole: bool) {
        self.whole.send_replace(whole);
    }
}

/// The house with a day that is open.
async fn house(clock: &Clock, places: u32) -> App {
    let app = tickets::wired(App::in_memory().clock(clock.clone()));
    let app = app.build().unwrap();
    let day = OpenDay {
        day: "Friday".into(),
        places,
    };
    app.send(day).await.unwrap();
    app
}

/// The ways between them.
enum Ways {
    /// Inside one program.
    Near(Door, InProcess),
    /// Over HTTP: a wire for the open door, and one for what is published.
    Far(Wire, Wire),
}

/// Both systems on one clock, and the two ways between them, each of which can be cut.
struct Both {
    tickets: App,
    sponsors: App,
    ways: Ways,
}

impl Both {
    /// Inside one program, and over HTTP.
    async fn each(places: u32) -> [Both; 2] {
        [Both::near(places).await, Both::far(places).await]
    }

    async fn near(places: u32) -> Both {
        let clock = Clock::by_hand();
        let tickets = house(&clock, places).await;
        let (door, bus) = (Door::default(), InProcess::new());
        let office = App::in_memory().clock(clock);
        let office = sponsorship::wired(office, door.clone(), bus.clone());
        let both = Both {
            sponsors: office.build().unwrap(),
            tickets,
            ways: Ways::Near(door, bus),
        };
        both.door(true);
        both.bus(true);
        both
    }

    async fn far(places: u32) -> Both {
        let clock = Clock::by_hand();
        let tickets = house(&clock, places).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients = Clients::read(tickets::CLIENTS).unwrap();
        let site = Site::new(tickets.clone()).clients(clients);
        let app = tickets.clone();
        tokio::spawn(site.serve(listener, async move { app.stopping().await }));
        let (door, feed) = (Wire::to(address).await, Wire::to(address).await);
        let office = sponsorship::wired(
            App::in_memory().clock(clock),
            door_at(&door.address, TOKEN).unwrap(),
            feed_at(&feed.address, TOKEN).unwrap(),
        );
        Both {
            sponsors: office.build().unwrap(),
            tickets,
            ways: Ways::Far(door, feed),
        }
    }

    /// Whether what is asked comes through.
    fn door(&self, open: bool) {
        match &self.ways {
            Ways::Near(door, _) => door.leads_to(open.then(|| self.tickets.clone())),
            Ways::Far(door, _) => door.carries(open),
        }
    }

    /// Whether messages come through.
    fn bus(&self, open: bool) {
        match &self.ways {
            Ways::Near(_, bus) if open => bus.connect(self.tickets.clone()),
            Ways::Near(_, bus) => bus.disconnect(),
            Ways::Far(_, feed) => feed.carries(open),
        }
    }

    async fn onboard(&self, name: &str, level: Level) -> SponsorId {
        let sponsor = SponsorId::named(name);
        let sign = SignContract {
            sponsor,
            sponsor_name: name.into(),
        };
        self.sponsors.send(sign).await.unwrap();
        let onboard = OnboardSponsor { sponsor, level };
        self.sponsors.send(onboard).await.unwrap();
        sponsor
    }

    /// Time passes, hour by hour, with what is under way between the systems at each.
    async fn pass(&self, n: u64) {
        for _ in 0..n {
            self.settle(false).await;
            self.sponsors.advance(hours(1)).await;
        }
    }

    /// Until nothing is under way in either, nor between them if messages can come through.
    async fn settle(&self, heard: bool) {
        let begun = Instant::now();
        let mut quiet = 0;
        while quiet < 2 {
            self.sponsors.settle().await;
            self.tickets.settle().await;
            let said = count(&self.tickets, "$MessagePublished").await;
            let came = count(&self.sponsors, "$MessageReceived").await;
            quiet = if !heard || said == came { quiet + 1 } else { 0 };
            // Not a bound on speed: without an end the test would hang for ever.
            let hangs = begun.elapsed() > Duration::from_secs(120);
            assert!(!hangs, "{said} messages were published, and {came} came");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// What happened to a sponsor, in the words of the board.
    async fn told(&self, sponsor: SponsorId) -> Vec<String> {
        let events = all(&self.sponsors).await.into_iter();
        let of = events.filter(|e| e.tags.contains(&sponsor.tag()));
        of.map(|e| e.ty).filter(|t| !t.starts_with('$')).collect()
    }

    fn asked(&self, sponsor: SponsorId) -> Option<Asked> {
        let inbox = self.sponsors.inbox(SPONSOR_MANAGER, 100).unwrap();
        inbox.into_iter().find(|a| a.key == sponsor.to_string())
    }

    /// How many processes run.
    async fn running(&self) -> u64 {
        let all = self.sponsors.processes().await.unwrap();
        all.iter()
            .map(|p| p.instances.running + p.instances.parked)
            .sum()
    }

    async fn close(self) {
        self.sponsors.stop().await;
        self.tickets.stop().await;
    }
}

async fn all(app: &App) -> Vec<StoredEvent> {
    let range = Range::after(0, 10_000);
    app.events(&Query::all(), range).await.unwrap().events
}

async fn count(app: &App, ty: &str) -> usize {
    all(app).await.iter().filter(|e| e.ty == ty).count()
}

fn data(event: &StoredEvent) -> Value {
    serde_json::from_slice(&event.data).unwrap()
}

const BEGUN: [&str; 2] = ["ContractSigned", "SponsorOnboarded"];

fn begun_and(more: &[&str]) -> Vec<String> {
    BEGUN.iter().chain(more).map(ToString::to_string).collect()
}

#[tokio::test]
async fn each_level_gets_its_tickets_from_a_system_that_knows_no_sponsors() {
    for both in Both::each(40).await {
        for (name, level) in [
            ("Mill", Level::Gold),
            ("Bank", Level::Silver),
            ("Ferry", Level::Bronze),
        ] {
            let sponsor = both.onboard(name, level).await;
            both.settle(true).await;
            assert_eq!(
                both.told(sponsor).await,
                begun_and(&["SponsorTicketsBooked"])
            );
            let booked = all(&both.sponsors).await;
            let booked = booked
                .iter()
                .rfind(|e| e.ty == "SponsorTicketsBooked")
                .unwrap();
            assert_eq!(data(booked)["tickets"], level.tickets());
        }
        assert_eq!(count(&both.tickets, "MealTicketsIssued").await, 3);
        assert_eq!(both.running().await, 0);
        let known = all(&both.tickets).await;
        let known = known
            .iter()
            .any(|e| String::from_utf8_lossy(&e.data).contains("Mill"));
        assert!(!known, "the other system was told of a sponsor");
        both.close().await;
    }
}

/// One flow: everything in both logs that came of a sponsor has the correlation of the first.
#[tokio::test]
async fn one_flow_goes_through_both_logs() {
    for both in Both::each(40).await {
        let sponsor = both.onboard("Mill", Level::Gold).await;
        both.settle(true).await;
        let ours = all(&both.sponsors).await;
        let onboarded = ours.iter().find(|e| e.ty == "SponsorOnboarded").unwrap();
        let flow = onboarded.meta.origin.correlation;
        let of = |events: Vec<StoredEvent>| -> Vec<String> {
            let of = events
                .into_iter()
                .filter(|e| e.meta.origin.correlation == flow);
            of.map(|e| e.ty)
                .filter(|t| !t.starts_with("$Process"))
                .collect()
        };
        assert!(of(all(&both.tickets).await).contains(&"MealTicketsIssued".to_string()));
        let ours = of(ours);
        for ty in ["MealTicketsIssued", "SponsorTicketsBooked"] {
            assert!(
                ours.contains(&ty.to_string()),
                "{ty} is of another flow: {ours:?}"
            );
        }
        assert!(both.asked(sponsor).is_none());
        both.close().await;
    }
}

#[tokio::test]
async fn a_day_that_is_sold_out_is_settled_by_a_person() {
    for both in Both::each(3).await {
        let sponsor = both.onboard("Mill", Level::Gold).await;
        both.settle(true).await;
        assert_eq!(
            both.told(sponsor).await,
            begun_and(&["SponsorTicketsDelayed"])
        );
        let asked = both.asked(sponsor).expect("the manager is not asked");
        let booking = asked.open.issued.body["booking"].as_str().unwrap();
        let book = BookSponsorTickets {
            sponsor,
            booking: booking
                .parse::<fait::reexport::uuid::Uuid>()
                .unwrap()
                .into(),
            tickets: 5,
        };
        let sent = both.sponsors.send(book).by("manager:eve");
        sent.answering(asked.open.issued.id).await.unwrap();
        both.settle(true).await;
        let told = begun_and(&["SponsorTicketsDelayed", "SponsorTicketsBooked"]);
        assert_eq!(both.told(sponsor).await, told);
        assert_eq!((both.running().await, both.asked(sponsor)), (0, None));
        assert_eq!(count(&both.tickets, "MealTicketsIssued").await, 0);
        both.close().await;
    }
}

#[tokio::test]
async fn a_system_that_is_not_there_is_asked_again_and_answers_once() {
    for both in Both::each(40).await {
        both.door(false);
        let sponsor = both.onboard("Mill", Level::Gold).await;
        both.pass(2).await;
        let told = begun_and(&["SponsorTicketsDelayed", "SponsorTicketsDelayed"]);
        assert_eq!(both.told(sponsor).await, told);
        both.door(true);
        both.pass(1).await;
        both.settle(true).await;
        assert_eq!(count(&both.tickets, "MealTicketsIssued").await, 1);
        assert_eq!(count(&both.sponsors, "SponsorTicketsBooked").await, 1);
        assert_eq!(both.running().await, 0);
        both.close().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_hours_late_is_booked_once_and_nothing_is_issued_twice() {
    for both in Both::each(40).await {
        both.bus(false);
        let sponsor = both.onboard("Mill", Level::Gold).await;
        both.pass(3).await;
        assert_eq!(count(&both.sponsors, "SponsorTicketsDelayed").await, 3);
        assert_eq!(count(&both.tickets, "MealTicketsIssued").await, 1);
        both.bus(true);
        both.settle(true).await;
        assert_eq!(count(&both.tickets, "MealTicketsIssued").await, 1);
        assert_eq!(count(&both.sponsors, "SponsorTicketsBooked").await, 1);
        assert!(both.asked(sponsor).is_none());
        assert_eq!(both.running().await, 0);
        both.close().await;
    }
}

#[tokio::test]
async fn after_five_tries_a_person_is_asked_and_an_answer_after_all_takes_it_off_them() {
    for both in Both::each(40).await {
        both.bus(false);
        let sponsor = both.onboard("Mill", Level::Gold).await;
        both.pass(4).await;
        assert!(both.asked(sponsor).is_none(), "it is too early for that");
        both.pass(1).await;
        assert!(both.asked(sponsor).is_some(), "the manager is not asked");
        both.pass(3).await;
        assert_eq!(count(&both.sponsors, "SponsorTicketsDelayed").await, 5);
        both.bus(true);
        both.settle(true).await;
        assert!(both.asked(sponsor).is_none(), "the manager is still asked");
        assert_eq!(count(&both.sponsors, "SponsorTicketsBooked").await, 1);
        assert_eq!(both.running().await, 0);
        both.close().await;
    }
}
