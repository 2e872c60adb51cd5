//! Two systems in one program: the contract of every bus.

use fait::App;
use fait::app::AppBuilder;
use fait::bus::{InProcess, Inlet};
use fait::store::BoxFuture;
use fait::test::bus::Way;
use std::sync::Arc;

#[derive(Default)]
struct Direct(InProcess);

impl Way for Direct {
    fn start(&self, sender: AppBuilder) -> BoxFuture<'_, App> {
        Box::pin(async move {
            let app = sender.build().unwrap();
            self.0.connect(app.clone());
            app
        })
    }

    fn stop(&self, sender: App) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.0.disconnect();
            sender.stop().await;
        })
    }

    fn inlet(&self, _: &str) -> BoxFuture<'_, Arc<dyn Inlet>> {
        Box::pin(async move { Arc::new(self.0.clone()) as Arc<dyn Inlet> })
    }
}

fait::bus_contract!(make: || async { Direct::default() });
