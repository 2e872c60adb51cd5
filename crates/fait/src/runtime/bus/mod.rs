//! Between systems: makes messages of what happened, and hands them over.

pub(crate) mod publication;
mod begin;
pub(crate) mod publish;
pub(crate) mod messages;
pub(crate) mod outlet;
pub(crate) mod relay;
