//! The guide to evolution as it stands: its code is from here and from the examples, and what the
//! program prints is what is shown. See `guide`.

use crate::called::{no_child_begins, told_in};
use crate::guide::{fits, split, stands_in};
use fait::app::{App, AppBuilder};
use fait::event::{Draft, EventSet, Origin, Time};
use fait::query::Query;
use fait::reexport::serde_json::{json, to_string};
use fait::store::{Append, Memory, Range, Store};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

const GUIDE: &str = include_str!("../../../../docs/guide/evolution.md");

/// The tea house in its first year.
mod before {
    use fait::app::AppBuilder;
    use fait::decision::{Context, Decide, Model};
    use fait::event::Never;
    use fait::{EventSet, command, entity_ids, event};

    entity_ids! { TableId(number) => "table" }

    /// A table ordered.
    #[event]
    pub(super) struct OrderPlaced {
        #[tag]
        table: TableId,
        dish: String,
    }

    /// The gong was rung.
    #[event]
    pub(super) struct GongRung {
        #[tag]
        table: TableId,
    }

    #[derive(EventSet, Debug, PartialEq)]
    pub(super) enum Ordered {
        Placed(OrderPlaced),
        Gong(GongRung),
    }

    #[derive(Default)]
    pub(super) struct Table;

    impl Model for Table {
        type Key = TableId;
        type Events = OrderPlaced;
        fn evolve(&mut self, _: OrderPlaced) {}
    }

    /// Place an order
    #[command(by = "Waiter")]
    pub(super) struct PlaceOrder {
        pub(super) table: TableId,
        pub(super) dish: String,
    }

    impl Decide for PlaceOrder {
        type Model = Table;
        type Emits = Ordered;
        type Refusal = Never;
        fn boundary(&self) -> TableId {
            self.table
        }
        fn decide(&self, _: &Table, _: &Context) -> Result<Vec<Ordered>, Never> {
            let PlaceOrder { table, dish } = self.clone();
            let gong = (dish == "duck").then_some(GongRung { table });
            let placed = OrderPlaced { table, dish };
            Ok(std::iter::once(placed.into())
                .chain(gong.map(Into::into))
                .collect())
        }
    }

    pub(super) fn wired(place: AppBuilder) -> AppBuilder {
        place.task::<PlaceOrder>()
    }
}

/// The next program.
mod next {
    use super::before::TableId;
    use fait::app::AppBuilder;
    use fait::decision::{Context, Decide, Model};
    use fait::reexport::serde_json::{Value, json};
    use fait::{Refusal, command, event};
    use std::collections::BTreeMap;

    /// A table ordered.
    #[event(version = 2, upcast = one_dish_to_many, was = "OrderPlaced")]
    pub(super) struct TableOrdered {
        #[tag]
        pub(super) table: TableId,
        pub(super) dishes: BTreeMap<String, u32>,
    }

    fn one_dish_to_many(_from: u32, mut old: Value) -> Result<Value, String> {
        let dish = old["dish"].as_str().ok_or("it has no dish")?.to_string();
        old["dishes"] = json!({ dish: 1 });
        Ok(old)
    }

    #[derive(Default)]
    pub(super) struct Table {
        dishes: u32,
    }

    impl Model for Table {
        type Key = TableId;
        type Events = TableOrdered;
        fn evolve(&mut self, e: TableOrdered) {
            self.dishes += e.dishes.values().sum::<u32>();
        }
    }

    #[derive(Clone, Debug, PartialEq, Refusal)]
    pub(super) enum No {
        #[refused("a table gets at most {0} dishes")]
        TooMuch(u32),
    }

    /// Place an order
    #[command(by = "Waiter")]
    pub(super) struct PlaceOrder {
        table: TableId,
        dish: String,
    }

    impl Decide for PlaceOrder {
        type Model = Table;
        type Emits = TableOrdered;
        type Refusal = No;
        fn boundary(&self) -> TableId {
            self.table
        }
        fn decide(&self, table: &Table, _: &Context) -> Result<Vec<TableOrdered>, No> {
            if table.dishes >= 2 {
                return Err(No::TooMuch(2));
            }
            let dishes = [(self.dish.clone(), 1)].into();
            let table = self.table;
            Ok(vec![TableOrdered { table, dishes }])
        }
    }

