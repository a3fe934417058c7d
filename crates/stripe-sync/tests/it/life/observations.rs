//! What Stripe shows about an object, other than in its lists: events, as webhooks deliver them.

use serde_json::{Value, json};
use stripe_sim::Account;

use crate::live::Random;

/// The events of an account that have not been delivered yet, or that can be delivered again.
pub(super) struct Mailbag {
    seen: usize,
    events: Vec<String>,
    is_lossless: bool,
}

impl Mailbag {
    pub(super) fn new(account: &Account, is_lossless: bool) -> Mailbag {
        Mailbag { seen: account.count("event") as usize, events: Vec::new(), is_lossless }
    }

    /// Collects the events of new changes. One in eight is lost, unless none is.
    pub(super) fn collect(&mut self, account: &Account, random: &mut Random) {
        let count = account.count("event") as usize;
        // Newest first.
        let new: Vec<String> = account.ids("event").take(count - self.seen).collect();
        self.seen = count;
        for id in new {
            if self.is_lossless || random.below(8) > 0 {
                self.events.push(account.object_json("event", &id).expect("an event"));
            }
        }
    }

    /// Returns an event whose delivery has failed. Stripe delivers it again.
    pub(super) fn put_back(&mut self, event: String) {
        if self.is_lossless {
            self.events.push(event);
        }
    }

    /// Takes all events, in random order.
    pub(super) fn take_all(&mut self, random: &mut Random) -> Vec<String> {
        let mut events = std::mem::take(&mut self.events);
        random.shuffle(&mut events);
        events
    }

    /// Takes any event. One in five stays, and is delivered again. Returns the event, and the form in
    /// which it is delivered.
    pub(super) fn take(&mut self, random: &mut Random) -> Option<(String, String)> {
        if self.events.is_empty() {
            return None;
        }
        let at = random.below(self.events.len());
        let event = match random.below(5) {
            0 => self.events[at].clone(),
            _ => self.events.swap_remove(at),
        };
        let delivered = match random.below(8) {
            0 => in_another_version(&event),
            1 => thin(&event),
            _ => event.clone(),
        };
        Some((event, delivered))
    }
}

/// The event as an endpoint with an old API version receives it: with other properties, and without
/// those that the tables have columns for.
fn in_another_version(event: &str) -> String {
    let mut event: Value = serde_json::from_str(event).expect("JSON");
    let object = &event["data"]["object"];
    event["data"]["object"] =
        json!({"id": object["id"], "object": object["object"], "deprecated": true});
    event["api_version"] = "2020-08-27".into();
    event.to_string()
}

/// The event without its object.
fn thin(event: &str) -> String {
    let event: Value = serde_json::from_str(event).expect("JSON");
    let object = &event["data"]["object"];
    let id = object["id"].as_str().expect("an id");
    // Ids that users choose do not show the table, so such objects have no thin events here.
    if !id.starts_with("cus_") && !id.starts_with("in_") {
        return event.to_string();
    }
    let created = rfc_3339(event["created"].as_i64().expect("seconds"));
    json!({
        "id": event["id"], "object": "v2.core.event", "type": format!("v1.{}", event["type"]
            .as_str().expect("a type")),
        "created": created, "livemode": event["livemode"],
        "related_object": {"id": id, "type": object["object"]},
    })
    .to_string()
}

/// Unix seconds as RFC 3339.
fn rfc_3339(second: i64) -> String {
    jiff::Timestamp::from_second(second).expect("a time").to_string()
}
