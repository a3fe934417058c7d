//! A proxy before PostgreSQL that can swallow the answer of a commit and cut the line.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

/// Every how many commits the answer is lost; 0 loses none.
#[derive(Clone, Default)]
pub(crate) struct Losses {
    every: Arc<AtomicU32>,
    seen: Arc<AtomicU32>,
    pub(crate) lost: Arc<AtomicU32>,
}

impl Losses {
    pub(crate) fn every(n: u32) -> Losses {
        let losses = Losses::default();
        losses.every.store(n, Ordering::Relaxed);
        losses
    }

    fn strikes(&self) -> bool {
        let every = self.every.load(Ordering::Relaxed);
        every > 0 && self.seen.fetch_add(1, Ordering::Relaxed) % every == every - 1
    }
}

/// Listens before the socket in `directory`; returns the port.
pub(crate) async fn start(directory: PathBuf, losses: Losses) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let path = directory.join(".s.PGSQL.5432");
            let losses = losses.clone();
            tokio::spawn(async move {
                let Ok(mut far) = UnixStream::connect(path).await else { return };
                let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
                let mut losing = false;
                loop {
                    tokio::select! {
                        read = near.read(&mut up) => {
                            let Ok(n @ 1..) = read else { return };
                            losing |= is_commit(&up[..n]) && losses.strikes();
                            if far.write_all(&up[..n]).await.is_err() { return; }
                        }
                        read = far.read(&mut down) => {
                            let Ok(n @ 1..) = read else { return };
                            if losing {
                                // The server has committed; nobody will hear of it.
                                losses.lost.fetch_add(1, Ordering::Relaxed);
                                return;
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

/// A simple query whose text is `COMMIT`.
fn is_commit(message: &[u8]) -> bool {
    message.first() == Some(&b'Q') && message[5..].to_ascii_lowercase().starts_with(b"commit")
}
