//! What the tools say of a store.

use crate::failure::Failure;
use crate::output::{Out, Tone};
use crate::words;
use fait_store::tools::{BackedUp, Info};
use indicatif::HumanBytes;
use serde_json::json;
use std::path::Path;

/// One thing that is known, under its name.
pub(super) fn field(out: &mut Out, name: &str, value: &str) -> Result<(), Failure> {
    let name = out.tone(Tone::Faint, &format!("{name:<8}"));
    out.line(format_args!("{name} {}", words::clean(value)))
}

/// How many of some events are erased.
pub(super) fn erased(erased: u64) -> String {
    match erased {
        0 => String::new(),
        n => format!(" ({n} erased)"),
    }
}

pub(super) fn info(info: &Info, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        return out.document(&json!({
            "store": info.store,
            "history": info.history,
            "created": info.created,
            "format": info.version,
            "events": info.events,
            "first_recorded": info.first,
            "last_recorded": info.last,
            "segments": info.segments,
            "log_bytes": info.log_bytes,
            "index_bytes": info.index_bytes,
            "sealed": info.sealed,
            "erasing": info.erasing,
            "in_use": info.in_use,
            "backed_up": info.backup_of,
        }));
    }
    if let Some(taken) = info.backup_of {
        field(out, "backup", &format!("made {}", words::moment(taken)))?;
    }
    field(out, "store", &info.store.to_string())?;
    if info.history != info.store {
        field(out, "history", &info.history.to_string())?;
    }
    field(out, "created", &words::moment(info.created))?;
    field(out, "format", &info.version.to_string())?;
    let (first, last) = (info.first.map(words::moment), info.last.map(words::moment));
    let events = match first.zip(last) {
        None => info.events.to_string(),
        Some((first, last)) => format!("{}, recorded {first} to {last}", info.events),
    };
    field(out, "events", &events)?;
    let segments = words::count(info.segments.into(), "segment");
    let log = format!("{segments}, {}", HumanBytes(info.log_bytes));
    field(out, "log", &log)?;
    field(out, "indexes", &HumanBytes(info.index_bytes).to_string())?;
    let end = match info.sealed {
        true => "sealed: nothing is missing",
        false => "open: it is being written, or was when the program ended",
    };
    field(out, "end", end)?;
    if let Some(tag) = &info.erasing {
        let what = format!("{tag}; if no program is at it, opening the store finishes it");
        field(out, "erasing", &what)?;
    }
    let in_use = if info.in_use { "by a program" } else { "no" };
    field(out, "in use", in_use)
}

pub(super) fn backup(done: &BackedUp, to: &Path, out: &mut Out) -> Result<(), Failure> {
    if out.json() {
        return out.document(&json!({
            "backup": to,
            "store": done.store,
            "history": done.history,
            "events": done.head,
            "events_before": done.head_before,
            "segments": done.segments,
            "copied_segments": done.copied_segments,
            "bytes": done.bytes,
            "copied_bytes": done.copied_bytes,
            "backed_up": done.taken,
        }));
    }
    out.line(format_args!(
        "backed up to {}: {}, {}, checked",
        to.display(),
        words::count(done.head, "event"),
        HumanBytes(done.bytes),
    ))?;
    if done.head_before.is_some() {
        out.line(format_args!(
            "copied now: {} of {}, {}",
            done.copied_segments,
            words::count(done.segments.into(), "segment"),
            HumanBytes(done.copied_bytes),
        ))?;
    }
    out.line(format_args!(
        "to make a store of it: fait store restore {} --to FOLDER",
        to.display()
    ))
}
