//! The HTTP interface and the pages of a small shop, through every door.

mod shop;
mod stream;
mod counter;
mod api;
mod operate;
mod bus;
mod heard;
mod jars;
mod rebuild;
mod pages;
mod board;
mod seen;
mod door;
mod promised;
mod published;
mod flows;
#[cfg(unix)]
mod shutdown;
