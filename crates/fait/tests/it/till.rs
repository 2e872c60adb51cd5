//! A till: an amount that goes up and down, never below nothing. One kind of it is kept on disk.
#![expect(unreachable_pub, reason = "written as an application would be")]

use fait::app::{App, AppBuilder};
use fait::decision::{Context, Decide, Each, Model, Snapshots};
use fait::event::Meta;
use fait::{Clock, EventSet, Refusal, command, entity_ids, event};
use serde::{Deserialize, Serialize};

entity_ids! { TillId(text) => "till", ClerkId(text) => "clerk" }

/// Money went in or out.
#[event]
pub struct Counted {
    #[tag]
    pub till: TillId,
    #[tag]
    pub clerk: ClerkId,
    pub cents: i64,
}

/// Somebody looked.
#[event]
pub struct Looked {
    #[tag]
    pub clerk: ClerkId,
}

#[derive(EventSet, Debug, PartialEq)]
pub enum Movement {
    Counted(Counted),
}

/// What is in it. Takes in what has happened in order, so that a wrong fold shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Till {
    pub cents: i64,
    pub mixed: u64,
    pub share: f64,
    pub at: u64,
}

impl Model for Till {
    type Key = TillId;
    type Events = Movement;
    fn evolve(&mut self, Movement::Counted(e): Movement) {
        assert!(e.cents != BROKEN, "this coin is broken");
        self.cents += e.cents;
        self.mixed = self.mixed.wrapping_mul(31).wrapping_add(e.cents as u64);
        self.share = (self.share + e.cents as f64) / 3.0;
    }
    fn evolve_with(&mut self, e: Movement, meta: &Meta) {
        assert!(self.at < meta.position, "taken in twice, or out of order");
        self.at = meta.position;
        self.evolve(e);
    }
    fn snapshots() -> Option<Snapshots<Till>> {
        Some(Snapshots::version(1).every(10))
    }
}

/// What one clerk did. The same as a till, by clerk, and not kept on disk.
#[derive(Debug, Default, PartialEq)]
pub struct Clerk {
    pub times: u32,
}

impl Model for Clerk {
    type Key = ClerkId;
    type Events = Movement;
    fn evolve(&mut self, _: Movement) {
        self.times += 1;
    }
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum No {
    #[refused("there is {0} in the till, checked {1}")]
    TooLittle(i64, String),
    #[refused("this is what it is: {0}")]
    Seen(String),
}

/// Folding it panics.
pub const BROKEN: i64 = 666;
/// Deciding on it panics.
pub const CURSED: i64 = 13_000;

/// Count money in or out
#[command(by = "Clerk")]
pub struct Count {
    pub till: TillId,
    pub clerk: ClerkId,
    pub cents: i64,
}

impl Decide for Count {
    type Model = Till;
    type Emits = Counted;
    type Refusal = No;
    fn boundary(&self) -> TillId {
        self.till.clone()
    }
    fn decide(&self, till: &Till, _: &Context) -> Result<Vec<Counted>, No> {
        assert!(self.cents != CURSED, "nobody can decide this");
        match till.cents + self.cents {
            0.. => Ok(vec![counted(self)]),
            _ => Err(No::TooLittle(till.cents, seen(till))),
        }
    }
}

/// Count money that one clerk may count twice at most
#[command(by = "Clerk")]
pub struct CountTwice {
    pub till: TillId,
    pub clerk: ClerkId,
    pub cents: i64,
}

impl Decide for CountTwice {
    type Model = (Till, Clerk);
    type Emits = Counted;
    type Refusal = No;
    fn boundary(&self) -> (TillId, ClerkId) {
        (self.till.clone(), self.clerk.clone())
    }
    fn decide(&self, (till, clerk): &Self::Model, _: &Context) -> Result<Vec<Counted>, No> {
        if clerk.times >= 2 {
            return Err(No::TooLittle(till.cents, seen(till)));
        }
        Ok(vec![Counted {
            till: self.till.clone(),
            clerk: self.clerk.clone(),
            cents: self.cents,
        }])
    }
}

/// Look into a till
///
/// It is always refused, with all that the model holds.
#[command(by = "Clerk")]
pub struct Look {
    pub till: TillId,
}

impl Decide for Look {
    type Model = Till;
    type Emits = Counted;
    type Refusal = No;
    fn boundary(&self) -> TillId {
        self.till.clone()
    }
    fn decide(&self, till: &Till, _: &Context) -> Result<Vec<Counted>, No> {
        Err(No::Seen(seen(till)))
    }
}

/// Look into two tills
#[command(by = "Clerk")]
pub struct LookIntoTwo {
    pub one: TillId,
    pub two: TillId,
}

impl Decide for LookIntoTwo {
    type Model = (Till, Each<Till>);
    type Emits = Counted;
    type Refusal = No;
    fn boundary(&self) -> (TillId, Vec<TillId>) {
        (self.one.clone(), vec![self.two.clone(), self.one.clone()])
    }
    fn decide(&self, (one, both): &Self::Model, _: &Context) -> Result<Vec<Counted>, No> {
        assert_eq!(*one, both[&self.one]);
        let two = &both[&self.two];
        Err(No::Seen(format!("{} {}", seen(one), seen(two))))
    }
}

/// Note that somebody looked
#[command(by = "Clerk")]
pub struct NoteLook {
    pub till: TillId,
    pub clerk: ClerkId,
}

impl Decide for NoteLook {
    type Model = Till;
    type Emits = Looked;
    type Refusal = No;
    fn boundary(&self) -> TillId {
        self.till.clone()
    }
    fn decide(&self, _: &Till, _: &Context) -> Result<Vec<Looked>, No> {
        Ok(vec![Looked {
            clerk: self.clerk.clone(),
        }])
    }
}

fn counted(c: &Count) -> Counted {
    Counted {
        till: c.till.clone(),
        clerk: c.clerk.clone(),
        cents: c.cents,
    }
}

/// All that it holds, to the last bit.
fn seen(till: &Till) -> String {
    format!("{till:?} {:x}", till.share.to_bits())
}

pub fn wired(place: AppBuilder) -> AppBuilder {
    place
        .clock(Clock::machine())
        .task::<Count>()
        .task::<CountTwice>()
        .task::<Look>()
        .task::<LookIntoTwo>()
        .task::<NoteLook>()
}

pub fn count(till: &str, cents: i64) -> Count {
    Count {
        till: till.into(),
        clerk: "ann".into(),
        cents,
    }
}

/// What a decision on it sees.
pub async fn look(app: &App, till: &str) -> String {
    let till = till.into();
    app.send(Look { till }).await.unwrap_err().to_string()
}

/// The same of two.
pub async fn look_into_two(app: &App, one: &str, two: &str) -> String {
    let (one, two) = (one.into(), two.into());
    let seen = app.send(LookIntoTwo { one, two }).await;
    seen.unwrap_err().to_string()
}
