//! A small running system: bread is ordered and baked.
#![expect(unreachable_pub, reason = "written as an application would be")]

use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Never, minutes};
use fait::process::{Input, Outbox, Process};
use fait::projection::Projection;
use fait::{App, Clock, EventSet, Refusal, command, data, entity_ids, event};
use fait_web::Site;
use tokio::net::TcpListener;

entity_ids! { BreadId(text) => "bread" }

#[event]
pub struct BreadOrdered {
    #[tag]
    pub bread: BreadId,
}

#[event]
pub struct BreadBaked {
    #[tag]
    pub bread: BreadId,
}

#[derive(EventSet, Clone, Debug, PartialEq)]
pub enum Oven {
    Ordered(BreadOrdered),
    Baked(BreadBaked),
}

#[derive(Default)]
pub struct Bread;

impl Model for Bread {
    type Key = BreadId;
    type Events = Oven;
    fn evolve(&mut self, _: Oven) {}
}

#[derive(Clone, Debug, PartialEq, Refusal)]
pub enum No {
    #[refused("there is no flour")]
    Flour,
}

/// Order bread
#[command(by = "Guest", starts)]
pub struct OrderBread {
    /// Which?
    pub bread: BreadId,
}

impl Decide for OrderBread {
    type Model = Bread;
    type Emits = BreadOrdered;
    type Refusal = No;
    fn boundary(&self) -> BreadId {
        self.bread.clone()
    }
    fn decide(&self, _: &Bread, _: &Context) -> Result<Vec<BreadOrdered>, No> {
        if self.bread.0 == "cake" {
            return Err(No::Flour);
        }
        Ok(vec![BreadOrdered {
            bread: self.bread.clone(),
        }])
    }
}

/// Bake bread
#[command(by = "Baker")]
pub struct BakeBread {
    /// Which?
    pub bread: BreadId,
}

impl Decide for BakeBread {
    type Model = Bread;
    type Emits = BreadBaked;
    type Refusal = No;
    fn boundary(&self) -> BreadId {
        self.bread.clone()
    }
    fn decide(&self, _: &Bread, _: &Context) -> Result<Vec<BreadBaked>, No> {
        Ok(vec![BreadBaked {
            bread: self.bread.clone(),
        }])
    }
}

/// View *To bake*.
#[derive(Debug)]
pub struct ToBake;

#[data]
pub struct ToBakeRow {
    /// Bread
    pub bread: BreadId,
}

impl Projection for ToBake {
    const NAME: &'static str = "to-bake";
    type Key = BreadId;
    type Events = Oven;
    type Row = ToBakeRow;
    fn project(row: &mut Option<ToBakeRow>, _: &BreadId, event: Oven, _: &Meta) {
        *row = match event {
            Oven::Ordered(e) => Some(ToBakeRow { bread: e.bread }),
            Oven::Baked(_) => None,
        }
    }
}

#[data]
#[derive(Default)]
pub enum Baking {
    #[default]
    Idle,
    Asked,
    Done,
}

impl Process for Baking {
    const NAME: &'static str = "baking";
    const TITLE: &'static str = "Bake what is ordered";
    type Key = BreadId;
    type Events = Oven;
    type Timer = ();
    type Sends = BakeBread;
    type Raises = Never;
    fn react(self, _: &BreadId, input: Input<Self>, out: &mut Outbox<Self>) -> Self {
        match (self, input) {
            (Baking::Idle, Input::Event(Oven::Ordered(e))) => {
                assert!(e.bread.0 != "stone", "nobody bakes a stone");
                out.ask::<BakeBread>("Baker").within(minutes(30));
                Baking::Asked
            }
            (Baking::Asked, Input::Event(Oven::Baked(_))) => {
                out.end();
                Baking::Done
            }
            (state, other) => out.unhandled(state, other),
        }
    }
}

/// Opens the bakery with two orders, one of which cannot be baked; gives it and its address.
pub(crate) async fn open() -> (App, String) {
    let app = App::in_memory()
        .name("Bakery")
        .clock(Clock::by_hand())
        .task::<OrderBread>()
        .task::<BakeBread>()
        .projection::<ToBake>()
        .process::<Baking>()
        .build()
        .unwrap();
    for bread in ["rye", "stone"] {
        app.send(OrderBread {
            bread: bread.into(),
        })
        .await
        .unwrap();
        app.settle().await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::new(app.clone());
    tokio::spawn(site.serve(listener, std::future::pending()));
    (app, place)
}
