//! Given these events, when this is asked, then that happens.

use super::{BEGIN, shown, stored};
use fait_core::decision::{Context, Decide, Deciding, Decision};
use fait_core::event::{Draft, Event, EventSet, StoredEvent, Time};
use std::time::Duration;
use uuid::Uuid;

/// What has happened.
#[derive(Clone, Debug)]
#[must_use]
pub struct Given {
    events: Vec<StoredEvent>,
    now: Time,
    actor: Option<String>,
}

/// Nothing has happened yet.
pub fn nothing() -> Given {
    Given {
        events: vec![],
        now: BEGIN,
        actor: None,
    }
}

/// This has happened.
pub fn given<E: Event>(event: E) -> Given {
    nothing().given(event)
}

impl Given {
    /// And this, too.
    pub fn given<E: Event>(mut self, event: E) -> Given {
        let position = self.events.len() as u64 + 1;
        self.events.push(stored(&event, position, self.now));
        self
    }

    /// Then time passes.
    pub fn after(mut self, time: Duration) -> Given {
        self.now = self.now + time;
        self
    }

    /// Who asks.
    pub fn by(mut self, actor: &str) -> Given {
        self.actor = Some(actor.into());
        self
    }

    /// This is asked.
    pub fn when<C: Decide>(self, command: C) -> Decided<C> {
        let mut decision = Decision::new(command);
        let query = decision.query().clone();
        let (read, unread): (Vec<_>, Vec<_>) = self.events.iter().partition(|e| query.selects(e));
        for event in &read {
            if let Err(e) = decision.absorb(event) {
                panic!("{e}");
            }
        }
        let context = Context::new(self.now, self.actor, Uuid::from_u128(7));
        let names = |events: Vec<&StoredEvent>| {
            let list: Vec<_> = events
                .iter()
                .map(|e| format!("{} {}", e.meta.position, e.ty))
                .collect();
            if list.is_empty() {
                "nothing".into()
            } else {
                list.join(", ")
            }
        };
        let evidence = format!(
            "the decision read: {}\nit did not read: {}",
            names(read),
            names(unread)
        );
        Decided {
            result: decision.decide_typed(&context),
            evidence,
            decision,
        }
    }
}

/// What was decided.
#[must_use]
pub struct Decided<C: Decide> {
    result: Result<Vec<C::Emits>, C::Refusal>,
    evidence: String,
    decision: Decision<C>,
}

impl<C: Decide> Decided<C> {
    /// Exactly this happens, in this order.
    #[track_caller]
    pub fn then<E: Into<C::Emits>>(self, events: impl IntoIterator<Item = E>) {
        let wanted: Vec<C::Emits> = events.into_iter().map(Into::into).collect();
        let wanted = drafts(&wanted);
        match &self.result {
            Err(refusal) => {
                panic!(
                    "it was refused: {refusal}\nwanted:\n{}\n{}",
                    shown(&wanted),
                    self.evidence
                )
            }
            Ok(events) => {
                let got = drafts(events);
                assert!(
                    got == wanted,
                    "it happened otherwise\nwanted:\n{}\ngot:\n{}\n{}",
                    shown(&wanted),
                    shown(&got),
                    self.evidence
                );
                self.remark(&got);
            }
        }
    }

    /// Nothing had to change.
    #[track_caller]
    pub fn then_nothing(self) {
        self.then(Vec::<C::Emits>::new());
    }

    /// It is refused, for exactly this reason.
    #[track_caller]
    pub fn then_refused(self, refusal: C::Refusal) {
        match &self.result {
            Err(got) => assert!(
                *got == refusal,
                "it was refused for another reason\nwanted: {refusal}\ngot: {got}\n{}",
                self.evidence
            ),
            Ok(events) => panic!(
                "it was not refused: {refusal}\ngot:\n{}\n{}",
                shown(&drafts(events)),
                self.evidence
            ),
        }
    }

    /// What was decided, to look at it further.
    ///
    /// # Errors
    /// The refusal.
    pub fn result(self) -> Result<Vec<C::Emits>, C::Refusal> {
        self.result
    }

    /// A decision that does not read what it writes cannot notice that it was made twice.
    fn remark(&self, got: &[Draft]) {
        let query = self.decision.query();
        if !got.is_empty() && !got.iter().any(|d| query.matches(&d.ty, &d.tags)) {
            eprintln!("remark: `{}` writes nothing that it reads itself", C::NAME);
        }
    }
}

#[track_caller]
fn drafts<E: EventSet>(events: &[E]) -> Vec<Draft> {
    let encoded: Result<Vec<Draft>, _> = events.iter().map(EventSet::encode).collect();
    match encoded {
        Ok(drafts) => drafts,
        Err(e) => panic!("{e}"),
    }
}
