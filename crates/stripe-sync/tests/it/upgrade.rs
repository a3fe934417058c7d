//! Upgrading a database of the previous version in place.
//!
//! `upgrade/previous.sql` is a dump of a database that the previous version (commit 3ea0d68) filled
//! from [`account`]: one finished run, and one that was killed while it read coupons. It also
//! contains a quarantined customer, the tombstone of a product, the excluded column
//! `customers.email`, and `coupons.name`, whose clearing was interrupted. A run can only be resumed
//! with its catalog version, so a new catalog needs a new dump.

use std::time::Duration;

use stripe_sim::Account;
use stripe_sync::{BackfillRequest, ColumnName, Range, RunStatus};

use crate::world::{World, ended};

const PREVIOUS: &str = include_str!("upgrade/previous.sql");
const TABLES: [&str; 7] = [
    "coupons",
    "customers",
    "products",
    "invoices",
    "invoice_line_items",
    "subscriptions",
    "subscription_items",
];

fn account() -> Account {
    let account = Account::builder(97)
        .window(1_700_000_000, 1_720_000_000)
        .objects("customer", 8)
        .objects("product", 3)
        .objects("subscription", 3)
        .objects("invoice", 4)
        .objects("coupon", 230)
        .build()
        .expect("an account");
    let created = 1_710_000_000;
    let refused = format!(
        r#"{{"id":"cus_refused","object":"customer","created":{created},"email":"refused@example.com","metadata":{{"n":1e400000}}}}"#
    );
    account.insert_raw("customer", "cus_refused", created, refused).expect("inserted");
    let deleted = account.ids("product").next().expect("a product");
    account.delete("product", &deleted).expect("deleted");
    account
}

/// The request of the run that was killed.
fn request() -> BackfillRequest {
    let objects = ["customer", "product", "subscription", "invoice", "coupon"];
    let range = Range::all().created(None, Some(1_600_000_000), Some(1_730_000_000), None);
    BackfillRequest {
        objects: objects.map(str::to_owned).to_vec(),
        range: range.expect("a range"),
        ..Default::default()
    }
}

/// A world with the dump as its database. All times are moved so that the dump is one hour old.
async fn previous() -> World {
    let world = World::new(account()).await;
    world.sql.batch_execute(PREVIOUS).await.expect("the dump");
    // Only a run with the same catalog resumes.
    let same_catalog = "update stripe._runs set
        identity = regexp_replace(identity, '/1$', '/2'),
        catalog_version = regexp_replace(catalog_version, '/1$', '/2')";
    world.sql.batch_execute(same_catalog).await.expect("the catalog's revision");
    world
        .sql
        .batch_execute(
            "do $$ declare
               age interval := now() - interval '1 hour' - (select max(lease_until) from stripe._slices);
               c record;
             begin
               for c in
                 select a.attrelid::regclass as relation, a.attname from pg_attribute a
                 join pg_class r on r.oid = a.attrelid
                 where r.relnamespace = 'stripe'::regnamespace and r.relkind = 'r'
                   and a.atttypid = 'timestamptz'::regtype and not a.attisdropped
               loop
                 execute format('update %s set %I = %I + $1', c.relation, c.attname, c.attname) using age;
               end loop;
               update stripe._runs set event_cursor = event_cursor + extract(epoch from age);
             end $$",
        )
        .await
        .expect("moved times");
    world
}

