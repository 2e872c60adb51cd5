//! Hearing other systems: what their messages are here is recorded before it is said that they
//! were taken, and nothing is passed that is not recorded.

mod kept;
mod message;
mod take;

pub(crate) use kept::{Kept, KeptMessage};
pub(crate) use take::Fate;
pub use take::MAX_KEPT_MESSAGES;

use super::Core;
use super::db::{Db, i64_of, u64_of};
use super::flaw::{Flaw, flaw};
use crate::bus::{BusError, Delivery, Inlet, Mark, ReceiveDef};
use fait_core::bus::fact::{Continued, MessageReceived, inlet_tag};
use fait_core::event::{Origin, Position, Time, panic_text};
use fait_core::query::Query;
use fait_core::store::{Append, Range, StoreError};
use futures_util::FutureExt;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The shortest first wait after a failure; waits double up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// An inlet that gave nothing new is asked again after this time at the earliest: most wait by
/// themselves, but one that answers at once must not be asked without a pause.
const REST: Duration = Duration::from_millis(200);

/// One receiver: what it hears, and from where.
pub(crate) struct Hearing {
    pub(crate) name: String,
    pub(crate) def: ReceiveDef,
    inlet: Arc<dyn Inlet>,
    state: Mutex<State>,
    /// An operator has said something.
    pub(crate) wake: Notify,
    /// Held while what was taken is recorded, and while an operator says where to go on: what comes
    /// from before that must not be recorded behind it.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    place: Place,
    /// Whether the place is known.
    opened: bool,
    mood: Mood,
    failures: u32,
    ignored: u64,
    last: Option<Time>,
    /// Something that was taken is not recorded yet.
    busy: bool,
    /// How many messages cannot be read, and how many wait behind them.
    kept: (usize, usize),
}

/// Everything up to here is recorded, or was ignored.
#[derive(Clone, Debug, Default, PartialEq)]
struct Place {
    history: Option<String>,
    sequence: u64,
    /// The newest fact that says so.
    fact: Position,
}

/// How a receiver stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mood {
    /// It hears.
    #[default]
    Hears,
    /// Something failed, and is tried again.
    Waits {
        /// What.
        error: String,
        /// Since when.
        since: Time,
    },
    /// It goes on when an operator says how.
    Stopped {
        /// Why, and what to do.
        why: String,
        /// Since when.
        since: Time,
    },
}

/// What a receiver has heard, and what it waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InletStatus {
    /// The name under which the inlet is wired.
    pub receiver: String,
    /// The other system.
    pub system: String,
    /// The last message that was recorded or ignored: where it stood.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Mark>,
    /// How it stands.
    pub mood: Mood,
    /// Messages ignored since the program was started.
    pub ignored: u64,
    /// When something came last, since the program was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Time>,
    /// Messages that are kept because they cannot be read.
    pub unreadable: usize,
    /// Messages that are kept because they come behind one of those.
    pub waiting: usize,
}

/// Whether there may be more at once.
enum Heard {
    More,
    Nothing,
}

/// Why nothing is heard now.
pub(crate) enum Trouble {
    /// It is tried again.
    Later(String),
    /// An operator is asked.
    Stop(String),
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Self {
        Trouble::Later(e.to_string())
    }
}

