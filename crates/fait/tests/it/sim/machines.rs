//! Random processes: state machines by a seed, with a scenario by the same seed.
//!
//! An instance has at most one command under way and the world acts only when all is quiet, so
//! that the outcome depends on nothing but the inputs: any other outcome is a mistake.

use fait::app::AppBuilder;
use fait::decision::{Context, Decide, Model};
use fait::event::{EventSet as _, StoredEvent};
use fait::process::{
    AnyInput, Class, Input, Issue, May, Outbox, Outcome, Process, ProcessDef, Reaction, Routed,
    Status, Target, Unmatched,
};
use fait::reexport::serde_json::{Value, json};
use fait::sim::{Chance, Ending, Outside, Place, Plan, RunError, World, run};
use fait::{CommandSet, EventSet, Refusal, command, data, entity_ids, event};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

entity_ids! { ThingId(text) => "thing" }

/// Something came from outside.
#[event]
pub(crate) struct Came {
    #[tag]
    pub(crate) thing: ThingId,
    pub(crate) kind: u64,
}

/// A command was carried out.
#[event]
pub(crate) struct Made {
    #[tag]
    pub(crate) thing: ThingId,
    pub(crate) what: u64,
}

/// The process says something itself.
#[event]
pub(crate) struct Noted {
    #[tag]
    pub(crate) thing: ThingId,
}

#[derive(Default)]
pub(crate) struct Nothing;

impl Model for Nothing {
    type Key = ThingId;
    type Events = Made;
    fn evolve(&mut self, _: Made) {}
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub(crate) enum No {
    #[refused("one in five is refused")]
    Refused,
}

/// Make
#[command(by = "Clerk")]
pub(crate) struct Make {
    /// Of which?
    pub(crate) thing: ThingId,
    /// What?
    pub(crate) what: u64,
}

impl Decide for Make {
    type Model = Nothing;
    type Emits = Made;
    type Refusal = No;
    fn boundary(&self) -> ThingId {
        self.thing.clone()
    }
    fn decide(&self, _: &Nothing, _: &Context) -> Result<Vec<Made>, No> {
        if self.what % 5 == 4 {
            return Err(No::Refused);
        }
        let (thing, what) = (self.thing.clone(), self.what);
        Ok(vec![Made { thing, what }])
    }
}

/// Ship
#[command(to = "Carrier")]
pub(crate) struct Ship {
    /// Which?
    pub(crate) thing: ThingId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    Came(Came),
    Made(Made),
}

#[derive(CommandSet, Clone, Debug, PartialEq)]
pub(crate) enum Sends {
    Make(Make),
    Ship(Ship),
}

/// Gives the machines their shape; what they do comes from a seed.
#[data]
#[derive(Default)]
pub(crate) struct Machine {
    state: u64,
}

impl Process for Machine {
    const NAME: &'static str = "machine";
    type Key = ThingId;
    type Events = Heard;
    type Timer = String;
    type Sends = Sends;
    type Raises = Noted;
    fn react(self, _: &ThingId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        self
    }
}

/// What one step does beside going to another state.
#[derive(Clone, Copy, Debug)]
enum Act {
    Send(u64),
    Ship,
    Ask,
    Wake(u64, u64),
    WakeAfter(u64, u64),
    Cancel(u64),
    Withdraw,
    Note,
    End,
    Park,
    Panic,
}

const STATES: u64 = 4;
const INPUTS: u64 = 10;
const KINDS: u64 = 4;

/// One system with one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    seed: u64,
    table: Vec<(u64, Vec<Act>)>,
    rules: Vec<(bool, bool, bool, u64)>,
    does: Vec<Do>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Do {
    Come(u64, u64),
    Answer(u64),
    Wait(u64),
}

/// How one instance ended: its state, how it stands, what is open and due, what happened to it.
pub(crate) type Told = BTreeMap<String, (Value, String, Vec<String>, Vec<String>, Vec<String>)>;

impl Case {
    pub(crate) fn of(seed: u64) -> Case {
        let mut chance = Chance::of(seed);
        let act = |c: &mut Chance| match c.below(24) {
            0..=6 => Act::Send(c.below(20)),
            7..=8 => Act::Ship,
            9..=11 => Act::Ask,
            12..=14 => Act::Wake(c.below(2), 1 + c.below(100)),
            15..=16 => Act::WakeAfter(c.below(2), 1 + c.below(100)),
            17 => Act::Cancel(c.below(2)),
            18 => Act::Withdraw,
            19..=20 => Act::Note,
            21 => Act::End,
            22 => Act::Park,
            _ => Act::Panic,
        };
        let row = |c: &mut Chance| {
            let acts = (0..c.below(3)).map(|_| act(c)).collect();
            (c.below(STATES), acts)
        };
        let table = (0..STATES * INPUTS).map(|_| row(&mut chance)).collect();
        let rule = |c: &mut Chance, n: u64| {
            (
                n == 0 || c.one_in(3),
                c.one_in(6),
                c.one_in(3),
                c.below(2) * 50,
            )
        };
        let rules = (0..KINDS).map(|n| rule(&mut chance, n)).collect();
        let one = |c: &mut Chance| match c.below(6) {
            0..=2 => Do::Come(c.below(3), c.below(KINDS)),
            3..=4 => Do::Answer(c.below(3)),
            _ => Do::Wait(1 + c.below(120)),
        };
        let does = (0..6 + chance.below(8)).map(|_| one(&mut chance)).collect();
        Case {
            seed,
            table,
            rules,
            does,
        }
    }

