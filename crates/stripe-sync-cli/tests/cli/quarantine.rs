//! A row that the database refuses, from the exit code of the run to its way out.

use stripe_sim::Account;

use crate::support::{Cli, small_sim};

fn put(account: &Account, id: &str, metadata: &str) {
    let json = format!(
        r#"{{"id":"{id}","object":"customer","created":1700000000,"metadata":{metadata}}}"#
    );
    account.insert_raw("customer", id, account.now() - 1_000, json).expect("inserted");
}

fn fits(account: &Account, id: &str) {
    account.delete("customer", id).expect("deleted");
    put(account, id, r#"{"n":"1"}"#);
}

/// The ids of the quarantine, each with a reason and a request.
fn set_aside(cli: &Cli) -> Vec<String> {
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
async fn a_refused_row_is_named_until_it_fits_or_is_gone() {
    let sim = small_sim().await;
    let account = sim.account();
    for id in ["cus_bad1", "cus_bad2", "cus_bad3"] {
        put(account, id, r#"{"n":1e400000}"#);
    }
    let cli = Cli::with_both(&sim, "set_aside").await;
    let backfill = ["backfill", "--object", "customer", "--max-rps", "none", "--output", "json"];
    let ran = cli.run(&backfill);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let report = ran.json();
    assert_eq!((&report["status"], &report["quarantined"]), (&"incomplete".into(), &3.into()));
    assert_eq!(set_aside(&cli), ["cus_bad1", "cus_bad2", "cus_bad3"]);
    let shown = cli.run(&["status"]).stdout;
    assert!(shown.contains("cus_bad2") && shown.contains("req_"), "{shown}");

    let again = cli.run(&["refresh", "cus_bad1", "--output", "json"]);
    assert_eq!(
        (again.code, &again.json()["objects"][0]["outcome"]),
        (Some(3), &"quarantined".into())
    );
    fits(account, "cus_bad1");
    assert_eq!(cli.run(&["refresh", "cus_bad1"]).code, Some(0));
    assert_eq!(set_aside(&cli), ["cus_bad2", "cus_bad3"]);

    fits(account, "cus_bad2");
    // Beyond the resolution of the clock that the stamps of two processes are taken from.
    account.advance_clock(3);
    assert_eq!(cli.run(&backfill).code, Some(3));
    assert_eq!(set_aside(&cli), ["cus_bad3"]);

    account.delete("customer", "cus_bad3").expect("deleted");
    assert_eq!(cli.run(&["refresh", "cus_bad3"]).code, Some(0));
    let ran = cli.run(&backfill);
    assert_eq!((ran.code, &ran.json()["quarantined"]), (Some(0), &0.into()), "{}", ran.stderr);
    let ids = cli.ids("set_aside", "customers");
    assert!(ids.contains("cus_bad1") && ids.contains("cus_bad2"));
}
