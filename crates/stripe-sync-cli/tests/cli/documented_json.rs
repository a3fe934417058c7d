//! The JSON output has exactly the keys that `docs/cli.md` describes.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Cli, small_sim};

const PAGE: &str = include_str!("../../../../docs/cli.md");

/// The keys in a table between `heading` and the next heading. `number` selects one of the tables
/// whose first column is `Key`.
fn documented(heading: &str, number: usize) -> BTreeSet<String> {
    let (_, section) = PAGE.split_once(&format!("{heading}\n")).expect("a heading of the page");
    let section = section.split("\n## ").next().unwrap_or_default();
    let table = section.split("| Key |").nth(number + 1).expect("a table of keys");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

fn section(command: &str) -> String {
    format!("## `stripe-sync {command}`")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_lists_exactly_the_keys_that_are_printed() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "documented").await;
    let run = |args: &[&str]| cli.run(&[args, &["--output", "json"]].concat()).json();

    assert_eq!(keys(&run(&["check"])), documented(&section("check"), 0));
    assert_eq!(keys(&run(&["migrate"])), documented(&section("migrate"), 0));

    let backfill = run(&["backfill", "--object", "customer", "--max-rps", "none"]);
    assert_eq!(keys(&backfill), documented(&section("backfill"), 0));
    let stream = documented("## JSON output", 0);
    let printed = keys(&backfill["streams"]["customers"]);
    assert!(printed.is_subset(&stream), "{printed:?}");

    let refresh = run(&["refresh", "cus_missing"]);
    let printed = keys(&refresh["objects"][0]);
    let mut described = documented(&section("refresh"), 0);
    assert!(described.remove("error"), "the key of a failed object");
    assert_eq!(printed, described);

    let followed = run(&["follow", "--once"]);
    assert_eq!(keys(&followed), documented(&section("follow"), 0));

    let url = "https://example.com/webhooks";
    let created = run(&["webhook", "create", "--url", url]);
    assert_eq!(keys(&created), documented(&section("webhook create"), 0));
    let id = created["id"].as_str().expect("an id");
    let deleted = run(&["webhook", "delete", id]);
    assert_eq!(keys(&deleted), documented(&section("webhook delete"), 0));

    let status = run(&["status"]);
    assert_eq!(keys(&status), documented(&section("status"), 0));
    assert_eq!(keys(&status["runs"][0]), documented(&section("status"), 1));
    let of_status = ["open_slices", "is_held"].map(str::to_owned);
    let described: BTreeSet<String> = stream.into_iter().chain(of_status).collect();
    let printed = keys(&status["runs"][0]["streams"]["customers"]);
    assert!(printed.is_subset(&described), "{printed:?}");

    let demo = Cli::new().run(&["demo", "--output", "json"]).json();
    assert_eq!(keys(&demo), documented(&section("demo"), 0));
}
