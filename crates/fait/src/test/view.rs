//! A view, event by event.

use super::{BEGIN, stored};
use fait_core::event::{EntityId, Event};
use fait_core::projection::{Projection, ProjectionDef};
use serde_json::Value;
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// A view under test.
#[derive(Debug)]
pub struct ViewTest<P: Projection> {
    def: ProjectionDef,
    rows: BTreeMap<String, Value>,
    position: u64,
    projection: PhantomData<fn() -> P>,
}

/// An empty view.
pub fn view<P: Projection>() -> ViewTest<P> {
    let def = ProjectionDef::of::<P>();
    ViewTest {
        def,
        rows: BTreeMap::new(),
        position: 0,
        projection: PhantomData,
    }
}

impl<P: Projection> ViewTest<P> {
    /// Something happens.
    #[track_caller]
    pub fn on<E: Event>(mut self, event: E) -> Self {
        self.position += 1;
        let event = stored(&event, self.position, BEGIN);
        let keys = (self.def.keys)(&event).unwrap_or_else(|e| panic!("{e}"));
        for key in keys {
            let row = self.rows.remove(&key);
            match (self.def.project)(row, &key, &event) {
                Ok(Some(row)) => drop(self.rows.insert(key, row)),
                Ok(None) => {}
                Err(e) => panic!("{e}"),
            }
        }
        self
    }

    /// It has this row.
    #[track_caller]
    pub fn has(self, key: impl Into<P::Key>, row: P::Row) -> Self {
        let key: P::Key = key.into();
        let wanted = serde_json::to_value(row).unwrap_or_default();
        let got = self.rows.get(key.tag().value());
        assert!(
            got == Some(&wanted),
            "row {key}\nwanted: {wanted}\ngot: {got:?}"
        );
        self
    }

    /// It has no row about this.
    #[track_caller]
    pub fn has_no(self, key: impl Into<P::Key>) -> Self {
        let key: P::Key = key.into();
        let got = self.rows.get(key.tag().value());
        assert!(got.is_none(), "there is a row {key}: {got:?}");
        self
    }
}
