//! A post office outside: letters are told to it, and it answers as a test says.

use fait::app::{App, AppBuilder, Limits, System, TellError, Told, Uncertain};
use fait::decision::{Context, Decide, Model};
use fait::event::{Never, minutes};
use fait::process::{Input, Outbox, Outcome, Process};
use fait::reexport::uuid::Uuid;
use fait::store::BoxFuture;
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

entity_ids! { LetterId(text) => "letter" }

#[event]
pub(crate) struct LetterWritten {
    #[tag]
    pub(crate) letter: LetterId,
}

#[event]
pub(crate) struct LetterStamped {
    #[tag]
    pub(crate) letter: LetterId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Written(LetterWritten),
    Stamped(LetterStamped),
}

/// Post
#[command(to = "Post")]
pub(crate) struct Post {
    pub(crate) letter: LetterId,
    pub(crate) page: u32,
}

/// Stamp
#[command(by = "Clerk")]
pub(crate) struct Stamp {
    pub(crate) letter: LetterId,
}

#[derive(Default)]
pub(crate) struct Letter {
    stamped: bool,
}

impl Model for Letter {
    type Key = LetterId;
    type Events = LetterStamped;
    fn evolve(&mut self, _: LetterStamped) {
        self.stamped = true;
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum NoStamp {
    #[refused("it has a stamp already")]
    Stamped,
}

impl Decide for Stamp {
    type Model = Letter;
    type Emits = LetterStamped;
    type Refusal = NoStamp;
    fn boundary(&self) -> LetterId {
        self.letter.clone()
    }
    fn decide(&self, letter: &Letter, _: &Context) -> Result<Vec<LetterStamped>, NoStamp> {
        if letter.stamped {
            return Err(NoStamp::Stamped);
        }
        let letter = self.letter.clone();
        Ok(vec![LetterStamped { letter }])
    }
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Does {
    Post(Post),
    Stamp(Stamp),
}

#[data]
#[derive(Default)]
pub(crate) enum Posting {
    #[default]
    New,
    Sent(u32),
    Stamped,
    Failed(String),
    Expired,
}

impl Process for Posting {
    const NAME: &'static str = "posting";
    type Key = LetterId;
    type Events = Heard;
    type Timer = ();
    type Sends = Does;
    type Raises = Never;
    fn react(self, letter: &LetterId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        let post = |page| Post {
            letter: letter.clone(),
            page,
        };
        match (self, input) {
            (_, Input::Event(Heard::Written(_))) => {
                match letter.0.split('-').next() {
                    Some("two") => {
                        out.send(post(1));
                        out.send(post(2));
                    }
                    Some("urgent" | "strict") => out.send(post(1)).within(minutes(10)),
                    Some("many") => {
                        for page in 1..=40 {
                            out.send(post(page));
                        }
                    }
                    Some("long") => out.park("so ".repeat(1 << 20)),
                    Some("asked") => {
                        out.ask::<Stamp>("Clerk").within(minutes(10)).or_expire();
                    }
                    Some("stamp") => out
                        .send(Stamp {
                            letter: letter.clone(),
                        })
                        .within(minutes(10)),
                    _ => drop(out.send(post(1))),
                }
                Posting::Sent(0)
            }
            (_, Input::Event(Heard::Stamped(_))) => Posting::Stamped,
            (Posting::Sent(n), Input::Done { .. }) => Posting::Sent(n + 1),
            (
                state,
                Input::Done { .. }
                | Input::Asked {
                    outcome: Outcome::Accepted,
                    ..
                },
            ) => state,
            (_, Input::Failed { error, .. }) => Posting::Failed(error),
            (state, other @ Input::Expired { .. }) if letter.0.starts_with("strict") => {
                out.unhandled(state, other)
            }
            (
                _,
                Input::Expired { .. }
                | Input::Asked {
                    outcome: Outcome::Expired,
                    ..
                },
            ) => Posting::Expired,
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// What the post office says.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    Yes,
    Later,
    LaterBy(Duration),
    Never,
    Refused,
    Unknown,
    Panic,
    /// It answers yes once the gate opens.
    Waits,
}

pub(crate) struct Office {
    pub(crate) script: Mutex<VecDeque<Says>>,
    pub(crate) otherwise: Mutex<Says>,
    pub(crate) calls: Mutex<Vec<Told>>,
    pub(crate) gate: Notify,
    pub(crate) called: Notify,
    /// Under way, and the most that ever were.
    pub(crate) at_once: Mutex<(usize, usize)>,
    on_uncertain: Uncertain,
    limits: Limits,
}

#[derive(Clone)]
pub(crate) struct Fake(pub(crate) Arc<Office>);

impl Fake {
    pub(crate) fn new(on_uncertain: Uncertain, limits: Limits) -> Fake {
        Fake(Arc::new(Office {
            script: Mutex::default(),
            otherwise: Mutex::new(Says::Yes),
            calls: Mutex::default(),
            gate: Notify::new(),
            called: Notify::new(),
            at_once: Mutex::default(),
            on_uncertain,
            limits,
        }))
    }

    pub(crate) fn says(self, script: &[Says]) -> Fake {
        self.0.script.lock().unwrap().extend(script.iter().cloned());
        self
    }

    pub(crate) fn always(self, says: Says) -> Fake {
        *self.0.otherwise.lock().unwrap() = says;
        self
    }

    pub(crate) fn calls(&self) -> Vec<Told> {
        self.0.calls.lock().unwrap().clone()
    }
}

impl System for Fake {
    fn tell(&self, message: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        let office = self.0.clone();
        let next = office.script.lock().unwrap().pop_front();
        let says = next.unwrap_or_else(|| office.otherwise.lock().unwrap().clone());
        office.calls.lock().unwrap().push(message);
        office.called.notify_one();
        Box::pin(async move {
            {
                let mut n = office.at_once.lock().unwrap();
                *n = (n.0 + 1, n.1.max(n.0 + 1));
            }
            let said = match says {
                Says::Yes => Ok(()),
                Says::Later => Err(TellError::later("the post office is closed")),
                Says::LaterBy(time) => Err(TellError::Later {
                    error: "come back".into(),
                    after: Some(time),
                }),
                Says::Never => Err(TellError::never("no such address")),
                Says::Refused => Err(TellError::refused("Unfranked", "it has no stamp")),
                Says::Unknown => Err(TellError::unknown("the door fell shut")),
                Says::Panic => panic!("the clerk panics"),
                Says::Waits => {
                    office.gate.notified().await;
                    Ok(())
                }
            };
            office.at_once.lock().unwrap().0 -= 1;
            said
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        self.0.on_uncertain
    }

    fn limits(&self) -> Limits {
        self.0.limits
    }
}

pub(crate) fn posting(app: AppBuilder, office: &Fake) -> AppBuilder {
    app.tells::<Post>()
        .task::<Stamp>()
        .receives::<LetterWritten>("Desk")
        .system("Post", office.clone())
        .process::<Posting>()
}

pub(crate) async fn write(app: &App, letter: &str) {
    let written = LetterWritten {
        letter: LetterId(letter.into()),
    };
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, letter.as_bytes());
    app.receive(written, id, None).await.unwrap();
}

/// How a letter's process stands.
pub(crate) async fn state(app: &App, letter: &str) -> Posting {
    let instance = app.instance("posting", letter).await.unwrap().unwrap();
    let (_, state) = instance.state.unwrap();
    fait::reexport::serde_json::from_value(state).unwrap()
}
