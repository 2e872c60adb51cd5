//! A small restaurant: a history with fixed ids and times, and the system that belongs to it.

use crate::called::no_child_begins;
use fait::app::{App, AppBuilder};
use fait::decision::{Context, Decide, Model};
use fait::event::{Meta, Never, NewEvent, Origin, Tag, Time, minutes, seconds};
use fait::process::{
    Claimed, Class, Deadline, Fact, Input, InputRef, Issued, Outbox, Outcome, Parked, Process,
    Settled, Step, Target,
};
use fait::projection::Projection;
use fait::reexport::serde_json::{Value, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, CommandKey, Store};
use fait::{Clock, command, data, entity_ids, event};
use fait_store::Disk;
use fait_web::Site;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

entity_ids! { OrderId(number) => "order", TableId(number) => "table" }

#[event]
pub(crate) struct OrderPlaced {
    #[tag]
    order: OrderId,
    #[tag]
    table: TableId,
    dishes: Vec<String>,
}

#[event]
pub(crate) struct OrderCooked {
    #[tag]
    order: OrderId,
}

#[derive(Default)]
pub(crate) struct Order;

impl Model for Order {
    type Key = OrderId;
    type Events = OrderCooked;
    fn evolve(&mut self, _: OrderCooked) {}
}

/// Cook the food
#[command(by = "Cook")]
pub(crate) struct CookFood {
    order: OrderId,
}

impl Decide for CookFood {
    type Model = Order;
    type Emits = OrderCooked;
    type Refusal = Never;
    fn boundary(&self) -> OrderId {
        self.order
    }
    fn decide(&self, _: &Order, _: &Context) -> Result<Vec<OrderCooked>, Never> {
        Ok(vec![OrderCooked { order: self.order }])
    }
}

pub(crate) struct TablePlan;

#[data]
#[derive(Default)]
pub(crate) struct TableRow {
    orders: Vec<OrderId>,
}

impl Projection for TablePlan {
    const NAME: &'static str = "table-plan";
    type Key = TableId;
    type Events = OrderPlaced;
    type Row = TableRow;
    fn project(row: &mut Option<TableRow>, _: &TableId, e: OrderPlaced, _: &Meta) {
        assert!(e.dishes != ["poison"], "this dish is poison");
        row.get_or_insert_default().orders.push(e.order);
    }
}

#[data]
#[derive(Default)]
pub(crate) struct ServeThenBill {
    stage: String,
}

impl Process for ServeThenBill {
    const NAME: &'static str = "serve-then-bill";
    const TITLE: &'static str = "Serve, then bill";
    type Key = OrderId;
    type Events = OrderCooked;
    type Timer = String;
    type Sends = CookFood;
    type Raises = Never;
    fn react(self, _: &OrderId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        self
    }
}

/// The program that made the history.
pub(crate) fn kitchen(place: AppBuilder) -> AppBuilder {
    place
        .task::<CookFood>()
        .projection::<TablePlan>()
        .process::<ServeThenBill>()
}

/// The second definition: it goes on with what is not paid for yet.
#[data]
#[derive(Default)]
pub(crate) struct ServeAndBill {
    stage: String,
    billed: bool,
}

impl Process for ServeAndBill {
    const NAME: &'static str = "serve-then-bill";
    const VERSION: u32 = 2;
    const DEFINITION: u32 = 2;
    type Key = OrderId;
    type Events = OrderCooked;
    type Timer = String;
    type Sends = CookFood;
    type Raises = Never;
    fn upcast(_: u32, mut state: Value) -> Result<Value, String> {
        state["billed"] = (state["stage"] == "paying").into();
        Ok(state)
    }
    fn migrate(self, _: u32) -> Result<Self, String> {
        match self.billed {
            false => Ok(self),
            true => Err("it is billed already".into()),
        }
    }
    fn react(self, _: &OrderId, _: Input<Self>, _: &mut Outbox<Self>) -> Self {
        self
    }
}

/// The next program, with the definition of the one before beside its own.
pub(crate) fn next_kitchen(place: AppBuilder) -> AppBuilder {
    place
        .task::<CookFood>()
        .process::<ServeAndBill>()
        .also::<ServeThenBill>()
}

/// A running system with its address.
pub(crate) struct Running {
    pub(crate) address: String,
    app: Option<App>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts the system on a folder, serves it, and waits until all is settled.
    pub(crate) fn on(folder: &Path) -> Running {
        Running::wired(folder, kitchen)
    }

