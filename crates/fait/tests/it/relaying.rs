//! Handing over to brokers: each message once, in order, whatever goes wrong on the way.

mod emptied;
mod operator;

use crate::box_office::*;
use fait::Clock;
use fait::app::{App, AppBuilder, BuildError, OutletError, OutletStatus, ReplayFrom, Wants};
use fait::bus::{BusError, Message, Outlet, Reached};
use fait::event::{Position, seconds};
use fait::query::Query;
use fait::store::{BoxFuture, Memory, Range, Store};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

/// A broker in memory that goes wrong as it is told to.
#[derive(Clone, Default)]
struct Broker(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    history: u32,
    /// Messages with their sequences.
    kept: Vec<(u64, Message)>,
    sequence: u64,
    asked: u64,
    /// What goes wrong with the next calls; nothing with those behind.
    wrong: VecDeque<Wrong>,
    down: bool,
    /// It answers, and takes nothing.
    full: bool,
    /// It names a message that it was not handed.
    confused: bool,
    /// The most that a message may have, in bytes.
    most: Option<usize>,
    /// A relay of a larger limit carries what this one may not, before it asks again.
    rival: bool,
    conflicts: u64,
    /// Who asks how far it came waits here.
    gate: Option<Arc<tokio::sync::Semaphore>>,
    at_gate: u64,
}

#[derive(Clone, Copy, Debug)]
enum Wrong {
    Nothing,
    /// It takes nothing.
    Before,
    /// It takes so many, and the answer is lost.
    After(usize),
    /// It panics.
    Panic,
}

impl Broker {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn goes_wrong(&self, wrong: impl IntoIterator<Item = Wrong>) {
        self.inside().wrong.extend(wrong);
    }

    fn subjects(&self) -> Vec<String> {
        let inside = self.inside();
        let kept = inside.kept.iter();
        kept.map(|(_, m)| m.event.subject.clone().unwrap())
            .collect()
    }

    /// It is made anew, as another history.
    fn made_anew(&self) {
        let mut inside = self.inside();
        inside.history += 1;
        inside.sequence = 0;
        inside.kept.clear();
    }
}

impl Inside {
    fn reached(&self) -> Reached {
        Reached {
            history: format!("stream of {}", self.history),
            sequence: self.sequence,
            position: self.kept.last().map(|(_, m)| m.position),
        }
    }

    fn call(&mut self) -> Result<Wrong, BusError> {
        self.asked += 1;
        if self.down {
            return Err(BusError::Later("nobody is there".into()));
        }
        match self.wrong.pop_front() {
            Some(Wrong::Before) => Err(BusError::Later("busy".into())),
            Some(Wrong::Panic) => panic!("the client of the broker breaks"),
            other => Ok(other.unwrap_or(Wrong::Nothing)),
        }
    }

    fn take(&mut self, after: Reached, messages: Vec<Message>) -> Result<Reached, BusError> {
        let wrong = self.call()?;
        if after.history != self.reached().history {
            return Err(BusError::Other(self.reached().history));
        }
        if after.sequence != self.sequence {
            self.conflicts += 1;
            return Err(BusError::Later("somebody else was faster".into()));
        }
        if self.confused {
            let (position, why) = (Position::MAX, "whatever it is".into());
            return Err(BusError::Message { position, why });
        }
        if self.full {
            return Err(BusError::Later("it is full".into()));
        }
        let takes = match wrong {
            Wrong::After(n) => n,
            _ => usize::MAX,
        };
        for message in messages.into_iter().take(takes) {
            let bytes = message.event.to_bytes().len();
            if self.most.is_some_and(|most| bytes > most) {
                let why = format!("it has {bytes} bytes");
                let position = message.position;
                if self.rival {
                    self.sequence += 1;
                    self.kept.push((self.sequence, message));
                }
                return Err(BusError::Message { position, why });
            }
            self.sequence += 1;
            self.kept.push((self.sequence, message));
        }
        match wrong {
            Wrong::After(_) => Err(BusError::Later("the answer is lost".into())),
            _ => Ok(self.reached()),
        }
    }
}

