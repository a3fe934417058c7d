//! The memory of the program does not grow with the size of an object. It is measured in a separate
//! process. The limits are generous, but would be exceeded if memory grew with the lists.

use std::process::Child;
use std::time::Duration;

use stripe_sim::{Account, Sim, SimOptions};

use crate::support::Cli;

const MIB: u64 = 1 << 20;

/// Waits for the end of the process and returns its peak resident memory in bytes.
pub(crate) async fn peak_memory(child: &mut Child) -> u64 {
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|kib| kib.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0) * 1024);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    peak
}

async fn backfill(account: Account, schema: &str, object: &str) -> (Sim, Cli, u64) {
    let sim = Sim::start(account, SimOptions::default()).await.expect("sim");
    let cli = Cli::with_both(&sim, schema).await;
    let mut child = cli.start(&["backfill", "--object", object, "--max-rps", "none", "-q"]);
    let peak = peak_memory(&mut child).await;
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    println!("{schema}: {} MiB", peak / MIB);
    (sim, cli, peak)
}

fn number(cli: &Cli, sql: &str) -> u64 {
    let output = cli.run(&["query", sql, "--output", "json"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.json()[0]["number"].as_u64().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_for_a_list_of_100_000_items_in_a_table() {
    let account = Account::builder(60)
        .objects("invoice", 3)
        .nested_at("invoice", 1, "lines", 100_000)
        .build()
        .expect("an account");
    let wanted = account.nested_count_total("invoice", "lines");
    let (_sim, cli, peak) = backfill(account, "long_tabled", "invoice").await;
    let sql = "select count(*) as number from long_tabled.invoice_line_items";
    assert_eq!(number(&cli, sql), wanted);
    assert!(peak < 150 * MIB, "{} MiB", peak / MIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_for_a_list_of_100_000_items_in_its_parent() {
    let account = Account::builder(61)
        .objects("radar.value_list", 3)
        .nested_at("radar.value_list", 1, "list_items", 100_000)
        .build()
        .expect("an account");
    let (_sim, cli, peak) = backfill(account, "long_inlined", "radar.value_list").await;
    let sql = "select max(jsonb_array_length(list_items -> 'data')) as number
               from long_inlined.radar_value_lists where list_items ->> 'has_more' = 'false'";
    assert_eq!(number(&cli, sql), 100_000);
    assert!(peak < 350 * MIB, "{} MiB", peak / MIB);
}

/// If all lists were in memory completely, this page would need more than twice the limit.
#[tokio::test(flavor = "multi_thread")]
async fn memory_is_bounded_for_a_page_of_long_lists() {
    let mut account = Account::builder(62).objects("charge", 40).objects("radar.value_list", 40);
    for position in 0..40 {
        account = account.nested_at("radar.value_list", position, "list_items", 10_000);
    }
    let account = account.build().expect("an account");
    let (_sim, cli, peak) = backfill(account, "long_page", "radar.value_list").await;
    let sql = "select count(*) as number from long_page.radar_value_lists
               where jsonb_array_length(list_items -> 'data') = 10000";
    assert_eq!(number(&cli, sql), 40);
    assert!(peak < 250 * MIB, "{} MiB", peak / MIB);
}
