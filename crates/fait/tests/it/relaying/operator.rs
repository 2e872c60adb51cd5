//! What an operator says while messages come.

use super::*;
use tokio::sync::Semaphore;

#[tokio::test]
async fn a_replay_is_not_lost_on_messages_that_come_while_the_broker_is_asked() {
    let broker = Broker::default();
    let app = office(App::in_memory(), &broker).build().unwrap();
    sold(&app, 0, 3).await;
    app.settle().await;
    let gate = Arc::new(Semaphore::new(0));
    broker.inside().gate = Some(gate.clone());
    let said = tokio::spawn({
        let app = app.clone();
        async move {
            app.replay("broker", ReplayFrom::Start, "operator:eva", None)
                .await
        }
    });
    while broker.inside().at_gate == 0 {
        tokio::task::yield_now().await;
    }
    sold(&app, 3, 5).await;
    while app.published(0, 10, &[]).await.unwrap().messages.len() < 5 {
        tokio::task::yield_now().await;
    }
    // Time for the relay to take these in hand.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    gate.add_permits(1000);
    said.await.unwrap().unwrap();
    app.settle().await;
    let again = [subjects(0, 3), subjects(0, 5)].concat();
    assert_eq!(broker.subjects(), again);
}
