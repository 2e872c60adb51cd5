//! A broker that is away, that is another one than it was, that is too small and too old.

use crate::log::{Reader, message, messages, relay};
use crate::server::Server;
use async_nats::jetstream::{self, Context};
use fait::bus::{BusError, Inlet, Mark, Outlet};
use fait_nats::{Keep, Nats, NatsError, Options};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

async fn connect(server: &Server) -> Nats {
    let nats = Nats::connect(&server.url(), Options::default()).await;
    nats.expect("connected")
}

/// As an operator does with the tools of NATS.
async fn operator(server: &Server) -> Context {
    let client = async_nats::connect(server.url()).await.expect("connected");
    jetstream::new(client)
}

/// Ten messages, and a reader that has read them.
async fn ten(nats: &Nats) -> (Reader, impl Inlet + use<>) {
    relay(&nats.outlet("tickets"), 10)
        .await
        .expect("handed over");
    let inlet = nats.inlet("tickets", "sponsorship");
    let mut reader = Reader::default();
    reader.upto(&inlet, 10).await.expect("read");
    (reader, inlet)
}

/// What a reader hears, once the server is back.
async fn heard(inlet: &dyn Inlet, after: Option<Mark>) -> BusError {
    loop {
        match inlet.take(after.clone()).await {
            Err(BusError::Later(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(e) => return e,
            Ok(found) => assert!(found.is_empty(), "{found:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() {
    let keep = Keep {
        duplicates: Duration::from_millis(100),
        ..Keep::default()
    };
    let mut server = Server::start("");
    server.kill();
    // The system starts without its broker.
    let nats = connect(&server).await;
    let (outlet, inlet) = (
        nats.outlet("tickets").keeps(keep),
        nats.inlet("tickets", "s"),
    );
    assert!(matches!(outlet.reached().await, Err(BusError::Later(_))));
    assert!(matches!(inlet.take(None).await, Err(BusError::Later(_))));
    let mut reader = Reader::default();
    // Each time for longer than the server knows ids for, and with an answer that was lost.
    for head in 1..=3_u64 {
        server.up();
        let before = relay(&outlet, head * 10 - 5).await.expect("handed over");
        let more = messages(head * 10 - 4, head * 10);
        // Given up right after they were sent.
        _ = tokio::time::timeout(Duration::ZERO, outlet.hand_over(before, more)).await;
        reader
            .upto(&inlet, head as usize * 10 - 5)
            .await
            .expect("read");
        server.kill();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(matches!(outlet.reached().await, Err(BusError::Later(_))));
        assert!(matches!(
            inlet.take(reader.mark.clone()).await,
            Err(BusError::Later(_))
        ));
    }
    server.up();
    relay(&outlet, 40).await.expect("handed over");
    reader.upto(&inlet, 40).await.expect("read");
    reader.complete(40);
}

#[tokio::test]
async fn a_stream_that_was_deleted_and_made_anew_is_another_history() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let (reader, inlet) = ten(&nats).await;
    let outlet = nats.outlet("tickets");
    let before = outlet.reached().await.expect("reached");
    operator(&server)
        .await
        .delete_stream("fait-tickets")
        .await
        .expect("deleted");
    let gone = inlet.take(reader.mark.clone()).await;
    assert!(
        matches!(&gone, Err(BusError::Later(why)) if why.contains("not there")),
        "{gone:?}"
    );
    // Who publishes sees it before anything is taken.
    let late = outlet.hand_over(before.clone(), messages(11, 12)).await;
    assert!(matches!(late, Err(BusError::Later(_))), "{late:?}");
    let after = outlet.reached().await.expect("reached");
    assert_ne!(after.history, before.history);
    assert_eq!((after.sequence, after.position), (0, None));
    // Also when the new stream is as long as the old one.
    outlet
        .hand_over(after, messages(1, 12))
        .await
        .expect("handed over");
    let other = heard(&inlet, reader.mark.clone()).await;
    assert!(
        matches!(&other, BusError::Other(why) if why.contains("fait-tickets of")),
        "{other:?}"
    );
    // An operator said: from the beginning.
    let mut again = Reader::default();
    again.upto(&inlet, 12).await.expect("read");
    again.complete(12);
}

#[tokio::test]
async fn a_stream_that_was_purged_before_it_was_read_stops_its_reader() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let (reader, inlet) = ten(&nats).await;
    let outlet = nats.outlet("tickets");
    // What was read may go.
    let stream = operator(&server)
        .await
        .get_stream("fait-tickets")
        .await
        .expect("a stream");
    stream.purge().await.expect("purged");
    let reached = outlet.reached().await.expect("reached");
    assert_eq!(
        (reached.sequence, reached.position),
        (10, None),
        "its position is not known"
    );
    assert_eq!(inlet.take(reader.mark.clone()).await, Ok(vec![]));
    outlet
        .hand_over(reached, messages(11, 15))
        .await
        .expect("handed over");
    // What was not read must not.
    stream.purge().await.expect("purged");
    let other = heard(&inlet, reader.mark.clone()).await;
    assert!(
        matches!(&other, BusError::Other(why) if why.contains("11 to 15")),
        "{other:?}"
    );
    // Also when it reads, and what is next is there.
    let reached = outlet.reached().await.expect("reached");
    outlet
        .hand_over(reached, messages(16, 17))
        .await
        .expect("handed over");
    let other = heard(&inlet, reader.mark.clone()).await;
    assert!(
        matches!(&other, BusError::Other(why) if why.contains("11 to 15")),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_message_that_is_missing_in_the_middle_stops_its_reader() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let (reader, inlet) = ten(&nats).await;
    relay(&nats.outlet("tickets"), 15)
        .await
        .expect("handed over");
    let stream = operator(&server)
        .await
        .get_stream("fait-tickets")
        .await
        .expect("a stream");
    stream.delete_message(13).await.expect("deleted");
    let two = inlet.take(reader.mark).await.expect("what is before it");
    assert_eq!(two.len(), 2);
    let other = inlet.take(Some(two[1].mark.clone())).await;
    assert!(
        matches!(&other, Err(BusError::Other(why)) if why.contains("13")),
        "{other:?}"
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        match entry.file_type().expect("its type").is_dir() {
            true => copy(&entry.path(), &to),
            false => _ = std::fs::copy(entry.path(), to).expect("copied"),
        }
    }
}

#[tokio::test]
async fn a_stream_that_was_restored_from_a_copy_stops_its_reader_until_it_is_full_again() {
    let mut server = Server::start("");
    let nats = connect(&server).await;
    let (mut reader, inlet) = ten(&nats).await;
    server.kill();
    let kept = server.path().join("copy");
    copy(&server.files(), &kept);
    server.up();
    let outlet = nats.outlet("tickets");
    relay(&outlet, 20).await.expect("handed over");
    reader.upto(&inlet, 20).await.expect("read");
    server.kill();
    std::fs::remove_dir_all(server.files()).expect("removed");
    copy(&kept, &server.files());
    server.up();
    let other = heard(&inlet, reader.mark.clone()).await;
    assert!(
        matches!(&other, BusError::Other(why) if why.contains("ends at")),
        "{other:?}"
    );
    // The system that publishes has all of it, and each message takes its old place.
    relay(&outlet, 25).await.expect("handed over");
    reader.upto(&inlet, 25).await.expect("read");
    reader.complete(25);
}

#[tokio::test]
async fn a_place_that_no_stream_ever_has_is_not_read_on_from() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let (reader, inlet) = ten(&nats).await;
    let beyond = reader.mark.map(|mark| Mark {
        sequence: u64::MAX,
        ..mark
    });
    let other = heard(&inlet, beyond).await;
    assert!(
        matches!(&other, BusError::Other(why) if why.contains("ends at message 10")),
        "{other:?}"
    );
}

#[tokio::test]
async fn a_message_that_is_too_large_is_named_and_those_before_it_are_taken() {
    let server = Server::start("max_payload: 4096");
    let nats = connect(&server).await;
    let outlet = nats.outlet("tickets");
    let mut all = messages(1, 3);
    all[2].event.subject = Some("x".repeat(5000));
    let empty = outlet.reached().await.expect("reached");
    let refused = outlet.hand_over(empty, all).await;
    let Err(BusError::Message { position, why }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(position, message(3).position);
    assert!(why.contains("4096") && why.contains("max_payload"), "{why}");
    assert_eq!(
        outlet.reached().await.map(|reached| reached.position),
        Ok(Some(4))
    );
}

#[tokio::test]
async fn a_message_that_the_stream_does_not_take_is_named() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let outlet = nats.outlet("tickets");
    let empty = outlet.reached().await.expect("reached");
    let context = operator(&server).await;
    let stream = context.get_stream("fait-tickets").await.expect("a stream");
    let mut config = stream.cached_info().config.clone();
    config.max_message_size = 1000;
    context.update_stream(&config).await.expect("changed");
    let mut all = messages(1, 2);
    all[1].event.subject = Some("x".repeat(5000));
    let refused = outlet.hand_over(empty, all).await;
    assert!(
        matches!(refused, Err(BusError::Message { position: 4, .. })),
        "{refused:?}"
    );
    // And that it was changed is said.
    let unfit = outlet.reached().await;
    assert!(matches!(&unfit, Err(BusError::Unfit(why)) if why.contains("max_msg_size is 1000")));
}

#[tokio::test]
async fn a_stream_that_is_set_up_otherwise_is_not_used() {
    let server = Server::start("");
    let nats = connect(&server).await;
    nats.outlet("tickets").reached().await.expect("made");
    let keep = Keep {
        age: None,
        ..Keep::default()
    };
    let unfit = nats.outlet("tickets").keeps(keep).reached().await;
    let Err(BusError::Unfit(why)) = unfit else {
        panic!("{unfit:?}");
    };
    assert!(
        why.contains("max_age is 604800 s, and none was asked for"),
        "{why}"
    );
    assert!(why.contains("nats stream edit fait-tickets"), "{why}");
}

#[tokio::test]
async fn what_the_server_is_too_old_for_is_named() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let keep = Keep {
        compressed: true,
        ..Keep::default()
    };
    let unfit = nats.outlet("tickets").keeps(keep).reached().await;
    let Err(BusError::Unfit(why)) = unfit else {
        // A newer server than the oldest one does it.
        return unfit.map(|_| ()).expect("made");
    };
    assert!(why.contains("a compressed stream needs"), "{why}");
    assert!(why.contains("2.10.0"), "{why}");
    let none = operator(&server).await.get_stream("fait-tickets").await;
    assert!(none.is_err(), "nothing was made");
}

#[tokio::test]
async fn what_a_single_server_cannot_keep_is_named() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let keep = Keep {
        replicas: 3,
        ..Keep::default()
    };
    let unfit = nats.outlet("tickets").keeps(keep).reached().await;
    assert!(
        matches!(&unfit, Err(BusError::Unfit(why)) if why.contains("replicas")),
        "{unfit:?}"
    );
}

#[tokio::test]
async fn somebody_elses_message_in_the_stream_is_named() {
    let server = Server::start("");
    let nats = connect(&server).await;
    let outlet = nats.outlet("tickets");
    relay(&outlet, 3).await.expect("handed over");
    let context = operator(&server).await;
    let sent = context
        .publish("fait.tickets.other", "me too".into())
        .await
        .expect("sent");
    sent.await.expect("taken");
    let unfit = outlet.reached().await;
    let named = matches!(&unfit, Err(BusError::Unfit(why)) if why.contains("fait.tickets.other"));
    assert!(named, "{unfit:?}");
}

#[tokio::test]
async fn a_server_without_jetstream_is_refused_at_once() {
    let server = Server::bare();
    let refused = Nats::connect(&server.url(), Options::default()).await;
    let named = matches!(&refused, Err(NatsError::Unfit(why)) if why.contains("jetstream"));
    assert!(named, "{refused:?}");
}

/// A server that says what an older one says, and then answers pings.
fn old_server(version: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address");
    let info = format!(
        "INFO {{\"server_id\":\"X\",\"version\":\"{version}\",\"headers\":true,\
         \"jetstream\":true,\"max_payload\":1048576,\"proto\":1}}\r\n"
    );
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.expect("a connection");
            let lines = BufReader::new(socket.try_clone().expect("a second handle")).lines();
            _ = socket.write_all(info.as_bytes());
            for line in lines.map_while(Result::ok) {
                if line == "PING" {
                    _ = socket.write_all(b"PONG\r\n");
                }
            }
        }
    });
    format!("nats://{address}")
}

#[tokio::test]
async fn an_older_server_is_refused_at_once() {
    let refused = Nats::connect(&old_server("2.9.9"), Options::default()).await;
    let Err(NatsError::Unfit(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(why.contains("2.9.9") && why.contains("2.9.10"), "{why}");
    let newer = Nats::connect(&old_server("2.10.0"), Options::default()).await;
    newer.expect("it is new enough");
}
