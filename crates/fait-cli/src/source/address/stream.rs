//! Server-sent events, read line by line.

use std::io::{BufRead, BufReader, Read};

/// Longest line that is read: an event and its JSON stay far below.
const MAX_LINE: u64 = 64 << 20;

/// A stream of server-sent events.
pub(super) struct Stream {
    lines: BufReader<Box<dyn Read>>,
}

/// What a stream says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    /// An event as JSON.
    Event(String),
    /// Why the stream ends here, as JSON.
    Problem(String),
}

impl Stream {
    /// The events in a body.
    pub(super) fn new(body: impl Read + 'static) -> Stream {
        Stream {
            lines: BufReader::new(Box::new(body)),
        }
    }

    /// The next event or problem; none when the stream is at its end or the connection is lost.
    /// Comments, which keep the connection alive, and what is not ours are passed over.
    pub(super) fn next(&mut self) -> Option<Said> {
        let (mut data, mut kind) = (String::new(), String::new());
        loop {
            let line = self.line()?;
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    if !data.is_empty() {
                        data.push('\n');
                    }
                    data.push_str(value);
                }
                "event" => kind = value.to_string(),
                _ if !line.is_empty() => {}
                _ if data.is_empty() => kind.clear(),
                _ if matches!(kind.as_str(), "" | "event" | "message") => {
                    return Some(Said::Event(data));
                }
                _ if kind == "problem" => return Some(Said::Problem(data)),
                _ => (data, kind) = (String::new(), String::new()),
            }
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = vec![];
        let mut lines = (&mut self.lines).take(MAX_LINE);
        lines.read_until(b'\n', &mut line).ok()?;
        // A last line without its end is half of one.
        if line.pop()? != b'\n' {
            return None;
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, Stream};

    fn said(text: &'static str) -> Vec<Said> {
        let mut stream = Stream::new(text.as_bytes());
        std::iter::from_fn(|| stream.next()).collect()
    }

    fn all(text: &'static str) -> Vec<String> {
        let event = |said| match said {
            Said::Event(data) => data,
            Said::Problem(data) => panic!("a problem: {data}"),
        };
        said(text).into_iter().map(event).collect()
    }

    #[test]
    fn a_problem_is_told_from_an_event() {
        let problem = Said::Problem("{}".into());
        assert_eq!(said("event: problem\nretry: 9\ndata: {}\n\n"), [problem]);
    }

    #[test]
    fn events_are_read_and_the_rest_is_passed_over() {
        let text = ": hello\n\nid: 1\ndata: {\"a\":1}\n\nevent: pulse\ndata: 7\n\n\
                    id:2\r\ndata:{\"b\":\ndata: 2}\n\n";
        assert_eq!(all(text), ["{\"a\":1}", "{\"b\":\n2}"]);
    }

    #[test]
    fn half_an_event_is_none() {
        assert!(all("data: {\"a\":1}").is_empty());
        assert!(all("data: {\"a\":1}\n").is_empty());
    }
}
