//! Bugs planted on purpose, so that tests can prove that the simulator would find them.
//!
//! Code asks `flaw(Flaw::X)` at the place of the bug. Without the feature `sim` the answer is
//! always no.

/// A bug of the runtime that can be planted.
#[cfg_attr(
    not(feature = "sim"),
    expect(unreachable_pub, reason = "the simulator shows it")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// What a step sends is carried out before the step is recorded.
    #[cfg(feature = "sim")]
    SentFirst,
    /// What a command does is recorded first, that it is done afterwards.
    ReceiptApart,
    /// Another system is told under a new id each time.
    NewIdEachTime,
    /// A step is recorded whether or not another one came meanwhile.
    Unguarded,
    /// What is heard is acknowledged before it is recorded.
    AcknowledgedFirst,
    /// What is heard is recorded whether or not it was heard before.
    HeardAgain,
}

#[cfg(feature = "sim")]
thread_local! {
    static PLANTED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Does something while a bug is planted in this thread.
#[cfg(feature = "sim")]
pub fn with_flaw<T>(flaw: Flaw, work: impl FnOnce() -> T) -> T {
    /// Takes the bug out again, also when the work panics.
    struct Before(u32);
    impl Drop for Before {
        fn drop(&mut self) {
            PLANTED.set(self.0);
        }
    }
    let _before = Before(PLANTED.get());
    PLANTED.set(PLANTED.get() | 1 << flaw as u32);
    work()
}

/// Whether a bug is planted here.
#[cfg(feature = "sim")]
pub(super) fn flaw(flaw: Flaw) -> bool {
    PLANTED.get() & 1 << flaw as u32 != 0
}

/// Whether a bug is planted here: never.
#[cfg(not(feature = "sim"))]
pub(super) const fn flaw(_: Flaw) -> bool {
    false
}
