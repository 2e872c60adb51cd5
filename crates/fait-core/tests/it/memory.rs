//! The store in memory keeps the contract.

mod plain {
    use fait_core::store::Memory;

    fait_core::store_contract!(make: Memory::default);
}

/// The contract's macro takes functions that give a future, and stores that need a guard.
mod later {
    use fait_core::store::Memory;
    use fait_core::store::contract::Guarded;

    fait_core::store_contract!(make: || async { Guarded { store: Memory::default(), guard: () } });
}

/// What stays in memory while it is closed and opened keeps the contract of durable stores.
mod kept {
    use crate::wrapped::{Fault, Wrapped};

    fait_core::store_reopen_contract!(make: || {
        let kept = Wrapped::new(Fault::None);
        move || kept.clone()
    });
}
