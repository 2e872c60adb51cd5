//! The world around a simulated system: people and other systems, who try until they hear.

use super::outside::Outside;
use super::place::{Place, Running};
use crate::app::{App, Asked, CommandError, Receipt, SendError, Told};
use fait_core::decision::Decide;
use fait_core::event::{Event, Time};
use fait_core::process::Target;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use uuid::Uuid;

/// How long one pause of somebody who tries again takes, on the simulated machine.
const PAUSE: Duration = Duration::from_millis(5);

/// How long somebody waits before looking again for what is about to be there.
pub(super) const AGAIN: Duration = Duration::from_secs(1);

/// How often somebody looks again.
const LOOKS: u32 = 30;

/// The world around a simulated system, as a scenario sees it. Whoever acts in it does so at least
/// once: what was not acknowledged, because the system stopped or its store failed, is done again
/// under the same id.
///
/// A scenario waits for nothing but what is here. A timer of `tokio`, or a task that it spawns,
/// belongs to the machine that crashes.
#[derive(Clone)]
pub struct World {
    place: Place,
    acts: Arc<AtomicU64>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl World {
    pub(super) fn around(place: Place) -> World {
        World {
            place,
            acts: Arc::default(),
        }
    }

    /// Where the system lives.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Now.
    pub fn now(&self) -> Time {
        self.place.clock().now()
    }

    /// An id that is the same in each run: for messages of other systems.
    pub fn id(&self) -> Uuid {
        let n = self.acts.fetch_add(1, Ordering::Relaxed);
        Uuid::new_v5(&Uuid::NAMESPACE_URL, &n.to_be_bytes())
    }

    /// Does something with the running system; again with the next one when it stops meanwhile.
    pub async fn during<T>(&self, act: impl AsyncFn(App) -> T) -> T {
        loop {
            let crashes = self.place.crash_count();
            let Running { app, machine } = self.place.running().await;
            let done = tokio::select! {
                biased;
                () = self.place.crashed_after(crashes) => None,
                done = on(&machine, act(app)) => Some(done),
            };
            if let Some(done) = done {
                self.place.heard();
                return done;
            }
        }
    }

    /// Sends a command under an id of its own until it is acknowledged.
    ///
    /// # Errors
    /// The decision refused it, or it can never be carried out.
    pub async fn send<C: Decide>(
        &self,
        by: &str,
        command: C,
    ) -> Result<Receipt, CommandError<C::Refusal>> {
        let id = self.id();
        self.insist(by, command, id, None).await
    }

    /// Answers the oldest task of this command that a role is asked to do; `None` when nobody is
    /// asked, or when it was taken back before the answer came.
    ///
    /// # Errors
    /// The decision refused it, or it can never be carried out.
    pub async fn answer<C: Decide>(
        &self,
        role: &str,
        make: impl Fn(&Asked) -> C,
    ) -> Result<Option<Receipt>, CommandError<C::Refusal>> {
        let any = |_: &Asked| true;
        self.answer_where(role, any, make).await
    }

    /// The same for the oldest task that fits, for example that is about a certain key.
    ///
    /// # Errors
    /// The decision refused it, or it can never be carried out.
    pub async fn answer_where<C: Decide>(
        &self,
        role: &str,
        fits: impl Fn(&Asked) -> bool,
        make: impl Fn(&Asked) -> C,
    ) -> Result<Option<Receipt>, CommandError<C::Refusal>> {
        let found = self.asked_where(role, |a| a.open.issued.name == C::NAME && fits(a));
        let Some(asked) = found.await else {
            return Ok(None);
        };
        let task = asked.open.issued.id;
        let id = Uuid::new_v5(&task, b"answer");
        let sent = self.insist(role, make(&asked), id, Some(task)).await;
        match sent {
            Ok(receipt) => Ok(Some(receipt)),
            Err(CommandError::Other(_)) if self.is_closed(task).await => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The oldest task of this name that a role is asked to do, after everything has settled.
    pub async fn asked(&self, role: &str, task: &str) -> Option<Asked> {
        self.asked_where(role, |a| a.open.issued.name == task).await
    }

    async fn asked_where(&self, role: &str, fits: impl Fn(&Asked) -> bool) -> Option<Asked> {
        self.during(async |app: App| {
            app.settle().await;
            let inbox = app.inbox(role, 1000).unwrap_or_default();
            inbox.into_iter().find(|a| fits(a))
        })
        .await
    }

    async fn is_closed(&self, task: Uuid) -> bool {
        let state = self.during(async |app: App| app.is_asked(task).await).await;
        matches!(state, Err(SendError::NotAsked(_)))
    }

    async fn insist<C: Decide>(
        &self,
        by: &str,
        command: C,
        id: Uuid,
        answering: Option<Uuid>,
    ) -> Result<Receipt, CommandError<C::Refusal>> {
        let mut again = self.place.happens(self.place.plan().faults.again);
        loop {
            let sent = self.during(async |app: App| {
                let mut send = app.send(command.clone()).by(by).id(id);
                if let Some(task) = answering {
                    send = send.answering(task);
                }
                let sent = send.await;
                if matches!(sent, Err(CommandError::Store(_) | CommandError::Conflict)) {
                    tokio::time::sleep(PAUSE).await;
                }
                sent
            });
            match sent.await {
                Err(CommandError::Store(_) | CommandError::Conflict) => {}
                Ok(_) if again => again = false,
                done => return done,
            }
        }
    }

    /// What another system was told and has not answered yet, each once. Waits until it heard all
    /// that it is to hear: when the way to it failed, time goes by until it is tried again.
    pub async fn told(&self, system: &Outside) -> Vec<Told> {
        for _ in 0..LOOKS {
            let due = self.during(async |app: App| {
                app.settle().await;
                let open = app.waiting(1000).unwrap_or_default();
                let told = |a: &Asked| matches!(a.open.issued.to, Target::System(_));
                open.iter().any(told)
            });
            if !due.await {
                break;
            }
            // A way that failed is tried again a little later, on the machine and by the clock.
            self.during(async |_| tokio::time::sleep(AGAIN).await).await;
            self.advance(AGAIN).await;
        }
        system.take_unanswered()
    }

    /// Another system sends an event under an id until it is acknowledged. When it answers what it
    /// was told, `told` says so: the answer belongs to that flow.
    ///
    /// # Errors
    /// It can never be received.
    pub async fn receive<E: Event>(
        &self,
        event: E,
        told: Option<&Told>,
    ) -> Result<Receipt, SendError> {
        let message = told.map_or_else(|| self.id(), |told| told.id);
        let flow = told.map(|told| (told.correlation, told.cause));
        let mut again = self.place.happens(self.place.plan().faults.again);
        loop {
            let received = self.during(async |app: App| {
                let received = app.receive(event.clone(), message, flow).await;
                if matches!(received, Err(SendError::Store(_))) {
                    tokio::time::sleep(PAUSE).await;
                }
                received
            });
            match received.await {
                Err(SendError::Store(_)) => {}
                Ok(_) if again => again = false,
                done => return done,
            }
        }
    }

    /// Puts things that may overtake each other into an order: theirs, unless reordering is among
    /// the faults of this run.
    pub fn in_any_order<T>(&self, mut things: Vec<T>) -> Vec<T> {
        if self.place.happens(self.place.plan().faults.reorder) {
            self.place.shuffle(&mut things);
        }
        things
    }

    /// Lets time go by, deadline by deadline.
    pub async fn advance(&self, time: Duration) {
        let until = self.now() + time;
        self.during(async |app: App| app.advance(until.since(app.clock().now())).await)
            .await;
    }

    /// Waits until everything that follows from what has happened has happened; see
    /// [`App::settle`].
    pub async fn settle(&self) {
        self.during(async |app: App| app.settle().await).await;
    }
}

/// Does something with the timers and tasks of one machine, wherever it is waited for.
async fn on<T>(machine: &Handle, act: impl Future<Output = T>) -> T {
    let mut act = Box::pin(act);
    poll_fn(|turn| {
        let _there = machine.enter();
        act.as_mut().poll(turn)
    })
    .await
}
