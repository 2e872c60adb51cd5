//! Reading views: filters, order, pages, columns in SQL, and rows and models of the past.

use fait::app::{App, AppBuilder, AsOf, ReadError, Rows, RowsQuery, ViewRow, ViewsFile};
use fait::decision::{Each, Model};
use fait::event::{Event, EventSet as _, Meta, Money, NewEvent, Origin, Time};
use fait::projection::{Mode, Projection};
use fait::reexport::serde_json::{Value, json};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Store};
use fait::{EventSet, data, entity_ids, event};
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

entity_ids! { LotId(text) => "lot", OwnerId(number) => "owner" }

#[data]
#[derive(PartialOrd)]
enum Status {
    Open,
    /// With a sentence, so that the schema is another one.
    Sold,
    Withdrawn,
}

#[data]
struct Place {
    hall: String,
    row: u32,
}

#[data]
enum Note {
    Plain(String),
    Counted { times: u32 },
}

/// One of everything.
#[data]
struct Lot {
    status: Status,
    before: Option<Status>,
    bids: u32,
    least: Option<i64>,
    price: Money,
    paid: Option<Money>,
    opened_at: Time,
    closed_at: Option<Time>,
    weight: f64,
    length: Option<f64>,
    fragile: bool,
    checked: Option<bool>,
    title: String,
    remark: Option<String>,
    words: Vec<String>,
    counts: BTreeMap<String, u32>,
    place: Place,
    note: Option<Note>,
    owner: OwnerId,
    buyer: Option<OwnerId>,
    huge: u64,
    order: (u32, String),
}

#[event]
struct LotChanged {
    #[tag]
    lot: LotId,
    is: Lot,
}

#[event]
struct LotGone {
    #[tag]
    lot: LotId,
}

#[expect(clippy::large_enum_variant, reason = "an event is as large as it is")]
#[derive(EventSet, Debug, PartialEq)]
enum LotHistory {
    Changed(LotChanged),
    Gone(LotGone),
}

struct Lots;

impl Projection for Lots {
    const NAME: &'static str = "all-lots";
    const INDEXES: &'static [&'static str] = &["status, price", "opened_at"];
    type Key = LotId;
    type Events = LotHistory;
    type Row = Lot;
    fn project(row: &mut Option<Lot>, _: &LotId, event: LotHistory, _: &Meta) {
        *row = match event {
            LotHistory::Changed(e) => Some(e.is),
            LotHistory::Gone(_) => None,
        }
    }
}

/// The same, folded when it is read.
struct LotsLive;

impl Projection for LotsLive {
    const NAME: &'static str = "lots-live";
    const MODE: Mode = Mode::Live;
    type Key = LotId;
    type Events = LotHistory;
    type Row = Lot;
    fn project(row: &mut Option<Lot>, key: &LotId, event: LotHistory, meta: &Meta) {
        Lots::project(row, key, event, meta);
    }
}

/// How often a lot was changed, and what it was last.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    changes: u32,
    last: Option<Lot>,
}

impl Model for Seen {
    type Key = LotId;
    type Events = LotHistory;
    fn evolve(&mut self, event: LotHistory) {
        self.changes += 1;
        self.last = match event {
            LotHistory::Changed(e) => Some(e.is),
            LotHistory::Gone(_) => None,
        }
    }
}

fn wired(app: AppBuilder) -> AppBuilder {
    app.projection::<Lots>().projection::<LotsLive>()
}

