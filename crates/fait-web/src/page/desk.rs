//! What a page needs: who looks, when, and what they are asked.

use super::trouble::Trouble;
use crate::request::Who;
use crate::shared::Shared;
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use fait::app::Asked;
use fait::event::Time;
use fait::manifest::{CommandEntry, ViewEntry};
use serde_json::Value;
use std::collections::BTreeSet;

/// Tasks that are shown at most.
pub(super) const MOST: usize = 200;

/// The desk of somebody who looks at a page.
pub(super) struct Desk {
    pub(super) shared: Shared,
    pub(super) who: Who,
    pub(super) now: Time,
    /// What the role is asked, oldest first.
    pub(super) asked: Vec<Asked>,
}

impl Desk {
    pub(super) fn of(headers: &HeaderMap, shared: &Shared) -> Result<Desk, Trouble> {
        let who = Who::of(headers, shared);
        let asked = match &who.role {
            Some(role) => shared.app.inbox(role, MOST)?,
            None => vec![],
        };
        Ok(Desk {
            shared: shared.clone(),
            who,
            now: shared.app.clock().now(),
            asked,
        })
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
        Desk::of(&parts.headers, shared)
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
