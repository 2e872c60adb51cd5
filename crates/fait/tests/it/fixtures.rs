//! Fixtures of every version that was ever written, and event types that nobody needs any more.

use fait::app::{App, AppBuilder};
use fait::reexport::serde_json::{Value, json};
use fait::test::fixtures;
use fait::{data, event};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

mod first {
    use super::*;
    #[event(name = "BillPaid")]
    pub(super) struct BillPaid {
        pub(super) table: u32,
        pub(super) cents: u32,
    }
    #[event]
    pub(super) struct DishTasted {
        pub(super) dish: String,
    }
}

mod second {
    use super::*;
    #[data]
    pub(super) enum Method {
        Cash,
        Card,
    }
    #[event(name = "BillPaid", version = 2, upcast = with_method, was = "Paid")]
    pub(super) struct BillPaid {
        pub(super) table: u32,
        pub(super) cents: u32,
        pub(super) method: Method,
    }
    fn with_method(_: u32, mut old: Value) -> Result<Value, String> {
        old["method"] = json!("Cash");
        Ok(old)
    }
}

/// Version 2 once more, with a field that nobody raised the version for.
mod careless {
    use super::*;
    #[event(name = "BillPaid", version = 2, upcast = as_it_is, was = "Paid")]
    pub(super) struct BillPaid {
        pub(super) table: u32,
        pub(super) cents: u32,
        pub(super) method: Option<String>,
        pub(super) tip: Option<u32>,
    }
    fn as_it_is(_: u32, old: Value) -> Result<Value, String> {
        Ok(old)
    }
}

fn till(wire: impl FnOnce(AppBuilder) -> AppBuilder) -> AppBuilder {
    wire(App::in_memory())
}

fn write(folder: &Path, file: &str, data: &Value) {
    fs::write(folder.join(file), data.to_string()).unwrap();
}

fn wrong(folder: &TempDir, system: &AppBuilder) -> Vec<String> {
    fixtures(folder.path()).writing(true).problems(system)
}

fn begins(problem: &str, with: &str) {
    assert!(problem.starts_with(with), "{problem}\nwanted: {with}");
}

