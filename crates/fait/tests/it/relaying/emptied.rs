//! A broker whose messages are gone: it goes on where it was, unless nobody knows where that is.

use super::*;
use std::path::Path;

fn remembering(store: &Arc<Memory>, broker: &Broker, views: &Path) -> App {
    let place = App::on(store.clone()).views_in(views);
    office(place, broker).build().unwrap()
}

#[tokio::test]
async fn what_it_took_before_the_answer_was_lost_is_remembered() {
    let dir = tempfile::tempdir().unwrap();
    let views = dir.path().join("views.db");
    let (broker, store) = (Broker::default(), Arc::new(Memory::default()));
    let app = remembering(&store, &broker, &views);
    sold(&app, 0, 2).await;
    app.settle().await;
    broker.inside().down = true;
    sold(&app, 2, 4).await;
    app.settle().await;
    broker.inside().down = false;
    broker.goes_wrong([Wrong::Nothing, Wrong::After(2)]);
    app.retry_outlet("broker").unwrap();
    while status(&app).await.waiting > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    app.stop().await;
    drop(app);
    broker.inside().kept.clear();
    let app = remembering(&store, &broker, &views);
    sold(&app, 4, 6).await;
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(4, 6), "each once");
}

#[tokio::test]
async fn what_another_program_handed_over_last_is_not_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let views = dir.path().join("views.db");
    let (broker, store) = (Broker::default(), Arc::new(Memory::default()));
    let app = remembering(&store, &broker, &views);
    sold(&app, 0, 2).await;
    app.settle().await;
    app.stop().await;
    drop(app);
    let other = office(App::on(store.clone()), &broker).build().unwrap();
    sold(&other, 2, 4).await;
    other.settle().await;
    other.stop().await;
    broker.inside().kept.clear();
    let app = remembering(&store, &broker, &views);
    app.settle().await;
    assert_eq!(broker.subjects(), subjects(0, 0), "nothing comes again");
    let halted = status(&app).await.halted.unwrap();
    assert_eq!(halted.wants, Wants::Replay);
    assert!(halted.reason.contains("emptied"), "{halted:?}");
}
