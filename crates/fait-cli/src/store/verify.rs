//! `fait store verify`: is every byte what was written, and if not, what to do.

use super::bar::Bar;
use super::tell::{erased, field};
use crate::failure::Failure;
use crate::output::{Column, Out, Tone};
use crate::words;
use fait_store::tools::{self, Problem, Verified};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn verify(folder: &Path, out: &mut Out) -> Result<(), Failure> {
    let bar = Bar::new("reading", out);
    let verified = tools::verify(folder, &mut |p| bar.to(p))?;
    bar.end();
    match out.json() {
        true => out.document(&document(&verified))?,
        false => tell(&verified, out)?,
    }
    out.flush()?;
    match verified.problems.len() as u64 {
        0 => Ok(()),
        n => Err(Failure::Damage(format!(
            "{} is damaged in {}; {}",
            folder.display(),
            words::count(n, "place"),
            what_to_do(&verified)
        ))),
    }
}

fn document(verified: &Verified) -> Value {
    let problem = |problem: &Problem| {
        json!({
            "file": problem.file,
            "offset": problem.offset,
            "what": problem.what,
            "is_index": problem.is_index,
        })
    };
    json!({
        "sound": verified.problems.is_empty(),
        "store": verified.store,
        "history": verified.history,
        "is_backup": verified.is_backup,
        "events": verified.events,
        "erased": verified.erased,
        "segments": verified.segments,
        "frames": verified.frames,
        "bytes": verified.bytes,
        "index_bytes": verified.index_bytes,
        "unfinished_bytes": verified.unfinished_bytes,
        "problems": verified.problems.iter().map(problem).collect::<Vec<_>>(),
        "notes": verified.notes,
    })
}

fn tell(verified: &Verified, out: &mut Out) -> Result<(), Failure> {
    let what = if verified.is_backup {
        "backup"
    } else {
        "store"
    };
    field(out, what, &verified.store.to_string())?;
    let log = format!(
        "{}{}, {}, {}, {}",
        words::count(verified.events, "event"),
        erased(verified.erased),
        words::count(verified.frames, "frame"),
        words::count(verified.segments.into(), "segment"),
        HumanBytes(verified.bytes),
    );
    field(out, "log", &log)?;
    field(
        out,
        "indexes",
        &HumanBytes(verified.index_bytes).to_string(),
    )?;
    if verified.unfinished_bytes > 0 {
        let cut = format!(
            "{} at the end are a write under way, or one that was cut short: no damage",
            words::count(verified.unfinished_bytes, "byte")
        );
        field(out, "end", &cut)?;
    }
    for note in &verified.notes {
        field(out, "note", note)?;
    }
    if verified.problems.is_empty() {
        return out.line("all sound: every checksum, every frame, every index");
    }
    out.line(out.tone(Tone::Alarm, "damaged:"))?;
    let columns = [
        Column::text("file"),
        Column::number("byte"),
        Column::text("what"),
    ];
    let row = |p: &Problem| vec![p.file.clone(), p.offset.to_string(), p.what.clone()];
    let rows: Vec<Vec<String>> = verified.problems.iter().map(row).collect();
    out.table(&columns, &rows)
}

fn what_to_do(verified: &Verified) -> String {
    if verified.problems.iter().all(|p| p.is_index) {
        let names: Vec<&str> = verified.problems.iter().map(|p| &*p.file).collect();
        return format!(
            "the log is sound: stop the program, delete {}, and start it again; it makes what is \
             missing from the log",
            names.join(" and ")
        );
    }
    match verified.is_backup {
        true => "use another backup, or make it again in an empty folder",
        false => {
            "stop the program, keep a copy of the folder, and restore a backup with `fait store \
             restore`"
        }
    }
    .into()
}
