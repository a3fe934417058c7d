//! A row that the database rejects: the exit code of the run, the entry in the quarantine, and its
//! removal.

use stripe_sim::Account;

use crate::support::{Cli, small_sim};

fn put(account: &Account, id: &str, metadata: &str) {
    let json = format!(
        r#"{{"id":"{id}","object":"customer","created":1700000000,"metadata":{metadata}}}"#
    );
    account.insert_raw("customer", id, account.now() - 1_000, json).expect("inserted");
}

fn fix(account: &Account, id: &str) {
    account.delete("customer", id).expect("deleted");
    put(account, id, r#"{"n":"1"}"#);
}

/// The quarantined IDs; each must have a reason and a request ID.
fn quarantined(cli: &Cli) -> Vec<String> {
    let status = cli.run(&["status", "--output", "json"]).json();
    let rows = status["quarantined"]["rows"].as_array().expect("rows").clone();
    assert_eq!(status["quarantined"]["count"], rows.len());
    for row in &rows {
        assert_eq!(row["table"], "customers");
        assert!(row["reason"].as_str().is_some_and(|r| r.contains("customers")), "{row}");
        assert!(row["request_id"].as_str().is_some_and(|r| r.starts_with("req_")), "{row}");
    }
    rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_row_is_listed_until_it_is_stored_or_deleted() {
    let sim = small_sim().await;
    let account = sim.account();
    for id in ["cus_bad1", "cus_bad2", "cus_bad3"] {
        put(account, id, r#"{"n":1e400000}"#);
    }
    let cli = Cli::with_both(&sim, "quarantine").await;
    let backfill = ["backfill", "--object", "customer", "--max-rps", "none", "--output", "json"];
    let output = cli.run(&backfill);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    let report = output.json();
    assert_eq!((&report["status"], &report["quarantined"]), (&"incomplete".into(), &3.into()));
    assert_eq!(quarantined(&cli), ["cus_bad1", "cus_bad2", "cus_bad3"]);
    let shown = cli.run(&["status"]).stdout;
    assert!(shown.contains("cus_bad2") && shown.contains("req_"), "{shown}");

    let again = cli.run(&["refresh", "cus_bad1", "--output", "json"]);
    assert_eq!(
        (again.code, &again.json()["objects"][0]["outcome"]),
        (Some(3), &"quarantined".into())
    );
    fix(account, "cus_bad1");
    assert_eq!(cli.run(&["refresh", "cus_bad1"]).code, Some(0));
    assert_eq!(quarantined(&cli), ["cus_bad2", "cus_bad3"]);

    fix(account, "cus_bad2");
    // Stamps are taken from a clock with a resolution of one second, so the next one must be
    // clearly later.
    account.advance_clock(3);
    assert_eq!(cli.run(&backfill).code, Some(3));
    assert_eq!(quarantined(&cli), ["cus_bad3"]);

    account.delete("customer", "cus_bad3").expect("deleted");
    assert_eq!(cli.run(&["refresh", "cus_bad3"]).code, Some(0));
    let output = cli.run(&backfill);
    assert_eq!(
        (output.code, &output.json()["quarantined"]),
        (Some(0), &0.into()),
        "{}",
        output.stderr
    );
    let ids = cli.ids("quarantine", "customers");
    assert!(ids.contains("cus_bad1") && ids.contains("cus_bad2"));
}
