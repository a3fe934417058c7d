//! Objects of the user that depend on the tables: an adoption keeps them unchanged, or fails and
//! names them.

use stripe_sync::RunStatus;

use super::{legacy_world, migration_error, run, shape};

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_are_recreated_as_they_were() {
    let world = legacy_world().await;
    run(
        &world,
        "create table public.old (customer text); insert into public.old values ('cus_never');
         alter table public.old add constraint old_fkey foreign key (customer)
           references stripe.customers not valid;
         create table public.orders (customer text constraint orders_fkey references
           stripe.customers on delete cascade deferrable initially deferred);
         insert into public.orders values ('cus_gone');
         create table public.parts (customer text, day int) partition by range (day);
         create table public.part partition of public.parts for values from (0) to (9);
         insert into public.parts values ('cus_gone', 1);
         alter table public.parts add constraint parts_fkey foreign key (customer)
           references stripe.customers",
    )
    .await;
    let keys = "select string_agg(conrelid::regclass::text || pg_get_constraintdef(oid) ||
                  convalidated, E'\\n' order by conrelid::regclass::text) from pg_constraint
                where contype = 'f' and confrelid = 'stripe.customers'::regclass
                  and conrelid::regclass::text !~ 'stripe'";
    let before = world.text(keys).await;
    world.engine().await.migrate().await.expect("an adoption");
    assert_eq!(world.text(keys).await, before);
    let notes = "select count(*)::text from stripe._meta where key like 'to_validate%'";
    assert_eq!(world.text(notes).await, "0");
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_adoption_still_validates_foreign_keys() {
    let world = legacy_world().await;
    run(&world, "create table public.orders (customer text references stripe.customers)").await;
    world.engine().await.migrate().await.expect("an adoption");
    // The state after the last table was adopted: the key is recreated, but not validated.
    let cut = "alter table public.orders drop constraint orders_customer_fkey;
               alter table public.orders add constraint orders_customer_fkey
                 foreign key (customer) references stripe.customers (id) not valid;
               insert into stripe._meta values ('to_validate/public.orders orders_customer_fkey', '')";
    run(&world, cut).await;
    world.engine().await.migrate().await.expect("the rest");
    let valid = "select convalidated::text from pg_constraint
                 where conname = 'orders_customer_fkey'";
    assert_eq!(world.text(valid).await, "true");

    // Rows that violate the key are reported once, and do not stop the next call.
    run(
        &world,
        &format!(
            "alter table public.orders drop constraint orders_customer_fkey;
             insert into public.orders values ('cus_never');{}",
            cut.split_once(';').expect("a statement").1
        ),
    )
    .await;
    let error = migration_error(&world).await;
    assert!(error.to_string().contains("orders_customer_fkey of public.orders"), "{error}");
    assert!(error.hint().unwrap_or_default().contains("not valid"), "{error}");
    world.engine().await.migrate().await.expect("the next call continues");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_table_can_still_be_written() {
    let world = legacy_world().await;
    run(
        &world,
        "alter table stripe.customers replica identity using index customers_pkey;
         create publication everything for table stripe.customers, stripe.invoices",
    )
    .await;
    world.engine().await.migrate().await.expect("an adoption");
    assert_eq!(world.backfill(&["customer", "invoice"]).await.status, RunStatus::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_in_indexes_and_checks_keep_their_search_path() {
    let world = legacy_world().await;
    run(
        &world,
        "create function public.low(text) returns text immutable language sql
           as 'select lower($1)';
         create function public.as_key(text) returns text immutable language sql
           as 'select low($1)';
         create function public.fine(bigint) returns boolean immutable language sql
           as 'select low(''x'') = ''x''';
         create index mine on stripe.customers (public.as_key(email));
         alter table stripe.invoices add check (public.fine(created))",
    )
    .await;
    world.engine().await.migrate().await.expect("an adoption");
    let index = "select pg_get_indexdef('stripe.mine'::regclass)";
    assert!(world.text(index).await.contains("as_key(email)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_relies_on_the_order_of_an_enum_is_refused() {
    for shows in [
        "select id from stripe.subscriptions where status < 'past_due'",
        "select id from stripe.subscriptions where 'past_due' >= coalesce(status, 'active')",
        "select max(status) from stripe.subscriptions",
        "select greatest(status, 'active') from stripe.subscriptions",
        "select rank() over (order by status) from stripe.subscriptions",
        "select array_agg(id order by status) from stripe.subscriptions",
        "select distinct on (customer) customer from stripe.subscriptions order by customer, status",
        "select id from stripe.subscriptions order by status limit 3",
        "select id from (select id, status as s from stripe.subscriptions) q where s > 'active'",
    ] {
        let world = legacy_world().await;
        run(&world, &format!("create view public.ordered as {shows}")).await;
        let before = shape(&world).await;
        let error = migration_error(&world).await;
        assert!(error.to_string().contains("view public.ordered relies"), "{shows}: {error}");
        assert_eq!(shape(&world).await, before);
    }
    let world = legacy_world().await;
    run(
        &world,
        "create type public.size as enum ('s', 'm', 'l');
         create table public.shirts (size public.size, c text);
         create view public.plain as select status, customer, count(*), max(created)
           from stripe.subscriptions where status <> 'unpaid' group by 1, 2 order by status;
         create view public.other as select c.id from stripe.customers c
           join public.shirts s on s.c = c.id where s.size > 'm'",
    )
    .await;
    world.engine().await.migrate().await.expect("these views return the same rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_a_locked_table_is_limited() {
    let world = legacy_world().await;
    run(&world, "begin; lock table stripe.customers in access exclusive mode").await;
    let error = world.engine().await.adoption().await.expect_err("reading has to wait");
    assert!(error.to_string().contains("in use by another session"), "{error}");
    run(&world, "rollback").await;
    world.engine().await.migrate().await.expect("an adoption");
}
