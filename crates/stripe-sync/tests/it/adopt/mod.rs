//! Adopting a database of the TypeScript engine in place. The tests create the database from the
//! list of its columns, with rows, views and foreign keys.

mod dependents;

use stripe_sim::Account;
use stripe_sync::{AccountId, Error, RunStatus, StripeSync};

use crate::world::{World, assert_same};

const TYPESCRIPT: &str = include_str!("typescript.sql");

/// A database of the TypeScript engine with some of the account's objects as outdated rows.
async fn legacy_world() -> World {
    let world = World::new(Account::builder(71).small().build().expect("an account")).await;
    run(&world, TYPESCRIPT).await;
    let account = world.sim.account();
    for (object, table) in
        [("customer", "customers"), ("subscription", "subscriptions"), ("invoice", "invoices")]
    {
        for id in account.ids(object).step_by(2) {
            let insert = format!(
                "insert into stripe.{table} (id, object, livemode, created, last_synced_at)
                 values ('{id}', '{object}', false, 1600000000, now() - interval '1 day')"
            );
            run(&world, &insert).await;
        }
    }
    run(
        &world,
        "update stripe.subscriptions set status = 'active';
         insert into stripe.customers (id, email, created, last_synced_at) values
           ('cus_gone', 'kept@example.com', 2147483647, null),
           ('cus_future', 'f@example.com', 1, now() + interval '10 years')",
    )
    .await;
    world
}

async fn run(world: &World, sql: &str) {
    world.sql.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
}

/// All properties of the tables that an adoption could change, as text.
async fn shape(world: &World) -> String {
    world
        .text(
            "select string_agg(line, E'\\n' order by line) from (
               select c.oid::regclass::text || '.' || a.attname || ' ' ||
                      format_type(a.atttypid, a.atttypmod) || a.attnotnull::text
               from pg_class c join pg_attribute a on a.attrelid = c.oid
               where c.relnamespace in ('stripe'::regnamespace, 'public'::regnamespace)
                 and a.attnum > 0
               union all select conrelid::regclass::text || conname || pg_get_constraintdef(oid)
               from pg_constraint where connamespace = 'stripe'::regnamespace
               union all select tgrelid::regclass::text || tgname from pg_trigger
               where not tgisinternal) s (line)",
        )
        .await
}