    /// The same, but only one thing comes.
    pub(crate) fn only(mut self, thing: u64) -> Case {
        self.does
            .retain(|d| !matches!(d, Do::Come(t, _) | Do::Answer(t) if *t != thing));
        self
    }

    /// The same, but nothing is held until its instance begins.
    pub(crate) fn holding_nothing(mut self) -> Case {
        for rule in &mut self.rules {
            rule.3 = 0;
        }
        self
    }

    fn def(&self) -> ProcessDef {
        let mut def = ProcessDef::of::<Machine>();
        let (rules, table) = (self.rules.clone(), self.table.clone());
        def.route = Arc::new(move |event| route(&rules, event));
        def.react = Arc::new(move |key, state, input, now| {
            let state = state.map(|(_, s)| s.clone());
            react(&table, key, state, &input, now)
        });
        def
    }

    /// Wires it.
    pub(crate) fn wire(&self, place: &Place, carrier: &Outside) -> AppBuilder {
        place
            .app()
            .task::<Make>()
            .tells::<Ship>()
            .receives::<Came>("Outside")
            .system("Carrier", place.way(carrier.clone()))
            .reacting(self.def())
    }

    /// Plays it; gives how it ended.
    pub(crate) fn play(&self, plan: &Plan) -> Result<(Ending, Told), RunError> {
        let carrier = Outside::default();
        let place = Place::new(plan.clone());
        let ending = run(
            &place,
            |place| self.wire(place, &carrier),
            async |world: &World| self.act(world, &carrier).await,
        )?;
        let told = told(&ending);
        Ok((ending, told))
    }

    async fn act(&self, world: &World, carrier: &Outside) {
        for one in &self.does {
            match *one {
                Do::Come(thing, kind) => {
                    let thing = ThingId::from(thing.to_string().as_str());
                    let came = Came { thing, kind };
                    world.receive(came, None).await.unwrap();
                }
                Do::Answer(thing) => {
                    let about = |asked: &fait::app::Asked| asked.key == thing.to_string();
                    let make = |asked: &fait::app::Asked| Make {
                        thing: ThingId::from(asked.key.as_str()),
                        what: 1,
                    };
                    world.answer_where("Clerk", about, make).await.unwrap();
                }
                Do::Wait(seconds) => world.advance(Duration::from_secs(seconds)).await,
            }
            world.told(carrier).await;
        }
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "case {}: {:?}", self.seed, self.does)
    }
}

fn route(
    rules: &[(bool, bool, bool, u64)],
    event: &StoredEvent,
) -> Result<Vec<Routed>, fait::event::DecodeError> {
    Ok(match Heard::decode(event)? {
        None => vec![],
        Some(Heard::Made(e)) => vec![Routed {
            may: May::Proceed,
            ..Routed::to(e.thing)
        }],
        Some(Heard::Came(e)) => {
            let (starts, ends, again, hold) = rules[usize::try_from(e.kind).unwrap()];
            vec![Routed {
                may: if starts { May::Start } else { May::Proceed },
                ends,
                again: again && starts,
                unmatched: match hold {
                    0 => Unmatched::Ignore,
                    s => Unmatched::Hold(Duration::from_secs(s)),
                },
                ..Routed::to(e.thing)
            }]
        }
    })
}

fn class(input: &AnyInput<'_>) -> u64 {
    match input {
        AnyInput::Event(e) if e.ty == "Made" => 4,
        AnyInput::Event(e) => e.json().unwrap()["kind"].as_u64().unwrap(),
        AnyInput::Timer(name) => 5 + u64::from(name.contains('1')),
        AnyInput::Settled(_, Outcome::Accepted) => 7,
        AnyInput::Settled(..) => 8,
        _ => 9,
    }
}

