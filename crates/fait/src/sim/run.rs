//! One run: a scenario played against a system that stops and starts as a plan says.

use super::ending::{self, Ending};
use super::place::Place;
use super::plan::Plan;
use super::world::World;
use crate::app::{App, AppBuilder};
use fait_core::event::{NewEvent, StoredEvent};
use fait_core::query::Query;
use fait_core::store::{Append, Memory, Range, Store};
use std::pin::Pin;
use std::time::Duration;
use tokio::runtime::Builder;

/// How long one life of the system may take on the simulated machine before it counts as stuck.
pub const STUCK_AFTER: Duration = Duration::from_secs(60);

/// Why a run has no ending.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The system could not be started.
    #[error("the system cannot be started: {0}")]
    Start(String),
    /// Something is waited for that does not come.
    #[error("it is stuck: nothing more comes after {} simulated seconds", STUCK_AFTER.as_secs())]
    Stuck,
}

pub(super) type Scenario<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Plays a scenario as a plan says; gives how it ended. Deterministic: the same plan has the same
/// log, byte for byte, as long as system and scenario depend on nothing but their arguments.
///
/// # Errors
/// The system does not start, or is stuck.
pub fn run<S>(
    place: &Place,
    system: impl Fn(&Place) -> AppBuilder,
    scenario: S,
) -> Result<Ending, RunError>
where
    S: AsyncFnOnce(&World),
{
    let world = World::around(place.clone());
    let mut played: Scenario<'_> = Box::pin(async {
        scenario(&world).await;
        world.settle().await;
    });
    loop {
        let ended = live(place, &system, &mut played);
        place.let_go();
        if let Some(database) = ended? {
            let log = log_of(place);
            let trail = place.trail();
            return Ok(Ending {
                log,
                trail,
                database,
            });
        }
    }
}

/// One life of the system; `None` when it stopped before the scenario came to its end.
fn live(
    place: &Place,
    system: &impl Fn(&Place) -> AppBuilder,
    played: &mut Scenario<'_>,
) -> Result<Option<Vec<String>>, RunError> {
    let start = |why: &dyn std::fmt::Display| RunError::Start(why.to_string());
    let machine = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|e| start(&e))?;
    place.rise();
    // When the machine goes, all tasks of the system go with it.
    machine.block_on(async {
        let mut apps: Vec<App> = vec![];
        for _ in 0..place.plan().workers.max(1) {
            match system(place).build() {
                Ok(app) => apps.push(app),
                Err(_) if place.is_down() => return Ok(None),
                Err(e) => return Err(start(&e)),
            }
        }
        let Some(app) = apps.first().cloned() else {
            return Ok(None);
        };
        let crashes = place.crash_count();
        place.started(app.clone());
        tokio::select! {
            biased;
            () = place.crashed_after(crashes) => Ok(None),
            () = played => ending::database(&app).map(Some).map_err(|e| start(&e)),
            () = tokio::time::sleep(STUCK_AFTER) => Err(RunError::Stuck),
        }
    })
}

pub(super) fn log_of(place: &Place) -> Vec<StoredEvent> {
    let query = Query::all();
    let read = place.0.store.read(&query, Range::after(0, usize::MAX));
    let slice = futures_util::FutureExt::now_or_never(read);
    slice
        .and_then(Result::ok)
        .map(|s| s.events)
        .unwrap_or_default()
}

/// Makes everything that can be thrown away anew from a log, as a new program on it would; gives
/// what the database holds then, and what was appended or told meanwhile, which must be nothing.
///
/// # Errors
/// The system does not start, or is stuck.
pub fn rebuild(
    log: &[StoredEvent],
    system: impl Fn(&Place) -> AppBuilder,
) -> Result<Ending, RunError> {
    let store = Memory::default();
    let clock = crate::Clock::by_hand();
    for event in log {
        let appended = futures_util::FutureExt::now_or_never(store.append(again(event)));
        if !matches!(appended, Some(Ok(_))) {
            let position = event.meta.position;
            return Err(RunError::Start(format!(
                "event {position} cannot be copied"
            )));
        }
    }
    let place = Place::on(store, clock, Plan::calm());
    run(&place, system, async |_: &World| {})
}

fn again(event: &StoredEvent) -> Append {
    let StoredEvent {
        ty,
        version,
        tags,
        data,
        meta,
    } = event.clone();
    Append {
        events: vec![NewEvent {
            id: meta.id,
            ty,
            version,
            tags,
            data,
            origin: meta.origin,
        }],
        conditions: vec![],
        command: None,
        recorded_at: meta.recorded_at,
    }
}
