//! A view, event by event.

use super::{BEGIN, stored};
use fait_core::event::{EntityId, Event};
use fait_core::projection::{Projection, ProjectionDef, Rows};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A view under test.
pub struct ViewTest<P: Projection> {
    def: ProjectionDef,
    rows: Box<dyn Rows>,
    shown: BTreeMap<String, String>,
    position: u64,
    projection: PhantomData<fn() -> P>,
}

impl<P: Projection> fmt::Debug for ViewTest<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ViewTest").field(&self.shown).finish()
    }
}

/// An empty view.
pub fn view<P: Projection>() -> ViewTest<P> {
    let def = ProjectionDef::of::<P>();
    ViewTest {
        rows: def.code.rows(),
        def,
        shown: BTreeMap::new(),
        position: 0,
        projection: PhantomData,
    }
}

impl<P: Projection> ViewTest<P> {
    /// Something happens.
    #[track_caller]
    pub fn on<E: Event>(mut self, event: E) -> Self {
        self.position += 1;
        let events = [stored(&event, self.position, BEGIN)];
        let sorted = self.def.code.sort(&events, 1);
        if let Some(unread) = sorted.unread.first() {
            panic!("{}", unread.why);
        }
        for part in sorted.parts {
            for key in self.rows.missing(&part) {
                if let Err(e) = self.rows.give(&key, None) {
                    panic!("{e}");
                }
            }
            self.rows.take(part, &events, false);
        }
        if let Some(hurt) = self.rows.hurt().first() {
            panic!("row {}: {}", hurt.key, hurt.why);
        }
        let shown = &mut self.shown;
        self.rows.changed(&mut |key, row, _| match row {
            Ok(Some(row)) => drop(shown.insert(key.into(), row.into())),
            Ok(None) => drop(shown.remove(key)),
            Err(e) => panic!("row {key} cannot be written: {e}"),
        });
        self
    }

    /// It has this row.
    #[track_caller]
    pub fn has(self, key: impl Into<P::Key>, row: P::Row) -> Self {
        let key: P::Key = key.into();
        let wanted = serde_json::to_string(&row).unwrap_or_default();
        let got = self.shown.get(key.tag().value());
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
        let got = self.shown.get(key.tag().value());
        assert!(got.is_none(), "there is a row {key}: {got:?}");
        self
    }
}
