#![no_main]

use fait_core::bus::{Attribute, CloudEvent, Data};

// The first byte says which form; the rest are lines of headers, an empty line, and the body.
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((form, rest)) = bytes.split_first() else {
        return;
    };
    let events = match form % 3 {
        0 => CloudEvent::from_json(rest).map(|one| vec![one]),
        1 => CloudEvent::from_json_batch(rest),
        _ => {
            let (headers, body) = message(rest);
            CloudEvent::read_all(&headers, body)
        }
    };
    for event in events.unwrap_or_default() {
        there_and_back(event);
    }
});

fn message(bytes: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let end = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &bytes[..0]),
    };
    let head = String::from_utf8_lossy(head);
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let headers = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (headers.collect(), body)
}

/// What was read keeps every rule, and is the same after it was written and read again.
fn there_and_back(event: CloudEvent) {
    assert_eq!(event.check(), Ok(()));
    let again = CloudEvent::from_json(&event.to_bytes());
    // What has many escapes may be longer than it came.
    if event.to_bytes().len() <= CloudEvent::MOST_BYTES {
        assert_eq!(again.as_ref(), Ok(&event));
    }
    let (headers, body) = event.to_binary();
    let size: usize = headers.iter().map(|(n, v)| n.len() + v.len()).sum();
    if size + body.len() > CloudEvent::MOST_BYTES {
        return;
    }
    let mut wanted = event;
    for value in wanted.extensions.values_mut() {
        *value = Attribute::Text(value.to_string());
    }
    match &wanted.data {
        Data::Json(_) if wanted.datacontenttype.is_none() => {
            wanted.datacontenttype = Some("application/json".into());
        }
        Data::Bytes(bytes) if bytes.is_empty() => wanted.data = Data::None,
        _ => {}
    }
    let read = CloudEvent::read_message(&headers, &body);
    assert_eq!(read, Ok(wanted));
}
