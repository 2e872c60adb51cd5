//! The contract of a system: a folder beside its program, committed with it.
//!
//! ```text
//! contract/published/com.example.tickets.tickets-issued.v1.schema.json   what is promised
//! contract/examples/com.example.tickets.tickets-issued.v1.json           a message, as it is sent
//! contract/consumers/sponsorship.json                                    what another reads of it
//! ```
//!
//! A test of the program keeps the promise; `fait contract check` does the same for a running
//! system, and `fait contract write` puts into the folder what is new:
//!
//! ```no_run
//! # fn manifest() -> fait::manifest::Manifest { fait::manifest::Manifest::default() }
//! // In a test, with the manifest of the program and the folder beside its `Cargo.toml`:
//! fait::contract::holds(&manifest(), concat!(env!("CARGO_MANIFEST_DIR"), "/contract"));
//! ```

use crate::clock::Clock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use fait_core::contract::{
    AsyncApi, Contract, Finding, Kind, Misfit, Note, Reader, Report, Wrong, asyncapi, compare,
    document, example, published, unlike, unmet,
};
use fait_core::event::Time;
use fait_core::manifest::Manifest;

const PUBLISHED: &str = "published";
const EXAMPLES: &str = "examples";
const READERS: &str = "consumers";
const SCHEMA: &str = ".schema.json";

/// A folder with a contract cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file or folder cannot be read or written.
    #[error("{} cannot be {what}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What was to be done with it.
        what: &'static str,
        /// Why not.
        why: io::Error,
    },
    /// A file does not say what it should.
    #[error("{} is not {what}: {why}", path.display())]
    Text {
        /// Which.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
        /// Why it is not.
        why: serde_json::Error,
    },
    /// A type of message has a name that no file can have.
    #[error(
        "`{0}` cannot be the name of a file; a type has letters, digits, `.`, `-` and `_`, and \
         begins with a letter or digit"
    )]
    Name(String),
    /// What was promised would be broken.
    #[error("nothing was written, because what was promised would not hold:\n{0}")]
    Refused(Box<Report>),
}

/// Reads a folder. What is not there is empty: a contract begins so.
///
/// # Errors
/// A file cannot be read, or does not say what it should.
pub fn read(folder: impl AsRef<Path>) -> Result<Contract, FolderError> {
    let folder = folder.as_ref();
    let readers: BTreeMap<String, Reader> =
        files(&folder.join(READERS), ".json", "what a system expects")?;
    // A system is what its file says that it is.
    let readers = readers
        .into_values()
        .map(|reader| (reader.system.clone(), reader));
    Ok(Contract {
        published: files(&folder.join(PUBLISHED), SCHEMA, "a JSON Schema")?,
        examples: files(&folder.join(EXAMPLES), ".json", "a message as JSON")?,
        readers: readers.collect(),
    })
}

/// Reads one file that says what a system reads of another: one of `consumers/`.
///
/// # Errors
/// It cannot be read, or does not say that.
pub fn read_reader(file: impl AsRef<Path>) -> Result<Reader, FolderError> {
    file_as(file.as_ref(), "what a system expects")
}

/// Writes what a program publishes and the folder does not have yet: schemas, and an example of
/// each type that has none. A type that is not published any more is deleted when its last day has
/// passed. Gives the paths of the files that changed, below the folder.
///
/// A promise that nobody has yet, since the program was never used, is taken back by deleting its
/// schema from the folder first.
///
/// # Errors
/// What was promised would not hold: then nothing is written. Or a file cannot be read or written.
pub fn write(
    manifest: &Manifest,
    folder: impl AsRef<Path>,
    today: Time,
) -> Result<Vec<PathBuf>, FolderError> {
    let folder = folder.as_ref();
    let (contract, program) = (read(folder)?, published(manifest));
    let mut report = compare(&contract, &program, today);
    report.findings.retain(|finding| finding.kind.is_a_change());
    if !report.holds() {
        return Err(FolderError::Refused(Box::new(report)));
    }
    let mut changed = vec![];
    for (ty, def) in &program {
        let document = document(def);
        let (schema, message) = (schema_of(ty)?, example_of(ty)?);
        if contract.published.get(ty) != Some(&document) {
            put(folder, &schema, &document)?;
            changed.push(schema);
        }
        if !contract.examples.contains_key(ty) {
            put(folder, &message, &example(&manifest.name, ty, &document))?;
            changed.push(message);
        }
    }
    let gone = contract
        .published
        .keys()
        .filter(|ty| !program.contains_key(*ty));
    for ty in gone {
        for path in [schema_of(ty)?, example_of(ty)?] {
            let whole = folder.join(&path);
            match fs::remove_file(&whole) {
                Ok(()) => changed.push(path),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(why) => return Err(trouble(&whole, "deleted", why)),
            }
        }
    }
    Ok(changed)
}

