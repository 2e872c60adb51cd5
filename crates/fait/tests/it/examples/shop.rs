//! A bicycle workshop, with a field of every kind that a board has words for.

use fait::app::{App, AppBuilder, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Money, Never, Time, days};
use fait::process::{Input, Outbox, Process};
use fait::projection::Projection;
use fait::store::BoxFuture;
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};

entity_ids! { RepairId => "repair", RackId(number) => "rack", TagId(text) => "tag" }

#[data]
#[derive(Copy)]
pub(crate) enum Kind {
    City,
    RacingBike,
}

#[event]
pub(crate) struct BicycleTaken {
    #[tag]
    pub(crate) repair: RepairId,
    pub(crate) rack: RackId,
    pub(crate) tag_id: TagId,
    pub(crate) kind: Kind,
    pub(crate) price: Money,
    pub(crate) deposit: i64,
    pub(crate) parts: Vec<String>,
    pub(crate) urgent: bool,
    pub(crate) promised_for: Option<Time>,
    pub(crate) weight: f64,
}

#[event]
pub(crate) struct BicycleMended {
    #[tag]
    pub(crate) repair: RepairId,
    pub(crate) mended_by: String,
}

#[event]
pub(crate) struct MendingForgotten {
    #[tag]
    pub(crate) repair: RepairId,
}

#[event]
pub(crate) struct CustomerCalled {
    #[tag]
    pub(crate) repair: RepairId,
}

#[event]
pub(crate) struct PartsArrived {
    #[tag]
    pub(crate) repair: RepairId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum History {
    Taken(BicycleTaken),
    Mended(BicycleMended),
    Called(CustomerCalled),
}

#[derive(Default)]
pub(crate) struct Repair {
    taken: bool,
    mended: bool,
    called: bool,
}

impl Model for Repair {
    type Key = RepairId;
    type Events = History;
    fn evolve(&mut self, event: History) {
        match event {
            History::Taken(_) => self.taken = true,
            History::Mended(_) => self.mended = true,
            History::Called(_) => self.called = true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("the rack has only {left} places left")]
    Full { left: u32 },
    #[refused("there is no such repair")]
    Unknown,
    #[refused("the bicycle is already mended")]
    AlreadyMended,
}

/// Take a bicycle
#[command(by = "Clerk", starts)]
pub(crate) struct TakeBicycle {
    #[field(fresh)]
    pub(crate) repair: RepairId,
    pub(crate) rack: RackId,
    pub(crate) tag_id: TagId,
    pub(crate) kind: Kind,
    pub(crate) price: Money,
    pub(crate) deposit: i64,
    pub(crate) parts: Vec<String>,
    pub(crate) urgent: bool,
    pub(crate) promised_for: Option<Time>,
    pub(crate) weight: f64,
}

impl Decide for TakeBicycle {
    type Model = Repair;
    type Emits = BicycleTaken;
    type Refusal = No;
    fn boundary(&self) -> RepairId {
        self.repair
    }
    fn decide(&self, repair: &Repair, _: &Context) -> Result<Vec<BicycleTaken>, No> {
        if self.rack == RackId(13) {
            return Err(No::Full { left: 0 });
        }
        let it = self.clone();
        let taken = BicycleTaken {
            repair: it.repair,
            rack: it.rack,
            tag_id: it.tag_id,
            kind: it.kind,
            price: it.price,
            deposit: it.deposit,
            parts: it.parts,
            urgent: it.urgent,
            promised_for: it.promised_for,
            weight: it.weight,
        };
        Ok(if repair.taken { vec![] } else { vec![taken] })
    }
}

/// Mend a bicycle
#[command(by = ["Mechanic", "Foreman"])]
pub(crate) struct MendBicycle {
    pub(crate) repair: RepairId,
    pub(crate) mended_by: String,
}

impl Decide for MendBicycle {
    type Model = Repair;
    type Emits = BicycleMended;
    type Refusal = No;
    fn boundary(&self) -> RepairId {
        self.repair
    }
    fn decide(&self, model: &Repair, context: &Context) -> Result<Vec<BicycleMended>, No> {
        assert!(self.mended_by != "nobody", "somebody has to mend it");
        if !model.taken {
            return Err(No::Unknown);
        }
        if model.mended {
            return Err(No::AlreadyMended);
        }
        let (repair, mut mended_by) = (self.repair, self.mended_by.clone());
        if mended_by == "whoever" {
            mended_by = context.actor.clone().unwrap_or_default();
        }
        Ok(vec![BicycleMended { repair, mended_by }])
    }
}

/// Call the customer
#[command]
pub(crate) struct CallCustomer {
    pub(crate) repair: RepairId,
}

impl Decide for CallCustomer {
    type Model = Repair;
    type Emits = CustomerCalled;
    type Refusal = Never;
    fn boundary(&self) -> RepairId {
        self.repair
    }
    fn decide(&self, model: &Repair, _: &Context) -> Result<Vec<CustomerCalled>, Never> {
        let repair = self.repair;
        Ok(if model.called {
            vec![]
        } else {
            vec![CustomerCalled { repair }]
        })
    }
}

/// Order parts
#[command(to = "Part store")]
pub(crate) struct OrderParts {
    pub(crate) repair: RepairId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Taken(BicycleTaken),
    Arrived(PartsArrived),
    Mended(BicycleMended),
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sent {
    Mend(MendBicycle),
    Call(CallCustomer),
    Order(OrderParts),
}

#[data]
pub(crate) enum Late {
    Mending,
}

#[data]
#[derive(Default)]
pub(crate) enum Mending {
    #[default]
    Idle,
    Parts,
    Asked,
    Done,
}

impl Process for Mending {
    const NAME: &'static str = "mending";
    const TITLE: &'static str = "Mending";
    type Key = RepairId;
    type Events = Heard;
    type Timer = Late;
    type Sends = Sent;
    type Raises = MendingForgotten;

