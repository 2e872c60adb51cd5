//! What the guide to views says of SQL: each block of SQL is run, on a second connection while the
//! restaurant runs, and gives what is shown below it, where `…` stands for anything in a line.

use crate::called::{no_child_begins, within};
use fait::Clock;
use fait::app::{App, System, TellError, Told, Uncertain};
use fait::reexport::serde_json;
use fait::store::BoxFuture;
use restaurant::events::OrderId;
use restaurant::orders::{KitchenBoard, PlaceOrder};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

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

fn fits(line: &str, shown: &str) -> bool {
    match shown.split_once('…') {
        None => line == shown,
        Some((before, after)) => line.starts_with(before) && line.ends_with(after),
    }
}

#[test]
fn the_guide_to_views_in_sql_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(opened(folder.path()));
    let file = folder.path().join("views.db");
    let c = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let (mut lines, mut ran, mut given) = (GUIDE.lines(), 0, None);
    while let Some(line) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
        match info {
            "sql" => given = Some(answer(&c, &block.join("\n"))),
            "text" => {
                let given: Vec<String> = given.take().expect("an answer stands below a question");
                let fit = given.len() == block.len()
                    && given
                        .iter()
                        .zip(&block)
                        .all(|(line, shown)| fits(line, shown));
                assert!(fit, "it gives\n{}", given.join("\n"));
                ran += 1;
            }
            _ => {}
        }
    }
    assert!(ran >= 3, "{ran} were run");
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
