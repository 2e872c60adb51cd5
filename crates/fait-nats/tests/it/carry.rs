//! Out and in, while all is well.

use crate::log::{Reader, hand_over, message, messages, relay};
use crate::server::Server;
use fait::bus::{BusError, Inlet, Outlet};
use fait_nats::{Keep, Nats, Options};
use std::time::Duration;

async fn connect(server: &Server) -> Nats {
    let nats = Nats::connect(&server.url(), Options::default()).await;
    nats.expect("connected")
}

#[tokio::test]
async fn what_is_handed_over_comes_in_once_and_in_order() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let outlet = nats.outlet("tickets");
    let empty = outlet.reached().await.expect("reached");
    assert_eq!((empty.sequence, empty.position), (0, None));
    let reached = outlet.hand_over(empty, messages(1, 1000)).await;
    let reached = reached.expect("handed over");
    assert_eq!((reached.sequence, reached.position), (1000, Some(2000)));
    assert_eq!(outlet.reached().await, Ok(reached));

    let inlet = nats.inlet("tickets", "sponsorship");
    let mut reader = Reader::default();
    reader.upto(&inlet, 1000).await.expect("read");
    reader.complete(1000);
    assert_eq!(inlet.take(reader.mark.clone()).await, Ok(vec![]));
}

#[tokio::test]
async fn the_same_is_given_again_from_any_mark_on() {
    let server = Server::start("");
    let nats = connect(&server).await;
    relay(&nats.outlet("tickets"), 10)
        .await
        .expect("handed over");
    let inlet = nats.inlet("tickets", "sponsorship");
    let all = inlet.take(None).await.expect("read");
    assert_eq!(all.len(), 10);
    inlet.done(all[9].mark.clone()).await.expect("done");
    assert_eq!(
        inlet.take(Some(all[3].mark.clone())).await,
        Ok(all[4..].to_vec())
    );
    assert_eq!(inlet.take(None).await, Ok(all.clone()));
    // Another program on the same log, under the same name.
    let other = connect(&server).await.inlet("tickets", "sponsorship");
    assert_eq!(
        other.take(Some(all[8].mark.clone())).await,
        Ok(all[9..].to_vec())
    );
    assert_eq!(
        inlet.take(Some(all[5].mark.clone())).await,
        Ok(all[6..].to_vec())
    );
}

#[tokio::test]
async fn a_reader_that_waits_is_given_what_comes() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let inlet = nats.inlet("tickets", "sponsorship");
    assert!(
        matches!(inlet.take(None).await, Err(BusError::Later(_))),
        "no stream yet"
    );
    let outlet = nats.outlet("tickets");
    outlet.reached().await.expect("made");
    let mut reader = Reader::default();
    for head in 1..=5 {
        let (taken, handed) = tokio::join!(reader.upto(&inlet, head), relay(&outlet, head as u64));
        taken.expect("read");
        handed.expect("handed over");
    }
    reader.complete(5);
}

#[tokio::test]
async fn only_what_comes_right_behind_is_taken() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let outlet = nats.outlet("tickets");
    let empty = outlet.reached().await.expect("reached");
    let three = outlet
        .hand_over(empty.clone(), messages(1, 3))
        .await
        .expect("handed over");
    // Another relay, which has not seen that.
    let late = outlet.hand_over(empty, messages(4, 6)).await;
    assert!(matches!(late, Err(BusError::Later(_))), "{late:?}");
    assert_eq!(outlet.reached().await, Ok(three.clone()));
    // The same once more is the same.
    let again = outlet.hand_over(three.clone(), messages(3, 4)).await;
    assert!(matches!(again, Err(BusError::Later(_))), "{again:?}");
    assert_eq!(outlet.reached().await, Ok(three));
}

#[tokio::test]
async fn names_of_any_kind_are_carried() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let system = "Meal tickets. *>";
    let outlet = nats.outlet(system);
    let mut odd = message(1);
    odd.event.subject = Some("a b.c*>\u{fc}\n".repeat(2000));
    let empty = outlet.reached().await.expect("reached");
    outlet
        .hand_over(empty, vec![odd, message(2)])
        .await
        .expect("handed over");
    let mut reader = Reader::default();
    reader
        .upto(&nats.inlet(system, "my reader. *>"), 2)
        .await
        .expect("read");
    reader.complete(2);
}

#[tokio::test]
async fn a_full_stream_is_waited_for_and_nothing_is_thrown_away() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let keep = Keep {
        bytes: Some(20_000),
        age: Some(Duration::from_secs(3600)),
        ..Keep::default()
    };
    let outlet = nats.outlet("tickets").keeps(keep);
    let full = loop {
        match hand_over(&outlet, 1000, 10).await {
            Ok(reached) => assert!(reached.sequence < 1000, "it is never full"),
            Err(e) => break e,
        }
    };
    assert!(
        matches!(&full, BusError::Later(why) if why.contains("maximum bytes")),
        "{full:?}"
    );
    let inlet = nats.inlet("tickets", "sponsorship");
    let count = outlet.reached().await.expect("reached").sequence;
    let mut reader = Reader::default();
    reader.upto(&inlet, count as usize).await.expect("read");
    reader.complete(count);
}