fn lot(n: i64) -> Lot {
    let maybe = |there: bool| move |value: i64| there.then_some(value);
    let (first, second) = (maybe(n % 3 != 0), maybe(n % 2 == 0));
    let status = [Status::Open, Status::Sold, Status::Withdrawn];
    let of = |n: i64| status[usize::try_from(n.rem_euclid(3)).unwrap()].clone();
    let small = u32::try_from(n.rem_euclid(5)).unwrap();
    Lot {
        status: of(n),
        before: first(n + 1).map(of),
        bids: small,
        least: first(n % 7 - 3),
        price: Money(n * 37 % 1500 - 200),
        paid: second(n).map(|n| Money(n * 10)),
        opened_at: Time(1_767_225_600_000 + u64::from(small) * 999),
        closed_at: first(n).map(|n| Time(1_767_225_600_000 + n.unsigned_abs() * 86_400_000)),
        weight: n as f64 / 7.0,
        length: second(n).map(|n| n as f64 * -0.1),
        fragile: n % 2 == 0,
        checked: first(n).map(|n| n % 4 == 0),
        title: ["Vase", "vase_2", "äpfel", "Zither", "50%"][small as usize].into(),
        remark: second(n).map(|n| format!("it's \"{n}\"")),
        words: vec![format!("w{small}"), "x".into()],
        counts: [(format!("c{small}"), 1)].into(),
        place: Place {
            hall: "A".into(),
            row: small,
        },
        note: match n % 3 {
            0 => None,
            1 => Some(Note::Plain("note".into())),
            _ => Some(Note::Counted { times: small }),
        },
        owner: OwnerId(u64::from(small)),
        buyer: first(n).map(|n| OwnerId(n.unsigned_abs())),
        huge: u64::MAX - u64::from(small),
        order: (small, "t".into()),
    }
}

fn changed(key: i64, n: i64) -> LotHistory {
    let (lot_id, is) = (LotId(format!("{key}")), lot(n));
    LotHistory::Changed(LotChanged { lot: lot_id, is })
}

fn gone(key: i64) -> LotHistory {
    LotHistory::Gone(LotGone {
        lot: LotId(format!("{key}")),
    })
}

/// Records it, so many milliseconds after the beginning.
async fn record(store: &dyn Store, at: u64, event: &LotHistory) {
    let draft = event.encode().unwrap();
    let next = store.head().await.unwrap() + 1;
    let event = NewEvent {
        id: Uuid::from_u128(next.into()),
        ty: draft.ty,
        version: draft.version,
        tags: draft.tags,
        data: draft.data,
        origin: Origin::default(),
    };
    let append = Append {
        events: vec![event],
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000 + at),
    };
    store.append(append).await.unwrap();
}

async fn with_lots(numbers: &[i64]) -> (Arc<Memory>, App) {
    let store = Arc::new(Memory::default());
    for (n, number) in numbers.iter().enumerate() {
        let n = i64::try_from(n).unwrap();
        record(&*store, n.unsigned_abs(), &changed(n, *number)).await;
    }
    let app = wired(App::on(store.clone())).build().unwrap();
    app.settle().await;
    (store, app)
}

/// All pages, one behind the other.
async fn pages(app: &App, view: &str, mut query: RowsQuery) -> Vec<ViewRow> {
    let mut all = vec![];
    loop {
        let page = app.view_rows(view, &query).await.unwrap();
        assert!(page.rows.len() <= query.limit);
        assert!(page.next.is_none() || page.rows.len() == query.limit);
        all.extend(page.rows);
        match page.next {
            Some(next) => query = query.after(next),
            None => return all,
        }
    }
}

/// The order of two values of one field: nothing first, then as what they are.
fn compare(field: &str, a: &Value, b: &Value) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        _ if ["price", "paid"].contains(&field) => {
            let money = |v: &Value| v.as_str().unwrap().parse::<Money>().unwrap();
            money(a).cmp(&money(b))
        }
        _ => match (a, b) {
            (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap(),
            },
            _ => a.to_string().cmp(&b.to_string()),
        },
    }
}

/// Whether a filter lets a row through, by what its words say and nothing else.
fn holds(row: &Value, field: &str, op: &str, wanted: &Value) -> bool {
    let is = &row[field];
    let than = |fit: fn(Ordering) -> bool| !is.is_null() && fit(compare(field, is, wanted));
    match op {
        "eq" => than(Ordering::is_eq),
        "ne" => is.is_null() || !than(Ordering::is_eq),
        "lt" => than(Ordering::is_lt),
        "le" => than(Ordering::is_le),
        "gt" => than(Ordering::is_gt),
        "ge" => than(Ordering::is_ge),
        "in" => wanted
            .as_array()
            .unwrap()
            .iter()
            .any(|w| holds(row, field, "eq", w)),
        "starts" => is
            .as_str()
            .is_some_and(|t| t.starts_with(wanted.as_str().unwrap())),
        "contains" => is.as_str().is_some_and(|t| {
            let wanted = wanted.as_str().unwrap().to_ascii_lowercase();
            t.to_ascii_lowercase().contains(&wanted)
        }),
        "null" => is.is_null() == wanted.as_bool().unwrap(),
        other => panic!("{other}"),
    }
}

