//! The store on disk keeps the contract, with large and with small segments.

use fait_core::store::contract::Guarded;
use fait_store::{Disk, MIN_SEGMENT_BYTES, Options};
use tempfile::TempDir;

fn fresh(options: Options) -> Guarded<Disk, TempDir> {
    let guard = tempfile::tempdir().unwrap();
    Guarded {
        store: options.open(guard.path()).unwrap(),
        guard,
    }
}

fn reopen(options: Options) -> impl Fn() -> Disk {
    let folder = tempfile::tempdir().unwrap();
    move || options.open(folder.path()).unwrap()
}

mod plain {
    use super::{Disk, fresh, reopen};

    fait_core::store_contract!(make: || fresh(Disk::options()));
    fait_core::store_reopen_contract!(make: || reopen(Disk::options()));
}

mod small_segments {
    use super::{Disk, MIN_SEGMENT_BYTES, fresh, reopen};

    fait_core::store_contract!(make: || fresh(Disk::options().segment_bytes(MIN_SEGMENT_BYTES)));
    fait_core::store_reopen_contract!(
        make: || reopen(Disk::options().segment_bytes(MIN_SEGMENT_BYTES))
    );
}
