//! Two systems on one clock: each has its own store, database and crashes, and what one says to
//! the other goes over ways that lose, double, delay and reorder.
//!
//! A crash takes one of them; the other one goes on, with what it had in memory. [`every_crash`]
//! plays a scenario once without trouble, then with a crash of either at each of its operations,
//! with pairs of crashes of one or of both, and with seeded faults. Each run must have the same
//! outcome, neither log may break a law of processes, and each system must be the same when it is
//! made anew from its log alone.
//!
//! Here a shop tells a warehouse to pack an order. The warehouse's decision does not look whether
//! the order was packed: what keeps it from packing twice is that the shop tells under one id
//! until it hears an answer.
//!
//! ```
//! use fait::decision::{Context, Decide, Model};
//! use fait::event::Never;
//! use fait::process::{Input, Outbox, Process};
//! use fait::sim::Ending;
//! use fait::sim::two::{Side, World, every_crash};
//! use fait::{command, data, entity_ids, event};
//!
//! entity_ids! { OrderId(text) => "order" }
//!
//! /// An order was placed.
//! #[event]
//! struct OrderPlaced {
//!     #[tag]
//!     order: OrderId,
//! }
//!
//! /// Pack order
//! ///
//! /// For the shop it is done elsewhere, for the warehouse it is a task.
//! #[command(to = "Warehouse")]
//! struct PackOrder {
//!     /// Which?
//!     order: OrderId,
//! }
//!
//! /// An order was packed.
//! #[event]
//! struct OrderPacked {
//!     #[tag]
//!     order: OrderId,
//! }
//!
//! #[derive(Default)]
//! struct Nothing;
//!
//! impl Model for Nothing {
//!     type Key = OrderId;
//!     type Events = OrderPacked;
//!     fn evolve(&mut self, _: OrderPacked) {}
//! }
//!
//! impl Decide for PackOrder {
//!     type Model = Nothing;
//!     type Emits = OrderPacked;
//!     type Refusal = Never;
//!     fn boundary(&self) -> OrderId {
//!         self.order.clone()
//!     }
//!     fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<OrderPacked>, Never> {
//!         Ok(vec![OrderPacked { order: self.order.clone() }])
//!     }
//! }
//!
//! #[data]
//! #[derive(Default)]
//! struct Fulfil;
//!
//! impl Process for Fulfil {
//!     const NAME: &'static str = "fulfil";
//!     type Key = OrderId;
//!     type Events = OrderPlaced;
//!     type Timer = ();
//!     type Sends = PackOrder;
//!     type Raises = Never;
//!     fn react(self, order: &OrderId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
//!         if let Input::Event(_) = input {
//!             out.send(PackOrder { order: order.clone() });
//!         }
//!         self
//!     }
//! }
//!
//! let shop = |side: &Side, _: &()| {
//!     side.app()
//!         .receives::<OrderPlaced>("Customer")
//!         .tells::<PackOrder>()
//!         .system("Warehouse", side.door())
//!         .process::<Fulfil>()
//! };
//! let warehouse = |side: &Side, _: &()| side.app().task::<PackOrder>();
//! let scenario = async |world: &World, _: &()| {
//!     let order = OrderId::from("a hat");
//!     world.first().receive(OrderPlaced { order }, None).await.unwrap();
//! };
//! let outcome = |[_, warehouse]: &[Ending; 2], _: &()| warehouse.count("OrderPacked");
//!
//! let report = every_crash(shop, warehouse, scenario, outcome).check().unwrap();
//! assert!(report.singles > 0);
//! println!("{report}");
//! ```

mod bus;
mod way;
mod side;
mod world;
mod run;
mod every;

pub use bus::{Inbound, Outbound};
pub use every::{Every, Failure, every_crash};
pub use side::{Door, Side};
pub use world::World;
