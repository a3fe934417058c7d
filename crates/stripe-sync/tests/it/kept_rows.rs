//! A foreign key, constraint or trigger of the user's forbids a deletion. The row is kept, marked,
//! counted and named, and everything else is applied.

use serde_json::json;
use stripe_sim::{Account, Fault};
use stripe_sync::{EventEffect, RefreshOutcome, RunStatus, Stop};

use crate::live::{copied, events, last_event};
use crate::world::{World, ended};

/// Creates a table of the user's with a foreign key to these rows.
async fn refer_to(world: &World, table: &str, ids: &[&str], when: &str) {
    let list: Vec<String> = ids.iter().map(|id| format!("('{id}')")).collect();
    let sql = format!(
        "create table public.orders (item text, account text default '{account}',
             constraint orders_item foreign key (item, account)
             references stripe.{table} (id, _account_id) {when});
         insert into public.orders (item) values {list}",
        account = world.sim.account().id(),
        list = list.join(", "),
    );
    world.sql.batch_execute(&sql).await.expect("a foreign key");
}

/// Ids and reasons of the quarantined rows.
async fn kept(world: &World) -> Vec<(String, String)> {
    let (rows, _) = world.engine().await.quarantined(100).await.expect("the quarantine");
    rows.into_iter().map(|row| (row.id, row.reason)).collect()
}

