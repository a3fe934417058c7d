//! A test server that sends exactly the bytes of a script, and records the requests.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The response to one request.
#[derive(Debug, Clone)]
pub(super) enum Reply {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, then the next request on the same connection.
    ThenNext(Vec<u8>),
    /// These bytes, then a reset instead of an end.
    ThenReset(Vec<u8>),
    /// These bytes, then nothing more, with the connection left open.
    ThenSilence(Vec<u8>),
}

/// Sends the n-th reply to the n-th request, and the last reply to all later ones.
pub(super) struct ScriptedServer {
    pub(super) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    pub(super) async fn start(script: Vec<Reply>) -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        ScriptedServer::listen(listener, script)
    }

    pub(super) fn listen(listener: TcpListener, script: Vec<Reply>) -> ScriptedServer {
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(serve(listener, script, Arc::clone(&heads)));
        ScriptedServer { address, heads, task }
    }

    /// The address as an API base.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far.
    pub(super) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, script: Vec<Reply>, heads: Arc<Mutex<Vec<String>>>) {
    let mut silent = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        while let Some(head) = read_head(&mut stream).await {
            let number = {
                let mut heads = heads.lock().unwrap();
                heads.push(head);
                heads.len() - 1
            };
            let reply = script[number.min(script.len() - 1)].clone();
            let (Reply::Bytes(bytes)
            | Reply::ThenNext(bytes)
            | Reply::ThenReset(bytes)
            | Reply::ThenSilence(bytes)) = &reply;
            // In some scripts the client has closed the connection.
            let _ = stream.write_all(bytes).await;
            match reply {
                Reply::ThenNext(_) => continue,
                Reply::Bytes(_) => {
                    let _ = stream.shutdown().await;
                }
                Reply::ThenReset(_) => stream.set_zero_linger().unwrap(),
                Reply::ThenSilence(_) => silent.push(stream),
            }
            break;
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await.ok()?;
        head.push(byte);
    }
    String::from_utf8(head).ok()
}

/// A complete response. Each header is `Name: value`.
pub(super) fn response(status: u16, headers: &[&str], body: &str) -> Reply {
    Reply::Bytes(message(status, headers, body.as_bytes(), body.len()))
}

/// A response whose `Content-Length` is larger than its body.
pub(super) fn truncated(status: u16, body: &str) -> Reply {
    Reply::Bytes(message(status, &[], body.as_bytes(), body.len() + 10))
}

/// [`ONE_CHARGE`], compressed by another program (`gzip -9`).
const ONE_CHARGE_COMPRESSED: &[u8] = b"\
      \x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x49\x2c\x49\x54\xb2\x8a\xae\
      \x56\xca\x4c\x51\xb2\x52\x4a\xce\x88\x37\x54\xaa\x8d\xd5\x51\xca\x48\x2c\x8e\xcf\
      \xcd\x2f\x4a\x55\xb2\x4a\x4b\xcc\x29\x4e\xad\x05\x00\x3d\x39\x32\x48\x29\x00\x00\
      \x00\
";

/// A list of one charge.
pub(super) const ONE_CHARGE: &str = r#"{"data":[{"id":"ch_1"}],"has_more":false}"#;

/// [`ONE_CHARGE`] compressed, without its last `missing` bytes.
pub(super) fn one_charge_compressed(missing: usize) -> Reply {
    let compressed = &ONE_CHARGE_COMPRESSED[..ONE_CHARGE_COMPRESSED.len() - missing];
    Reply::Bytes(message(200, &["Content-Encoding: gzip"], compressed, compressed.len()))
}

/// The bytes of a response.
pub(super) fn message(status: u16, headers: &[&str], body: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}
