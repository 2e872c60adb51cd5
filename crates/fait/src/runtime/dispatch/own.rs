//! Issued commands that this system decides itself.

use super::answer;
use crate::runtime::Core;
use crate::runtime::decide::{Envelope, Execution, SendError, fingerprint};
use crate::runtime::flaw::{Flaw, flaw};
use crate::runtime::index::OpenCommand;
use fait_core::event::Position;
use fait_core::event::panic_text;
use fait_core::process::Outcome;
use futures_util::FutureExt;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Core {
    pub(super) async fn decide_issued(&self, command: &OpenCommand) -> Result<Position, SendError> {
        let issued = &command.open.issued;
        let answer = answer(command);
        let def = self.commands.get(&issued.name);
        let Some(begin) = def.and_then(|d| d.begin.as_ref()) else {
            let error = format!("this program has no decision for `{}`", issued.name);
            return self.settle(&answer, Outcome::Failed { error }).await;
        };
        let begun = catch_unwind(AssertUnwindSafe(|| begin(&issued.body)));
        let begun = begun.map_err(|panic| panic_text(&*panic));
        let deciding = match begun.and_then(|b| b.map_err(|e| e.to_string())) {
            Ok(deciding) => deciding,
            Err(error) => return self.settle(&answer, Outcome::Failed { error }).await,
        };
        let apart = flaw(Flaw::ReceiptApart);
        let env = Envelope {
            id: Some(issued.id).filter(|_| !apart),
            actor: Some(format!("process:{}", command.process)),
            correlation: Some(answer.correlation),
            causation: Some(answer.cause),
            ..Envelope::default()
        };
        let execution = Execution {
            deciding,
            name: &issued.name,
            body: &issued.body,
            fingerprint: fingerprint(&issued.name, &issued.body),
            env,
            answer: Some(answer.clone()).filter(|_| !apart),
            note: None,
        };
        let executed = AssertUnwindSafe(self.execute(execution))
            .catch_unwind()
            .await;
        let defect = |panic: Box<dyn Any + Send>| Err(SendError::Defect(panic_text(&*panic)));
        let outcome = match executed.unwrap_or_else(defect) {
            Ok(_) if apart => Outcome::Accepted,
            // The answer stands behind the events that are shown.
            Ok(receipt) => return Ok(receipt.position.max(answer.position)),
            Err(SendError::Refused(r)) => Outcome::Refused {
                code: r.code,
                reason: r.message,
            },
            Err(
                e @ (SendError::Decode(_)
                | SendError::Defect(_)
                | SendError::Limit(_)
                | SendError::Reused(_)),
            ) => Outcome::Failed {
                error: e.to_string(),
            },
            Err(e) => return Err(e),
        };
        self.settle(&answer, outcome).await
    }
}
