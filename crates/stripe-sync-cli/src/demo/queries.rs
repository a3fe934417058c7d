//! The two queries with which the guide of the TypeScript engines verifies a backfill, quoted
//! verbatim.

use stripe_sync::StripeSync;

use crate::failure::Failure;
use crate::query_table;
use crate::ui::DIM;

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

/// Runs the queries. Returns each one with its result as text.
pub(super) async fn run(sync: &StripeSync) -> Result<String, Failure> {
    let mut text = String::new();
    for sql in [COUNTS, DATES] {
        let result = sync.query(sql).await?;
        text.push_str(&format!("{DIM}{sql}{DIM:#}\n\n{}\n", query_table::as_text(&result)));
    }
    Ok(text)
}
