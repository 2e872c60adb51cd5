//! A folder with a short history: two orders, one served, one parked.

use fait::event::{Draft, NewEvent, Origin, Tag, Time, minutes};
use fait::process::{
    Claimed, Deadline, Fact, InputRef, Issued, Outcome, Parked, Settled, Step, Target,
};
use fait::store::contract::block_on;
use fait::store::{Append, Store};
use fait_store::Disk;
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;
use uuid::Uuid;

/// Monday, 18:05.
const BEGIN: Time = Time(1_795_457_100_000);

/// A folder with a history.
pub(crate) struct History {
    pub(crate) path: PathBuf,
    /// Whoever holds it holds the folder.
    pub(crate) log: Option<Disk>,
    _folder: TempDir,
}

/// The id of the event at a position.
pub(crate) fn id(position: u64) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 | u128::from(position))
}

/// The folder, held until `log` is dropped.
pub(crate) fn history() -> History {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data");
    let history = History {
        log: Some(Disk::open(&path).unwrap()),
        path,
        _folder: folder,
    };
    history.served();
    history.parked();
    history
}

impl History {
    fn served(&self) {
        let table = Tag::raw("table:4");
        let placed = draft(
            "OrderPlaced",
            json!({"order": "o1", "table": 4, "dish": "soup"}),
        );
        let placed = Draft {
            tags: vec![Tag::raw("order:o1"), table],
            ..placed
        };
        self.append(0, placed, "guest:ann", (1, None));
        let step = Step {
            set: vec![kitchen()],
            ..step("o1", 1)
        };
        let cook = Issued {
            due: Some(BEGIN + minutes(27)),
            ..issued("CookFood", 1)
        };
        let step = Step {
            issued: vec![cook.clone()],
            ..step
        };
        self.fact(
            0,
            Fact::Stepped(step),
            "process:serve-then-bill",
            (1, Some(1)),
        );
        let claimed = Claimed {
            process: "serve-then-bill".into(),
            key: "o1".into(),
            command: cook.id,
            by: "cook:joe".into(),
            until: BEGIN + minutes(15),
        };
        self.fact(5, Fact::Claimed(claimed), "cook:joe", (1, Some(2)));
        let cooked = draft("FoodCooked", json!({"order": "o1"}));
        self.append(15, cooked, "cook:joe", (1, Some(2)));
        let settled = Settled {
            process: "serve-then-bill".into(),
            key: "o1".into(),
            command: cook.id,
            name: "CookFood".into(),
            body: Value::Null,
            outcome: Outcome::Accepted,
        };
        self.fact(15, Fact::Settled(settled), "cook:joe", (1, Some(2)));
        let ended = Step {
            cancelled: vec![kitchen().name],
            ended: true,
            ..step_at("o1", 4, "FoodCooked")
        };
        self.fact(
            16,
            Fact::Stepped(ended),
            "process:serve-then-bill",
            (1, Some(4)),
        );
    }

    fn parked(&self) {
        let placed = draft(
            "OrderPlaced",
            json!({"order": "o2", "table": 5, "dish": "stew"}),
        );
        self.append(20, placed, "guest:bob", (7, None));
        let issued = vec![issued("CookFood", 2)];
        let step = Step {
            issued,
            set: vec![kitchen()],
            ..step("o2", 7)
        };
        self.fact(
            20,
            Fact::Stepped(step),
            "process:serve-then-bill",
            (7, Some(7)),
        );
        let cooked = draft("FoodCooked", json!({"order": "o2"}));
        self.append(24 * 60, cooked, "cook:joe", (7, Some(8)));
        let parked = Parked {
            process: "serve-then-bill".into(),
            key: "o2".into(),
            input: input(9, "FoodCooked"),
            reason: "the program panicked: no price for stew".into(),
        };
        self.fact(
            24 * 60,
            Fact::Parked(parked),
            "process:serve-then-bill",
            (7, Some(9)),
        );
    }

    fn fact(&self, after: u64, fact: Fact, actor: &str, cause: (u64, Option<u64>)) {
        let order = Tag::new("order", fact.instance().1);
        self.append(after, fact.draft(&[order]), actor, cause);
    }

    fn append(&self, after: u64, mut draft: Draft, actor: &str, cause: (u64, Option<u64>)) {
        let log = self.log.as_ref().unwrap();
        let position = block_on(log.head()).unwrap() + 1;
        if draft.tags.is_empty() {
            let data: Value = serde_json::from_slice(&draft.data).unwrap();
            draft
                .tags
                .push(Tag::new("order", data["order"].as_str().unwrap()));
        }
        let origin = Origin {
            actor: Some(actor.into()),
            correlation: id(cause.0),
            causation: cause.1.map(id),
            ..Origin::default()
        };
        let event: NewEvent = draft.with(id(position), origin);
        let append = Append {
            events: vec![event],
            conditions: vec![],
            command: None,
            recorded_at: BEGIN + minutes(after),
        };
        block_on(log.append(append)).unwrap();
    }

    /// The views that a program would have left here.
    pub(crate) fn with_views(self) -> Self {
        let db = rusqlite::Connection::open(self.path.join("views.db")).unwrap();
        db.execute_batch(
            "CREATE TABLE fait_views (name TEXT PRIMARY KEY, version INTEGER NOT NULL,
               shape TEXT NOT NULL, tbl TEXT NOT NULL, position INTEGER NOT NULL,
               events INTEGER NOT NULL, rebuild INTEGER NOT NULL DEFAULT 0);
             CREATE TABLE fait_parked_keys (view TEXT NOT NULL, key TEXT NOT NULL,
               position INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (view, key));
             CREATE TABLE table_plan (key TEXT PRIMARY KEY);
             INSERT INTO table_plan VALUES ('4'), ('5');
             INSERT INTO fait_views VALUES ('table-plan', 2, 's', 'table_plan', 8, 8, 0);
             INSERT INTO fait_parked_keys VALUES ('table-plan', '5', 8, 'no such dish');",
        )
        .unwrap();
        self
    }

    /// Nobody holds the folder any more.
    pub(crate) fn closed(mut self) -> Self {
        self.log = None;
        self
    }
}

fn draft(ty: &str, data: Value) -> Draft {
    Draft {
        ty: ty.into(),
        version: 1,
        tags: vec![],
        data: data.to_string().into(),
    }
}

fn input(position: u64, ty: &str) -> InputRef {
    InputRef::Event {
        id: id(position),
        position,
        ty: ty.into(),
    }
}

fn step(key: &str, position: u64) -> Step {
    step_at(key, position, "OrderPlaced")
}

fn step_at(key: &str, position: u64, ty: &str) -> Step {
    Step {
        process: "serve-then-bill".into(),
        key: key.into(),
        version: 1,
        input: input(position, ty),
        state: json!("Cooking"),
        issued: vec![],
        withdrawn: vec![],
        set: vec![],
        cancelled: vec![],
        ended: false,
        until_settled: false,
        late: false,
    }
}

fn issued(name: &str, number: u64) -> Issued {
    Issued {
        id: id(1000 + number),
        name: name.into(),
        body: json!({}),
        to: Target::Role("Cook".into()),
        due: None,
        tries: 1,
    }
}

fn kitchen() -> Deadline {
    Deadline {
        name: "\"Kitchen\"".into(),
        generation: 1,
        due: BEGIN + minutes(30),
    }
}
