//! The attributes and derives of `fait`. Applications get them from the crate `fait`.
//!
//! They add implementations to types that you wrote, and never make types of their own. Each takes
//! `crate = "…"` for crates that name `fait_core` rather than `fait`.

mod problems;
mod words;
mod args;
mod data;
mod sentence;
mod record;
mod event;
mod set;
mod event_set;
mod command;
mod command_set;
mod refusal;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// One event: a struct in the past tense.
#[proc_macro_attribute]
pub fn event(args: TokenStream, item: TokenStream) -> TokenStream {
    event::expand(args.into(), item.into()).into()
}

/// Some events: an enum of one-field variants.
#[proc_macro_derive(EventSet, attributes(event_set))]
pub fn derive_event_set(input: TokenStream) -> TokenStream {
    event_set::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// What is asked of the system: a struct in the imperative, which is also the form.
#[proc_macro_attribute]
pub fn command(args: TokenStream, item: TokenStream) -> TokenStream {
    command::expand(args.into(), item.into()).into()
}

/// Some commands: an enum of one-field variants.
#[proc_macro_derive(CommandSet, attributes(command_set))]
pub fn derive_command_set(input: TokenStream) -> TokenStream {
    command_set::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// The business reasons not to do what is asked: an enum with a sentence for each.
#[proc_macro_derive(Refusal, attributes(refused))]
pub fn derive_refusal(input: TokenStream) -> TokenStream {
    refusal::expand(parse_macro_input!(input as DeriveInput)).into()
}

/// Plain data beside events and commands: rows, states, nested values.
#[proc_macro_attribute]
pub fn data(args: TokenStream, item: TokenStream) -> TokenStream {
    data::expand(args.into(), item.into()).into()
}
