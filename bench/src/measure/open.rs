//! W9 and W10: opening in a process of its own, and what is on the disk.

use super::Values;
use crate::machine::{resident_mib, usage};
use crate::peer::{Fault, Kind, Mode, Peer, fault};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// What a process found that did nothing but open a store.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Opened {
    open_ms: f64,
    rss_mib: f64,
}

/// Opens a store in this process and asks for its head; nothing is read yet.
///
/// # Errors
/// The store cannot be opened.
pub(crate) fn open_here(kind: Kind, folder: &Path) -> Result<Opened, Fault> {
    let begun = Instant::now();
    let peer = kind.open(folder, Mode::Measure)?;
    let head = peer.head()?;
    let open_ms = begun.elapsed().as_secs_f64() * 1e3;
    let rss_mib = resident_mib();
    peer.close()?;
    match head {
        0 => Err(fault(format_args!("{} was opened empty", kind.name()))),
        _ => Ok(Opened { open_ms, rss_mib }),
    }
}

/// The same in a process of its own, so that its memory is nobody else's.
///
/// # Errors
/// The process has failed; its own message stands before this one.
pub(crate) fn open_in_child(kind: Kind, folder: &Path) -> Result<Values, Fault> {
    let program = std::env::current_exe()?;
    let out = Command::new(program)
        .args(["open", kind.name()])
        .arg(folder)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !out.status.success() {
        let name = kind.name();
        return Err(fault(format_args!("the process that opens {name} failed")));
    }
    let opened: Opened = serde_json::from_slice(&out.stdout)?;
    Ok(Values::from([
        ("open_ms", opened.open_ms),
        ("rss_mib", opened.rss_mib),
    ]))
}

/// Closes a store and looks at what it leaves for so many events.
///
/// # Errors
/// It cannot be closed, or its files cannot be seen.
pub(crate) fn disk(peer: Box<dyn Peer>, folder: &Path, events: u64) -> Result<Values, Fault> {
    let tables = peer.table_bytes()?;
    peer.close()?;
    let used = usage(folder)?;
    let each = |bytes: u64| bytes as f64 / events.max(1) as f64;
    let (blocks, apparent) = (
        tables.unwrap_or(used.blocks),
        tables.unwrap_or(used.apparent),
    );
    Ok(Values::from([
        ("bytes_per_event", each(blocks)),
        ("apparent_bytes_per_event", each(apparent)),
    ]))
}
