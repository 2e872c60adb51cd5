//! The page of one flow.

use crate::shop::Shop;
use axum::http::StatusCode;
use fait::App;
use fait::event::{NewEvent, Origin, Tag, Time};
use fait::reexport::uuid::Uuid;
use fait::store::{Append, Memory, Store};
use fait_web::Site;
use std::sync::Arc;

/// A flow in which each event came of the one before.
async fn a_chain(length: u128) -> (Shop, Uuid) {
    let flow = Uuid::from_u128(7);
    let event = |n: u128| NewEvent {
        id: Uuid::from_u128(1000 + n),
        ty: "ThingMoved".into(),
        version: 1,
        tags: vec![Tag::new("thing", "cup")],
        data: "{}".as_bytes().into(),
        origin: Origin {
            correlation: flow,
            causation: Some(Uuid::from_u128(999 + n)),
            ..Origin::default()
        },
    };
    let store = Arc::new(Memory::default());
    let append = Append {
        events: (0..length).map(event).collect(),
        conditions: vec![],
        command: None,
        recorded_at: Time(1_767_225_600_000),
    };
    store.append(append).await.unwrap();
    let app = App::on(store).name("Shop").build().unwrap();
    app.settle().await;
    let web = Site::new(app.clone()).into_service();
    (Shop { app, web }, flow)
}

#[tokio::test]
async fn a_long_chain_of_causes_is_shown_and_nested_no_deeper_than_browsers_follow() {
    let (shop, flow) = a_chain(1000).await;
    for path in [format!("/flows/{flow}"), "/events/1".into()] {
        let page = shop.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let (mut depth, mut deepest) = (0, 0);
        for tag in page.body.split('<') {
            depth += i32::from(tag.starts_with("ul")) - i32::from(tag.starts_with("/ul"));
            deepest = deepest.max(depth);
        }
        assert!(deepest < 60, "{path}: lists in {deepest} lists");
        assert!(page.body.contains("\"/events/200\""), "{path}");
    }
    let whole = shop.get(&format!("/flows/{flow}")).await.body;
    assert!(whole.contains("\"/events/1000\""));
}
