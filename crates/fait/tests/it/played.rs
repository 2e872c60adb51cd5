//! A board that is played, as its people would play it: the restaurant's from order to spike.

use fait::Clock;
use fait::app::{App, Asked, Envelope, Receipt, SendError};
use fait::board::play::{self, Saved};
use fait::event::{StoredEvent, Tag, minutes, seconds};
use fait::process::{Fact, types};
use fait::query::Query;
use fait::store::Range;
use serde_json::{Value, json};

const RESTAURANT: &str = include_str!("../../../../examples/restaurant/restaurant.board");

/// A board in play, with a clock that is moved by hand.
pub(crate) struct Table {
    pub(crate) app: App,
}

impl Table {
    pub(crate) fn of(board: &str) -> Table {
        let play = play::read(board).unwrap();
        let place = App::in_memory().clock(Clock::by_hand());
        Table {
            app: play.onto(place).build().unwrap(),
        }
    }

    /// Somebody does something unasked.
    pub(crate) async fn does(&self, task: &str, body: Value) -> Result<Receipt, SendError> {
        let done = self.app.send_json(task, body, by(None)).await;
        self.app.settle().await;
        done
    }

    /// What a role is asked, by the names of the tasks.
    pub(crate) fn asked(&self, role: &str) -> Vec<String> {
        let all = self.app.inbox(role, 50).unwrap();
        all.into_iter().map(|a| a.open.issued.name).collect()
    }

    pub(crate) fn ask(&self, role: &str, task: &str) -> Asked {
        let all = self.app.inbox(role, 50).unwrap();
        let mut fits = all.into_iter().filter(|a| a.open.issued.name == task);
        fits.next_back()
            .unwrap_or_else(|| panic!("{role} is not asked for {task}"))
    }

    /// A role does what it is asked, with what the ask gives and these words.
    pub(crate) async fn answers(&self, role: &str, task: &str, words: Value) {
        let asked = self.ask(role, task);
        let mut body = asked.open.issued.body.clone();
        for (name, value) in words.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = by(Some(asked.open.issued.id));
        self.app.send_json(task, body, answer).await.unwrap();
        self.app.settle().await;
    }

    /// What happened, without what is recorded of the processes.
    pub(crate) async fn happened(&self) -> Vec<StoredEvent> {
        let all = self
            .app
            .events(&Query::all(), Range::after(0, 10_000))
            .await;
        let own = all.unwrap().events.into_iter();
        own.filter(|e| !e.ty.starts_with('$')).collect()
    }

    /// Why anything waits for an operator.
    pub(crate) async fn parked(&self) -> Vec<String> {
        let query = Query::types(&[types::PARKED]);
        let all = self
            .app
            .events(&query, Range::after(0, 1000))
            .await
            .unwrap();
        let why = |e: &StoredEvent| match Fact::read(e).unwrap() {
            Some(Fact::Parked(p)) => Some(format!("{} {}: {}", p.process, p.key, p.reason)),
            _ => None,
        };
        all.events.iter().filter_map(why).collect()
    }

    pub(crate) async fn types(&self) -> Vec<String> {
        self.happened().await.into_iter().map(|e| e.ty).collect()
    }

    pub(crate) async fn last(&self) -> (String, Value) {
        let last = self.happened().await.pop().unwrap();
        (last.ty.clone(), last.json().unwrap())
    }
}

fn by(answering: Option<uuid::Uuid>) -> Envelope {
    Envelope {
        actor: Some("waiter:ann".into()),
        answering,
        ..Envelope::default()
    }
}

