//! The first connection of a command. Waits for a server that is starting: `docker compose up`
//! starts this program and its database at the same time.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::postgres::connection::pool::Database;
use crate::postgres::connection::server::Server;
use crate::postgres::error::PostgresError;

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Database {
    /// Reads the version and settings of the server. Waits while it is starting, allows no more
    /// connections, or does not listen yet.
    ///
    /// # Errors
    /// The last error after the time limit, or the first one that waiting cannot resolve.
    pub(in crate::postgres) async fn server_when_ready(&self) -> Result<Server, PostgresError> {
        let (started, limit) = (Instant::now(), self.options().startup_wait);
        let mut pause = Duration::from_millis(250);
        let mut is_announced = false;
        loop {
            let error = match self.server().await {
                Err(error) => error,
                ready => return ready,
            };
            let left = limit.saturating_sub(started.elapsed());
            if !error.may_be_starting || left.is_zero() {
                return Err(self.explain_route(error).await);
            }
            if !is_announced {
                tracing::warn!("{error}; waiting up to {limit:?} for the server to start");
                is_announced = true;
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Explains the error if the host has only IPv6 addresses and this machine has no route to
    /// them.
    async fn explain_route(&self, error: PostgresError) -> PostgresError {
        if !error.has_no_route {
            return error;
        }
        for host in self.hosts() {
            if let Ok(addresses) = tokio::net::lookup_host(host).await
                && has_only_ipv6(addresses)
            {
                return error.with_hint(
                    "the host has only IPv6 addresses, and this machine has no IPv6 connectivity; use \
                     an IPv4 address, such as that of the provider's pooler, or enable IPv6",
                );
            }
        }
        error
    }
}

fn has_only_ipv6(addresses: impl Iterator<Item = SocketAddr>) -> bool {
    let mut addresses = addresses.peekable();
    addresses.peek().is_some() && addresses.all(|address| address.is_ipv6())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_without_an_ipv4_address_is_recognized() {
        let addresses = |texts: &[&str]| {
            let parsed: Vec<SocketAddr> =
                texts.iter().map(|text| text.parse().expect("an address")).collect();
            has_only_ipv6(parsed.into_iter())
        };
        assert!(addresses(&["[2001:db8::1]:5432", "[2001:db8::2]:5432"]));
        assert!(!addresses(&["[2001:db8::1]:5432", "192.0.2.1:5432"]));
        assert!(!addresses(&[]));
    }
}