impl Outlet for Broker {
    fn reached(&self) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            let gate = self.inside().gate.clone();
            if let Some(gate) = gate {
                self.inside().at_gate += 1;
                gate.acquire().await.unwrap().forget();
            }
            let mut inside = self.inside();
            inside.call().map(|_| inside.reached())
        })
    }
    fn hand_over(
        &self,
        after: Reached,
        messages: Vec<Message>,
    ) -> BoxFuture<'_, Result<Reached, BusError>> {
        Box::pin(async {
            tokio::task::yield_now().await;
            self.inside().take(after, messages)
        })
    }
}

fn office(place: AppBuilder, broker: &Broker) -> AppBuilder {
    wired(place)
        .publishes::<Announcements>()
        .relays("broker", broker.clone())
}

async fn sold(app: &App, from: usize, to: usize) {
    for n in from..to {
        sell(app, &format!("s{n}"), "ann", 1).await;
    }
}

fn subjects(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("s{n}")).collect()
}

async fn status(app: &App) -> OutletStatus {
    app.bus().await.unwrap().outlets.remove(0)
}

async fn last(app: &App) -> Position {
    let all = app.published(0, 1000, &[]).await.unwrap();
    all.messages.last().unwrap().position
}

#[tokio::test]
async fn every_message_is_handed_over_once_and_in_order() {
    let broker = Broker::default();
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 50).await;
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 50));
    let stands = status(&app).await;
    assert_eq!(
        (stands.waiting, stands.trouble, stands.halted),
        (0, None, None)
    );
    assert_eq!(stands.reached.unwrap().position, Some(last(&app).await));
    assert_eq!(stands.position, app.head().await.unwrap());
}

#[tokio::test]
async fn lost_answers_refusals_and_panics_leave_no_gap_and_no_double() {
    let broker = Broker::default();
    let clock = Clock::by_hand();
    let app = office(App::in_memory().clock(clock), &broker)
        .build()
        .unwrap();
    let mut n = 0;
    for take in [0, 1, 3, 1000] {
        for wrong in [Wrong::Before, Wrong::After(take), Wrong::Panic] {
            for quiet in 0..3 {
                let quiet = std::iter::repeat_n(Wrong::Nothing, quiet);
                broker.goes_wrong(quiet.chain([wrong, Wrong::Before, wrong]));
                sold(&app, n, n + 7).await;
                n += 7;
                app.advance(seconds(60)).await;
            }
        }
    }
    while !broker.inside().wrong.is_empty() {
        sold(&app, n, n + 1).await;
        n += 1;
        app.advance(seconds(60)).await;
    }
    assert_eq!(broker.subjects(), subjects(0, n));
}

