//! Messages over real NATS servers, which the tests start and kill.

mod log;
mod server;
mod carry;
mod cluster;
mod contract;
mod doors;
mod faults;
mod systems;
mod outage;
