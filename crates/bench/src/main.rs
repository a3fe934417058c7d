//! `bench`: how fast a backfill is, and what it costs, against plain COPY of the same rows in
//! the same run.
//!
//! Three processes, so that each one's cost can be told: the simulated Stripe, PostgreSQL, and
//! the engine. Only ratios within one run mean something: the machine is shared.

mod copy;
mod cpu;
mod engine;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::{Parser, Subcommand};
use private_postgres::{Options, Server};
use stripe_sim::{Account, Sim, SimOptions};

/// Measures a backfill of one object against COPY.
#[derive(Parser)]
struct Args {
    /// The object to backfill.
    #[arg(long, default_value = "customer")]
    object: String,
    /// How many of it the account has.
    #[arg(long, default_value_t = 50_000)]
    rows: u64,
    /// Milliseconds that the simulated Stripe takes for an answer.
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
    #[command(subcommand)]
    role: Option<Role>,
}

/// What this process is; the bench starts itself again for each.
#[derive(Subcommand)]
enum Role {
    /// The simulated Stripe: prints its address and key, then serves.
    #[command(hide = true)]
    Stripe,
    /// The engine: one backfill into the database named by DATABASE_URL.
    #[command(hide = true)]
    Engine,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    match args.role {
        Some(Role::Stripe) => serve(&args).await,
        Some(Role::Engine) => engine::run(&args.object).await,
        None => measure(&args).await,
    }
}

async fn serve(args: &Args) -> Result<()> {
    let account = Account::builder(1).objects(&args.object, args.rows).build()?;
    let options = SimOptions {
        latency: Duration::from_millis(args.latency_ms),
        // Compression is the simulator's cost, not the engine's, and would hide it.
        gzip: false,
        ..SimOptions::default()
    };
    let sim = Sim::start(account, options).await?;
    println!("{} {}", sim.base_url(), sim.key());
    std::future::pending().await
}

async fn measure(args: &Args) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("stripe-sync-bench-{}", std::process::id()));
    // Durable, as the product runs it.
    let server = Server::start(Options::new(&directory)).await?;
    let stripe = start_stripe(args)?;
    let result = compare(args, &server, &stripe).await;
    drop(stripe);
    server.stop().await?;
    std::fs::remove_dir_all(&directory).context("cannot remove the bench's data directory")?;
    result
}

async fn compare(args: &Args, server: &Server, stripe: &Stripe) -> Result<()> {
    let url = server.connection_url();
    let before = cpu::tree(server.pid())?;
    let engine = engine::measure(&args.object, args.rows, args.latency_ms, &url, stripe)?;
    let postgres = cpu::tree(server.pid())? - before;
    ensure!(engine.rows == args.rows, "{} of {} rows arrived", engine.rows, args.rows);
    let copy = copy::measure(&url, &engine.table, server.pid()).await?;
    ensure!(copy.rows == args.rows, "COPY moved {} rows", copy.rows);

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

/// The simulated Stripe in a process of its own.
struct Stripe {
    child: Child,
    base: String,
    key: String,
}

impl Drop for Stripe {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("the simulator could not be stopped: {error}");
        }
    }
}

fn start_stripe(args: &Args) -> Result<Stripe> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--object", &args.object, "--rows", &args.rows.to_string()])
        .args(["--latency-ms", &args.latency_ms.to_string(), "stripe"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut line)?;
    let (base, key) = line.trim().split_once(' ').context("the simulator did not start")?;
    Ok(Stripe { base: base.to_owned(), key: key.to_owned(), child })
}
