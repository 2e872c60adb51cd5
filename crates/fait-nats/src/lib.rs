//! Published events over NATS JetStream: a way between two logs, never the truth.
//!
//! One stream for each system that publishes, `fait-<system>`, with the subjects
//! `fait.<system>.<type>.<key>`. The stream itself says how far it came: its last message bears its
//! position in the log, and each message is taken only right behind the one before it. So relays
//! may be killed at any point, and several may race: each message stands there once, in order,
//! also when the server's own window for duplicates is long over.
//!
//! A reader goes through the stream by its numbers, from the mark in its own log on. The server
//! remembers nothing about it, so that there are no two memories that could disagree.
//!
//! | what is there | what follows |
//! |---|---|
//! | no server, no leader, no answer, another relay was faster | [`BusError::Later`]: tried again |
//! | the stream was purged, made anew or restored | [`BusError::Other`]: an operator is asked |
//! | a message that the server does not take, as it is too large | [`BusError::Message`] |
//! | a server that is too old, or a stream that is set up otherwise | [`BusError::Unfit`] |
//!
//! ```no_run
//! # async fn wire() -> Result<(), Box<dyn std::error::Error>> {
//! use fait_nats::{Keep, Nats, Options};
//! use std::time::Duration;
//!
//! let nats = Nats::connect("nats://127.0.0.1:4222", Options::default()).await?;
//! // In the system that publishes:
//! let outlet = nats.outlet("tickets").keeps(Keep {
//!     age: Some(Duration::from_secs(30 * 24 * 3600)),
//!     ..Keep::default()
//! });
//! // In the system that hears it:
//! let inlet = nats.inlet("tickets", "sponsorship");
//! # let _ = (outlet, inlet);
//! # Ok(())
//! # }
//! ```
//!
//! [`BusError::Later`]: fait::bus::BusError::Later
//! [`BusError::Other`]: fait::bus::BusError::Other
//! [`BusError::Message`]: fait::bus::BusError::Message
//! [`BusError::Unfit`]: fait::bus::BusError::Unfit

mod name;
mod connect;
mod stream;
mod outlet;
mod inlet;

pub use connect::{Nats, NatsError, Options};
pub use inlet::NatsInlet;
pub use outlet::NatsOutlet;
pub use stream::Keep;
