//! Two definitions of one process beside each other, which do not hear the same events.

use crate::routing::{ParcelClaimed, ParcelId, ParcelSent, ParcelWeighed, hears, sent, weighed};
use fait::app::{App, AppBuilder};
use fait::event::Never;
use fait::process::{Input, Outbox, Process};
use fait::store::Memory;
use fait::{Clock, EventSet, data};
use std::sync::Arc;

#[derive(EventSet, Clone, Debug, PartialEq)]
enum WasHeard {
    Sent(ParcelSent),
    Weighed(ParcelWeighed),
}

#[derive(EventSet, Clone, Debug, PartialEq)]
enum IsHeard {
    Sent(ParcelSent),
    Claimed(ParcelClaimed),
}

/// It weighs.
#[data]
#[derive(Default)]
struct Weighing {
    grams: u32,
}

impl Process for Weighing {
    const NAME: &'static str = "weighing";
    type Key = ParcelId;
    type Events = WasHeard;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn react(mut self, _: &ParcelId, input: Input<Self>, _: &mut Outbox<Self>) -> Self {
        if let Input::Event(WasHeard::Weighed(e)) = input {
            self.grams += e.grams;
        }
        self.began()
    }
}

impl Weighing {
    fn began(mut self) -> Self {
        self.grams += 1;
        self
    }
}

/// Weights are of no interest any more.
#[data]
#[derive(Default)]
struct Counting {
    grams: u32,
}

impl Process for Counting {
    const NAME: &'static str = "weighing";
    const DEFINITION: u32 = 2;
    type Key = ParcelId;
    type Events = IsHeard;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn react(mut self, _: &ParcelId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        self.grams += 1000;
        self
    }
}

fn post(store: &Arc<Memory>) -> AppBuilder {
    let app = App::on(store.clone()).clock(Clock::by_hand());
    let app = app.receives::<ParcelSent>("Post");
    let app = app.receives::<ParcelWeighed>("Post");
    app.receives::<ParcelClaimed>("Post")
}

async fn grams(app: &App, key: &str) -> u64 {
    let instance = app.instance("weighing", key).await.unwrap().unwrap();
    instance.state.unwrap().1["grams"].as_u64().unwrap()
}

#[tokio::test]
async fn an_older_definition_hears_what_the_latest_does_not() {
    let store = Arc::<Memory>::default();
    let app = post(&store).process::<Weighing>().build().unwrap();
    hears(&app, sent("a")).await;
    app.stop().await;
    let app = post(&store).process::<Counting>().also::<Weighing>();
    let app = app.build().unwrap();
    hears(&app, sent("b")).await;
    for key in ["a", "b"] {
        hears(&app, weighed(key, 5)).await;
    }
    assert_eq!(grams(&app, "a").await, 7);
    assert_eq!(grams(&app, "b").await, 1000);
}