/// The rows of a table without the times at which they were written.
async fn rows(world: &World, table: &str) -> Vec<String> {
    let sql = format!(
        "select (to_jsonb(t) - 'last_synced_at' - 'updated_at')::text from stripe.{table} t order by id"
    );
    let rows = world.sql.query(&sql, &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_the_previous_version_resumes() {
    let world = previous().await;
    let started = "select started_at::text from stripe._runs where id = 2";
    let before = world.text(started).await;
    let report = world.run(&request()).await;
    assert_eq!((report.run_id, report.status), (2, RunStatus::Incomplete), "{:?}", report.streams);
    assert_eq!(world.text(started).await, before);
    for stream in ["customers", "products", "subscriptions", "invoices", "coupons"] {
        assert_eq!(ended(&report, stream).0, "complete");
    }
    assert_eq!(ended(&report, "coupons").1, 230);
    assert_eq!(world.sim.requests_to("/v1/customers"), 0, "complete streams are not read again");
    assert_eq!(report.quarantined, 1);
    assert_eq!(world.text("select count(*)::text from stripe._tombstones").await, "1");

    let mut copy = World::new(account()).await;
    let excluded = ["customers.email", "coupons.name"];
    copy.config.exclude_columns =
        excluded.map(|name| ColumnName::parse(name).expect("a column")).to_vec();
    copy.run(&request()).await;
    for table in TABLES {
        let expected = rows(&copy, table).await;
        assert!(!expected.is_empty(), "{table}");
        assert_eq!(rows(&world, table).await, expected, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_of_the_previous_version_are_upgraded() {
    let world = previous().await;
    let email = "select count(email)::text from stripe.customers";
    let names = "select count(name)::text from stripe.coupons";
    assert_ne!(world.text(names).await, "0");
    let engine = world.engine().await;
    let migration = engine.migrate().await.expect("migrated");
    assert!(migration.changed);
    assert_eq!((world.text(email).await, world.text(names).await), ("0".into(), "0".into()));
    assert_ne!(migration.excluded.cleared_rows, 0);
    let excluded = engine.excluded_columns().await.expect("columns");
    let excluded: Vec<String> = excluded.iter().map(ToString::to_string).collect();
    assert_eq!(excluded, ["coupons.name", "customers.email"]);
    let keys = "select string_agg(key || '=' || value, ', ' order by key) from stripe._meta";
    assert_eq!(
        world.text(keys).await,
        "columns_to_clear=, excluded_columns=coupons.name customers.email, mode=test, schema_revision=5"
    );
    let slices = "select string_agg(attname, ' ' order by attname) from pg_attribute
                  where attrelid = 'stripe._slices'::regclass and attname ~ 'created|^(lo|hi|top|bottom)$'";
    assert_eq!(
        world.text(slices).await,
        "created_before created_from cursor_created first_created"
    );

    // An upgraded schema has the comments of a new one.
    let comments = "select string_agg(c.relname || coalesce('.' || a.attname, '') || ': ' || d.description,
                      E'\\n' order by c.relname, d.objsubid)
                    from pg_description d join pg_class c on c.oid = d.objoid
                    left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and a.attnum > 0
                    where d.classoid = 'pg_class'::regclass and c.relnamespace = 'stripe'::regnamespace";
    let new = World::new(account()).await;
    new.engine().await.migrate().await.expect("migrated");
    let upgraded = world.text(comments).await;
    assert_eq!(upgraded, new.text(comments).await);
    assert!(upgraded.contains("customers: Stripe objects of type customer"), "{upgraded}");
    assert!(upgraded.contains("customers._extra: "), "{upgraded}");
    let without_comment = "select string_agg(c.relname || '.' || a.attname, ' ') from pg_class c
                           join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
                           where c.relnamespace = 'stripe'::regnamespace and c.relkind in ('r', 'v')
                             and (c.relname like '\\_%' or c.relkind = 'v')
                             and col_description(c.oid, a.attnum) is null";
    assert_eq!(world.text(without_comment).await, "(null)");
}

/// Texts that earlier versions wrote, including those of a table whose list now lacks other
/// objects.
#[tokio::test(flavor = "multi_thread")]
async fn comments_of_earlier_versions_are_replaced() {
    let world = World::new(account()).await;
    world.engine().await.migrate().await.expect("a schema");
    let all = "select string_agg(c.relname || d.objsubid || ': ' || d.description, E'\\n'
                                 order by c.relname, d.objsubid)
               from pg_description d join pg_class c on c.oid = d.objoid
               where d.classoid = 'pg_class'::regclass
                 and c.relnamespace = 'stripe'::regnamespace and c.relname <> 'products'";
    let current = world.text(all).await;
    let mine = "Stripe objects of type product, from the list /v1/products. Sold by us";
    let earlier = format!(
        "comment on table stripe._runs is
             'Backfill runs; the same command continues an unfinished run';
         comment on column stripe._streams.request_id is
             'Stripe''s id of the request that failed';
         comment on table stripe.customers is
             'Stripe objects of type customer, from the list /v1/customers';
         comment on table stripe.prices is 'Stripe objects of type price, from the list /v1/prices. The list does not contain: inline prices';
         comment on table stripe.invoice_line_items is
             'Items of a list in each invoice: objects of type line_item';
         comment on table stripe.products is '{mine}';
         update stripe._meta set value = '2' where key = 'schema_revision'"
    );
    world.sql.batch_execute(&earlier).await.expect("comments");
    assert!(world.engine().await.migrate().await.expect("migrated").changed);
    assert_eq!(world.text(all).await, current);
    let kept = "select obj_description('stripe.products'::regclass)";
    assert_eq!(world.text(kept).await, mine);
}

#[tokio::test(flavor = "multi_thread")]
async fn comments_of_the_user_are_kept() {
    let world = previous().await;
    let comment = "comment on table stripe.customers is 'mine'";
    world.sql.batch_execute(comment).await.expect("a comment");
    world.engine().await.migrate().await.expect("migrated");
    let kept = "select obj_description('stripe.customers'::regclass)";
    assert_eq!(world.text(kept).await, "mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_a_current_schema_waits_for_no_table_lock() {
    let world = previous().await;
    assert!(world.engine().await.migrate().await.expect("migrated").changed);
    let lock = "begin; lock table stripe.customers, stripe._slices, stripe._runs
                in access exclusive mode";
    world.sql.batch_execute(lock).await.expect("locked");
    let engine = world.engine().await;
    let migration = tokio::time::timeout(Duration::from_secs(20), engine.migrate()).await;
    assert!(!migration.expect("in time").expect("migrated").changed);
}
