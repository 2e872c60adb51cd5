//! Events in the versions that a reader knows.

use super::*;
use fait::app::FeedError;

#[tokio::test]
async fn a_reader_gets_the_version_that_it_knows() {
    let (app, store) = open();
    let first = raw("Paid", 1, &json!({ "amount": 1 }));
    let second = raw("Paid", 2, &json!({ "amount": 2, "currency": "CHF" }));
    let ann = json!({ "amount": 3, "currency": "EUR", "from": "Ann" });
    let nobody = json!({ "amount": 4, "currency": "EUR", "from": "nobody" });
    let third = |data| raw("Received", 3, data);
    append(
        &*store,
        vec![first, second, sent(9), third(&ann), third(&nobody)],
    )
    .await;
    // It is asked for under its name of today, and comes under that also where it has an older.
    let feed = app
        .feed(Query::types(&["Received", "Sent"]))
        .in_version("Received", 2);
    let mut feed = feed.named("old-books").open().await.unwrap();
    let batch = feed.next_now().await.unwrap().unwrap();
    let given = |e: &fait::event::StoredEvent| (e.ty.clone(), e.version, e.json().unwrap());
    let given: Vec<_> = batch.events().iter().map(given).collect();
    let in_euros = |n: u32| json!({ "amount": n, "currency": "EUR" });
    let francs = json!({ "amount": 2, "currency": "CHF" });
    let received = |data| ("Received".to_string(), 2, data);
    let wanted = [
        received(in_euros(1)),
        received(francs),
        ("Sent".into(), 1, json!({ "amount": 9 })),
        received(in_euros(3)),
    ];
    assert_eq!(given, wanted);
    batch.done().await.unwrap();
    // What the old version cannot say is not left out without a word.
    let batch = feed.next_now().await.unwrap().unwrap();
    let unreadable = batch.unreadable().unwrap();
    assert_eq!(
        (unreadable.event.version, unreadable.event.json().unwrap()),
        (3, nobody)
    );
    let why = "event Received version 3 at position 5 cannot be read: it cannot be brought to \
               version 2: version 2 cannot say that nobody paid";
    assert_eq!(unreadable.error.to_string(), why);
}

#[tokio::test]
async fn an_older_name_may_be_asked_for() {
    let (app, store) = open();
    let ann = json!({ "amount": 3, "currency": "EUR", "from": "Ann" });
    append(&*store, vec![raw("Received", 3, &ann)]).await;
    let feed = app.feed(Query::types(&["Paid"])).in_version("Paid", 2);
    let mut feed = feed.open().await.unwrap();
    let batch = feed.next_now().await.unwrap().unwrap();
    let event = &batch.events()[0];
    assert_eq!((&*event.ty, event.version), ("Paid", 2));
}

#[tokio::test]
async fn a_version_that_cannot_be_given_is_refused_at_the_start() {
    let (app, _) = open();
    let refused = async |wanted: &[(&str, u32)]| {
        let mut feed = app.feed(everything());
        for (name, version) in wanted {
            feed = feed.in_version(name, *version);
        }
        let e = feed.open().await.unwrap_err();
        assert!(matches!(e, FeedError::Version(_)), "{e}");
        e.to_string()
    };
    let told = refused(&[("Received", 1)]).await;
    assert_eq!(
        told,
        "`Received` in version 1: its downcaster goes back to version 2 only"
    );
    let told = refused(&[("Received", 4)]).await;
    assert_eq!(told, "`Received` in version 4: it has versions 1 to 3");
    let told = refused(&[("Sent", 0)]).await;
    assert_eq!(told, "`Sent` in version 0: it has versions 1 to 1");
    let told = refused(&[("Recieved", 2)]).await;
    assert!(
        told.ends_with("knows no event of that name; did you mean `Received`?"),
        "{told}"
    );
    let told = refused(&[("Received", 2), ("Paid", 3)]).await;
    assert_eq!(told, "`Paid` in version 3: it is asked for twice");
}

#[tokio::test]
async fn without_a_downcaster_the_reader_is_told_what_to_write() {
    let app = crate::kitchen::open();
    let told = app.versions(&[("OrderPlaced", 1)]).unwrap_err().to_string();
    assert_eq!(
        told,
        "`OrderPlaced` in version 1: its version is 2, and it has no downcaster: write one with \
         `#[event(downcast = …)]`"
    );
    assert!(app.versions(&[("OrderPlaced", 2)]).is_ok());
}
