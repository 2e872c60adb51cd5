//! How a life ends, and what must be true of a store whose disk was damaged.

use super::{Damage, Run};
use crate::sim::check::{self, Said};
use crate::sim::engine::{self, Engine};

impl Run {
    /// A life ends: the store is closed, or the power fails.
    pub(super) fn end(
        &mut self,
        engine: Option<Engine>,
        damage: Option<Damage>,
    ) -> Result<(), String> {
        self.operation = 0;
        let closed = self.chance(3) && !self.disk.is_off();
        if let (true, Some(engine)) = (closed, engine) {
            let sound = !engine.refuses();
            engine.close();
            self.note(|| "closed".into());
            if sound && !self.disk.is_off() && damage == Some(Damage::Flip) {
                // The last frame is a seal now: nothing may be missed any more.
                self.last_frame = self.model.len();
            }
            if self.chance(2) && self.disk.is_limited() {
                self.open_full()?;
            }
        }
        self.disk.mend();
        if !closed || self.chance(2) || matches!(damage, Some(Damage::Lost | Damage::Astray)) {
            self.crash();
        }
        Ok(())
    }

    /// A full disk does not keep a store from being opened and read.
    fn open_full(&mut self) -> Result<(), String> {
        let engine = Engine::open(&self.disk);
        if self.disk.is_off() {
            return Ok(());
        }
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) if engine::OPENS_WHEN_FULL || Engine::is_damage(&error) => {
                return Err(format!("a full disk keeps the store closed: {error}"));
            }
            Err(_) => {
                self.figures.failed_openings += 1;
                return Ok(());
            }
        };
        self.figures.full_openings += 1;
        self.note(|| "opened on a full disk".into());
        self.check_opened(&engine)?;
        engine.close();
        Ok(())
    }

    /// What was damaged is found, or does no harm; only what the very last write wrote can be
    /// taken for a write that the power cut short.
    pub(super) fn after(&mut self, damage: Damage) -> Result<(), String> {
        if damage == Damage::Flip {
            let flipped = self.disk.flip();
            self.figures.flips += 1;
            self.note(|| format!("flipped {flipped:?}"));
        }
        let engine = match Engine::open(&self.disk) {
            Ok(engine) => engine,
            Err(error) => {
                self.figures.found += 1;
                self.note(|| format!("found: {error}"));
                return Ok(());
            }
        };
        let least = match damage {
            // What was led astray may have hit the frames at the end, each of several appends.
            Damage::Astray => self.model.len().saturating_sub(16),
            _ => self.last_frame,
        };
        let least = self.model.head_before(self.model.len() - least);
        let head = check::head(&engine)?;
        // Its tombstone may be lost, and what it erased is gone nevertheless.
        let erased = self.model.erases_behind(head);
        if self.model.opened(head).is_err() && (head < least || !self.model.lost(head)) {
            return Err(format!(
                "after {damage:?} only {head} events are left, and no error"
            ));
        }
        if erased {
            return Ok(());
        }
        check::all(&engine, &self.model, &mut self.plan, Said::OrRefused)
    }
}
