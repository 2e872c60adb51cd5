//! One event as bytes, for stores that know of keys and values only.

use super::{Event, Fault, Row, fault};
use uuid::Uuid;

/// Id, then type, tags and data, each behind its length.
pub(crate) fn write(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(event.data.len() + 96);
    bytes.extend_from_slice(event.id.as_bytes());
    let tags = event.tags.iter().map(String::as_bytes);
    for part in std::iter::once(event.ty.as_bytes()).chain(tags) {
        bytes.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(part);
    }
    bytes.extend_from_slice(&event.data);
    bytes
}

/// The event in these bytes.
pub(crate) fn read(position: u64, bytes: &[u8]) -> Result<Row<'_>, Fault> {
    let short = || {
        fault(format_args!(
            "the event at position {position} is cut short"
        ))
    };
    let (id, rest) = bytes.split_first_chunk::<16>().ok_or_else(short)?;
    let (ty, rest) = part(rest).ok_or_else(short)?;
    let data = part(rest).and_then(|(_, rest)| part(rest));
    Ok(Row {
        position,
        id: Uuid::from_bytes(*id),
        ty: std::str::from_utf8(ty)?,
        data: data.ok_or_else(short)?.1,
    })
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first()?;
    rest.split_at_checked(usize::from(*length))
}
