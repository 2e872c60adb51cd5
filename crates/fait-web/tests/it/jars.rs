//! A cellar with jars: a view in two versions, by a program that stumbles and by one that does not.

use crate::shop::Shop;
use fait::app::AppBuilder;
use fait::event::{Event, Meta, NewEvent, Origin, Tag, Time};
use fait::projection::Projection;
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Store};
use fait::{App, Clock, data, entity_ids, event};
use fait_web::Site;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

entity_ids! { JarId(text) => "jar" }

#[event]
pub(crate) struct Filled {
    #[tag]
    jar: JarId,
    spoons: u32,
}

/// Only version 2 knows a jar with so much in it.
pub(crate) const NEW: u32 = 7;
/// Version 2 knows no jar with so much in it.
pub(crate) const OLD: u32 = 13;
/// From here on version 2 counts double.
pub(crate) const MUCH: u32 = 100;
/// The program that stumbles does so here.
pub(crate) const POISON: u32 = 666;
/// Version 2 waits here as long as [`CLOSED`] is set.
pub(crate) const SLOW: u32 = 55;

/// Whether a program that stumbles over poison does so.
pub(crate) static STUMBLES: AtomicBool = AtomicBool::new(true);
/// Holds the making of version 2 up.
pub(crate) static CLOSED: AtomicBool = AtomicBool::new(false);
/// Whether something stands at the gate.
pub(crate) static AT_GATE: AtomicBool = AtomicBool::new(false);

pub(crate) struct Jars<const V: u32, const MENDED: bool>;

#[data]
#[derive(Default)]
pub(crate) struct Jar {
    /// Spoons in it
    spoons: u32,
    times: u32,
}

impl<const V: u32, const MENDED: bool> Projection for Jars<V, MENDED> {
    const NAME: &'static str = "jars";
    const VERSION: u32 = V;
    type Key = JarId;
    type Events = Filled;
    type Row = Jar;
    fn project(row: &mut Option<Jar>, _: &JarId, e: Filled, _: &Meta) {
        let stumbles = !MENDED && STUMBLES.load(Ordering::Acquire);
        assert!(e.spoons != POISON || !stumbles, "this spoon is poison");
        if V == 2 && e.spoons == SLOW {
            AT_GATE.store(true, Ordering::Release);
            while CLOSED.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        }
        match e.spoons {
            NEW if V == 1 => return,
            OLD if V == 2 => return *row = None,
            _ => {}
        }
        let jar = row.get_or_insert_default();
        jar.spoons += e.spoons;
        if V == 2 && e.spoons >= MUCH {
            jar.spoons += e.spoons;
        }
        jar.times += 1;
    }
}

/// The log and the database of the views, which programs are started on one after the other.
pub(crate) struct Cellar {
    pub(crate) folder: TempDir,
    store: Arc<Memory>,
    count: u128,
}

impl Cellar {
    pub(crate) fn new() -> Cellar {
        Cellar {
            folder: tempfile::tempdir().unwrap(),
            store: Arc::new(Memory::default()),
            count: 0,
        }
    }

    /// Writes events into the log, many at once.
    pub(crate) async fn fill(&mut self, jars: &[(&str, u32)]) {
        for some in jars.chunks(1000) {
            let events = some.iter().map(|(jar, spoons)| {
                self.count += 1;
                NewEvent {
                    id: Uuid::from_u128(self.count),
                    ty: Filled::TYPE.into(),
                    version: 1,
                    tags: vec![Tag::new("jar", jar)],
                    data: format!(r#"{{"jar": "{jar}", "spoons": {spoons}}}"#)
                        .into_bytes()
                        .into(),
                    origin: Origin::default(),
                }
            });
            let append = Append {
                events: events.collect(),
                conditions: vec![],
                command: None,
                recorded_at: Time(1_767_225_600_000),
            };
            self.store.append(append).await.unwrap();
        }
    }

    pub(crate) fn views(&self) -> std::path::PathBuf {
        self.folder.path().join("views.db")
    }

    fn place(&self, views: &Path) -> AppBuilder {
        App::on(self.store.clone())
            .name("Cellar")
            .clock(Clock::by_hand())
            .views_in(views)
            .view_threads(2)
    }

    /// Starts a program.
    pub(crate) fn open<P: Projection>(&self) -> Shop {
        served(self.place(&self.views()).projection::<P>())
    }

    /// Starts a program that lets nothing serve by itself.
    pub(crate) fn open_held<P: Projection>(&self) -> Shop {
        let place = self.place(&self.views()).hold_switches();
        served(place.projection::<P>())
    }
}

fn served(place: AppBuilder) -> Shop {
    let app = place.build().unwrap();
    let web = Site::new(app.clone()).into_service();
    Shop { app, web }
}