impl Hearing {
    pub(crate) fn new(name: String, def: ReceiveDef, inlet: Arc<dyn Inlet>) -> Hearing {
        Hearing {
            name,
            def,
            inlet,
            state: Mutex::default(),
            wake: Notify::new(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all that was taken is recorded.
    pub(crate) fn is_idle(&self) -> bool {
        !self.state().busy
    }

    fn trouble(&self, trouble: &Trouble, now: Time) -> u32 {
        let mut state = self.state();
        state.failures += 1;
        let since = match &state.mood {
            Mood::Hears => now,
            Mood::Waits { since, .. } | Mood::Stopped { since, .. } => *since,
        };
        state.mood = match trouble {
            Trouble::Later(error) => Mood::Waits {
                error: error.clone(),
                since,
            },
            Trouble::Stop(why) => Mood::Stopped {
                why: why.clone(),
                since,
            },
        };
        state.failures
    }

    fn is_well(&self) {
        let mut state = self.state();
        if state.failures > 0 {
            tracing::info!(receiver = self.name, "hears again");
        }
        (state.mood, state.failures) = (Mood::Hears, 0);
    }

    /// A message that stood there is recorded, in that fact, or ignored.
    fn passed(&self, mark: &Mark, fact: Option<Position>, ignored: bool) {
        let mut state = self.state();
        let place = &mut state.place;
        if place.history.as_ref() != Some(&mark.history) {
            (place.history, place.sequence) = (Some(mark.history.clone()), 0);
        }
        place.sequence = place.sequence.max(mark.sequence);
        place.fact = fact.unwrap_or(place.fact);
        state.ignored += u64::from(ignored);
    }
}

impl Core {
    /// Hears until the system stops.
    pub(crate) async fn run_hearing(self: Arc<Self>, h: Arc<Hearing>) {
        let mut kept = Kept::default();
        loop {
            let begun = Instant::now();
            let heard = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                heard = self.hear_more(&h, &mut kept) => heard,
            };
            h.state().busy = false;
            let wait = match heard {
                Ok(Heard::More) => {
                    h.is_well();
                    continue;
                }
                Ok(Heard::Nothing) => {
                    h.is_well();
                    Some(REST.saturating_sub(begun.elapsed()))
                }
                Err(trouble) => self.hears_not(&h, trouble),
            };
            let over = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = h.wake.notified() => {}
                () = over => {}
            }
        }
    }

    /// Says that nothing is heard now; gives after what time it is tried again by itself.
    fn hears_not(&self, h: &Hearing, trouble: Trouble) -> Option<Duration> {
        let failures = h.trouble(&trouble, self.clock.now());
        match trouble {
            Trouble::Later(error) => {
                if failures == 1 {
                    tracing::warn!(receiver = h.name, error, "hears again later");
                } else {
                    tracing::debug!(receiver = h.name, error, failures, "hears again later");
                }
                Some(self.wait_after(failures))
            }
            Trouble::Stop(why) => {
                tracing::error!(
                    receiver = h.name,
                    why,
                    "hears nothing until an operator acts"
                );
                None
            }
        }
    }

    /// A random part of a time that doubles with each failure.
    fn wait_after(&self, failures: u32) -> Duration {
        let most = FIRST_WAIT * 2_u32.pow(failures.saturating_sub(1).min(8));
        let most = most.min(LONGEST_WAIT);
        let part = u32::try_from(self.clock.id().as_u128() % 1000).unwrap_or(0);
        FIRST_WAIT / 4 + most * part / 1000
    }

    /// Takes what is there and records what it is here, or waits for it a while.
    async fn hear_more(&self, h: &Hearing, kept: &mut Kept) -> Result<Heard, Trouble> {
        if !h.state().opened {
            let place = self.heard_up_to(&h.name).await?;
            let mut state = h.state();
            (state.place, state.opened) = (place, true);
        }
        self.go_on_with_kept(h, kept).await?;
        h.state().kept = kept.count();
        let place = h.state().place.clone();
        let after = place.history.clone().map(|history| Mark {
            history,
            sequence: place.sequence,
        });
        let taken = tokio::select! {
            biased;
            () = h.wake.notified() => return Ok(Heard::More),
            taken = caught(async { h.inlet.take(after).await }) => {
                taken.map_err(|e| h.what_to_do(e))?
            }
        };
        let Some(first) = taken.first() else {
            return Ok(Heard::Nothing);
        };
        h.state().busy = true;
        let turn = h.turn.lock().await;
        if !h.state().opened {
            return Ok(Heard::More);
        }
        if let Some(last) = taken.last().filter(|_| flaw(Flaw::AcknowledgedFirst)) {
            let done = h.inlet.done(last.mark.clone()).await;
            done.map_err(|e| h.what_to_do(e))?;
        }
        let history = place.history.clone();
        let history = history.unwrap_or(first.mark.history.clone());
        let passed = self.take_all(h, kept, &history, taken).await;
        drop(turn);
        let (upto, result) = passed;
        if let Some(upto) = upto {
            // Where it stands is in the log, but for what was ignored at the end.
            self.db.keep_place(&h.name, &h.state().place)?;
            let done = caught(async { h.inlet.done(upto).await }).await;
            done.map_err(|e| h.what_to_do(e))?;
        }
        result?;
        // The same may come again and again.
        Ok(match h.state().place == place {
            true => Heard::Nothing,
            false => Heard::More,
        })
    }

    /// Records one message after the other; says how far it came.
    async fn take_all(
        &self,
        h: &Hearing,
        kept: &mut Kept,
        history: &str,
        mut taken: Vec<Delivery>,
    ) -> (Option<Mark>, Result<(), Trouble>) {
        // Those of the same history in its order, whatever they came in.
        taken.sort_by_key(|d| (d.mark.history != history, d.mark.sequence));
        let mut upto: Option<Mark> = None;
        for delivery in taken {
            let mark = delivery.mark.clone();
            if mark.history != history {
                let why = format!(
                    "messages of `{}` came, and those before were of `{history}`",
                    mark.history
                );
                return (upto, Err(h.what_to_do(BusError::Other(why))));
            }
            match self.take_in(h, kept, &delivery).await {
                Ok((fate, fact)) => {
                    h.state().kept = kept.count();
                    h.passed(&mark, fact, fate == Fate::Ignored);
                    h.state().last = Some(self.clock.now());
                    count(&h.name, &fate);
                    upto = Some(mark);
                }
                Err(trouble) => return (upto, Err(trouble)),
            }
        }
        (upto, Ok(()))
    }

    /// Where a receiver has come to, as the log says, and beyond that what was ignored.
    async fn heard_up_to(&self, receiver: &str) -> Result<Place, Trouble> {
        let query = Query::tags(vec![inlet_tag(receiver)]);
        let newest = self.store.read(&query, Range::newest(1)).await?;
        let mut place = Place::default();
        if let Some(event) = newest.events.first() {
            let bad = |e: fait_core::event::DecodeError| Trouble::Stop(e.to_string());
            place.fact = event.meta.position;
            if let Some(fact) = MessageReceived::of(event).map_err(bad)? {
                (place.history, place.sequence) = (Some(fact.history), fact.sequence);
            } else if let Some(fact) = Continued::of(event).map_err(bad)? {
                (place.history, place.sequence) = (fact.history, fact.sequence);
            }
        }
        let known = self.db.kept_place(receiver)?;
        Ok(known.filter(|p| p.fact == place.fact).unwrap_or(place))
    }

    /// How a receiver stands.
    pub(crate) async fn inlet_status(&self, h: &Hearing) -> Result<InletStatus, StoreError> {
        let opened = h.state().opened;
        let known = match opened {
            true => None,
            false => Some(self.kept_now(&h.name).await?.count()),
        };
        let state = h.state();
        let (unreadable, waiting) = known.unwrap_or(state.kept);
        let place = state.place.clone();
        Ok(InletStatus {
            receiver: h.name.clone(),
            system: h.def.system.clone(),
            mark: place.history.map(|history| Mark {
                history,
                sequence: place.sequence,
            }),
            mood: state.mood.clone(),
            ignored: state.ignored,
            last: state.last,
            unreadable,
            waiting,
        })
    }

    /// Records where an operator wants to go on, and goes on there.
    pub(crate) async fn continue_hearing(
        &self,
        h: &Hearing,
        said: &Continued,
    ) -> Result<(), StoreError> {
        let origin = Origin {
            actor: Some(said.by.clone()),
            correlation: self.clock.id(),
            ..Origin::default()
        };
        let append = Append {
            events: vec![said.draft().with(self.clock.id(), origin)],
            conditions: vec![],
            command: None,
            recorded_at: self.clock.now(),
        };
        let _turn = h.turn.lock().await;
        self.store.append(append).await.map_err(StoreError::new)?;
        h.is_well();
        h.state().opened = false;
        h.wake.notify_one();
        Ok(())
    }
}

impl Hearing {
    /// The history that there is now, as its first message says.
    pub(crate) async fn history_now(&self) -> Result<String, Trouble> {
        let first = self.inlet.take(None).await;
        let first = first.map_err(|e| self.what_to_do(e))?.into_iter().next();
        first.map(|d| d.mark.history).ok_or_else(|| {
            let name = &self.name;
            Trouble::Later(format!(
                "`{name}` finds no message there, and so no place behind one: go on from the \
                 beginning"
            ))
        })
    }

