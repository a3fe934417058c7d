//! `stripe-sim`: a simulated Stripe account for your own tests and CI.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};
use stripe_sim::{
    Account, AccountBuilder, ApiKey, CustomIds, RateLimits, Sim, SimOptions, listable_objects,
};

/// A simulated Stripe account over HTTP on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 12_111)]
    port: u16,
    /// Seed of the account: the same seed gives the same account
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Kind of account
    #[arg(long, value_enum, default_value_t = Preset::Demo)]
    preset: Preset,
    /// Objects of each type with --preset uniform
    #[arg(long, default_value_t = 100)]
    each: u64,
    /// Number of objects of one type, on top of the preset; repeatable
    #[arg(long, value_name = "OBJECT=N", value_parser = assignment)]
    objects: Vec<(String, u64)>,
    /// Time from request to answer
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency_ms: u64,
    /// Up to so much more, differing from request to request
    #[arg(long, default_value_t = 0, value_name = "MS")]
    jitter_ms: u64,
    /// Stripe's documented limits of live or test mode
    #[arg(long, value_enum, default_value_t = Limits::None)]
    rate_limit: Limits,
    /// Share of requests that fail, 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    faults: f64,
    /// The key to accept; its prefix decides the mode
    #[arg(long)]
    key: Option<String>,
    /// Objects that the key may not read; repeatable
    #[arg(long, value_name = "OBJECT")]
    deny: Vec<String>,
    /// Beginning of the paths of a product that is not enabled, such as /v1/issuing/; repeatable
    #[arg(long, value_name = "PATH")]
    unavailable: Vec<String>,
    /// Gives products, plans and coupons ids with spaces, quotes and slashes
    #[arg(long)]
    hostile_ids: bool,
    /// Answers without compression
    #[arg(long)]
    no_gzip: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// About 20,000 objects in the proportions of a subscription business
    Demo,
    /// About 600 objects
    Small,
    /// The same number of every listable type
    Uniform,
    /// Nothing but what --objects says
    Empty,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Limits {
    Live,
    Test,
    None,
}

fn assignment(text: &str) -> Result<(String, u64), String> {
    let (object, count) =
        text.split_once('=').ok_or("expected OBJECT=N, such as customer=50000")?;
    let count = count
        .replace('_', "")
        .parse()
        .map_err(|_| format!("`{count}` is not a number of objects"))?;
    Ok((object.to_owned(), count))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stripe-sim: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(args: Args) -> Result<()> {
    if !(0.0..=1.0).contains(&args.faults) {
        bail!("--faults {} is not a share between 0 and 1", args.faults);
    }
    let live = mode(args.key.as_deref())?;
    let known: Vec<&str> = listable_objects().collect();
    let account = match builder(&args, live).build() {
        Ok(account) => account,
        Err(error) => bail!("{error}; known are {}", known.join(", ")),
    };
    if let Some(wrong) = args.deny.iter().find(|object| !known.contains(&object.as_str())) {
        bail!("--deny {wrong}: no such object; known are {}", known.join(", "));
    }
    let options = SimOptions {
        port: args.port,
        keys: args
            .key
            .iter()
            .map(|k| ApiKey::new(k).deny(args.deny.iter().map(String::as_str)))
            .collect(),
        limits: match args.rate_limit {
            Limits::Live => RateLimits::live(),
            Limits::Test => RateLimits::test(),
            Limits::None => RateLimits::none(),
        },
        latency: Duration::from_millis(args.latency_ms),
        jitter: Duration::from_millis(args.jitter_ms),
        fault_rate: args.faults,
        seed: args.seed,
        gzip: !args.no_gzip,
        unavailable: args.unavailable,
        ..SimOptions::default()
    };
    if options.keys.is_empty() && !args.deny.is_empty() {
        bail!(
            "--deny needs --key rk_test_... or rk_live_...: only restricted keys lack permissions"
        );
    }
    let total: u64 = known.iter().map(|object| account.count(object)).sum();
    let sim = Sim::start(account, options).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{} (is another one running? try --port 0)", args.port)
    })?;
    println!("base url  {}", sim.base_url());
    println!("key       {}", sim.key());
    println!("account   {} ({total} objects)", sim.account().id());
    println!();
    println!(
        "STRIPE_API_BASE={} STRIPE_SECRET_KEY={} stripe-sync backfill",
        sim.base_url(),
        sim.key()
    );
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    eprintln!("{} requests answered", sim.requests());
    Ok(())
}

/// Live or test mode, by the key's prefix.
fn mode(key: Option<&str>) -> Result<bool> {
    let Some(key) = key else { return Ok(false) };
    if ["sk_test_", "rk_test_"].iter().any(|prefix| key.starts_with(prefix)) {
        return Ok(false);
    }
    if ["sk_live_", "rk_live_"].iter().any(|prefix| key.starts_with(prefix)) {
        return Ok(true);
    }
    bail!("--key must begin with sk_test_, sk_live_, rk_test_ or rk_live_")
}

fn builder(args: &Args, live: bool) -> AccountBuilder {
    let empty = Account::builder(args.seed).livemode(live);
    let empty = if args.hostile_ids { empty.custom_ids(CustomIds::Hostile) } else { empty };
    let preset = match args.preset {
        Preset::Demo => empty.demo(),
        Preset::Small => empty.small(),
        Preset::Uniform => empty.uniform(args.each),
        Preset::Empty => empty,
    };
    args.objects.iter().fold(preset, |builder, (object, count)| builder.objects(object, *count))
}
