//! Compares a row of a copy with the object that it was made from.
//!
//! Knows only the form of a row: a JSON object with a member per column, and in `_extra` the properties
//! that have no column or whose value their column cannot hold.

use serde_json::{Map, Value};

use super::Account;

impl Account {
    /// The first property of the object that the row does not show, or `None` if the row shows the whole
    /// object. `row` is the JSON of all columns, such as `to_jsonb(row)`.
    ///
    /// A list that a retrieve request truncates must be complete in the row, unless the row says that
    /// it has more items. Columns that are not properties of the object are not compared, except in
    /// `_extra`.
    pub fn row_difference(&self, object: &str, id: &str, row: &Value) -> Option<String> {
        let Some(text) = self.object_json(object, id) else {
            return Some("the object does not exist".to_owned());
        };
        let sent: Map<String, Value> = serde_json::from_str(&text).expect("an object");
        let none = Map::new();
        let extra = row.get("_extra").and_then(Value::as_object).unwrap_or(&none);
        if let Some(unknown) = extra.keys().find(|name| !sent.contains_key(*name)) {
            return Some(format!("_extra.{unknown} is not a property"));
        }
        sent.iter().filter(|(_, value)| !value.is_null()).find_map(|(name, value)| {
            let stored = extra.get(name).or_else(|| row.get(name)).unwrap_or(&Value::Null);
            if !is_shown(value, stored) {
                return Some(format!("{name} differs"));
            }
            let was_completed = is_cut_off(value) && !is_cut_off(stored);
            let wanted = was_completed.then(|| self.nested_ids(object, id, name))?;
            let ids: Vec<&str> = items(stored).iter().filter_map(|i| i["id"].as_str()).collect();
            (wanted != ids).then(|| format!("{name} has {} of {} items", ids.len(), wanted.len()))
        })
    }
}

/// Whether a stored value shows what was sent. A column may hold a number as text or the text of a
/// number as a number, and a list may have more items than were sent.
fn is_shown(sent: &Value, stored: &Value) -> bool {
    match (sent, stored) {
        (Value::Object(list), Value::Object(whole)) if is_cut_off(sent) => {
            let is_member = |name: &str| !matches!(name, "data" | "has_more");
            let members = list.iter().filter(|(name, _)| is_member(name));
            let begins_alike = items(stored).len() >= items(sent).len()
                && items(sent).iter().zip(items(stored)).all(|(a, b)| is_shown(a, b));
            begins_alike && members.into_iter().all(|(name, v)| whole.get(name) == Some(v))
        }
        (Value::Object(sent), Value::Object(stored)) => {
            sent.len() == stored.len()
                && sent.iter().all(|(name, v)| stored.get(name).is_some_and(|s| is_shown(v, s)))
        }
        (Value::Array(sent), Value::Array(stored)) => {
            sent.len() == stored.len() && sent.iter().zip(stored).all(|(a, b)| is_shown(a, b))
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::String(text), Value::Number(number)) => {
            text.parse().ok() == number.as_f64() && number.as_f64().is_some()
        }
        (Value::String(a), Value::String(b)) => a == b,
        (other, Value::String(text)) => {
            serde_json::from_str(text).is_ok_and(|v: Value| v == *other)
        }
        (sent, stored) => sent == stored,
    }
}

fn is_cut_off(value: &Value) -> bool {
    value["object"] == "list" && value["has_more"] == true
}

fn items(list: &Value) -> &[Value] {
    list["data"].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_shows_its_object_unless_any_property_differs() {
        let account = Account::builder(5)
            .objects("invoice", 1)
            .nested_at("invoice", 0, "lines", 30)
            .build()
            .expect("an account");
        let id = account.ids("invoice").next().expect("an invoice");
        let difference = |row: &Value| account.row_difference("invoice", &id, row);
        let text = account.object_json("invoice", &id).expect("an invoice");
        let sent: Value = serde_json::from_str(&text).expect("json");
        assert_eq!(difference(&sent), None, "the row says that it has more items");
        let mut whole = sent.clone();
        let lines = account.nested_ids("invoice", &id, "lines").into_iter().map(|line| {
            let text = account.object_json("line_item", &line).expect("a line");
            serde_json::from_str(&text).expect("json")
        });
        whole["lines"]["data"] = Value::Array(lines.collect());
        whole["lines"]["has_more"] = json!(false);
        whole["_account_id"] = json!("acct_1");
        assert_eq!(difference(&whole), None);
        let mut moved = whole.clone();
        moved["_extra"] = json!({ "currency": moved["currency"] });
        moved["currency"] = Value::Null;
        assert_eq!(difference(&moved), None);
        for (change, expected) in [
            (json!({ "total": -1 }), "total differs"),
            (json!({ "metadata": { "a": "b" } }), "metadata differs"),
            (json!({ "created": null }), "created differs"),
            (json!({ "_extra": { "color": "red" } }), "_extra.color is not a property"),
            (json!({ "_extra": { "total": 1.5 } }), "total differs"),
        ] {
            let mut row = whole.clone();
            for (name, value) in change.as_object().expect("an object") {
                row[name] = value.clone();
            }
            assert_eq!(difference(&row).as_deref(), Some(expected));
        }
        whole["lines"]["data"].as_array_mut().expect("lines").pop();
        assert_eq!(difference(&whole).as_deref(), Some("lines has 29 of 30 items"));
        let missing = account.row_difference("invoice", "in_missing", &whole);
        assert_eq!(missing.as_deref(), Some("the object does not exist"));
    }

    #[test]
    fn numbers_may_be_stored_in_another_type() {
        for (sent, stored, shown) in [
            (json!("12.5"), json!(12.5), true),
            (json!("x"), json!(12.5), false),
            (json!(5), json!("5"), true),
            (json!({"a": 1}), json!("{\"a\":1}"), true),
            (json!(5.0), json!(5), true),
            (json!("5"), json!("6"), false),
            (json!(false), json!(null), false),
            (json!([1, 2]), json!([1]), false),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), false),
        ] {
            assert_eq!(is_shown(&sent, &stored), shown, "{sent} {stored}");
        }
    }
}
