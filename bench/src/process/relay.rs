//! A relay: each event makes the process send the command of which the next event comes.

use super::{Cost, Ran};
use crate::machine::usage;
use crate::numbers::micros;
use crate::peer::{Fault, fault};
use fait::app::{App, AppBuilder};
use fait::decision::{Context, Decide, Model};
use fait::event::Never;
use fait::process::{Input, Outbox, Process};
use fait::{command, data, entity_ids, event};
use rustix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::time::{Duration, Instant};

entity_ids! { RelayId(number) => "relay" }

/// The baton was handed on.
#[event]
pub(crate) struct BatonHanded {
    /// Which relay
    #[tag]
    pub(crate) relay: RelayId,
    /// How often it was handed on
    pub(crate) times: u32,
}

/// Hand on the baton
#[command]
pub(crate) struct HandBaton {
    /// Which relay
    pub(crate) relay: RelayId,
    /// How often it will have been handed on
    pub(crate) times: u32,
}

/// How often the baton was handed on.
#[derive(Default)]
pub(crate) struct Baton {
    times: u32,
}

impl Model for Baton {
    type Key = RelayId;
    type Events = BatonHanded;
    fn evolve(&mut self, event: BatonHanded) {
        self.times = event.times;
    }
}

impl Decide for HandBaton {
    type Model = Baton;
    type Emits = BatonHanded;
    type Refusal = Never;
    fn boundary(&self) -> RelayId {
        self.relay
    }
    fn decide(&self, baton: &Baton, _: &Context) -> Result<Vec<BatonHanded>, Never> {
        let HandBaton { relay, times } = *self;
        let next = times == baton.times + 1;
        let handed = next.then_some(BatonHanded { relay, times });
        Ok(handed.into_iter().collect())
    }
}

/// The process: so many rounds, then it ends.
#[data]
#[derive(Default)]
pub(crate) struct Relay {
    times: u32,
}

/// Rounds of a relay; set before a system is opened.
static ROUNDS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(1);

impl Process for Relay {
    const NAME: &'static str = "relay";
    type Key = RelayId;
    type Events = BatonHanded;
    type Timer = ();
    type Sends = HandBaton;
    type Raises = Never;
    fn react(self, relay: &RelayId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let Input::Event(event) = input else {
            return out.unhandled(self, input);
        };
        if event.times > ROUNDS.load(std::sync::atomic::Ordering::Relaxed) {
            out.end();
        } else {
            out.send(HandBaton {
                relay: *relay,
                times: event.times + 1,
            });
        }
        Relay { times: event.times }
    }
}

fn wired(place: AppBuilder) -> AppBuilder {
    place.task::<HandBaton>().process::<Relay>()
}

fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?)
}

/// So many relays at once, each of so many rounds.
pub(super) fn run(folder: &Path, relays: usize, rounds: usize) -> Result<(Ran, Cost), Fault> {
    ROUNDS.store(rounds as u32, std::sync::atomic::Ordering::Relaxed);
    let (ran, events) = runtime()?.block_on(async {
        let app = wired(App::in_folder(folder)).build()?;
        let (begun, busy) = (Instant::now(), processor());
        let mut started = vec![];
        for n in 0..relays as u64 {
            let app = app.clone();
            started.push(tokio::spawn(async move {
                let relay = RelayId::from(n);
                app.send(HandBaton { relay, times: 1 }).await.map(drop)
            }));
        }
        for one in started {
            one.await?.map_err(|e| fault(format_args!("{e}")))?;
        }
        // A relay of r rounds: r + 1 hand-overs, each with its step.
        let steps = relays * (rounds + 1);
        // The first hand-over comes from outside and settles nothing.
        let events = (relays * (rounds * 3 + 2)) as u64;
        let mut head = app.head().await?;
        while head < events {
            head = app.wait(head).await?;
        }
        let ran = Ran {
            steps,
            seconds: begun.elapsed().as_secs_f64(),
            processor: (processor() - busy).as_secs_f64(),
        };
        app.settle().await;
        let ended = app.processes().await?[0].instances.ended;
        if ended != relays as u64 {
            return Err(fault(format_args!("{ended} of {relays} relays have ended")));
        }
        app.stop().await;
        Ok::<_, Fault>((ran, head))
    })?;
    let bytes = log_bytes(folder)?;
    let steps = ran.steps as f64;
    let cost = Cost {
        events_per_step: events as f64 / steps,
        bytes_per_step: bytes as f64 / steps,
    };
    Ok((ran, cost))
}

/// Bytes of the log with its indexes, without the database of views.
fn log_bytes(folder: &Path) -> Result<u64, Fault> {
    let mut bytes = usage(folder)?.apparent;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("views.db") {
            bytes -= entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// How long after an event is acknowledged the command that follows is settled, each by itself.
pub(super) fn singles(folder: &Path, count: usize) -> Result<Vec<f64>, Fault> {
    ROUNDS.store(1, std::sync::atomic::Ordering::Relaxed);
    runtime()?.block_on(async {
        let app = wired(App::in_folder(folder)).build()?;
        let mut took = vec![];
        for n in 0..count as u64 {
            let relay = RelayId::from(n);
            let sent = app.send(HandBaton { relay, times: 1 }).await;
            let sent = sent.map_err(|e| fault(format_args!("{e}")))?;
            let begun = Instant::now();
            // The step, the second hand-over, and that its command is settled.
            let settled = sent.position + 3;
            let mut head = sent.position;
            while head < settled {
                head = app.wait(head).await?;
            }
            took.push(micros(begun.elapsed()));
            app.settle().await;
        }
        app.stop().await;
        Ok(took)
    })
}

/// Processor time of this program.
pub(super) fn processor() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}
