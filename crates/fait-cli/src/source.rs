//! Where a history is looked at: a running system at its address, or a folder that nobody holds.

mod address;
mod folder;
mod look;

pub(crate) use look::{
    Each, Look, Name, Page, Process, Rebuild, Resume, Source, Stuck, View, Wanted, standing,
};

use crate::failure::Failure;
use std::path::Path;

/// Opens a folder.
pub(crate) fn folder(path: &str) -> Result<Box<dyn Source>, Failure> {
    open(Some(path))
}

/// Opens what `--at` names.
pub(crate) fn open(at: Option<&str>) -> Result<Box<dyn Source>, Failure> {
    let Some(at) = at.map(str::trim).filter(|at| !at.is_empty()) else {
        return Err(Failure::Usage(
            "say where to look: `--at http://127.0.0.1:7070` for a running system, or \
             `--at FOLDER` for the data folder of one that is stopped; or set FAIT_AT"
                .into(),
        ));
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::Internal(format!("nothing can be run here: {e}")))?;
    if at.starts_with("http://") {
        return Ok(Box::new(address::Address::new(at, runtime)?));
    }
    if at.contains("://") {
        return Err(Failure::Usage(format!(
            "{at}: this program speaks `http://` only; where TLS stands in front of the system, \
             use its own address behind it"
        )));
    }
    let path = Path::new(at);
    let port = at.rsplit_once(':').map(|(_, port)| port);
    if !path.exists() && port.is_some_and(|port| port.parse::<u16>().is_ok()) {
        return Err(Failure::Usage(format!(
            "{at} is no folder; did you mean `--at http://{at}`?"
        )));
    }
    Ok(Box::new(folder::Folder::open(path, runtime)?))
}
