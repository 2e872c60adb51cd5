//! The writer: appends that wait together become durable together, and are answered then. One
//! that comes alone is committed by the thread that asks for it.

use crate::commit::{Group, bound};
use crate::format::{FRAME_HEADER, PAGE_BYTES};
use crate::index::Tail;
use crate::log::{Log, WriteError};
use crate::shared::{Shared, lock};
use crate::stretch::{Segment, Stretch};
use bytes::Bytes;
use fait_core::event::Time;
use fait_core::store::{Append, AppendError, Appended, Durability, StoreError};
use futures_channel::oneshot;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Most appends that wait for the writer at once; more wait for room first.
pub const MAX_WAITING: usize = 4096;

/// A group takes no further append once its frame may have this length.
const GROUP_BYTES: usize = 8 << 20;

/// After so many groups of one append each, callers commit for themselves again.
const CALM_GROUPS: u32 = 3;

pub(crate) type Answer = Result<Appended, AppendError>;

/// What the writer's thread is told.
pub(crate) enum Job {
    /// An append that waits.
    Append(Append, oneshot::Sender<Answer>),
    /// A caller has committed; the last frame will have to be sealed.
    Unsealed,
}

/// Who may write: the end of the log.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) log: Log,
    pub(crate) active: Arc<Stretch>,
    pub(crate) last_time: Time,
    buffer: Vec<u8>,
    /// The newest page of the log, as far as it is written.
    page: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        log: Log,
        active: Arc<Stretch>,
        last_time: Time,
    ) -> Writer {
        Writer {
            shared,
            log,
            active,
            last_time,
            buffer: vec![],
            page: vec![],
        }
    }

    /// Makes appends durable together and answers them. Nobody learns of an event before, not
    /// even by a conflict with it.
    pub(crate) fn commit<'a>(
        &mut self,
        appends: impl Iterator<Item = &'a Append> + Clone,
    ) -> Vec<Answer> {
        let refuse = |e: &StoreError| appends.clone().map(|_| Err(e.clone().into())).collect();
        if let Some(trouble) = self.shared.trouble.get() {
            return refuse(trouble);
        }
        let bytes = FRAME_HEADER + 8 + appends.clone().map(bound).sum::<usize>();
        if let Err(e) = self.make_room(bytes as u64) {
            return refuse(&e);
        }
        let buffer = std::mem::take(&mut self.buffer);
        let (end, last_time) = (self.log.end(), self.last_time);
        let mut group = Group::new(&self.shared, &self.active, end, last_time, buffer);
        let answers: Vec<Answer> = appends.clone().map(|append| group.judge(append)).collect();
        let (frame, head, last_time) = group.finish();
        match self.write(frame, head, last_time) {
            Ok(()) => answers,
            // What was refused for its form stays refused; nothing else is known any more.
            Err(trouble) => {
                let keep = |answer| match answer {
                    Err(AppendError::Invalid(why)) => Err(AppendError::Invalid(why)),
                    _ => Err(AppendError::Store(trouble.clone())),
                };
                answers.into_iter().map(keep).collect()
            }
        }
    }

    /// Room for a frame, in this segment or the next one.
    pub(crate) fn make_room(&mut self, bytes: u64) -> Result<(), StoreError> {
        let made = match self.log.is_full_for(bytes) {
            true => self.roll().and_then(|()| self.log.reserve(bytes)),
            false => self.log.reserve(bytes),
        };
        made.map_err(|e| match e {
            WriteError::Full(e) => e,
            WriteError::Failed(e) => self.shared.poison(e),
        })
    }

    /// Goes on in a new segment.
    pub(crate) fn roll(&mut self) -> Result<(), WriteError> {
        // What is in doubt at the end of a segment may only be at the end of the log.
        if let Some(trouble) = self.shared.trouble.get() {
            return Err(WriteError::Failed(trouble.clone()));
        }
        let head = self.shared.head();
        self.page.clear();
        self.log.roll(head + 1, &self.shared)?;
        let header = self.log.header();
        let segment = Segment {
            number: header.number,
            first: header.first,
            path: self
                .shared
                .path()
                .join(crate::folder::segment_name(header.number)),
            file: self.shared.pages.number(self.log.file().clone()),
        };
        let end = self.log.end();
        let stretch = Arc::new(Stretch::growing(Arc::new(segment), Tail::new(0), end));
        self.active = stretch.clone();
        self.shared.replace(|list| {
            // A stretch without events would stand at the same position as the next one. The end
            // of the segment is where it ended, behind a seal maybe.
            let empty = list.pop_if(|last| last.next() == last.from && last.from > 0);
            if let (Some(empty), Some(before)) = (empty, list.last()) {
                before.grow(empty.end());
            }
            list.push(stretch);
        });
        Ok(())
    }

    /// Makes a group durable, then visible.
    pub(crate) fn write(
        &mut self,
        mut frame: Vec<u8>,
        head: u64,
        last_time: Time,
    ) -> Result<(), StoreError> {
        let before = self.shared.head();
        if head > before {
            let events = (head - before) as u32;
            let written = self.log.write(&mut frame, before + 1, events);
            written.map_err(|e| self.shared.poison(e))?;
            self.last_time = last_time;
            self.remember(&frame);
            self.active.grow(self.log.end());
            self.shared.commits.fetch_add(1, Ordering::Release);
            self.shared.publish(head);
        }
        frame.clear();
        frame.shrink_to(GROUP_BYTES);
        self.buffer = frame;
        Ok(())
    }

    /// Keeps the pages that a frame has filled: what was just written is soon read.
    fn remember(&mut self, frame: &[u8]) {
        let end = self.log.end();
        let start = end - frame.len() as u64;
        let page = PAGE_BYTES as u64;
        if self.page.len() as u64 != start % page {
            // Something else was written since, or this is the first.
            self.page.clear();
        }
        let mut rest = frame;
        let mut at = start;
        while !rest.is_empty() {
            let here = (page - at % page).min(rest.len() as u64);
            let (filled, behind) = rest.split_at(here as usize);
            if self.page.len() as u64 == at % page {
                self.page.extend_from_slice(filled);
            }
            (rest, at) = (behind, at + here);
            if at.is_multiple_of(page) {
                if self.page.len() == PAGE_BYTES {
                    let number = (at / page) as u32 - 1;
                    let bytes = Bytes::copy_from_slice(&self.page);
                    self.shared
                        .pages
                        .keep(&self.active.segment.file, number, bytes);
                }
                self.page.clear();
            }
        }
    }

    /// Writes the empty frame that proves the last one durable.
    pub(crate) fn seal(&mut self) {
        if self.log.is_sealed() || self.shared.trouble.get().is_some() {
            return;
        }
        let room = self.log.reserve(FRAME_HEADER as u64);
        // Without room for it, the last frame stays unproven; nothing is lost by that.
        if room.is_err() {
            return;
        }
        // A page with a seal in it is read from the disk.
        self.page.clear();
        match self.log.seal(self.shared.head()) {
            Err(e) => drop(self.shared.poison(e)),
            Ok(()) => self.active.grow(self.log.end()),
        }
    }
}

