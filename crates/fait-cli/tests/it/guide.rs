//! The guide to processes as it stands. A block of Rust or of a board says where it is from, and
//! each piece of it, between lines of `…`, stands there word for word; how far it is indented does
//! not matter. In a block of commands each `$ fait …` line is run, in the order of the document, on
//! a restaurant whose card terminal is out of order; what it prints is what is shown below it, line
//! by line, where `…` stands for anything in a line, and alone on a line for any lines. Between two
//! blocks, what the guide says in `<!-- … -->` happens.

use crate::called::{at, no_child_begins};
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::event::Money;
use fait::store::BoxFuture;
use fait::{Clock, app::Asked};
use fait_web::Site;
use restaurant::events::OrderId;
use restaurant::orders::{CookFood, PlaceOrder};
use restaurant::till::{PriceOrder, TakePayment};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const GUIDE: &str = include_str!("../../../../docs/guide/processes.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_guide_to_processes_works_as_it_stands() {
    let mut house = House::open();
    let (mut excerpts, mut calls) = (0, 0);
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if let Some(what) = line.strip_prefix("<!-- ") {
            house.happens(what.trim_end_matches(" -->"));
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(",from=") {
            Some((_, file)) => excerpts += stands_in(&block, file),
            None if info == "console" => calls += house.type_in(&block),
            None => panic!("nobody would know what to do with a block of `{info}`"),
        }
    }
    assert!(
        excerpts > 5 && calls > 5,
        "{excerpts} excerpts, {calls} calls"
    );
}

/// Looks that each piece of an excerpt is in its file; how many there are.
pub(crate) fn stands_in(block: &[&str], file: &str) -> usize {
    let whole = std::fs::read_to_string(Path::new(ROOT).join(file)).unwrap();
    let plain = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| line.trim().to_string()).collect()
    };
    let whole = plain(&whole.lines().collect::<Vec<_>>());
    let pieces = block.split(|line| line.trim() == "…");
    let pieces: Vec<_> = pieces.map(plain).filter(|p| !p.is_empty()).collect();
    for piece in &pieces {
        let found = whole.windows(piece.len()).any(|window| window == piece);
        assert!(found, "{file} has no such lines:\n{}", piece.join("\n"));
    }
    pieces.len()
}

/// A card terminal that says that it is not registered, until it is.
#[derive(Clone, Default)]
struct Registered(Arc<AtomicBool>);

impl System for Registered {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async {
            match self.0.load(Ordering::Relaxed) {
                true => Ok(()),
                false => Err(TellError::never("this terminal is not registered")),
            }
        })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

/// A restaurant that is served, where time stands still until the guide moves it.
struct House {
    runtime: Runtime,
    app: App,
    address: String,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<()>>,
    terminal: Registered,
}

impl House {
    fn open() -> House {
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let terminal = Registered::default();
        let place = App::in_memory().clock(Clock::by_hand());
        let (app, address, served) = runtime.block_on(async {
            let app = restaurant::wired(place, terminal.clone()).build().unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = format!("http://{}", listener.local_addr().unwrap());
            let site = Site::new(app.clone()).board(restaurant::BOARD);
            let served = tokio::spawn(async move {
                let stopped = async { stopped.await.unwrap_or_default() };
                site.serve(listener, stopped).await.unwrap();
            });
            (app, address, served)
        });
        House {
            runtime,
            app,
            address,
            stop: Some(stop),
            served: Some(served),
            terminal,
        }
    }

    /// What the guide says that happens.
    fn happens(&mut self, what: &str) {
        match what {
            "three tables order" => ["7", "8", "9"].iter().for_each(|order| self.place(order)),
            "tables 7 and 8 pay by card" => ["7", "8"].iter().for_each(|order| self.serve(order)),
            "the terminal is registered" => self.terminal.0.store(true, Ordering::Relaxed),
            other => panic!("`{other}` cannot be done"),
        }
    }

