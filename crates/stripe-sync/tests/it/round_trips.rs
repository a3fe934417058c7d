//! The number of round trips of a transaction.

use stripe_sim::Account;
use stripe_sync::{Config, Names, RunStatus};

use crate::proxy::{self, CommitLoss, RoundTrips};
use crate::world::{World, server};

/// Over a network, each round trip of a commit costs as much as writing hundreds of rows.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_invoices_with_complete_lists_takes_at_most_ten_round_trips() {
    let account = Account::builder(31).objects("invoice", 100).build().expect("an account");
    let mut world = World::new(account).await;
    let trips = RoundTrips::of("\"invoices\" as t (");
    let directory = server().await.socket_dir().to_owned();
    let port = proxy::start(directory, CommitLoss::default(), trips.clone()).await;
    let database = world.text("select current_database()::text").await;
    let user = server().await.user();
    let url = format!("postgres://{user}@127.0.0.1:{port}/{database}?sslmode=disable");
    let mut config = Config::new(url, Names::new("stripe", "").expect("names"));
    config.key = world.config.key.clone();
    config.api_base = world.config.api_base.clone();
    config.rate = world.config.rate;
    world.config = config;
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let counts = trips.counts.lock().expect("counts").clone();
    assert_eq!(counts.len(), 1, "one commit for one page");
    assert!(counts[0] <= 10, "{counts:?} round trips");
    let lines = world.text("select (count(*) > 100)::text from stripe.invoice_line_items").await;
    assert_eq!(lines, "true");
}
