//! What is read is found by the indexes that are declared.

use super::{STALE, joined};
use crate::runtime::db::Db;
use crate::runtime::view::column::columns;
use crate::runtime::view::read::RowsQuery;
use crate::runtime::view::select::Select;
use crate::runtime::view::table;
use fait_core::event::{Meta, Money, Never, Time};
use fait_core::projection::{Projection, ProjectionDef};
use rusqlite::params_from_iter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

fait_core::entity_ids! { OrderId(text) => "order" }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Order {
    table: Option<u32>,
    total: Money,
    placed_at: Time,
    waiter: String,
}

struct Orders;

impl Projection for Orders {
    const NAME: &'static str = "orders";
    const INDEXES: &'static [&'static str] = &["table, placed_at", "total", "waiter"];
    type Key = OrderId;
    type Events = Never;
    type Row = Order;
    fn project(_: &mut Option<Order>, _: &OrderId, _: Never, _: &Meta) {}
}

/// How SQLite would go about it.
fn plan(q: &RowsQuery) -> String {
    let def = ProjectionDef::of::<Orders>();
    let db = Db::scratch(Uuid::nil()).unwrap();
    db.write(|tx| table::create(tx, &def, "orders__1")).unwrap();
    let given = vec![
        "orders".to_string().into(),
        1.into(),
        rusqlite::types::Value::Null,
    ];
    let select = Select::new("orders", columns(&def.row), STALE, given, q).unwrap();
    let sql = select.sql(&joined("orders__1"), STALE, 10);
    let values = &select.values;
    db.read(|c| {
        c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?
            .query_map(params_from_iter(values), |r| r.get::<_, String>(3))?
            .collect::<rusqlite::Result<Vec<_>>>()
    })
    .unwrap()
    .join("; ")
}

#[track_caller]
fn uses(q: RowsQuery, wanted: &str) {
    let plan = plan(&q);
    assert!(plan.contains(wanted), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "nothing is sorted: {plan}");
}

#[test]
fn declared_indexes_are_used() {
    let all = RowsQuery::default;
    let by_table = "USING INDEX orders__1__table,placed_at (table=?)";
    uses(all().filter("table", 4).sort("placed_at"), by_table);
    uses(all().filter("table", 4).sort("-placed_at,-key"), by_table);
    let since = "USING INDEX orders__1__table,placed_at (table=? AND placed_at>?)";
    let recent = all()
        .filter("table", "4")
        .filter("placed_at.ge", "2026-11-23");
    uses(recent.sort("placed_at"), since);
    let total = "USING INDEX orders__1__total (total>?)";
    uses(all().filter("total.gt", "9.50").sort("total"), total);
    let waiter = "USING INDEX orders__1__waiter (waiter>? AND waiter<?)";
    uses(all().filter("waiter.starts", "An").sort("waiter"), waiter);
    uses(all().filter("table.null", true).sort("placed_at"), by_table);
    uses(all(), "SCAN v");
    uses(
        all().filter("key", "7"),
        "SEARCH v USING PRIMARY KEY (key=?)",
    );
}

#[test]
fn a_further_page_begins_where_the_index_does() {
    let q = RowsQuery::default().sort("total");
    let def = ProjectionDef::of::<Orders>();
    let select = Select::new("orders", columns(&def.row), STALE, vec![], &q).unwrap();
    let next = select.cursor(&[950.into(), "7".to_string().into()]);
    uses(q.after(next), "USING INDEX orders__1__total (total>?)");
    let select = Select::new(
        "orders",
        columns(&def.row),
        STALE,
        vec![],
        &RowsQuery::default(),
    );
    let next = select.unwrap().cursor(&["7".to_string().into()]);
    uses(
        RowsQuery::default().after(next),
        "SEARCH v USING PRIMARY KEY (key>?)",
    );
}