fn order() -> Value {
    json!({"order": "7", "table": 4, "dishes": ["cake"], "pays_first": false})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_restaurant_is_played_from_order_to_spike() {
    let table = Table::of(RESTAURANT);
    table.does("PlaceOrder", order()).await.unwrap();
    assert_eq!(table.asked("Cook"), ["CookFood"]);
    let asked = table.ask("Cook", "CookFood");
    assert_eq!(asked.open.issued.body, json!({"order": "7"}));
    let due = asked.open.issued.due.unwrap();
    assert_eq!(due.since(table.app.clock().now()), minutes(30));
    assert!(
        table.asked("Assistant manager").is_empty(),
        "who pays later is billed later"
    );

    table.app.advance(minutes(30)).await;
    assert_eq!(table.types().await, ["OrderPlaced", "CookingTimedOut"]);
    assert_eq!(table.ask("Cook", "CookFood").open.issued.tries, 2);
    table.app.advance(minutes(60)).await;
    assert_eq!(table.types().await.len(), 4, "a third time-out");
    assert_eq!(table.ask("Cook", "CookFood").open.issued.tries, 3);
    assert_eq!(table.asked("Floor manager"), ["SortOutOrder"]);
    table.app.advance(minutes(240)).await;
    assert_eq!(table.types().await.len(), 4, "three tries are enough");

    cooked_and_paid(&table).await;
    assert_eq!(table.last().await.0, "OrderSpiked");
    let open = table.app.waiting(50).unwrap();
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(table.parked().await, Vec::<String>::new());
}

/// From the kitchen, which is late, to the bill, which is paid at the third try.
async fn cooked_and_paid(table: &Table) {
    let cooked = json!({"ingredients": ["egg"], "cooked_by": "Tom"});
    table.answers("Cook", "CookFood", cooked).await;
    assert!(
        table.asked("Floor manager").is_empty(),
        "there is nothing to sort out"
    );
    let price = json!({"subtotal": "20", "tax": "4", "total": "24"});
    table
        .answers("Assistant manager", "PriceOrder", price)
        .await;
    table.answers("Cashier", "TakePayment", json!({})).await;
    let started = json!({"order": "7", "total": "24.00"});
    assert_eq!(table.last().await, ("PaymentStarted".into(), started));

    let told = table.ask("Card terminal", "ChargeCard");
    assert_eq!(
        told.open.issued.body,
        json!({"order": "7", "total": "24.00"})
    );
    let answer = json!({"what_happens": "Card declined"});
    table.answers("Card terminal", "ChargeCard", answer).await;
    let last = table.last().await.0;
    assert_eq!(last, "CardPaymentFailed");
    table.answers("Cashier", "TakePayment", json!({})).await;
    table.app.advance(seconds(119)).await;
    assert_eq!(table.asked("Cashier"), Vec::<String>::new());
    table.app.advance(seconds(1)).await;
    assert_eq!(
        table.asked("Cashier"),
        ["TakePayment"],
        "the terminal is silent"
    );
    let answer = json!({"what_happens": "Card charged"});
    table.answers("Card terminal", "ChargeCard", answer).await;
    let paid = table.happened().await;
    let paid = paid.iter().find(|e| e.ty == "OrderPaid").unwrap();
    assert_eq!(
        paid.json().unwrap(),
        json!({"order": "7", "total": "24.00"})
    );
    let row = table
        .app
        .view_row("bills-to-settle", "7")
        .await
        .unwrap()
        .unwrap();
    let seen = json!({"table": 4, "total": "24.00", "reason": null, "last": "Order paid"});
    assert_eq!(row.row, seen);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pays_first_is_billed_first_and_the_other_process_does_not_start() {
    let table = Table::of(RESTAURANT);
    let mut first = order();
    first["pays_first"] = true.into();
    table.does("PlaceOrder", first).await.unwrap();
    assert!(table.asked("Cook").is_empty());
    assert_eq!(table.asked("Assistant manager"), ["PriceOrder"]);
    table.app.advance(minutes(10)).await;
    assert_eq!(table.asked("Floor manager"), ["PriceOrder"]);
    table.app.advance(minutes(60)).await;
    let tries = table.ask("Floor manager", "PriceOrder").open.issued.tries;
    assert_eq!(tries, 2, "who is asked last is asked once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_chooses_what_the_board_leaves_open() {
    let table = Table::of(RESTAURANT);
    let mut refused = order();
    refused["what_happens"] = "Refused because no dishes were chosen".into();
    let no = table.does("PlaceOrder", refused).await.unwrap_err();
    assert_eq!(no.to_string(), "no dishes were chosen");
    assert!(table.happened().await.is_empty());

    let unknown = json!({"order": "9", "reason": "rain"});
    let no = table.does("SortOutOrder", unknown).await.unwrap_err();
    assert_eq!(no.to_string(), "nothing is known of order 9");

    table.does("PlaceOrder", order()).await.unwrap();
    let twice = "Order cooked twice, when the order was already cooked";
    let cooked = json!({
        "order": "7", "ingredients": [], "cooked_by": "Tom", "what_happens": twice
    });
    table.does("CookFood", cooked).await.unwrap();
    let (ty, data) = table.last().await;
    assert_eq!(ty, "OrderCookedTwice");
    assert_eq!(data, json!({"order": "7", "cooked_by": "Tom"}));

    let fields = &table.app.task("PlaceOrder").unwrap().fields;
    let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        names,
        ["order", "table", "dishes", "pays_first", "what_happens"]
    );
    assert!(fields[0].fresh, "an order begins with it");
    let wrong = json!({"order": "8", "table": "four", "dishes": [], "pays_first": true});
    let no = table.does("PlaceOrder", wrong).await.unwrap_err();
    assert_eq!(no.to_string(), "field `table`: “four” is not a number");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_context_that_runs_elsewhere_answers_by_hand_under_another_id() {
    let table = Table::of(RESTAURANT);
    let sponsor = json!({"sponsor": "3", "sponsor_name": "Acme", "level": "Gold"});
    table.does("OnboardSponsor", sponsor).await.unwrap();
    assert_eq!(table.asked("Other systems"), ["IssueMealTickets"]);
    let asked = table.ask("Other systems", "IssueMealTickets");
    assert_eq!(asked.open.issued.body, json!({"sponsor": "3"}));
    table.app.advance(minutes(60)).await;
    assert_eq!(table.last().await.0, "SponsorTicketsDelayed");
    let issued = json!({"booking": "12", "tickets": 5});
    table
        .answers("Other systems", "IssueMealTickets", issued)
        .await;
    assert_eq!(table.last().await.1, json!({"booking": "12", "tickets": 5}));
    let booked = table.ask("Sponsor manager", "BookSponsorTickets");
    let given = json!({"sponsor": "3", "booking": "12"});
    assert_eq!(
        booked.open.issued.body, given,
        "its number of tickets is the person's to say"
    );
    table
        .answers(
            "Sponsor manager",
            "BookSponsorTickets",
            json!({"tickets": 5}),
        )
        .await;
    table.app.advance(minutes(600)).await;
    assert!(table.app.waiting(50).unwrap().is_empty());
    assert_eq!(table.parked().await, Vec::<String>::new());
}

const PARCELS: &str = "board Parcels
  level process

actor Clerk
actor Driver

event Parcel taken in
event Parcel delivered
event Parcel lost

task Take in parcel
  by Clerk
  raises Parcel taken in

task Deliver parcel
  by Driver
  raises Parcel delivered

process Bring it by van
  one per parcel
  starts on Parcel taken in when it is heavy
    ask Driver to Deliver parcel
  after 1 day without Parcel delivered
    raise Parcel lost
  ends on Parcel delivered, Parcel lost

process Bring it by bike
  one per parcel
  starts on Parcel taken in when it is light
    ask Clerk to Deliver parcel
  ends on Parcel delivered
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_without_words_and_models_is_played_and_a_person_says_which_way_it_goes() {
    let table = Table::of(PARCELS);
    let fields = &table.app.task("TakeInParcel").unwrap().fields;
    let choices = &fields[1].schema["enum"];
    assert_eq!(
        choices,
        &json!(["it is heavy", "it is light", "None of these"])
    );
    for (parcel, way) in [
        ("1", "it is light"),
        ("2", "it is heavy"),
        ("3", "None of these"),
    ] {
        let body = json!({"parcel": parcel, "which_way": way});
        table.does("TakeInParcel", body).await.unwrap();
    }
    assert_eq!(
        table.ask("Clerk", "DeliverParcel").open.issued.body,
        json!({"parcel": "1"})
    );
    assert_eq!(table.asked("Driver"), ["DeliverParcel"]);
    table.answers("Clerk", "DeliverParcel", json!({})).await;
    table.app.advance(minutes(60 * 24)).await;
    assert_eq!(
        table.last().await,
        ("ParcelLost".into(), json!({"parcel": "2"}))
    );
    assert!(table.app.waiting(50).unwrap().is_empty());
    let rows = table
        .app
        .view_row("what-happened-so-far", "1")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rows.row, json!({"last": "Parcel delivered"}));
}

const BIG_PICTURE: &str = "board Coffee
event Coffee ordered
event Coffee brewed
event Coffee drunk
hotspot Who washes the cup?
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_alone_can_be_said_to_have_happened() {
    let table = Table::of(BIG_PICTURE);
    let first = table
        .does("CoffeeOrderedHappened", json!({}))
        .await
        .unwrap();
    let event = table.app.event(first.events[0].id).await.unwrap().unwrap();
    let story = event.json().unwrap()["story"].clone();
    let body = json!({ "story": story });
    table
        .does("CoffeeBrewedHappened", body.clone())
        .await
        .unwrap();
    let key = story.as_str().unwrap();
    let row = table
        .app
        .view_row("what-happened-so-far", key)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.row, json!({"last": "Coffee brewed"}));
    let offered = table
        .app
        .offer("CoffeeDrunkHappened", &body, "anybody:ann")
        .await;
    assert!(offered.is_ok());
}

#[test]
fn a_board_that_cannot_be_read_is_not_played_and_says_why() {
    let wrong = play::read("board X\ntask Do it\n  raises Nothing\n").unwrap_err();
    assert_eq!(wrong[0].code, "B101");
}

/// Numbers that are the same at each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below.max(1) as u64) as usize
    }

    /// A value that fits a schema.
    fn value(&mut self, schema: &Value) -> Value {
        if let Some(all) = schema["enum"].as_array() {
            return all[self.roll(all.len())].clone();
        }
        let kind = schema["type"]
            .as_str()
            .or_else(|| schema["type"][0].as_str());
        match (
            kind.unwrap_or_default(),
            schema["format"].as_str().unwrap_or_default(),
        ) {
            ("boolean", _) => (self.roll(2) == 0).into(),
            ("number", _) => self.roll(9).into(),
            ("array", _) => {
                let some = (0..self.roll(3)).map(|_| self.value(&schema["items"]));
                some.collect()
            }
            (_, "money") => format!("{}.50", self.roll(90)).into(),
            (_, "date") => "2026-11-23".into(),
            (_, "time") => "18:05".into(),
            _ => format!("n{}", self.roll(4)).into(),
        }
    }
}

