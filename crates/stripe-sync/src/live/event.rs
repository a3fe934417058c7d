//! An event as Stripe sends it, read without building a tree. Pure.
//!
//! A snapshot event carries the object, rendered in the event's own API version (FACTS 6). A thin
//! event only names it (FACTS 7).

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::row::{get, get_each, string};

/// The parts of an event that are needed. They borrow from its text.
#[derive(Debug, Clone)]
pub(crate) struct Event<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) event_type: Cow<'a, str>,
    /// Unix seconds.
    pub(crate) created: i64,
    /// The API version of the payload.
    pub(crate) api_version: Option<Cow<'a, str>>,
    pub(crate) livemode: Option<bool>,
    /// The connected account that the event comes from.
    pub(crate) account: Option<Cow<'a, str>>,
    pub(crate) payload: Payload<'a>,
}

/// What an event contains of its object.
#[derive(Debug, Clone)]
pub(crate) enum Payload<'a> {
    /// The object.
    Object(&'a str),
    /// The id of the object, which has to be fetched.
    Related(Cow<'a, str>),
    /// Neither.
    None,
}

/// Why a text is not an event. No message repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EventError {
    #[error("the payload is not a JSON object")]
    NotJson,
    #[error("the payload is not a Stripe event: it has no ID, type or creation time")]
    NotAnEvent,
}

impl<'a> Event<'a> {
    /// Reads an event.
    ///
    /// # Errors
    /// The text is not JSON, or not an event.
    pub(crate) fn read(text: &'a str) -> Result<Event<'a>, EventError> {
        let json: &RawValue = serde_json::from_str(text).map_err(|_| EventError::NotJson)?;
        let json = json.get();
        if !json.starts_with('{') {
            return Err(EventError::NotJson);
        }
        let [id, event_type, created, object] = get_each(json, ["id", "type", "created", "object"]);
        let [version, livemode, account, data, related] =
            get_each(json, ["api_version", "livemode", "account", "data", "related_object"]);
        let text_of = |raw: Option<&'a str>| raw.and_then(string).filter(|text| !text.is_empty());
        let is_event = matches!(text_of(object).as_deref(), Some("event" | "v2.core.event") | None);
        let (Some(id), Some(event_type), Some(created), true) =
            (text_of(id), text_of(event_type), created.and_then(second), is_event)
        else {
            return Err(EventError::NotAnEvent);
        };
        let object = data.and_then(|data| get(data, "object")).filter(|raw| raw.starts_with('{'));
        let related = related.and_then(|related| get(related, "id")).and_then(string);
        let payload = match (object, related) {
            (Some(object), _) => Payload::Object(object),
            (None, Some(id)) => Payload::Related(id),
            (None, None) => Payload::None,
        };
        Ok(Event {
            id,
            event_type,
            created,
            api_version: text_of(version),
            livemode: livemode.and_then(|raw| raw.parse().ok()),
            account: text_of(account),
            payload,
        })
    }
}

/// A creation time: Unix seconds in a snapshot event, RFC 3339 in a thin one.
fn second(raw: &str) -> Option<i64> {
    match string(raw) {
        Some(text) => text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second),
        None => raw.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_event_carries_its_object() {
        let text = r#" {"id":"evt_1","object":"event","type":"charge.updated","created":17,
            "api_version":"2026-07-29.dahlia","livemode":false,"account":null,
            "data":{"object":{"id":"ch_1"},"previous_attributes":{}}}"#;
        let event = Event::read(text).expect("an event");
        assert_eq!(
            (&*event.id, &*event.event_type, event.created),
            ("evt_1", "charge.updated", 17)
        );
        assert_eq!((event.livemode, event.account), (Some(false), None));
        assert!(matches!(event.payload, Payload::Object(r#"{"id":"ch_1"}"#)));
    }

    #[test]
    fn a_thin_event_names_its_object() {
        let text = r#"{"id":"evt_1","object":"v2.core.event","type":"v1.customer.created",
            "created":"2026-11-26T10:00:00.500Z","related_object":{"id":"cus_1","type":"customer"}}"#;
        let event = Event::read(text).expect("an event");
        assert_eq!(event.created, 1_795_687_200);
        assert!(matches!(event.payload, Payload::Related(id) if id == "cus_1"));
    }

    #[test]
    fn a_non_event_is_an_error() {
        for text in ["", "[]", "null", "{", "x", r#""evt_1""#] {
            assert_eq!(Event::read(text).err(), Some(EventError::NotJson), "{text}");
        }
        for text in [
            "{}",
            r#"{"id":"evt_1"}"#,
            r#"{"id":"ch_1","object":"charge","type":"card","created":1}"#,
            r#"{"id":"","type":"a","created":1}"#,
            r#"{"id":"evt_1","type":"a","created":"yesterday"}"#,
        ] {
            assert_eq!(Event::read(text).err(), Some(EventError::NotAnEvent), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_random_text_is_an_event(text in ".{0,200}") {
            proptest::prop_assert!(Event::read(&text).is_err());
        }
    }
}
