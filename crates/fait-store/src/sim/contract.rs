//! The contract of every store, kept by the engine on a simulated disk.

use super::disk::SimDisk;
use crate::disk::Disk;
use crate::options::{MIN_SEGMENT_BYTES, Options};
use std::sync::Arc;

fn open(disk: &SimDisk, inline: bool) -> Disk {
    let options = Options {
        segment_bytes: MIN_SEGMENT_BYTES,
        index_from: 3,
        inline,
        ..Options::default()
    };
    Disk::start(Arc::new(disk.clone()), options, None).unwrap()
}

fn reopen(inline: bool) -> impl Fn() -> Disk {
    let disk = SimDisk::new(1);
    move || open(&disk, inline)
}

mod with_threads {
    use super::{SimDisk, open, reopen};

    fait_core::store_contract!(make: || open(&SimDisk::new(1), false));
    fait_core::store_reopen_contract!(make: || reopen(false));
}

mod without_threads {
    use super::{SimDisk, open, reopen};

    fait_core::store_contract!(make: || open(&SimDisk::new(1), true));
    fait_core::store_reopen_contract!(make: || reopen(true));
}
