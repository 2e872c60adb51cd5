//! Where a process begins: one that was there from the start stays so whatever becomes of the
//! views; a new one says what it makes of the past.

use crate::parcels::*;
use fait::app::{App, AppBuilder, Begin};
use fait::event::minutes;
use fait::process::{Began, Status, types};
use fait::query::Query;
use fait::store::{Memory, Range, Store};
use std::fs;
use std::path::Path;
use std::sync::Arc;

async fn begun(store: &dyn Store) -> Vec<(u64, Began)> {
    let query = Query::types(&[types::BEGAN]);
    let slice = store.read(&query, Range::after(0, 100)).await.unwrap();
    let read = |e: &_| Began::read(e).unwrap();
    let events = slice.events.iter();
    events.map(|e| (e.meta.position, read(e))).collect()
}

/// A history of three parcels before there was any process: one arrived, two are underway.
async fn past(store: &Arc<Memory>, mail: &Mail) {
    let app = office(App::on(store.clone()), mail).build().unwrap();
    for parcel in ["a", "b", "c"] {
        send(&app, parcel).await;
    }
    deliver(&app, "a").await;
    app.stop().await;
    assert!(
        begun(&**store).await.is_empty(),
        "there is no process to begin"
    );
}

async fn started(begin: Option<Begin>) -> (Arc<Memory>, Mail, App) {
    let (store, mail) = (Arc::new(Memory::default()), Mail::default());
    past(&store, &mail).await;
    let app = wired(App::on(store.clone()), &mail, begin);
    let app = app.build().unwrap();
    app.settle().await;
    (store, mail, app)
}

fn wired(place: AppBuilder, mail: &Mail, begin: Option<Begin>) -> AppBuilder {
    let app = office(place, mail)
        .process::<DeliverPolitely>()
        .policy::<Confirm>();
    match begin {
        None => app,
        Some(Begin::Adopt) => app.begins("deliver", Begin::Adopt),
        Some(begin) => app.begins("deliver", begin).begins("confirm", begin),
    }
}

#[tokio::test]
async fn a_new_process_hears_nothing_of_the_past() {
    let (store, mail, app) = started(None).await;
    assert_eq!(app.instances(None, None, 9).unwrap(), []);
    let known = begun(&*store).await;
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].1.processes["deliver"], 4);
    // What goes on from before is not its matter; what begins now is.
    deliver(&app, "b").await;
    send(&app, "d").await;
    deliver(&app, "d").await;
    app.settle().await;
    assert_eq!(
        mail.to("b"),
        ["arrived, thank you"],
        "every event may begin this process"
    );
    assert_eq!(mail.to("d"), ["arrived, thank you", "confirmed"]);
    assert_eq!(mail.letters().len(), 3, "{:?}", mail.letters());
}

#[tokio::test]
async fn from_the_start_everything_is_sent_for_the_past() {
    let (_, mail, _app) = started(Some(Begin::FromStart)).await;
    assert_eq!(mail.to("a"), ["arrived, thank you", "confirmed"]);
    assert_eq!(mail.to("b"), ["confirmed"]);
}

#[tokio::test]
async fn adopted_instances_go_on_without_what_they_would_have_done() {
    let (store, mail, app) = started(Some(Begin::Adopt)).await;
    let instances = app.instances(Some("deliver"), None, 9).unwrap();
    let mut keys: Vec<&str> = instances.iter().map(|i| i.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["b", "c"], "what had arrived is not begun");
    assert!(
        instances
            .iter()
            .all(|i| i.open.is_empty() && i.deadlines.is_empty())
    );
    assert_eq!(mail.letters(), []);
    let known = begun(&*store).await;
    assert_eq!(known.len(), 2);
    assert!(known[0].1.adopting.contains("deliver"));
    assert!(known[1].1.adopting.is_empty());
    assert_eq!(known[1].1.processes["deliver"], 4);
    deliver(&app, "b").await;
    app.settle().await;
    assert_eq!(mail.letters(), [("b".into(), "arrived, thank you".into())]);
    // Begun again with its views lost, it adopts nothing twice and hears nothing twice.
    app.stop().await;
    let app = wired(App::on(store.clone()), &mail, Some(Begin::Adopt));
    let app = app.build().unwrap();
    app.settle().await;
    assert_eq!(begun(&*store).await.len(), 2);
    assert_eq!(mail.letters().len(), 1);
    deliver(&app, "c").await;
    app.settle().await;
    assert_eq!(mail.to("c"), ["arrived, thank you"]);
}

