//! Projections that write SQL themselves.

use fait::app::{App, AppBuilder, ViewAction};
use fait::event::{Event, Meta, NewEvent, Origin, Time};
use fait::projection::Projection;
use fait::reexport::serde_json;
use fait::reexport::uuid::Uuid;
use fait::sql::rusqlite::{self, params};
use fait::sql::{Sql, SqlError, SqlProjection};
use fait::store::{Append, Store};
use fait::{data, entity_ids, event};
use fait_store::Disk;
use std::path::Path;
use std::sync::Arc;

entity_ids! { TillId(number) => "till" }

/// Something was sold.
#[event]
pub(crate) struct Sold {
    #[tag]
    till: TillId,
    hour: u32,
    cents: i64,
}

/// What each till and each hour sold.
pub(crate) struct Takings;

fn add(sql: &Sql<'_>, e: &Sold, most: i64) -> Result<(), SqlError> {
    sql.execute(
        "INSERT INTO {hours} VALUES (?1, ?2) ON CONFLICT (hour) DO UPDATE SET cents = cents + ?2",
        params![e.hour, e.cents],
    )?;
    if e.cents > most {
        return Err(format!("{} cents is more than a till can hold", e.cents).into());
    }
    sql.execute(
        "INSERT INTO {sales} VALUES (?1, ?2)",
        params![e.till.to_string(), e.cents],
    )?;
    Ok(())
}

const TABLES: &[(&str, &str)] = &[
    (
        "hours",
        "hour INTEGER PRIMARY KEY, cents INTEGER NOT NULL CHECK (cents >= 0)",
    ),
    ("sales", "till TEXT NOT NULL, cents INTEGER NOT NULL"),
];

impl SqlProjection for Takings {
    const NAME: &'static str = "takings";
    const TABLES: &'static [(&'static str, &'static str)] = TABLES;
    type Key = TillId;
    type Events = Sold;
    fn project(sql: &Sql<'_>, e: Sold, _: &Meta) -> Result<(), SqlError> {
        add(sql, &e, 1_000)
    }
}

/// The same, mended.
struct Mended;

impl SqlProjection for Mended {
    const NAME: &'static str = "takings";
    const TABLES: &'static [(&'static str, &'static str)] = TABLES;
    type Key = TillId;
    type Events = Sold;
    fn project(sql: &Sql<'_>, e: Sold, _: &Meta) -> Result<(), SqlError> {
        add(sql, &e, i64::MAX)
    }
}

/// Another view beside it, so that a till's rows are seen too.
struct Tills;

/// What a till sold.
#[data]
pub(crate) struct Till {
    cents: i64,
}

impl Projection for Tills {
    const NAME: &'static str = "tills";
    type Key = TillId;
    type Events = Sold;
    type Row = Till;
    fn project(row: &mut Option<Till>, _: &TillId, e: Sold, _: &Meta) {
        let cents = row.as_ref().map_or(0, |r| r.cents) + e.cents;
        *row = Some(Till { cents });
    }
}

async fn sell(store: &dyn Store, sales: &[(u64, u32, i64)]) {
    let event = |(till, hour, cents): &(u64, u32, i64)| {
        let e = Sold {
            till: TillId::from(*till),
            hour: *hour,
            cents: *cents,
        };
        NewEvent {
            id: Uuid::now_v7(),
            ty: Sold::TYPE.into(),
            version: 1,
            tags: Event::tags(&e),
            data: serde_json::to_vec(&e).unwrap().into(),
            origin: Origin::default(),
        }
    };
    let append = Append {
        events: sales.iter().map(event).collect(),
        conditions: vec![],
        command: None,
        recorded_at: Time(1),
    };
    store.append(append).await.unwrap();
}

fn open(folder: &Path, wired: fn(AppBuilder) -> AppBuilder) -> (Arc<Disk>, App) {
    let store = Arc::new(Disk::open(folder).unwrap());
    let app = wired(App::on(store.clone()))
        .projection::<Tills>()
        .views_in(folder.join("views.db"))
        .build()
        .unwrap();
    (store, app)
}

/// Hours with what they took, and sales.
type Seen = (Vec<(u32, i64)>, Vec<(String, i64)>);

