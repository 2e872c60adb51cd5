//! Inlets that do not behave: they answer at once, repeat themselves, or break. And an operator
//! who speaks while something comes in.

use super::*;
use std::sync::atomic::AtomicBool;

/// An inlet that answers at once; when it was asked far too often, it falls silent.
#[derive(Clone, Default)]
struct Restless {
    /// Behind which places it was asked.
    asked: Arc<Mutex<Vec<Option<u64>>>>,
    /// What it gives, whatever is asked.
    gives: Arc<Mutex<Vec<Delivery>>>,
    /// It breaks the next time.
    breaks: Arc<AtomicBool>,
}

impl Restless {
    fn giving(all: &[CloudEvent]) -> Restless {
        let one = |(n, message): (usize, &CloudEvent)| Delivery {
            mark: Mark {
                history: "line 1".into(),
                sequence: n as u64 + 1,
            },
            headers: vec![("content-type".into(), STRUCTURED.into())],
            body: message.to_bytes(),
        };
        let all: Vec<Delivery> = all.iter().enumerate().map(one).collect();
        Restless {
            gives: Arc::new(Mutex::new(all)),
            ..Restless::default()
        }
    }

    fn asked(&self) -> Vec<Option<u64>> {
        self.asked.lock().unwrap().clone()
    }

    fn heard_by<R: Receive>(&self) -> App {
        let app = App::in_memory().task::<KeepPlace>();
        app.hears::<R>("yard", self.clone()).build().unwrap()
    }
}

impl Inlet for Restless {
    fn take(&self, after: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            let n = {
                let mut asked = self.asked.lock().unwrap();
                asked.push(after.map(|mark| mark.sequence));
                asked.len()
            };
            assert!(!self.breaks.swap(false, Ordering::Relaxed), "it breaks");
            if n > 1000 {
                std::future::pending::<()>().await;
            }
            Ok(self.gives.lock().unwrap().clone())
        })
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_nothing_at_once_is_asked_a_few_times_a_second() {
    let line = Restless::default();
    let app = line.heard_by::<Yard>();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = line.asked().len();
    assert!((10..=60).contains(&asked), "asked {asked} times in 10 s");
    app.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_the_same_for_ever_is_asked_a_few_times_a_second() {
    let line = Restless::giving(&[of("left", "a", 1), of("left", "a", 2)]);
    let app = line.heard_by::<Yard>();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = line.asked().len();
    assert!((10..=60).contains(&asked), "asked {asked} times in 10 s");
    assert_eq!(log(&app).await.len(), 4, "each is recorded once");
    app.stop().await;
}

#[tokio::test(start_paused = true)]
async fn one_that_breaks_is_asked_again() {
    let line = Restless::giving(&[of("left", "a", 1)]);
    line.breaks.store(true, Ordering::Relaxed);
    let app = line.heard_by::<Yard>();
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(log(&app).await, ["CrateLeft a 1", "a recorded"]);
    app.stop().await;
}

/// Whether [`Slow`] has a message in hand, and whether it may go on.
static IN_HAND: AtomicBool = AtomicBool::new(false);
static MAY_GO_ON: AtomicBool = AtomicBool::new(false);

/// Takes its time with the message of type `slow`.
struct Slow;

impl Receive for Slow {
    const SYSTEM: &'static str = "Yard";
    type Sends = Asks;
    type Records = Seen;
    fn receive(message: &CloudEvent) -> Received<Self> {
        while message.ty == "slow" && !MAY_GO_ON.load(Ordering::Relaxed) {
            IN_HAND.store(true, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(1));
        }
        let About { parcel, n } = message.read().unwrap();
        Incoming::Record(CrateLeft { parcel, n }.into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_says_while_something_comes_in_holds() {
    let all = [of("left", "a", 1), of("slow", "a", 2), of("left", "a", 3)];
    let line = Restless::giving(&all);
    let app = line.heard_by::<Slow>();
    while !IN_HAND.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let said = tokio::spawn({
        let app = app.clone();
        async move { app.continue_hearing("yard", None, "op:max").await }
    });
    // Time for it to be recorded while the message is in hand, if that can be.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let before = line.asked().len();
    MAY_GO_ON.store(true, Ordering::Relaxed);
    said.await.unwrap().unwrap();
    while line.asked().len() < before + 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let asked = line.asked();
    assert!(asked[before..].contains(&None), "{asked:?}");
    assert_eq!(log(&app).await.len(), 7, "each once, and what was said");
    app.stop().await;
}
