//! The guide to views as it stands: each block of SQL is run, on a second connection while the
//! restaurant runs, and gives what is shown below it; each call prints what is shown, and code
//! stands in its file.

use crate::called::{at, no_child_begins, within};
use crate::guide::{fits, stands_in};
use fait::Clock;
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::reexport::serde_json;
use fait::store::BoxFuture;
use fait_web::Site;
use restaurant::events::OrderId;
use restaurant::orders::{KitchenBoard, PlaceOrder};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use tokio::sync::oneshot;

const GUIDE: &str = include_str!("../../../../docs/guide/views.md");

struct Works;

impl System for Works {
    fn tell(&self, _: Told, _: App) -> BoxFuture<'_, Result<(), TellError>> {
        Box::pin(async { Ok(()) })
    }

    fn on_uncertain(&self) -> Uncertain {
        Uncertain::Retry
    }
}

async fn opened(folder: &Path) -> App {
    let place = App::in_folder(folder).clock(Clock::by_hand());
    let app = restaurant::wired(place, Works).build().unwrap();
    let orders: [(&str, u32, &[&str]); 3] = [
        ("7", 1, &["cake"]),
        ("8", 2, &["soup", "cake"]),
        ("9", 3, &["cake"]),
    ];
    for (order, table, dishes) in orders {
        let place = PlaceOrder {
            order: OrderId::named(order),
            table,
            dishes: dishes.iter().map(|d| d.to_string()).collect(),
            pays_first: false,
        };
        app.send(place).by("waiter:ann").await.unwrap();
    }
    app.settle().await;
    app
}

/// As the shell of SQLite writes it.
fn answer(c: &Connection, sql: &str) -> Vec<String> {
    let mut asked = c.prepare(sql).unwrap();
    let many = asked.column_count();
    let line = |r: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
        let cells = (0..many).map(|n| {
            Ok(match r.get(n)? {
                Value::Null => String::new(),
                Value::Integer(n) => n.to_string(),
                Value::Real(n) => n.to_string(),
                Value::Text(text) => text,
                Value::Blob(_) => "a blob".into(),
            })
        });
        Ok(cells.collect::<rusqlite::Result<Vec<_>>>()?.join("|"))
    };
    let lines = asked.query_map([], line).unwrap();
    lines.map(Result::unwrap).collect()
}

/// Serves the restaurant until the sender is dropped.
async fn served(app: &App) -> (String, oneshot::Sender<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::new(app.clone()).board(restaurant::BOARD);
    tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        site.serve(listener, stopped).await.unwrap();
    });
    (address, stop)
}

/// Runs the calls of a block, and looks at what they print; how many there are.
fn called(address: &str, block: &[&str]) -> usize {
    let starts: Vec<usize> = (0..block.len())
        .filter(|n| block[*n].starts_with("$ "))
        .collect();
    for (n, start) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(block.len());
        let words: Vec<&str> = block[*start]["$ fait ".len()..].split(' ').collect();
        let out = at(address, &words);
        let printed: Vec<&str> = out.lines().collect();
        assert!(
            fits(&printed, &block[start + 1..end]),
            "`{}` prints\n{out}",
            block[*start]
        );
    }
    starts.len()
}

#[test]
fn the_guide_to_views_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(opened(folder.path()));
    let (address, stop) = runtime.block_on(served(&app));
    let file = folder.path().join("views.db");
    let c = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let (mut lines, mut ran, mut given) = (GUIDE.lines(), 0, None);
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
        match info.split_once(",from=") {
            Some((_, from)) => ran += stands_in(&block, from),
            None if info == "sql" => given = Some(answer(&c, &block.join("\n"))),
            None if info == "sql,by hand" => {
                let by_hand = Connection::open(&file).unwrap();
                assert_eq!(by_hand.execute(&block.join("\n"), []), Ok(1));
            }
            None if info == "console" => ran += called(&address, &block),
            None if info == "text" => {
                let given: Vec<String> = given.take().expect("an answer stands below a question");
                let given: Vec<&str> = given.iter().map(String::as_str).collect();
                assert!(fits(&given, &block), "it gives\n{}", given.join("\n"));
                ran += 1;
            }
            None => assert_eq!(info, "rust", "nobody would know what to do with it"),
        }
    }
    assert!(ran >= 9, "{ran} were run");
    drop(stop);
    let later = runtime.block_on(async {
        let view = app.view::<KitchenBoard>().filter("table.gt", 1);
        view.sort("-position").limit(50).rows().await.unwrap()
    });
    let keys: Vec<String> = later.rows.into_iter().map(|r| r.key).collect();
    {
        let _quiet = no_child_begins();
        runtime.block_on(app.stop());
        drop((app, c));
    }
    let words = ["view", "rows", "kitchen-board", "--filter", "table.gt=1"];
    let words = [&words[..], &["--sort=-position", "--limit", "50", "--json"]].concat();
    let told = within(folder.path(), &words);
    let json = told.lines().filter(|l| !l.starts_with("-- "));
    let rows: serde_json::Value =
        serde_json::from_str(&json.collect::<Vec<_>>().join("\n")).unwrap();
    let told = rows["rows"].as_array().unwrap().iter();
    assert_eq!(
        told.map(|r| r["key"].as_str().unwrap()).collect::<Vec<_>>(),
        keys
    );
}
