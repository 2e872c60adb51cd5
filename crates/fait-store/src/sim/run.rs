//! Many lives of one store, checked against what it must answer.

mod end;

use super::check::{self, Said};
use super::disk::{Fault, SimDisk};
use super::engine::{Engine, Kept};
use super::figures::Figures;
use super::model::{Model, plain};
use super::plan::{Plan, Step};
use crate::writer::Answer;
use fait_core::store::{Append, AppendError, Appended, Erase, Erased};
use std::fmt::Debug;

/// What went wrong, and how it came to it.
#[derive(Debug)]
pub(super) struct Violation {
    pub(super) seed: u64,
    pub(super) life: usize,
    pub(super) operation: usize,
    pub(super) sentence: String,
    pub(super) trace: Vec<String>,
}

/// What the last life of a store ends with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    Flip,
    Lost,
    Astray,
}

/// The lives of one store.
pub(super) struct Run {
    seed: u64,
    life: usize,
    operation: usize,
    plan: Plan,
    disk: SimDisk,
    model: Model,
    kept: Kept,
    figures: Figures,
    /// How many changes were taken before the last frame with events was written.
    last_frame: usize,
    /// An erasure has failed half-way: what readers see until the next opening is not known.
    unsettled: bool,
    trace: Option<Vec<String>>,
}

/// Simulates all lives that follow from a seed.
pub(super) fn run(seed: u64) -> Result<Figures, Box<Violation>> {
    Run::new(seed, SimDisk::new(seed ^ 1), false).lives()
}

/// The same, and keeps what happens.
pub(super) fn run_traced(seed: u64) -> Result<Figures, Box<Violation>> {
    Run::new(seed, SimDisk::new(seed ^ 1), true).lives()
}

impl Run {
    pub(super) fn new(seed: u64, disk: SimDisk, traced: bool) -> Run {
        Run {
            seed,
            life: 0,
            operation: 0,
            plan: Plan::new(seed),
            disk,
            model: Model::default(),
            kept: Kept::new(seed ^ 2),
            figures: Figures {
                seeds: 1,
                ..Figures::default()
            },
            last_frame: 0,
            unsettled: false,
            trace: traced.then(Vec::new),
        }
    }

