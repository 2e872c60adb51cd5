//! A post office: a parcel is taken in, weighed twice by its process, handed to a carrier, and
//! asked about when the carrier stays silent.

use fait::app::AppBuilder;
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, hours};
use fait::process::{Input, Outbox, Process};
use fait::sim::{Ending, Outside, Place, World};
use fait::{CommandSet, EventSet, command, data, entity_ids, event};

entity_ids! { ParcelId(text) => "parcel" }

/// Somebody brought a parcel.
#[event]
pub(crate) struct ParcelBrought {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// It was weighed.
#[event]
pub(crate) struct ParcelWeighed {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// Somebody asked where it is.
#[event]
pub(crate) struct ParcelMissed {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// The carrier brought it.
#[event]
pub(crate) struct ParcelDelivered {
    #[tag]
    pub(crate) parcel: ParcelId,
}

/// What was weighed, and how often.
#[derive(Default)]
pub(crate) struct Scale {
    brought: bool,
}

#[derive(EventSet)]
pub(crate) enum OnScale {
    Brought(ParcelBrought),
    Weighed(ParcelWeighed),
}

impl Model for Scale {
    type Key = ParcelId;
    type Events = OnScale;
    fn evolve(&mut self, event: OnScale) {
        match event {
            OnScale::Brought(_) => self.brought = true,
            OnScale::Weighed(_) => {}
        }
    }
}

/// Bring a parcel
#[command(by = "Customer", starts)]
pub(crate) struct BringParcel {
    /// Which?
    pub(crate) parcel: ParcelId,
}

impl Decide for BringParcel {
    type Model = Scale;
    type Emits = ParcelBrought;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, scale: &Scale, _: &Context) -> Result<Vec<ParcelBrought>, Never> {
        let parcel = self.parcel.clone();
        Ok(match scale.brought {
            true => vec![],
            false => vec![ParcelBrought { parcel }],
        })
    }
}

/// Weigh a parcel
///
/// Each time counts: the decision does not make it safe to do it again.
#[command]
pub(crate) struct WeighParcel {
    /// Which?
    pub(crate) parcel: ParcelId,
}

impl Decide for WeighParcel {
    type Model = Scale;
    type Emits = ParcelWeighed;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, _: &Scale, _: &Context) -> Result<Vec<ParcelWeighed>, Never> {
        let parcel = self.parcel.clone();
        Ok(vec![ParcelWeighed { parcel }])
    }
}

/// Look for a parcel
#[command(by = "Clerk")]
pub(crate) struct LookForParcel {
    /// Which?
    pub(crate) parcel: ParcelId,
}

impl Decide for LookForParcel {
    type Model = Scale;
    type Emits = ParcelMissed;
    type Refusal = Never;
    fn boundary(&self) -> ParcelId {
        self.parcel.clone()
    }
    fn decide(&self, _: &Scale, _: &Context) -> Result<Vec<ParcelMissed>, Never> {
        let parcel = self.parcel.clone();
        Ok(vec![ParcelMissed { parcel }])
    }
}

/// Carry a parcel
#[command(to = "Carrier")]
pub(crate) struct CarryParcel {
    /// Which?
    pub(crate) parcel: ParcelId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Way {
    Brought(ParcelBrought),
    Weighed(ParcelWeighed),
    Delivered(ParcelDelivered),
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sends {
    Weigh(WeighParcel),
    Carry(CarryParcel),
    Look(LookForParcel),
}

#[data]
pub(crate) enum Silent {
    Carrier,
}

/// Process *Send a parcel*.
#[data]
#[derive(Default)]
pub(crate) enum SendParcel {
    #[default]
    Idle,
    Weighing(u32),
    Carried,
    Done,
}

impl Process for SendParcel {
    const NAME: &'static str = "send-a-parcel";
    type Key = ParcelId;
    type Events = Way;
    type Timer = Silent;
    type Sends = Sends;
    type Raises = Never;

    fn react(self, parcel: &ParcelId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let parcel = parcel.clone();
        match (self, input) {
            (SendParcel::Idle, Input::Event(Way::Brought(_))) => {
                out.send(WeighParcel { parcel });
                SendParcel::Weighing(1)
            }
            (SendParcel::Weighing(1), Input::Event(Way::Weighed(_))) => {
                out.send(WeighParcel { parcel });
                SendParcel::Weighing(2)
            }
            (SendParcel::Weighing(_), Input::Event(Way::Weighed(_))) => {
                out.send(CarryParcel { parcel });
                out.wake_after(hours(1), Silent::Carrier);
                SendParcel::Carried
            }
            (SendParcel::Carried, Input::Timer(Silent::Carrier)) => {
                out.ask::<LookForParcel>("Clerk");
                SendParcel::Carried
            }
            (_, Input::Event(Way::Delivered(_))) => {
                out.end();
                SendParcel::Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// The post office in a place, with its carrier.
pub(crate) fn wire(place: &Place, carrier: &Outside) -> AppBuilder {
    place
        .app()
        .task::<BringParcel>()
        .task::<WeighParcel>()
        .task::<LookForParcel>()
        .tells::<CarryParcel>()
        .receives::<ParcelDelivered>("Carrier")
        .system("Carrier", place.way(carrier.clone()))
        .process::<SendParcel>()
}

/// The carrier takes longer than wanted.
pub(crate) async fn bring_one(world: &World, carrier: &Outside) {
    let parcel = ParcelId::from("a hat");
    let bring = BringParcel {
        parcel: parcel.clone(),
    };
    world.send("customer:ann", bring).await.unwrap();
    let told = world.told(carrier).await;
    world.advance(hours(2)).await;
    let look = |_: &_| LookForParcel {
        parcel: parcel.clone(),
    };
    assert!(world.answer("Clerk", look).await.unwrap().is_some());
    for told in told {
        let parcel = parcel.clone();
        let delivered = ParcelDelivered { parcel };
        world.receive(delivered, Some(&told)).await.unwrap();
    }
}

/// What must be the same: what happened, what was carried, how it stands.
pub(crate) fn outcome(ending: &Ending, carrier: &Outside) -> (Vec<String>, usize, Vec<bool>) {
    let mut happened = ending.happened();
    happened.sort();
    let instances = ending.instances();
    let ended = instances.values().map(|i| i.ended).collect();
    (happened, carrier.acted().len(), ended)
}
