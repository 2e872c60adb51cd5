//! Publishing: what is wired, and what was published.

use super::App;
use super::build::{AppBuilder, BuildError, unique};
use crate::bus::Messages;
use crate::runtime::bus::messages::messages_of;
use fait_core::bus::{Publish, PublishDef, PublishedDef};
use fait_core::event::Position;
use fait_core::store::{MAX_NAME_BYTES, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

impl AppBuilder {
    /// What others are told. Where it begins in a system that has a history says
    /// [`begins`](AppBuilder::begins) with its name: from now on, unless something else is said.
    #[must_use]
    pub fn publishes<P: Publish>(self) -> Self {
        self.publication(PublishDef::of::<P>())
    }

    /// A publication as data.
    #[must_use]
    pub fn publication(mut self, def: PublishDef) -> Self {
        self.publications.push(def);
        self
    }

    /// Who this system is to others: the `source` of its messages, a URI that must never change.
    /// Without it, it is `urn:fait:`, the id of the log, and the system's name.
    #[must_use]
    pub fn source(mut self, uri: &str) -> Self {
        self.source = Some(uri.into());
        self
    }

    pub(super) fn source_of(&self, store: Uuid) -> String {
        let own = || format!("urn:fait:{store}:{}", in_uri(&self.name));
        self.source.clone().unwrap_or_else(own)
    }

    /// What can be known to be wrong with what is published.
    pub(super) fn check_published(&self) -> Result<(), BuildError> {
        let wrong = |message: String| Err(BuildError::Wiring(message));
        let processes = self.processes.iter().map(|p| p.name.as_str());
        let publications = self.publications.iter().map(|p| p.name.as_str());
        unique("process or publication", processes.chain(publications))?;
        let mut types: BTreeMap<&str, &PublishedDef> = BTreeMap::new();
        for publication in &self.publications {
            let name = &publication.name;
            let long = name.len() + "publication:".len() > MAX_NAME_BYTES;
            if name.is_empty() || long || name.chars().any(char::is_control) {
                return wrong(format!("a publication cannot be named `{name}`"));
            }
            if publication.types.is_empty() {
                return wrong(format!("publication `{name}` looks at no event"));
            }
            for def in &publication.publishes {
                let other = types.insert(&def.ty, def);
                if other.is_some_and(|other| other != def) {
                    let ty = &def.ty;
                    return wrong(format!(
                        "two different types are published as `{ty}`: give one of them another \
                         name or version"
                    ));
                }
            }
        }
        match &self.source {
            Some(uri) if !is_uri(uri) => wrong(format!(
                "`{uri}` is no source: write a URI, as in `urn:example:tickets` or \
                 `https://tickets.example.com`"
            )),
            _ => Ok(()),
        }
    }
}

/// A name as a part of a URN.
fn in_uri(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_lowercase(),
        false => '-',
    };
    let plain: String = name.chars().map(plain).collect();
    match plain.trim_matches('-') {
        "" => "system".into(),
        some => some.into(),
    }
}

/// Whether a text has a scheme, and no character that a URI does not have.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let of_uri = |c: char| c.is_ascii_graphic() && !r#"<>"{}|\^`"#.contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(of_scheme)
        && !rest.is_empty()
        && rest.chars().all(of_uri)
}

impl App {
    /// Who this system is to others: the `source` of its messages.
    pub fn source(&self) -> &str {
        &self.core.source
    }

    /// What is published, type by type.
    pub fn published_types(&self) -> Vec<PublishedDef> {
        let of = self.core.publications.iter();
        let types = of.flat_map(|p| &p.def.publishes);
        let types: BTreeMap<&str, &PublishedDef> = types.map(|t| (t.ty.as_str(), t)).collect();
        types.into_values().cloned().collect()
    }

    /// What was published behind a position, in order: at most so many, and at most
    /// [`MAX_MESSAGES`](super::MAX_MESSAGES), fewer where they are large; of these types, or of all
    /// where none is named.
    ///
    /// # Errors
    /// The store cannot be read, or a newer program has published.
    pub async fn published(
        &self,
        after: Position,
        most: usize,
        types: &[String],
    ) -> Result<Messages, StoreError> {
        self.core.published(after, most, types).await
    }

    /// Waits until something is published behind a position, but no longer than that, and not
    /// when the system stops; says whether something was.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn wait_published(
        &self,
        after: Position,
        within: Duration,
    ) -> Result<bool, StoreError> {
        let query = messages_of(&[]);
        let found = async {
            loop {
                let head = self.core.store.head().await?;
                if self.core.store.last(&query).await? > after {
                    return Ok(true);
                }
                self.core.store.wait(head).await?;
            }
        };
        tokio::select! {
            biased;
            found = found => found,
            () = self.core.stop.cancelled() => Ok(false),
            () = tokio::time::sleep(within) => Ok(false),
        }
    }
}
