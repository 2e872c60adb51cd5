//! What a page needs: who looks, when, and what they are asked.

use super::trouble::Trouble;
use crate::request::{Who, decode};
use crate::seen::{Seen, WAIT};
use crate::shared::Shared;
use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use fait::app::Asked;
use fait::event::Time;
use fait::manifest::{CommandEntry, ViewEntry};
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::time::Instant;

/// Tasks that are shown at most.
pub(super) const MOST: usize = 200;

/// The desk of somebody who looks at a page.
pub(super) struct Desk {
    pub(super) shared: Shared,
    pub(super) who: Who,
    pub(super) now: Time,
    /// What the role is asked, oldest first.
    pub(super) asked: Vec<Asked>,
    /// Whether what the page shows has come as far as what the person has done.
    pub(super) caught_up: bool,
    /// Whether the page says so itself.
    pub(super) said: bool,
}

impl Desk {
    /// The desk for a request. A page that is looked at waits until it shows what the person has
    /// done, at most [`WAIT`].
    async fn of(parts: &Parts, shared: &Shared) -> Result<Desk, Trouble> {
        let mut desk = Desk {
            shared: shared.clone(),
            who: Who::of(&parts.headers, shared),
            now: shared.app.clock().now(),
            asked: vec![],
            caught_up: true,
            said: false,
        };
        if parts.method == Method::GET {
            let wanted = Seen::of(parts, shared).await;
            desk.caught_up = desk.wait(parts.uri.path(), wanted).await?;
            desk.now = shared.app.clock().now();
        }
        if let Some(role) = &desk.who.role {
            desk.asked = shared.app.inbox(role, MOST)?;
        }
        Ok(desk)
    }

    /// Waits for the list of tasks, and for the views that a page shows.
    async fn wait(&self, path: &str, wanted: u64) -> Result<bool, Trouble> {
        let (app, until) = (&self.shared.app, Instant::now() + WAIT);
        let mut come = app.wait_for_tasks(wanted, WAIT).await;
        for view in self.shown(path) {
            let left = until.saturating_duration_since(Instant::now());
            come &= app.wait_for_view(view, wanted, left).await?;
        }
        Ok(come)
    }

    /// The views of which a page shows something.
    fn shown(&self, path: &str) -> BTreeSet<&str> {
        let mut parts = path.split('/').skip(1);
        let all = self.shared.manifest.views.iter();
        let (page, of) = (parts.next(), decode(parts.next().unwrap_or_default()));
        match page {
            // What others are asked is named there by what they see.
            Some("inbox") => {
                let tasks = self.shared.manifest.commands.values();
                let seen = tasks.filter_map(|t| t.page.sees.as_deref());
                seen.filter(|v| self.view(v).is_some()).collect()
            }
            Some("tasks" | "do") => self.views(),
            Some("views") => all.map(|(n, _)| n.as_str()).filter(|n| *n == of).collect(),
            Some("things") => {
                let about = all.filter(|(_, v)| v.key == of);
                about.map(|(n, _)| n.as_str()).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// The tasks of the own role, in the order of names.
    pub(super) fn tasks(&self) -> Vec<(&str, &CommandEntry)> {
        let role = self.who.role.as_deref().unwrap_or_default();
        let names = self.shared.manifest.roles.get(role).into_iter().flatten();
        names
            .filter_map(|name| Some((name.as_str(), self.shared.command(name)?)))
            .collect()
    }

    /// The views that the own tasks see; all views when no role was chosen.
    pub(super) fn views(&self) -> BTreeSet<&str> {
        if self.who.role.is_none() {
            let all = self.shared.manifest.views.keys();
            return all.map(String::as_str).collect();
        }
        let tasks = self.tasks().into_iter();
        tasks
            .filter_map(|(_, t)| t.page.sees.as_deref())
            .filter(|v| self.view(v).is_some())
            .collect()
    }

    /// A view of the manifest.
    pub(super) fn view(&self, name: &str) -> Option<&ViewEntry> {
        self.shared.manifest.views.get(name)
    }

    /// A task; the problem names the nearest.
    pub(super) fn task(&self, name: &str) -> Result<&CommandEntry, Trouble> {
        match self.shared.command(name) {
            Some(task) => Ok(task),
            None => Err(self.shared.app.task(name).err().map_or_else(
                || Trouble::not_found(format!("there is no task `{name}`")),
                Trouble::from,
            )),
        }
    }

    /// Who acts, as it stands in events.
    pub(super) fn actor(&self) -> String {
        self.who.actor().unwrap_or_else(|| "somebody".into())
    }
}

impl FromRequestParts<Shared> for Desk {
    type Rejection = Trouble;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Trouble> {
        Desk::of(parts, shared).await
    }
}

/// The id in a value.
pub(super) fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}