#[tokio::test]
async fn three_relays_on_one_log_hand_each_message_over_once() {
    let broker = Broker::default();
    let store = Arc::new(Memory::default());
    let start = || office(App::on(store.clone()), &broker).build().unwrap();
    let apps = [start(), start(), start()];
    for n in 0..150 {
        sell(&apps[n % 3], &format!("s{n}"), "ann", 1).await;
        if n % 50 == 25 {
            broker.goes_wrong([Wrong::After(2), Wrong::Nothing, Wrong::Before]);
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    while broker.subjects().len() < 150 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(broker.subjects(), subjects(0, 150));
    assert!(broker.inside().conflicts > 0, "they raced");
}

#[tokio::test]
async fn a_broker_that_is_down_for_ten_minutes_delays_nothing_but_its_messages() {
    let broker = Broker::default();
    let clock = Clock::by_hand();
    let app = office(App::in_memory().clock(clock.clone()), &broker)
        .build()
        .unwrap();
    sold(&app, 0, 3).await;
    app.settle().await;
    broker.inside().down = true;
    let (down, asked) = (clock.now(), broker.inside().asked);
    for n in 1..=10 {
        sold(&app, n * 3, n * 3 + 3).await;
        app.advance(seconds(60)).await;
    }
    assert_eq!(broker.subjects(), subjects(0, 3));
    let stands = status(&app).await;
    assert_eq!(stands.waiting, 30);
    let trouble = stands.trouble.unwrap();
    assert_eq!(trouble.error, "nobody is there");
    assert_eq!(trouble.since, down);
    assert!(stands.next_try.unwrap() > clock.now());
    let asked = broker.inside().asked - asked;
    assert!(
        (20..60).contains(&asked),
        "asked {asked} times in ten minutes"
    );
    broker.inside().down = false;
    app.advance(seconds(30)).await;
    assert_eq!(broker.subjects(), subjects(0, 33));
    assert_eq!(status(&app).await.trouble, None);
}

#[tokio::test]
async fn a_broker_that_answers_and_takes_nothing_is_asked_no_more_often_than_one_that_is_down() {
    let broker = Broker::default();
    let clock = Clock::by_hand();
    let app = office(App::in_memory().clock(clock.clone()), &broker)
        .build()
        .unwrap();
    sold(&app, 0, 3).await;
    app.settle().await;
    broker.inside().full = true;
    let (full, asked) = (clock.now(), broker.inside().asked);
    for n in 1..=10 {
        sold(&app, n * 3, n * 3 + 3).await;
        app.advance(seconds(60)).await;
    }
    let trouble = status(&app).await.trouble.unwrap();
    assert_eq!(
        (trouble.error.as_str(), trouble.since),
        ("it is full", full)
    );
    let asked = broker.inside().asked - asked;
    // Each time how far it came, and then to take some.
    assert!(
        (40..120).contains(&asked),
        "asked {asked} times in ten minutes"
    );
    broker.inside().full = false;
    app.advance(seconds(30)).await;
    assert_eq!(broker.subjects(), subjects(0, 33));
    assert_eq!(status(&app).await.trouble, None);
}

#[tokio::test]
async fn a_restart_goes_on_where_the_broker_is_whatever_is_forgotten() {
    let broker = Broker::default();
    let store = Arc::new(Memory::default());
    for n in 0..4 {
        // Each time with views in memory: all that is known is in the log and at the broker.
        let app = office(App::on(store.clone()), &broker).build().unwrap();
        sold(&app, n * 5, n * 5 + 5).await;
        if n % 2 == 0 {
            app.settle().await;
        } else {
            broker.goes_wrong([Wrong::Nothing, Wrong::After(2)]);
        }
        app.stop().await;
    }
    let app = office(App::on(store), &broker).build().unwrap();
    app.retry_outlet("broker").unwrap();
    app.settle().await;
    while broker.subjects().len() < 20 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(broker.subjects(), subjects(0, 20));
}

#[tokio::test]
async fn another_history_stops_the_relay_until_an_operator_says_from_where() {
    for (from, first) in [
        (ReplayFrom::Start, 0),
        (ReplayFrom::Here, 6),
        (ReplayFrom::Behind(0), 0),
    ] {
        let broker = Broker::default();
        let app = office(App::in_memory(), &broker).build().unwrap();
        sold(&app, 0, 3).await;
        app.settle().await;
        broker.made_anew();
        sold(&app, 3, 6).await;
        app.settle().await;
        assert_eq!(
            broker.subjects(),
            Vec::<String>::new(),
            "nothing is guessed"
        );
        let halted = status(&app).await.halted.unwrap();
        assert_eq!(halted.wants, Wants::Replay);
        assert!(halted.reason.contains("another history"), "{halted:?}");
        app.replay("broker", from, "operator:eva", Some("the broker is new"))
            .await
            .unwrap();
        sold(&app, 6, 8).await;
        app.settle().await;
        assert_eq!(broker.subjects(), subjects(first, 8), "{from}");
        assert_eq!(status(&app).await.halted, None);
    }
}

#[tokio::test]
async fn what_is_said_to_one_program_is_heard_by_another_on_the_same_log() {
    let broker = Broker::default();
    let store = Arc::new(Memory::default());
    let start = || office(App::on(store.clone()), &broker).build().unwrap();
    let (one, two) = (start(), start());
    sold(&one, 0, 3).await;
    one.settle().await;
    broker.made_anew();
    sold(&one, 3, 5).await;
    for app in [&one, &two] {
        while status(app).await.halted.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    one.replay("broker", ReplayFrom::Start, "operator:eva", None)
        .await
        .unwrap();
    one.stop().await;
    sold(&two, 5, 7).await;
    while broker.subjects().len() < 7 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(broker.subjects(), subjects(0, 7));
    assert_eq!(status(&two).await.halted, None);
}

#[tokio::test]
async fn what_an_operator_said_is_recorded_and_holds_after_a_restart() {
    let broker = Broker::default();
    let store = Arc::new(Memory::default());
    let app = office(App::on(store.clone()), &broker).build().unwrap();
    sold(&app, 0, 4).await;
    app.settle().await;
    // Nobody hands over meanwhile: the next program does what was said.
    broker.inside().down = true;
    assert!(matches!(
        app.replay("broker", ReplayFrom::Start, "operator:eva", None)
            .await,
        Err(OutletError::Broker(_))
    ));
    broker.inside().down = false;
    app.replay("broker", ReplayFrom::Start, "operator:eva", None)
        .await
        .unwrap();
    app.stop().await;
    let app = office(App::on(store.clone()), &broker).build().unwrap();
    sold(&app, 4, 5).await;
    app.settle().await;
    let twice = [subjects(0, 4), subjects(0, 5)].concat();
    assert_eq!(broker.subjects(), twice);
    let facts = Query::types(&["$OutletJoined"]);
    let facts = store.read(&facts, Range::after(0, 9)).await.unwrap().events;
    let by: Vec<_> = facts.iter().map(|e| e.meta.origin.actor.clone()).collect();
    assert_eq!(by, [Some("program".into()), Some("operator:eva".into())]);
}

#[tokio::test]
async fn an_emptied_broker_goes_on_where_it_was_and_one_nobody_remembers_asks() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::default();
    let store = Arc::new(Memory::default());
    let start = || {
        let place = App::on(store.clone()).views_in(dir.path().join("views.db"));
        office(place, &broker).build().unwrap()
    };
    let app = start();
    sold(&app, 0, 4).await;
    app.settle().await;
    app.stop().await;
    broker.inside().kept.clear();
    let app = start();
    sold(&app, 4, 6).await;
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(4, 6));
    app.stop().await;
    drop(app);
    broker.inside().kept.clear();
    let app = office(App::on(store.clone()), &broker).build().unwrap();
    app.settle().await;
    let halted = status(&app).await.halted.unwrap();
    assert_eq!(halted.wants, Wants::Replay);
    assert!(halted.reason.contains("emptied"), "{halted:?}");
}

#[tokio::test]
async fn a_broker_ahead_of_the_log_stops_the_relay() {
    let broker = Broker::default();
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 4).await;
    app.settle().await;
    app.stop().await;
    let app = office(App::in_memory(), &broker).build().unwrap();
    app.settle().await;
    let halted = status(&app).await.halted.unwrap();
    assert!(halted.reason.contains("the log ends at"), "{halted:?}");
    sold(&app, 0, 9).await;
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 4), "nothing is handed over");
}

