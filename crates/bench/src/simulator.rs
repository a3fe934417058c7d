//! The simulated Stripe in a separate process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use stripe_sim::{Account, Sim, SimOptions};

/// A running process of this program in the role `stripe`. Dropping it kills the process.
pub(crate) struct Simulator {
    child: Child,
    pub(crate) base: String,
    pub(crate) key: String,
}

impl Simulator {
    /// Starts the process and waits until it accepts requests.
    pub(crate) fn start(object: &str, rows: u64, latency: Duration) -> Result<Simulator> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--object", object, "--rows", &rows.to_string()])
            .args(["--latency-ms", &latency.as_millis().to_string(), "stripe"])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the simulator has no stdout")?)
            .read_line(&mut line)?;
        let (base, key) = line.trim().split_once(' ').context("the simulator did not start")?;
        Ok(Simulator { child, base: base.to_owned(), key: key.to_owned() })
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("cannot stop the simulator: {error}");
        }
    }
}

/// Prints the address and the key, then serves until the process is killed.
pub(crate) async fn serve(object: &str, rows: u64, latency: Duration) -> Result<()> {
    let account = Account::builder(1).objects(object, rows).build()?;
    let options = SimOptions {
        latency,
        // Compression would add a cost of the simulator to the engine's time.
        gzip: false,
        ..SimOptions::default()
    };
    let sim = Sim::start(account, options).await?;
    println!("{} {}", sim.base_url(), sim.key());
    std::future::pending().await
}
