//! One flow through two systems: a sponsor is signed in one, which tells the other to issue
//! tickets for meals.

use crate::called::told;
use fait::app::{App, AppBuilder, Envelope, SendError, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, StoredEvent};
use fait::process::{Input, Outbox, Process};
use fait::reexport::serde_json::{Value, from_str, json};
use fait::reexport::uuid::Uuid;
use fait::store::BoxFuture;
use fait::trace::{Step, timeline};
use fait::{Clock, CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use fait_web::Site;
use insta::assert_snapshot;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

entity_ids! { SponsorId(text) => "sponsor" }

/// A sponsor was signed.
#[event]
struct SponsorSigned {
    #[tag]
    sponsor: SponsorId,
    meals: u32,
}

/// The meals are booked.
#[event]
struct MealsBooked {
    #[tag]
    sponsor: SponsorId,
}

/// Tickets were issued.
#[event]
struct TicketsIssued {
    #[tag]
    sponsor: SponsorId,
    meals: u32,
}

#[derive(EventSet)]
enum Any {
    Signed(SponsorSigned),
    Issued(TicketsIssued),
}

#[derive(Default)]
struct Nothing;

impl Model for Nothing {
    type Key = SponsorId;
    type Events = Any;
    fn evolve(&mut self, event: Any) {
        match event {
            Any::Signed(_) | Any::Issued(_) => {}
        }
    }
}

/// Sign a sponsor
#[command(by = "Organiser", starts)]
struct SignSponsor {
    /// Who?
    sponsor: SponsorId,
    /// How many meals?
    meals: u32,
}

impl Decide for SignSponsor {
    type Model = Nothing;
    type Emits = SponsorSigned;
    type Refusal = Never;
    fn boundary(&self) -> SponsorId {
        self.sponsor.clone()
    }
    fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<SponsorSigned>, Never> {
        let SignSponsor { sponsor, meals } = self.clone();
        Ok(vec![SponsorSigned { sponsor, meals }])
    }
}

/// Call the sponsor
#[command(by = "Organiser")]
struct CallSponsor {
    /// Whom?
    sponsor: SponsorId,
}

impl Decide for CallSponsor {
    type Model = Nothing;
    type Emits = SponsorSigned;
    type Refusal = Never;
    fn boundary(&self) -> SponsorId {
        self.sponsor.clone()
    }
    fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<SponsorSigned>, Never> {
        Ok(vec![])
    }
}

/// Issue tickets
#[command(to = "Tickets")]
struct IssueTickets {
    /// For whom?
    sponsor: SponsorId,
    /// For how many meals?
    meals: u32,
}

#[derive(Clone, Debug, PartialEq, Refusal)]
enum No {
    #[refused("there are no more than a hundred meals")]
    TooMany,
}

impl Decide for IssueTickets {
    type Model = Nothing;
    type Emits = TicketsIssued;
    type Refusal = No;
    fn boundary(&self) -> SponsorId {
        self.sponsor.clone()
    }
    fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<TicketsIssued>, No> {
        let IssueTickets { sponsor, meals } = self.clone();
        match meals {
            0..=100 => Ok(vec![TicketsIssued { sponsor, meals }]),
            _ => Err(No::TooMany),
        }
    }
}

#[data]
#[derive(Default)]
struct BookMeals;

#[derive(CommandSet, Clone, Debug, PartialEq)]
enum Sends {
    Issue(IssueTickets),
    Call(CallSponsor),
}

impl Process for BookMeals {
    const NAME: &'static str = "book-meals";
    const TITLE: &'static str = "Book meals";
    type Key = SponsorId;
    type Events = SponsorSigned;
    type Timer = ();
    type Sends = Sends;
    type Raises = MealsBooked;
    fn react(self, sponsor: &SponsorId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let sponsor = sponsor.clone();
        match input {
            Input::Event(SponsorSigned { meals, .. }) => {
                out.send(IssueTickets { sponsor, meals });
            }
            Input::Done {
                command: Sends::Issue(_),
            } => out.raise(MealsBooked { sponsor }),
            Input::Failed { .. } | Input::Refused { .. } => {
                out.ask::<CallSponsor>("Organiser");
            }
            _ => {}
        }
        self
    }
}

/// The other system's open door, as it would be reached over a network.
struct Door(App);

impl System for Door {
    fn tell(&self, message: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            let envelope = Envelope {
                id: Some(message.id),
                actor: Some("system:Sponsorship".into()),
                correlation: Some(message.correlation),
                causation: Some(message.cause),
                ..Envelope::default()
            };
            match self
                .0
                .send_json(&message.name, message.body, envelope)
                .await
            {
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

fn sponsorship(place: AppBuilder, tickets: &App) -> AppBuilder {
    place
        .task::<SignSponsor>()
        .task::<CallSponsor>()
        .tells::<IssueTickets>()
        .system("Tickets", Door(tickets.clone()))
        .process::<BookMeals>()
}

/// Both systems, served.
struct Two {
    runtime: Runtime,
    /// The addresses: of sponsorship, of tickets, and one where nobody is.
    at: [String; 3],
    stop: Option<oneshot::Sender<()>>,
}

impl Two {
    fn begin() -> Two {
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let at = runtime.block_on(async {
            let mut free = vec![];
            for _ in 0..3 {
                free.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
            }
            let addresses = free
                .iter()
                .map(|l| format!("http://{}", l.local_addr().unwrap()));
            let at: [String; 3] = addresses.collect::<Vec<_>>().try_into().unwrap();
            // Both have ids of one clock, so that no two of them are the same.
            let clock = Clock::by_hand();
            let place = || App::in_memory().clock(clock.clone());
            let tickets = place().name("tickets").task::<IssueTickets>();
            let tickets = tickets.build().unwrap();
            let app = sponsorship(place().name("sponsorship"), &tickets)
                .build()
                .unwrap();
            for (n, sponsor, meals) in [(1, "acme", 20), (2, "huge", 200)] {
                let sponsor = SponsorId::from(sponsor);
                let sign = SignSponsor { sponsor, meals };
                app.send(sign)
                    .by("organiser:ann")
                    .id(flow(n))
                    .await
                    .unwrap();
                app.settle().await;
            }
            let site = Site::new(app).others([("Tickets", &at[1]), ("Kitchen", &at[2])]);
            let (second, first) = (free.swap_remove(1), free.swap_remove(0));
            tokio::spawn(Site::new(tickets).serve(second, std::future::pending()));
            let stopped = async { stopped.await.unwrap_or_default() };
            tokio::spawn(site.serve(first, stopped));
            at
        });
        Two {
            runtime,
            at,
            stop: Some(stop),
        }
    }

    /// What the program says, with names in place of addresses.
    fn fait(&self, words: &[&str], systems: &[usize]) -> String {
        let mut words: Vec<&str> = words.to_vec();
        systems
            .iter()
            .for_each(|n| words.extend(["--at", &self.at[*n]]));
        self.named(told(&words))
    }

    fn named(&self, mut text: String) -> String {
        for (at, name) in self.at.iter().zip(["SPONSORSHIP", "TICKETS", "NOBODY"]) {
            text = text.replace(at.as_str(), name);
            text = text.replace(at.trim_start_matches("http://"), name);
        }
        text
    }

    fn get(&self, n: usize, path: &str) -> String {
        let mut answer = ureq::get(format!("{}{path}", self.at[n])).call().unwrap();
        answer.body_mut().read_to_string().unwrap()
    }
}

impl Drop for Two {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = &self.runtime;
    }
}

fn flow(n: u128) -> Uuid {
    Uuid::from_u128(0x019b_76da_a800_7000_8000_0000_0000_0000 + n)
}

#[test]
fn one_flow_is_one_tree_in_both_systems() {
    let two = Two::begin();
    let id = flow(1).to_string();
    assert_snapshot!("tree", two.fait(&["trace", &id], &[0, 1]));
    assert_snapshot!("by_time", two.fait(&["trace", &id, "--by-time"], &[0, 1]));
    // Whichever is asked first, and by whatever name.
    let tree = |what: &str| two.fait(&["trace", what], &[1, 0]).replace("  ← this", "");
    assert_eq!(tree("2").lines().count(), tree(&id).lines().count());
    let json: Value = {
        let text = two.fait(&["trace", &id, "--json"], &[0, 1]);
        from_str(&text).unwrap()
    };
    assert_eq!(json["systems"][1]["system"], "tickets");
    assert_eq!(json["causes"][0]["system"], "sponsorship");
    let issued = json.to_string().matches("TicketsIssued").count();
    assert_eq!(issued, 1);
}

#[test]
fn what_waits_and_what_went_wrong_is_said() {
    let two = Two::begin();
    let id = flow(2).to_string();
    assert_snapshot!("refused", two.fait(&["trace", &id], &[0, 1]));
}

#[test]
fn a_system_that_does_not_answer_is_said() {
    let two = Two::begin();
    let id = flow(1).to_string();
    assert_snapshot!("silent", two.fait(&["trace", &id], &[0, 2]));
    let alone = two.fait(&["view", "list"], &[0, 1]);
    assert!(
        alone.contains("only `fait trace` looks at several places"),
        "{alone}"
    );
}

#[test]
fn the_interface_gives_a_flow_in_parts() {
    let two = Two::begin();
    let path = format!("/api/flows/{}", flow(1));
    let all: Value = from_str(&two.get(0, &path)).unwrap();
    let events = all["events"].as_array().unwrap();
    assert_eq!(all["system"], "sponsorship");
    assert_eq!((&all["next"], &all["read"]), (&Value::Null, &all["head"]));
    assert!(
        events
            .iter()
            .all(|e| e["correlation"] == flow(1).to_string())
    );
    let mut parts = vec![];
    let mut after = 0;
    loop {
        let part = two.get(0, &format!("{path}?limit=2&after={after}"));
        let part: Value = from_str(&part).unwrap();
        parts.extend(part["events"].as_array().unwrap().clone());
        match part["next"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(&parts, events);
    // Nothing of another flow, and nothing of one that there is not.
    let nothing: Value = from_str(&two.get(1, &format!("/api/flows/{}", flow(9)))).unwrap();
    assert_eq!(nothing["events"], Value::Array(vec![]));
}

#[test]
fn the_page_has_both_and_names_who_is_silent() {
    let two = Two::begin();
    let page = two.named(two.get(0, &format!("/flows/{}", flow(2))));
    for part in [
        "Kitchen does not answer.",
        "What waits",
        "Organiser was asked to call the sponsor",
        "Refused: issue tickets",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    let page = two.named(two.get(0, &format!("/flows/{}", flow(1))));
    assert!(page.contains("TICKETS/events/1"), "{page}");
    assert!(page.contains("Tickets issued"), "{page}");
    assert!(page.contains(" in 2 systems"), "{page}");
    // No fact is called by the name of its type.
    assert!(!page.contains("Process stepped"), "{page}");
    assert!(!page.contains("Command settled"), "{page}");
}

#[test]
fn nothing_stands_before_what_led_to_it_though_clocks_differ() {
    let step = |system, position: u64, time: &str, cause: Option<u64>| {
        let id = |system: u64, position: u64| Uuid::from_u64_pair(system, position);
        // The causes are of the other system.
        let cause = cause.map(|c| id(1 - system, c));
        let event = json!({
            "type": "Happened", "version": 1, "tags": [], "data": {}, "position": position,
            "id": id(system, position), "correlation": Uuid::nil(), "causation": cause,
            "recorded_at": format!("2026-03-01T10:{time}:00Z"),
        });
        Step {
            system: usize::try_from(system).unwrap(),
            event: StoredEvent::from_json(event).unwrap(),
            depth: 0,
        }
    };
    // The second system's clock is an hour ahead, then it is behind.
    let steps = vec![
        step(0, 1, "00", None),
        step(0, 2, "01", Some(1)),
        step(0, 3, "02", None),
        step(1, 1, "40", Some(1)),
        step(1, 2, "01", Some(3)),
    ];
    let line = timeline(steps);
    let places: Vec<_> = line
        .iter()
        .map(|s| (s.system, s.event.meta.position))
        .collect();
    assert_eq!(places, [(0, 1), (1, 1), (0, 2), (0, 3), (1, 2)]);
}
