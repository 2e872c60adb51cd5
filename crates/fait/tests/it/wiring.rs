//! Mistakes in the wiring and in the folder are said before anything runs.

use crate::kitchen::*;
use fait::Clock;
use fait::app::App;

#[tokio::test]
async fn wiring_mistakes_say_what_to_do() {
    let twice = App::in_memory()
        .task::<AcceptOrder>()
        .task::<AcceptOrder>()
        .build();
    assert_eq!(
        twice.unwrap_err().to_string(),
        "task `AcceptOrder` is wired twice"
    );
    let missing = App::in_memory().process::<Handover>().build();
    assert_eq!(
        missing.unwrap_err().to_string(),
        "process `handover` sends `CancelOrder`, which is not wired: \
         add `.task::<CancelOrder>()` or `.tells::<CancelOrder>()`"
    );
    let unreached = App::in_memory()
        .tells::<crate::post::Post>()
        .task::<crate::post::Stamp>()
        .process::<crate::post::Posting>()
        .build();
    assert_eq!(
        unreached.unwrap_err().to_string(),
        "process `posting` sends `Post` to `Post`, which nothing reaches: \
         add `.system(\"Post\", …)`"
    );
}

/// Wave
#[fait::command(sees = "beach")]
struct Wave {}

/// Greet
#[fait::command(about = "Greet {nobody}")]
struct Greet {}

/// Shout
#[fait::command(undone_by = "Whisper")]
struct Shout {}

#[tokio::test]
async fn what_a_page_names_must_be_there() {
    let told = |app: fait::app::AppBuilder| app.build().unwrap_err().to_string();
    assert_eq!(
        told(App::in_memory().tells::<Wave>()),
        "`Wave` has no decision and is told to no system"
    );
    let wave = |mut def: fait::decision::CommandDef| {
        def.page.to = Some("Somebody".into());
        App::in_memory().command(def)
    };
    let def = fait::decision::CommandDef::told::<Wave>();
    assert_eq!(
        told(wave(def)),
        "`Wave` sees view `beach`, which is not wired"
    );
    let def = fait::decision::CommandDef::told::<Greet>();
    assert_eq!(
        told(wave(def)),
        "`Greet` is about `{nobody}`, which neither its fields nor its view have"
    );
    let def = fait::decision::CommandDef::told::<Shout>();
    assert_eq!(
        told(wave(def)),
        "`Shout` is undone by `Whisper`, which is not wired"
    );
}

#[test]
fn without_a_runtime_it_says_so() {
    let e = App::in_memory().build().unwrap_err();
    assert_eq!(
        e.to_string(),
        "a system runs on tokio: build it inside a tokio runtime"
    );
}

#[tokio::test]
async fn a_folder_that_is_held_is_refused_and_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let app = wired(App::in_folder(folder.path())).build().unwrap();
    app.send(soup(1)).await.unwrap();
    let e = wired(App::in_folder(folder.path()))
        .build()
        .unwrap_err()
        .to_string();
    assert!(e.contains("in use"), "{e}");
    app.send(soup(1)).await.unwrap();
    app.stop().await;
    drop(app);
    let app = wired(App::in_folder(folder.path())).build().unwrap();
    // Where processes begin, once, and two preparations.
    assert_eq!(app.head().await.unwrap(), 3);
    app.stop().await;
}

#[tokio::test]
async fn views_of_another_store_are_made_anew() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (folder, n) in [(&one, 3), (&two, 1)] {
        let app = wired(App::in_folder(folder.path())).build().unwrap();
        app.send(soup(9)).await.unwrap();
        for i in 0..n {
            app.send(place(&format!("o{i}"), i, "soup", 1))
                .await
                .unwrap();
        }
        app.settle().await;
        app.stop().await;
    }
    std::fs::copy(one.path().join("views.db"), two.path().join("views.db")).unwrap();
    for more in ["views.db-wal", "views.db-shm"] {
        let _ = std::fs::remove_file(two.path().join(more));
    }
    let app = wired(App::in_folder(two.path())).build().unwrap();
    app.settle().await;
    assert_eq!(app.view_status("open-orders").await.unwrap().rows, 1);
    app.stop().await;
}

#[tokio::test]
async fn the_manifest_is_sorted_and_says_everything_once() {
    let app = wired(App::in_memory().clock(Clock::by_hand()))
        .build()
        .unwrap();
    let m = app.manifest();
    assert_eq!(m.events.len(), 5);
    assert_eq!(m.roles["Waiter"], ["CancelOrder", "PlaceOrder"]);
    assert_eq!(m.processes["handover"].sends, ["CancelOrder"]);
    assert!(app.graph().is_sorted());
}

#[tokio::test]
async fn views_must_be_of_use_in_sql() {
    use fait::projection::ProjectionDef;
    let named = |name: &str| ProjectionDef {
        name: name.into(),
        ..ProjectionDef::of::<OpenOrders>()
    };
    let told = |defs: Vec<ProjectionDef>| {
        let app = defs
            .into_iter()
            .fold(App::in_memory(), |app, def| app.view(def));
        app.build().err().map(|e| e.to_string())
    };
    assert_eq!(told(vec![named("a1-b"), named("a1-bc")]), None);
    let letters = "its name must be lower-case letters, digits and `-`, with a letter first, such \
                   as `open-orders`";
    let taken = "its name begins with a word that belongs to `fait` or SQLite; choose another";
    let dashes = "its name has a `-` with no letter or digit behind it";
    let names = [
        ("a_b", letters),
        ("Orders", letters),
        ("1st", letters),
        ("bücher", letters),
        ("", letters),
        ("fait-views", taken),
        ("sqlite-orders", taken),
        ("orders--1", dashes),
        ("orders-", dashes),
    ];
    for (name, why) in names {
        let wrong = told(vec![named(name)]);
        assert_eq!(wrong, Some(format!("view `{name}`: {why}")));
    }
    let mut takings = ProjectionDef::of::<OpenOrders>();
    takings.name = "hours".into();
    let both = App::in_memory()
        .view(takings)
        .sql_projection::<crate::own_sql::Takings>();
    assert_eq!(
        both.build().unwrap_err().to_string(),
        "views `hours` and `takings` are both `hours` in SQL"
    );
    let index = |column: &str| ProjectionDef {
        indexes: vec![vec!["key".into()], vec!["open".into(), column.into()]],
        ..named("orders")
    };
    assert_eq!(told(vec![index("position")]), None);
    assert_eq!(
        told(vec![index("opne")]).unwrap(),
        "view `orders`: it has an index of `opne`, which is no column of it; did you mean `open`? \
         There is open, key, position"
    );
    let mut twice = named("orders");
    twice.row["properties"]["Open"] = fait::reexport::serde_json::json!({"type": "integer"});
    assert_eq!(
        told(vec![twice]).unwrap(),
        "view `orders`: its fields `Open` and `open` are one column in SQL; name one of them \
         otherwise"
    );
}