/// The writer's thread: it commits what waits, and seals the log when nothing comes.
pub(crate) struct Thread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Arc<Mutex<Writer>>,
    pub(crate) jobs: Receiver<Job>,
    pub(crate) calm: u32,
}

impl Thread {
    /// Works until the store is closed.
    pub(crate) fn run(mut self) {
        // After a crash, the last frame that was found may not be sealed.
        let mut unsealed = !lock(&self.writer).log.is_sealed();
        loop {
            let seen = self.shared.commits.load(Ordering::Acquire);
            let job = match unsealed {
                false => self.jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
                true => self.jobs.recv_timeout(self.shared.options.idle),
            };
            match job {
                Ok(Job::Unsealed) => unsealed = true,
                Ok(Job::Append(append, answer)) => {
                    self.commit(append, answer);
                    unsealed = true;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if seen == self.shared.commits.load(Ordering::Acquire) {
                        lock(&self.writer).seal();
                        unsealed = false;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Takes the append and all that wait behind it.
    fn commit(&mut self, append: Append, answer: oneshot::Sender<Answer>) {
        let mut bytes = bound(&append);
        let mut group = vec![(append, answer)];
        let until = match self.shared.options.durability {
            Durability::Group(delay) => Instant::now().checked_add(delay),
            _ => None,
        };
        let writer = self.writer.clone();
        // Whoever commits now makes others wait; they are taken along.
        let mut writer = lock(&writer);
        while bytes < GROUP_BYTES && group.len() < MAX_WAITING {
            match self.next(until) {
                Some((append, answer)) => {
                    bytes += bound(&append);
                    group.push((append, answer));
                }
                None => break,
            }
        }
        self.shared
            .waiting
            .fetch_sub(group.len(), Ordering::Release);
        self.shared.room.notify(usize::MAX);
        let answers = writer.commit(group.iter().map(|(append, _)| append));
        drop(writer);
        self.calm = if group.len() > 1 { 0 } else { self.calm + 1 };
        self.shared
            .busy
            .store(self.calm < CALM_GROUPS, Ordering::Release);
        for ((_, answer), judged) in group.into_iter().zip(answers) {
            // A caller that has gone away wants no answer.
            let _ = answer.send(judged);
        }
    }

    /// An append that waits already, or comes in time.
    fn next(&self, until: Option<Instant>) -> Option<(Append, oneshot::Sender<Answer>)> {
        loop {
            let job = match until {
                None => self.jobs.try_recv().ok()?,
                Some(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    self.jobs.recv_timeout(left).ok()?
                }
            };
            if let Job::Append(append, answer) = job {
                return Some((append, answer));
            }
        }
    }
}

impl Drop for Thread {
    /// However the thread ends, nobody waits for it in vain.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.poison(self.shared.stopped());
        }
        self.shared.waiting.store(0, Ordering::Release);
        self.shared.room.notify(usize::MAX);
    }
}
