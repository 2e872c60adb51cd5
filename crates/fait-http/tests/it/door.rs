//! A process in one system asks another through its open door.

use fait::app::{App, AppBuilder, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, StoredEvent};
use fait::process::{Input, Outbox, Process};
use fait::query::Query;
use fait::store::Range;
use fait::{Clock, Refusal, command, data, entity_ids, event};
use fait_http::Http;
use fait_web::{Clients, NewToken, Site};
use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

entity_ids! { PartyId(text) => "party" }

#[event]
struct PartyPlanned {
    #[tag]
    party: PartyId,
}

/// Book the room
#[command(to = "Rooms", name = "BookRoom")]
struct AskForRoom {
    party: PartyId,
}

#[data]
#[derive(Default)]
enum Planning {
    #[default]
    New,
    Booked,
    Refused(String),
    Failed(String),
}

impl Process for Planning {
    const NAME: &'static str = "planning";
    type Key = PartyId;
    type Events = PartyPlanned;
    type Timer = ();
    type Sends = AskForRoom;
    type Raises = Never;
    fn react(self, party: &PartyId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(PartyPlanned { .. }) => {
                out.send(AskForRoom {
                    party: party.clone(),
                });
                self
            }
            Input::Done { .. } => Planning::Booked,
            Input::Refused { reason, .. } => Planning::Refused(reason),
            Input::Failed { error, .. } => Planning::Failed(error),
            other => out.unhandled(self, other),
        }
    }
}

#[event]
struct RoomBooked {
    #[tag]
    party: PartyId,
}

#[derive(Default)]
struct Room {
    booked: bool,
}

impl Model for Room {
    type Key = PartyId;
    type Events = RoomBooked;
    fn evolve(&mut self, _: RoomBooked) {
        self.booked = true;
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
enum NoRoom {
    #[refused("there is no room for so many")]
    TooMany,
}

/// Book the room
#[command(by = "Planner")]
struct BookRoom {
    party: PartyId,
}

/// Parties on which the decision hangs.
static HUNG: (Mutex<BTreeSet<String>>, Condvar) = (Mutex::new(BTreeSet::new()), Condvar::new());

impl Decide for BookRoom {
    type Model = Room;
    type Emits = RoomBooked;
    type Refusal = NoRoom;
    fn boundary(&self) -> PartyId {
        self.party.clone()
    }
    fn decide(&self, room: &Room, _: &Context) -> Result<Vec<RoomBooked>, NoRoom> {
        let mut hung = HUNG.0.lock().unwrap();
        while hung.contains(&self.party.0) {
            hung = HUNG.1.wait(hung).unwrap();
        }
        assert!(!room.booked, "it is booked once");
        match self.party.0.starts_with("large") {
            true => Err(NoRoom::TooMany),
            false => Ok(vec![RoomBooked {
                party: self.party.clone(),
            }]),
        }
    }
}

/// The other system behind its door, with the address of that and a token for it.
async fn rooms() -> (App, String, String) {
    let app = App::in_memory().task::<BookRoom>().build().unwrap();
    let token = NewToken::of("planning").unwrap();
    let clients = Clients::read(&format!("{} role=planner", token.line)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::new(app.clone()).clients(clients);
    tokio::spawn(site.serve(listener, std::future::pending()));
    (app, address, token.token)
}

fn planning(app: AppBuilder, rooms: Http) -> App {
    app.clock(Clock::by_hand())
        .tells::<AskForRoom>()
        .receives::<PartyPlanned>("Guests")
        .system("Rooms", rooms)
        .process::<Planning>()
        .build()
        .unwrap()
}

async fn plan(app: &App, party: &str) {
    let planned = PartyPlanned {
        party: PartyId(party.into()),
    };
    let id = app.clock().id();
    app.receive(planned, id, None).await.unwrap();
    app.settle().await;
}

async fn state(app: &App, party: &str) -> Planning {
    let instance = app.instance("planning", party).await.unwrap().unwrap();
    serde_json::from_value(instance.state.unwrap().1).unwrap()
}

async fn all(app: &App, ty: &str) -> Vec<StoredEvent> {
    let query = Query::types(&[ty]);
    app.events(&query, Range::after(0, 9)).await.unwrap().events
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_other_system_decides_is_heard_as_if_it_were_decided_here() {
    let (there, address, token) = rooms().await;
    let here = planning(
        App::in_memory(),
        Http::door(&address, Some(&token)).unwrap(),
    );
    plan(&here, "small").await;
    assert_eq!(state(&here, "small").await, Planning::Booked);
    plan(&here, "large").await;
    let refused = Planning::Refused("there is no room for so many".into());
    assert_eq!(state(&here, "large").await, refused);
    // The flow and the cause came along.
    let origin = all(&there, "RoomBooked").await[0].meta.origin.clone();
    assert_eq!(origin.actor.as_deref(), Some("client:planning"));
    let planned = all(&here, "PartyPlanned").await[0].meta.origin.clone();
    assert_eq!(origin.correlation, planned.correlation);
    let cause = here.event(origin.causation.unwrap()).await.unwrap();
    assert!(cause.is_some(), "the step that issued it");
    // Who is not known is told so at once.
    let stranger = Http::door(&address, Some("fait_7")).unwrap();
    let other = planning(App::in_memory(), stranger);
    plan(&other, "small").await;
    let Planning::Failed(error) = state(&other, "small").await else {
        panic!("a stranger is let in");
    };
    assert!(error.contains("401"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_takes_the_other_system_long_is_followed_by_its_receipt() {
    let (there, address, token) = rooms().await;
    HUNG.0.lock().unwrap().insert("slow".into());
    let http = Http::to(&format!("{address}/api/commands"), Uncertain::Retry).unwrap();
    let http = http
        .secret_header("authorization", &format!("Bearer {token}"))
        .unwrap();
    let http = http.secret_header("prefer", "respond-async").unwrap();
    let here = planning(App::in_memory(), http.within(Duration::from_secs(60)));
    plan(&here, "slow").await;
    // It was answered, and is pending.
    assert_eq!(state(&here, "slow").await, Planning::New);
    HUNG.0.lock().unwrap().clear();
    HUNG.1.notify_all();
    for _ in 0..1000 {
        if state(&here, "slow").await == Planning::Booked {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(state(&here, "slow").await, Planning::Booked);
    assert_eq!(all(&there, "RoomBooked").await.len(), 1);
}
