//! The index of a stretch of the log: which events have which type, tag or id, and where they
//! stand. Events are counted from the start of their segment: an event's *ordinal*.

mod list;
mod tail;
mod part;
mod build;
mod search;

pub(crate) use build::Builder;
pub(crate) use list::List;
pub(crate) use part::Part;
pub(crate) use search::{Search, Window, is_every};
pub(crate) use tail::Tail;