#[test]
fn what_is_written_today_is_written_down_once() {
    let folder = tempfile::tempdir().unwrap();
    let system = till(|app| {
        app.receives::<first::BillPaid>("till")
            .receives::<first::DishTasted>("guest")
    });
    let none = fixtures(folder.path()).writing(false).problems(&system);
    assert_eq!(none.len(), 2);
    begins(
        &none[0],
        "BillPaid.v1.json: missing; run this test where CI",
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

    let example = first::DishTasted {
        dish: "soup".into(),
    };
    let kit = fixtures(folder.path()).writing(true).example(example);
    let written = kit.problems(&system);
    assert_eq!(
        written,
        [
            "BillPaid.v1.json: written now, with sample words: look at it, and commit it",
            "DishTasted.v1.json: written now, from its example: look at it, and commit it",
        ]
    );
    let dish = fs::read_to_string(folder.path().join("DishTasted.v1.json")).unwrap();
    assert_eq!(dish, "{\n  \"dish\": \"soup\"\n}\n");
    kit.keep(&system);
}

#[test]
fn every_version_and_every_older_name_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let now = till(|app| app.receives::<second::BillPaid>("till"));
    let problems = wrong(&folder, &now);
    assert_eq!(problems.len(), 2, "{problems:#?}");
    begins(
        &problems[0],
        "BillPaid was `Paid` once. Paid.v1.json: missing; write",
    );
    begins(&problems[1], "BillPaid.v2.json: written now");
    write(
        place,
        "Paid.v2.json",
        &json!({"table": 3, "cents": 250, "method": "Card"}),
    );
    let problems = wrong(&folder, &now);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    begins(&problems[0], "BillPaid.v1.json: missing; write into it");
    write(
        place,
        "BillPaid.v1.json",
        &json!({"table": 3, "cents": 250}),
    );
    write(place, "Paid.v1.json", &json!({"table": 3, "cents": 250}));
    write(
        place,
        "BillPaid.v2.card.json",
        &json!({"table": 3, "cents": 250, "method": "Card"}),
    );
    fixtures(place).keep(&now);
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path();
    let v2 = json!({"table": 3, "cents": 250, "method": "Cash"});
    write(place, "BillPaid.v1.json", &json!({"table": 3}));
    write(place, "BillPaid.v2.json", &v2);
    write(
        place,
        "BillPaid.v2.no.json",
        &json!({"table": 3, "method": "Cash"}),
    );
    write(place, "BillPaid.v3.json", &v2);
    write(place, "Paid.v1.json", &json!({"table": 3, "cents": 250}));
    write(place, "DishTasted.v1.json", &json!({"dish": "soup"}));
    write(place, "notes.json", &json!({}));
    let problems = wrong(
        &folder,
        &till(|app| app.receives::<careless::BillPaid>("till")),
    );
    let expected = [
        "notes.json: the name of a fixture is TYPE.vVERSION.json",
        "BillPaid.v1.json: after upcasting from version 1 to 2, field `cents` is missing. Events \
         like this are recorded: mend the `upcast` of `BillPaid`",
        "BillPaid.v2.json: it is written otherwise now. The shape of version 2 has changed: raise \
         the version of `BillPaid` to 3",
        "BillPaid.v2.no.json: field `cents` is missing. The shape of version 2 has changed: raise",
        "BillPaid.v3.json: it is newer than this program, which knows version 2",
        "DishTasted.v1.json: nothing reads `DishTasted`. If it was renamed, say `was =",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problem, with) in problems.iter().zip(expected) {
        begins(problem, with);
    }
    let (kept, now) = (r#"kept: {"cents":250,"#, r#"now:  {"cents":250,"#);
    assert!(problems[2].contains(kept) && problems[2].contains(now));
    assert!(problems[2].contains(r#""tip":null"#));

    let told = std::panic::catch_unwind(|| {
        fixtures(place).keep(&till(|app| app.receives::<careless::BillPaid>("till")));
    });
    let told = told.unwrap_err().downcast::<String>().unwrap();
    begins(&told, "6 things are wrong with those of the events in ");
}

#[test]
fn what_is_retired_keeps_its_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "DishTasted.v1.json",
        &json!({"dish": "soup"}),
    );
    let system = till(|app| app.retired("DishTasted", "the kitchen tastes no more"));
    assert_eq!(wrong(&folder, &system), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_retired_is_in_the_manifest_and_used_by_nothing() {
    let app = till(|app| app.retired("Paid", "bills are settled"))
        .build()
        .unwrap();
    assert_eq!(app.manifest().retired["Paid"], "bills are settled");
    let refused = |app: AppBuilder| app.build().unwrap_err().to_string();
    let received = till(|app| {
        app.receives::<second::BillPaid>("till")
            .retired("Paid", "renamed")
    });
    assert_eq!(
        refused(received),
        "event `Paid` is retired, and it is received from `till`: take the one or the other away"
    );
    use crate::kitchen::{AcceptOrder, OpenOrders};
    let told = |app: AppBuilder| refused(app).split(": take").next().unwrap().to_string();
    assert_eq!(
        told(till(|app| app
            .task::<AcceptOrder>()
            .retired("OrderAccepted", "so"))),
        "event `OrderAccepted` is retired, and task `AcceptOrder` emits it"
    );
    assert_eq!(
        told(till(|app| app
            .projection::<OpenOrders>()
            .retired("OrderPlaced", "so"))),
        "event `OrderPlaced` is retired, and view `open-orders` reads it"
    );
    assert_eq!(
        told(till(|app| app.retired("Paid", " "))),
        "event `Paid` is retired without a reason: say in a few words why nobody needs it"
    );
    assert_eq!(
        told(till(|app| app.retired("Paid", "a").retired("Paid", "b"))),
        "retired event `Paid` is wired twice"
    );
}
