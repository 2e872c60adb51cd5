//! What becomes of a command is input: done, refused, not done in time; and clocks that start when
//! a command is accepted or a task is taken on.

use fait::app::App;
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, minutes};
use fait::process::{Class, Input, Outbox, Outcome, Process, Routes, Status};
use fait::store::{Append, Erase, Keep, Memory, Store};
use fait::{Clock, CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::sync::Arc;
use uuid::Uuid;

entity_ids! { BikeId(text) => "bike" }

#[event]
struct BikeBroken {
    #[tag]
    bike: BikeId,
    part: String,
}

#[event]
struct PartOrdered {
    #[tag]
    bike: BikeId,
}

#[event]
struct BikeRepaired {
    #[tag]
    bike: BikeId,
}

#[event]
struct OwnerCalled {
    #[tag]
    bike: BikeId,
    why: String,
}

#[derive(EventSet, Debug, PartialEq)]
enum History {
    Broken(BikeBroken),
    Ordered(PartOrdered),
    Repaired(BikeRepaired),
}

#[derive(Default)]
struct Bike {
    ordered: bool,
}

impl Model for Bike {
    type Key = BikeId;
    type Events = History;
    fn evolve(&mut self, event: History) {
        self.ordered |= matches!(event, History::Ordered(_));
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
enum Never1 {
    #[refused("nobody makes that part any more")]
    NotMade,
}

/// Report a broken bike
#[command(by = "Owner")]
struct ReportBike {
    bike: BikeId,
    part: String,
}

impl Decide for ReportBike {
    type Model = Bike;
    type Emits = BikeBroken;
    type Refusal = Never;
    fn boundary(&self) -> BikeId {
        self.bike.clone()
    }
    fn decide(&self, _: &Bike, _: &Context) -> Result<Vec<BikeBroken>, Never> {
        Ok(vec![BikeBroken {
            bike: self.bike.clone(),
            part: self.part.clone(),
        }])
    }
}

/// Order a part
#[command]
struct OrderPart {
    bike: BikeId,
    part: String,
}

impl Decide for OrderPart {
    type Model = Bike;
    type Emits = PartOrdered;
    type Refusal = Never1;
    fn boundary(&self) -> BikeId {
        self.bike.clone()
    }
    fn decide(&self, _: &Bike, _: &Context) -> Result<Vec<PartOrdered>, Never1> {
        match self.part.as_str() {
            "sprocket of 1920" => Err(Never1::NotMade),
            _ => Ok(vec![PartOrdered {
                bike: self.bike.clone(),
            }]),
        }
    }
}

/// Repair the bike
#[command(by = "Mechanic")]
struct RepairBike {
    bike: BikeId,
}

impl Decide for RepairBike {
    type Model = Bike;
    type Emits = BikeRepaired;
    type Refusal = Never;
    fn boundary(&self) -> BikeId {
        self.bike.clone()
    }
    fn decide(&self, _: &Bike, _: &Context) -> Result<Vec<BikeRepaired>, Never> {
        Ok(vec![BikeRepaired {
            bike: self.bike.clone(),
        }])
    }
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
enum Wants {
    Order(OrderPart),
    Repair(RepairBike),
}

#[derive(EventSet, Clone, Debug, PartialEq)]
enum Hears {
    Broken(BikeBroken),
    Repaired(BikeRepaired),
}

#[data]
#[derive(Default)]
struct Workshop {
    notes: Vec<String>,
}

#[data]
enum Silence {
    Mechanic,
}

impl Workshop {
    fn note(mut self, what: impl Into<String>) -> Self {
        self.notes.push(what.into());
        self
    }
}

impl Process for Workshop {
    const NAME: &'static str = "workshop";
    type Key = BikeId;
    type Events = Hears;
    type Timer = Silence;
    type Sends = Wants;
    type Raises = OwnerCalled;
    fn routes(r: &mut Routes<Self>) {
        r.start(|e: &BikeBroken| e.bike.clone());
        r.ends_on(|e: &BikeRepaired| e.bike.clone());
        r.hears::<OrderPart>();
        r.parks_others();
    }
    fn react(self, bike: &BikeId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Hears::Broken(e)) => {
                out.send(OrderPart {
                    bike: e.bike,
                    part: e.part,
                });
                self.note("broken")
            }
            Input::Done {
                command: Wants::Order(_),
            } => {
                out.ask::<RepairBike>("Mechanic");
                // Waiting in the queue costs no time; once a mechanic has it, there is an hour.
                out.wake_after_accepted::<RepairBike>(minutes(60), Silence::Mechanic);
                self.note("ordered")
            }
            Input::Refused { reason, .. } => {
                out.raise(OwnerCalled {
                    bike: bike.clone(),
                    why: reason,
                });
                out.end();
                self.note("refused")
            }
            Input::Timer(Silence::Mechanic) => {
                out.ask::<RepairBike>("Mechanic");
                self.note("asked again")
            }
            Input::Event(Hears::Repaired(_)) => self.note("repaired"),
            other => out.unhandled(self, other),
        }
    }
}

fn open(store: Arc<Memory>) -> App {
    App::on(store)
        .clock(Clock::by_hand())
        .task::<ReportBike>()
        .task::<OrderPart>()
        .task::<RepairBike>()
        .process::<Workshop>()
        .build()
        .unwrap()
}

async fn report(app: &App, bike: &str, part: &str) {
    let bike = bike.into();
    let part = part.into();
    app.send(ReportBike { bike, part }).await.unwrap();
    app.settle().await;
}

async fn notes(app: &App, bike: &str) -> Vec<String> {
    let instance = app.instance("workshop", bike).await.unwrap().unwrap();
    let state = instance.state.unwrap().1;
    let notes = state["notes"].as_array().unwrap().clone();
    notes.iter().map(|n| n.as_str().unwrap().into()).collect()
}

#[tokio::test]
async fn that_a_command_was_done_is_input() {
    let app = open(Arc::default());
    report(&app, "b1", "chain").await;
    assert_eq!(notes(&app, "b1").await, ["broken", "ordered"]);
    assert_eq!(app.inbox("Mechanic", 9).unwrap().len(), 1);
}

#[tokio::test]
async fn that_a_command_was_refused_is_input_and_may_be_the_end() {
    let app = open(Arc::default());
    report(&app, "b1", "sprocket of 1920").await;
    assert_eq!(notes(&app, "b1").await, ["broken", "refused"]);
    let instance = app.instance("workshop", "b1").await.unwrap().unwrap();
    assert_eq!(instance.status, Status::Ended);
    assert!(app.parked().unwrap().is_empty());
}

#[tokio::test]
async fn a_clock_that_starts_when_a_task_is_taken_on_does_not_run_in_the_queue() {
    let app = open(Arc::default());
    report(&app, "b1", "chain").await;
    app.advance(minutes(600)).await;
    assert_eq!(notes(&app, "b1").await, ["broken", "ordered"]);
    let task = app.inbox("Mechanic", 9).unwrap()[0].open.issued.id;
    app.claim(task, "mechanic:jo", minutes(90)).await.unwrap();
    app.settle().await;
    app.advance(minutes(59)).await;
    assert_eq!(notes(&app, "b1").await, ["broken", "ordered"]);
    app.advance(minutes(2)).await;
    let all = ["broken", "ordered", "asked again"];
    assert_eq!(notes(&app, "b1").await, all);
}

#[tokio::test]
async fn the_clock_of_a_task_that_is_done_never_runs_out() {
    let app = open(Arc::default());
    report(&app, "b1", "chain").await;
    let task = app.inbox("Mechanic", 9).unwrap()[0].open.issued.id;
    app.claim(task, "mechanic:jo", minutes(90)).await.unwrap();
    let repair = RepairBike { bike: "b1".into() };
    app.send(repair).answering(task).await.unwrap();
    app.advance(minutes(600)).await;
    assert_eq!(notes(&app, "b1").await, ["broken", "ordered", "repaired"]);
    let instance = app.instance("workshop", "b1").await.unwrap().unwrap();
    assert_eq!((instance.status, instance.late), (Status::Ended, 0));
}

/// Deleting everything about a thing takes the process about it along.
#[tokio::test]
async fn an_instance_whose_thing_is_erased_is_gone_with_its_deadlines_and_tasks() {
    let store: Arc<Memory> = Arc::default();
    let app = open(store.clone());
    report(&app, "b1", "chain").await;
    report(&app, "b2", "chain").await;
    let task = app.inbox("Mechanic", 9).unwrap()[0].open.issued.id;
    app.claim(task, "mechanic:jo", minutes(90)).await.unwrap();
    app.settle().await;
    let tag = fait::event::Tag::new("bike", "b1");
    let mut gone = fait::event::encode_event(&BikeBroken {
        bike: "b1".into(),
        part: "erased".into(),
    })
    .unwrap();
    gone.ty = "OwnerForgotten".into();
    let erase = Erase {
        tag,
        keep: Keep::default(),
        tombstone: Append {
            events: vec![gone.with(Uuid::now_v7(), Default::default())],
            conditions: vec![],
            command: None,
            recorded_at: app.clock().now(),
        },
    };
    app.erase(erase).await.unwrap();
    app.settle().await;
    assert_eq!(app.instance("workshop", "b1").await.unwrap(), None);
    let left = app.inbox("Mechanic", 9).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].key, "b2");
    let head = store.head().await.unwrap();
    app.advance(minutes(600)).await;
    assert_eq!(store.head().await.unwrap(), head, "no deadline is left");
    // The thing may come again, as a new one.
    report(&app, "b1", "bell").await;
    assert_eq!(notes(&app, "b1").await, ["broken", "ordered"]);
}

/// What is not said to be heard parks, and what is asked of people comes back as what was asked.
#[tokio::test]
async fn what_the_routes_do_not_hear_waits_for_a_person() {
    let app = open(Arc::default());
    report(&app, "b1", "chain").await;
    let task = app.inbox("Mechanic", 9).unwrap()[0].open.issued.id;
    app.decline(task, "mechanic:jo", "the frame is bent")
        .await
        .unwrap();
    app.settle().await;
    let parked = app.parked().unwrap();
    let Status::Parked { class, reason, .. } = &parked[0].status else {
        panic!("not parked")
    };
    assert_eq!(*class, Class::Unhandled);
    assert_eq!(reason, "`RepairBike` was refused: the frame is bent");
    let refused = Outcome::Refused {
        code: String::new(),
        reason: "x".into(),
    };
    assert_eq!(refused.trouble("A").unwrap(), "`A` was refused: x");
}
