//! `--exclude-column` and `--include-column`.

use crate::invalid_input::transcript;
use crate::support::{Cli, small_sim, stable_snapshots};

#[tokio::test(flavor = "multi_thread")]
async fn invalid_columns_are_rejected() {
    let key = "STRIPE_SECRET_KEY=sk_test_<secret>";
    let lines = [
        format!("{key} backfill --exclude-column email"),
        format!("{key} backfill --exclude-column custmers.email"),
        format!("{key} backfill --exclude-column customers.emial"),
        format!("{key} backfill --exclude-column customers.email,customers.id"),
        format!("{key} refresh cus_1 --exclude-column charges.created"),
        format!("{key} backfill --exclude-column coupons._extra"),
        "migrate --exclude-column invoice_line_items.invoice".to_owned(),
        "migrate --include-column customers.emial".to_owned(),
        "migrate --exclude-column customer.email --include-column customers.email".to_owned(),
        "STRIPE_SYNC_EXCLUDE_COLUMNS=customers.email, migrate".to_owned(),
        "STRIPE_SYNC_EXCLUDE_COLUMNS=customers.email migrate --include-column customers.email"
            .to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    insta::assert_snapshot!(transcript(&lines).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_column_stays_excluded_until_it_is_included() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "columns").await;
    let count = || {
        let sql = "select count(email) as n from columns.customers";
        cli.run(&["query", sql, "--output", "json"]).json()[0]["n"].as_i64().expect("a number")
    };
    let all = ["backfill", "--object", "customer", "--max-rps", "none"];
    let backfill = |more: &[&str]| cli.run(&[all.as_slice(), more].concat());
    assert_eq!(backfill(&[]).code, Some(0));
    let before = count();
    assert!(before > 0);

    let excluded = backfill(&["--exclude-column", "customer.email,payouts.statement_descriptor"]);
    assert_eq!((excluded.code, count()), (Some(0), 0));
    let cleared = format!("cleared in {before} stored rows");
    assert!(excluded.stderr.contains(&cleared), "{}", excluded.stderr);
    insta::assert_snapshot!(
        "excluded",
        excluded.messages().replace(&cleared, "cleared in [n] rows")
    );
    // The column stays excluded without the option, with it again, and with another command.
    assert_eq!((backfill(&[]).messages(), count()), ("", 0));
    let again = cli.run(&["migrate", "--exclude-column", "customers.email"]);
    assert_eq!((again.code, again.stderr.as_str()), (Some(0), ""));
    insta::assert_snapshot!("migrate_with_columns", again.stdout);
    insta::assert_snapshot!("status_with_columns", cli.run(&["status", "--runs", "1"]).stdout);
    let status = cli.run(&["status", "--output", "json"]).json();
    let names = serde_json::json!(["customers.email", "payouts.statement_descriptor"]);
    assert_eq!(status["excluded_columns"], names);

    let included = backfill(&["--include-column", "customers.email"]);
    assert_eq!((included.code, count()), (Some(0), before));
    insta::assert_snapshot!("included", included.messages());
    let status = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(status["excluded_columns"], serde_json::json!(["payouts.statement_descriptor"]));
}