    fn place(&self, order: &str) {
        let place = PlaceOrder {
            order: OrderId::named(order),
            table: order.parse().unwrap(),
            dishes: vec!["cake".into()],
            pays_first: false,
        };
        self.runtime.block_on(async {
            self.app.send(place).by("waiter:ann").await.unwrap();
            self.app.settle().await;
        });
    }

    /// Everybody does what is asked of them about an order, until nothing is.
    fn serve(&self, order: &str) {
        let order = OrderId::named(order);
        self.runtime.block_on(async {
            for role in ["Cook", "Assistant manager", "Cashier"] {
                let inbox = self.app.inbox(role, 100).unwrap();
                let asked = inbox.into_iter().find(|a| a.key == order.to_string());
                if let Some(asked) = asked {
                    answer(&self.app, &asked, order).await;
                }
                self.app.settle().await;
            }
        });
    }

    /// Runs the calls of a block; how many there are.
    fn type_in(&self, block: &[&str]) -> usize {
        let mut calls = 0;
        let mut lines = block.iter().peekable();
        while let Some(line) = lines.next() {
            let words = line.strip_prefix("$ fait ");
            let words = words.unwrap_or_else(|| panic!("`{line}` is shown, but nothing was run"));
            let mut shown = vec![];
            while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
                shown.push(*line);
            }
            let words = split(words);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let out = at(&self.address, &words);
            self.runtime.block_on(self.app.settle());
            let printed: Vec<&str> = out.lines().filter(|l| !l.starts_with("-- ")).collect();
            assert!(fits(&printed, &shown), "`{line}` prints\n{out}");
            calls += 1;
        }
        calls
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _quiet = no_child_begins();
        drop(self.stop.take());
        let served = self.served.take().unwrap();
        let _ = self.runtime.block_on(served);
        self.runtime.block_on(self.app.stop());
    }
}

async fn answer(app: &App, asked: &Asked, order: OrderId) {
    let id = asked.open.issued.id;
    let done = match asked.open.issued.name.as_str() {
        "CookFood" => {
            let (ingredients, cooked_by) = (vec!["flour".into()], "Tom".into());
            let food = CookFood {
                order,
                ingredients,
                cooked_by,
            };
            app.send(food)
                .by("cook:tom")
                .answering(id)
                .await
                .map(drop)
                .map_err(|e| e.to_string())
        }
        "PriceOrder" => {
            let (subtotal, tax, total) = (Money(2000), Money(400), Money(2400));
            let price = PriceOrder {
                order,
                subtotal,
                tax,
                total,
            };
            app.send(price)
                .by("assistant:jane")
                .answering(id)
                .await
                .map(drop)
                .map_err(|e| e.to_string())
        }
        _ => {
            let payment = TakePayment { order };
            app.send(payment)
                .by("cashier:sue")
                .answering(id)
                .await
                .map(drop)
                .map_err(|e| e.to_string())
        }
    };
    done.unwrap();
}

/// The words of a command line; what is between double quotes is one.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = vec![];
    for (n, part) in line.split('"').enumerate() {
        match n % 2 {
            0 => words.extend(part.split_whitespace().map(String::from)),
            _ => words.push(part.into()),
        }
    }
    words
}

/// Whether what is printed is what is shown.
pub(crate) fn fits(printed: &[&str], shown: &[&str]) -> bool {
    match shown {
        [] => printed.is_empty(),
        ["…", rest @ ..] => (0..=printed.len()).any(|n| fits(&printed[n..], rest)),
        [first, rest @ ..] => {
            printed.first().is_some_and(|line| like(line, first)) && fits(&printed[1..], rest)
        }
    }
}

/// Whether a line is the one that is shown; `…` stands for anything in it.
fn like(line: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        None => line == shown,
        Some((begin, end)) => line.strip_prefix(begin).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| like(&rest[at..], end))
        }),
    }
}
