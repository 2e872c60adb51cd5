//! A simulator for systems: a scenario is played once without trouble, then with a crash at every
//! operation that lasts, at pairs of them, and with seeded faults; it must end alike each time,
//! and no log may break the laws of processes.
//!
//! Everything runs in one thread on a clock that is moved by hand, so that a [`Plan`] has the same
//! log each time, byte for byte. What lasts, and counts as an operation, is an append, an erasure,
//! and telling another system. At a crash the whole system goes at once with all that it had in
//! memory and, unless the plan says otherwise, its database; a new one starts on the same store.
//! The world goes on: the clock, other systems with their ledgers, and people, who try again until
//! they are acknowledged.
//!
//! A process that decides on what it remembers outside of its state is such a mistake. Here a
//! counter in the program stands for what was said already, and a crash forgets it:
//!
//! ```
//! use fait::event::Never;
//! use fait::process::{Input, Outbox, Process};
//! use fait::sim::{Ending, Outside, Place, World, every_crash};
//! use fait::{command, data, entity_ids, event};
//!
//! entity_ids! { LetterId(text) => "letter" }
//!
//! /// A letter was written.
//! #[event]
//! struct LetterWritten {
//!     #[tag]
//!     letter: LetterId,
//! }
//!
//! /// Post letter
//! #[command(to = "Post")]
//! struct PostLetter {
//!     /// Which?
//!     letter: LetterId,
//!     /// Which time is it?
//!     time: u32,
//! }
//!
//! #[data]
//! #[derive(Default)]
//! struct PostIt;
//!
//! thread_local! {
//!     // The mistake: it is not in the process's state.
//!     static TIMES: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
//! }
//!
//! impl Process for PostIt {
//!     const NAME: &'static str = "post-it";
//!     type Key = LetterId;
//!     type Events = LetterWritten;
//!     type Timer = ();
//!     type Sends = PostLetter;
//!     type Raises = Never;
//!     fn react(self, letter: &LetterId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
//!         if let Input::Event(_) = input {
//!             TIMES.set(TIMES.get() + 1);
//!             out.send(PostLetter { letter: letter.clone(), time: TIMES.get() });
//!         }
//!         self
//!     }
//! }
//!
//! let system = |place: &Place, post: &Outside| {
//!     TIMES.set(0); // a program that starts has forgotten it
//!     place
//!         .app()
//!         .receives::<LetterWritten>("Desk")
//!         .tells::<PostLetter>()
//!         .system("Post", place.way(post.clone()))
//!         .process::<PostIt>()
//! };
//! let scenario = async |world: &World, post: &Outside| {
//!     for letter in ["a", "b"] {
//!         let letter = LetterId::from(letter);
//!         world.receive(LetterWritten { letter }, None).await.unwrap();
//!         world.told(post).await;
//!     }
//! };
//! let outcome = |_: &Ending, post: &Outside| {
//!     post.acted().iter().map(|told| told.body.to_string()).collect::<Vec<_>>()
//! };
//!
//! let failure = every_crash(system, scenario, outcome).check().unwrap_err();
//! assert!(failure.why.contains("the outcome is another one"));
//! assert!(failure.schedules < 20);
//! println!("{failure}"); // the plan, the difference, every operation, the log
//! ```

mod chance;
mod plan;
mod place;
mod outside;
mod world;
mod show;
mod ending;
mod run;
mod laws;
mod every;
pub mod two;

pub use crate::runtime::flaw::{Flaw, with_flaw};
pub use chance::Chance;
pub use ending::Ending;
pub use every::{Every, Extent, Failure, Report, broken_by_rebuild, every_crash};
pub use laws::{Broken, Law, broken_by};
pub use outside::{Outside, Way};
pub use place::{Operation, Place};
pub use plan::{Crash, Faults, Plan, Side};
pub use run::{RunError, STUCK_AFTER, rebuild, run};
pub use world::World;
