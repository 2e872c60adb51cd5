//! The clauses.

use super::Way;
use super::ends::{Clever, EAR, Hearer, Plain, Sender, heard, take};
use crate::app::Mood;
use crate::bus::{BusError, CloudEvent, Delivery, Inlet, Mark};
use fait_core::store::BoxFuture;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Most messages that an inlet may give at once.
const MOST_AT_ONCE: usize = 1000;

fn lines(of: &str, n: impl Iterator<Item = u32>) -> Vec<String> {
    n.map(|n| format!("{of} {n}")).collect()
}

/// What is said in an order is heard in this order, and once.
pub async fn messages_arrive_once_in_order(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let hearer = Hearer::start(&way).await;
    let mut said = vec![];
    for n in 0..60 {
        let of = ["a", "b", "c"][n as usize % 3];
        sender.say(of, n, "word").await;
        said.push(format!("{of} {n}"));
        if n % 10 == 0 {
            // What is ignored is no reason to stop.
            sender.say(of, n, "nothing").await;
        }
    }
    assert_eq!(hearer.up_to("c 59").await, said);
}

/// Every attribute and the data arrive as they stand in the log of the sender.
pub async fn a_message_arrives_as_it_was_published(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let text = "ä \u{1F980} \" \\ / \u{7f} 'and so on'";
    sender.say("thing: 1/2?", 7, text).await;
    let inlet = way.inlet(EAR).await;
    let came = take(&*inlet, None, 1).await;
    let read = CloudEvent::read_message(&came[0].headers, &came[0].body);
    sender.app.settle().await;
    let published = sender.app.published(0, 10, &[]).await;
    match (read, published) {
        (Ok(read), Ok(published)) => assert_eq!(read, published.messages[0].event),
        (read, published) => panic!("it cannot be compared: {read:?}, {published:?}"),
    }
}

/// Who begins to hear later hears from the beginning.
pub async fn a_receiver_that_starts_late_hears_everything(way: Arc<dyn Way>) {
    let mut sender = Sender::start(&way).await;
    for n in 0..20 {
        sender.say("a", n, "word").await;
    }
    sender.app.settle().await;
    sender.restart().await;
    let hearer = Hearer::start(&way).await;
    assert_eq!(hearer.up_to("a 19").await, lines("a", 0..20));
}

/// However many there are, they are given in parts, and the next part when the one before is done.
pub async fn many_messages_come_in_parts(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let many = 1500;
    for n in 0..many {
        sender.say("a", n, &"word ".repeat(100)).await;
    }
    let inlet = way.inlet(EAR).await;
    let (mut after, mut came): (Option<Mark>, u32) = (None, 0);
    while came < many {
        let part = take(&*inlet, after.clone(), 1).await;
        assert!(part.len() <= MOST_AT_ONCE, "{} at once", part.len());
        for delivery in &part {
            let new = after
                .as_ref()
                .is_none_or(|a| delivery.mark.sequence > a.sequence);
            if new {
                let event = CloudEvent::read_message(&delivery.headers, &delivery.body);
                let n = event.ok().and_then(|e| match e.data {
                    crate::bus::Data::Json(data) => data["n"].as_u64(),
                    _ => None,
                });
                assert_eq!(n, Some(u64::from(came)), "in order, and none is left out");
                came += 1;
                after = Some(delivery.mark.clone());
            }
        }
        if let Some(upto) = after.clone() {
            done(&*inlet, upto).await;
        }
    }
}

async fn done(inlet: &dyn Inlet, upto: Mark) {
    if let Err(e) = inlet.done(upto).await {
        panic!("it cannot be said that it is done: {e}");
    }
}

/// Each name hears everything, whoever else does.
pub async fn receivers_hear_on_their_own(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let first = Hearer::start(&way).await;
    let second = Hearer::by::<Plain>(&Arc::default(), way.inlet("other").await);
    for n in 0..20 {
        sender.say("a", n, "word").await;
    }
    assert_eq!(first.up_to("a 19").await, lines("a", 0..20));
    assert_eq!(second.up_to("a 19").await, lines("a", 0..20));
}

