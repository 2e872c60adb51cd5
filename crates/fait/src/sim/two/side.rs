//! One of two systems as it is wired: where it lives, and its ways to the other.

use super::bus::{Inbound, Outbound};
use super::way::{Ways, late};
use crate::app::{App, AppBuilder, Envelope, Key, SendError, System, TellError, Told, Uncertain};
use crate::sim::place::{Place, Running};
use crate::sim::plan::Plan;
use fait_core::store::BoxFuture;
use std::sync::Arc;
use uuid::Uuid;

/// Most copies of one message that arrive.
const MOST_COPIES: u64 = 5;

/// One of two simulated systems, to be wired. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Side {
    pub(super) here: Place,
    there: Place,
    pub(super) ways: Arc<Ways>,
    /// 0 for the first, 1 for the second.
    pub(super) number: usize,
}

impl Side {
    /// Both, where this will go wrong.
    pub(super) fn both(plans: &[Plan; 2], ways: &Arc<Ways>) -> [Side; 2] {
        let [first, second] = Place::two(plans.clone());
        let side = |number, here: &Place, there: &Place| Side {
            here: here.clone(),
            there: there.clone(),
            ways: ways.clone(),
            number,
        };
        [side(0, &first, &second), side(1, &second, &first)]
    }

    /// One that is alone: nothing comes from the other one, and nobody is there to be told.
    pub(super) fn alone(here: &Place) -> Side {
        Side {
            here: here.clone(),
            there: Place::new(Plan::calm()),
            ways: Arc::new(Ways::none()),
            number: 0,
        }
    }

    /// Where it lives.
    pub fn place(&self) -> &Place {
        &self.here
    }

    /// The system, to be wired: on its own store, with the clock of both.
    pub fn app(&self) -> AppBuilder {
        self.here.app()
    }

    /// The open door of the other system: a command that is told is decided there under the same
    /// key, with flow, cause and trace, and what came of it is kept. What it refuses, the process
    /// hears as refused.
    ///
    /// Telling it is an operation at which this system can stop. Faults of its plan lose the
    /// message or the answer, deliver it up to five times, some long after the answer, let others
    /// overtake it, and take the way down for some seconds.
    pub fn door(&self) -> Door {
        Door(self.clone())
    }

    /// The way onto the simulated bus for what this system publishes. Handing over is an operation
    /// at which it can stop. Faults of its plan lose messages or the answer, take the bus down for
    /// some seconds, and break off in the middle.
    pub fn outlet(&self) -> Outbound {
        Outbound(self.clone())
    }

    /// What the other system publishes, from the simulated bus. Acknowledging is an operation at
    /// which this system can stop; what was acknowledged is never given again for its own sake.
    /// Faults of its plan give messages up to five times, give some of those before once more,
    /// in another order, late, or not now.
    pub fn inlet(&self) -> Inbound {
        Inbound::of(self.clone())
    }
}

/// The way to the other system's open door; see [`Side::door`].
#[derive(Debug)]
pub struct Door(Side);

impl Door {
    async fn carry(&self, message: Told, by: String) -> Result<(), TellError> {
        let Side { here, ways, .. } = &self.0;
        if ways.hindered(here).await {
            return Err(TellError::later("the simulated way to it is down"));
        }
        let _on_its_way = ways.flies();
        if here.happens(here.plan().faults.again) {
            for _ in 0..here.below(MOST_COPIES) {
                match here.happens(2) {
                    true => self.deliver_late(message.clone(), by.clone()),
                    false => drop(self.deliver(message.clone(), by.clone()).await),
                }
            }
        }
        self.deliver(message, by).await
    }

    async fn deliver(&self, message: Told, by: String) -> Result<(), TellError> {
        let Some(Running { app, machine }) = self.0.there.runs() else {
            return Err(TellError::later("nobody is there"));
        };
        // It is done on the other machine, and breaks off with that.
        match machine.spawn(open(app, message, by)).await {
            Ok(answer) => answer,
            Err(_) => Err(TellError::unknown("it went down before it answered")),
        }
    }

    /// A copy that comes after the answer, and whose own answer nobody hears.
    fn deliver_late(&self, message: Told, by: String) {
        let Some(Running { app, machine }) = self.0.there.runs() else {
            return;
        };
        let (time, flight) = (late(&self.0.here), self.0.ways.flies());
        machine.spawn(async move {
            tokio::time::sleep(time).await;
            let answer = open(app, message, by).await;
            drop((answer, flight));
        });
    }
}

/// What the other system does at its open door: once under the key, and what came of it is kept.
async fn open(app: App, message: Told, by: String) -> Result<(), TellError> {
    let key = Key {
        // Keys are its client's own, one for each command.
        id: Uuid::new_v5(&message.id, format!("{by} {}", message.name).as_bytes()),
        text: message.id.to_string(),
    };
    let envelope = Envelope {
        actor: Some(by),
        correlation: Some(message.correlation),
        causation: Some(message.cause),
        traceparent: message.traceparent,
        ..Envelope::default()
    };
    let sent = app.send_once(&message.name, message.body, envelope, &key);
    match sent.await.map(|kept| kept.outcome) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(no)) | Err(SendError::Refused(no)) => Err(TellError::refused(no.code, no.message)),
        Err(e @ (SendError::Store(_) | SendError::Conflict)) => Err(TellError::later(e)),
        Err(e) => Err(TellError::never(e)),
    }
}

impl System for Door {
    fn tell(&self, message: Told, app: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async move {
            let here = &self.0.here;
            let what = format!("tell {} {}", message.name, message.body);
            let one_in = here.plan().faults.system;
            let failed = || TellError::unknown("the simulated way to it failed");
            let by = format!("system:{}", app.name());
            here.operation(what, one_in, failed, self.carry(message, by))
                .await
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}
