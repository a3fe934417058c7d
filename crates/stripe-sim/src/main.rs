//! `stripe-sim`: serves a simulated Stripe account, for tests and CI.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};
use stripe_sim::{
    Account, AccountBuilder, Activity, ApiKey, CustomIds, RateLimits, Sim, SimOptions,
    WebhookOptions, can_deliver_to, listable_objects,
};

/// Serve a simulated Stripe account over HTTP on 127.0.0.1
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Port to listen on; 0 selects a free port
    #[arg(long, default_value_t = 12_111)]
    port: u16,
    /// Seed of the account; the same seed produces the same account
    #[arg(long, default_value_t = 42)]
    seed: u64,
    /// Objects of the account
    #[arg(long, value_enum, default_value_t = Preset::Demo)]
    preset: Preset,
    /// Number of objects of each type with --preset uniform
    #[arg(long, default_value_t = 100)]
    each: u64,
    /// Number of objects of one type, which overrides the preset; repeatable
    #[arg(long, value_name = "OBJECT=N", value_parser = parse_objects)]
    objects: Vec<(String, u64)>,
    /// Delay of each response
    #[arg(long, default_value_t = 0, value_name = "MS")]
    latency_ms: u64,
    /// Maximum of an additional random delay
    #[arg(long, default_value_t = 0, value_name = "MS")]
    jitter_ms: u64,
    /// Rate limits as Stripe documents them
    #[arg(long, value_enum, default_value_t = Limits::None)]
    rate_limit: Limits,
    /// Share of requests that fail, from 0 to 1
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    faults: f64,
    /// Accepted API key; its prefix selects test or live mode
    #[arg(long)]
    key: Option<String>,
    /// Object type that the key has no permission to read; repeatable
    #[arg(long, value_name = "OBJECT")]
    deny: Vec<String>,
    /// Path prefix of a product that is not enabled, such as /v1/issuing/; repeatable
    #[arg(long, value_name = "PATH")]
    unavailable: Vec<String>,
    /// Ids with spaces, quotes and slashes for some products, plans and coupons
    #[arg(long)]
    hostile_ids: bool,
    /// No compression of responses
    #[arg(long)]
    no_gzip: bool,
    /// Random changes per second: objects are created, updated and deleted
    #[arg(long, default_value_t = 0.0, value_name = "N")]
    changes_per_second: f64,
    /// Maximum number of seconds after which an event appears in /v1/events
    #[arg(long, default_value_t = 0, value_name = "SECONDS")]
    event_lag: u32,
    #[command(flatten)]
    webhooks: Webhooks,
}