/// Two programs that hear for the same log record each message once.
pub async fn two_programs_on_one_log_record_once(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let one = Hearer::start(&way).await;
    let other = Hearer::by::<Plain>(&one.store, way.inlet(EAR).await);
    for n in 0..40 {
        let text = if n % 4 == 0 { "weigh" } else { "word" };
        sender.say("a", n, text).await;
    }
    let all = other.until("all", |heard| heard.len() >= 40).await;
    sender.say("end", 0, "word").await;
    let then = one.up_to("end 0").await;
    assert_eq!(then.len(), 41, "none twice: {then:?}");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 40, "none lost");
}

/// The program that hears may end at any time.
pub async fn restarts_of_the_receiver_lose_and_repeat_nothing(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let mut hearer = Hearer::start(&way).await;
    for round in 0..6 {
        for n in 0..15 {
            sender.say("a", round * 15 + n, "word").await;
        }
        let some = (round as usize) * 15 + 5;
        hearer.until("some", |heard| heard.len() >= some).await;
        hearer.restart(&way).await;
    }
    assert_eq!(hearer.up_to("a 89").await, lines("a", 0..90));
}

/// The program that sends may end at any time.
pub async fn restarts_of_the_sender_lose_and_repeat_nothing(way: Arc<dyn Way>) {
    let mut sender = Sender::start(&way).await;
    let hearer = Hearer::start(&way).await;
    for round in 0..4 {
        for n in 0..10 {
            sender.say("a", round * 10 + n, "word").await;
        }
        sender.restart().await;
    }
    assert_eq!(hearer.up_to("a 39").await, lines("a", 0..40));
}

/// What was taken and not done is given again after a restart.
pub async fn what_is_not_done_comes_again(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    for n in 0..5 {
        sender.say("a", n, "word").await;
    }
    let first = {
        let inlet = way.inlet(EAR).await;
        take(&*inlet, None, 5).await
    };
    let again = way.inlet(EAR).await;
    let again = take(&*again, None, 5).await;
    let bodies = |all: &[Delivery]| -> Vec<_> { all.iter().map(|d| d.body.clone()).collect() };
    assert_eq!(bodies(&again)[..5], bodies(&first)[..5]);
    assert_eq!(again[0].mark, first[0].mark, "it stands where it stood");
}

/// Gives everything up to five times, and what came before once more now and then.
struct Again<I> {
    inlet: I,
    given: Mutex<Vec<Delivery>>,
    n: AtomicUsize,
}

impl<I: Inlet> Inlet for Again<I> {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            let new = self.inlet.take(after).await?;
            let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            let mut out = vec![];
            for delivery in new {
                let n = self.n.fetch_add(1, Ordering::Relaxed);
                for _ in 0..=n % 5 {
                    out.push(delivery.clone());
                }
                given.push(delivery);
                if n.is_multiple_of(3) {
                    out.extend(given.get(n / 2).cloned());
                }
            }
            Ok(out)
        })
    }

    fn done(&self, upto: Mark) -> BoxFuture<'_, Result<(), BusError>> {
        self.inlet.done(upto)
    }
}

/// However often something comes, it is recorded, decided or refused once.
pub async fn what_comes_again_counts_once(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let inlet = Again {
        inlet: way.inlet(EAR).await,
        given: Mutex::default(),
        n: AtomicUsize::new(0),
    };
    let hearer = Hearer::by::<Plain>(&Arc::default(), inlet);
    let mut said = vec![];
    for n in 0..30 {
        let text = if n % 3 == 0 { "weigh" } else { "word" };
        sender.say("a", n, text).await;
        said.push(match (n % 3, n % 2) {
            (0, 0) => format!("a {n} weighed"),
            (0, _) => format!("a {n} is odd"),
            _ => format!("a {n}"),
        });
    }
    sender.say("end", 0, "word").await;
    said.push("end 0".into());
    sender.say("end", 1, "word").await;
    said.push("end 1".into());
    assert_eq!(hearer.up_to("end 1").await, said);
}

