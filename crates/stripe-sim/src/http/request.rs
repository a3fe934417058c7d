//! Reads requests: the request line, the headers and the body.

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The size limit of the head and of the body of a request.
const MAX_BYTES: usize = 64 * 1024;

/// One request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path and query as sent.
    pub(super) target: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) keep_alive: bool,
    /// A form. Empty unless the request has a `Content-Length`.
    pub(super) body: String,
    headers: Vec<(String, String)>,
}

/// The result of reading from a connection.
pub(super) enum ReadResult {
    Request(Request),
    Closed,
    Malformed,
}

impl Request {
    /// Reads the next request. Bytes of the request after it stay in the buffer.
    pub(super) async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> ReadResult {
        let end = loop {
            if let Some(at) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            if buffer.len() > MAX_BYTES {
                return ReadResult::Malformed;
            }
            match stream.read_buf(buffer).await {
                Ok(0) | Err(_) => return ReadResult::Closed,
                Ok(_) => {}
            }
        };
        let parsed = std::str::from_utf8(&buffer[..end]).ok().and_then(parse);
        buffer.drain(..end + 4);
        let Some(mut request) = parsed else { return ReadResult::Malformed };
        if request.header("transfer-encoding").is_some() {
            // Such a body is not read.
            request.keep_alive = false;
            return ReadResult::Request(request);
        }
        let length =
            request.header("content-length").and_then(|l| l.parse::<usize>().ok()).unwrap_or(0);
        if length > 0 && request.header("expect").is_some() {
            request.keep_alive = false;
            return ReadResult::Request(request);
        }
        if length > MAX_BYTES {
            return ReadResult::Malformed;
        }
        while buffer.len() < length {
            match stream.read_buf(buffer).await {
                Ok(0) | Err(_) => return ReadResult::Closed,
                Ok(_) => {}
            }
        }
        let body: Vec<u8> = buffer.drain(..length).collect();
        match String::from_utf8(body) {
            Ok(body) => ReadResult::Request(Request { body, ..request }),
            Err(_) => ReadResult::Malformed,
        }
    }

    /// The value of a header. `name` is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(super) fn accepts_gzip(&self) -> bool {
        self.header("accept-encoding").is_some_and(|codings| {
            codings.split(',').any(|coding| {
                let mut parts = coding.split(';').map(str::trim);
                parts.next() == Some("gzip") && !parts.any(|p| p == "q=0")
            })
        })
    }
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") || !target.starts_with('/') {
        return None;
    }
    let headers: Vec<(String, String)> = lines
        .map(|line| {
            line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()))
        })
        .collect::<Option<_>>()?;
    let connection =
        headers.iter().find(|(n, _)| n == "connection").map(|(_, v)| v.to_ascii_lowercase());
    let keep_alive = match connection.as_deref() {
        Some("close") => false,
        Some("keep-alive") => true,
        _ => version == "HTTP/1.1",
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method: method.to_owned(),
        target: target.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        keep_alive,
        body: String::new(),
        headers,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_heads_are_parsed_and_invalid_ones_are_rejected() {
        let request = parse(
            "GET /v1/customers?limit=3 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip;q=0.5",
        )
        .unwrap();
        assert_eq!((request.path.as_str(), request.query.as_str()), ("/v1/customers", "limit=3"));
        assert!(request.keep_alive && request.accepts_gzip());
        assert!(!parse("GET / HTTP/1.0\r\nHost: x").unwrap().keep_alive);
        for broken in
            ["", "GET /", "GET http://x/ HTTP/1.1", "GET / HTTP/2", "GET / HTTP/1.1\r\nnocolon"]
        {
            assert!(parse(broken).is_none(), "{broken}");
        }
    }
}
