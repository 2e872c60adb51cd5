//! What comes more than once, out of order, or to two programs.

use super::*;
use fait::event::minutes;
use fait::store::Memory;

/// Gives what is on the line in another order, and each up to five times.
struct Shuffled {
    line: Line,
    seed: u64,
    window: usize,
    given: Mutex<Option<Vec<Delivery>>>,
}

impl Shuffled {
    fn random(&self, salt: u64) -> usize {
        let mut x = (self.seed ^ salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x ^= x >> 29;
        (x.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as usize
    }
}

impl Shuffled {
    fn next(&self) -> Option<Delivery> {
        let all = self.line.0.all.lock().unwrap().clone();
        let mut given = self.given.lock().unwrap();
        let mut left = given.take().unwrap_or_else(|| {
            let mut order = all;
            for at in 0..order.len() {
                let to = (at + self.random(at as u64) % self.window).min(order.len() - 1);
                order.swap(at, to);
            }
            let times = |(at, d): (usize, &Delivery)| {
                vec![d.clone(); 1 + self.random(1000 + at as u64) % 5]
            };
            order.iter().enumerate().flat_map(times).rev().collect()
        });
        let next = left.pop();
        *given = Some(left);
        next
    }
}

impl Inlet for Shuffled {
    fn take(&self, _: Option<Mark>) -> BoxFuture<'_, Result<Vec<Delivery>, BusError>> {
        Box::pin(async move {
            // One at a time, so that nothing is put in order again.
            match self.next() {
                Some(one) => Ok(vec![one]),
                None => std::future::pending().await,
            }
        })
    }
}

#[data]
#[derive(Default)]
pub(crate) struct Trip {
    packed: bool,
    left: Vec<u32>,
}

impl Process for Trip {
    const NAME: &'static str = "trip";
    type Key = ParcelId;
    type Events = Seen;
    type Timer = ();
    type Sends = Never;
    type Raises = Never;
    fn routes(r: &mut Routes<Self>) {
        r.start(|e: &CratePacked| e.parcel.clone());
        r.proceed(|e: &CrateLeft| e.parcel.clone())
            .unmatched(Unmatched::Hold(minutes(10)));
        r.ends_itself();
    }
    fn react(mut self, _: &ParcelId, input: Input<Self>, _: &mut Outbox<Self>) -> Self {
        match input {
            Input::Event(Seen::Packed(_)) => self.packed = true,
            Input::Event(Seen::Left(left)) => self.left.push(left.n),
            _ => {}
        }
        self.left.sort_unstable();
        self
    }
}

/// Rows F3 and F4 of the fault matrix: what comes up to five times, up to twenty places from
/// where it belongs, ends in the same state.
#[tokio::test]
async fn doubled_and_shuffled_messages_end_in_the_same_state() {
    for (seed, window) in [(1, 2), (2, 5), (3, 20), (4, 20)] {
        let line = Line::new();
        for parcel in ["a", "b", "c"] {
            line.lay(&of("packed", parcel, 0));
            for n in 1..=5 {
                line.lay(&of("left", parcel, n));
                line.lay(&of("asked", parcel, n * 40));
            }
        }
        let inlet = Shuffled {
            line: line.clone(),
            seed,
            window,
            given: Mutex::default(),
        };
        let app = App::on(Memory::default()).task::<KeepPlace>();
        let app = app.process::<Trip>().clock(fait::Clock::by_hand());
        let app = app.hears::<Yard>("yard", inlet).build().unwrap();
        while log(&app)
            .await
            .iter()
            .filter(|l| !l.starts_with('$'))
            .count()
            < 54
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        app.settle().await;
        for parcel in ["a", "b", "c"] {
            let trip = app.instance("trip", parcel).await.unwrap().unwrap();
            let (_, state) = trip.state.unwrap();
            assert_eq!(state, json!({"packed": true, "left": [1, 2, 3, 4, 5]}));
        }
        let log = log(&app).await;
        let count = |what: &str| log.iter().filter(|l| l.as_str() == what).count();
        // 18 events, 3 places kept, and 33 facts of what became of a message.
        assert_eq!(count("a recorded"), 6, "{log:#?}");
        assert_eq!((count("a accepted"), count("a refused")), (2, 3));
        assert_eq!(count("PlaceKept a"), 1);
        app.stop().await;
    }
}

/// The command that a message became is refused once, and that stays.
#[tokio::test]
async fn what_was_refused_is_not_decided_again() {
    let line = Line::new();
    line.lay(&of("asked", "counted", 500));
    let store = Arc::new(Memory::default());
    for _ in 0..3 {
        let app = yard::<Yard>(store.clone(), &line);
        up_to(&app, 1).await;
        // The same once more, at another place.
        line.lay(&of("asked", "counted", 500));
        let last = line.0.all.lock().unwrap().len() as u64;
        up_to(&app, last).await;
        assert_eq!(log(&app).await, ["counted refused"]);
        app.stop().await;
    }
    assert_eq!(DECIDED.load(Ordering::Relaxed), 1);
}

/// Two receivers of one message each take it, also for the same command.
#[tokio::test]
async fn each_receiver_takes_a_message_by_itself() {
    let line = Line::new();
    line.lay(&of("asked", "a", 1));
    line.lay(&of("left", "a", 2));
    let app = App::on(Memory::default()).task::<KeepPlace>();
    let app = app.hears::<Yard>("one", line.clone());
    let app = app.hears::<Repaired>("two", line.clone()).build().unwrap();
    while log(&app).await.len() < 7 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.settle().await;
    let mut log = log(&app).await;
    log.sort();
    let expected = [
        "CrateLeft a 2",
        "CrateLeft a 2",
        "PlaceKept a",
        "a accepted",
        "a accepted",
        "a recorded",
        "a recorded",
    ];
    assert_eq!(log, expected);
}

/// Two programs on one log, both behind: neither repeats what the other has recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_record_each_message_once_and_in_order() {
    let line = Line::new();
    for n in 0..120 {
        let ty = ["left", "asked", "jammed"][n as usize % 3];
        line.lay(&of(ty, ["a", "b", "c", "d"][n as usize % 4], n));
    }
    let store = Arc::new(Memory::default());
    let programs = [
        yard::<Yard>(store.clone(), &line),
        yard::<Yard>(store.clone(), &line),
    ];
    for program in &programs {
        up_to(program, 120).await;
    }
    let app = &programs[0];
    let facts = app
        .events(&Query::types(&["$MessageReceived"]), Range::after(0, 1000))
        .await;
    let facts = facts.unwrap().events;
    let sequences: Vec<u64> = facts
        .iter()
        .map(|e| e.json().unwrap()["sequence"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = (1..=120).collect();
    assert_eq!(sequences, expected);
    let reread = programs[0].reread("yard", None).await.unwrap();
    assert!(reread.iter().all(|r| r.became == "unreadable"));
}