/// What stands behind a mark is given behind it, also to a program that was started again.
pub async fn a_place_is_gone_on_from(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    for n in 0..5 {
        sender.say("a", n, "word").await;
    }
    let inlet = way.inlet(EAR).await;
    let all = take(&*inlet, None, 5).await;
    let place = all[2].mark.clone();
    done(&*inlet, place.clone()).await;
    drop(inlet);
    let inlet = way.inlet(EAR).await;
    let mut rest = take(&*inlet, Some(place.clone()), 2).await;
    rest.retain(|d| d.mark.sequence > place.sequence);
    let marks: Vec<Mark> = rest.into_iter().map(|d| d.mark).collect();
    assert_eq!(marks, [all[3].mark.clone(), all[4].mark.clone()]);
}

/// When the other side has become another one, an operator is asked, and nothing of it is
/// recorded before.
pub async fn another_history_is_not_gone_on_with(way: Arc<dyn Way>) {
    let mut sender = Sender::start(&way).await;
    let hearer = Hearer::start(&way).await;
    for n in 0..5 {
        sender.say("a", n, "word").await;
    }
    hearer.up_to("a 4").await;
    sender.begin_anew().await;
    for n in 5..8 {
        sender.say("a", n, "word").await;
    }
    loop {
        let stands = hearer.app.inlets().await;
        match stands.as_deref() {
            Ok([ear]) if matches!(ear.mood, Mood::Stopped { .. }) => break,
            Ok([_]) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
            other => panic!("there is one inlet: {other:?}"),
        }
    }
    assert_eq!(heard(&hearer.app).await, lines("a", 0..5));
    if let Err(e) = hearer.app.continue_hearing(EAR, None, "operator:ann").await {
        panic!("it cannot be gone on: {e}");
    }
    assert_eq!(hearer.up_to("a 7").await, lines("a", 0..8));
}

/// One bad message holds up what has the same key, and nothing else; after a fix all is heard in
/// order.
pub async fn a_message_that_cannot_be_read_holds_up_its_own_key_only(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let hearer = Hearer::start(&way).await;
    for (of, n, text) in [
        ("a", 0, "word"),
        ("a", 1, "riddle"),
        ("b", 2, "word"),
        ("a", 3, "word"),
        ("a", 4, "weigh"),
        ("b", 5, "word"),
    ] {
        sender.say(of, n, text).await;
    }
    let before = ["a 0", "b 2", "b 5"];
    assert_eq!(hearer.up_to("b 5").await, before);
    let kept = hearer.app.unreadable(Some(EAR)).await;
    let kept: Vec<_> = match kept {
        Ok(kept) => kept.into_iter().map(|m| (m.key, m.reason)).collect(),
        Err(e) => panic!("{e}"),
    };
    let a = || Some("a".to_string());
    let riddle = Some("a riddle".to_string());
    assert_eq!(kept, [(a(), riddle), (a(), None), (a(), None)]);
    hearer.app.stop().await;
    let hearer = Hearer::by::<Clever>(&hearer.store, way.inlet(EAR).await);
    if let Err(e) = hearer.app.reread(EAR, None).await {
        panic!("it cannot be read again: {e}");
    }
    let after = [&before[..], &["a 1", "a 3", "a 4 weighed"]].concat();
    assert_eq!(hearer.up_to("a 4 weighed").await, after);
    sender.say("a", 6, "word").await;
    assert_eq!(hearer.up_to("a 6").await.len(), after.len() + 1);
}

/// What fits is carried whole.
pub async fn a_large_message_arrives(way: Arc<dyn Way>) {
    let sender = Sender::start(&way).await;
    let hearer = Hearer::start(&way).await;
    let most = way.most_bytes().unwrap_or(usize::MAX).min(700 << 10);
    sender.say("a", 0, &"x".repeat(most / 10 * 9)).await;
    sender.say("a", 1, "word").await;
    assert_eq!(hearer.up_to("a 1").await, lines("a", 0..2));
}
