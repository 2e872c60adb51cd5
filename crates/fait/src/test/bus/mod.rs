//! The contract of every bus: one public function per clause, and a macro that makes them tests.
//!
//! ```
//! # mod it {
//! use fait::App;
//! use fait::app::AppBuilder;
//! use fait::bus::{InProcess, Inlet};
//! use fait::store::BoxFuture;
//! use fait::test::bus::Way;
//! use std::sync::Arc;
//!
//! #[derive(Default)]
//! struct Direct(InProcess);
//!
//! impl Way for Direct {
//!     fn start(&self, sender: AppBuilder) -> BoxFuture<'_, App> {
//!         Box::pin(async move {
//!             let app = sender.build().unwrap();
//!             self.0.connect(app.clone());
//!             app
//!         })
//!     }
//!     fn inlet(&self, _: &str) -> BoxFuture<'_, Arc<dyn Inlet>> {
//!         Box::pin(async move { Arc::new(self.0.clone()) as Arc<dyn Inlet> })
//!     }
//! }
//!
//! fait::bus_contract!(make: || async { Direct::default() });
//! # }
//! ```
//!
//! A clause takes a fresh way between two systems, runs a system at either end of it, and panics
//! with a sentence when something is lost, doubled or out of order. It needs no time-out of its
//! own that a slow machine could miss: it waits for what must come for up to [`PATIENCE`].

mod clauses;
mod ends;

pub use clauses::{
    a_large_message_arrives, a_message_arrives_as_it_was_published,
    a_message_that_cannot_be_read_holds_up_its_own_key_only, a_place_is_gone_on_from,
    a_receiver_that_starts_late_hears_everything, another_history_is_not_gone_on_with,
    many_messages_come_in_parts, messages_arrive_once_in_order, receivers_hear_on_their_own,
    restarts_of_the_receiver_lose_and_repeat_nothing,
    restarts_of_the_sender_lose_and_repeat_nothing, two_programs_on_one_log_record_once,
    what_comes_again_counts_once, what_is_not_done_comes_again,
};

use crate::app::{App, AppBuilder};
use crate::bus::Inlet;
use fait_core::store::BoxFuture;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How long is waited for what must come.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A way from one system to another, made anew for each clause.
pub trait Way: Send + Sync + 'static {
    /// Starts the system that sends. It is wired but for what the way itself needs, for example a
    /// relay to a broker, or a server. It is started again after [`stop`](Way::stop), on the same
    /// log.
    fn start(&self, sender: AppBuilder) -> BoxFuture<'_, App>;
    /// Stops the system that sends, as at the end of its program.
    fn stop(&self, sender: App) -> BoxFuture<'_, ()> {
        Box::pin(async move { sender.stop().await })
    }
    /// An inlet for the system that hears, as after a start of its program: the same one for the
    /// same name, for all that the other side knows.
    fn inlet(&self, name: &str) -> BoxFuture<'_, Arc<dyn Inlet>>;
    /// Makes another history of what the inlets give, as when a broker's stream is made anew or
    /// the other system's log is restored: while the sender is stopped. False when this cannot be
    /// done to it beyond giving the sender another log, which was done already.
    fn another_history(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { false })
    }
    /// The largest data of a message that it carries, in bytes; none when all that the log of the
    /// sender can hold is carried.
    fn most_bytes(&self) -> Option<usize> {
        None
    }
}

/// Makes one `#[test]` per clause: `bus_contract!(make: <async function that gives a `Way`>)`.
///
/// Call the macro inside a module of its own when a test file checks several ways.
#[macro_export]
macro_rules! bus_contract {
    (make: $make:expr $(,)?) => {
        $crate::bus_contract! { @clauses $make;
            messages_arrive_once_in_order, a_message_arrives_as_it_was_published,
            a_receiver_that_starts_late_hears_everything, many_messages_come_in_parts,
            receivers_hear_on_their_own, two_programs_on_one_log_record_once,
            restarts_of_the_receiver_lose_and_repeat_nothing,
            restarts_of_the_sender_lose_and_repeat_nothing,
            what_is_not_done_comes_again, what_comes_again_counts_once,
            a_place_is_gone_on_from, another_history_is_not_gone_on_with,
            a_message_that_cannot_be_read_holds_up_its_own_key_only, a_large_message_arrives,
        }
    };
    (@clauses $make:expr; $($clause:ident),+ $(,)?) => {
        $(
            #[test]
            fn $clause() {
                $crate::test::bus::check($make, $crate::test::bus::$clause);
            }
        )+
    };
}

/// Runs one clause on a fresh way; what [`bus_contract!`](crate::bus_contract) writes.
///
/// # Panics
/// The way breaks the clause, or there is no runtime to be had.
pub fn check<M, W, F>(make: impl Fn() -> M, clause: impl FnOnce(Arc<dyn Way>) -> F)
where
    M: Future<Output = W>,
    W: Way,
    F: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => panic!("a clause needs a runtime: {e}"),
    };
    runtime.block_on(async {
        let way: Arc<dyn Way> = Arc::new(make().await);
        match tokio::time::timeout(PATIENCE * 2, clause(way)).await {
            Ok(()) => {}
            Err(_) => panic!("nothing came of it"),
        }
    });
}