const FIELDS: [&str; 16] = [
    "status",
    "before",
    "bids",
    "least",
    "price",
    "paid",
    "opened_at",
    "closed_at",
    "weight",
    "length",
    "fragile",
    "checked",
    "title",
    "remark",
    "owner",
    "buyer",
];

fn filters() -> impl Strategy<Value = (String, String, Value)> {
    let ops = [
        "eq", "ne", "lt", "le", "gt", "ge", "in", "starts", "contains", "null",
    ];
    let op = prop::sample::select(ops.to_vec());
    let field = prop::sample::select(FIELDS.to_vec());
    (field, op, 0..20i64, any::<bool>()).prop_map(|(field, op, n, flag)| {
        let value = |n: i64| {
            let mut rows = (n..).map(|n| json!(lot(n))[field].clone());
            rows.find(|v| !v.is_null()).unwrap()
        };
        let text = [
            "status",
            "before",
            "title",
            "remark",
            "opened_at",
            "closed_at",
        ];
        let (op, value) = match op {
            "starts" | "contains" if !text.contains(&field) => ("eq", value(n)),
            "starts" => ("starts", json!(value(n).as_str().unwrap()[..2])),
            "contains" => (
                "contains",
                json!(["a", "_", "%", "0", "VAS"][n as usize % 5]),
            ),
            "null" => ("null", json!(flag)),
            "in" => ("in", json!([value(n), value(n + 7)])),
            op => (op, value(n)),
        };
        (field.into(), op.into(), value)
    })
}

fn sorts() -> impl Strategy<Value = Vec<(&'static str, bool)>> {
    let one = (prop::sample::select(FIELDS.to_vec()), any::<bool>());
    prop::collection::vec(one, 0..3)
}