    pub(super) fn lives(mut self) -> Result<Figures, Box<Violation>> {
        match self.all_lives() {
            Ok(()) => {
                self.figures.count(&self.disk.seen());
                Ok(self.figures)
            }
            Err(sentence) => Err(Box::new(Violation {
                seed: self.seed,
                life: self.life,
                operation: self.operation,
                sentence,
                trace: self.trace.unwrap_or_default(),
            })),
        }
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.plan.rng.one_in(one_in)
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let what = what();
            trace.push(format!("{}.{} {what}", self.life, self.operation));
        }
    }

    fn all_lives(&mut self) -> Result<(), String> {
        let lives = 2 + self.plan.rng.below(7);
        for life in 1..=lives {
            self.life = life;
            let engine = self.open()?;
            let damage = (life == lives && self.chance(3))
                .then(|| [Damage::Flip, Damage::Lost, Damage::Astray][self.plan.rng.below(3)]);
            match damage {
                None => self.trouble(),
                Some(Damage::Flip) => {}
                Some(Damage::Lost) => self.plan_fault(12, Fault::Lost),
                Some(Damage::Astray) => self.plan_fault(12, Fault::Astray),
            }
            let engine = self.steps(engine)?;
            self.end(engine, damage)?;
            if let Some(damage) = damage {
                return self.after(damage);
            }
        }
        let engine = self.open()?;
        engine.close();
        Ok(())
    }

    /// What this life has to suffer.
    fn trouble(&mut self) {
        let fault = match self.plan.rng.below(10) {
            0..=2 => {
                let operations = self.plan.rng.below(60);
                self.note(|| format!("the power will fail after {operations} operations"));
                return self.disk.power_off_after(operations);
            }
            3 => Fault::Sync,
            4 => Fault::Write,
            5 => Fault::Short(self.plan.rng.below(700)),
            6 => Fault::Read,
            7 => {
                let room = self.plan.rng.below(5_000);
                self.note(|| format!("the disk has room for {room} bytes"));
                return self.disk.limit(room);
            }
            _ => return,
        };
        self.plan_fault(8, fault);
    }

    fn plan_fault(&mut self, most: usize, fault: Fault) {
        let after = self.plan.rng.below(most);
        self.note(|| format!("{fault:?} after {after}"));
        self.disk.fail_after(after, fault);
    }

    /// Opens the store, however often it is disturbed while it opens.
    fn open(&mut self) -> Result<Engine, String> {
        for attempt in 0.. {
            if attempt < 5 && self.chance(3) {
                match self.plan.rng.below(5) {
                    0..=2 => {
                        let operations = self.plan.rng.below(20);
                        self.note(|| format!("the power will fail after {operations}"));
                        self.disk.power_off_after(operations);
                    }
                    3 => self.plan_fault(3, Fault::Sync),
                    _ => self.plan_fault(3, Fault::Write),
                }
            }
            if let Some(engine) = self.try_open()? {
                return Ok(engine);
            }
        }
        Err("opening was tried for ever".into())
    }

    fn try_open(&mut self) -> Result<Option<Engine>, String> {
        let before = self.disk.seen();
        let opened = Engine::open(&self.disk);
        let off = self.disk.is_off();
        self.disk.mend();
        match opened {
            Ok(engine) if !off => {
                self.figures.lives += 1;
                self.note(|| "opened".into());
                self.check_opened(&engine)?;
                return Ok(Some(engine));
            }
            Ok(_) => {}
            Err(error) if Engine::is_damage(&error) => {
                return Err(format!("opening says that there is damage: {error}"));
            }
            Err(error) if self.disk.seen().errors == before.errors => {
                return Err(format!("opening fails on a sound disk: {error}"));
            }
            Err(error) => self.note(|| format!("not opened: {error}")),
        }
        if off {
            self.figures.opening_losses += 1;
        } else {
            self.figures.failed_openings += 1;
        }
        if off || self.chance(2) {
            self.crash();
        }
        Ok(None)
    }

    fn crash(&mut self) {
        self.figures.power_losses += 1;
        self.note(|| "the power fails".into());
        self.disk.crash();
    }

    fn check_opened(&mut self, engine: &Engine) -> Result<(), String> {
        self.unsettled = false;
        let head = check::head(engine)?;
        let last_frame = self.model.len();
        if let Some(erase) = self.model.opened(head)? {
            // How much of it was done is not known; done again, all of it is.
            self.note(|| format!("erased again: {}", erase.tag));
            engine.erase(erase).map_err(|e| e.to_string())?;
        }
        if self.model.len() > last_frame {
            self.last_frame = last_frame;
        }
        check::all(engine, &self.model, &mut self.plan, Said::Everything)
    }

    fn steps(&mut self, mut engine: Engine) -> Result<Option<Engine>, String> {
        for operation in 1..=3 + self.plan.rng.below(14) {
            self.operation = operation;
            let step = self.plan.step(&self.model);
            match step {
                Step::Reopen => {
                    self.note(|| "closed".into());
                    engine.close();
                    if self.disk.is_off() {
                        return Ok(None);
                    }
                    match self.try_open()? {
                        Some(opened) => engine = opened,
                        None => engine = self.open()?,
                    }
                }
                step => self.step(&engine, step)?,
            }
            if self.disk.is_off() || self.unsettled {
                break;
            }
        }
        Ok(Some(engine))
    }

    fn step(&mut self, engine: &Engine, step: Step) -> Result<(), String> {
        match step {
            Step::Append(append) => {
                let refuses = engine.refuses();
                let errors = self.disk.seen().errors;
                let answer = engine.append(append.clone());
                self.judge(engine, refuses, errors, vec![(append, answer)])
            }
            Step::Together(appends) => {
                let refuses = engine.refuses();
                let errors = self.disk.seen().errors;
                let answers = engine.together(appends.clone());
                let both = appends.into_iter().zip(answers).collect();
                self.judge(engine, refuses, errors, both)
            }
            Step::Read(query, range) => {
                self.figures.reads += 1;
                let errors = self.disk.seen().errors;
                let read = check::read(engine, &self.model, &query, range);
                self.note(|| format!("read {query:?} {range:?}: {}", short(&read)));
                self.unless_failed(errors, read)
            }
            Step::Look(id) => {
                let errors = self.disk.seen().errors;
                let looked = check::look(engine, &self.model, id);
                self.note(|| format!("look for {id}"));
                self.unless_failed(errors, looked)
            }
            Step::Tend => {
                let errors = self.disk.seen().errors;
                let tended = engine.tend().map_err(|e| check::Wrong::Failed(e.message));
                self.note(|| format!("tended: {}", short(&tended)));
                self.figures.tended += u64::from(matches!(tended, Ok(true)));
                self.unless_failed(errors, tended.map(|_| ()))
            }
            Step::Erase(erase) => self.erase(engine, erase),
            Step::Backup => self.back_up(),
            Step::Reopen => Ok(()),
        }
    }

    /// An explicit error is right when the disk gave one.
    fn unless_failed(&self, errors: usize, found: check::Found) -> Result<(), String> {
        match found {
            Err(check::Wrong::Failed(_)) if self.disk.seen().errors > errors => Ok(()),
            Err(wrong) => Err(wrong.into()),
            Ok(()) => Ok(()),
        }
    }

    /// Judges the answers to appends that were sent together.
    fn judge(
        &mut self,
        engine: &Engine,
        refuses: bool,
        errors: usize,
        answers: Vec<(Append, Answer)>,
    ) -> Result<(), String> {
        let mut doubt = None;
        let start = self.model.len();
        for (append, answer) in answers {
            self.note(|| format!("append {}: {}", told(&append), short(&answer)));
            let before = self.model.len();
            let store = matches!(answer, Err(AppendError::Store(_)));
            let invalid = matches!(answer, Err(AppendError::Invalid(_)));
            self.figures.refused += u64::from(store);
            if refuses || doubt.is_some() {
                if !store && !invalid {
                    return Err(format!(
                        "after a fault the store answers {}",
                        short(&answer)
                    ));
                }
                if !refuses {
                    let _ = self.model.append(&append);
                }
                continue;
            }
            let expected = self.model.append(&append);
            if store {
                if self.disk.seen().errors == errors {
                    return Err(format!("refused on a sound disk: {}", short(&answer)));
                }
                match engine.refuses() {
                    true => doubt = Some(before),
                    false => self.model.undo(before),
                }
                continue;
            }
            let answer = plain(answer);
            if answer != expected {
                let (got, wanted) = (short(&answer), short(&expected));
                return Err(format!("an append was answered {got}, not {wanted}"));
            }
            self.count(&answer);
        }
        if self.model.len() > start {
            self.last_frame = start;
        }
        if let Some(n) = doubt {
            self.model.doubt(n);
        }
        Ok(())
    }

    fn count(&mut self, answer: &Answer) {
        match answer {
            Ok(receipt) if receipt.repeated => self.figures.repeated += 1,
            Ok(_) => self.figures.appends += 1,
            Err(AppendError::Conflict { .. }) => self.figures.conflicts += 1,
            Err(_) => {}
        }
    }

    fn erase(&mut self, engine: &Engine, erase: Erase) -> Result<(), String> {
        let (refuses, errors) = (engine.refuses(), self.disk.seen().errors);
        let mut answer = engine.erase(erase.clone());
        self.note(|| format!("erase {}: {}", told(&erase.tombstone), short(&answer)));
        let before = self.model.len();
        let mut again = false;
        if let Err(AppendError::Store(error)) = &answer {
            if self.disk.seen().errors == errors && !refuses {
                return Err(format!("an erasure failed on a sound disk: {error}"));
            }
            if refuses {
                return Ok(());
            }
            if engine.refuses() || self.disk.is_off() {
                if self.model.erase(&erase).is_ok() {
                    self.model.doubt(before);
                }
                self.unsettled = true;
                return Ok(());
            }
            // A part of it was done; asked again on a sound disk, all of it is.
            self.disk.mend();
            answer = engine.erase(erase.clone());
            self.note(|| format!("erased again: {}", short(&answer)));
            again = true;
        }
        let expected = self.model.erase(&erase);
        let answer = answer.and_then(|erased| {
            let tombstone = plain(Ok(erased.tombstone))?;
            Ok(Erased {
                tombstone,
                ..erased
            })
        });
        // How much was left to be done is not known then, nor whether the tombstone was there.
        let told = |erased: Erased| match again {
            true => (erased.tombstone.first, erased.tombstone.last, 0, true),
            false => {
                let Appended {
                    first,
                    last,
                    repeated,
                    ..
                } = erased.tombstone;
                (first, last, erased.events, repeated)
            }
        };
        let (answer, expected) = (answer.map(told), expected.map(told));
        if answer != expected {
            let (got, wanted) = (short(&answer), short(&expected));
            return Err(format!("an erasure was answered {got}, not {wanted}"));
        }
        self.last_frame = self.model.len();
        self.figures.erasures += u64::from(answer.is_ok());
        Ok(())
    }

    fn back_up(&mut self) -> Result<(), String> {
        let errors = self.disk.seen().errors;
        let copy = SimDisk::new(self.plan.rng.next());
        let cut = self.chance(4).then(|| self.plan.rng.below(60));
        self.note(|| format!("backup, cut after {cut:?}"));
        match self.kept.backup(&self.disk, &copy, cut) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            Err(_) if self.disk.seen().errors > errors => return Ok(()),
            Err(error) => return Err(format!("a backup failed on a sound disk: {error}")),
        }
        self.figures.backups += 1;
        copy.crash();
        let restored = Engine::open(&copy).map_err(|e| format!("a backup: {e}"))?;
        if self.model.is_in_doubt() {
            // What was written and not acknowledged may be in the copy, as in the store when it
            // is opened again.
            let (has, known) = (check::head(&restored)?, self.model.head());
            let what = || format!("a backup has {has} events, and {known} were acknowledged");
            return (has >= known).then_some(()).ok_or_else(what);
        }
        check::all(&restored, &self.model, &mut self.plan, Said::Everything)
    }
}

/// An append in few words.
fn told(append: &Append) -> String {
    let events = append.events.iter();
    let events = events.map(|e| format!("{}/{}+{}", e.id.as_u128(), e.ty, e.data.len()));
    let events: Vec<_> = events.collect();
    let conditions: Vec<_> = append.conditions.iter().map(|c| c.after).collect();
    let command = append.command.map(|key| key.id.as_u128());
    format!("[{}] after {conditions:?} as {command:?}", events.join(" "))
}

fn short(what: &impl Debug) -> String {
    let mut text = format!("{what:?}");
    if let Some((end, _)) = text.char_indices().nth(300) {
        text.truncate(end);
        text.push('…');
    }
    text
}
