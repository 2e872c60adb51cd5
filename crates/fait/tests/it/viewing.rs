//! Views: rows in SQL, one bad event parks one key, versions rebuild.

use crate::kitchen::*;
use fait::app::{App, Rows, RowsQuery, ViewAction};
use fait::event::{Event, NewEvent, Origin, Tag, Time};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Erase, Keep, Memory, Store};
use std::sync::Arc;

fn raw(id: u128, ty: &str, tags: &[&str], data: &str) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id),
        ty: ty.into(),
        version: 2,
        tags: tags.iter().map(|t| Tag::raw(*t)).collect(),
        data: data.as_bytes().to_vec().into(),
        origin: Origin::default(),
    }
}

async fn append(store: &dyn Store, events: Vec<NewEvent>) {
    let append = Append {
        events,
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000),
    };
    store.append(append).await.unwrap();
}

#[tokio::test]
async fn one_unreadable_event_parks_one_key() {
    let store = Arc::new(Memory::default());
    let app = wired(App::on(store.clone())).build().unwrap();
    let torn = raw(
        1,
        OrderPlaced::TYPE,
        &["order:a", "table:1"],
        "{\"order\": 5}",
    );
    append(&*store, vec![torn]).await;
    let fine = r#"{"order": "b", "table": 1, "dishes": {}}"#;
    append(
        &*store,
        vec![raw(2, OrderPlaced::TYPE, &["order:b", "table:1"], fine)],
    )
    .await;
    let other = r#"{"order": "c", "table": 2, "dishes": {}}"#;
    append(
        &*store,
        vec![raw(3, OrderPlaced::TYPE, &["order:c", "table:2"], other)],
    )
    .await;
    app.settle().await;
    let status = app.view_status("open-orders").await.unwrap();
    assert_eq!(status.lag_events, 0, "the view goes on");
    assert_eq!(status.parked.keys().collect::<Vec<_>>(), ["1"]);
    assert!(status.parked["1"].contains("OrderPlaced version 2 at position 2"));
    assert!(
        app.view_row("open-orders", "1").await.unwrap().is_none(),
        "nothing over a gap"
    );
    let row = app.view_row("open-orders", "2").await.unwrap().unwrap();
    assert_eq!(row.stale, None);
    // The process of that order waits for a person; the others go on.
    let parked = app.parked().unwrap();
    assert_eq!(
        parked.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(),
        ["a"]
    );
}

#[tokio::test]
async fn a_panic_in_a_projection_parks_the_key_and_says_so_on_the_row() {
    let app = open();
    app.send(soup(9)).await.unwrap();
    app.send(place("first", 1, "soup", 1)).await.unwrap();
    app.send(place("poison", 1, "soup", 1)).await.unwrap();
    app.send(place("last", 2, "soup", 1)).await.unwrap();
    app.settle().await;
    let row = app.view_row("open-orders", "1").await.unwrap().unwrap();
    assert!(row.stale.unwrap().contains("this dish is poison"));
    assert!(
        app.view_row("open-orders", "2")
            .await
            .unwrap()
            .unwrap()
            .stale
            .is_none()
    );
}

#[tokio::test]
async fn rows_can_be_filtered_paged_and_queried_with_sql() {
    let folder = tempfile::tempdir().unwrap();
    let app = wired(App::in_folder(folder.path())).build().unwrap();
    app.send(soup(99)).await.unwrap();
    for table in 1..=5 {
        app.send(place(&format!("o{table}"), table, "soup", 1))
            .await
            .unwrap();
    }
    app.settle().await;
    let keys = |rows: &Rows| rows.rows.iter().map(|r| r.key.clone()).collect::<Vec<_>>();
    let query = RowsQuery::default().limit(2);
    let first = app.view_rows("open-orders", &query).await.unwrap();
    assert_eq!(keys(&first), ["1", "2"]);
    let query = query.after(first.next.unwrap());
    let rows = app.view_rows("open-orders", &query).await.unwrap();
    assert_eq!(keys(&rows), ["3", "4"]);
    let query = RowsQuery::default().filter("open", ["o5"]);
    let rows = app.view_rows("open-orders", &query).await.unwrap();
    assert_eq!(keys(&rows), ["5"]);
    let query = RowsQuery::default().filter("opne", "x");
    let e = app.view_rows("open-orders", &query).await.unwrap_err();
    assert_eq!(
        e.to_string(),
        "view `open-orders` has no column `opne`; did you mean `open`? \
         It has open, key, position, stale"
    );
    let e = app
        .view_row("open-order", "1")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        e,
        "there is no view `open-order`; did you mean `open-orders`?"
    );
    let c = rusqlite::Connection::open(folder.path().join("views.db")).unwrap();
    let sql = "SELECT json_extract(open, '$[0]') FROM open_orders WHERE key = '3'";
    let open: String = c.query_row(sql, [], |r| r.get(0)).unwrap();
    assert_eq!(open, "o3");
    app.stop().await;
}

#[tokio::test]
async fn what_was_erased_leaves_the_file_when_a_view_is_rebuilt_and_what_is_kept_is_forgotten() {
    const SECRET: &str = "order-of-a-guest-who-wants-to-be-forgotten";
    let folder = tempfile::tempdir().unwrap();
    let app = wired(App::in_folder(folder.path())).build().unwrap();
    app.send(soup(9)).await.unwrap();
    app.send(place(SECRET, 1, "soup", 1)).await.unwrap();
    app.send(place("other", 2, "soup", 1)).await.unwrap();
    app.settle().await;
    let holds = || {
        let file = std::fs::read(folder.path().join("views.db")).unwrap();
        let log = std::fs::read(folder.path().join("views.db-wal")).unwrap_or_default();
        let secret = SECRET.as_bytes();
        [file, log]
            .iter()
            .any(|f| f.windows(secret.len()).any(|w| w == secret))
    };
    assert!(holds(), "there is nothing to forget");
    let forget = Tag::raw(format!("order:{SECRET}"));
    let erase = Erase {
        tag: forget.clone(),
        keep: Keep::default(),
        tombstone: Append {
            events: vec![raw(77, "GuestForgotten", &[forget.as_str()], "{}")],
            conditions: vec![],
            command: None,
            recorded_at: Time(1_767_225_600_000),
        },
    };
    app.erase(erase).await.unwrap();
    let act = |action| app.act_on_view("open-orders", action);
    let e = act(ViewAction::Forget).await.unwrap_err().to_string();
    assert_eq!(e, "no generation is kept");
    act(ViewAction::Rebuild { hold: false }).await.unwrap();
    while app
        .view_status("open-orders")
        .await
        .unwrap()
        .rebuilds_finished
        == 0
    {
        tokio::task::yield_now().await;
    }
    act(ViewAction::Forget).await.unwrap();
    app.settle().await;
    let e = act(ViewAction::RollBack).await.unwrap_err().to_string();
    assert_eq!(e, "no generation is kept to go back to");
    let row = app.view_row("open-orders", "2").await.unwrap().unwrap();
    assert_eq!(row.row["open"][0], "other");
    app.stop().await;
    assert!(!holds(), "it is still in the file");
}
