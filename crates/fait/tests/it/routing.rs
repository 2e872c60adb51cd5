//! Which instance hears an event: what begins one, what goes on with one, what finds none.

use fait::app::{App, AppBuilder};
use fait::event::{Event, Never, Position, minutes};
use fait::process::{Class, Input, Outbox, Process, Routes, Status, Unmatched, types};
use fait::query::Query;
use fait::store::{Memory, Range, Store};
use fait::{Clock, EventSet, data, entity_ids, event};
use std::sync::Arc;
use uuid::Uuid;

/// No process can bear that weight.
pub(crate) const TOO_HEAVY: u32 = 666;

entity_ids! { ParcelId(text) => "parcel", LabelId(text) => "label" }

#[event]
pub(crate) struct ParcelSent {
    #[tag]
    pub(crate) parcel: ParcelId,
}

#[event]
pub(crate) struct LabelPrinted {
    #[tag]
    pub(crate) label: LabelId,
    #[tag]
    pub(crate) parcel: ParcelId,
}

#[event]
pub(crate) struct LabelScanned {
    #[tag]
    pub(crate) label: LabelId,
    pub(crate) place: String,
}

#[event]
pub(crate) struct ParcelWeighed {
    #[tag]
    pub(crate) parcel: ParcelId,
    pub(crate) grams: u32,
}

#[event]
pub(crate) struct ParcelClaimed {
    #[tag]
    pub(crate) parcel: ParcelId,
}

