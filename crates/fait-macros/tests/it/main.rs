//! What the macros write, used as an application uses it.

mod domain;
mod events;
mod decoding;
mod sets;
mod commands;
mod refusals;
mod published;
mod plain_data;
mod messages;
