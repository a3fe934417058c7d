//! A proxy in front of PostgreSQL that can drop the response to a commit and close the connection,
//! and that counts the round trips of transactions.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

/// Loses the response to every nth commit; 0 loses none.
#[derive(Clone, Default)]
pub(crate) struct CommitLoss {
    every: Arc<AtomicU32>,
    seen: Arc<AtomicU32>,
    pub(crate) lost: Arc<AtomicU32>,
    /// Keeps the connection open, like a server or a network that has stopped responding.
    keeps_open: bool,
}

impl CommitLoss {
    pub(crate) fn every(n: u32) -> CommitLoss {
        let losses = CommitLoss::default();
        losses.every.store(n, Ordering::Relaxed);
        losses
    }

    /// Loses the response to the nth commit and all later responses on its connection.
    pub(crate) fn silent_after(n: u32) -> CommitLoss {
        CommitLoss { keeps_open: true, ..CommitLoss::every(n) }
    }

    fn drops_next_response(&self) -> bool {
        let every = self.every.load(Ordering::Relaxed);
        every > 0 && self.seen.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }
}

/// The round trips of finished transactions that wrote rows of a table.
#[derive(Clone, Default)]
pub(crate) struct RoundTrips {
    /// The text by which a statement that writes such rows is recognized.
    statement: &'static str,
    pub(crate) counts: Arc<Mutex<Vec<usize>>>,
}

impl RoundTrips {
    pub(crate) fn of(statement: &'static str) -> RoundTrips {
        RoundTrips { statement, counts: Arc::default() }
    }
}

/// Counts the responses from the server on one connection. Each ends with ReadyForQuery, `Z`.
#[derive(Default)]
struct Counter {
    wrote_rows: bool,
    answers: usize,
    /// Bytes of a message that has not arrived completely.
    partial: Vec<u8>,
}

impl Counter {
    fn sent(&mut self, bytes: &[u8], statement: &str) {
        if contains(bytes, b"START TRANSACTION") {
            (self.answers, self.wrote_rows) = (0, false);
        }
        self.wrote_rows |= !statement.is_empty() && contains(bytes, statement.as_bytes());
    }

    fn received(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        while let [kind, a, b, c, d, ..] = self.partial[..] {
            let length = 1 + u32::from_be_bytes([a, b, c, d]) as usize;
            if self.partial.len() < length {
                return;
            }
            self.answers += usize::from(kind == b'Z');
            self.partial.drain(..length);
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Listens in front of the socket in `directory`; returns the port.
pub(crate) async fn start(directory: PathBuf, losses: CommitLoss, trips: RoundTrips) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let path = directory.join(".s.PGSQL.5432");
            let (losses, trips) = (losses.clone(), trips.clone());
            tokio::spawn(async move {
                let Ok(mut far) = UnixStream::connect(path).await else { return };
                let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
                let (mut losing, mut committing) = (false, false);
                let mut counter = Counter::default();
                loop {
                    tokio::select! {
                        read = near.read(&mut up) => {
                            let Ok(n @ 1..) = read else { return };
                            committing = is_commit(&up[..n]);
                            counter.sent(&up[..n], trips.statement);
                            losing |= committing && losses.drops_next_response();
                            if far.write_all(&up[..n]).await.is_err() { return; }
                        }
                        read = far.read(&mut down) => {
                            let Ok(n @ 1..) = read else { return };
                            if losing {
                                // The server has committed, but the client gets no response.
                                losses.lost.fetch_add(1, Ordering::Relaxed);
                                if losses.keeps_open {
                                    losses.every.store(0, Ordering::Relaxed);
                                    std::future::pending::<()>().await;
                                }
                                return;
                            }
                            counter.received(&down[..n]);
                            if committing && counter.wrote_rows {
                                trips.counts.lock().expect("counts").push(counter.answers);
                                counter.wrote_rows = false;
                            }
                            if near.write_all(&down[..n]).await.is_err() { return; }
                        }
                    }
                }
            });
        }
    });
    port
}

/// Whether a message is a simple query with the text `COMMIT`.
fn is_commit(message: &[u8]) -> bool {
    message.first() == Some(&b'Q') && message[5..].to_ascii_lowercase().starts_with(b"commit")
}
