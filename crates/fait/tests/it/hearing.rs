//! What comes from other systems: recorded once, in order, with what became of it, whatever comes
//! twice, late, broken or beside each other.

mod crashes;
mod from_tickets;
mod kept;
mod restless;
mod twice;

use fait::app::{App, InletStatus, Mood};
use fait::bus::{
    BusError, CloudEvent, Delivery, Incoming, Inlet, Mark, Receive, Received, STRUCTURED,
};
use fait::decision::{Context, Decide, Model};
use fait::event::Never;
use fait::process::{Input, Outbox, Process, Routes, Unmatched};
use fait::query::Query;
use fait::reexport::bytes::Bytes;
use fait::reexport::serde_json::{Value, json};
use fait::store::{BoxFuture, Range, Store};
use fait::test::message;
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

entity_ids! { ParcelId(text) => "crate" }

/// A crate was packed over there.
#[event]
pub(crate) struct CratePacked {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// A crate left over there.
#[event]
pub(crate) struct CrateLeft {
    #[tag]
    pub(crate) parcel: ParcelId,
    pub(crate) n: u32,
}

/// A place was kept for a crate.
#[event]
pub(crate) struct PlaceKept {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// Keep a place
#[command(by = "Clerk")]
pub(crate) struct KeepPlace {
    pub(crate) parcel: ParcelId,
    pub(crate) size: u32,
}

#[derive(Default)]
pub(crate) struct Place {
    kept: bool,
}

impl Model for Place {
    type Key = ParcelId;
    type Events = PlaceKept;
    fn evolve(&mut self, _: PlaceKept) {
        self.kept = true;
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum NoPlace {
    #[refused("there is no place so large")]
    TooLarge,
}

/// How often a place was decided on for a crate whose name begins with `counted`.
static DECIDED: AtomicUsize = AtomicUsize::new(0);

impl Decide for KeepPlace {
    type Model = Place;
    type Emits = PlaceKept;
    type Refusal = NoPlace;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, place: &Place, _: &Context) -> Result<Vec<PlaceKept>, NoPlace> {
        assert!(self.size != 13, "nobody decides on 13");
        if self.parcel.0.starts_with("counted") {
            DECIDED.fetch_add(1, Ordering::Relaxed);
        }
        let parcel = self.parcel.clone();
        match self.size > 100 {
            true => Err(NoPlace::TooLarge),
            false if place.kept => Ok(vec![]),
            false => Ok(vec![PlaceKept { parcel }]),
        }
    }
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Packed(CratePacked),
    Left(CrateLeft),
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Asks {
    Keep(KeepPlace),
}

#[data]
struct About {
    parcel: ParcelId,
    #[serde(default)]
    n: u32,
}

fn understand(message: &CloudEvent, fixed: bool) -> Incoming<Asks, Seen> {
    let about = match message.read::<About>() {
        Ok(about) => about,
        Err(e) => return Incoming::Unknown(e.to_string()),
    };
    let About { parcel, n } = about;
    match message.ty.as_str() {
        "packed" => Incoming::Record(CratePacked { parcel }.into()),
        "left" => Incoming::Record(CrateLeft { parcel, n }.into()),
        "asked" => Incoming::Command(KeepPlace { parcel, size: n }.into()),
        "weather" => Incoming::Ignore,
        "jammed" if fixed => Incoming::Record(CrateLeft { parcel, n }.into()),
        "jammed" => panic!("the reader jams"),
        "dropped" if fixed => Incoming::Ignore,
        other if fixed => Incoming::Unknown(format!("still no idea what `{other}` is")),
        other => Incoming::Unknown(format!("no idea what `{other}` is")),
    }
}

pub(crate) struct Yard;

impl Receive for Yard {
    const SYSTEM: &'static str = "Yard";
    type Sends = Asks;
    type Records = Seen;
    fn receive(message: &CloudEvent) -> Received<Self> {
        understand(message, false)
    }
}

/// The same after it was repaired.
pub(crate) struct Repaired;

impl Receive for Repaired {
    const SYSTEM: &'static str = "Yard";
    type Sends = Asks;
    type Records = Seen;
    fn receive(message: &CloudEvent) -> Received<Self> {
        understand(message, true)
    }
}

/// A line on which a test lays messages; each stands where it was laid, counted from 1.
#[derive(Clone)]
pub(crate) struct Line(Arc<Laid>);

pub(crate) struct Laid {
    history: Mutex<String>,
    all: Mutex<Vec<Delivery>>,
    more: Notify,
    done: Mutex<Vec<u64>>,
    /// How often it is down before it gives anything.
    down: AtomicUsize,
}

impl Line {
    pub(crate) fn new() -> Line {
        Line(Arc::new(Laid {
            history: Mutex::new("line 1".into()),
            all: Mutex::default(),
            more: Notify::new(),
            done: Mutex::default(),
            down: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn lay(&self, message: &CloudEvent) {
        self.lay_raw(STRUCTURED, &message.to_bytes());
    }

    pub(crate) fn lay_raw(&self, ty: &str, body: &[u8]) {
        let mut all = self.0.all.lock().unwrap();
        let sequence = all.last().map_or(1, |d| d.mark.sequence + 1);
        let history = self.0.history.lock().unwrap().clone();
        all.push(Delivery {
            mark: Mark { history, sequence },
            headers: vec![("content-type".into(), ty.into())],
            body: Bytes::copy_from_slice(body),
        });
        drop(all);
        self.0.more.notify_waiters();
    }

    /// The line is made anew.
    pub(crate) fn made_anew(&self) {
        *self.0.history.lock().unwrap() = "line 2".into();
        self.0.all.lock().unwrap().clear();
    }

    pub(crate) fn said_done(&self) -> Vec<u64> {
        self.0.done.lock().unwrap().clone()
    }
}

impl Inlet for Line {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            let down = &self.0.down;
            let less = |n: usize| n.checked_sub(1);
            if down
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
                .is_ok()
            {
                return Err(BusError::Later("the line is down".into()));
            }
            let history = self.0.history.lock().unwrap().clone();
            if after.as_ref().is_some_and(|a| a.history != history) {
                return Err(BusError::Other(format!("`{history}`")));
            }
            let more = self.0.more.notified();
            let behind = after.map_or(0, |a| a.sequence);
            let there = |all: &Vec<Delivery>| -> Vec<Delivery> {
                let behind = all.iter().filter(|d| d.mark.sequence > behind);
                behind.take(7).cloned().collect()
            };
            let some = there(&self.0.all.lock().unwrap());
            if !some.is_empty() {
                return Ok(some);
            }
            let _ = tokio::time::timeout(Duration::from_millis(200), more).await;
            let some = there(&self.0.all.lock().unwrap());
            Ok(some)
        })
    }

    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        self.0.done.lock().unwrap().push(upto.sequence);
        Box::pin(async { Ok(()) })
    }
}

/// A message of a type about a crate.
pub(crate) fn of(ty: &str, parcel: &str, n: u32) -> CloudEvent {
    let mut message = message(ty, json!({"parcel": parcel, "n": n}));
    message.subject = Some(parcel.into());
    message
}

pub(crate) fn yard<R: Receive>(store: impl Store, line: &Line) -> App {
    let app = App::on(store).task::<KeepPlace>();
    app.hears::<R>("yard", line.clone()).build().unwrap()
}

/// Everything of the log, line by line: type and what matters of it.
pub(crate) async fn log(app: &App) -> Vec<String> {
    let slice = app.events(&Query::all(), Range::after(0, 100_000)).await;
    let line = |e: &fait::event::StoredEvent| match e.ty.as_str() {
        "$MessageReceived" => {
            let fact = e.json().unwrap();
            let became = fact["became"].as_object().map_or_else(
                || fact["became"].as_str().unwrap().to_string(),
                |b| b.keys().next().unwrap().clone(),
            );
            let key = fact["key"].as_str().unwrap_or("?").to_string();
            format!("{key} {became}")
        }
        ty => match e.json().unwrap() {
            Value::Object(data) => {
                let n = data.get("n").map(|n| format!(" {n}")).unwrap_or_default();
                let parcel = data.get("parcel").and_then(Value::as_str).unwrap_or("-");
                format!("{ty} {parcel}{n}")
            }
            _ => ty.to_string(),
        },
    };
    slice.unwrap().events.iter().map(line).collect()
}

pub(crate) async fn stands(app: &App) -> InletStatus {
    app.inlets().await.unwrap().remove(0)
}

/// Waits until everything up to a place was recorded or ignored.
pub(crate) async fn up_to(app: &App, sequence: u64) {
    loop {
        let stands = stands(app).await;
        if stands.mark.as_ref().is_some_and(|m| m.sequence >= sequence) {
            return app.settle().await;
        }
        assert!(!matches!(stands.mood, Mood::Stopped { .. }), "{stands:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_message_is_recorded_with_what_became_of_it() {
    let line = Line::new();
    for message in [
        of("packed", "a", 1),
        of("asked", "a", 1),
        of("asked", "a", 2),
        of("asked", "b", 200),
        of("weather", "c", 0),
        of("left", "a", 3),
    ] {
        line.lay(&message);
    }
    let app = yard::<Yard>(fait::store::Memory::default(), &line);
    up_to(&app, 6).await;
    let log = log(&app).await;
    let expected = [
        "CratePacked a",
        "a recorded",
        "PlaceKept a",
        "a accepted",
        // Nothing had to change.
        "a accepted",
        "b refused",
        "CrateLeft a 3",
        "a recorded",
    ];
    assert_eq!(log, expected);
    assert_eq!(stands(&app).await.ignored, 1);
    assert_eq!(
        line.said_done().last(),
        Some(&6),
        "only what is recorded is done"
    );
}

#[tokio::test]
async fn what_comes_of_a_message_says_where_it_comes_from() {
    let line = Line::new();
    let flow = "0190c2d4-0000-7000-8000-000000000001";
    let id = "0190c2d4-0000-7000-8000-000000000002";
    for ty in ["left", "asked"] {
        let mut message = of(ty, "a", 3);
        message.id = id.into();
        message.source = format!("urn:fait:{ty}");
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        for (name, value) in [("correlationid", flow), ("traceparent", trace)] {
            let value = fait::bus::Attribute::Text(value.into());
            message.extensions.insert(name.into(), value);
        }
        line.lay(&message);
    }
    let app = yard::<Yard>(fait::store::Memory::default(), &line);
    up_to(&app, 2).await;
    let all = app.events(&Query::all(), Range::after(0, 10)).await;
    let all = all.unwrap().events;
    assert_eq!(all.len(), 4);
    for event in &all {
        let origin = &event.meta.origin;
        assert_eq!(origin.actor.as_deref(), Some("system:Yard"), "{}", event.ty);
        assert_eq!(origin.correlation.to_string(), flow);
        assert_eq!(origin.causation.map(|c| c.to_string()).as_deref(), Some(id));
        assert!(
            origin
                .traceparent
                .as_deref()
                .unwrap()
                .starts_with("00-0af7")
        );
    }
    assert!(
        all[0].meta.origin.occurred_at.is_some(),
        "when it happened there"
    );
}

#[tokio::test]
async fn a_line_that_is_down_is_tried_again_and_nothing_is_left_out() {
    let line = Line::new();
    line.0.down.store(3, Ordering::Relaxed);
    for n in 0..20 {
        line.lay(&of("left", "a", n));
    }
    let app = yard::<Yard>(fait::store::Memory::default(), &line);
    while !matches!(stands(&app).await.mood, Mood::Waits { .. }) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    up_to(&app, 20).await;
    assert_eq!(log(&app).await.len(), 40);
    assert_eq!(stands(&app).await.mood, Mood::Hears);
}

#[tokio::test]
async fn a_line_that_was_made_anew_is_not_gone_on_with_until_somebody_says_so() {
    let line = Line::new();
    line.lay(&of("left", "a", 1));
    line.lay(&of("left", "a", 2));
    let store = Arc::new(fait::store::Memory::default());
    let app = yard::<Yard>(store.clone(), &line);
    up_to(&app, 2).await;
    app.stop().await;
    line.made_anew();
    line.lay(&of("left", "a", 2));
    line.lay(&of("left", "a", 3));
    line.lay(&of("left", "a", 4));
    let app = yard::<Yard>(store.clone(), &line);
    let why = loop {
        if let Mood::Stopped { why, .. } = stands(&app).await.mood {
            break why;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    insta::assert_snapshot!(why);
    assert_eq!(log(&app).await.len(), 4, "nothing was recorded");
    app.stop().await;
    let app = yard::<Yard>(store, &line);
    while !matches!(stands(&app).await.mood, Mood::Stopped { .. }) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.continue_hearing("yard", Some(1), "op:max")
        .await
        .unwrap();
    up_to(&app, 3).await;
    let log = log(&app).await;
    assert_eq!(
        &log[4..],
        [
            "$InletContinued -",
            "CrateLeft a 3",
            "a recorded",
            "CrateLeft a 4",
            "a recorded"
        ]
    );
}

#[tokio::test]
async fn mistakes_in_what_is_heard_are_said_before_anything_runs() {
    let told = |app: fait::app::AppBuilder| app.build().unwrap_err().to_string();
    let line = Line::new();
    let hearing = |name: &str| {
        let app = App::in_memory().task::<KeepPlace>();
        app.hears::<Yard>(name, line.clone())
    };
    assert_eq!(
        told(App::in_memory().hears::<Yard>("yard", line.clone())),
        "messages to `yard` become `KeepPlace`, which is not wired: add `.task::<KeepPlace>()`"
    );
    assert_eq!(
        told(hearing("yard").hears::<Yard>("yard", line.clone())),
        "receiver `yard` is wired twice"
    );
    let wrong = told(hearing("the yard"));
    assert!(wrong.contains("cannot be called `the yard`"), "{wrong}");
    assert!(told(hearing(&"y".repeat(101))).contains("1 to 100 bytes"));
    let mut def = fait::bus::ReceiveDef::of::<Yard>();
    def.system = " ".into();
    let app = App::in_memory().task::<KeepPlace>();
    let wrong = told(app.hearing("yard", def, line.clone()));
    assert_eq!(wrong, "`yard` hears a system without a name");
}

#[tokio::test]
async fn the_manifest_says_who_hears_whom() {
    let app = yard::<Yard>(fait::store::Memory::default(), &Line::new());
    let manifest = app.manifest();
    let yard = &manifest.receivers["yard"];
    assert_eq!(
        (yard.system.as_str(), &yard.sends[..]),
        ("Yard", &["KeepPlace".into()][..])
    );
    assert_eq!(yard.records, ["CratePacked", "CrateLeft"]);
    assert_eq!(manifest.receives["Yard"], ["CrateLeft", "CratePacked"]);
    assert!(manifest.events.contains_key("CrateLeft"));
}
