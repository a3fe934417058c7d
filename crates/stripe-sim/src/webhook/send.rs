//! Sends one webhook over HTTP/1.1. There is no TLS: receivers in tests listen on http.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The size limit of a response. Only its status is used.
const LONGEST_HEAD: usize = 16 * 1024;

/// Posts a body. Returns the status, or `None` if there was no response in time.
pub(super) async fn post(url: &str, header: &str, body: &str, timeout: Duration) -> Option<u16> {
    let exchange = async {
        let (host, path) = split(url)?;
        let address = if has_port(host) { host.to_owned() } else { format!("{host}:80") };
        let mut stream = TcpStream::connect(address).await.ok()?;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Stripe/1.0 (simulated)\r\n\
             Accept: */*\r\nContent-Type: application/json; charset=utf-8\r\n\
             Content-Length: {}\r\nStripe-Signature: {header}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        stream.write_all(body.as_bytes()).await.ok()?;
        stream.flush().await.ok()?;
        status(&mut stream).await
    };
    tokio::time::timeout(timeout, exchange).await.ok().flatten()
}

async fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut head = Vec::new();
    while !head.windows(2).any(|end| end == b"\r\n") {
        if head.len() > LONGEST_HEAD || stream.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let line = std::str::from_utf8(&head[..head.len().min(64)]).ok()?;
    line.split(' ').nth(1)?.get(..3)?.parse().ok()
}

/// Splits `http://host:port/path` into the host with its port, and the path.
fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    Some((host, if path.is_empty() { "/" } else { path }))
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether the simulator can deliver to a url.
pub fn can_deliver_to(url: &str) -> bool {
    split(url).is_some_and(|(host, _)| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split() {
        assert_eq!(split("http://127.0.0.1:80/a?b"), Some(("127.0.0.1:80", "/a?b")));
        assert_eq!(split("http://localhost"), Some(("localhost", "/")));
        assert!(has_port("[::1]:8080") && has_port("a:1") && !has_port("a") && !has_port("[::1]"));
        assert!(can_deliver_to("http://a/b") && !can_deliver_to("https://a/b"));
    }
}
