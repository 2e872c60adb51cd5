//! Events as they were written once, kept as files, and read by the program of today.

use crate::app::{AppBuilder, sample};
use fait_core::event::{Event, EventDef, Meta, Origin, StoredEvent, Time, encode_event};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The fixtures in a folder: the data of one event in each file, named by type and version, as in
/// `OrderPlaced.v1.json`. Any more of one version have a word of their own between:
/// `OrderPlaced.v1.takeaway.json`. An event that was recorded under an older name has that one.
///
/// ```no_run
/// # use fait::app::{App, AppBuilder};
/// # fn wired(place: AppBuilder) -> AppBuilder { place }
/// # fn main() {
/// fait::test::fixtures("tests/events").keep(&wired(App::in_memory()));
/// # }
/// ```
///
/// The folder is named from the place of the package, where Cargo runs its tests.
pub fn fixtures(folder: impl AsRef<Path>) -> Fixtures {
    Fixtures {
        folder: folder.as_ref().into(),
        examples: BTreeMap::new(),
        writes: std::env::var_os("CI").is_none_or(|ci| ci.is_empty() || ci == "false"),
    }
}

/// See [`fixtures`].
#[derive(Debug)]
#[must_use = "nothing is looked at before `keep`"]
pub struct Fixtures {
    folder: PathBuf,
    examples: BTreeMap<String, Value>,
    writes: bool,
}

/// A file of the folder.
struct Kept {
    file: String,
    ty: String,
    version: u32,
    data: Result<Vec<u8>, String>,
}

impl Fixtures {
    /// An event to write as the first fixture of its type, in place of sample words.
    ///
    /// # Panics
    /// It cannot be written.
    #[track_caller]
    pub fn example<E: Event>(mut self, event: E) -> Self {
        let draft = encode_event(&event).unwrap_or_else(|e| panic!("{e}"));
        let data = serde_json::from_slice(&draft.data).unwrap_or_default();
        self.examples.insert(draft.ty, data);
        self
    }

    /// Whether a fixture of the current version is written where there is none. By default it is,
    /// unless the environment has `CI`.
    pub fn writing(mut self, writes: bool) -> Self {
        self.writes = writes;
        self
    }

    /// Every version of every event type of the system, from 1 to the one written today, and every
    /// older name, has a fixture, and the program reads each of them. What is written today is
    /// written as in its fixtures: a shape that changes without a new version is found.
    ///
    /// # Panics
    /// Anything of that is not so; all of it is said at once, with what to do. A missing fixture
    /// of the current version is written, and the test fails this once.
    #[track_caller]
    pub fn keep(self, system: &AppBuilder) {
        let problems = self.problems(system);
        assert!(
            problems.is_empty(),
            "{} of the events in {}:\n{}",
            match problems.len() {
                1 => "something is wrong with one".into(),
                n => format!("{n} things are wrong with those"),
            },
            self.folder.display(),
            problems
                .iter()
                .map(|p| format!("- {p}\n"))
                .collect::<String>()
        );
    }

    /// What is wrong, each with what to do; nothing, when all is well. Missing fixtures of current
    /// versions are written as with [`keep`](Self::keep).
    pub fn problems(&self, system: &AppBuilder) -> Vec<String> {
        let mut problems = vec![];
        let kept = self.kept(&mut problems);
        let defs = system.event_defs();
        let mut names = BTreeSet::new();
        // The first of one name is the one that is written, if any is.
        for def in &defs {
            if names.insert(&def.name) {
                self.missing(def, &kept, &mut problems);
            }
        }
        for one in &kept {
            let mine = |def: &&&EventDef| def.name == one.ty || def.was.contains(&one.ty);
            let mut readers = defs.iter().filter(mine).peekable();
            if readers.peek().is_none() && !system.is_retired(&one.ty) {
                let (file, ty) = (&one.file, &one.ty);
                problems.push(format!(
                    "{file}: nothing reads `{ty}`. If it was renamed, say `was = \"{ty}\"` on the \
                     event of today; if no code needs it any more, `.retired(\"{ty}\", \"why\")` \
                     where the system is wired"
                ));
            }
            problems.extend(readers.filter_map(|def| misread(def, one)));
        }
        problems.dedup();
        problems
    }

    /// The files of the folder, in the order of their names.
    fn kept(&self, problems: &mut Vec<String>) -> Vec<Kept> {
        let Ok(files) = fs::read_dir(&self.folder) else {
            return vec![];
        };
        let mut kept = vec![];
        for file in files.flatten().map(|entry| entry.path()) {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let Some(stem) = name.strip_suffix(".json") else {
                continue;
            };
            match named(stem) {
                Some((ty, version)) => kept.push(Kept {
                    ty,
                    version,
                    data: fs::read(&file).map_err(|e| e.to_string()),
                    file: name.into_owned(),
                }),
                None => problems.push(format!(
                    "{name}: the name of a fixture is TYPE.vVERSION.json, or \
                     TYPE.vVERSION.WORD.json"
                )),
            }
        }
        kept.sort_by(|a, b| a.file.cmp(&b.file));
        kept
    }

