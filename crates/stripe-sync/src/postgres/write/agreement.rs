//! Tests that the statements agree with the rule that they implement,
//! [`crate::order::compare_observations`].

use std::time::{Duration, SystemTime};

use super::{Statements, StoredState};
use crate::catalog::{Catalog, Exclusions};
use crate::order::{FUTURE_LIMIT, Stamp, UNCERTAINTY_WINDOW, Verdict, compare_observations};
use crate::postgres::{Database, DatabaseOptions, Names};
use crate::row::Observation;

const STORED: &str = r#"{"id":"usd","object":"exchange_rate","rates":{"eur":0.9}}"#;
const OTHER: &str = r#"{"id":"usd","object":"exchange_rate","rates":{"eur":0.8}}"#;

fn seen(json: &str, stamp: Stamp) -> Observation<'_> {
    Observation { id: "usd".into(), object: json.into(), stamp, parent: None, request_id: None }
}

#[tokio::test]
async fn the_statements_agree_with_the_rule() {
    let server = private_postgres::Server::temporary().await.expect("a server");
    let database = Database::connect(&server.connection_url(), DatabaseOptions::impatient(2))
        .await
        .expect("a database");
    let names = Names::new("stripe", "").expect("names");
    database.migrate(&names).await.expect("a schema");
    let statements = Statements::new(names);
    let table = Catalog::get().table("exchange_rates").expect("a table");
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).expect("seconds");
    let close = micros(UNCERTAINTY_WINDOW);
    let now = Stamp::from_system(SystemTime::now());
    let in_future = Stamp::from_micros(now.micros() + 10 * micros(FUTURE_LIMIT));
    let distances =
        [-3 * close, -close, 1 - close, -1_000_000, 0, 1_000_000, close - 1, close, 3 * close];
    let stamps = [Stamp::from_micros(1_700_000_000_000_000), in_future];
    let cases = stamps.iter().flat_map(|s| distances.iter().map(move |d| (*s, *d)));
    let cases = cases.flat_map(|(s, d)| [(s, d, STORED), (s, d, OTHER)]);
    for (stored, distance, json) in cases {
        let mut client = database.get().await.expect("a connection");
        let transaction = client.transaction().await.expect("a transaction");
        let at = Stamp::from_micros(stored.micros() + distance);
        let write = async |row: Observation<'_>| {
            let all = Exclusions::default();
            let written = statements.upsert(&transaction, table, "acct_1", &[row], &all).await;
            written.expect("written")
        };
        write(seen(STORED, stored)).await;
        // As if an earlier transaction had written it.
        let earlier = "update stripe.exchange_rates set updated_at = now() - interval '1 hour'";
        transaction.batch_execute(earlier).await.expect("aged");
        let outcome = write(seen(json, at)).await;
        let row = transaction
            .query_typed_one(
                "select rates ->> 'eur', last_synced_at from stripe.exchange_rates",
                &[],
            )
            .await
            .expect("one row");
        let (eur, stamp): (&str, _) = (row.get(0), Stamp::from_system(row.get(1)));
        let verdict = compare_observations(stored, at, json == STORED, now);
        let what = format!("{distance} us, {}", if json == STORED { "same" } else { "other" });
        let expected = match verdict {
            Verdict::Newer => (if json == STORED { "0.9" } else { "0.8" }, at),
            Verdict::Older | Verdict::Uncertain => ("0.9", stored),
        };
        assert_eq!((eur, stamp), expected, "{what}");
        let uncertain = outcome.uncertain.iter().map(|(id, stamp)| (id.as_str(), *stamp));
        let expected: Vec<_> = (verdict == Verdict::Uncertain)
            .then_some(("usd", StoredState::Row(stored)))
            .into_iter()
            .collect();
        assert_eq!(uncertain.collect::<Vec<_>>(), expected, "{what}");
    }
}