async fn migration_error(world: &World) -> Error {
    world.engine().await.migrate().await.expect_err("an error")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_kept_and_the_first_backfill_fills_new_columns() {
    let world = legacy_world().await;
    let engine = world.engine().await;
    let adoption = engine.adoption().await.expect("a plan").expect("tables to adopt");
    assert_eq!(adoption.tables.len(), 25);
    let migration = engine.migrate().await.expect("an adoption");
    assert!(migration.changed);
    assert!(engine.adoption().await.expect("a plan").is_none(), "nothing is left to adopt");
    assert!(!engine.migrate().await.expect("again").changed);

    let kept = "select email || ' ' || created || ' ' || _account_id from stripe.customers
                where id = 'cus_gone'";
    let account = world.sim.account().id().to_owned();
    assert_eq!(world.text(kept).await, format!("kept@example.com 2147483647 {account}"));
    let types = "select string_agg(format_type(atttypid, null), ' ' order by attname)
                 from pg_attribute where attrelid = 'stripe.subscriptions'::regclass
                 and attname in ('created', 'status', '_extra')";
    assert_eq!(world.text(types).await, "jsonb bigint text");
    let future = "select (last_synced_at <= now())::text from stripe.customers
                  where id = 'cus_future'";
    assert_eq!(world.text(future).await, "true");

    assert_eq!(world.backfill(&["all"]).await.status, RunStatus::Complete);
    for (object, table) in [("customer", "customers"), ("subscription", "subscriptions")] {
        let mut wanted: std::collections::BTreeSet<String> =
            world.sim.account().ids(object).collect();
        if object == "customer" {
            wanted.extend(["cus_gone".to_owned(), "cus_future".to_owned()]);
        }
        assert_same(table, &wanted, &world.ids(table).await);
    }
    let stale = "select count(*)::text from stripe.invoices where created = 1600000000";
    assert_eq!(world.text(stale).await, "0", "every row must have Stripe's values");
    let migrations = "select count(*)::text from stripe.stripe_migrations";
    assert_eq!(world.text(migrations).await, "1", "the other engine's migrations are unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_null_stamp_is_older_than_any_state() {
    let world = legacy_world().await;
    world.engine().await.migrate().await.expect("an adoption");
    let id = world.sim.account().ids("customer").next().expect("a customer");
    world.backfill(&["customer"]).await;
    let clear = format!("update stripe.customers set last_synced_at = null where id = '{id}'");
    run(&world, &clear).await;
    world.backfill(&["customer"]).await;
    let sql =
        format!("select (last_synced_at is null)::text from stripe.customers where id = '{id}'");
    assert_eq!(world.text(&sql).await, "false");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_recreated_with_all_their_properties() {
    let world = legacy_world().await;
    run(
        &world,
        "do $$ begin create role view_reader; exception when duplicate_object then null; end $$;
         create view public.active as
           select s.id, s.status, c.email, to_timestamp(s.created) as at
           from stripe.subscriptions s left join stripe.customers c on c.id = s.customer
           where s.status = 'active' or s.status in ('trialing', 'past_due');
         create view public.counted with (security_barrier) as
           select status, count(*) as n from public.active group by status;
         comment on view public.active is 'the user''s';
         comment on column public.active.at is 'when';
         grant select on public.active to view_reader;
         grant select (n) on public.counted to view_reader;",
    )
    .await;
    let about = "select obj_description('public.active'::regclass) || ' ' ||
                        col_description('public.active'::regclass, 4) || ' ' ||
                        (select relacl::text from pg_class where oid = 'public.active'::regclass)
                        || ' ' || (select attacl::text from pg_attribute
                                   where attrelid = 'public.counted'::regclass and attname = 'n')
                        || (select reloptions::text from pg_class
                            where oid = 'public.counted'::regclass)";
    let rows =
        "select string_agg(status::text || n, ',' order by status::text) from public.counted";
    let before = (world.text(about).await, world.text(rows).await);
    let adoption = world.engine().await.adoption().await.expect("a plan").expect("tables");
    assert_eq!(adoption.views, ["public.active", "public.counted"]);
    world.engine().await.migrate().await.expect("an adoption");
    assert_eq!((world.text(about).await, world.text(rows).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_foreign_key_limits_the_schema_to_one_account() {
    let world = legacy_world().await;
    run(
        &world,
        "create table public.orders (customer text references stripe.customers on delete restrict);
         comment on constraint orders_customer_fkey on public.orders is 'mine';
         insert into public.orders values ('cus_gone')",
    )
    .await;
    let engine = world.engine().await;
    let adoption = engine.adoption().await.expect("a plan").expect("tables to adopt");
    let key = &adoption.foreign_keys[0];
    assert_eq!(
        (key.name.as_str(), key.from.as_str(), key.to.as_str()),
        ("orders_customer_fkey", "public.orders", "customers")
    );
    engine.migrate().await.expect("an adoption");
    let key = "select pg_get_constraintdef(oid) || convalidated || obj_description(oid)
               from pg_constraint where conname = 'orders_customer_fkey'";
    assert_eq!(
        world.text(key).await,
        "FOREIGN KEY (customer) REFERENCES stripe.customers(id) ON DELETE RESTRICTtruemine"
    );
    let orphan = world.sql.batch_execute("insert into public.orders values ('cus_none')").await;
    assert!(orphan.is_err(), "the key is enforced");
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);

    let other = Account::builder(72).small().build().expect("an account");
    let sim = stripe_sim::Sim::start(other, stripe_sim::SimOptions::default()).await.expect("sim");
    let mut config = world.config.clone();
    config.key = Some(stripe_sync::ApiKey::parse(sim.key()).expect("a key"));
    config.api_base = stripe_sync::ApiBase::parse(&sim.base_url()).expect("a base");
    if sim.account().id() == world.sim.account().id() {
        panic!("the accounts must have different ids");
    }
    let second = StripeSync::connect(config).await.expect("the engine");
    let error = second.prepare().await.expect_err("an error");
    assert!(error.to_string().contains("can only hold account"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_dependents_are_named_and_nothing_is_changed() {
    for (obstacle, named) in [
        ("create policy mine on stripe.products using (active)", "policy mine on table"),
        ("create materialized view public.m as select id from stripe.prices", "public.m"),
        ("create rule r as on insert to stripe.plans do nothing", "rule r on table stripe.plans"),
        (
            "create trigger t after insert on stripe.invoices for each row
             execute function set_updated_at()",
            "trigger t on table stripe.invoices",
        ),
        ("create table public.child () inherits (stripe.events)", "table events is part of an"),
        ("create table public.r (c stripe.customers)", "column c of table public.r"),
        ("alter table stripe.charges add note text not null", "column charges.note"),
        ("alter table stripe.charges alter created type numeric", "column charges.created"),
        (
            "create view public.g as select id, email, count(*) from stripe.customers group by id",
            "view public.g",
        ),
        (
            "create index i on stripe.subscriptions (id) where status = 'active'",
            "table subscriptions",
        ),
        (
            "create function public.f(n int) returns int language sql as 'select n';
          create view public.w as select public.f(created) from stripe.customers",
            "view public.w",
        ),
        (
            "create table public.o (k text); alter table stripe.features add unique (name);
          alter table public.o add foreign key (k) references stripe.features (name)",
            "refers to features(name)",
        ),
        (
            "alter table stripe.invoices add foreign key (charge) references stripe.charges",
            "foreign key invoices_charge_fkey of table invoices",
        ),
        (
            "create publication p for table stripe.customers (id, email)",
            "publication of table stripe.customers in publication p",
        ),
        ("alter table stripe.charges add _account_id text", "column charges._account_id"),
        (
            "alter table stripe.charges add twice bigint generated always as (amount * 2) stored",
            "column charges.twice is generated",
        ),
        ("create table stripe.accounts (id text primary key)", "table accounts is not one"),
        ("alter table stripe.refunds force row level security", "table refunds forces"),
    ] {
        let world = legacy_world().await;
        run(&world, obstacle).await;
        let before = shape(&world).await;
        let error = migration_error(&world).await;
        assert!(error.to_string().contains(named), "{obstacle}: {error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("nothing was changed"), "{obstacle}: {hint}");
        assert_eq!(shape(&world).await, before, "{obstacle}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_and_mode_are_checked_before_anything_is_changed() {
    let mut world = legacy_world().await;
    let before = shape(&world).await;
    let backfill = world.engine().await.prepare().await.expect_err("an error");
    assert!(backfill.to_string().contains("did not create"), "{backfill}");

    let key = world.config.key.take();
    let error = migration_error(&world).await;
    assert!(error.to_string().contains("account of the rows"), "{error}");
    world.config.key = key;

    world.config.rewrite_limit = 1;
    let error = migration_error(&world).await;
    assert!(error.hint().unwrap_or_default().contains("--yes"), "{error}");
    world.config.rewrite_limit = u64::MAX;

    run(&world, "update stripe.customers set livemode = true").await;
    let error = migration_error(&world).await;
    assert!(error.to_string().contains("live rows (in customers)"), "{error}");
    run(&world, "delete from stripe.subscriptions; delete from stripe.invoices").await;
    let error = migration_error(&world).await;
    assert!(error.to_string().contains("this is a test key"), "{error}");
    assert_eq!(shape(&world).await, before);

    run(&world, "update stripe.customers set livemode = null").await;
    world.engine().await.migrate().await.expect("an adoption");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_the_rows_determine_the_mode() {
    let mut world = legacy_world().await;
    let key = world.config.key.take();
    world.config.account = AccountId::parse("acct_Named");
    world.engine().await.migrate().await.expect("an adoption");
    let meta = "select string_agg(key || '=' || value, ' ' order by key) from stripe._meta
                where key in ('mode', 'adopted_for')";
    assert_eq!(world.text(meta).await, "adopted_for=acct_Named mode=test");
    world.config.key = key;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_adoption_resumes() {
    let mut world = legacy_world().await;
    // The state that the previous version leaves if it is interrupted: some tables are adopted, and
    // no migration is recorded.
    world.engine().await.migrate().await.expect("an adoption");
    run(
        &world,
        "drop view stripe.sync_status; drop table stripe._migrations;
         drop table stripe.customers; drop table stripe.invoices;
         delete from stripe._meta where key = 'schema_revision';
         update stripe._meta set key = 'taken_over_for' where key = 'adopted_for';
         create table stripe.customers (id text primary key, object text, created int, livemode bool,
           last_synced_at timestamptz);
         insert into stripe.customers values ('cus_late', 'customer', 5, false, now())",
    )
    .await;
    let key = world.config.key.take();
    world.config.account = AccountId::parse("acct_Other");
    let error = migration_error(&world).await;
    assert!(error.to_string().contains("was started for account"), "{error}");
    world.config.key = key;
    world.config.account = None;
    let adoption = world.engine().await.adoption().await.expect("a plan").expect("one table");
    assert_eq!(adoption.tables.len(), 1);
    world.engine().await.migrate().await.expect("the rest");
    assert_eq!(world.text("select created::text from stripe.customers").await, "5");
    assert_eq!(world.backfill(&["all"]).await.status, RunStatus::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_concurrent_adoptions_succeed() {
    let world = legacy_world().await;
    let (one, two) = (world.engine().await, world.engine().await);
    let (a, b) = tokio::join!(one.migrate(), two.migrate());
    a.expect("one");
    b.expect("the other");
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
}
