//! The events that every store gets: the same ones in the same order, made from numbers alone.

use std::fmt::Display;
use uuid::Uuid;

/// Bytes of the data of every event.
pub(crate) const DATA_BYTES: usize = 200;
/// Customers that the orders belong to, and rows of the view in W8.
pub(crate) const CUSTOMERS: u64 = 10_000;
/// Lengths of the first streams; all others are about ten events long.
pub(crate) const HOT: [usize; 3] = [10, 100, 1_000];

const TYPES: [&str; 4] = ["OrderPlaced", "OrderPaid", "OrderPacked", "OrderSent"];

/// One event, as every store gets it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) ty: &'static str,
    /// The order, then the customer.
    pub(crate) tags: [String; 2],
    pub(crate) data: Vec<u8>,
}

/// What is read from the data in W8.
#[derive(serde::Deserialize)]
pub(crate) struct Data<'a> {
    #[serde(borrow)]
    pub(crate) customer: &'a str,
    pub(crate) amount: u64,
}

impl Event {
    /// The event with a number, of an order and its customer.
    pub(crate) fn new(number: u64, order: impl Display, customer: u64) -> Event {
        let ty = TYPES[number as usize % TYPES.len()];
        let mut data = format!(
            r#"{{"order":"{order}","customer":"c{customer:05}","amount":{},"currency":"EUR","#,
            mix(number) % 100_000
        );
        data.push_str(r#""note":""#);
        while data.len() < DATA_BYTES - 2 {
            data.push(char::from(b'a' + (data.len() % 23) as u8));
        }
        data.push_str("\"}");
        Event {
            id: id(number),
            ty,
            tags: [order_tag(order), customer_tag(customer)],
            data: data.into_bytes(),
        }
    }
}

/// The tag of an order.
pub(crate) fn order_tag(order: impl Display) -> String {
    format!("order:{order}")
}

/// The tag of a customer.
pub(crate) fn customer_tag(customer: u64) -> String {
    format!("customer:c{customer:05}")
}

/// The name of a stream that was loaded.
pub(crate) fn order(stream: u64) -> String {
    format!("o{stream:08}")
}

/// The customer of a stream that was loaded.
pub(crate) fn customer(stream: u64) -> u64 {
    mix(stream ^ 0xc057) % CUSTOMERS
}

/// Ids grow with time, as those of version 7 do: a millisecond in front, chance behind.
fn id(number: u64) -> Uuid {
    let milliseconds = u128::from(1_700_000_000_000 + number / 16);
    let chance = u128::from(mix(number)) << 32 | u128::from(number & 0xffff_ffff);
    Uuid::from_u128(milliseconds << 80 | 0x7 << 76 | chance & ((1 << 76) - 1))
}

/// A number that looks like chance and is always the same.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// What is loaded before anything is measured: streams, mixed at random.
pub(crate) struct History {
    /// The stream of each event.
    order: Vec<u32>,
    streams: u64,
}

impl History {
    /// So many events: the hot streams, scattered over all of it, and streams of about ten.
    pub(crate) fn new(events: usize) -> History {
        let mut order = Vec::with_capacity(events);
        let mut streams: u32 = 0;
        while order.len() < events {
            let about_ten = 5 + (mix(streams.into()) % 11) as usize;
            let length = HOT.get(streams as usize).copied().unwrap_or(about_ten);
            let room = events - order.len();
            order.extend(std::iter::repeat_n(streams, length.min(room)));
            streams += 1;
        }
        for last in (1..order.len()).rev() {
            let other = mix(last as u64 ^ 0x5eed << 32) % (last as u64 + 1);
            order.swap(last, other as usize);
        }
        History {
            order,
            streams: streams.into(),
        }
    }

    /// Streams, the hot ones included.
    pub(crate) fn streams(&self) -> u64 {
        self.streams
    }

    /// All events in their order.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let numbered = self.order.iter().zip(0..);
        numbered.map(|(stream, number)| {
            let stream = u64::from(*stream);
            Event::new(number, order(stream), customer(stream))
        })
    }

    /// A stream that is not hot and has ten events, picked by a number.
    pub(crate) fn stream_of_ten(&self, pick: u64) -> u64 {
        let hot = HOT.len() as u64;
        let all = self.streams.saturating_sub(hot + 1).max(1);
        let begin = mix(pick) % all;
        // The length is a function of the stream, so no table of lengths is needed.
        let ten = |stream: &u64| 5 + mix(*stream) % 11 == 10;
        let around = (begin..all).chain(0..begin).map(|n| n + hot);
        around.take(10_000).find(ten).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::{CUSTOMERS, DATA_BYTES, Data, History, customer, order_tag};
    use std::collections::HashMap;

    #[test]
    fn the_history_is_the_same_every_time() {
        let (one, other) = (History::new(5_000), History::new(5_000));
        assert!(one.events().eq(other.events()));
    }

    #[test]
    fn the_history_has_its_shape() {
        let history = History::new(50_000);
        let mut lengths: HashMap<String, u64> = HashMap::new();
        let mut ids = Vec::new();
        for event in history.events() {
            assert_eq!(event.data.len(), DATA_BYTES);
            let data: Data<'_> = serde_json::from_slice(&event.data).expect("the data is JSON");
            assert!(event.tags[1].ends_with(data.customer));
            *lengths.entry(event.tags[0].clone()).or_default() += 1;
            ids.push(event.id);
        }
        assert_eq!(ids.len(), 50_000);
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 50_000);
        for (stream, length) in [(0, 10), (1, 100), (2, 1_000)] {
            assert_eq!(lengths[&order_tag(super::order(stream))], length);
        }
        let mean = 48_890.0 / (history.streams() - 3) as f64;
        assert!((9.5..10.5).contains(&mean), "{mean}");
        for pick in 0..20 {
            let stream = history.stream_of_ten(pick);
            assert_eq!(lengths[&order_tag(super::order(stream))], 10);
        }
    }

    #[test]
    fn hot_streams_are_scattered_and_customers_are_few() {
        let history = History::new(50_000);
        let thousand = order_tag(super::order(2));
        let at: Vec<usize> = (history.events().enumerate())
            .filter(|(_, e)| e.tags[0] == thousand)
            .map(|(n, _)| n)
            .collect();
        assert!(at[0] < 1_000 && at[999] > 49_000);
        assert!((0..10_000).all(|stream| customer(stream) < CUSTOMERS));
    }
}