/// Fails a test when a program does not keep what was promised, by the date of the machine. What
/// is allowed and not in the folder yet, such as a new optional field, does not fail it.
///
/// # Panics
/// The contract does not hold, or cannot be read; the text says what to do.
#[track_caller]
pub fn holds(manifest: &Manifest, folder: impl AsRef<Path>) {
    let report = held(manifest, folder.as_ref());
    assert!(report.holds(), "{report}");
}

/// Fails a test also when something is not in the folder yet, so that nothing is promised that
/// nobody committed.
///
/// # Panics
/// As [`holds`]; or there is something to be written.
#[track_caller]
pub fn is_written(manifest: &Manifest, folder: impl AsRef<Path>) {
    let report = held(manifest, folder.as_ref());
    assert!(report.is_written(), "{report}");
}

#[track_caller]
fn held(manifest: &Manifest, folder: &Path) -> Report {
    let today = Clock::machine().now();
    match read(folder) {
        Ok(contract) => compare(&contract, &published(manifest), today),
        Err(e) => panic!("the contract cannot be read: {e}"),
    }
}

/// Where the schema of a type lies in the folder.
fn schema_of(ty: &str) -> Result<PathBuf, FolderError> {
    Ok(Path::new(PUBLISHED).join(named(ty, SCHEMA)?))
}

/// Where the example of a type lies in the folder.
fn example_of(ty: &str) -> Result<PathBuf, FolderError> {
    Ok(Path::new(EXAMPLES).join(named(ty, ".json")?))
}

/// The name of a file. The type may come from a program of others, and must not lead elsewhere.
fn named(ty: &str, end: &str) -> Result<String, FolderError> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let begins = ty.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && ty.len() < 200 && ty.chars().all(good) {
        true => Ok(format!("{ty}{end}")),
        false => Err(FolderError::Name(ty.into())),
    }
}

fn put(folder: &Path, path: &Path, value: &impl Serialize) -> Result<(), FolderError> {
    let whole = folder.join(path);
    let written = (|| {
        if let Some(parent) = whole.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut text = serde_json::to_string_pretty(value)?;
        text.push('\n');
        fs::write(&whole, text)
    })();
    written.map_err(|why| trouble(&whole, "written", why))
}

/// All files of a folder whose names end so, by the rest of their names.
fn files<T: DeserializeOwned>(
    folder: &Path,
    end: &str,
    what: &'static str,
) -> Result<BTreeMap<String, T>, FolderError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(why) => return Err(trouble(folder, "read", why)),
    };
    let mut all = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|why| trouble(folder, "read", why))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.and_then(|name| name.strip_suffix(end)) {
            all.insert(name.to_owned(), file_as(&path, what)?);
        }
    }
    Ok(all)
}

fn file_as<T: DeserializeOwned>(path: &Path, what: &'static str) -> Result<T, FolderError> {
    let bytes = fs::read(path).map_err(|why| trouble(path, "read", why))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|why| FolderError::Text {
        path: path.into(),
        what: "JSON",
        why,
    })?;
    serde_json::from_value(value).map_err(|why| FolderError::Text {
        path: path.into(),
        what,
        why,
    })
}

fn trouble(path: &Path, what: &'static str, why: io::Error) -> FolderError {
    FolderError::File {
        path: path.into(),
        what,
        why,
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../../docs/contract.md")]
struct Guide;
