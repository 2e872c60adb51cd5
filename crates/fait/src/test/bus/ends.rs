//! The two systems at the ends of a way under test.

use super::{PATIENCE, Way};
use crate::app::App;
use crate::bus::{CloudEvent, Delivery, Incoming, Inlet, Mark, Publish, Receive, Received};
use fait_core::bus::fact::{Became, MessageReceived};
use fait_core::decision::{Context, Decide};
use fait_core::entity_ids;
use fait_core::event::{EventSet as _, Meta};
use fait_core::query::Query;
use fait_core::store::{Memory, Range};
use fait_macros::{EventSet, Refusal, command, data, event, published};
use std::sync::Arc;
use std::time::Duration;

entity_ids! { ThingId(text) => "thing" }

/// Something was said of a thing.
#[event(crate = "crate")]
pub(super) struct Said {
    #[tag]
    pub(super) of: ThingId,
    pub(super) n: u32,
    pub(super) text: String,
}

/// Say something of a thing
#[command(crate = "crate")]
pub(super) struct Say {
    pub(super) of: ThingId,
    pub(super) n: u32,
    pub(super) text: String,
}

#[derive(Clone, Debug, PartialEq, Refusal)]
#[refused(crate = "crate")]
pub(super) enum NotSaid {
    /// What is odd is not weighed.
    #[refused("{0} is odd")]
    Odd(u32),
}

impl Decide for Say {
    type Model = ();
    type Emits = Said;
    type Refusal = NotSaid;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<Said>, NotSaid> {
        let Say { of, n, text } = self.clone();
        Ok(vec![Said { of, n, text }])
    }
}

/// Something was said of a thing, for others.
#[published(name = "com.example.contract.said", crate = "crate")]
pub(super) struct Told {
    #[subject]
    of: ThingId,
    n: u32,
    text: String,
}

struct Telling;

impl Publish for Telling {
    const NAME: &'static str = "telling";
    type Events = Said;
    type Model = ();
    type Publishes = Told;
    fn about(_: &Said) {}
    fn publish(said: &Said, (): &(), _: &Meta) -> Vec<Told> {
        let Said { of, n, text } = said.clone();
        vec![Told { of, n, text }]
    }
}

/// It was heard that something was said.
#[event(crate = "crate")]
pub(super) struct Heard {
    #[tag]
    of: ThingId,
    n: u32,
    text: String,
}

/// A thing was weighed.
#[event(crate = "crate")]
pub(super) struct Weighed {
    #[tag]
    of: ThingId,
    n: u32,
}

/// Weigh a thing
#[command(crate = "crate")]
pub(super) struct Weigh {
    of: ThingId,
    n: u32,
}

impl Decide for Weigh {
    type Model = ();
    type Emits = Weighed;
    type Refusal = NotSaid;
    fn boundary(&self) {}
    fn decide(&self, (): &(), _: &Context) -> Result<Vec<Weighed>, NotSaid> {
        let Weigh { of, n } = self.clone();
        match n % 2 {
            0 => Ok(vec![Weighed { of, n }]),
            _ => Err(NotSaid::Odd(n)),
        }
    }
}

#[derive(EventSet, Clone, Debug, PartialEq)]
#[event_set(crate = "crate")]
enum Here {
    Heard(Heard),
    Weighed(Weighed),
}

#[data(crate = "crate")]
struct Reads {
    of: ThingId,
    n: u32,
    text: String,
}

fn receive(message: &CloudEvent, fixed: bool) -> Incoming<Weigh, Heard> {
    match message.read::<Reads>() {
        Err(e) => Incoming::Unknown(e.to_string()),
        Ok(Reads { of, n, text }) => match text.as_str() {
            "weigh" => Incoming::Command(Weigh { of, n }),
            "nothing" => Incoming::Ignore,
            "riddle" if !fixed => Incoming::Unknown("a riddle".into()),
            _ => Incoming::Record(Heard { of, n, text }),
        },
    }
}

/// It does not understand riddles.
pub(super) struct Plain;

impl Receive for Plain {
    const SYSTEM: &'static str = "Speaker";
    type Sends = Weigh;
    type Records = Heard;
    fn receive(message: &CloudEvent) -> Received<Self> {
        receive(message, false)
    }
}

/// It does.
pub(super) struct Clever;

impl Receive for Clever {
    const SYSTEM: &'static str = "Speaker";
    type Sends = Weigh;
    type Records = Heard;
    fn receive(message: &CloudEvent) -> Received<Self> {
        receive(message, true)
    }
}

/// The system that sends.
pub(super) struct Sender {
    pub(super) way: Arc<dyn Way>,
    store: Arc<Memory>,
    pub(super) app: App,
}

