//! probe
use fait_core::event::{NewEvent, Origin, Tag, Time};
use fait_core::query::Query;
use fait_core::store::contract::block_on;
use fait_core::store::{Append, Durability, Range, Store};
use fait_store::Disk;
use std::ops::ControlFlow;
use std::time::Instant;
fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let n: u64 = 1_000_000;
    let mut x = 88172645463325252u64;
    let mut rnd = move || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x
    };
    if !std::path::Path::new(&folder).exists() {
        let d = Disk::options()
            .durability(Durability::Os)
            .open(&folder)
            .unwrap();
        for b in 0..n / 1000 {
            let events = (0..1000)
                .map(|i| NewEvent {
                    id: uuid::Uuid::from_u128(((b * 1000 + i) as u128) << 64 | rnd() as u128),
                    ty: "OrderPlaced".into(),
                    version: 1,
                    tags: vec![
                        Tag::new("order", rnd() % 100_000),
                        Tag::new("customer", rnd() % 10_000),
                    ],
                    data: vec![b'x'; 200].into(),
                    origin: Origin::default(),
                })
                .collect();
            block_on(d.append(Append {
                events,
                conditions: vec![],
                command: None,
                recorded_at: Time(b),
            }))
            .unwrap();
        }
    }
    let d = Disk::open(&folder).unwrap();
    let mut times = vec![];
    let rounds: u64 = std::env::args().nth(2).map_or(2000, |r| r.parse().unwrap());
    for _ in 0..rounds {
        let q = Query::tags(vec![Tag::new("order", rnd() % 100_000)]);
        let t = Instant::now();
        let mut c = 0;
        d.scan(&q, Range::after(0, usize::MAX), |e| {
            c += e.data().len();
            ControlFlow::Continue(())
        })
        .unwrap();
        times.push(t.elapsed().as_nanos());
        std::hint::black_box(c);
    }
    times.sort();
    println!(
        "random10 p50 {} ns p99 {}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
    for _ in 0..4 {
        let t = Instant::now();
        let mut c = 0u64;
        d.scan(&Query::all(), Range::after(0, usize::MAX), |e| {
            c += e.data()[0] as u64;
            ControlFlow::Continue(())
        })
        .unwrap();
        println!("scan {:.1} M/s", n as f64 / t.elapsed().as_secs_f64() / 1e6);
        std::hint::black_box(c);
    }
}