#[tokio::test]
async fn a_message_that_is_too_large_stops_it_until_somebody_skips_it() {
    let broker = Broker::default();
    broker.inside().most = Some(900);
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 3).await;
    let long = format!("large-{}", "x".repeat(200));
    sell(&app, &long, "ann", 1).await;
    sold(&app, 3, 5).await;
    app.settle().await;
    assert_eq!(
        broker.subjects(),
        subjects(0, 3),
        "those before it are there"
    );
    let halted = status(&app).await.halted.unwrap();
    let Wants::Skip { position } = halted.wants else {
        panic!("{halted:?}");
    };
    let message = app
        .published(position - 1, 1, &[])
        .await
        .unwrap()
        .messages
        .remove(0);
    assert_eq!(message.event.subject, Some(long));
    assert!(halted.reason.contains("bytes"), "{halted:?}");
    // It is not tried again and again.
    let asked = broker.inside().asked;
    sold(&app, 5, 7).await;
    app.settle().await;
    assert_eq!(broker.inside().asked, asked);
    let other = app.skip_published("broker", position + 1, "operator:eva", "too large");
    assert!(matches!(other.await, Err(OutletError::NotStoppedBy { .. })));
    let silent = app.skip_published("broker", position, "operator:eva", " ");
    assert!(matches!(silent.await, Err(OutletError::NoReason)));
    app.skip_published("broker", position, "operator:eva", "too large for them")
        .await
        .unwrap();
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 7));
}

