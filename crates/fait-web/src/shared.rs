//! What every route needs.

use crate::clients::Clients;
use crate::kebab::kebab;
use crate::others::Others;
use crate::running::Running;
use crate::sheet::Sheet;
use crate::trial::Trial;
use fait::App;
use fait::board::happened::Tally;
use fait::board::play::Playing;
use fait::manifest::{CommandEntry, Manifest, ProcessEntry};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// Largest body of a request, in bytes.
pub(crate) const MAX_BODY: usize = 2 << 20;

/// A running system with what is shown of it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) app: App,
    /// The system as data; it does not change while it runs.
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) title: Arc<str>,
    pub(crate) board: Option<Arc<Sheet>>,
    /// What happened, counted for the board as far as somebody asked.
    pub(crate) tally: Arc<Mutex<Tally>>,
    /// The examples of the board, where they can be run.
    pub(crate) trial: Option<Arc<Trial>>,
    /// The board that the system plays, if it plays one.
    pub(crate) playing: Option<Playing>,
    /// Other systems that are asked for their part of a flow.
    pub(crate) others: Others,
    /// Who may use the open door; none when nobody is asked who they are.
    pub(crate) clients: Option<Arc<Clients>>,
    /// What is being carried out for them.
    pub(crate) running: Running,
    closing: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(
        app: App,
        title: Option<String>,
        board: Option<Sheet>,
        trial: Option<Trial>,
    ) -> Self {
        let manifest = Arc::new(app.manifest());
        let title = title.unwrap_or_else(|| app.name().to_string());
        let closing = watch::Sender::new(false);
        Shared {
            app,
            manifest,
            title: title.into(),
            board: board.map(Arc::new),
            tally: Arc::default(),
            trial: trial.map(Arc::new),
            playing: None,
            others: Others::default(),
            clients: None,
            running: Running::default(),
            closing,
        }
    }

    /// Ends everything that would go on by itself.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Resolves once the server or the system stops.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + Send + 'static {
        let (mut closing, app) = (self.closing.subscribe(), self.app.clone());
        async move {
            tokio::select! {
                // The sender lives in `Shared`; when it is gone, the server is.
                _ = closing.wait_for(|closing| *closing) => {}
                () = app.stopping() => {}
            }
        }
    }

    /// A command of the manifest.
    pub(crate) fn command(&self, name: &str) -> Option<&CommandEntry> {
        self.manifest.commands.get(name)
    }

    /// A process or policy of the manifest.
    pub(crate) fn process(&self, name: &str) -> Option<&ProcessEntry> {
        let m = &self.manifest;
        m.processes.get(name).or_else(|| m.policies.get(name))
    }

    /// A role by its name or its name in an actor: `Floor manager`, `floor-manager`.
    pub(crate) fn role(&self, text: &str) -> Option<&str> {
        let wanted = kebab(text);
        self.manifest
            .roles
            .keys()
            .find(|r| kebab(r) == wanted)
            .map(String::as_str)
    }
}