    fn react(self, repair: &RepairId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        use Mending::{Asked, Done, Idle, Parts};
        let repair = *repair;
        match (self, input) {
            (Idle, Input::Event(Heard::Taken(e))) if e.urgent => {
                out.send(OrderParts { repair });
                Parts
            }
            (Idle, Input::Event(Heard::Taken(_))) | (Parts, Input::Event(Heard::Arrived(_))) => {
                out.ask::<MendBicycle>("Mechanic").within(days(2));
                out.wake_after(days(2), Late::Mending);
                Asked
            }
            (Asked, Input::Timer(Late::Mending)) => {
                out.raise(MendingForgotten { repair });
                out.ask::<MendBicycle>("Foreman");
                Asked
            }
            (Asked, Input::Event(Heard::Mended(_))) => {
                out.send(CallCustomer { repair });
                out.end();
                Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// What stands in the racks.
#[derive(Debug)]
pub(crate) struct Racks;

#[data]
pub(crate) struct RackRow {
    pub(crate) rack: RackId,
    pub(crate) parts: Vec<String>,
    pub(crate) mended_by: Option<String>,
}

impl Projection for Racks {
    const NAME: &'static str = "racks";
    type Key = RepairId;
    type Events = History;
    type Row = RackRow;
    fn project(row: &mut Option<RackRow>, _: &RepairId, event: History, _: &Meta) {
        match event {
            History::Taken(e) => {
                *row = Some(RackRow {
                    rack: e.rack,
                    parts: e.parts,
                    mended_by: None,
                });
            }
            History::Mended(e) => {
                if let Some(row) = row {
                    row.mended_by = Some(e.mended_by);
                }
            }
            History::Called(_) => {}
        }
    }
}

/// A part store that must not be reached from an example.
struct Reached;

impl System for Reached {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Err(TellError::never("an example reached another system")) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Park
    }
}

pub(crate) fn wired(place: AppBuilder) -> AppBuilder {
    place
        .name("Bicycles")
        .task::<TakeBicycle>()
        .task::<MendBicycle>()
        .task::<CallCustomer>()
        .tells::<OrderParts>()
        .receives::<PartsArrived>("Part store")
        .system("Part store", Reached)
        .projection::<Racks>()
        .process::<Mending>()
}
