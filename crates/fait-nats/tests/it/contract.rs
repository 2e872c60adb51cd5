//! Two systems with NATS between them: the contract of every bus.

use crate::server::Server;
use async_nats::jetstream;
use fait::App;
use fait::app::AppBuilder;
use fait::bus::Inlet;
use fait::store::BoxFuture;
use fait::test::bus::Way;
use fait_nats::{Nats, Options};
use std::sync::Arc;

struct Between {
    server: Server,
    nats: Nats,
}

impl Between {
    async fn new() -> Between {
        let server = Server::start("");
        let nats = Nats::connect(&server.url(), Options::default()).await;
        Between {
            server,
            nats: nats.expect("connected"),
        }
    }
}

impl Way for Between {
    fn start(&self, sender: AppBuilder) -> BoxFuture<'_, App> {
        Box::pin(async move {
            let sender = sender.relays("nats", self.nats.outlet("speaker"));
            sender.build().expect("it starts")
        })
    }

    fn inlet(&self, name: &str) -> BoxFuture<'_, Arc<dyn Inlet>> {
        let inlet: Arc<dyn Inlet> = Arc::new(self.nats.inlet("speaker", name));
        Box::pin(async move { inlet })
    }

    fn another_history(&self) -> BoxFuture<'_, bool> {
        Box::pin(async move {
            let client = async_nats::connect(self.server.url())
                .await
                .expect("connected");
            let deleted = jetstream::new(client).delete_stream("fait-speaker").await;
            deleted.expect("deleted").success
        })
    }
}

fait::bus_contract!(make: || async { Between::new().await });
