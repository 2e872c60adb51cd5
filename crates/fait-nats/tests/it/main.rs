//! Messages over real NATS servers, which the tests start and kill.

mod log;
mod server;
mod carry;
mod cluster;
mod doors;
mod faults;
