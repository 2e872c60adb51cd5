//! The test kit: given / when / then for decisions, processes, views and what others say, without
//! a store, a runtime or a real clock; and the contract of a bus, [`mod@bus`].

pub mod bus;
mod decision;
mod fixtures;
mod manifest;
mod process;
mod receive;
mod view;

pub use decision::{Decided, Given, given, nothing};
pub use fixtures::{Fixtures, fixtures};
pub use manifest::manifest;
pub use process::{ProcessTest, process};
pub use receive::{ReceiveTest, message, message_of, receive};
pub use view::{ViewTest, view};

use fait_core::event::{Draft, Event, Meta, Origin, Position, StoredEvent, Time};
use serde_json::Value;
use uuid::Uuid;

/// When tests begin.
const BEGIN: Time = Time(1_767_225_600_000);

/// An event as if it had been stored.
fn stored<E: Event>(event: &E, position: Position, at: Time) -> StoredEvent {
    let draft = match fait_core::event::encode_event(event) {
        Ok(draft) => draft,
        Err(e) => panic!("{e}"),
    };
    let Draft {
        ty,
        version,
        tags,
        data,
    } = draft;
    let id = Uuid::from_u128(u128::from(position));
    let origin = Origin {
        correlation: Uuid::from_u128(1),
        ..Origin::default()
    };
    StoredEvent {
        ty,
        version,
        tags,
        data,
        meta: Meta {
            position,
            id,
            recorded_at: at,
            origin,
        },
    }
}

/// Drafts as a person compares them.
fn shown(drafts: &[Draft]) -> String {
    if drafts.is_empty() {
        return "  nothing".into();
    }
    let line = |d: &Draft| {
        let data: Value = serde_json::from_slice(&d.data).unwrap_or_default();
        format!("  {} {data}", d.ty)
    };
    drafts.iter().map(line).collect::<Vec<_>>().join("\n")
}
