//! Every peer gives the same events for the same history.

use super::{Append, Condition, Fault, Kind, Mode, Outcome, Peer};
use crate::history::{Event, History, customer_tag};

/// What a peer answered, to be compared with what the others did.
#[derive(Debug, Default, PartialEq)]
struct Answers {
    outcomes: Vec<Outcome>,
    scanned: Vec<(u64, Vec<u8>)>,
    read: Vec<(u64, uuid::Uuid, String, Vec<u8>)>,
    heads: Vec<u64>,
}

fn append(number: u64, order: &str, condition: Option<(&[&str], u64)>) -> Append {
    Append {
        events: vec![Event::new(number, order, 7)],
        condition: condition.map(|(tags, after)| Condition {
            tags: tags.iter().map(ToString::to_string).collect(),
            after,
        }),
    }
}

fn ask(peer: &dyn Peer, answers: &mut Answers) -> Result<(), Fault> {
    let both = ["order:x".to_owned(), customer_tag(7)];
    let never = ["order:x".to_owned(), customer_tag(8)];
    let customer = [customer_tag(7)];
    for (tags, after) in [
        (&both[..], 0),
        (&never, 0),
        (&customer, 1_500),
        (&both[..1], 2_002),
        (&[], 1_990),
    ] {
        let head = peer.read(tags, after, &mut |row| {
            let ty = row.ty.to_owned();
            answers
                .read
                .push((row.position, row.id, ty, row.data.to_vec()));
        })?;
        answers.heads.push(head);
    }
    peer.scan(&mut |position, data| answers.scanned.push((position, data.to_vec())))?;
    answers.heads.extend([peer.head()?, peer.wait(1_999)?]);
    Ok(())
}

fn history(kind: Kind) -> Result<Answers, Fault> {
    let folder = tempfile::tempdir()?;
    let folder = folder.path().join(kind.name());
    let mut answers = Answers::default();
    let peer = kind.open(&folder, Mode::Load)?;
    let events: Vec<Event> = History::new(2_000).events().collect();
    for batch in events.chunks(500) {
        let append = Append {
            events: batch.to_vec(),
            condition: None,
        };
        answers.outcomes.push(peer.append_alone(append)?);
    }
    peer.settle()?;
    peer.close()?;
    let peer = kind.open(&folder, Mode::Measure)?;
    let order: &[&str] = &["order:x"];
    let both: &[&str] = &["order:x", "customer:c00007"];
    let other: &[&str] = &["order:x", "customer:c00008"];
    let steps = [
        append(5_000, "x", None),
        append(5_001, "x", Some((order, 2_001))),
        append(5_002, "x", Some((order, 2_001))),
        append(5_003, "x", Some((both, 2_001))),
        append(5_004, "x", Some((other, 0))),
        append(5_005, "x", Some((both, 2_003))),
    ];
    for (n, step) in steps.into_iter().enumerate() {
        let outcome = match n % 2 {
            0 => peer.append_alone(step)?,
            _ => peer.append(step)?,
        };
        answers.outcomes.push(outcome);
    }
    ask(&*peer, &mut answers)?;
    peer.close()?;
    Ok(answers)
}

/// The conditions of one group see what stood before them in the same group.
fn one_wins(kind: Kind) -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let peer = kind.open(&folder.path().join(kind.name()), Mode::Measure)?;
    let peer = &*peer;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let both: &[&str] = &["order:y", "customer:c00007"];
                scope.spawn(move || peer.append(append(n, "y", Some((both, 0)))))
            })
            .collect();
        let joined = writers
            .into_iter()
            .map(|w| w.join().expect("no writer panics"));
        joined.collect::<Result<_, _>>()
    })?;
    let won = outcomes.iter().filter(|o| **o == Outcome::At(1)).count();
    let refused = outcomes.iter().filter(|o| **o == Outcome::Conflict).count();
    assert_eq!((won, refused), (1, 7), "{}", kind.name());
    Ok(())
}

const EMBEDDED: [Kind; 4] = [Kind::Fait, Kind::Sqlite, Kind::Umadb, Kind::Fjall];

#[test]
fn every_embedded_peer_gives_the_same_events() -> Result<(), Fault> {
    let ours = history(Kind::Fait)?;
    assert_eq!(ours.scanned.len(), 2_004);
    assert_eq!(ours.outcomes[6], Outcome::Conflict);
    for kind in EMBEDDED {
        assert_eq!(history(kind)?, ours, "{}", kind.name());
    }
    Ok(())
}

#[test]
fn of_eight_that_decide_at_once_one_wins() -> Result<(), Fault> {
    EMBEDDED.into_iter().try_for_each(one_wins)
}

/// Where a server can be started; it is not on every machine.
#[test]
fn a_postgres_server_gives_the_same_events() -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    if let Err(e) = Kind::Postgres.open(&folder.path().join("try"), Mode::Measure) {
        eprintln!("postgres: not run: {e}");
        return Ok(());
    }
    one_wins(Kind::Postgres)?;
    assert_eq!(history(Kind::Postgres)?, history(Kind::Fait)?);
    Ok(())
}
