//! How far a tool has come.

/// How far a tool has come, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// So many are done.
    pub done: u64,
    /// Of so many; 0 when that is not known.
    pub total: u64,
}

/// It is told each time that so many bytes more are done.
const STEP: u64 = 1 << 20;

/// Counts what is done, and tells it now and then.
pub(super) struct Steps<'a> {
    tell: &'a mut dyn FnMut(Progress),
    progress: Progress,
    told: u64,
}

impl<'a> Steps<'a> {
    pub(super) fn new(total: u64, tell: &'a mut dyn FnMut(Progress)) -> Steps<'a> {
        let progress = Progress { done: 0, total };
        tell(progress);
        Steps {
            tell,
            progress,
            told: 0,
        }
    }

    /// So many bytes are done since the beginning.
    pub(super) fn to(&mut self, done: u64) {
        self.progress.done = done;
        if done >= self.told + STEP {
            self.told = done;
            (self.tell)(self.progress);
        }
    }

    /// So many bytes more are done.
    pub(super) fn more(&mut self, bytes: u64) {
        self.to(self.progress.done + bytes);
    }

    /// All is done.
    pub(super) fn end(&mut self) {
        let total = self.progress.total.max(self.progress.done);
        self.progress = Progress { done: total, total };
        (self.tell)(self.progress);
    }
}