fn run(test: impl Future<Output = Result<(), TestCaseError>>) -> Result<(), TestCaseError> {
    tokio::runtime::Runtime::new().unwrap().block_on(test)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_filter_and_order_is_what_its_words_say(
        numbers in prop::collection::vec(0..40i64, 0..24),
        filters in prop::collection::vec(filters(), 0..3),
        sorts in sorts(),
        limit in 1..9usize,
        live in any::<bool>(),
    ) {
        run(async {
            let (_, app) = with_lots(&numbers).await;
            let view = if live { "lots-live" } else { "all-lots" };
            let all = pages(&app, view, RowsQuery::default()).await;
            prop_assert_eq!(all.len(), numbers.len());
            let mut wanted = all;
            wanted.retain(|r| filters.iter().all(|(f, op, v)| holds(&r.row, f, op, v)));
            wanted.sort_by(|a, b| {
                let by = sorts.iter().map(|(f, down)| {
                    let order = compare(f, &a.row[*f], &b.row[*f]);
                    if *down { order.reverse() } else { order }
                });
                by.fold(Ordering::Equal, Ordering::then).then(a.key.cmp(&b.key))
            });
            let mut query = RowsQuery::default().limit(limit).count();
            for (field, op, value) in &filters {
                query = query.filter(&format!("{field}.{op}"), value);
            }
            for (field, down) in &sorts {
                query = query.sort(&format!("{}{field}", if *down { "-" } else { "" }));
            }
            let first = app.view_rows(view, &query).await.unwrap();
            prop_assert_eq!(first.total, Some(wanted.len() as u64));
            prop_assert_eq!(first.position, numbers.len() as u64);
            prop_assert_eq!(pages(&app, view, query).await, wanted);
            Ok(())
        })?;
    }

    #[test]
    fn pages_neither_repeat_nor_skip_what_stays(
        numbers in prop::collection::vec(0..40i64, 8..20),
        between in prop::collection::vec((0..40i64, any::<bool>()), 1..6),
        sorts in sorts(),
    ) {
        run(async {
            let (store, app) = with_lots(&numbers).await;
            let sort: Vec<String> = sorts
                .iter()
                .map(|(f, down)| format!("{}{f}", if *down { "-" } else { "" }))
                .collect();
            let mut query = RowsQuery::default().limit(3).sort(&sort.join(","));
            let (mut seen, mut touched, mut more) = (vec![], vec![], between.iter());
            loop {
                let page = app.view_rows("all-lots", &query).await.unwrap();
                seen.extend(page.rows.into_iter().map(|r| r.key));
                let Some(next) = page.next else { break };
                query = query.after(next);
                if let Some((n, new)) = more.next() {
                    // One comes, or one goes.
                    let key = if *new { 1000 + n } else { n % numbers.len() as i64 };
                    let event = if *new { changed(key, *n) } else { gone(key) };
                    record(&*store, 100, &event).await;
                    app.settle().await;
                    touched.push(key.to_string());
                }
            }
            let stays = (0..numbers.len()).map(|n| n.to_string());
            for key in stays.filter(|k| !touched.contains(k)) {
                prop_assert_eq!(seen.iter().filter(|s| **s == key).count(), 1, "{}", key);
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_past_is_what_a_system_of_then_would_show(
        happened in prop::collection::vec((0..4i64, 0..40i64, any::<bool>(), 0..3u64), 1..14),
    ) {
        run(async {
            let (store, mut at, mut events) = (Arc::new(Memory::default()), 0, vec![]);
            for (key, n, there, later) in happened {
                at += later;
                let event = if there { changed(key, n) } else { gone(key) };
                record(&*store, at, &event).await;
                events.push((at, event));
            }
            let app = wired(App::on(store)).build().unwrap();
            app.settle().await;
            for until in 0..=events.len() {
                let fresh = Arc::new(Memory::default());
                for (at, event) in &events[..until] {
                    record(&*fresh, *at, event).await;
                }
                let then = wired(App::on(fresh)).build().unwrap();
                then.settle().await;
                let mut moments = vec![AsOf::Position(until as u64)];
                let last = events[..until].last().map_or(0, |(at, _)| *at);
                if events.get(until).is_none_or(|(at, _)| *at > last) && until > 0 {
                    moments.push(Time(1_767_225_600_000 + last).into());
                }
                for moment in moments {
                    same(&app, &then, moment).await?;
                }
            }
            Ok(())
        })?;
    }
}

async fn same(app: &App, then: &App, moment: AsOf) -> Result<(), TestCaseError> {
    let query = RowsQuery::default().sort("-price").count();
    for view in ["all-lots", "lots-live"] {
        let shown = then.view_rows(view, &query).await.unwrap();
        let was = app.view_rows_as_of(view, &query, moment).await.unwrap();
        prop_assert_eq!(was, shown, "{:?}", moment);
        for key in 0..4 {
            let key = key.to_string();
            let shown = then.view_row(view, &key).await.unwrap();
            let was = app.view_row_as_of(view, &key, moment).await.unwrap();
            prop_assert_eq!(was, shown, "{:?}", moment);
        }
    }
    let keys: Vec<LotId> = (0..4).map(|k| LotId(k.to_string())).collect();
    let now = AsOf::Position(u64::MAX);
    let shown: Each<Seen> = then.model_as_of(&keys, now).await.unwrap();
    let was: Each<Seen> = app.model_as_of(&keys, moment).await.unwrap();
    prop_assert_eq!(was, shown);
    Ok(())
}

#[tokio::test]
async fn typed_reads_are_fluent() {
    let (_, app) = with_lots(&[1, 2, 3, 4, 5, 6, 7, 8, 9]).await;
    let sold = app
        .view::<Lots>()
        .filter("status", Status::Sold)
        .sort("-price")
        .limit(2);
    let page = sold.count().rows().await.unwrap();
    assert_eq!(page.total, Some(3));
    let prices: Vec<Money> = page.rows.iter().map(|r| r.row.price).collect();
    assert_eq!(prices, [Money(59), Money(-52)]);
    assert_eq!(page.rows[0].row, lot(7));
    let rest = app
        .view::<Lots>()
        .filter("status", Status::Sold)
        .sort("-price");
    let rest = rest.after(page.next.unwrap()).rows().await.unwrap();
    assert_eq!(
        rest.rows.iter().map(|r| r.row.price).collect::<Vec<_>>(),
        [Money(-163)]
    );
    assert_eq!((rest.next, rest.total, rest.stale), (None, None, None));
    let dear = app
        .view::<Lots>()
        .filter("price.ge", Money(100))
        .filter("paid", None::<Money>);
    assert_eq!(dear.rows().await.unwrap().rows.len(), 1);
    let then = app
        .view::<Lots>()
        .as_of(AsOf::Position(3))
        .filter("bids.in", [1, 2, 3]);
    let then = then.rows().await.unwrap();
    assert_eq!((then.rows.len(), then.position), (3, 3));
    let nine = app
        .view::<Lots>()
        .filter("opened_at.lt", Time(1_767_225_600_001));
    assert_eq!(nine.rows().await.unwrap().rows.len(), 1);
}

#[tokio::test]
async fn what_does_not_fit_is_said_with_what_would() {
    let (_, app) = with_lots(&[1, 2, 3]).await;
    let q = RowsQuery::default;
    let next = app
        .view_rows("all-lots", &q().limit(1))
        .await
        .unwrap()
        .next
        .unwrap();
    let many = vec!["x"; 101];
    let cases = [
        (
            q().filter("titel", "x"),
            "view `all-lots` has no column `titel`; did you mean `title`?",
        ),
        (
            q().filter("colour.lt", 1),
            "has no column `colour`; it has before, bids, buyer",
        ),
        (
            q().filter("bids.ge2", 1),
            "`bids` cannot be compared by `ge2`; did you mean `ge`?",
        ),
        (
            q().filter("bids.resembles", 1),
            "it can be by eq, ne, lt, le, gt, ge, in, null",
        ),
        (
            q().filter("bids.contains", "1"),
            "`contains` looks into a text, and `bids` is a whole",
        ),
        (
            q().filter("bids", "many"),
            "`bids=many`: it is a whole number",
        ),
        (
            q().filter("huge", u64::MAX),
            "`huge=18446744073709551615`: it is a whole number from -2^63 to 2^63 - 1",
        ),
        (q().filter("bids", 1.5), "`bids=1.5`: it is a whole number"),
        (
            q().filter("weight", "heavy"),
            "`weight=heavy`: it is a number",
        ),
        (
            q().filter("fragile", "yes"),
            "`fragile=yes`: it is `true` or `false`",
        ),
        (
            q().filter("price", "1.234"),
            "`price=1.234`: it is an amount like 24.00",
        ),
        (
            q().filter("opened_at.gt", "noon"),
            "`opened_at.gt=noon`: it is a time like",
        ),
        (q().filter("title", 5), "`title=5`: it is a text"),
        (
            q().filter("status", "Sld"),
            "it is one of Open, Withdrawn, Sold; did you mean `Sold`?",
        ),
        (
            q().filter("before.in", "Open,Sld"),
            "`before.in=Sld`: it is one of Open, With",
        ),
        (
            q().filter("title.null", "perhaps"),
            "`title.null=perhaps`: it is `true` or `false`",
        ),
        (
            q().filter("title.in", many),
            "it is a list of at most 100 values",
        ),
        (
            q().sort("-prise"),
            "has no column `prise`; did you mean `price`?",
        ),
        (q().limit(0), "limit is from 1 to 1000, not 0"),
        (q().limit(1001), "limit is from 1 to 1000, not 1001"),
        (
            q().after("7"),
            "`after` is what `next` of the page before was",
        ),
        (
            q().sort("price").after(next),
            "`after` is of a page in another order",
        ),
    ];
    for (query, wanted) in cases {
        let e = app.view_rows("all-lots", &query).await.unwrap_err();
        assert!(matches!(e, ReadError::Query { .. }), "{e}");
        assert!(e.to_string().contains(wanted), "{e}");
    }
    let e = app.view_rows("all-lot", &q()).await.unwrap_err();
    assert_eq!(
        e.to_string(),
        "there is no view `all-lot`; did you mean `all-lots`?"
    );
}

#[tokio::test]
async fn every_field_is_a_column_for_sql_while_the_system_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(Memory::default());
    let file = folder.path().join("views.db");
    record(&*store, 0, &changed(8, 8)).await;
    record(&*store, 0, &changed(9, 9)).await;
    let app = wired(App::on(store.clone()).views_in(&file))
        .build()
        .unwrap();
    app.settle().await;
    let sql = rusqlite::Connection::open(&file).unwrap();
    let of = |column: &str, key: &str| -> String {
        let text = format!("SELECT quote({column}) FROM all_lots WHERE key = '{key}'");
        sql.query_row(&text, [], |r| r.get(0)).unwrap()
    };
    let cases = [
        ("status", "'Withdrawn'", "'Open'"),
        ("before", "'Open'", "NULL"),
        ("bids", "3", "4"),
        ("least", "-2", "NULL"),
        ("price", "96", "133"),
        ("paid", "80", "NULL"),
        (
            "opened_at",
            "'2026-01-01T00:00:02.997Z'",
            "'2026-01-01T00:00:03.996Z'",
        ),
        ("closed_at", "'2026-01-09T00:00:00.000Z'", "NULL"),
        ("weight * 7", "8.0", "9.0"),
        ("length", "-0.8", "NULL"),
        ("fragile", "1", "0"),
        ("checked", "1", "NULL"),
        ("title", "'Zither'", "'50%'"),
        ("remark", "'it''s \"8\"'", "NULL"),
        ("words ->> '$[0]'", "'w3'", "'w4'"),
        ("counts ->> 'c3'", "1", "NULL"),
        ("place ->> 'row'", "3", "4"),
        ("note ->> '$.Counted.times'", "3", "NULL"),
        ("owner", "3", "4"),
        ("buyer", "8", "NULL"),
        // Beyond 2^63 - 1 it is rounded; the row has it to the last digit.
        ("huge", "1.8446744073709552e+19", "1.8446744073709552e+19"),
        ("\"row\" ->> 'title'", "'Zither'", "'50%'"),
        ("\"order\" ->> '$[1]'", "'t'", "'t'"),
        ("position", "1", "2"),
        ("stale", "NULL", "NULL"),
    ];
    for (column, eight, nine) in cases {
        assert_eq!(of(column, "8"), eight, "{column}");
        assert_eq!(of(column, "9"), nine, "{column}");
    }
    let row: String = sql
        .query_row("SELECT \"row\" FROM all_lots WHERE key = '8'", [], |r| {
            r.get(0)
        })
        .unwrap();
    assert!(row.contains("\"huge\":18446744073709551612"), "{row}");
    let sum: i64 = sql
        .query_row("SELECT sum(price) FROM all_lots", [], |r| r.get(0))
        .unwrap();
    assert_eq!(Money(sum), Money(229));

    // The same connection sees what comes.
    record(&*store, 1, &changed(8, 1)).await;
    app.settle().await;
    assert_eq!(of("status", "8"), "'Sold'");
    assert_eq!(of("position", "8"), "3");
    let outside = ViewsFile::open(&file).unwrap();
    let q = RowsQuery::default()
        .filter("price.gt", "1.00")
        .sort("-opened_at")
        .count();
    let same: Rows = outside.rows("all-lots", &q).unwrap();
    assert_eq!(same, app.view_rows("all-lots", &q).await.unwrap());
    assert_eq!(same.rows.len(), 1);
    assert_eq!(
        outside.row("all-lots", "8").unwrap().unwrap().row["bids"],
        1
    );
    let e = outside.rows("al-lots", &q).unwrap_err().to_string();
    assert_eq!(e, "there is no view `al-lots`; did you mean `all-lots`?");
    app.stop().await;
}

#[tokio::test]
async fn rows_that_do_not_follow_can_be_asked_for() {
    let (store, app) = with_lots(&[1, 2, 3]).await;
    let torn = NewEvent {
        id: Uuid::from_u128(99),
        ty: LotChanged::TYPE.into(),
        version: 1,
        tags: vec![fait::event::Tag::raw("lot:1")],
        data: b"{}".to_vec().into(),
        origin: Origin::default(),
    };
    let append = Append {
        events: vec![torn],
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_700_000),
    };
    store.append(append).await.unwrap();
    app.settle().await;
    let stale = app.view::<Lots>().filter("stale.null", false).count();
    let stale = stale.rows().await.unwrap();
    assert_eq!((stale.total, stale.rows[0].key.as_str()), (Some(1), "1"));
    assert!(stale.rows[0].stale.as_ref().unwrap().contains("position 4"));
    assert_eq!(stale.stale, None, "the view as a whole follows");
    let fine = app
        .view::<Lots>()
        .filter("stale", None::<String>)
        .sort("stale,-key");
    let fine = fine.rows().await.unwrap();
    assert_eq!(
        fine.rows.iter().map(|r| r.key.as_str()).collect::<Vec<_>>(),
        ["2", "0"]
    );
}
