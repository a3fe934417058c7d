//! Reads the lists of the objects of a page at the same time, under one bound for the whole run, and
//! returns the results in the order of the page.
//!
//! A long list delays no other: each object waits only for one of the run's permits. The permits are
//! taken in the order of the page. So the first unfinished object of a page has a permit whenever a
//! later object of that page has one, and a list that waits for the objects before it (see
//! memory.rs) does not wait forever.

use futures_util::stream::{FuturesOrdered, StreamExt as _};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};

/// Objects of a run whose lists are read at the same time. More than the limiter lets through at usual
/// latencies.
const CONCURRENT_OBJECTS: usize = 48;

/// The run's permits to read the lists of an object.
#[derive(Debug)]
pub(super) struct ListPermits(Semaphore);

impl Default for ListPermits {
    fn default() -> ListPermits {
        ListPermits(Semaphore::new(CONCURRENT_OBJECTS))
    }
}

impl ListPermits {
    /// Runs the reads, each with a permit, and sends their results in the given order.
    pub(super) async fn read_in_order<R: Future>(
        &self,
        readings: Vec<R>,
        results: mpsc::UnboundedSender<R::Output>,
    ) {
        let mut waiting = readings.into_iter();
        let mut running = FuturesOrdered::new();
        let mut permit = std::pin::pin!(self.next_permit());
        loop {
            tokio::select! {
                permit_of_next = &mut permit, if waiting.len() > 0 => {
                    let reading = waiting.next().expect("a reading waits for this permit");
                    running.push_back(with_permit(permit_of_next, reading));
                    permit.set(self.next_permit());
                }
                Some(result) = running.next() => {
                    if results.send(result).is_err() {
                        return;
                    }
                }
                else => return,
            }
        }
    }

    async fn next_permit(&self) -> SemaphorePermit<'_> {
        self.0.acquire().await.expect("the semaphore is never closed")
    }
}

async fn with_permit<R: Future>(permit: SemaphorePermit<'_>, reading: R) -> R::Output {
    let result = reading.await;
    drop(permit);
    result
}

/// Runs the reads while their results are consumed, until the consumer ends. A read that is not
/// polled while the consumer waits for the writing half could keep other requests from their turn
/// at the rate limits.
pub(super) async fn while_reading<T>(
    readings: impl Future<Output = ()>,
    consumer: impl Future<Output = T>,
) -> T {
    let mut consumer = std::pin::pin!(consumer);
    tokio::select! {
        biased;
        ended = &mut consumer => return ended,
        () = readings => {}
    }
    consumer.await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_long_list_delays_no_other_and_results_arrive_in_order() {
        let permits = ListPermits::default();
        let began = tokio::time::Instant::now();
        let pages = (0..4).map(|_| async {
            // One list in ten is long.
            let readings = (0..100u64).map(|n| async move {
                sleep(Duration::from_secs(if n % 10 == 0 { 10 } else { 1 })).await;
                n
            });
            let (sender, mut results) = mpsc::unbounded_channel();
            let consumer = async {
                for expected in 0..100 {
                    assert_eq!(results.recv().await, Some(expected));
                }
            };
            while_reading(permits.read_in_order(readings.collect(), sender), consumer).await;
        });
        futures_util::future::join_all(pages).await;
        // 760 seconds of work for 48 permits take 16 seconds.
        let elapsed = began.elapsed().as_secs();
        assert!((16..=26).contains(&elapsed), "{elapsed}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_objects_than_permits_are_read_at_once() {
        let permits = ListPermits::default();
        let (running, most) = (Cell::new(0), Cell::new(0));
        let readings = (0..200).map(|_| async {
            running.set(running.get() + 1);
            most.set(most.get().max(running.get()));
            sleep(Duration::from_secs(1)).await;
            running.set(running.get() - 1);
        });
        let (sender, mut results) = mpsc::unbounded_channel();
        permits.read_in_order(readings.collect(), sender).await;
        assert!(results.recv().await.is_some());
        assert_eq!(most.get(), CONCURRENT_OBJECTS);
    }

    #[tokio::test(start_paused = true)]
    async fn readings_proceed_while_the_consumer_waits() {
        let permits = ListPermits::default();
        let finished = Cell::new(0);
        let finished = &finished;
        let readings = (0..3u64).map(|n| async move {
            sleep(Duration::from_secs(n)).await;
            finished.set(finished.get() + 1);
        });
        let (sender, mut results) = mpsc::unbounded_channel();
        let consumer = async {
            results.recv().await.expect("the first result");
            sleep(Duration::from_secs(60)).await;
            finished.get()
        };
        let readings = permits.read_in_order(readings.collect(), sender);
        assert_eq!(while_reading(readings, consumer).await, 3);
        assert_eq!(permits.0.available_permits(), CONCURRENT_OBJECTS);
    }
}
