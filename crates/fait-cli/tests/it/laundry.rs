//! A small laundry, whose first program stumbles over one load, and the program that does not.

use fait::app::AppBuilder;
use fait::decision::{Context, Decide, Model};
use fait::event::Never;
use fait::process::{Input, Outbox, Process};
use fait::{CommandSet, EventSet, command, data, entity_ids, event};

entity_ids! { LoadId(number) => "load" }

#[event]
pub(crate) struct LoadBrought {
    #[tag]
    load: LoadId,
}

#[event]
pub(crate) struct WishNoted {
    #[tag]
    load: LoadId,
    n: u32,
}

#[event]
pub(crate) struct MachineStarted {
    #[tag]
    load: LoadId,
}

#[event]
pub(crate) struct MachineStopped {
    #[tag]
    load: LoadId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Brought(LoadBrought),
    Noted(WishNoted),
}

#[derive(Default)]
pub(crate) struct Load;

impl Model for Load {
    type Key = LoadId;
    type Events = LoadBrought;
    fn evolve(&mut self, _: LoadBrought) {}
}

/// A command that is always accepted, and what it brings.
macro_rules! accepted {
    ($command:ident => $event:ident { $($field:ident),* }) => {
        impl Decide for $command {
            type Model = Load;
            type Emits = $event;
            type Refusal = Never;
            fn boundary(&self) -> LoadId {
                self.load
            }
            fn decide(&self, _: &Load, _: &Context) -> Result<Vec<$event>, Never> {
                Ok(vec![$event { $($field: self.$field),* }])
            }
        }
    };
}

/// Bring a load
#[command(by = "Guest")]
pub(crate) struct BringLoad {
    pub(crate) load: LoadId,
}

accepted!(BringLoad => LoadBrought { load });

/// Note a wish
#[command(by = "Guest")]
pub(crate) struct NoteWish {
    pub(crate) load: LoadId,
    pub(crate) n: u32,
}

accepted!(NoteWish => WishNoted { load, n });

/// Start the machine
#[command(undone_by = "StopMachine")]
pub(crate) struct StartMachine {
    load: LoadId,
}

accepted!(StartMachine => MachineStarted { load });

/// Stop the machine
#[command]
pub(crate) struct StopMachine {
    load: LoadId,
}

accepted!(StopMachine => MachineStopped { load });

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sends {
    Start(StartMachine),
    Stop(StopMachine),
}

/// The load that is torn.
pub(crate) const TORN: u64 = 3;

/// One load, by a program that cannot wash what is torn, or by one that can.
#[data]
#[derive(Default)]
pub(crate) struct Washing<const MENDED: bool> {
    begun: bool,
    wishes: Vec<u32>,
}

impl<const MENDED: bool> Process for Washing<MENDED> {
    const NAME: &'static str = "washing";
    type Key = LoadId;
    type Events = Heard;
    type Timer = ();
    type Sends = Sends;
    type Raises = Never;
    fn react(mut self, load: &LoadId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Heard::Brought(_)) => {
                assert!(MENDED || load.0 != TORN, "load {TORN} tears the machine");
                self.begun = true;
                out.send(StartMachine { load: *load });
            }
            // A wish before the load would be out of order.
            Input::Event(Heard::Noted(wish)) if self.begun => self.wishes.push(wish.n),
            Input::Done { .. } => {}
            other => return out.unhandled(self, other),
        }
        self
    }
}

fn laundry(place: AppBuilder) -> AppBuilder {
    place
        .task::<BringLoad>()
        .task::<NoteWish>()
        .task::<StartMachine>()
        .task::<StopMachine>()
}

/// The program that stumbles.
pub(crate) fn torn(place: AppBuilder) -> AppBuilder {
    laundry(place).process::<Washing<false>>()
}

/// The one that does not.
pub(crate) fn mended(place: AppBuilder) -> AppBuilder {
    laundry(place).process::<Washing<true>>()
}