    /// What an error of the inlet means.
    fn what_to_do(&self, error: BusError) -> Trouble {
        let name = &self.name;
        match &error {
            BusError::Later(why) => Trouble::Later(why.clone()),
            BusError::Other(_) => Trouble::Stop(format!(
                "{error}. Nothing is skipped or repeated until you say how to go on: \
                 `fait bus continue {name}` hears the new history from its beginning, where what \
                 is known already counts once; `--after N` begins behind a place in it"
            )),
            other => Trouble::Stop(format!(
                "{other}. Once that is changed, `fait bus continue {name}` tries it again"
            )),
        }
    }
}

/// What an inlet answers; a panic is its failure.
async fn caught<T>(asked: impl Future<Output = Result<T, BusError>>) -> Result<T, BusError> {
    let answer = AssertUnwindSafe(asked).catch_unwind().await;
    answer.unwrap_or_else(|panic| Err(BusError::Later(panic_text(&*panic))))
}

fn count(receiver: &str, fate: &Fate) {
    let labels = [
        ("receiver", receiver.to_owned()),
        ("became", fate.name().to_owned()),
    ];
    metrics::counter!("fait_received_total", &labels).increment(1);
}

impl Db {
    fn keep_place(&self, receiver: &str, place: &Place) -> Result<(), StoreError> {
        let history = place.history.as_deref().unwrap_or_default();
        self.write(|tx| {
            let sql = "INSERT OR REPLACE INTO fait_inlets VALUES (?1, ?2, ?3, ?4)";
            let (sequence, fact) = (i64_of(place.sequence), i64_of(place.fact));
            tx.prepare_cached(sql)?
                .execute(params![receiver, history, sequence, fact])
                .map(drop)
        })
    }

    fn kept_place(&self, receiver: &str) -> Result<Option<Place>, StoreError> {
        self.read(|c| {
            let sql = "SELECT history, sequence, position FROM fait_inlets WHERE receiver = ?1";
            c.query_row(sql, [receiver], |r| {
                Ok(Place {
                    history: Some(r.get(0)?),
                    sequence: u64_of(r.get(1)?),
                    fact: u64_of(r.get(2)?),
                })
            })
            .optional()
        })
    }
}
