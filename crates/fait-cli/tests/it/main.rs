//! The program as it is called: on a folder, and on a running system.

mod called;
mod kitchen;
mod folder;
mod address;
mod operate;
mod guide;
mod store;
mod usage;
