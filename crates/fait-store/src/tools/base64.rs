//! Base64 (RFC 4648, with padding), for data that is no JSON.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Puts bytes behind a text.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.chunks(3) {
        let of = |n: usize| chunk.get(n).map_or(0, |byte| u32::from(*byte));
        let bits = of(0) << 16 | of(1) << 8 | of(2);
        for letter in 0..4 {
            let place = (bits >> (18 - 6 * letter)) & 63;
            out.push(match letter <= chunk.len() {
                true => LETTERS[place as usize],
                false => b'=',
            });
        }
    }
}

/// The bytes of a text; nothing when it is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut out = Vec::with_capacity(groups.len() * 3);
    for (n, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || padding > 0 && n + 1 < groups.len() {
            return None;
        }
        let mut bits = 0;
        for letter in &group[..4 - padding] {
            bits = bits << 6 | value(*letter)?;
        }
        bits <<= 6 * padding;
        let bytes = [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8];
        let (whole, left) = bytes.split_at(3 - padding);
        // What is cut off must be nothing, so that one text stands for some bytes only.
        if left.iter().any(|byte| *byte != 0) {
            return None;
        }
        out.extend_from_slice(whole);
    }
    Some(out)
}

fn value(letter: u8) -> Option<u32> {
    let value = match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn the_examples_of_the_rfc() {
        let examples = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, coded) in examples {
            let mut out = vec![];
            encode(plain.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), coded);
            assert_eq!(decode(coded).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn every_byte_comes_back() {
        for length in 0..300_usize {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7 + length) as u8).collect();
            let mut out = vec![];
            encode(&bytes, &mut out);
            assert_eq!(decode(std::str::from_utf8(&out).unwrap()), Some(bytes));
        }
    }

    #[test]
    fn what_is_no_base64_is_refused() {
        for text in [
            "Z", "Zg=", "Zh==", "Zg==Zg==", "Z===", "====", "Zm 9v", "Zm9-", "é===",
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