impl Sender {
    pub(super) async fn start(way: &Arc<dyn Way>) -> Sender {
        let store = Arc::new(Memory::default());
        Sender {
            app: start(way, &store).await,
            way: way.clone(),
            store,
        }
    }

    /// Ends the program and starts it again.
    pub(super) async fn restart(&mut self) {
        self.way.stop(self.app.clone()).await;
        self.app = start(&self.way, &self.store).await;
    }

    /// The same with an empty log.
    pub(super) async fn begin_anew(&mut self) -> bool {
        self.way.stop(self.app.clone()).await;
        let done = self.way.another_history().await;
        self.store = Arc::new(Memory::default());
        self.app = start(&self.way, &self.store).await;
        done
    }

    pub(super) async fn say(&self, of: &str, n: u32, text: &str) {
        let say = Say {
            of: of.into(),
            n,
            text: text.into(),
        };
        if let Err(e) = self.app.send(say).await {
            panic!("the sender cannot speak: {e}");
        }
    }
}

async fn start(way: &Arc<dyn Way>, store: &Arc<Memory>) -> App {
    let builder = App::on(store.clone())
        .name("speaker")
        .task::<Say>()
        .publishes::<Telling>();
    way.start(builder).await
}

/// The system that hears.
pub(super) struct Hearer {
    pub(super) store: Arc<Memory>,
    pub(super) app: App,
}

/// The name under which it hears.
pub(super) const EAR: &str = "ear";

impl Hearer {
    pub(super) async fn start(way: &Arc<dyn Way>) -> Hearer {
        let inlet = way.inlet(EAR).await;
        Hearer::by::<Plain>(&Arc::default(), inlet)
    }

    pub(super) fn by<R: Receive>(store: &Arc<Memory>, inlet: impl Inlet) -> Hearer {
        let app = App::on(store.clone()).name("hearer").task::<Weigh>();
        let app = app.hears::<R>(EAR, inlet).build();
        match app {
            Ok(app) => Hearer {
                store: store.clone(),
                app,
            },
            Err(e) => panic!("the system that hears does not start: {e}"),
        }
    }

    /// Ends the program and starts it again.
    pub(super) async fn restart(&mut self, way: &Arc<dyn Way>) {
        self.app.stop().await;
        let inlet = way.inlet(EAR).await;
        *self = Hearer::by::<Plain>(&self.store, inlet);
    }

    /// Waits for something that must come.
    pub(super) async fn until(&self, what: &str, is: impl Fn(&[String]) -> bool) -> Vec<String> {
        let began = tokio::time::Instant::now();
        loop {
            let heard = heard(&self.app).await;
            if is(&heard) {
                return heard;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{what} does not come; heard was {heard:?}; it stands {:?}",
                self.app.inlets().await
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What was heard once this has come.
    pub(super) async fn up_to(&self, line: &str) -> Vec<String> {
        self.until(line, |heard| heard.iter().any(|h| h == line))
            .await
    }
}

/// What was heard, in the order of the log: `thing n`, with what became of it where that was not
/// simply recorded.
pub(super) async fn heard(app: &App) -> Vec<String> {
    let mut lines = vec![];
    let mut after = 0;
    loop {
        let slice = match app.events(&Query::all(), Range::after(after, 500)).await {
            Ok(slice) => slice,
            Err(e) => panic!("{e}"),
        };
        let Some(last) = slice.events.last() else {
            return lines;
        };
        after = last.meta.position;
        for event in &slice.events {
            if let Ok(Some(here)) = Here::decode(event) {
                lines.push(match here {
                    Here::Heard(h) => format!("{} {}", h.of, h.n),
                    Here::Weighed(w) => format!("{} {} weighed", w.of, w.n),
                });
            } else if let Ok(Some(fact)) = MessageReceived::of(event)
                && let Became::Refused { reason, .. } = fact.became
            {
                lines.push(format!("{} {reason}", fact.key.unwrap_or_default()));
            }
        }
    }
}

/// Takes until so many messages came that were not done.
pub(super) async fn take(inlet: &dyn Inlet, after: Option<Mark>, n: usize) -> Vec<Delivery> {
    let began = tokio::time::Instant::now();
    let mut all: Vec<Delivery> = vec![];
    let mut from = after;
    while all.len() < n {
        let why = match inlet.take(from.clone()).await {
            Ok(some) => {
                from = some.last().map(|d| d.mark.clone()).or(from);
                all.extend(some);
                String::new()
            }
            Err(e) => e.to_string(),
        };
        let late = began.elapsed() > PATIENCE;
        assert!(!late, "{n} messages do not come, but {}: {why}", all.len());
    }
    all
}
