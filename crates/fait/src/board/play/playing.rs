//! A board while it is played: what its pages say of it, and what they can do with it.

use super::{Play, Saved};
use crate::app::App;
use fait_core::event::{Position, Tag};
use fait_core::query::Query;
use fait_core::store::{Range, StoreError};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The longest time that can be let pass at once.
pub const MAX_PASSES: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How long is waited for what follows from what somebody did, before it is saved.
const FOLLOWS: Duration = Duration::from_secs(2);

/// Things that are named to choose a story from.
const THINGS: usize = 12;

/// Events that are looked at for them.
const LOOKED_AT: usize = 500;

/// Events read at once.
const PAGE: usize = 1000;

/// A board while it is played. Cheap to clone; all clones say the same.
#[derive(Clone, Debug)]
pub struct Playing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    play: Play,
    source: String,
    app: App,
    file: Option<PathBuf>,
    trouble: watch::Sender<Vec<String>>,
}

impl Playing {
    /// A board that is played by a system, with the file that it comes from, if any.
    #[must_use]
    pub fn new(play: Play, source: &str, app: App, file: Option<&Path>) -> Playing {
        Playing(Arc::new(Inner {
            play,
            source: source.into(),
            app,
            file: file.map(Path::to_path_buf),
            trouble: watch::Sender::default(),
        }))
    }

    /// The system that plays it.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The text that is played.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The board made ready.
    #[must_use]
    pub fn play(&self) -> &Play {
        &self.0.play
    }

    /// Why the newest text of the file is not what is played, in lines; none when it is.
    #[must_use]
    pub fn trouble(&self) -> Vec<String> {
        self.0.trouble.borrow().clone()
    }

    /// Says why the newest text of the file is not played, or that it is.
    pub fn set_trouble(&self, lines: Vec<String>) {
        self.0.trouble.send_replace(lines);
    }

    /// Resolves whenever that changes.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Vec<String>> {
        self.0.trouble.subscribe()
    }

    /// The types of events that were played and that no note of the board records any more. They
    /// stay in the store, and nothing hears them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn forgotten(&self) -> Result<Vec<String>, StoreError> {
        let stage = &self.0.play.stage;
        let known: BTreeSet<&str> = stage
            .events
            .iter()
            .flat_map(|e| std::iter::once(&e.ty).chain(&e.was))
            .map(String::as_str)
            .collect();
        let mut out = BTreeSet::new();
        let mut after: Position = 0;
        loop {
            let slice = self
                .0
                .app
                .events(&Query::all(), Range::after(after, PAGE))
                .await?;
            let Some(last) = slice.events.last() else {
                return Ok(out.into_iter().collect());
            };
            after = last.meta.position;
            let own = slice.events.iter().filter(|e| !e.ty.starts_with('$'));
            out.extend(
                own.filter(|e| !known.contains(e.ty.as_str()))
                    .map(|e| e.ty.clone()),
            );
        }
    }

    /// The things of which something was played, the newest first: each has a story of its own.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn things(&self) -> Result<Vec<Tag>, StoreError> {
        let events = self.0.play.stage.events.iter();
        let types: Vec<&str> = events.map(|e| e.ty.as_str()).collect();
        let slice = self
            .0
            .app
            .events(&Query::types(&types), Range::newest(LOOKED_AT))
            .await?;
        let mut out: Vec<Tag> = vec![];
        for tag in slice.events.iter().filter_map(|e| e.tags.first()) {
            if !out.contains(tag) && out.len() < THINGS {
                out.push(tag.clone());
            }
        }
        Ok(out)
    }

    /// Lets time pass at once, such as `30 minutes`, deadline by deadline.
    ///
    /// # Errors
    /// It is no such time, longer than [`MAX_PASSES`], or the system's clock is the machine's; a
    /// sentence says which.
    pub async fn let_pass(&self, time: &str) -> Result<Duration, String> {
        let time = period(time)?;
        if !self.0.app.clock().can_be_moved() {
            return Err("the clock is the machine's, and cannot be moved".into());
        }
        self.0.app.advance(time).await;
        Ok(time)
    }

    /// Writes what happened as an example into the file of the board; see [`Play::example`]. All
    /// else in the file stays as it is now, and the file is replaced in one step.
    ///
    /// # Errors
    /// There is no file, it cannot be read or written, or nothing was played that an example could
    /// tell; a sentence says which.
    pub async fn save(&self, thing: Option<&Tag>, name: Option<&str>) -> Result<Saved, String> {
        let Some(file) = &self.0.file else {
            return Err("the board comes from no file, so there is nowhere to write to".into());
        };
        self.save_to(file, thing, name).await
    }

    /// The same into a file of one's own; one that is not there begins as the board is played.
    ///
    /// # Errors
    /// As for [`Playing::save`].
    pub async fn save_to(
        &self,
        file: &Path,
        thing: Option<&Tag>,
        name: Option<&str>,
    ) -> Result<Saved, String> {
        // What follows from the last thing that somebody did belongs to it. At a fast pace there
        // is always something that follows.
        let _ = tokio::time::timeout(FOLLOWS, self.0.app.settle()).await;
        let name_of = file.display();
        let source = match std::fs::read_to_string(file) {
            Ok(source) => source,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => self.0.source.clone(),
            Err(e) => return Err(format!("{name_of} cannot be read: {e}")),
        };
        let saved = self
            .0
            .play
            .example(&source, &self.0.app, thing, name)
            .await?;
        let written = replace(file, &saved.board);
        written.map_err(|e| format!("{name_of} cannot be written: {e}"))?;
        Ok(saved)
    }
}

