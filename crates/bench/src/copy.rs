//! The reference: COPY of the same rows into a table with the same columns, keys and settings.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::{SinkExt, StreamExt, TryStreamExt, pin_mut};
use tokio_postgres::NoTls;

use crate::cpu;

/// The cost of COPY.
pub(crate) struct CopyCost {
    pub(crate) rows: u64,
    pub(crate) elapsed: Duration,
    pub(crate) postgres: Duration,
}

/// Reads the table into memory in COPY's text format, then copies it into an empty one.
pub(crate) async fn measure(url: &str, table: &str, server: i32) -> Result<CopyCost> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    client
        .batch_execute(&format!("create table copied (like stripe.{table} including all)"))
        .await?;
    let chunks: Vec<_> =
        client.copy_out(&format!("copy stripe.{table} to stdout")).await?.try_collect().await?;
    client.batch_execute("checkpoint").await?;
    let (before, began) = (cpu::tree(server)?, Instant::now());
    let sink = client.copy_in("copy copied from stdin").await?;
    pin_mut!(sink);
    let mut chunks = futures_util::stream::iter(chunks);
    while let Some(chunk) = chunks.next().await {
        sink.feed(chunk).await?;
    }
    let rows = sink.finish().await?;
    Ok(CopyCost { rows, elapsed: began.elapsed(), postgres: cpu::tree(server)? - before })
}