async fn exists(world: &World, table: &str, id: &str) -> bool {
    world.ids(table).await.contains(id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_keeps_a_row_that_a_foreign_key_needs() {
    for when in ["", "on delete restrict", "deferrable initially deferred"] {
        let world = copied(110).await;
        let account = world.sim.account();
        let ids: Vec<String> = account.ids("product").take(3).collect();
        refer_to(&world, "products", &[&ids[1]], when).await;
        for id in &ids {
            account.delete("product", id).expect("deleted");
        }
        let targets: Vec<String> = ids.iter().map(|id| format!("products/{id}")).collect();
        let engine = world.engine().await;
        let results = engine.refresh(&targets).await.expect("refreshed");
        let outcomes: Vec<_> = results.into_iter().map(|result| result.outcome).collect();
        let expected =
            [RefreshOutcome::Deleted, RefreshOutcome::Quarantined, RefreshOutcome::Deleted];
        assert_eq!(outcomes, expected, "{when}");
        let found = kept(&world).await;
        assert!(found.len() == 1 && found[0].0 == ids[1], "{when}: {found:?}");
        let reason = &found[0].1;
        let named = reason.contains("deleted in Stripe") && reason.contains("public.orders");
        assert!(named && reason.contains("orders_item"), "{reason}");
        let marked = format!("select deleted::text from stripe.products where id = '{}'", ids[1]);
        assert_eq!(world.text(&marked).await, "true");

        // Without the foreign key, the next attempt deletes the row.
        world.sql.batch_execute("drop table public.orders").await.expect("dropped");
        let results = engine.refresh(&targets[1..2]).await.expect("refreshed");
        assert_eq!(results[0].outcome, RefreshOutcome::Deleted);
        assert!(kept(&world).await.is_empty() && !exists(&world, "products", &ids[1]).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_keeps_a_row_that_a_foreign_key_needs() {
    let world = copied(111).await;
    let account = world.sim.account();
    let ids: Vec<String> = account.ids("invoice").take(2).collect();
    refer_to(&world, "invoices", &[&ids[0]], "").await;
    let engine = world.engine().await;
    let lines = account.nested_ids("invoice", &ids[0], "lines");
    for (id, effect) in [(&ids[0], EventEffect::Quarantined), (&ids[1], EventEffect::Deleted)] {
        account.delete("invoice", id).expect("deleted");
        let done = engine.process_event(last_event(account).as_bytes()).await.expect("processed");
        assert_eq!(done.effect, effect);
    }
    assert_eq!(kept(&world).await[0].0, ids[0]);
    assert!(
        exists(&world, "invoices", &ids[0]).await && !exists(&world, "invoices", &ids[1]).await
    );
    // The items of a kept row are kept too.
    assert!(!lines.is_empty() && exists(&world, "invoice_line_items", &lines[0]).await);
}

/// The events of one page are applied in one transaction.
#[tokio::test(flavor = "multi_thread")]
async fn the_other_events_of_a_page_are_applied() {
    let world = copied(112).await;
    let account = world.sim.account();
    let ids: Vec<String> = account.ids("invoice").take(3).collect();
    refer_to(&world, "invoices", &[&ids[1]], "").await;
    for id in &ids {
        account.delete("invoice", id).expect("deleted");
    }
    let created = account.insert("customer", json!({"name": "new"})).expect("inserted");
    assert!(events(account).len() >= 4);
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!((done.quarantined, done.failed, done.pending), (1, 0, 0), "{done:?}");
    let invoices = world.ids("invoices").await;
    assert_eq!(ids.iter().filter(|id| invoices.contains(*id)).collect::<Vec<_>>(), [&ids[1]]);
    assert!(exists(&world, "customers", &created).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_keeps_an_item_that_a_foreign_key_needs() {
    let account = Account::builder(113).objects("invoice", 150).build().expect("an account");
    let world = World::new(account).await;
    assert_eq!(world.backfill(&["invoice"]).await.status, RunStatus::Complete);
    let account = world.sim.account();
    let has_lines = |id: &String| account.nested_ids("invoice", id, "lines").len() > 2;
    let invoice = account.ids("invoice").find(has_lines).expect("an invoice with lines");
    let lines = account.nested_ids("invoice", &invoice, "lines");
    refer_to(&world, "invoice_line_items", &[&lines[0]], "").await;
    for line in &lines[..2] {
        account.remove_nested_item("invoice", &invoice, "lines", line).expect("removed");
    }
    account.update("invoice", &invoice, json!({"description": "changed"})).expect("updated");
    for _ in 0..2 {
        let report = world.backfill(&["invoice"]).await;
        assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
        assert_eq!(ended(&report, "invoices").0, "complete");
        let found = kept(&world).await;
        assert!(found[0].0 == lines[0] && found[0].1.contains("left its list"), "{found:?}");
        let stored = world.ids("invoice_line_items").await;
        assert!(stored.contains(&lines[0]) && !stored.contains(&lines[1]));
        let changed = format!("select description from stripe.invoices where id = '{invoice}'");
        assert_eq!(world.text(&changed).await, "changed");
        let earlier = "update stripe.invoices set last_synced_at = last_synced_at - interval '1 min';
             update stripe.invoice_line_items set last_synced_at = last_synced_at - interval '1 min';
             update stripe._quarantine set seen_at = seen_at - interval '1 min'";
        world.sql.batch_execute(earlier).await.expect("moved");
    }
    world.sql.batch_execute("drop table public.orders").await.expect("dropped");
    let report = world.backfill(&["invoice"]).await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Complete, 0));
    assert!(!exists(&world, "invoice_line_items", &lines[0]).await);
}

/// The user's foreign key of the lines to their invoices is deferred. If another deferred constraint
/// makes the commit fail, constraints are checked after each statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_deferred_foreign_key_to_a_parent_does_not_quarantine_its_items() {
    let account = Account::builder(118).objects("invoice", 20).build().expect("an account");
    let world = World::new(account).await;
    assert_eq!(world.backfill(&["invoice"]).await.status, RunStatus::Complete);
    let account = world.sim.account();
    let has_lines = |id: &String| account.nested_ids("invoice", id, "lines").len() > 2;
    let invoices: Vec<String> = account.ids("invoice").filter(has_lines).take(2).collect();
    let lines = account.nested_ids("invoice", &invoices[0], "lines");
    refer_to(&world, "invoice_line_items", &[&lines[0]], "deferrable initially deferred").await;
    let key = "alter table stripe.invoice_line_items add constraint line_of_invoice
         foreign key (invoice, _account_id) references stripe.invoices (id, _account_id)
         deferrable initially deferred";
    world.sql.batch_execute(key).await.expect("a foreign key");
    // All rows are read in one page and written in one transaction.
    let earlier = "update stripe.invoices set last_synced_at = last_synced_at - interval '1 min';
         update stripe.invoice_line_items set last_synced_at = last_synced_at - interval '1 min'";
    world.sql.batch_execute(earlier).await.expect("moved");
    account.remove_nested_item("invoice", &invoices[0], "lines", &lines[0]).expect("removed");
    let created = account.insert("invoice", json!({})).expect("inserted");
    account.insert_nested("invoice", &created, "lines", json!({})).expect("inserted");
    // The events would write the new invoice a second time.
    world.sim.fail_times("/v1/events", 1, 1, Fault::Status(402));
    let report = world.backfill(&["invoice"]).await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    let found = kept(&world).await;
    assert!(found[0].0 == lines[0] && found[0].1.contains("orders_item"), "{found:?}");
    let stored = world.ids("invoice_line_items").await;
    let new_lines = account.nested_ids("invoice", &created, "lines");
    assert!(!new_lines.is_empty() && new_lines.iter().all(|line| stored.contains(line)));

    // Of two invoices that one transaction deletes, only the one whose line is needed is kept.
    let gone = account.nested_ids("invoice", &invoices[1], "lines");
    for id in &invoices {
        account.delete("invoice", id).expect("deleted");
    }
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(done.failed, 0, "{done:?}");
    let entries: Vec<String> = kept(&world).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(entries, [lines[0].as_str(), invoices[0].as_str()]);
    let (stored, stored_lines) =
        (world.ids("invoices").await, world.ids("invoice_line_items").await);
    assert!(stored.contains(&invoices[0]) && !stored.contains(&invoices[1]));
    assert!(lines[1..].iter().all(|line| stored_lines.contains(line)));
    assert!(gone.iter().all(|line| !stored_lines.contains(line)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_or_constraint_that_forbids_a_deletion_keeps_the_row() {
    let world = copied(114).await;
    let account = world.sim.account();
    world
        .sql
        .batch_execute(
            "create function public.forbid() returns trigger language plpgsql as
                 $$ begin raise exception 'audited'; end $$;
             create trigger forbid before delete on stripe.products
                 for each row execute function public.forbid();
             alter table stripe.customers add constraint never_deleted check (deleted is not true)",
        )
        .await
        .expect("changed");
    let product = account.ids("product").next().expect("a product");
    let customer = account.ids("customer").next().expect("a customer");
    account.delete("product", &product).expect("deleted");
    account.delete("customer", &customer).expect("deleted");
    let targets = [format!("products/{product}"), customer.clone()];
    let results = world.engine().await.refresh(&targets).await.expect("refreshed");
    for result in results {
        assert_eq!(result.outcome, RefreshOutcome::Quarantined, "{}", result.id);
    }
    let found = kept(&world).await;
    let named = |id: &str, text: &str| {
        found.iter().any(|(kept, reason)| kept == id && reason.contains(text))
    };
    assert!(named(&product, "P0001") && named(&customer, "never_deleted"), "{found:?}");
    assert!(exists(&world, "products", &product).await);
}

/// A trigger of the user that cancels a deletion or an update without an error.
async fn discard(world: &World, when: &str, table: &str) {
    let sql = format!(
        "create or replace function public.discard() returns trigger language plpgsql as
             $$ begin return null; end $$;
         create trigger discard before {when} on stripe.{table}
             for each row execute function public.discard()"
    );
    world.sql.batch_execute(&sql).await.expect("a trigger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_keeps_a_row_whose_deletion_a_trigger_discards() {
    let world = copied(115).await;
    discard(&world, "delete", "products").await;
    discard(&world, "update", "customers").await;
    let account = world.sim.account();
    let product = account.ids("product").next().expect("a product");
    let customer = account.ids("customer").next().expect("a customer");
    account.delete("product", &product).expect("deleted");
    account.delete("customer", &customer).expect("deleted");
    let targets = [format!("products/{product}"), customer.clone()];
    let engine = world.engine().await;
    for result in engine.refresh(&targets).await.expect("refreshed") {
        assert_eq!(result.outcome, RefreshOutcome::Quarantined, "{}", result.id);
    }
    let found = kept(&world).await;
    assert_eq!(found.len(), 2, "{found:?}");
    for (_, reason) in &found {
        assert!(reason.contains("trigger, rule or row-level security policy"), "{reason}");
    }
    let marked = format!("select deleted::text from stripe.products where id = '{product}'");
    assert_eq!(world.text(&marked).await, "true");

    // Without the triggers, the next attempt succeeds.
    let drop = "drop function public.discard() cascade";
    world.sql.batch_execute(drop).await.expect("dropped");
    for result in engine.refresh(&targets).await.expect("refreshed") {
        assert_eq!(result.outcome, RefreshOutcome::Deleted, "{}", result.id);
    }
    assert!(kept(&world).await.is_empty() && !exists(&world, "products", &product).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_keeps_an_item_whose_deletion_a_trigger_discards() {
    let account = Account::builder(116).objects("invoice", 150).build().expect("an account");
    let world = World::new(account).await;
    assert_eq!(world.backfill(&["invoice"]).await.status, RunStatus::Complete);
    discard(&world, "delete", "invoice_line_items").await;
    let account = world.sim.account();
    let has_lines = |id: &String| account.nested_ids("invoice", id, "lines").len() > 2;
    let invoice = account.ids("invoice").find(has_lines).expect("an invoice with lines");
    let lines = account.nested_ids("invoice", &invoice, "lines");
    account.remove_nested_item("invoice", &invoice, "lines", &lines[0]).expect("removed");
    account.update("invoice", &invoice, json!({"description": "changed"})).expect("updated");
    let report = world.backfill(&["invoice"]).await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    let found = kept(&world).await;
    assert!(found[0].0 == lines[0] && found[0].1.contains("left its list"), "{found:?}");
    // The lines of a deleted invoice are kept and named too.
    account.delete("invoice", &invoice).expect("deleted");
    let done = world.engine().await.process_event(last_event(account).as_bytes()).await;
    assert_eq!(done.expect("processed").effect, EventEffect::Deleted);
    assert_eq!(kept(&world).await.len(), lines.len());
    assert!(!exists(&world, "invoices", &invoice).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_rule_or_policy_does_not_let_go_is_kept() {
    let mut world = copied(117).await;
    let database = world.text("select current_database()::text").await;
    let role = format!("restricted_{database}");
    let sql = format!(
        "create role {role} login;
         grant all on schema stripe to {role};
         grant all on all tables in schema stripe to {role};
         grant all on all sequences in schema stripe to {role};
         alter table stripe.products enable row level security;
         create policy readable on stripe.products for select using (true);
         create policy insertable on stripe.products for insert with check (true);
         create policy changeable on stripe.products for update using (true);
         create rule never as on delete to stripe.prices do instead nothing"
    );
    world.sql.batch_execute(&sql).await.expect("restricted");
    let url = crate::world::server().await.connection_url_to(&database);
    let (head, _) = url.rsplit_once("&user=").expect("the user comes last");
    let mut config =
        stripe_sync::Config::new(format!("{head}&user={role}"), world.config.names.clone());
    config.key = world.config.key.clone();
    config.api_base = world.config.api_base.clone();
    world.config = config;
    let account = world.sim.account();
    let product = account.ids("product").next().expect("a product");
    let price = account.ids("price").next().expect("a price");
    account.delete("product", &product).expect("deleted");
    account.delete("price", &price).expect("deleted");
    let targets = [format!("products/{product}"), format!("prices/{price}")];
    for result in world.engine().await.refresh(&targets).await.expect("refreshed") {
        assert_eq!(result.outcome, RefreshOutcome::Quarantined, "{}", result.id);
    }
    let found = kept(&world).await;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(exists(&world, "products", &product).await && exists(&world, "prices", &price).await);
}
