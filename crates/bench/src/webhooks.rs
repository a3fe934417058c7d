//! The cost of webhooks and the lag of the event feed.
//!
//! Deliveries are compared with the least that any receiver has to do: one upsert of the payload as
//! jsonb, committed before the response, by the same number of concurrent callers in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use private_postgres::{Options, Server};
use serde_json::json;
use stripe_sim::{Account, Activity, Sim, SimOptions, webhook_signature};
use stripe_sync::{ApiBase, ApiKey, Config, Names, RateOptions, Stop, StripeSync, WebhookSecret};
use tokio_postgres::NoTls;

const SECRET: &str = "whsec_bench";
/// Concurrent deliveries, as a busy account has them.
const CONCURRENT: usize = 32;
/// How long the feed is followed, and how many changes are made in the meantime.
const FOLLOWED: Duration = Duration::from_secs(20);
const CHANGES_PER_SECOND: f64 = 50.0;

/// Runs all measurements and prints them.
pub(crate) async fn measure(deliveries: u64) -> Result<()> {
    let directory = std::env::temp_dir().join(format!("stripe-sync-bench-{}", std::process::id()));
    // Durable, as in production.
    let server = Server::start(Options::new(&directory)).await?;
    let result = measure_with(&server, deliveries).await;
    server.stop().await?;
    std::fs::remove_dir_all(&directory).context("cannot remove the data directory")?;
    result
}

async fn measure_with(server: &Server, deliveries: u64) -> Result<()> {
    let objects = ["customer", "product", "price", "payment_intent"];
    let builder = objects.iter().fold(Account::builder(1), |b, object| b.objects(object, 50));
    let sim = Sim::start(builder.objects("event", 0).build()?, SimOptions::default()).await?;
    let mut config = Config::new(server.connection_url(), Names::new("stripe", "")?);
    config.key = Some(ApiKey::parse(sim.key())?);
    config.api_base = ApiBase::parse(&sim.base_url())?;
    config.rate = Some(RateOptions::Unlimited);
    config.webhook_secrets = vec![WebhookSecret::parse(SECRET)?];
    let engine = StripeSync::connect(config).await?;
    engine.prepare().await?;
    let baseline = Arc::new(Baseline::new(&server.connection_url()).await?);

    println!("{deliveries} deliveries; baseline: one committed upsert of the payload each\n");
    println!(
        "{:<14}  {:>12}  {:>8}  {:>8}  {:>16}",
        "", "deliveries/s", "p50 ms", "p99 ms", "requests/event"
    );
    for (label, callers) in [("single", 1), ("32 concurrent", CONCURRENT)] {
        let events = Arc::from(new_events(sim.account(), deliveries));
        let before = sim.requests();
        let ours = timed(callers, &events, {
            let engine = engine.clone();
            move |event| {
                let engine = engine.clone();
                async move {
                    let second = i64::try_from(now().as_secs())?;
                    let header = webhook_signature(SECRET, second, &event);
                    engine.process_webhook(event.as_bytes(), Some(&header)).await?;
                    Ok(())
                }
            }
        })
        .await?;
        let requests = (sim.requests() - before) as f64 / deliveries as f64;
        let reference = timed(callers, &events, {
            let baseline = Arc::clone(&baseline);
            move |event| {
                let baseline = Arc::clone(&baseline);
                async move { baseline.upsert(&event).await }
            }
        })
        .await?;
        print_line(label, &ours, &format!("{requests:.2}"));
        print_line("  baseline", &reference, "-");
        println!("  {:<12}  {:>12.2}", "ratio", ours.rate() / reference.rate());
    }
    follow(&sim, &engine, &server.connection_url()).await
}

/// Creates customers. Each one is a new row, so that all of the work is done.
fn new_events(account: &Account, count: u64) -> Vec<String> {
    let event = |_| {
        let id = account.insert("customer", json!({})).ok()?;
        let event = account.ids("event").next()?;
        debug_assert!(!id.is_empty());
        account.object_json("event", &event)
    };
    (0..count).filter_map(event).collect()
}

/// The durations of the deliveries of one measurement.
struct Timing {
    elapsed: Duration,
    each: Vec<Duration>,
}

impl Timing {
    fn rate(&self) -> f64 {
        self.each.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.each, percent)
    }
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or_default()
}

