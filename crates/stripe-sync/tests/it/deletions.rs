//! Deleted objects, with the items of their lists.

use serde_json::json;
use stripe_sync::{EventEffect, RefreshOutcome, StripeSync};

use crate::live::{assert_current, copied, last_event};
use crate::world::World;

/// How a deletion becomes known.
#[derive(Debug, Clone, Copy)]
enum By {
    Event,
    NotFound,
}

async fn count(world: &World, table: &str, condition: &str) -> String {
    world.text(&format!("select count(*)::text from stripe.{table} where {condition}")).await
}

/// The row of the invoice and its items are gone, and a tombstone is left.
async fn assert_deleted(world: &World, id: &str) {
    assert_eq!(count(world, "invoices", &format!("id = '{id}'")).await, "0");
    assert_eq!(count(world, "invoice_line_items", &format!("invoice = '{id}'")).await, "0");
    let tombstone = format!("table_name = 'invoices' and id = '{id}'");
    assert_eq!(count(world, "_tombstones", &tombstone).await, "1");
    assert_eq!(count(world, "_tombstones", "table_name = 'invoice_line_items'").await, "0");
}

async fn delete(engine: &StripeSync, world: &World, id: &str, by: By) {
    world.sim.account().delete("invoice", id).expect("deleted");
    match by {
        By::Event => {
            let event = last_event(world.sim.account());
            let done = engine.process_event(event.as_bytes()).await.expect("processed");
            assert_eq!(done.effect, EventEffect::Deleted);
        }
        By::NotFound => {
            let done = engine.refresh(&[id.to_owned()]).await.expect("refreshed");
            assert_eq!(done[0].outcome, RefreshOutcome::Deleted);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_object_and_its_items_do_not_return() {
    for by in [By::Event, By::NotFound] {
        let world = copied(131).await;
        let engine = world.engine().await;
        let account = world.sim.account();
        let has_lines = |id: &String| !account.nested_ids("invoice", id, "lines").is_empty();
        let id = account.ids("invoice").find(has_lines).expect("an invoice with items");
        assert_ne!(count(&world, "invoice_line_items", &format!("invoice = '{id}'")).await, "0");
        account.insert_nested("invoice", &id, "lines", json!({})).expect("inserted");
        account.update("invoice", &id, json!({"metadata": {"version": "1"}})).expect("updated");
        let late = last_event(account);
        account.advance_clock(20);
        delete(&engine, &world, &id, by).await;
        assert_deleted(&world, &id).await;

        // An event from before the deletion, which has the items.
        assert!(late.contains("\"il_"), "{late}");
        let done = engine.process_event(late.as_bytes()).await.expect("processed");
        assert_eq!(done.effect, EventEffect::Unchanged, "{by:?}");
        assert_deleted(&world, &id).await;

        world.backfill(&["invoice"]).await;
        assert_deleted(&world, &id).await;
        assert_current(&world).await;
    }
}