    /// The same with another program.
    pub(crate) fn wired(folder: &Path, wire: fn(AppBuilder) -> AppBuilder) -> Running {
        let folder = folder.to_path_buf();
        let (ready, begun) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let place = App::in_folder(folder).clock(Clock::by_hand());
                let app = wire(place).build().unwrap();
                app.settle().await;
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = format!("http://{}", listener.local_addr().unwrap());
                ready.send((address, app.clone())).unwrap();
                let stopped = async { stopped.await.unwrap_or_default() };
                Site::new(app.clone())
                    .serve(listener, stopped)
                    .await
                    .unwrap();
                app.stop().await;
            });
        });
        let (address, app) = begun.recv().unwrap();
        Running {
            address,
            app: Some(app),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The system itself.
    pub(crate) fn app(&self) -> &App {
        self.app.as_ref().unwrap()
    }

    /// Somebody cooks an order.
    pub(crate) fn cook(&self, order: u64) {
        let order = OrderId(order);
        self.send(CookFood { order }, "cook:bo");
    }

    /// Somebody sends a command, and all that follows is waited for.
    pub(crate) fn send<C: Decide>(&self, command: C, by: &str) {
        let app = self.app();
        self.wait(async {
            app.send(command).by(by).await.unwrap();
            app.settle().await;
        });
    }

    /// Waits for something that is done with the system.
    pub(crate) fn wait<T>(&self, what: impl Future<Output = T>) -> T {
        tokio::runtime::Runtime::new().unwrap().block_on(what)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _quiet = no_child_begins();
        drop(self.stop.take());
        drop(self.app.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// 18:05 on a Monday.
const BEGIN: Time = Time(1_795_457_100_000);

/// An id that says what it belongs to.
pub(crate) fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x019b_76da_a800_7000_8000_0000_0000_0000 + n)
}

/// Makes a folder with the history of two orders in it: one is stuck, one is cooked too late.
pub(crate) fn history(folder: &Path) {
    let mut log = Log {
        store: Disk::open(folder).unwrap(),
        runtime: tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
        position: 0,
    };
    first_order(&mut log);
    second_order(&mut log);
    let _quiet = no_child_begins();
    drop(log);
}

struct Log {
    store: Disk,
    runtime: tokio::runtime::Runtime,
    position: u128,
}

/// Where an event comes from: minutes after the beginning, the flow, the cause, the actor.
struct Came(u64, u128, Option<u128>, &'static str);

impl Log {
    fn append(&mut self, came: Came, ty: &str, tags: Vec<Tag>, data: Value) {
        self.position += 1;
        let Came(after, flow, cause, by) = came;
        let command = cause.is_none().then(|| id(flow));
        let event = NewEvent {
            id: id(self.position),
            ty: ty.into(),
            version: 1,
            tags,
            data: data.to_string().into_bytes().into(),
            origin: Origin {
                actor: Some(by.into()),
                command,
                correlation: id(flow),
                causation: cause.map(id),
                ..Origin::default()
            },
        };
        let append = Append {
            events: vec![event],
            conditions: vec![],
            command: command.map(|id| CommandKey {
                id,
                fingerprint: id,
            }),
            recorded_at: BEGIN + minutes(after) + seconds(3),
        };
        self.runtime.block_on(self.store.append(append)).unwrap();
    }

    fn fact(&mut self, came: Came, order: u64, fact: &Fact) {
        let draft = fact.draft(&[Tag::new("order", order)]);
        let data = fait::reexport::serde_json::from_slice(&draft.data).unwrap();
        self.append(came, &draft.ty, draft.tags, data);
    }
}

const PROCESS: &str = "process:serve-then-bill";

fn first_order(log: &mut Log) {
    let about = || vec![Tag::new("order", 7), Tag::new("table", 3)];
    let placed = json!({"order": 7, "table": 3, "dishes": ["soup", "stew"]});
    log.append(
        Came(0, 100, None, "waiter:ann"),
        "OrderPlaced",
        about(),
        placed,
    );
    let mut step = step(7, event(1, "OrderPlaced"), "cooking");
    step.issued = vec![issued(
        200,
        "CookFood",
        Target::Role("Cook".into()),
        Some(27),
        1,
    )];
    step.set = vec![deadline(30)];
    log.fact(Came(0, 100, Some(1), PROCESS), 7, &Fact::Stepped(step));
    log.fact(Came(1, 100, Some(2), "cook:bo"), 7, &claimed(7, 200));
    let cooked = json!({"order": 7});
    let order = vec![Tag::new("order", 7)];
    log.append(
        Came(16, 100, Some(2), "cook:bo"),
        "OrderCooked",
        order,
        cooked,
    );
    log.fact(
        Came(16, 100, Some(2), "cook:bo"),
        7,
        &settled(7, (200, "CookFood"), Outcome::Accepted),
    );
    let mut step = self::step(7, event(4, "OrderCooked"), "paying");
    let terminal = Target::System("Card terminal".into());
    step.issued = vec![issued(201, "ChargeCard", terminal, None, 1)];
    step.cancelled = vec![deadline(30).name];
    log.fact(Came(16, 100, Some(4), PROCESS), 7, &Fact::Stepped(step));
    let charged = settled(7, (201, "ChargeCard"), Outcome::Accepted);
    log.fact(Came(16, 100, Some(6), PROCESS), 7, &charged);
    let declined = json!({"order": 7, "why": "no\u{1b}[31m money"});
    let order = vec![Tag::new("order", 7)];
    let terminal = "system:Card terminal";
    log.append(
        Came(17, 100, Some(6), terminal),
        "CardDeclined",
        order,
        declined,
    );
    let parked = Fact::Parked(Parked {
        process: "serve-then-bill".into(),
        key: "7".into(),
        input: event(8, "CardDeclined"),
        class: Class::Asked,
        reason: "nobody has said what follows when a card is declined".into(),
        attempts: 1,
        seen: 0,
    });
    log.fact(Came(17, 100, Some(8), PROCESS), 7, &parked);
}

fn second_order(log: &mut Log) {
    let about = vec![Tag::new("order", 8), Tag::new("table", 4)];
    let placed = json!({"order": 8, "table": 4, "dishes": ["poison"]});
    log.append(
        Came(350, 101, None, "waiter:ann"),
        "OrderPlaced",
        about,
        placed,
    );
    let mut step = step(8, event(10, "OrderPlaced"), "cooking");
    step.issued = vec![issued(202, "CookFood", Target::Here, Some(375), 1)];
    log.fact(Came(350, 101, Some(10), PROCESS), 8, &Fact::Stepped(step));
    let outcome = Outcome::Refused {
        code: "closed".into(),
        reason: "the kitchen is closed".into(),
    };
    log.fact(
        Came(351, 101, Some(11), PROCESS),
        8,
        &settled(8, (202, "CookFood"), outcome),
    );
    let mut step = self::step(8, event(12, "$CommandSettled"), "waiting");
    step.issued = vec![issued(
        203,
        "CookFood",
        Target::Role("Cook".into()),
        None,
        2,
    )];
    step.set = vec![deadline(600)];
    log.fact(Came(351, 101, Some(12), PROCESS), 8, &Fact::Stepped(step));
}

fn step(key: u64, input: InputRef, stage: &str) -> Step {
    Step {
        state: json!({"stage": stage}),
        ..Step::of("serve-then-bill", &key.to_string(), input)
    }
}

fn event(position: u64, ty: &str) -> InputRef {
    InputRef::Event {
        id: id(position.into()),
        position,
        ty: ty.into(),
    }
}

fn issued(n: u128, name: &str, to: Target, due: Option<u64>, tries: u32) -> Issued {
    Issued {
        id: id(n),
        name: name.into(),
        body: json!({"order": 7}),
        to,
        due: due.map(|after| BEGIN + minutes(after)),
        tries,
        expires: false,
    }
}

fn deadline(after: u64) -> Deadline {
    Deadline {
        name: "\"KitchenSilent\"".into(),
        generation: 1,
        due: BEGIN + minutes(after),
    }
}

fn settled(key: u64, (command, name): (u128, &str), outcome: Outcome) -> Fact {
    Fact::Settled(Settled {
        process: "serve-then-bill".into(),
        key: key.to_string(),
        command: id(command),
        name: name.into(),
        body: Value::Null,
        outcome,
        by_hand: None,
    })
}

fn claimed(key: u64, command: u128) -> Fact {
    Fact::Claimed(Claimed {
        process: "serve-then-bill".into(),
        key: key.to_string(),
        command: id(command),
        by: "cook:bo".into(),
        until: BEGIN + minutes(14),
        back: false,
    })
}
