//! A post office: parcels are sent, labelled, delivered, and their senders written to. Its process
//! has a first and a second definition.
#![expect(unreachable_pub, reason = "written as an application would be")]

use fait::app::{App, AppBuilder, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Policy, Process};
use fait::reexport::serde_json::{Value, json};
use fait::store::BoxFuture;
use fait::{Clock, CommandSet, EventSet, command, data, entity_ids, event};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

entity_ids! { ParcelId(text) => "parcel" }

#[event]
pub struct ParcelSent {
    #[tag]
    pub parcel: ParcelId,
}

#[event]
pub struct ParcelLabelled {
    #[tag]
    pub parcel: ParcelId,
}

#[event]
pub struct ParcelArrived {
    #[tag]
    pub parcel: ParcelId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Way {
    Sent(ParcelSent),
    Labelled(ParcelLabelled),
    Arrived(ParcelArrived),
}

#[derive(Default)]
pub struct Parcel {
    labels: u32,
}

impl Model for Parcel {
    type Key = ParcelId;
    type Events = ParcelLabelled;
    fn evolve(&mut self, _: ParcelLabelled) {
        self.labels += 1;
    }
}

/// Send a parcel
#[command(by = "Clerk")]
pub struct SendParcel {
    pub parcel: ParcelId,
}

impl Decide for SendParcel {
    type Model = Parcel;
    type Emits = ParcelSent;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, _: &Parcel, _: &Context) -> Result<Vec<ParcelSent>, Never> {
        let parcel = self.parcel.clone();
        Ok(vec![ParcelSent { parcel }])
    }
}

/// Deliver a parcel
#[command(by = "Clerk")]
pub struct DeliverParcel {
    pub parcel: ParcelId,
}

impl Decide for DeliverParcel {
    type Model = Parcel;
    type Emits = ParcelArrived;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, _: &Parcel, _: &Context) -> Result<Vec<ParcelArrived>, Never> {
        let parcel = self.parcel.clone();
        Ok(vec![ParcelArrived { parcel }])
    }
}

/// Label a parcel
#[command(by = "Clerk")]
pub struct LabelParcel {
    pub parcel: ParcelId,
}

impl Decide for LabelParcel {
    type Model = Parcel;
    type Emits = ParcelLabelled;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, parcel: &Parcel, _: &Context) -> Result<Vec<ParcelLabelled>, Never> {
        assert_eq!(parcel.labels, 0, "labelled twice");
        let parcel = self.parcel.clone();
        Ok(vec![ParcelLabelled { parcel }])
    }
}

