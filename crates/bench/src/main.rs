//! `bench`: the speed and cost of a backfill relative to COPY of the same rows in the same run.
//!
//! The simulated Stripe, PostgreSQL and the engine run in separate processes, so that the cost of
//! each can be measured. Compare only ratios within one run: other programs share the machine.

mod copy;
mod cpu;
mod engine;
mod simulator;

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

/// What this process does. The benchmark starts itself again for each role.
#[derive(Subcommand)]
enum Role {
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
        None => measure(&args).await,
    }
}

async fn measure(args: &Args) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("stripe-sync-bench-{}", std::process::id()));
    // Durable, as in the product.
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
    println!("{} rows of {}, latency {} ms", args.rows, engine.table, args.latency_ms);
    println!(
        "                          rows/s   seconds   CPU us/row: engine   PostgreSQL   peak RSS"
    );
    println!(
        "backfill                {:>8.0}  {:>8.2}  {:>18.1}  {:>11.1}  {:>6} MB",
        rate(engine.elapsed),
        engine.elapsed.as_secs_f64(),
        micros(engine.cpu),
        micros(postgres),
        engine.peak_rss_mb
    );
    println!(
        "COPY of the same rows   {:>8.0}  {:>8.2}  {:>18}  {:>11.1}",
        rate(copy.elapsed),
        copy.elapsed.as_secs_f64(),
        "-",
        micros(copy.postgres)
    );
    println!(
        "ratio to COPY           {:>8.2}  {:>8.2}  {:>18}  {:>11.2}",
        rate(engine.elapsed) / rate(copy.elapsed),
        engine.elapsed.as_secs_f64() / copy.elapsed.as_secs_f64(),
        "",
        micros(postgres) / micros(copy.postgres)
    );
    Ok(())
}
