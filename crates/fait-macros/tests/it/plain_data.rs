//! `#[data]`: the derives, beside the user's own.

use fait_core::event::schema_of;
use fait_macros::data;
use serde_json::json;

#[data(crate = "fait_core")]
#[derive(Eq, Default, Clone, PartialOrd)]
pub(crate) struct Row<T> {
    pub(crate) open: Vec<T>,
    #[serde(rename = "at")]
    pub(crate) since: Option<u32>,
}

#[derive(Default)]
#[data(crate = "fait_core")]
#[derive(std::fmt::Debug, PartialEq, serde::Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum Handover {
    #[default]
    Idle,
    WaitingFor {
        row: Row<u8>,
    },
}

#[test]
fn data_is_written_read_and_described() {
    let state = Handover::WaitingFor {
        row: Row {
            open: vec![1, 2],
            since: Some(3),
        },
    };
    let body = serde_json::to_value(&state).unwrap();
    assert_eq!(
        body,
        json!({ "state": "waiting-for", "row": { "open": [1, 2], "at": 3 } })
    );
    assert_eq!(serde_json::from_value::<Handover>(body).unwrap(), state);
    assert_eq!(Handover::default().clone(), Handover::Idle);
    assert_eq!(
        schema_of::<Row<u8>>()["properties"]["open"]["type"],
        "array"
    );
}

/// The crate's path may stand without quotes, too.
#[data(crate = fait_core)]
struct Unquoted {
    open: u32,
}

#[test]
fn the_crate_may_be_named_as_a_path() {
    assert_eq!(
        serde_json::to_value(Unquoted { open: 1 }).unwrap(),
        json!({ "open": 1 })
    );
}
