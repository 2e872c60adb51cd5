//! W3C trace context.

/// Whether a text is a `traceparent` of the W3C trace context: a version, the id of a trace, the
/// id of a span and flags, in lower-case hexadecimal digits; ids are not zero. A later version may
/// say more behind that.
pub fn is_traceparent(text: &str) -> bool {
    let mut parts = text.splitn(5, '-');
    let mut hex = |digits: usize| {
        let part = parts.next().filter(|p| p.len() == digits)?;
        let plain = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
        part.bytes().all(plain).then_some(part)
    };
    let (Some(version), Some(trace), Some(span), Some(_)) = (hex(2), hex(32), hex(16), hex(2))
    else {
        return false;
    };
    let zero = |id: &str| id.bytes().all(|b| b == b'0');
    let more = parts.next();
    let fits = match version {
        "00" => more.is_none(),
        // Nobody has to keep more than this of what is not understood.
        version => version != "ff" && more.is_none_or(|m| m.len() <= 200 && m.is_ascii()),
    };
    fits && !zero(trace) && !zero(span)
}

#[cfg(test)]
mod tests {
    use super::is_traceparent;

    #[test]
    fn what_the_specification_calls_valid_is() {
        let trace = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(&format!("00-{trace}")));
        assert!(is_traceparent(&format!("cc-{trace}")));
        assert!(is_traceparent(&format!(
            "cc-{trace}-what-the-future-will-be-like"
        )));
        for wrong in [
            String::new(),
            "00".into(),
            format!("00-{trace}-more"),
            format!("00-{}", trace.to_uppercase()),
            format!("ff-{trace}"),
            format!("00-{trace} "),
            format!("000-{trace}"),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01".into(),
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01".into(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g".into(),
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331".into(),
        ] {
            assert!(!is_traceparent(&wrong), "{wrong}");
        }
    }
}
