//! Views: a rebuild gives the same bytes and sends nothing.

use crate::house::all;
use fait::Clock;
use fait::app::ViewAction;
use restaurant::card::Terminal;
use restaurant::staff::{Staff, work};
use std::path::Path;
use std::time::Duration;

const VIEWS: [&str; 3] = ["table-plan", "kitchen-board", "bills-to-settle"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_gives_the_same_bytes_and_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::paced(3000.0);
    let app = restaurant::in_folder(folder.path(), clock, Terminal::new(true)).unwrap();
    work(&app, Staff::Flaky);
    restaurant::play::place(&app, 40, Duration::ZERO).await;
    while all(&app).await.len() < 300 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    app.stop().await;
    drop(app);

    let app = restaurant::in_folder(folder.path(), Clock::by_hand(), Terminal::new(false)).unwrap();
    app.settle().await;
    let events = all(&app).await;
    assert!(
        events.len() > 200,
        "the play did nothing: {} events",
        events.len()
    );
    for name in VIEWS {
        let status = app.view_status(name).await.unwrap();
        let live = dump(folder.path(), &status.table);
        assert!(!live.is_empty(), "{name} has no rows to compare");
        let again = ViewAction::Rebuild { hold: false };
        app.act_on_view(name, again).await.unwrap();
        while app.view_status(name).await.unwrap().rebuilds_finished == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let rebuilt = app.view_status(name).await.unwrap();
        assert_eq!(rebuilt.rebuild_failed, None);
        assert_ne!(rebuilt.table, status.table, "it was built beside");
        assert_eq!(dump(folder.path(), &rebuilt.table), live, "{name}");
    }
    app.settle().await;
    assert_eq!(all(&app).await, events, "a rebuild appended something");
    app.stop().await;
}

fn dump(folder: &Path, table: &str) -> Vec<(String, String, i64)> {
    let c = rusqlite::Connection::open(folder.join("views.db")).unwrap();
    let sql = format!("SELECT key, \"row\", position FROM {table} ORDER BY key");
    let mut rows = c.prepare(&sql).unwrap();
    let rows = rows
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}