/// The things that are known of the kind that a field names.
fn known<'a>(tags: &[&'a Tag], schema: &Value) -> Vec<&'a str> {
    let fits = tags.iter().filter(|t| schema["x-kind"] == t.kind());
    fits.map(|t| t.value()).collect()
}

/// Plays a board with whatever comes to hand: does what is asked and what is not, chooses blindly,
/// lets time pass. Gives how many steps were taken.
async fn at_random(table: &Table, seed: u64, steps: usize) -> usize {
    let mut dice = Dice(seed);
    let tasks: Vec<_> = table.app.tasks().cloned().collect();
    let mut done = 0;
    for _ in 0..steps {
        let open = table.app.waiting(200).unwrap();
        let happened = table.happened().await;
        let tags: Vec<&Tag> = happened.iter().flat_map(|e| &e.tags).collect();
        let asked = match dice.roll(3) {
            0 if !open.is_empty() => Some(open[dice.roll(open.len())].open.issued.clone()),
            1 => None,
            _ => {
                table.app.advance(minutes(dice.roll(600) as u64)).await;
                continue;
            }
        };
        let name = match &asked {
            Some(asked) => asked.name.clone(),
            None => tasks[dice.roll(tasks.len())].name.clone(),
        };
        let task = table.app.task(&name).unwrap();
        let mut body = asked.as_ref().map_or(json!({}), |a| a.body.clone());
        for field in &task.fields {
            let skipped = field.optional && dice.roll(2) == 0;
            if body[&field.name].is_null() {
                body[&field.name] = Value::Null;
                if !skipped {
                    body[&field.name] = match known(&tags, &field.schema) {
                        some if some.is_empty() || dice.roll(9) == 0 => dice.value(&field.schema),
                        some => some[dice.roll(some.len())].into(),
                    };
                }
            }
        }
        let sent = table
            .app
            .send_json(&name, body, by(asked.map(|a| a.id)))
            .await;
        table.app.settle().await;
        match sent {
            Ok(_) => done += 1,
            Err(SendError::Refused(_)) => {}
            Err(other) => panic!("{name}: {other}"),
        }
    }
    done
}