#[event]
pub(crate) struct ParcelsDelivered {
    pub(crate) parcels: Vec<ParcelId>,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Travel {
    Sent(ParcelSent),
    Scanned(LabelScanned),
    Weighed(ParcelWeighed),
    Claimed(ParcelClaimed),
    Delivered(ParcelsDelivered),
}

/// What a parcel went through, in the order in which its process heard of it.
#[data]
#[derive(Default)]
pub(crate) struct Journey {
    pub(crate) heard: Vec<String>,
}

impl Process for Journey {
    const NAME: &'static str = "journey";
    type Key = ParcelId;
    type Events = Travel;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn routes(r: &mut Routes<Self>) {
        r.start(|e: &ParcelSent| e.parcel.clone()).again();
        r.alias("label", |e: &LabelPrinted| {
            (e.label.clone(), e.parcel.clone())
        });
        r.proceed_by("label", |e: &LabelScanned| e.label.clone())
            .unmatched(Unmatched::Hold(minutes(10)));
        r.proceed(|e: &ParcelWeighed| e.parcel.clone())
            .unmatched(Unmatched::Hold(minutes(10)));
        r.proceed(|e: &ParcelClaimed| e.parcel.clone())
            .unmatched(Unmatched::Park);
        r.ends_on(|e: &ParcelsDelivered| e.parcels.clone());
    }
    fn react(mut self, _: &ParcelId, input: Input<Self>, _: &mut Outbox<Self>) -> Self {
        let Input::Event(event) = input else {
            return self;
        };
        self.heard.push(match event {
            Travel::Sent(_) => "sent".into(),
            Travel::Scanned(e) => format!("scanned in {}", e.place),
            Travel::Weighed(e) => {
                assert!(e.grams != TOO_HEAVY, "too heavy");
                format!("weighs {}", e.grams)
            }
            Travel::Claimed(_) => "claimed".into(),
            Travel::Delivered(_) => "delivered".into(),
        });
        self
    }
}

pub(crate) fn open(store: Arc<Memory>) -> App {
    open_with(store, Clock::by_hand())
}

pub(crate) fn open_with(store: Arc<Memory>, clock: Clock) -> App {
    wired(App::on(store), clock).build().unwrap()
}

pub(crate) fn wired(place: AppBuilder, clock: Clock) -> AppBuilder {
    let wired = place.clock(clock);
    let wired = wired.receives::<ParcelSent>("Post");
    let wired = wired.receives::<LabelPrinted>("Post");
    let wired = wired.receives::<LabelScanned>("Post");
    let wired = wired.receives::<ParcelWeighed>("Post");
    let wired = wired.receives::<ParcelClaimed>("Post");
    let wired = wired.receives::<ParcelsDelivered>("Post");
    wired.process::<Journey>()
}

pub(crate) async fn hears<E: Event>(app: &App, event: E) -> Position {
    let receipt = app.receive(event, Uuid::now_v7(), None).await.unwrap();
    app.settle().await;
    receipt.position
}

pub(crate) fn sent(parcel: &str) -> ParcelSent {
    ParcelSent {
        parcel: parcel.into(),
    }
}

pub(crate) fn printed(label: &str, parcel: &str) -> LabelPrinted {
    LabelPrinted {
        label: label.into(),
        parcel: parcel.into(),
    }
}

pub(crate) fn scanned(label: &str, place: &str) -> LabelScanned {
    LabelScanned {
        label: label.into(),
        place: place.into(),
    }
}

pub(crate) fn weighed(parcel: &str, grams: u32) -> ParcelWeighed {
    ParcelWeighed {
        parcel: parcel.into(),
        grams,
    }
}

pub(crate) fn delivered(parcels: &[&str]) -> ParcelsDelivered {
    ParcelsDelivered {
        parcels: parcels.iter().map(|p| (*p).into()).collect(),
    }
}

pub(crate) async fn heard(app: &App, parcel: &str) -> Vec<String> {
    let Some(instance) = app.instance("journey", parcel).await.unwrap() else {
        return vec![];
    };
    let heard = instance.state.map(|(_, state)| state["heard"].clone());
    let heard = heard.unwrap_or_default();
    let all = heard.as_array().into_iter().flatten();
    all.map(|h| h.as_str().unwrap_or_default().to_string())
        .collect()
}

pub(crate) async fn status(app: &App) -> fait::app::ProcessStatus {
    app.processes().await.unwrap().remove(0)
}

#[tokio::test]
async fn one_event_ends_several_instances_and_what_comes_then_is_late() {
    let app = open(Arc::default());
    hears(&app, sent("a")).await;
    hears(&app, sent("b")).await;
    hears(&app, delivered(&["a", "b"])).await;
    for parcel in ["a", "b"] {
        assert_eq!(heard(&app, parcel).await, ["sent", "delivered"]);
        let instance = app.instance("journey", parcel).await.unwrap().unwrap();
        assert_eq!(instance.status, Status::Ended);
    }
    hears(&app, weighed("a", 5)).await;
    let instance = app.instance("journey", "a").await.unwrap().unwrap();
    assert_eq!((instance.late, instance.again), (1, 0));
    assert_eq!(heard(&app, "a").await, ["sent", "delivered"]);
}

#[tokio::test]
async fn an_ended_instance_begins_anew_where_the_route_says_so() {
    let app = open(Arc::default());
    hears(&app, sent("a")).await;
    hears(&app, delivered(&["a"])).await;
    hears(&app, sent("a")).await;
    assert_eq!(heard(&app, "a").await, ["sent"]);
    let instance = app.instance("journey", "a").await.unwrap().unwrap();
    assert_eq!((instance.status, instance.again), (Status::Running, 1));
}

#[tokio::test]
async fn what_nothing_has_begun_for_is_ignored_and_counted_with_a_sample() {
    let app = open(Arc::default());
    let position = hears(&app, delivered(&["nobody"])).await;
    let status = status(&app).await;
    assert_eq!(status.ignored.events, 1);
    assert_eq!(status.ignored.newest, [position]);
    assert_eq!(app.instance("journey", "nobody").await.unwrap(), None);
}

#[tokio::test]
async fn what_overtakes_its_beginning_is_held_and_heard_right_after_it() {
    let app = open(Arc::default());
    hears(&app, weighed("a", 1)).await;
    hears(&app, weighed("a", 2)).await;
    assert_eq!(status(&app).await.held, 2);
    hears(&app, sent("a")).await;
    hears(&app, weighed("a", 3)).await;
    let all = ["sent", "weighs 1", "weighs 2", "weighs 3"];
    assert_eq!(heard(&app, "a").await, all);
    assert_eq!(status(&app).await.held, 0);
}

#[tokio::test]
async fn what_is_held_for_too_long_is_ignored() {
    let app = open(Arc::default());
    hears(&app, weighed("a", 1)).await;
    app.advance(minutes(11)).await;
    hears(&app, sent("a")).await;
    assert_eq!(heard(&app, "a").await, ["sent"]);
    let status = status(&app).await;
    assert_eq!((status.held, status.ignored.events), (0, 1));
}

#[tokio::test]
async fn another_id_stands_for_the_key_once_an_event_says_so() {
    let app = open(Arc::default());
    hears(&app, scanned("L1", "Lyon")).await;
    hears(&app, sent("a")).await;
    assert_eq!(heard(&app, "a").await, ["sent"], "the label is not known");
    hears(&app, printed("L1", "a")).await;
    hears(&app, scanned("L1", "Nice")).await;
    let all = ["sent", "scanned in Lyon", "scanned in Nice"];
    assert_eq!(heard(&app, "a").await, all);
    // Known before the parcel is on its way: held until then.
    hears(&app, printed("L2", "b")).await;
    hears(&app, scanned("L2", "Metz")).await;
    hears(&app, sent("b")).await;
    assert_eq!(heard(&app, "b").await, ["sent", "scanned in Metz"]);
}

#[tokio::test]
async fn what_must_not_come_first_waits_for_a_person() {
    let app = open(Arc::default());
    hears(&app, ParcelClaimed { parcel: "a".into() }).await;
    let parked = app.parked().unwrap();
    let Status::Parked { class, reason, .. } = &parked[0].status else {
        panic!("not parked")
    };
    assert_eq!(*class, Class::Unmatched);
    assert!(reason.contains("nothing has begun"), "{reason}");
    // What comes meanwhile waits, and goes on once a person has looked.
    hears(&app, sent("a")).await;
    assert_eq!(heard(&app, "a").await, [""; 0]);
    app.resume("journey", "a", false, "op:max", "a mistake of the post")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(heard(&app, "a").await, ["sent"]);
}

/// Two programs after one another on one log, the views of the first being lost.
#[tokio::test]
async fn after_a_restart_without_views_nothing_is_lost_and_nothing_taken_twice() {
    let store: Arc<Memory> = Arc::default();
    let app = open_with(store.clone(), Clock::machine());
    hears(&app, weighed("a", 1)).await;
    hears(&app, scanned("L1", "Lyon")).await;
    app.stop().await;
    let app = open_with(store.clone(), Clock::machine());
    app.settle().await;
    assert_eq!(status(&app).await.held, 2, "held again");
    hears(&app, sent("a")).await;
    hears(&app, printed("L1", "a")).await;
    let all = ["sent", "weighs 1", "scanned in Lyon"];
    assert_eq!(heard(&app, "a").await, all);
    let steps = steps(&store).await;
    app.stop().await;
    let app = open_with(store.clone(), Clock::machine());
    app.settle().await;
    assert_eq!(heard(&app, "a").await, all);
    assert_eq!(self::steps(&store).await, steps, "no step is taken again");
}

pub(crate) async fn steps(store: &Memory) -> usize {
    let query = Query::types(&[types::STEPPED]);
    let slice = store.read(&query, Range::after(0, 1000)).await.unwrap();
    slice.events.len()
}

/// A process with a hole in each of its declarations.
#[data]
#[derive(Default)]
struct Forgetful {}

impl Process for Forgetful {
    const NAME: &'static str = "forgetful";
    type Key = ParcelId;
    type Events = Travel;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn routes(r: &mut Routes<Self>) {
        r.proceed(|e: &ParcelWeighed| e.parcel.clone());
        r.proceed(|e: &LabelPrinted| e.parcel.clone());
        r.proceed_by("label", |e: &LabelScanned| e.label.clone());
    }
    fn react(self, _: &ParcelId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        self
    }
}

#[test]
fn every_hole_in_the_routes_is_said() {
    let def = fait::process::ProcessDef::of::<Forgetful>();
    let said = def.problems.join("\n");
    for hole in [
        "it hears `ParcelSent`, which has no route",
        "it routes `LabelPrinted`, which is not among its events",
        "nothing begins it",
        "nothing ends it",
        "it goes by `label`, which no event gives",
    ] {
        assert!(said.contains(hole), "{hole} is not in:\n{said}");
    }
}

#[tokio::test]
async fn a_hole_in_the_routes_is_said_before_anything_runs() {
    let error = App::in_memory().process::<Forgetful>().build().unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("process `forgetful`: "), "{said}");
}
