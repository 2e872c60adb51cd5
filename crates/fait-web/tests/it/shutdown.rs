//! A program that is asked to stop while it serves.

use fait::App;
use fait_web::{BoardSite, Site, shutdown_signal};
use futures_util::FutureExt;
use rustix::process::{Signal, getpid, kill_process};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The connection stays open, as that of a browser does.
async fn ask(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(str::from_utf8(&answer).unwrap(), "HTTP/1.1 200 OK");
    stream
}

/// One test for all, since the signals are those of the whole process.
#[tokio::test]
async fn a_signal_ends_the_site_and_its_system() {
    for asked in [Signal::TERM, Signal::INT] {
        let app = App::in_memory().build().unwrap();
        let (listener, address) = listen().await;
        let running = tokio::spawn(Site::new(app.clone()).run(listener));
        let _follows = ask(address, "/api/events/stream").await;
        assert!(!running.is_finished());
        kill_process(getpid(), asked).unwrap();
        running.await.unwrap().unwrap();
        app.stopping().now_or_never().expect("it stops");

        let (listener, address) = listen().await;
        let board = BoardSite::new("lamps.board", "board Lamps\n");
        let running = tokio::spawn(board.serve(listener, shutdown_signal()));
        let _follows = ask(address, "/board/live").await;
        kill_process(getpid(), asked).unwrap();
        running.await.unwrap().unwrap();
    }
}
