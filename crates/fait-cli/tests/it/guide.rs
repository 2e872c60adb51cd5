//! The guides to processes and to feeds as they stand. A block of Rust or of a board says where it
//! is from, and each piece of it, between lines of `…`, stands there word for word; how far it is
//! indented does not matter. In a block of commands each `$ fait …` line is run, in the order of
//! the document, on a restaurant whose card terminal is out of order; what it prints is what is
//! shown below it, line by line, where `…` stands for anything in a line, and alone on a line for
//! any lines. Between two blocks, what the guide says in `<!-- … -->` happens. A block of HTTP
//! begins with a request, and shows the lines that answer it.

use crate::called::{at, no_child_begins};
use crate::menu;
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::event::Money;
use fait::store::BoxFuture;
use fait::{Clock, app::Asked};
use fait_web::Site;
use restaurant::events::OrderId;
use restaurant::orders::{CookFood, PlaceOrder};
use restaurant::till::{PriceOrder, TakePayment};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const PROCESSES: &str = include_str!("../../../../docs/guide/processes.md");
const FEEDS: &str = include_str!("../../../../docs/guide/feeds.md");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn the_guide_to_processes_works_as_it_stands() {
    let (excerpts, calls) = works(PROCESSES);
    assert!(
        excerpts > 5 && calls > 5,
        "{excerpts} excerpts, {calls} calls"
    );
}

#[test]
fn the_guide_to_feeds_works_as_it_stands() {
    let (excerpts, calls) = works(FEEDS);
    assert!(
        excerpts > 4 && calls > 3,
        "{excerpts} excerpts, {calls} calls"
    );
}

/// Goes through a guide; how many excerpts and calls there are.
fn works(guide: &str) -> (usize, usize) {
    let mut house = House::open();
    let (mut excerpts, mut calls) = (0, 0);
    let mut lines = guide.lines();
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
            None if info == "http" => calls += house.ask(&block),
            None => panic!("nobody would know what to do with a block of `{info}`"),
        }
    }
    (excerpts, calls)
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
    baker: Option<JoinHandle<()>>,
    cakes: Arc<AtomicUsize>,
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
            baker: None,
            cakes: Arc::default(),
        }
    }

    /// What the guide says that happens.
    fn happens(&mut self, what: &str) {
        match what {
            "three tables order" => ["7", "8", "9"].iter().for_each(|order| self.place(order)),
            "tables 7 and 8 pay by card" => ["7", "8"].iter().for_each(|order| self.serve(order)),
            "the terminal is registered" => self.terminal.0.store(true, Ordering::Relaxed),
            "the baker is told" => self.tell_the_baker(),
            "the baker goes home" => self.dismiss_the_baker(),
            "dishes are counted, and counted again" => self.count_dishes(),
            other => panic!("`{other}` cannot be done"),
        }
    }

    fn tell_the_baker(&mut self) {
        let (app, cakes) = (self.app.clone(), self.cakes.clone());
        self.baker = Some(self.runtime.spawn(async move {
            let bake = |_: &str| cakes.store(1 + cakes.load(Ordering::Relaxed), Ordering::Relaxed);
            menu::tell_the_baker(&app, bake).await.unwrap();
        }));
        self.runtime.block_on(async {
            let told = async || {
                let feeds = self.app.feeds().await.unwrap();
                feeds.iter().any(|f| f.name == "baker" && f.lag_events == 0)
            };
            while !told().await {
                tokio::task::yield_now().await;
            }
        });
        assert_eq!(self.cakes.load(Ordering::Relaxed), 3);
    }

    fn dismiss_the_baker(&mut self) {
        if let Some(baker) = self.baker.take() {
            baker.abort();
            assert!(self.runtime.block_on(baker).unwrap_err().is_cancelled());
        }
    }

    fn count_dishes(&self) {
        let mut db = rusqlite::Connection::open_in_memory().unwrap();
        for _ in 0..2 {
            let counted = self.runtime.block_on(menu::count(&self.app, &mut db));
            counted.unwrap_or_else(|e| panic!("dishes should be counted, but: {e}"));
        }
        let sql = "SELECT ordered FROM dishes WHERE dish = 'cake'";
        let cakes: u32 = db.query_row(sql, [], |r| r.get(0)).unwrap();
        assert_eq!(cakes, 3);
    }

    /// Sends the request of a block, and looks at the first lines of the answer; how many there
    /// are.
    fn ask(&self, block: &[&str]) -> usize {
        let path = block[0].strip_prefix("GET ").unwrap();
        let shown = &block[1..];
        let answer = ureq::get(format!("{}{path}", self.address)).call().unwrap();
        let lines = BufReader::new(answer.into_body().into_reader()).lines();
        let lines: Vec<String> = lines.take(shown.len()).map(Result::unwrap).collect();
        let told: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert!(
            fits(&told, shown),
            "`{path}` is answered\n{}",
            told.join("\n")
        );
        1
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
        self.dismiss_the_baker();
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