/// Delivers each event once, with `callers` deliveries at a time.
async fn timed<F, D>(callers: usize, events: &Arc<[String]>, deliver: D) -> Result<Timing>
where
    F: Future<Output = Result<()>> + Send + 'static,
    D: Fn(String) -> F + Clone + Send + Sync + 'static,
{
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let caller = || {
        let (next, events, deliver) = (Arc::clone(&next), Arc::clone(events), deliver.clone());
        tokio::spawn(async move {
            let mut each = Vec::new();
            while let Some(event) = events.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                deliver(event.clone()).await?;
                each.push(began.elapsed());
            }
            anyhow::Ok(each)
        })
    };
    let callers: Vec<_> = (0..callers).map(|_| caller()).collect();
    let mut each = Vec::new();
    for caller in callers {
        each.extend(caller.await??);
    }
    each.sort();
    Ok(Timing { elapsed: began.elapsed(), each })
}

/// The least that a receiver does with an event.
struct Baseline {
    clients: Vec<(tokio_postgres::Client, tokio_postgres::Statement)>,
    next: AtomicUsize,
}

impl Baseline {
    /// As many connections as the engine has by default.
    async fn new(url: &str) -> Result<Baseline> {
        let mut clients = Vec::new();
        for number in 0..5 {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            if number == 0 {
                client
                    .batch_execute("create table baseline (id text primary key, data jsonb)")
                    .await?;
            }
            let statement = client
                .prepare(
                    "insert into baseline select $1::text::jsonb ->> 'id', $1::text::jsonb
                     on conflict (id) do update set data = excluded.data",
                )
                .await?;
            clients.push((client, statement));
        }
        Ok(Baseline { clients, next: AtomicUsize::new(0) })
    }

    async fn upsert(&self, event: &str) -> Result<()> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len();
        let (client, statement) = &self.clients[at];
        let rows = client.execute(statement, &[&event]).await?;
        ensure!(rows == 1, "{rows} rows");
        Ok(())
    }
}

/// Changes objects, and measures how old the newest visible change of one of them is.
async fn follow(sim: &Sim, engine: &StripeSync, url: &str) -> Result<()> {
    let account = sim.account();
    let probe = account.insert("customer", json!({}))?;
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    let stop = Stop::new();
    let following = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.follow(&stop, |_| {}).await }
    });
    let requests = sim.requests();
    let changing = Activity::new(account, 1).run(account, CHANGES_PER_SECOND);
    let measuring = async {
        let sql = "select metadata ->> 'at' from stripe.customers where id = $1";
        let (mut lags, began, mut seen) = (Vec::new(), Instant::now(), String::new());
        while began.elapsed() < FOLLOWED {
            let at = now().as_micros().to_string();
            account.update("customer", &probe, json!({"metadata": {"at": at}}))?;
            tokio::time::sleep(Duration::from_millis(100)).await;
            let rows = client.query(sql, &[&probe]).await?;
            let stored: Option<String> = rows.first().and_then(|row| row.get(0));
            if let Some(stored) = stored.filter(|stored| *stored != seen) {
                let at = Duration::from_micros(stored.parse()?);
                lags.push(now().saturating_sub(at));
                seen = stored;
            }
        }
        anyhow::Ok(lags)
    };
    let mut lags = tokio::select! {
        () = changing => Vec::new(),
        lags = measuring => lags?,
    };
    stop.request();
    following.await??;
    lags.sort();
    ensure!(!lags.is_empty(), "no change appeared in the copy");
    let seconds = |percent| percentile(&lags, percent).as_secs_f64();
    println!(
        "\nfollow at {CHANGES_PER_SECOND} changes/s: a visible change is {:.1} s old (median), {:.1} s (p99); \
         {:.1} requests/s",
        seconds(50),
        seconds(99),
        (sim.requests() - requests) as f64 / FOLLOWED.as_secs_f64()
    );
    Ok(())
}

fn print_line(label: &str, timing: &Timing, requests: &str) {
    let ms = |percent| timing.percentile(percent).as_secs_f64() * 1e3;
    println!(
        "{label:<14}  {:>12.0}  {:>8.2}  {:>8.2}  {requests:>16}",
        timing.rate(),
        ms(50),
        ms(99)
    );
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
