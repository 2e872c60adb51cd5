//! The HTTP interface and the pages of a small shop, through every door.

mod shop;
mod api;
mod operate;
mod pages;