#[tokio::test]
async fn an_adoption_that_broke_off_goes_on_at_the_next_start() {
    let (store, mail) = (Arc::new(Memory::default()), Mail::default());
    past(&store, &mail).await;
    // Stopped before it ran: that adoption is under way is recorded, and nothing is adopted.
    let app = wired(App::on(store.clone()), &mail, Some(Begin::Adopt));
    let app = app.build().unwrap();
    app.stop().await;
    assert_eq!(begun(&*store).await.len(), 1);
    // Meanwhile another program records more, which is behind where it begins.
    let app = office(App::on(store.clone()), &mail).build().unwrap();
    deliver(&app, "c").await;
    app.stop().await;
    // It need not be said again.
    let app = wired(App::on(store.clone()), &mail, None).build().unwrap();
    app.settle().await;
    let known = begun(&*store).await;
    assert_eq!(known[1].1.processes["deliver"], 4);
    assert_eq!(
        app.instance("deliver", "b").await.unwrap().unwrap().status,
        Status::Running
    );
    assert_eq!(mail.letters(), [("c".into(), "arrived, thank you".into())]);
}

/// Deletes the views of a folder.
fn lose_views(folder: &Path) {
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        let _ = fs::remove_file(folder.join(file));
    }
}

#[tokio::test]
async fn a_process_that_was_idle_from_the_start_is_not_new_when_the_views_are_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mail = Mail::default();
    let wired = || wired(App::in_folder(folder.path()), &mail, None);
    let app = wired().build().unwrap();
    app.stop().await;
    // A program without the process records an order, as an import would.
    let app = office(App::in_folder(folder.path()), &mail)
        .build()
        .unwrap();
    send(&app, "a").await;
    app.stop().await;
    lose_views(folder.path());
    let app = wired().build().unwrap();
    app.settle().await;
    assert!(app.instance("deliver", "a").await.unwrap().is_some());
    assert_eq!(mail.to("a"), ["confirmed"]);
    app.stop().await;
}

#[tokio::test]
async fn a_folder_from_before_this_was_recorded_goes_on_as_it_was() {
    // The facts of a process show that it was there: the history of another system is copied
    // without the note.
    let mail = Mail::default();
    let with_note = Arc::new(Memory::default());
    let app = wired(App::on(with_note.clone()), &mail, None)
        .build()
        .unwrap();
    send(&app, "a").await;
    app.settle().await;
    app.stop().await;
    let store = Arc::new(Memory::default());
    let all = with_note
        .read(&Query::all(), Range::after(1, 100))
        .await
        .unwrap();
    for e in all.events {
        let event = fait::event::NewEvent {
            id: e.meta.id,
            ty: e.ty,
            version: e.version,
            tags: e.tags,
            data: e.data,
            origin: e.meta.origin,
        };
        let append = fait::store::Append {
            events: vec![event],
            conditions: vec![],
            command: None,
            recorded_at: e.meta.recorded_at,
        };
        store.append(append).await.unwrap();
    }
    let app = wired(App::on(store.clone()), &mail, None).build().unwrap();
    let known = begun(&*store).await;
    assert_eq!(
        known[0].1.processes,
        [("confirm".into(), 0), ("deliver".into(), 0)].into()
    );
    app.advance(minutes(61)).await;
    assert_eq!(mail.to("a"), ["confirmed", "late, sorry"]);
}

#[tokio::test]
async fn other_words_for_the_same_reaction_are_not_sent_for_the_past() {
    let folder = tempfile::tempdir().unwrap();
    let mail = Mail::default();
    let place = || office(App::in_folder(folder.path()), &mail);
    let app = place()
        .process::<Deliver>()
        .policy::<Confirm>()
        .build()
        .unwrap();
    for parcel in ["a", "b"] {
        send(&app, parcel).await;
    }
    deliver(&app, "a").await;
    app.settle().await;
    app.stop().await;
    let before = mail.letters();
    lose_views(folder.path());
    let wired = place()
        .process::<DeliverPolitely>()
        .policy::<ConfirmPolitely>();
    let app = wired.build().unwrap();
    app.settle().await;
    assert_eq!(mail.letters(), before, "nothing of the old one is repeated");
    send(&app, "c").await;
    app.settle().await;
    assert_eq!(mail.to("c"), ["confirmed, dear sender"]);
    app.stop().await;
}

#[tokio::test]
async fn a_new_definition_does_not_hear_again_what_the_old_one_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let mail = Mail::default();
    let place = || office(App::in_folder(folder.path()), &mail);
    // The first definition parks on this one, and ignores what a torn parcel is about.
    let app = place().process::<Deliver>().build().unwrap();
    deliver(&app, "a").await;
    app.settle().await;
    app.stop().await;
    let app = place().process::<DeliverPolitely>().build().unwrap();
    app.stop().await;
    lose_views(folder.path());
    let app = place().process::<DeliverPolitely>().build().unwrap();
    app.settle().await;
    let known = app
        .events(&Query::types(&[types::BEGAN]), Range::after(0, 9))
        .await
        .unwrap();
    let known: Vec<Began> = known.events.iter().filter_map(Began::read).collect();
    assert_eq!(known.len(), 2);
    assert_eq!(known[1].definition("deliver"), 2);
    assert!(known[1].processes["deliver"] > 0, "{known:?}");
    assert_eq!(mail.to("a"), ["arrived"]);
    app.stop().await;
}