/// Write to the sender
#[command(to = "Mail")]
pub struct WriteSender {
    pub parcel: ParcelId,
    pub text: String,
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub enum Sends {
    Label(LabelParcel),
    Write(WriteSender),
}

#[data]
pub enum Wake {
    Late,
}

/// The first definition.
#[data]
#[derive(Default)]
pub enum Deliver {
    #[default]
    Idle,
    Labelling,
    Underway,
    Late,
    Done,
}

fn write(parcel: &ParcelId, text: &str) -> WriteSender {
    WriteSender {
        parcel: parcel.clone(),
        text: text.into(),
    }
}

impl Process for Deliver {
    const NAME: &'static str = "deliver";
    type Key = ParcelId;
    type Events = Way;
    type Timer = Wake;
    type Sends = Sends;
    type Raises = Never;
    fn react(self, parcel: &ParcelId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use Deliver::*;
        match (self, input) {
            (Idle, Input::Event(Way::Sent(_))) => {
                assert!(!parcel.0.starts_with("torn"), "it is torn");
                out.send(LabelParcel {
                    parcel: parcel.clone(),
                });
                out.wake_after(minutes(60), Wake::Late);
                Labelling
            }
            (Labelling, Input::Event(Way::Labelled(_))) => Underway,
            (Labelling | Underway, Input::Timer(Wake::Late)) => {
                out.send(write(parcel, "late"));
                Late
            }
            (_, Input::Event(Way::Arrived(_))) => {
                out.cancel(Wake::Late);
                out.send(write(parcel, "arrived"));
                out.end();
                Done
            }
            (state, Input::Done { .. }) => state,
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// The second definition: another shape, and another text.
#[data]
#[derive(Default)]
pub struct DeliverPolitely {
    pub begun: bool,
    pub late: bool,
}

impl Process for DeliverPolitely {
    const NAME: &'static str = "deliver";
    const VERSION: u32 = 2;
    const DEFINITION: u32 = 2;
    type Key = ParcelId;
    type Events = Way;
    type Timer = Wake;
    type Sends = Sends;
    type Raises = Never;
    fn upcast(_: u32, state: Value) -> Result<Value, String> {
        match state.as_str() {
            Some("Labelling" | "Underway") => Ok(json!({"begun": true, "late": false})),
            Some("Late") => Ok(json!({"begun": true, "late": true})),
            _ => Err(format!("there is no step {state} any more")),
        }
    }
    fn adopt(_: &ParcelId, past: &[Way]) -> Option<Self> {
        let begun = past.iter().any(|e| matches!(e, Way::Sent(_)));
        let arrived = past.iter().any(|e| matches!(e, Way::Arrived(_)));
        (begun && !arrived).then_some(DeliverPolitely { begun, late: false })
    }
    fn migrate(self, _: u32) -> Result<Self, String> {
        match self.late {
            false => Ok(self),
            true => Err("it is late already".into()),
        }
    }
    fn react(mut self, parcel: &ParcelId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Way::Sent(_)) if !self.begun => {
                out.send(LabelParcel {
                    parcel: parcel.clone(),
                });
                out.wake_after(minutes(60), Wake::Late);
                self.begun = true;
            }
            Input::Timer(Wake::Late) => {
                out.send(write(parcel, "late, sorry"));
                self.late = true;
            }
            Input::Event(Way::Arrived(_)) => {
                out.cancel(Wake::Late);
                out.send(write(parcel, "arrived, thank you"));
                out.end();
            }
            _ => {}
        }
        self
    }
}

/// Writes to the sender of each parcel.
#[derive(Debug)]
pub struct Confirm;

impl Policy for Confirm {
    const NAME: &'static str = "confirm";
    type Events = ParcelSent;
    type Sends = WriteSender;
    fn whenever(e: ParcelSent) -> Vec<WriteSender> {
        vec![write(&e.parcel, "confirmed")]
    }
}

/// The same, in other words.
#[derive(Debug)]
pub struct ConfirmPolitely;

impl Policy for ConfirmPolitely {
    const NAME: &'static str = "confirm";
    type Events = ParcelSent;
    type Sends = WriteSender;
    fn whenever(e: ParcelSent) -> Vec<WriteSender> {
        vec![write(&e.parcel, "confirmed, dear sender")]
    }
}

/// The mail: it remembers what it was given, and can be shut.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    letters: Arc<Mutex<Vec<(String, String)>>>,
    shut: Arc<AtomicBool>,
}

impl Mail {
    pub fn shut(&self, shut: bool) {
        self.shut.store(shut, Ordering::SeqCst);
    }

    pub fn letters(&self) -> Vec<(String, String)> {
        let mut letters = self.letters.lock().unwrap().clone();
        letters.sort();
        letters
    }

    pub fn to(&self, parcel: &str) -> Vec<String> {
        let mine = self.letters().into_iter().filter(|(p, _)| p == parcel);
        mine.map(|(_, text)| text).collect()
    }
}

impl System for Mail {
    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }

    fn tell(&self, message: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            if self.shut.load(Ordering::SeqCst) {
                return Err(TellError::later("the mail is shut"));
            }
            let word = |name: &str| message.body[name].as_str().unwrap().to_string();
            let letter = (word("parcel"), word("text"));
            self.letters.lock().unwrap().push(letter);
            Ok(())
        })
    }
}

/// The post office without any process.
pub fn office(place: AppBuilder, mail: &Mail) -> AppBuilder {
    place
        .name("Post office")
        .clock(Clock::by_hand())
        .task::<SendParcel>()
        .task::<DeliverParcel>()
        .task::<LabelParcel>()
        .tells::<WriteSender>()
        .system("Mail", mail.clone())
}

pub async fn send(app: &App, parcel: &str) {
    let parcel = parcel.into();
    app.send(SendParcel { parcel }).await.unwrap();
}

pub async fn deliver(app: &App, parcel: &str) {
    let parcel = parcel.into();
    app.send(DeliverParcel { parcel }).await.unwrap();
}
