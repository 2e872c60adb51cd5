//! The program as it is called: on a folder, and on a running system.

mod called;
mod kitchen;
mod laundry;
mod folder;
mod address;
mod operate;
mod feeds;
mod bus;
mod heard;
mod menu;
mod guide;
mod draw;
mod played;
mod serve;
mod evolution;
mod examples;
mod next;
mod store;
mod sql;
mod usage;
mod door;
mod lint;
mod view;
mod drift;
mod contract;
mod layout;
