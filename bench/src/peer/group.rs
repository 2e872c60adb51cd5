//! A thread that commits what waits at once, in front of every peer that has none of its own.

use super::{Append, Fault, Outcome, fault};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Most appends in one commit.
const MOST: usize = 1_024;

/// What writes to a store, one group at a time.
pub(crate) trait Engine: Send + 'static {
    /// Commits all of it durably, and judges each condition as if they came one by one.
    fn commit(&mut self, appends: Vec<Append>) -> Result<Vec<Outcome>, Fault>;
}

struct Job {
    append: Append,
    done: SyncSender<Result<Outcome, String>>,
}

/// The head, for those who wait for it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    head: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    /// The last position that was committed.
    pub(crate) fn head(&self) -> u64 {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that it was committed up to here.
    pub(crate) fn ring(&self, head: u64) {
        let mut known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        *known = head.max(*known);
        self.rung.notify_all();
    }

    /// Waits until something was committed behind a position.
    pub(crate) fn wait(&self, after: u64) -> u64 {
        let known = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.rung.wait_while(known, |head| *head <= after);
        *known.unwrap_or_else(PoisonError::into_inner)
    }
}

/// An engine that is used by the calling thread, or by the group thread for many callers.
pub(crate) struct Group<E: Engine> {
    engine: Arc<Mutex<E>>,
    bell: Arc<Bell>,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl<E: Engine> Group<E> {
    /// Starts the thread.
    pub(crate) fn start(engine: E, head: u64) -> Result<Group<E>, Fault> {
        let engine = Arc::new(Mutex::new(engine));
        let bell = Arc::new(Bell::default());
        bell.ring(head);
        let (jobs, waiting) = mpsc::channel();
        let (own, rings) = (engine.clone(), bell.clone());
        let thread = thread::Builder::new()
            .name("group".into())
            .spawn(move || run(&own, &rings, &waiting))?;
        Ok(Group {
            engine,
            bell,
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// The head, and those who wait for it.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// The engine, when no commit is under way.
    pub(crate) fn engine(&self) -> MutexGuard<'_, E> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits on the calling thread.
    pub(crate) fn alone(&self, append: Append) -> Result<Outcome, Fault> {
        let outcomes = commit(&mut *self.engine(), &self.bell, vec![append])?;
        let first = outcomes.into_iter().next();
        first.ok_or_else(|| fault("the engine did not answer"))
    }

    /// Commits together with what others append.
    pub(crate) fn together(&self, append: Append) -> Result<Outcome, Fault> {
        let (done, answer) = mpsc::sync_channel(1);
        let gone = || fault("the group thread has ended");
        let jobs = self.jobs.as_ref().ok_or_else(gone)?;
        jobs.send(Job { append, done }).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?.map_err(fault)
    }
}

impl<E: Engine> Drop for Group<E> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("the group thread has panicked");
        }
    }
}

fn run<E: Engine>(engine: &Mutex<E>, bell: &Bell, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let (mut appends, mut answers) = (vec![first.append], vec![first.done]);
        for job in waiting.try_iter().take(MOST - 1) {
            appends.push(job.append);
            answers.push(job.done);
        }
        let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
        let outcomes = commit(&mut *engine, bell, appends);
        drop(engine);
        let each: Vec<_> = match outcomes {
            Ok(outcomes) => outcomes.into_iter().map(Ok).collect(),
            Err(e) => vec![Err(e.to_string()); answers.len()],
        };
        for (answer, outcome) in answers.into_iter().zip(each) {
            // Whoever asked may have gone.
            answer.send(outcome).ok();
        }
    }
}

fn commit<E: Engine>(
    engine: &mut E,
    bell: &Bell,
    appends: Vec<Append>,
) -> Result<Vec<Outcome>, Fault> {
    let outcomes = engine.commit(appends)?;
    let last = outcomes.iter().rev().find_map(|outcome| match outcome {
        Outcome::At(position) => Some(*position),
        Outcome::Conflict => None,
    });
    if let Some(last) = last {
        bell.ring(last);
    }
    Ok(outcomes)
}