    /// The versions and names of which there is no fixture.
    fn missing(&self, def: &EventDef, kept: &[Kept], problems: &mut Vec<String>) {
        let mine: Vec<&Kept> = kept
            .iter()
            .filter(|k| k.ty == def.name || def.was.contains(&k.ty))
            .collect();
        let unkept = |was: &&String| !mine.iter().any(|k| k.ty == **was);
        for was in def.was.iter().filter(unkept) {
            let first = recall(was, 1);
            problems.push(format!("{} was `{was}` once. {first}", def.name));
        }
        // What an older name lacks is the first version already.
        let from = if def.was.iter().any(|was| unkept(&was)) {
            2
        } else {
            1
        };
        for version in from..def.version {
            if !mine.iter().any(|k| k.version == version) {
                problems.push(recall(&def.name, version));
            }
        }
        if !mine.iter().any(|k| k.version == def.version) {
            problems.push(match self.written(def) {
                Ok(problem) => problem,
                Err(why) => format!("{}: {why}", file_of(&def.name, def.version)),
            });
        }
    }

    /// Writes the first fixture of the version of today.
    fn written(&self, def: &EventDef) -> Result<String, String> {
        let (name, file) = (&def.name, file_of(&def.name, def.version));
        if !self.writes {
            return Err(
                "missing; run this test where CI is not set, and commit what it writes".into(),
            );
        }
        let given = self.examples.get(name);
        let data = given.cloned().unwrap_or_else(|| sample(&def.schema));
        let bytes = serde_json::to_vec(&data).map_err(|e| e.to_string())?;
        let stored = as_stored(name, def.version, &bytes);
        let draft = match def.code.map(|code| code.rewrite(&stored)) {
            Some(Ok(draft)) => draft,
            Some(Err(e)) => {
                return Err(format!(
                    "sample words do not fit the event ({}): give one to write with \
                     `.example({name} {{ … }})`",
                    e.message
                ));
            }
            None => return Err("this definition has no code; write the file by hand".into()),
        };
        let value: Value = serde_json::from_slice(&draft.data).map_err(|e| e.to_string())?;
        let text = serde_json::to_string_pretty(&value).map_err(|e| e.to_string())?;
        fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(self.folder.join(&file), text + "\n"))
            .map_err(|e| format!("it cannot be written: {e}"))?;
        let of = match given {
            Some(_) => "from its example",
            None => "with sample words",
        };
        Ok(format!(
            "{file}: written now, {of}: look at it, and commit it"
        ))
    }
}

impl AppBuilder {
    fn is_retired(&self, ty: &str) -> bool {
        self.retired_events().any(|(name, _)| name == ty)
    }
}

/// How to get a fixture that only the past has.
fn recall(ty: &str, version: u32) -> String {
    let file = file_of(ty, version);
    format!(
        "{file}: missing; write into it the data of such an event, as it was recorded (`fait events \
         list --type \"{ty}\" --json` on a log that has one, or what the code of that time wrote)"
    )
}

/// What is wrong with a fixture for one definition of its type.
fn misread(def: &EventDef, kept: &Kept) -> Option<String> {
    let (file, version) = (&kept.file, kept.version);
    let data = match &kept.data {
        Ok(data) => data,
        Err(why) => return Some(format!("{file}: it cannot be read: {why}")),
    };
    let (name, today) = (&def.name, def.version);
    let draft = match def.code?.rewrite(&as_stored(&kept.ty, version, data)) {
        Ok(draft) => draft,
        Err(e) if version == today => {
            return Some(format!(
                "{file}: {}. The shape of version {version} has changed: raise the version of \
                 `{name}` to {}, and let its `upcast` bring this to the new shape",
                e.message,
                today + 1
            ));
        }
        Err(e) if version > today => return Some(format!("{file}: {}", e.message)),
        Err(e) => {
            return Some(format!(
                "{file}: {}. Events like this are recorded: mend the `upcast` of `{name}`",
                e.message
            ));
        }
    };
    if version < today {
        return None;
    }
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap_or_default();
    let (was, now) = (json(data), json(&draft.data));
    (was != now).then(|| {
        format!(
            "{file}: it is written otherwise now. The shape of version {version} has changed: \
             raise the version of `{name}` to {}, and let its `upcast` bring this to the new \
             shape; if nobody has recorded such an event yet, delete the file and run again\n  \
             kept: {was}\n  now:  {now}",
            today + 1
        )
    })
}

/// An event as if it had been stored.
fn as_stored(ty: &str, version: u32, data: &[u8]) -> StoredEvent {
    StoredEvent {
        ty: ty.into(),
        version,
        tags: vec![],
        data: data.to_vec().into(),
        meta: Meta {
            position: 1,
            id: Uuid::from_u128(1),
            recorded_at: Time(0),
            origin: Origin::default(),
        },
    }
}

/// Type and version in the name of a file.
fn named(stem: &str) -> Option<(String, u32)> {
    let at = stem.match_indices(".v").find_map(|(at, dot)| {
        let digits = stem[at + dot.len()..].split('.').next()?;
        Some((at, digits.parse::<u32>().ok()?))
    });
    let (at, version) = at.filter(|(at, version)| *at > 0 && *version > 0)?;
    Some((plain(&stem[..at])?, version))
}

/// The name of the file of a version. What not every file system takes is written as `%2F`.
fn file_of(ty: &str, version: u32) -> String {
    let mut name = String::new();
    for c in ty.chars() {
        let kept = c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.');
        match kept {
            true => name.push(c),
            false => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    name.push_str(&format!("%{byte:02X}"));
                }
            }
        }
    }
    format!("{name}.v{version}.json")
}

/// The type that a file's name says.
fn plain(name: &str) -> Option<String> {
    let mut bytes = vec![];
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let hex = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(str::from_utf8(&hex).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}
