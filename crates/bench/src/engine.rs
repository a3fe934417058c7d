//! Runs the engine in a separate process, which reports its own cost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use stripe_sync::{ApiBase, ApiKey, BackfillRequest, Config, Names, RateOptions, StripeSync};

use crate::cpu;
use crate::simulator::Simulator;

/// The cost of a backfill.
pub(crate) struct EngineCost {
    pub(crate) rows: u64,
    pub(crate) table: String,
    pub(crate) elapsed: Duration,
    pub(crate) cpu: Duration,
    pub(crate) peak_rss_mb: u64,
}

/// Runs the engine as a child process and reads the line it prints.
pub(crate) fn measure(object: &str, url: &str, stripe: &Simulator) -> Result<EngineCost> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--object", object, "engine"])
        .env("DATABASE_URL", url)
        .env("STRIPE_SECRET_KEY", &stripe.key)
        .env("STRIPE_API_BASE", &stripe.base)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the engine failed");
    let text = String::from_utf8(output.stdout)?;
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [table, rows, elapsed, cpu, rss] = fields[..] else {
        anyhow::bail!("the engine printed {text:?}")
    };
    Ok(EngineCost {
        table: table.to_owned(),
        rows: rows.parse()?,
        elapsed: Duration::from_secs_f64(elapsed.parse()?),
        cpu: Duration::from_secs_f64(cpu.parse()?),
        peak_rss_mb: rss.parse()?,
    })
}

/// Runs one backfill. Neither time nor cost includes the migration.
pub(crate) async fn run(object: &str) -> Result<()> {
    let env = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let mut config = Config::new(env("DATABASE_URL")?, Names::new("stripe", "")?);
    config.key = Some(ApiKey::parse(&env("STRIPE_SECRET_KEY")?)?);
    config.api_base = ApiBase::parse(&env("STRIPE_API_BASE")?)?;
    config.rate = Some(RateOptions::Unlimited);
    let engine = StripeSync::connect(config).await?;
    engine.migrate().await?;
    let request = BackfillRequest { objects: vec![object.to_owned()], ..Default::default() };
    let pid = std::process::id();
    let (before, began) = (cpu::process(pid)?, Instant::now());
    let report = engine.backfill(&request).await?;
    let (elapsed, cpu) = (began.elapsed(), cpu::process(pid)? - before);
    let stream = report.streams.first().context("no stream")?;
    println!(
        "{} {} {} {} {}",
        stream.table,
        stream.synced,
        elapsed.as_secs_f64(),
        cpu.as_secs_f64(),
        cpu::peak_rss_mb(pid)?
    );
    Ok(())
}