/// What anybody sees who opens the file.
fn seen(folder: &Path) -> Seen {
    let c = rusqlite::Connection::open(folder.join("views.db")).unwrap();
    let mut hours = c
        .prepare("SELECT hour, cents FROM hours ORDER BY 1")
        .unwrap();
    let hours = hours.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    let mut sales = c
        .prepare("SELECT till, cents FROM sales ORDER BY till, cents")
        .unwrap();
    let sales = sales.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
    (
        hours.map(Result::unwrap).collect(),
        sales.map(Result::unwrap).collect(),
    )
}

#[tokio::test]
async fn what_an_event_cannot_do_is_taken_back_and_waits_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let (store, app) = open(folder.path(), |a| a.sql_projection::<Takings>());
    sell(
        &*store,
        &[(1, 8, 100), (1, 8, 5_000), (2, 8, 30), (1, 9, 7)],
    )
    .await;
    app.settle().await;
    let well = (vec![(8, 130)], vec![("1".into(), 100), ("2".into(), 30)]);
    assert_eq!(seen(folder.path()), well, "half of an event was kept");
    let status = app.view_status("takings").await.unwrap();
    assert_eq!(status.lag_events, 0, "the view goes on");
    assert_eq!(status.parked_keys, 1);
    assert!(
        status.parked["1"].contains("5000 cents is more"),
        "{status:?}"
    );
    let cents: Vec<i64> = app
        .read_sql::<Takings, _>(|sql| sql.rows("SELECT cents FROM {hours}", [], |r| r.get(0)))
        .unwrap();
    assert_eq!(cents, [130]);
    app.stop().await;
    drop((app, store));

    // The mended program takes what was passed over, in order, when it starts.
    let (store, app) = open(folder.path(), |a| a.sql_projection::<Mended>());
    app.settle().await;
    let all = (
        vec![(8, 5_130), (9, 7)],
        vec![
            ("1".into(), 7),
            ("1".into(), 100),
            ("1".into(), 5_000),
            ("2".into(), 30),
        ],
    );
    while app.view_status("takings").await.unwrap().parked_keys > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(seen(folder.path()), all);
    app.act_on_view("takings", ViewAction::Rebuild { hold: false })
        .await
        .unwrap();
    while app.view_status("takings").await.unwrap().rebuilds_finished == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(seen(folder.path()), all, "a rebuild is another");
    sell(&*store, &[(3, 9, 1)]).await;
    app.settle().await;
    assert_eq!(seen(folder.path()).0, [(8, 5_130), (9, 8)], "it follows");
    app.stop().await;
}

#[tokio::test]
async fn a_key_that_shares_an_event_with_one_that_waits_waits_too() {
    let folder = tempfile::tempdir().unwrap();
    let (store, app) = open(folder.path(), |a| a.sql_projection::<Takings>());
    sell(&*store, &[(1, 8, 5_000)]).await;
    let both = Sold {
        till: TillId::from(1),
        hour: 8,
        cents: 1,
    };
    let mut tags = Event::tags(&both);
    tags.push(fait::event::Tag::raw("till:2"));
    let event = NewEvent {
        id: Uuid::now_v7(),
        ty: Sold::TYPE.into(),
        version: 1,
        tags,
        data: serde_json::to_vec(&both).unwrap().into(),
        origin: Origin::default(),
    };
    let append = Append {
        events: vec![event],
        conditions: vec![],
        command: None,
        recorded_at: Time(1),
    };
    store.append(append).await.unwrap();
    sell(&*store, &[(2, 9, 2), (3, 9, 4)]).await;
    app.settle().await;
    let status = app.view_status("takings").await.unwrap();
    assert_eq!(status.parked.keys().collect::<Vec<_>>(), ["1", "2"]);
    assert!(
        status.parked["2"].contains("shares this event with `1`"),
        "{status:?}"
    );
    assert_eq!(seen(folder.path()), (vec![(9, 4)], vec![("3".into(), 4)]));
    let e = app.view_diff("takings", 5).await.unwrap_err();
    assert!(e.to_string().contains("writes SQL itself"), "{e}");
    let e = app.view_row("takings", "1").await.unwrap_err();
    assert!(e.to_string().contains("read_sql"), "{e}");
    app.stop().await;
}
