//! Three servers that keep each message three times; some of them are killed.

use crate::log::{Reader, hand_over, relay};
use crate::server::{Cluster, Server};
use async_nats::jetstream;
use fait::bus::{BusError, Outlet, Reached};
use fait_nats::{Keep, Nats, NatsOutlet, Options};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// What a relay in a process of its own is told, as `<url> <head>`.
const CHILD: &str = "FAIT_NATS_TEST_RELAY";

/// How many messages; a million by hand.
const MESSAGES: &str = "FAIT_NATS_MESSAGES";

fn keep() -> Keep {
    Keep {
        replicas: 3,
        duplicates: Duration::from_millis(100),
        ..Keep::default()
    }
}

async fn outlet(url: &str) -> NatsOutlet {
    let nats = Nats::connect(url, Options::default()).await;
    nats.expect("an address").outlet("tickets").keeps(keep())
}

/// Waits until the cluster has a stream.
async fn ready(outlet: &NatsOutlet) -> Reached {
    for _ in 0..600 {
        match outlet.reached().await {
            Ok(reached) => return reached,
            Err(BusError::Later(_)) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(e) => panic!("{e}"),
        }
    }
    panic!("the cluster has no stream");
}

/// Who leads the stream.
async fn leader(url: &str) -> String {
    let addresses: Vec<&str> = url.split(',').collect();
    let client = async_nats::connect(&addresses[..])
        .await
        .expect("connected");
    let context = jetstream::new(client);
    for _ in 0..600 {
        let stream = context.get_stream("fait-tickets").await;
        let leader = stream
            .ok()
            .and_then(|s| s.cached_info().cluster.clone()?.leader);
        if let Some(name) = leader {
            return name;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody leads");
}

/// Always the same numbers, from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// A relay that never knows an end, as one in a task of its own.
fn relay_task(url: String, head: u64, rounds: Arc<AtomicUsize>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let outlet = outlet(&url).await;
        loop {
            match hand_over(&outlet, head, 1000).await {
                Ok(_) => _ = rounds.fetch_add(1, Ordering::Relaxed),
                Err(BusError::Later(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(e) => panic!("{e}"),
            }
        }
    })
}

/// The name of the test that is also the program of a relay.
const TEST: &str =
    "cluster::no_relay_and_no_leader_that_is_killed_doubles_loses_or_turns_a_message";

/// What that program does.
async fn be_a_relay(told: &str) {
    let (url, head) = told.split_once(' ').expect("an address and a number");
    let outlet = outlet(url).await;
    let head = head.parse().expect("a number");
    relay(&outlet, head).await.expect("handed over");
}

fn relay_process(url: &str, head: u64) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args([TEST, "--exact"])
        .env(CHILD, format!("{url} {head}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a process")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_relay_and_no_leader_that_is_killed_doubles_loses_or_turns_a_message() {
    if let Ok(told) = std::env::var(CHILD) {
        return be_a_relay(&told).await;
    }
    let head: u64 = std::env::var(MESSAGES).map_or(100_000, |n| n.parse().expect("a number"));
    let mut cluster = Cluster::start();
    let url = cluster.url();
    let first = outlet(&url).await;
    ready(&first).await;
    let nats = Nats::connect(&url, Options::default())
        .await
        .expect("an address");
    let reading = tokio::spawn(async move {
        let inlet = nats.inlet("tickets", "sponsorship");
        let mut reader = Reader::default();
        reader.upto(&inlet, head as usize).await.expect("read");
        reader
    });
    // Two relays in tasks and one in a process, which race; one after the other is killed.
    let rounds = Arc::new(AtomicUsize::new(0));
    let mut tasks: Vec<JoinHandle<()>> = (0..2)
        .map(|_| relay_task(url.clone(), head, rounds.clone()))
        .collect();
    let mut process = relay_process(&url, head);
    let mut dice = Dice(20_261_128);
    let (mut killed, mut leaders) = (0, 0);
    let mut down: Option<String> = None;
    while killed < 50 || leaders < 3 {
        let reached = ready(&first).await.sequence;
        // Evenly over the whole way, at points that nobody chose.
        let due = |done: u64, all: u64| reached * (all + 1) > head * (done + 1);
        if killed < 50 && (due(killed, 50) || reached == head) {
            tokio::time::sleep(Duration::from_millis(dice.below(50))).await;
            match dice.below(3) {
                2 => {
                    process.kill().expect("killed");
                    process.wait().expect("ended");
                    process = relay_process(&url, head);
                }
                n => {
                    tasks[n as usize].abort();
                    tasks[n as usize] = relay_task(url.clone(), head, rounds.clone());
                }
            }
            killed += 1;
        }
        if leaders < 3 && (due(leaders, 3) || reached == head) {
            if let Some(name) = down.take() {
                cluster.named(&name).up();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let name = leader(&url).await;
            cluster.named(&name).kill();
            down = Some(name);
            leaders += 1;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if let Some(name) = down {
        cluster.named(&name).up();
    }
    let reader = reading.await.expect("it reads to the end");
    reader.complete(head);
    tasks.iter().for_each(JoinHandle::abort);
    _ = process.kill();
    process.wait().expect("ended");
    let end = ready(&first).await;
    assert_eq!((end.sequence, end.position), (head, Some(head * 2)));
}

/// Hands over all the time, until it is told to stop; says how far it came.
fn publisher(url: String, stop: Arc<AtomicBool>) -> JoinHandle<u64> {
    tokio::spawn(async move {
        let outlet = outlet(&url).await;
        let mut head = 0;
        while !stop.load(Ordering::Relaxed) {
            head += 10;
            relay(&outlet, head).await.expect("handed over");
        }
        head
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_majority_that_is_lost_and_a_disk_that_is_wiped_lose_nothing() {
    let mut cluster = Cluster::start();
    let url = cluster.url();
    ready(&outlet(&url).await).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = publisher(url.clone(), stop.clone());
    // Two of three are gone for ten seconds.
    let name = leader(&url).await;
    cluster.named(&name).kill();
    let other = cluster
        .servers
        .iter()
        .position(Server::runs)
        .expect("one runs");
    cluster.servers[other].kill();
    tokio::time::sleep(Duration::from_secs(10)).await;
    cluster.named(&name).up();
    cluster.servers[other].up();
    let before = ready(&outlet(&url).await).await;
    // And one comes back with nothing on its disk.
    let name = leader(&url).await;
    let server = cluster.named(&name);
    server.kill();
    std::fs::remove_dir_all(server.files()).expect("removed");
    server.up();
    let after = loop {
        assert!(!publisher.is_finished(), "nothing is handed over any more");
        let reached = ready(&outlet(&url).await).await;
        if reached.sequence > before.sequence {
            break reached;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(after.history, before.history);
    stop.store(true, Ordering::Relaxed);
    let head = publisher.await.expect("it goes on");
    let nats = Nats::connect(&url, Options::default())
        .await
        .expect("an address");
    let mut reader = Reader::default();
    reader
        .upto(&nats.inlet("tickets", "sponsorship"), head as usize)
        .await
        .expect("read");
    reader.complete(head);
}
