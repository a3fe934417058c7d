//! The two queries with which the guide of the TypeScript engines verifies a backfill, as they
//! stand there.

use stripe_sync::StripeSync;

use crate::command::as_text;
use crate::failure::Failure;
use crate::talk::DIM;

const COUNTS: &str = "\
-- Count synced objects
SELECT
  'customers' as type, COUNT(*) as count FROM stripe.customers
UNION ALL
SELECT 'products', COUNT(*) FROM stripe.products
UNION ALL
SELECT 'subscriptions', COUNT(*) FROM stripe.subscriptions
UNION ALL
SELECT 'invoices', COUNT(*) FROM stripe.invoices;";

const DATES: &str = "\
-- Check date range of synced data
SELECT
  MIN(to_timestamp(created)) as earliest,
  MAX(to_timestamp(created)) as latest
FROM stripe.customers;";

/// Each query and its answer.
pub(super) async fn ask(sync: &StripeSync) -> Result<String, Failure> {
    let mut text = String::new();
    for sql in [COUNTS, DATES] {
        let answer = sync.query(sql).await?;
        text.push_str(&format!("{DIM}{sql}{DIM:#}\n\n{}\n", as_text(&answer)));
    }
    Ok(text)
}
