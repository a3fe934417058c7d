//! Tests the fence of a page commit: a position is applied once, and only by the slice's owner.

use super::{PositionCommit, SliceProgress, Statements, WriteOutcome, WriteRequest};
use crate::postgres::{ClaimedSlice, Database, DatabaseOptions, Names, NewRun, PlannedStream};

async fn commit(
    database: &Database,
    statements: &Statements,
    slice: &ClaimedSlice,
    seq: i64,
) -> bool {
    let position = PositionCommit {
        slice,
        seq,
        first_created: None,
        pages: 1,
        requests: 1,
        parts: 1,
        tables: Vec::new(),
        note: None,
        progress: &|_| SliceProgress { trail: Vec::new(), rows: 0, ends_slice: false },
    };
    let request =
        WriteRequest { account: "acct_1", position: Some(position), ..WriteRequest::default() };
    let outcome = database.write(statements, &request).await.expect("an outcome");
    matches!(outcome, WriteOutcome::Committed(_))
}

#[tokio::test]
async fn a_repeated_position_and_a_former_owner_are_rejected() {
    let server = private_postgres::Server::temporary().await.expect("a server");
    let url = server.connection_url();
    let database =
        Database::connect(&url, DatabaseOptions::impatient(2)).await.expect("a database");
    let names = Names::new("stripe", "").expect("names");
    database.migrate(&names).await.expect("a schema");
    let statements = Statements::new(names.clone());
    let stream = PlannedStream { table: "customers".into(), unfiltered: false, daily: false };
    let new = NewRun {
        account: "acct_1".into(),
        identity: "one".into(),
        objects: "customer".into(),
        range: "all time".into(),
        since: None,
        until: None,
        catalog_version: "test".into(),
        event_cursor: 0,
        streams: vec![stream],
    };
    let run = database.open_run(&names, &new, i64::MIN).await.expect("a run");
    let first = database.claim(&names, run.id, "a").await.expect("an answer").expect("a slice");
    assert!(commit(&database, &statements, &first, 0).await);
    assert!(
        !commit(&database, &statements, &first, 0).await,
        "the position has already been committed"
    );

    database.release_dead(&names, run.id, |_| true).await.expect("released");
    let second = database.claim(&names, run.id, "b").await.expect("an answer").expect("a slice");
    assert_eq!((second.id, second.position.seq), (first.id, 1));
    assert!(!commit(&database, &statements, &first, 1).await, "the slice has another owner");
    assert!(commit(&database, &statements, &second, 1).await);
}