fn react(
    table: &[(u64, Vec<Act>)],
    key: &str,
    state: Option<Value>,
    input: &AnyInput<'_>,
    now: fait::event::Time,
) -> Result<Reaction, String> {
    let mut state = state.unwrap_or_else(|| json!({ "state": 0, "left": 12, "busy": false }));
    let asked = |to: &Target| matches!(to, Target::Role(_));
    if matches!(input, AnyInput::Settled(issued, _) if !asked(&issued.to)) {
        state["busy"] = json!(false);
    }
    let at = state["state"].as_u64().unwrap() * INPUTS + class(input);
    let (next, acts) = &table[usize::try_from(at).unwrap()];
    let mut r = Reaction {
        changed: true,
        ..Reaction::default()
    };
    for act in acts {
        perform(*act, key, now, &mut state, &mut r)?;
    }
    state["state"] = json!(next);
    r.state = state;
    Ok(r)
}

fn perform(
    act: Act,
    key: &str,
    now: fait::event::Time,
    state: &mut Value,
    r: &mut Reaction,
) -> Result<(), String> {
    let left = state["left"].as_u64().unwrap();
    let free = state["busy"] == json!(false) && left > 0;
    let issue = |name: &str, body: Value, role: Option<&str>| Issue {
        name: name.into(),
        body,
        role: role.map(String::from),
        within: None,
        expires: false,
    };
    let timer = |n: u64| format!("\"{n}\"");
    let forget = |r: &mut Reaction, name: &String| {
        r.set.retain(|(n, _)| n != name);
        r.awaiting.retain(|(n, ..)| n != name);
        r.cancelled.retain(|n| n != name);
    };
    match act {
        Act::Send(what) if free => {
            r.issued
                .push(issue("Make", json!({ "thing": key, "what": what }), None));
            state["busy"] = json!(true);
        }
        Act::Ship if free => {
            r.issued.push(issue("Ship", json!({ "thing": key }), None));
            state["busy"] = json!(true);
        }
        Act::Ask if left > 0 && state["busy"] == json!(false) => {
            r.issued.push(issue("Make", json!({}), Some("Clerk")));
        }
        Act::Wake(n, after) if left > 0 => {
            forget(r, &timer(n));
            r.set.push((timer(n), now + Duration::from_secs(after)));
        }
        Act::WakeAfter(n, after) if left > 0 && r.issued.last().is_some() => {
            forget(r, &timer(n));
            let name = r.issued.last().unwrap().name.clone();
            r.awaiting
                .push((timer(n), name, Duration::from_secs(after)));
        }
        Act::Cancel(n) => {
            forget(r, &timer(n));
            r.cancelled.push(timer(n));
        }
        Act::Withdraw if r.issued.is_empty() => r.withdrawn.push("Ship".into()),
        Act::Note => {
            let thing = ThingId::from(key);
            r.raised.push(Noted { thing }.encode().unwrap());
        }
        Act::End => r.ended = true,
        Act::Park => r.parked = Some((Class::Asked, "it asks".into())),
        // Without the hook, which would print each.
        Act::Panic => std::panic::resume_unwind(Box::new("by the seed")),
        _ => return Ok(()),
    }
    state["left"] = json!(left.saturating_sub(1));
    Ok(())
}

fn told(ending: &Ending) -> Told {
    let of = |key: &str| {
        let mine =
            |e: &&StoredEvent| !e.ty.starts_with('$') && e.tags.iter().any(|t| t.value() == key);
        let text = |e: &StoredEvent| format!("{} {}", e.ty, String::from_utf8_lossy(&e.data));
        ending.log.iter().filter(mine).map(text).collect()
    };
    let one = |((_, key), i): (&(String, String), &fait::process::Instance)| {
        let status = match &i.status {
            Status::Parked { reason, .. } => format!("parked: {reason}"),
            Status::Running => "running".into(),
            Status::Ended => "ended".into(),
        };
        let open = i.open.values().map(|o| o.issued.name.clone()).collect();
        let due = i.deadlines.values();
        let due = due.map(|(d, _)| format!("{} {}", d.name, d.due)).collect();
        let state = i.state.as_ref().map_or(Value::Null, |(_, s)| s.clone());
        (key.clone(), (state, status, open, due, of(key)))
    };
    ending.instances().iter().map(one).collect()
}
