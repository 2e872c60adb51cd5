//! The pages of a board without a system, for whoever writes the board.

use crate::page::Alone;
use crate::sheet::Sheet;
use crate::site::{headers, panicked, this_machine};
use axum::Router;
use axum::middleware;
use std::future::Future;
use std::io;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;

/// The pages of a board that is only a text so far. Whoever edits the text shows each new
/// version; open pages follow.
///
/// It only shows: nothing can be changed by it. Listen on a loopback address.
#[derive(Clone, Debug)]
pub struct BoardSite {
    sheet: watch::Sender<Arc<Sheet>>,
    closing: watch::Sender<bool>,
}

impl BoardSite {
    /// The pages of a board; `file` is what the text is called.
    #[must_use]
    pub fn new(file: &str, source: &str) -> BoardSite {
        BoardSite {
            sheet: watch::Sender::new(Arc::new(Sheet::read(file, source))),
            closing: watch::Sender::new(false),
        }
    }

    /// Shows a newer text; the same text again changes nothing.
    pub fn show(&self, source: &str) {
        self.sheet.send_if_modified(|sheet| {
            let same = sheet.source == source && sheet.lost.is_none();
            if !same {
                *sheet = Arc::new(Sheet::read(&sheet.file, source));
            }
            !same
        });
    }

    /// Says why there is no newer text, beside what was read last.
    pub fn lost(&self, reason: &str) {
        self.sheet.send_if_modified(|sheet| {
            let same = sheet.lost.as_deref() == Some(reason);
            if !same {
                *sheet = Arc::new(sheet.with_loss(reason));
            }
            !same
        });
    }

    /// The pages as a tower service, for tests and for other servers.
    pub fn into_service(self) -> Router {
        let alone = Alone {
            sheet: self.sheet.subscribe(),
            closing: self.closing.subscribe(),
        };
        crate::page::alone()
            .with_state(alone)
            .layer(middleware::from_fn(headers))
            .layer(CatchPanicLayer::custom(panicked))
    }

    /// Serves until `shutdown` resolves.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let local = listener.local_addr()?.ip().is_loopback();
        let closing = self.closing.clone();
        let stop = async move {
            shutdown.await;
            // Streams end now; without that they would hold the server open.
            closing.send_replace(true);
        };
        let mut routes = self.into_service();
        if local {
            routes = routes.layer(middleware::from_fn(this_machine));
        }
        axum::serve(listener, routes)
            .with_graceful_shutdown(stop)
            .await
    }
}