/// How webhooks are delivered
#[derive(Debug, clap::Args)]
struct Webhooks {
    /// Receiver of signed webhooks, such as http://127.0.0.1:8080/webhooks; repeatable
    #[arg(long = "webhook-url", value_name = "URL")]
    urls: Vec<String>,
    /// Signing secret of the receivers, instead of one per receiver that is printed at the start
    #[arg(long = "webhook-secret", value_name = "whsec_...", requires = "urls")]
    secret: Option<String>,
    /// Delay between a change and the delivery of its webhook
    #[arg(long = "webhook-delay-ms", default_value_t = 0, value_name = "MS")]
    delay_ms: u64,
    /// Maximum of an additional random delay, by which webhooks arrive out of order
    #[arg(long = "webhook-jitter-ms", default_value_t = 0, value_name = "MS")]
    jitter_ms: u64,
    /// Share of webhooks that are delivered twice, from 0 to 1
    #[arg(long = "webhook-duplicates", default_value_t = 0.0, value_name = "SHARE")]
    duplicates: f64,
    /// Share of webhooks that are never delivered, from 0 to 1
    #[arg(long = "webhook-losses", default_value_t = 0.0, value_name = "SHARE")]
    losses: f64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// About 20,000 objects in the proportions of a subscription business
    Demo,
    /// About 600 objects
    Small,
    /// The same number of objects of each type
    Uniform,
    /// Only the objects of --objects
    Empty,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Limits {
    /// 100 requests per second, 25 per endpoint
    Live,
    /// 25 requests per second
    Test,
    /// No limits
    None,
}

fn parse_objects(text: &str) -> Result<(String, u64), String> {
    let (object, count) =
        text.split_once('=').ok_or("expected OBJECT=N, such as customer=50000")?;
    let count = count.replace('_', "").parse().map_err(|_| format!("`{count}` is not a number"))?;
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
    for (name, share) in [
        ("--faults", args.faults),
        ("--webhook-duplicates", args.webhooks.duplicates),
        ("--webhook-losses", args.webhooks.losses),
    ] {
        if !(0.0..=1.0).contains(&share) {
            bail!("{name} {share} is not a number from 0 to 1");
        }
    }
    if !(0.0..=10_000.0).contains(&args.changes_per_second) {
        bail!("--changes-per-second {} is not a number from 0 to 10000", args.changes_per_second);
    }
    if let Some(url) = args.webhooks.urls.iter().find(|url| !can_deliver_to(url)) {
        bail!("--webhook-url {url}: give an http URL; the simulator does not deliver to https");
    }
    let live = is_live_mode(args.key.as_deref())?;
    let known: Vec<&str> = listable_objects().collect();
    let account = match builder(&args, live).build() {
        Ok(account) => account,
        Err(error) => bail!("{error}; the object types are {}", known.join(", ")),
    };
    if let Some(unknown) = args.deny.iter().find(|object| !known.contains(&object.as_str())) {
        bail!("--deny: unknown object type `{unknown}`; the types are {}", known.join(", "));
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
        event_lag: args.event_lag,
        webhooks: WebhookOptions {
            delay: Duration::from_millis(args.webhooks.delay_ms),
            jitter: Duration::from_millis(args.webhooks.jitter_ms),
            duplicates: args.webhooks.duplicates,
            losses: args.webhooks.losses,
            ..WebhookOptions::default()
        },
        ..SimOptions::default()
    };
    if options.keys.is_empty() && !args.deny.is_empty() {
        bail!(
            "--deny requires --key with a restricted key (rk_test_... or rk_live_...); other keys have all permissions"
        );
    }
    let total: u64 = known.iter().map(|object| account.count(object)).sum();
    let sim = Sim::start(account, options).await.with_context(|| {
        format!("cannot listen on 127.0.0.1:{} (use --port 0 to select a free port)", args.port)
    })?;
    println!("base url  {}", sim.base_url());
    println!("key       {}", sim.key());
    println!("account   {} ({total} objects)", sim.account().id());
    for url in &args.webhooks.urls {
        let endpoint = match &args.webhooks.secret {
            Some(secret) => sim.account().add_webhook_endpoint_with_secret(url, secret)?,
            None => sim.account().add_webhook_endpoint(url)?,
        };
        println!("webhooks  {url}, signed with {}", endpoint.secret);
    }
    println!();
    println!(
        "STRIPE_API_BASE={} STRIPE_SECRET_KEY={} stripe-sync backfill",
        sim.base_url(),
        sim.key()
    );
    let activity = Activity::new(sim.account(), args.seed);
    let changes = async {
        match args.changes_per_second > 0.0 {
            true => activity.run(sim.account(), args.changes_per_second).await,
            false => std::future::pending().await,
        }
    };
    tokio::select! {
        () = changes => {}
        stopped = tokio::signal::ctrl_c() => stopped.context("cannot wait for Ctrl-C")?,
    }
    let counts = sim.deliveries();
    eprintln!(
        "answered {} requests, delivered {} webhooks, {} were refused",
        sim.requests(),
        counts.accepted,
        counts.refused
    );
    Ok(())
}

/// Whether the prefix of the key selects live mode.
fn is_live_mode(key: Option<&str>) -> Result<bool> {
    let Some(key) = key else { return Ok(false) };
    if ["sk_test_", "rk_test_"].iter().any(|prefix| key.starts_with(prefix)) {
        return Ok(false);
    }
    if ["sk_live_", "rk_live_"].iter().any(|prefix| key.starts_with(prefix)) {
        return Ok(true);
    }
    bail!("--key must start with sk_test_, sk_live_, rk_test_ or rk_live_")
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
