//! The writer: one thread that takes all waiting appends, makes them durable together, and answers.

use crate::group::Group;
use crate::log::Log;
use crate::shared::Shared;
use fait_core::store::{Append, AppendError, Appended, StoreError};
use futures_channel::oneshot;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

/// Most appends that wait for the writer at once; more wait for room first.
pub const MAX_WAITING: usize = 4096;

/// A group takes no further append once its frame has this length.
const GROUP_BYTES: usize = 8 << 20;

pub(crate) type Answer = Result<Appended, AppendError>;

/// An append that waits.
pub(crate) struct Job {
    pub(crate) append: Append,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The thread's state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) log: Log,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) buffer: Vec<u8>,
}

impl Writer {
    /// Works until the store is dropped. Ends early when the store cannot go on.
    pub(crate) fn run(mut self) {
        while let Some(job) = self.next_job() {
            if self.commit(job).is_err() {
                return;
            }
        }
        self.seal();
    }

    fn next_job(&mut self) -> Option<Job> {
        if !self.log.is_sealed() {
            match self.jobs.recv_timeout(self.log.idle()) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.seal(),
            }
        }
        self.jobs.recv().ok()
    }

    /// Takes the job and all that wait behind it, and answers them when they are durable. Nobody
    /// learns of an event before, not even by a conflict with it.
    fn commit(&mut self, first: Job) -> Result<(), StoreError> {
        let mut group = {
            let published = self.shared.read()?;
            Group::behind(
                &published.index,
                std::mem::take(&mut self.buffer),
                self.log.durability(),
            )
        };
        let mut answers = vec![];
        let mut next = Some(first);
        while let Some(Job { append, answer }) = next {
            answers.push((answer, self.judge(&mut group, &append)));
            let full = group.bytes() >= GROUP_BYTES || answers.len() >= MAX_WAITING;
            next = if full {
                None
            } else {
                self.jobs.try_recv().ok()
            };
        }
        self.shared
            .waiting
            .fetch_sub(answers.len(), Ordering::Release);
        self.shared.room.notify(usize::MAX);
        let written = self.write(group);
        for (answer, judged) in answers {
            // A caller that has gone away wants no answer.
            let _ = answer.send(match (&written, judged) {
                (Ok(()), judged) | (_, judged @ Err(AppendError::Invalid(_))) => judged,
                (Err(trouble), _) => Err(AppendError::Store(trouble.clone())),
            });
        }
        Ok(())
    }

    fn judge(&self, group: &mut Group, append: &Append) -> Answer {
        match self.shared.trouble.get() {
            Some(trouble) => Err(AppendError::Store(trouble.clone())),
            None => group.judge(&self.shared, append),
        }
    }

    /// Makes a group durable, then visible.
    fn write(&mut self, group: Group) -> Result<(), StoreError> {
        if group.is_empty() {
            return Ok(());
        }
        let (mut frame, index) = group.finish();
        let before = self.shared.head()?;
        let events = (index.head() - before) as u32;
        let written = self
            .log
            .write(&mut frame, before + 1, events)
            .map_err(|e| self.poison(e))?;
        let mut published = self.shared.write()?;
        published
            .index
            .absorb(index, written.segment.number, written.offset);
        published.bytes += written.bytes;
        if written.segment.number as usize > published.segments.len() {
            published.segments.push(written.segment);
        }
        drop(published);
        self.shared.grown.notify(usize::MAX);
        frame.clear();
        frame.shrink_to(GROUP_BYTES);
        self.buffer = frame;
        Ok(())
    }

    /// Writes the empty frame that proves the last one durable.
    fn seal(&mut self) {
        if self.log.is_sealed() || self.shared.trouble.get().is_some() {
            return;
        }
        let sealed = self.shared.head().and_then(|head| self.log.seal(head));
        match sealed {
            Err(e) => drop(self.poison(e)),
            Ok(written) => {
                if let Ok(mut published) = self.shared.write() {
                    published.bytes += written.bytes;
                }
            }
        }
    }

    /// Refuses appends from now on. Nothing clever is tried: after a failed sync nobody knows
    /// what the disk holds, and only opening the store again finds out.
    fn poison(&self, trouble: StoreError) -> StoreError {
        self.shared.trouble.get_or_init(|| trouble).clone()
    }
}

impl Drop for Writer {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        self.shared.trouble.get_or_init(|| self.shared.stopped());
        self.shared.waiting.store(0, Ordering::Release);
        self.shared.room.notify(usize::MAX);
    }
}