    pub(super) fn wired(place: AppBuilder) -> AppBuilder {
        place
            .task::<PlaceOrder>()
            .retired("GongRung", "the neighbours complained")
    }

    pub(super) fn forgetful(place: AppBuilder) -> AppBuilder {
        place.task::<PlaceOrder>()
    }
}

#[test]
fn every_event_that_was_ever_written_can_be_read() {
    let dishes = [("tea".to_string(), 2)].into();
    let table = 4.into();
    fait::test::fixtures("tests/events")
        .example(next::TableOrdered { table, dishes })
        .keep(&next::wired(App::in_memory()));
}

#[test]
fn the_guide_to_evolution_works_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    year(&folder.path().join("data"));
    let (mut excerpts, mut calls) = (0, 0);
    let mut lines = GUIDE.lines();
    while let Some(line) = lines.next() {
        if let Some(what) = line.strip_prefix("<!-- ") {
            happens(&folder, what.trim_end_matches(" -->"));
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match info.split_once(",from=") {
            Some((_, file)) => excerpts += stands_in(&block, file),
            None if info == "console" => {
                called(folder.path(), &block);
                calls += 1;
            }
            None if info == "text" => assert_eq!(block, [misread()]),
            None => panic!("nobody would know what to do with a block of `{info}`"),
        }
    }
    assert!(
        excerpts > 3 && calls > 1,
        "{excerpts} excerpts, {calls} calls"
    );
}

/// What is said of an event without its table.
fn misread() -> String {
    let draft = Draft {
        ty: "TableOrdered".into(),
        version: 1,
        tags: vec![],
        data: json!({ "dish": "tea" }).to_string().into(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = Memory::default();
    let id = |n: u128| fait::reexport::uuid::Uuid::from_u128(n);
    let events = (1..=7).map(|n| draft.clone().with(id(n), Origin::default()));
    let append = Append {
        events: events.collect(),
        conditions: vec![],
        command: None,
        recorded_at: Time(0),
    };
    runtime.block_on(store.append(append)).unwrap();
    let all = Query::all();
    let last = store.read(&all, Range::newest(1));
    let last = runtime.block_on(last).unwrap().events.remove(0);
    next::TableOrdered::decode(&last).unwrap_err().to_string()
}

/// What was ordered in the first year.
fn year(data: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let app = runtime.block_on(async {
        let app = before::wired(App::in_folder(data)).build().unwrap();
        for (table, dish) in [(3, "tea"), (4, "duck"), (3, "cake"), (3, "tea")] {
            let (table, dish) = (table.into(), dish.into());
            app.send(before::PlaceOrder { table, dish }).await.unwrap();
        }
        app
    });
    let _quiet = no_child_begins();
    runtime.block_on(app.stop());
}

/// The next program, as a file that answers with what it really finds.
fn happens(folder: &TempDir, what: &str) {
    let wired: fn(AppBuilder) -> AppBuilder = match what {
        "the next program has nothing for the gong" => next::forgetful,
        "the gong is retired" => next::wired,
        other => panic!("`{other}` cannot be done"),
    };
    let data = folder.path().join("data");
    let report = wired(App::in_memory())
        .check_history(&data, &mut |_| {})
        .unwrap();
    let report = to_string(&report).unwrap();
    let _quiet = no_child_begins();
    fs::write(folder.path().join("report.json"), report).unwrap();
    let file = folder.path().join("next");
    let text = "#!/bin/sh\n[ \"$*\" = \"--history ./data --json\" ] || exit 70\n\
                cat report.json\ngrep -q '\"counts\":{}' report.json\n";
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

fn called(folder: &Path, block: &[&str]) {
    let (line, shown) = block.split_first().unwrap();
    let words = line.strip_prefix("$ fait ").unwrap();
    let words = split(words);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let out = told_in(folder, &words);
    let printed: Vec<&str> = out.lines().filter(|l| !l.starts_with("-- ")).collect();
    assert!(fits(&printed, shown), "`{line}` prints\n{out}");
}
