//! The published feed of a system, heard over HTTP: the contract of every bus, with a real server.

use fait::App;
use fait::app::AppBuilder;
use fait::bus::{BusError, Inlet};
use fait::store::BoxFuture;
use fait::test::bus::Way;
use fait_http::Feed;
use fait_web::{Clients, NewToken, Site};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server at one port, as often as its system is started, and whoever hears it.
struct Over {
    port: u16,
    token: NewToken,
    served: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Over {
    async fn new() -> Over {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Over {
            port: listener.local_addr().unwrap().port(),
            token: NewToken::of("hearer").unwrap(),
            served: Mutex::default(),
        }
    }
}

impl Way for Over {
    fn start(&self, sender: AppBuilder) -> BoxFuture<'_, App> {
        Box::pin(async move {
            let app = sender.build().unwrap();
            let clients = Clients::read(&format!("{} feed", self.token.line)).unwrap();
            let site = Site::new(app.clone()).clients(clients);
            let at = ("127.0.0.1", self.port);
            let listener = TcpListener::bind(at).await.unwrap();
            let (stop, stopped) = oneshot::channel();
            let served = tokio::spawn(async move {
                let until = async {
                    let _ = stopped.await;
                };
                site.serve(listener, until).await.unwrap();
            });
            *self.served.lock().unwrap() = Some((stop, served));
            app
        })
    }

    fn stop(&self, sender: App) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let served = self.served.lock().unwrap().take();
            if let Some((stop, served)) = served {
                let _ = stop.send(());
                served.await.unwrap();
            }
            sender.stop().await;
        })
    }

    fn inlet(&self, _: &str) -> BoxFuture<'_, Arc<dyn Inlet>> {
        let feed = Feed::of(&format!("http://127.0.0.1:{}", self.port)).unwrap();
        let feed = feed.token(&self.token.token).unwrap();
        let feed = feed.wait(Duration::from_secs(1));
        Box::pin(async move { Arc::new(feed) as Arc<dyn Inlet> })
    }
}

fait::bus_contract!(make: Over::new);

#[tokio::test]
async fn what_is_no_feed_is_said_and_who_is_not_let_in_tries_again() {
    let page = crate::server::Server::start(&[]).await;
    let feed = Feed::of(&page.free_address().await).unwrap();
    let error = feed.take(None).await.unwrap_err();
    assert!(matches!(&error, BusError::Later(why) if why.starts_with("no connection")));
    let over = Over::new().await;
    let app = over.start(App::in_memory()).await;
    let address = format!("http://127.0.0.1:{}", over.port);
    let stranger = Feed::of(&address).unwrap();
    let error = stranger.take(None).await.unwrap_err();
    assert_eq!(
        error,
        BusError::Later(
            "401 Unauthorized: send the client's token as `Authorization: Bearer …`".into()
        )
    );
    let known = stranger.token(&over.token.token).unwrap();
    let known = known.wait(Duration::ZERO);
    assert_eq!(known.take(None).await, Ok(vec![]));
    // Pages answer 200 as well.
    let other = Feed::of(&format!("{address}/api/manifest?")).unwrap();
    let error = other.wait(Duration::ZERO).take(None).await.unwrap_err();
    assert!(matches!(&error, BusError::Unfit(why) if why.contains("is no published feed")));
    over.stop(app).await;
}
