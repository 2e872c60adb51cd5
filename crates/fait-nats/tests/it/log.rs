//! A log of published messages, the loop that hands it over, and a reader that writes down what
//! it is given: all of it in memory, and the same for every process that makes it.

use fait::bus::{BusError, CloudEvent, Data, Inlet, Mark, Message, Outlet, Reached};
use fait::reexport::serde_json::{self, Value, json};
use fait::reexport::uuid::Uuid;
use std::collections::BTreeMap;
use std::time::Duration;

/// The message at a position, from 1 on. Positions of a log have gaps for what is not published.
pub(crate) fn message(number: u64) -> Message {
    let position = number * 2;
    let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes());
    Message {
        position,
        id,
        event: CloudEvent {
            id: id.to_string(),
            source: "urn:fait:test:tickets".into(),
            ty: "com.example.tickets.issued.v1".into(),
            subject: Some(format!("order/{}", number % 100)),
            time: None,
            datacontenttype: Some("application/json".into()),
            dataschema: None,
            extensions: BTreeMap::new(),
            data: Data::Json(json!({ "number": number })),
        },
    }
}

/// Messages `first` to `last`.
pub(crate) fn messages(first: u64, last: u64) -> Vec<Message> {
    (first..=last).map(message).collect()
}

/// One round: asks how far the other side came, and hands over at most so many behind that.
pub(crate) async fn hand_over(
    outlet: &dyn Outlet,
    head: u64,
    most: u64,
) -> Result<Reached, BusError> {
    let reached = outlet.reached().await?;
    let next = next(&reached);
    let last = head.min(next + most - 1);
    match next > head {
        true => Ok(reached),
        false => outlet.hand_over(reached, messages(next, last)).await,
    }
}

/// Until everything up to the head is there; a server that is not there now is asked again.
pub(crate) async fn relay(outlet: &dyn Outlet, head: u64) -> Result<Reached, BusError> {
    let mut waits = Duration::from_millis(10);
    let mut known: Option<Reached> = None;
    loop {
        // Right behind what is known, as long as all is well.
        let round = match known.take() {
            None => outlet.reached().await,
            Some(reached) => {
                let next = next(&reached);
                let messages = messages(next, head.min(next + 1999));
                outlet.hand_over(reached, messages).await
            }
        };
        match round {
            Ok(reached) if next(&reached) > head => return Ok(reached),
            Ok(reached) => {
                waits = Duration::from_millis(10);
                known = Some(reached);
            }
            Err(BusError::Later(_)) => {
                tokio::time::sleep(waits).await;
                waits = (waits * 2).min(Duration::from_millis(500));
            }
            Err(e) => return Err(e),
        }
    }
}

/// The number of the message behind what is there.
fn next(reached: &Reached) -> u64 {
    reached.position.map_or(1, |position| position / 2 + 1)
}

/// What a reader was given.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) mark: Option<Mark>,
    pub(crate) numbers: Vec<u64>,
}

impl Reader {
    /// Takes once.
    pub(crate) async fn take(&mut self, inlet: &dyn Inlet) -> Result<usize, BusError> {
        let found = inlet.take(self.mark.clone()).await?;
        for delivery in &found {
            let event: Value = serde_json::from_slice(&delivery.body).expect("JSON");
            self.numbers
                .push(event["data"]["number"].as_u64().expect("a number"));
            self.mark = Some(delivery.mark.clone());
        }
        Ok(found.len())
    }

    /// Takes until it has so many.
    pub(crate) async fn upto(&mut self, inlet: &dyn Inlet, count: usize) -> Result<(), BusError> {
        let mut later = 0;
        while self.numbers.len() < count {
            match self.take(inlet).await {
                Ok(_) => later = 0,
                Err(BusError::Later(why)) => {
                    later += 1;
                    assert!(later < 1000, "it never comes: {why}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Each message once, in order, from the first on.
    #[track_caller]
    pub(crate) fn complete(&self, count: u64) {
        let wrong = self
            .numbers
            .iter()
            .zip(1..)
            .find(|(found, number)| **found != *number);
        assert_eq!(wrong, None, "the first message that is not in its place");
        assert_eq!(self.numbers.len() as u64, count);
    }
}
