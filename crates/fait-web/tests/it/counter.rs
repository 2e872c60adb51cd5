//! A counter where parcels are tied up by a process with a deadline, in two definitions.

use crate::shop::Shop;
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Process};
use fait::store::Memory;
use fait::{App, Clock, CommandSet, EventSet, command, data, entity_ids, event};
use fait_web::Site;
use std::sync::Arc;

entity_ids! { ParcelId(text) => "parcel" }

#[event]
pub(crate) struct Brought {
    #[tag]
    parcel: ParcelId,
}

#[event]
pub(crate) struct Tied {
    #[tag]
    parcel: ParcelId,
}

#[event]
pub(crate) struct Untied {
    #[tag]
    parcel: ParcelId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Counter {
    Brought(Brought),
}

#[derive(Default)]
pub(crate) struct Parcel;

impl Model for Parcel {
    type Key = ParcelId;
    type Events = Counter;
    fn evolve(&mut self, _: Counter) {}
}

/// A command that is always accepted.
macro_rules! accepted {
    ($command:ident => $event:ident) => {
        impl Decide for $command {
            type Model = Parcel;
            type Emits = $event;
            type Refusal = Never;
            fn boundary(&self) -> ParcelId {
                self.parcel.clone()
            }
            fn decide(&self, _: &Parcel, _: &Context) -> Result<Vec<$event>, Never> {
                let parcel = self.parcel.clone();
                Ok(vec![$event { parcel }])
            }
        }
    };
}

/// Bring a parcel
#[command(by = "Clerk", starts)]
pub(crate) struct Bring {
    parcel: ParcelId,
}

accepted!(Bring => Brought);

/// Tie it up
#[command(undone_by = "Untie")]
pub(crate) struct Tie {
    parcel: ParcelId,
}

accepted!(Tie => Tied);

/// Untie it
#[command]
pub(crate) struct Untie {
    parcel: ParcelId,
}

accepted!(Untie => Untied);

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sends {
    Tie(Tie),
    Untie(Untie),
}

#[data]
pub(crate) enum Wake {
    Noon,
}

/// What is heavy does not go on with another definition.
#[data]
#[derive(Default)]
pub(crate) struct Packing<const N: u32> {
    heavy: bool,
    noon: bool,
}

impl<const N: u32> Process for Packing<N> {
    const NAME: &'static str = "packing";
    const DEFINITION: u32 = N;
    type Key = ParcelId;
    type Events = Counter;
    type Timer = Wake;
    type Sends = Sends;
    type Raises = Never;
    fn migrate(self, from: u32) -> Result<Self, String> {
        match self.heavy {
            false => Ok(self),
            true => Err(format!("definition {from} weighed it")),
        }
    }
    fn react(mut self, parcel: &ParcelId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Counter::Brought(_)) => {
                self.heavy = parcel.0 == "stone";
                out.send(Tie {
                    parcel: parcel.clone(),
                });
                out.wake_after(minutes(60), Wake::Noon);
            }
            Input::Timer(Wake::Noon) => self.noon = true,
            Input::Done { .. } => {}
            other => return out.unhandled(self, other),
        }
        self
    }
}

/// The counter on a store, with the first definition only, or with the second beside it.
pub(crate) fn open(store: &Arc<Memory>, second: bool) -> Shop {
    let place = App::on(store.clone())
        .clock(Clock::by_hand())
        .task::<Bring>()
        .task::<Tie>()
        .task::<Untie>();
    let place = match second {
        false => place.process::<Packing<1>>(),
        true => place.process::<Packing<2>>().also::<Packing<1>>(),
    };
    let app = place.build().unwrap();
    let web = Site::new(app.clone()).into_service();
    Shop { app, web }
}

/// Somebody brings a parcel.
pub(crate) async fn bring(shop: &Shop, parcel: &str) {
    let body = format!(r#"{{"parcel": "{parcel}"}}"#);
    let answer = shop.post("/api/commands/Bring", &body).await;
    assert!(answer.status.is_success(), "{}", answer.body);
    shop.app.settle().await;
}
