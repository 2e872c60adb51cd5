//! The task UI, the HTTP interface and the status pages of a running [`fait::App`].
//!
//! Everything is made from the manifest: a page is a task, its form is the command. Pages are
//! rendered here, work without JavaScript, and follow along live with it.

mod answer;
mod sheet;
mod trial;
mod others;
mod kebab;
mod clients;
mod running;
mod openapi;
mod shared;
mod caller;
mod request;
mod seen;
mod api;
mod page;
mod shutdown;
mod site;
mod alone;

pub use alone::BoardSite;
pub use clients::{Clients, ClientsError, MAX_CLIENT_NAME, NewToken};
pub use openapi::openapi;
pub use shutdown::shutdown_signal;
pub use site::Site;