#[tokio::test]
async fn a_larger_limit_and_another_try_carry_it() {
    let broker = Broker::default();
    broker.inside().most = Some(10);
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 2).await;
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 0));
    broker.inside().most = None;
    app.retry_outlet("broker").unwrap();
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 2));
}

#[tokio::test]
async fn a_message_that_another_relay_carried_meanwhile_stops_nobody() {
    let broker = Broker::default();
    broker.inside().most = Some(900);
    broker.inside().rival = true;
    broker.inside().down = true;
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 3).await;
    let long = format!("large-{}", "x".repeat(200));
    sell(&app, &long, "ann", 1).await;
    sold(&app, 3, 5).await;
    app.settle().await;
    broker.inside().down = false;
    app.retry_outlet("broker").unwrap();
    app.settle().await;
    assert_eq!(status(&app).await.halted, None);
    let mut all = subjects(0, 5);
    all.insert(3, long);
    assert_eq!(broker.subjects(), all);
}

#[tokio::test]
async fn a_broker_that_names_a_message_it_was_not_handed_is_asked_again_after_a_while() {
    let broker = Broker::default();
    broker.inside().confused = true;
    let app = office(App::in_memory().clock(Clock::by_hand()), &broker)
        .build()
        .unwrap();
    sold(&app, 0, 2).await;
    while status(&app).await.trouble.is_none() {
        let asked = broker.inside().asked;
        assert!(asked < 100, "asked {asked} times, and no time went by");
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    broker.inside().confused = false;
    app.advance(seconds(60)).await;
    assert_eq!(broker.subjects(), subjects(0, 2));
}

#[tokio::test]
async fn mistakes_with_outlets_are_named() {
    let broker = Broker::default();
    let twice = office(App::in_memory(), &broker).relays("broker", broker.clone());
    let Err(BuildError::Wiring(twice)) = twice.build() else {
        panic!("it was built");
    };
    assert_eq!(twice, "outlet `broker` is wired twice");
    let app = office(App::in_memory(), &broker).build().unwrap();
    let unknown = app.retry_outlet("brokr").unwrap_err().to_string();
    assert_eq!(
        unknown,
        "there is no outlet `brokr`; did you mean `broker`?"
    );
    let beyond = app
        .replay("broker", ReplayFrom::Behind(999), "operator:eva", None)
        .await
        .unwrap_err();
    assert!(matches!(beyond, OutletError::Beyond { position: 999, .. }));
    assert!("sooner".parse::<ReplayFrom>().is_err());
    assert_eq!("7".parse(), Ok(ReplayFrom::Behind(7)));
}
