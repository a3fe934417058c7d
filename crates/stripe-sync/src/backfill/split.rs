//! Splits the slice with the most requests left, for a worker without one.

use std::collections::HashMap;

use super::context::{RunContext, retry_transient};
use super::slice_part::SlicePart;
use crate::error::Error;
use crate::postgres::OpenSlice;
use crate::slice::{Bounds, ReadRange, cut};

/// Slices that are read concurrently: more than the limiter lets through at usual latencies.
pub(super) const WORKERS: usize = 32;

/// Splits one slice. False if no split is worthwhile.
pub(super) async fn split_one(run: &RunContext, run_id: i64) -> Result<bool, Error> {
    // Several workers that split at the same time would all choose the same slice.
    let _turn = run.splitting.lock().await;
    let (database, names) = (&run.account.database, run.account.statements.names());
    let mut open = retry_transient!(run, database.open_slices(names, run_id))?;
    for slice in &mut open {
        if let Some(held) = run.held_slices.get(slice.id) {
            held.update(slice);
        }
    }
    let parts = parts(run, &open);
    let idle = WORKERS.saturating_sub(run.held_slices.count()).max(1);
    let largest = open
        .iter()
        .filter(|slice| is_splittable(run, slice))
        .filter_map(|slice| {
            let part = &parts[&key(slice)];
            let (mid, requests) = cut(&slice.split, part.read, idle.min(part.splits_left))?;
            Some((slice, mid, requests))
        })
        .max_by(|a, b| a.2.total_cmp(&b.2));
    let Some((slice, mid, requests)) = largest else { return Ok(false) };
    let is_split = retry_transient!(run, database.split(names, slice, mid))?;
    if is_split {
        let known_pages = parts[&key(slice)].known_pages;
        run.held_slices.part_split(&slice.stream, slice.part, known_pages);
        if let Some(held) = run.held_slices.get(slice.id) {
            held.narrow(Bounds { from: Some(mid), ..slice.split.bounds });
        }
    }
    tracing::debug!(stream = slice.stream, slice = slice.id, mid, requests, is_split, "split");
    Ok(is_split)
}

/// More slices help only if the requests of the stream are not already waiting for a rate limit.
fn is_splittable(run: &RunContext, slice: &OpenSlice) -> bool {
    SlicePart::of(&slice.stream, slice.part).is_some_and(|part| {
        part.list.can_be_split() && !run.account.client.is_queueing(&part.list.path)
    })
}

fn key(slice: &OpenSlice) -> (&str, i32) {
    (&slice.stream, slice.part)
}

/// What is known about a part, from this process and from the ledger.
struct Part {
    read: ReadRange,
    /// Pages that were read by this process, and those that slices are known to have left.
    known_pages: f64,
    splits_left: usize,
}

fn parts<'s>(run: &RunContext, open: &'s [OpenSlice]) -> HashMap<(&'s str, i32), Part> {
    let mut parts: HashMap<(&str, i32), Part> = HashMap::new();
    for slice in open {
        let (newest, oldest) = (slice.split.first_created, slice.split.cursor_created);
        let read = ReadRange { newest, oldest };
        let part = parts.entry(key(slice)).or_insert_with(|| {
            let in_process = run.held_slices.read_of(&slice.stream, slice.part);
            let read = in_process.range.unwrap_or(read);
            Part { read, known_pages: in_process.pages as f64, splits_left: 0 }
        });
        part.read = part.read.and(read);
    }
    for slice in open {
        if let Some(part) = parts.get_mut(&key(slice)) {
            part.known_pages += slice.split.known_pages_left(part.read);
        }
    }
    for ((stream, number), part) in &mut parts {
        let in_process = run.held_slices.read_of(stream, *number);
        part.splits_left = in_process.splits_left(part.known_pages);
    }
    parts
}