/// Every board that comes with the project.
fn boards() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let mut all = vec![("restaurant".to_string(), RESTAURANT.to_string())];
    for entry in std::fs::read_dir(format!("{folder}/boards")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "board") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            all.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    all.push(("vans and bikes".into(), PARCELS.into()));
    all.push(("coffee".into(), BIG_PICTURE.into()));
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_played_on_any_board_nothing_has_to_be_repaired() {
    let boards = boards();
    assert!(boards.len() >= 8, "the boards of the examples are there");
    for (name, board) in boards {
        for seed in 1..4 {
            let table = Table::of(&board);
            let done = at_random(&table, seed, 80).await;
            assert!(done > 5, "{name}: {done} steps");
            assert_eq!(
                table.parked().await,
                Vec::<String>::new(),
                "{name}, seed {seed}"
            );
            for view in table.app.views().await.unwrap() {
                assert_eq!(view.parked_keys, 0, "{name}: {}", view.name);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_runs_by_itself_can_be_told_that_time_passes() {
    let place = App::in_memory().clock(Clock::paced(1.0));
    let app = play::read(RESTAURANT).unwrap().onto(place).build().unwrap();
    let table = Table { app };
    table.does("PlaceOrder", order()).await.unwrap();
    table.app.advance(minutes(31)).await;
    let types = table.types().await;
    assert_eq!(types, ["OrderPlaced", "CookingTimedOut"]);
    assert_eq!(table.ask("Cook", "CookFood").open.issued.tries, 2);
}

const SEATS: &str = "board Seats
  level design
word guest is an id
word seat is text
actor Host
context Hall
task Welcome guest
  by Host
  asks seat
  on Guest
  raises Guest welcomed
event Guest welcomed
  records guest, seat
task Print card
  on Card
  raises Card printed
event Card printed
  records guest, seat
model Guest
  one per guest
model Card
  one per guest
policy Print cards
  whenever Guest welcomed
    do Print card
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_policy_has_just_heard_nobody_has_to_say() {
    let table = Table::of(SEATS);
    table
        .does("WelcomeGuest", json!({"guest": "1", "seat": "A"}))
        .await
        .unwrap();
    let printed = json!({"guest": "1", "seat": "A"});
    assert_eq!(table.last().await, ("CardPrinted".into(), printed));
}

/// Writes what was played last onto the restaurant's board, and runs the example against the board
/// itself as it is played.
async fn saved(table: &Table, thing: Option<Tag>) -> Saved {
    let play = play::read(RESTAURANT).unwrap();
    let saved = play
        .example(RESTAURANT, &table.app, thing.as_ref(), None)
        .await;
    let saved = saved.unwrap();
    let parsed = fait_board::parse(&saved.board);
    assert_eq!(parsed.problems, []);
    let rest = saved.board.replacen(&format!("\n{}", saved.note), "", 1);
    assert_eq!(rest, RESTAURANT, "all else is as it was");
    let mut examples = parsed.board.examples.iter();
    let own = examples.find(|e| e.note.name.text == saved.name).unwrap();
    let wired = || play.expecting(own).onto(App::in_memory());
    let ran = fait::board::examples(&saved.board, wired).only(&saved.name);
    assert!(ran.ok() && ran.passed() == 1, "{}\n{ran}", saved.note);
    saved
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_played_becomes_an_example_that_passes() {
    let table = Table::of(RESTAURANT);
    let play = play::read(RESTAURANT).unwrap();
    let nothing = play.example(RESTAURANT, &table.app, None, None).await;
    assert_eq!(
        nothing.unwrap_err(),
        "nothing was played yet: do a task first"
    );

    let id = "0197a1b0-1111-7000-8000-000000000001";
    let mut placed = order();
    placed["order"] = id.into();
    placed["dishes"] = json!(["soup", "cake"]);
    table.does("PlaceOrder", placed).await.unwrap();
    let first = saved(&table, None).await;
    let lines: Vec<&str> = first.note.lines().collect();
    assert_eq!(
        lines,
        [
            "example Place order, as it was played",
            "  when Place order with table 4, dishes soup, cake, pays first no",
            "  then Order placed with table 4, dishes soup, cake, pays first no",
            "  and ask Cook to Cook food",
        ]
    );

    table.app.advance(minutes(90)).await;
    let late = saved(&table, Some(Tag::new("order", id))).await;
    let lines: Vec<&str> = late.note.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "  given Order placed with order 1, table 4, dishes soup, cake, pays first no",
            "  when 90 minutes pass",
            "  then Cooking timed out with order 1",
            "  and ask Floor manager to Sort out order",
        ]
    );

    let cooked = json!({"ingredients": ["egg"], "cooked_by": "Tom, the new one"});
    table.answers("Cook", "CookFood", cooked).await;
    let cooked = saved(&table, None).await;
    let lines: Vec<&str> = cooked.note.lines().collect();
    assert_eq!(lines[0], "example Cook food, as it was played");
    let when = lines.iter().find(|l| l.starts_with("  when")).unwrap();
    assert_eq!(*when, "  when Cook food with order 1, ingredients egg");

    let price = json!({"subtotal": "20", "tax": "4", "total": "24"});
    table
        .answers("Assistant manager", "PriceOrder", price)
        .await;
    table.answers("Cashier", "TakePayment", json!({})).await;
    let answer = json!({"what_happens": "Card charged"});
    table.answers("Card terminal", "ChargeCard", answer).await;
    let charged = saved(&table, None).await;
    let lines: Vec<&str> = charged.note.lines().collect();
    assert!(
        lines.contains(&"  when Card charged with order 1"),
        "{}",
        charged.note
    );
    assert!(
        lines.contains(&"  then Order paid with order 1, total 24.00"),
        "{}",
        charged.note
    );
}
