//! Why a tool could not do its work.

use crate::error::OpenError;
use std::io;
use std::path::{Path, PathBuf};

/// A tool could not do its work. What it was to make is not there, or is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The folder cannot be read or written, or is no store.
    #[error(transparent)]
    Folder(#[from] OpenError),
    /// Something is to be made in a folder that holds something already.
    #[error(
        "{} is not empty: it holds `{found}`; choose an empty folder, or one that is not there yet",
        path.display()
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
        /// A file in it.
        found: String,
    },
    /// A folder is not the backup that it should be.
    #[error("{} is no backup to use: {found}", path.display())]
    NotABackup {
        /// The folder.
        path: PathBuf,
        /// What was found instead, and what to do.
        found: String,
    },
    /// What is to be copied is damaged.
    #[error("{} is damaged at byte {offset}: {what}; {remedy}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the damage starts.
        offset: u64,
        /// What is wrong there.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A line that is to be imported is not what it should be.
    #[error("line {number}: {what}; nothing was imported")]
    Line {
        /// Its number, from 1.
        number: u64,
        /// What is wrong with which attribute, and what to do.
        what: String,
    },
    /// What is to be imported cannot be read.
    #[error("what is to be imported cannot be read: {0}; nothing was imported")]
    Input(#[source] io::Error),
    /// What is exported cannot be written.
    #[error("the export cannot be written: {0}")]
    Output(#[source] io::Error),
}

impl ToolError {
    /// Whether it is damage, and not the circumstances.
    pub fn is_damage(&self) -> bool {
        match self {
            ToolError::Damaged { .. } => true,
            ToolError::Folder(e) => matches!(e, OpenError::Corrupt { .. }),
            _ => false,
        }
    }

    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ToolError {
        move |e| ToolError::Folder(OpenError::io(doing, path)(e))
    }
}
