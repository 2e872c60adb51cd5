//! Compares what a store says with what it must say.

use super::engine::Engine;
use super::model::{Model, plain};
use super::plan::Plan;
use fait_core::event::Position;
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Range, Store};
use uuid::Uuid;

/// Why an answer is not the right one.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The store says that it cannot answer.
    Failed(String),
    /// It answers something else.
    Differs(String),
}

pub(super) type Found = Result<(), Wrong>;

/// What a store has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Said {
    Everything,
    /// Everything, or that it cannot: its disk was damaged.
    OrRefused,
}

impl From<Wrong> for String {
    fn from(wrong: Wrong) -> String {
        match wrong {
            Wrong::Failed(why) => format!("the store fails on a sound disk: {why}"),
            Wrong::Differs(what) => what,
        }
    }
}

pub(super) fn head(engine: &Engine) -> Result<Position, String> {
    block_on(engine.store.head()).map_err(|e| e.message)
}

/// Reads the same of both.
pub(super) fn read(engine: &Engine, model: &Model, query: &Query, range: Range) -> Found {
    let read = block_on(engine.store.read(query, range));
    let read = read.map_err(|e| Wrong::Failed(e.message))?;
    let wanted = model.read(query, range);
    if read == wanted {
        return Ok(());
    }
    let at = read.events.iter().zip(&wanted.events);
    let at = at.take_while(|(a, b)| a == b).count();
    let show = |e: Option<&fait_core::event::StoredEvent>| {
        e.map_or("nothing".into(), |e| {
            format!("{} at {} ({} bytes)", e.ty, e.meta.position, e.data.len())
        })
    };
    Err(Wrong::Differs(format!(
        "{query:?} in {range:?} gives {} events of {} and head {}, not {} and head {}; the first \
         that differs is {}, not {}",
        read.events.len(),
        head(engine).unwrap_or_default(),
        read.head,
        wanted.events.len(),
        wanted.head,
        show(read.events.get(at)),
        show(wanted.events.get(at)),
    )))
}

/// Looks for an event and a command in both.
pub(super) fn look(engine: &Engine, model: &Model, id: Uuid) -> Found {
    let failed = |e: fait_core::store::StoreError| Wrong::Failed(e.message);
    let event = block_on(engine.store.event(id)).map_err(failed)?;
    let wanted = block_on(model.memory().event(id)).map_err(failed)?;
    if event != wanted {
        let what = format!("event {id} stands at {event:?}, not at {wanted:?}");
        return Err(Wrong::Differs(what));
    }
    let known = block_on(engine.store.command(id)).map_err(failed)?;
    let known = known.and_then(|(key, receipt)| Some((key, plain(Ok(receipt)).ok()?)));
    let wanted = block_on(model.memory().command(id)).map_err(failed)?;
    if known != wanted {
        let what = format!("command {id} is known as {known:?}, not as {wanted:?}");
        return Err(Wrong::Differs(what));
    }
    Ok(())
}

/// Compares all that can be read.
pub(super) fn all(
    engine: &Engine,
    model: &Model,
    plan: &mut Plan,
    said: Said,
) -> Result<(), String> {
    let judge = |found: Found| match found {
        Err(Wrong::Failed(_)) if said == Said::OrRefused => Ok(()),
        found => found.map_err(String::from),
    };
    judge(read(
        engine,
        model,
        &Query::all(),
        Range::after(0, usize::MAX),
    ))?;
    judge(read(
        engine,
        model,
        &Query::all(),
        Range::newest(usize::MAX),
    ))?;
    for _ in 0..3 {
        let (query, range) = (plan.query(), plan.range(model));
        judge(read(engine, model, &query, range))?;
    }
    for n in 0..3.min(model.len()) {
        let n = if n == 0 {
            model.len() - 1
        } else {
            plan.rng.below(model.len())
        };
        let old = model.old(n).expect("there are so many").clone();
        judge(look(engine, model, old.events[0].id))?;
        if let Some(key) = old.command {
            judge(look(engine, model, key.id))?;
        }
    }
    Ok(())
}
