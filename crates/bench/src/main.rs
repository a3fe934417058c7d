//! `bench`: the speed and cost of a backfill relative to COPY of the same rows in the same run.
//!
//! The simulated Stripe, PostgreSQL and the engine run in separate processes, so that the cost of
//! each can be measured. Compare only ratios within one run: other programs share the machine.

mod copy;
mod cpu;
mod engine;
mod simulator;
mod webhooks;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use private_postgres::{Options, Server};

use crate::simulator::Simulator;

/// Measure a backfill of one object type relative to COPY of the same rows
#[derive(Parser)]
struct Args {
    /// Object to backfill, such as customer
    #[arg(long, default_value = "customer")]
    object: String,
    /// Number of objects in the account
    #[arg(long, default_value_t = 50_000)]
    rows: u64,
    /// Milliseconds between a request and the response of the simulated Stripe
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

impl Args {
    fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

/// A measurement other than the default one, or the role of a child process: the default
/// measurement starts this program again for each role.
#[derive(Subcommand)]
enum Role {
    /// Measure webhooks relative to one upsert of each payload, and the lag of the event feed
    Webhooks {
        /// Number of deliveries per measurement
        #[arg(long, default_value_t = 2_000)]
        deliveries: u64,
    },
    /// Serve the simulated Stripe after printing its address and key
    #[command(hide = true)]
    Stripe,
    /// Run one backfill into the database that DATABASE_URL names
    #[command(hide = true)]
    Engine,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    match args.role {
        Some(Role::Stripe) => simulator::serve(&args.object, args.rows, args.latency()).await,
        Some(Role::Engine) => engine::run(&args.object).await,
        Some(Role::Webhooks { deliveries }) => webhooks::measure(deliveries).await,
        None => measure(&args).await,
    }
}

async fn measure(args: &Args) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("stripe-sync-bench-{}", std::process::id()));
    // Durable, as in production.
    let server = Server::start(Options::new(&directory)).await?;
    let stripe = Simulator::start(&args.object, args.rows, args.latency())?;
    let result = compare(args, &server, &stripe).await;
    drop(stripe);
    server.stop().await?;
    std::fs::remove_dir_all(&directory).context("cannot remove the data directory")?;
    result
}

async fn compare(args: &Args, server: &Server, stripe: &Simulator) -> Result<()> {
    let url = server.connection_url();
    let before = cpu::tree(server.pid())?;
    let engine = engine::measure(&args.object, &url, stripe)?;
    let postgres = cpu::tree(server.pid())? - before;
    ensure!(engine.rows == args.rows, "{} of {} rows were stored", engine.rows, args.rows);
    let copy = copy::measure(&url, &engine.table, server.pid()).await?;
    ensure!(copy.rows == args.rows, "COPY stored {} rows", copy.rows);

    let rows = args.rows as f64;
    let micros = |d: Duration| d.as_secs_f64() * 1e6 / rows;
    let rate = |d: Duration| rows / d.as_secs_f64();
    println!("{}: {} rows, latency {} ms\n", engine.table, args.rows, args.latency_ms);
    print_line(
        "",
        ["rows/s", "seconds", "engine CPU us/row", "PostgreSQL CPU us/row", "engine peak RSS MB"],
    );
    print_line(
        "backfill",
        [
            format!("{:.0}", rate(engine.elapsed)),
            format!("{:.2}", engine.elapsed.as_secs_f64()),
            format!("{:.1}", micros(engine.cpu)),
            format!("{:.1}", micros(postgres)),
            engine.peak_rss_mb.to_string(),
        ],
    );
    print_line(
        "COPY of the same rows",
        [
            format!("{:.0}", rate(copy.elapsed)),
            format!("{:.2}", copy.elapsed.as_secs_f64()),
            "-".to_owned(),
            format!("{:.1}", micros(copy.postgres)),
            "-".to_owned(),
        ],
    );
    print_line(
        "backfill / COPY",
        [
            format!("{:.2}", rate(engine.elapsed) / rate(copy.elapsed)),
            format!("{:.2}", engine.elapsed.as_secs_f64() / copy.elapsed.as_secs_f64()),
            "-".to_owned(),
            format!("{:.2}", micros(postgres) / micros(copy.postgres)),
            "-".to_owned(),
        ],
    );
    Ok(())
}

/// Prints a line of the table: a label and right-aligned cells.
fn print_line(label: &str, cells: [impl AsRef<str>; 5]) {
    let [rate, seconds, engine, postgres, memory] = cells.each_ref().map(AsRef::as_ref);
    println!("{label:<21}  {rate:>8}  {seconds:>7}  {engine:>17}  {postgres:>21}  {memory:>18}");
}