/// Puts a text in the place of a file in one step: whoever reads it sees the old or the new one.
fn replace(file: &Path, text: &str) -> std::io::Result<()> {
    // A link stays one: what it leads to is replaced.
    let file = match file.canonicalize() {
        Ok(file) => file,
        Err(_) => file.to_path_buf(),
    };
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".new");
    let beside = file.with_file_name(name);
    let written = write(&beside, text).and_then(|()| {
        if let Ok(old) = file.metadata() {
            std::fs::set_permissions(&beside, old.permissions())?;
        }
        std::fs::rename(&beside, &file)
    });
    if written.is_err() {
        // What is left of a failed try is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let mut out = std::fs::File::create(file)?;
    out.write_all(text.as_bytes())?;
    out.sync_all()
}

/// A length of time as a board says it.
fn period(text: &str) -> Result<Duration, String> {
    let wrong = || {
        let text = text.trim();
        format!("“{text}” is not a time like 30 minutes, 2 hours or 1 day")
    };
    let (count, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let count: u64 = count.parse().map_err(|_| wrong())?;
    let unit = unit.trim().to_lowercase();
    let long = match unit.strip_suffix('s').unwrap_or(&unit) {
        "second" => 1,
        "minute" => 60,
        "hour" => 60 * 60,
        "day" => 24 * 60 * 60,
        "week" => 7 * 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    let time = Duration::from_secs(count.saturating_mul(long));
    match time <= MAX_PASSES {
        true => Ok(time),
        false => Err("at most a year can pass at once".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{period, replace};
    use std::time::Duration;

    #[test]
    fn times_are_said_as_on_a_board() {
        assert_eq!(period("30 minutes"), Ok(Duration::from_secs(1800)));
        assert_eq!(period(" 1 Day "), Ok(Duration::from_secs(86_400)));
        assert!(period("soon").is_err());
        assert!(period("3 moons").is_err());
        assert_eq!(
            period("900 weeks").unwrap_err(),
            "at most a year can pass at once"
        );
    }

    #[test]
    fn a_file_is_replaced_in_one_step_and_a_link_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.board"), folder.path().join("b.board"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
        assert!(replace(&folder.path().join("none/a.board"), "x").is_err());
    }
}
