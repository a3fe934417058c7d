//! Properties of lists, tested without HTTP through the function that answers HTTP requests.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::account::Account;
use crate::answer::{ListOptions, answer};
use crate::api_error::ApiError;
use crate::catalog::{catalog, listable_objects};
use crate::collection::{Source, collections};
use crate::generator::percent_encode;
use crate::id::CustomIds;
use crate::route::route;
fn get_shuffled(account: &Account, target: &str, shuffle: Option<u64>) -> Result<Value, ApiError> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = route(path).unwrap_or_else(|| panic!("no route for {path}"));
    let options = ListOptions { shuffle, ..ListOptions::default() };
    let body = answer(account, &options, &route, path, query)?;
    Ok(serde_json::from_str(&body).unwrap_or_else(|e| panic!("{target}: {e}: {body}")))
}

fn get(account: &Account, target: &str) -> Result<Value, ApiError> {
    get_shuffled(account, target, None)
}

fn ids_of(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|o| o["id"].as_str().unwrap().to_owned()).collect()
}

fn encoded(id: &str) -> String {
    let mut out = String::new();
    percent_encode(id, &mut out);
    out
}

/// Reads all pages of a list.
fn read(account: &Account, path: &str, query: &str, limit: usize) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let cursor =
            ids.last().map(|id| format!("&starting_after={}", encoded(id))).unwrap_or_default();
        let page = get(account, &format!("{path}?limit={limit}{cursor}&{query}")).unwrap();
        let page_ids = ids_of(&page);
        assert!(page_ids.len() <= limit);
        let has_more = page["has_more"] == true;
        assert!(!has_more || page_ids.len() == limit);
        ids.extend(page_ids);
        if !has_more {
            return ids;
        }
    }
}

fn customers(seed: u64, count: u64, same_second: f64) -> Account {
    Account::builder(seed)
        .objects("customer", count)
        .same_second(same_second)
        .window(1_000_000, 1_200_000)
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn paging_returns_each_id_once_and_newest_first(
        seed in 0u64..1000, count in 0u64..400, limit in 1usize..101, same_second in 0.0f64..1.0,
    ) {
        let account = customers(seed, count, same_second);
        let ids = read(&account, "/v1/customers", "", limit);
        prop_assert_eq!(&ids, &account.ids("customer").collect::<Vec<_>>());
        prop_assert_eq!(ids.iter().collect::<HashSet<_>>().len() as u64, count);
        let created: Vec<i64> = ids.iter().map(|id| {
            let text = account.object_json("customer", id).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()["created"].as_i64().unwrap()
        }).collect();
        prop_assert!(created.windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn ranges_of_created_partition_the_list(
        seed in 0u64..1000, count in 1u64..400, cuts in prop::collection::vec(999_990i64..1_200_010, 0..6),
    ) {
        let account = customers(seed, count, 0.1);
        let mut cuts = cuts;
        cuts.extend([i64::from(i32::MIN), i64::from(i32::MAX)]);
        cuts.sort_unstable();
        let mut ids = Vec::new();
        for window in cuts.windows(2).rev() {
            let query = format!("created[gte]={}&created%5Blt%5D={}", window[0], window[1]);
            ids.extend(read(&account, "/v1/customers", &query, 7));
        }
        prop_assert_eq!(ids, account.ids("customer").collect::<Vec<_>>());
    }

    #[test]
    fn ending_before_returns_the_page_before_the_cursor(seed in 0u64..1000, count in 2u64..300, at in 0usize..300, limit in 1usize..20) {
        let account = customers(seed, count, 0.3);
        let all: Vec<String> = account.ids("customer").collect();
        let at = at % all.len();
        let page = get(&account, &format!("/v1/customers?limit={limit}&ending_before={}", all[at])).unwrap();
        prop_assert_eq!(ids_of(&page), all[at.saturating_sub(limit)..at].to_vec());
        prop_assert_eq!(page["has_more"].as_bool().unwrap(), at > limit);
    }

    #[test]
    fn paging_includes_insertions_and_excludes_deletions(
        seed in 0u64..1000,
        deleted in prop::collection::hash_set(0usize..120, 0..40),
        inserted in prop::collection::vec(1_000_000i64..1_200_000, 0..30),
        limit in 1usize..40,
    ) {
        let account = customers(seed, 120, 0.2);
        let before: Vec<String> = account.ids("customer").collect();
        for at in &deleted {
            account.delete("customer", &before[*at]).unwrap();
        }
        let inserted: Vec<String> = inserted.iter()
            .map(|created| account.insert("customer", json!({"created": created})).unwrap())
            .collect();
        let ids = read(&account, "/v1/customers", "", limit);
        let expected: HashSet<&String> = before.iter().enumerate()
            .filter(|(at, _)| !deleted.contains(at)).map(|(_, id)| id).chain(&inserted).collect();
        prop_assert_eq!(ids.len(), expected.len());
        prop_assert_eq!(ids.iter().collect::<HashSet<_>>(), expected);
        prop_assert_eq!(account.count("customer"), ids.len() as u64);
        let halves = [
            read(&account, "/v1/customers", "created[gt]=1100000", limit),
            read(&account, "/v1/customers", "created[lte]=1100000", limit),
        ].concat();
        prop_assert_eq!(halves, ids);
    }
}

#[test]
fn shuffling_keeps_all_objects_of_a_second() {
    let account = customers(5, 200, 1.0);
    let all: HashSet<String> = account.ids("customer").collect();
    let mut orders = HashSet::new();
    for shuffle in 0..20 {
        let first = get_shuffled(&account, "/v1/customers?limit=100", Some(shuffle)).unwrap();
        let first = ids_of(&first);
        let next = format!("/v1/customers?limit=100&starting_after={}", first[99]);
        let second = ids_of(&get_shuffled(&account, &next, Some(shuffle)).unwrap());
        let both: HashSet<String> = first.iter().chain(&second).cloned().collect();
        assert_eq!(both, all);
        orders.insert(first);
    }
    assert!(orders.len() > 10, "only {} orders", orders.len());
}

#[test]
fn every_top_level_list_contains_its_objects_and_each_can_be_retrieved() {
    for style in [CustomIds::Plain, CustomIds::Hostile] {
        let account = Account::builder(11).uniform(23).custom_ids(style).build().unwrap();
        for list in catalog().lists.iter().filter(|l| l.free) {
            let object = &list.objects[0];
            let query = match list.path.as_str() {
                "/v1/subscriptions" => "status=all",
                "/v1/billing/credit_balance_transactions" => continue,
                _ => "",
            };
            let ids = if !list.paged {
                ids_of(&get(&account, &list.path).unwrap())
            } else if object == "price" {
                let mut both = read(&account, &list.path, "active=true", 5);
                both.extend(read(&account, &list.path, "active=false", 5));
                both
            } else {
                read(&account, &list.path, query, 5)
            };
            let listed: HashSet<&String> = ids.iter().collect();
            let expected: HashSet<String> = account.ids(object).collect();
            assert_eq!(listed, expected.iter().collect(), "{}", list.path);
            assert!(!ids.is_empty(), "{}", list.path);
            for id in ids.iter().filter(|_| list.retrieve.is_some()) {
                let got = get(&account, &format!("{}/{}", list.path, encoded(id))).unwrap();
                assert_eq!(
                    (got["id"].as_str(), got["object"].as_str()),
                    (Some(id.as_str()), Some(object.as_str()))
                );
                assert_eq!(got.to_string(), {
                    let text = account.object_json(object, id).unwrap();
                    serde_json::from_str::<Value>(&text).unwrap().to_string()
                });
            }
        }
    }
}

#[test]
fn every_child_list_contains_exactly_the_children_of_its_parent() {
    let account = Account::builder(3)
        .uniform(4)
        .objects("tax.calculation", 2)
        .objects("tax.transaction", 2)
        .objects("source", 2)
        .nested_at("invoice", 0, "lines", 250)
        .build()
        .unwrap();
    for (number, list) in catalog().lists.iter().enumerate() {
        let Source::Children { collection, parent, in_path, param } =
            &collections().sources[number]
        else {
            continue;
        };
        let name = &collections().get(*collection).name;
        let parent_object = catalog().name(*parent);
        for parent_id in account.ids(parent_object) {
            let expected = account.nested_ids(parent_object, &parent_id, name);
            let required = "customer=cus_x&end_time=2&start_time=1&ownership=fcaowns_x";
            let others = required
                .split('&')
                .filter(|p| list.required.iter().any(|r| r != param && p.starts_with(r.as_str())));
            let others = others.collect::<Vec<_>>().join("&");
            let (path, query) = if *in_path {
                let open = list.path.find('{').unwrap();
                let close = list.path.find('}').unwrap();
                (
                    format!(
                        "{}{}{}",
                        &list.path[..open],
                        encoded(&parent_id),
                        &list.path[close + 1..]
                    ),
                    others,
                )
            } else {
                (list.path.clone(), format!("{param}={parent_id}&{others}"))
            };
            let got = if list.paged {
                read(&account, &path, &query, 2)
            } else {
                ids_of(&get(&account, &path).unwrap())
            };
            assert_eq!(got, expected, "{path}");
        }
    }
    assert_eq!(account.nested_count_total("invoice", "lines"), {
        let each = account
            .ids("invoice")
            .map(|id| account.nested_ids("invoice", &id, "lines").len() as u64);
        each.sum::<u64>()
    });
}

#[test]
fn references_name_existing_objects_and_are_mutual() {
    let account = Account::builder(9).demo().build().unwrap();
    for object in listable_objects().filter(|o| !matches!(*o, "event" | "tax_code")) {
        let kind = catalog().kind(object).unwrap();
        for id in account.ids(object).take(60) {
            let value: Value =
                serde_json::from_str(&account.object_json(object, &id).unwrap()).unwrap();
            for (name, property) in &catalog().object(kind).properties {
                let Some(text) = value[name].as_str().filter(|_| !property.expandable.is_empty())
                else {
                    continue;
                };
                let exists =
                    property.expandable.iter().any(|t| account.object_json(t, text).is_some());
                let placeholder = text.contains("SimulatedElsewhere") || text == account.id();
                assert!(exists || placeholder, "{object}.{name} = {text}");
            }
        }
    }
    let field = |object: &str, id: &str, name: &str| -> Option<String> {
        let value: Value = serde_json::from_str(&account.object_json(object, id)?).unwrap();
        value[name].as_str().map(ToOwned::to_owned)
    };
    let mut transactions = 0;
    for charge in account.ids("charge") {
        let intent = field("charge", &charge, "payment_intent").unwrap();
        assert_eq!(field("payment_intent", &intent, "latest_charge").as_ref(), Some(&charge));
        if let Some(transaction) = field("charge", &charge, "balance_transaction") {
            assert_eq!(
                field("balance_transaction", &transaction, "source").as_ref(),
                Some(&charge)
            );
            transactions += 1;
        }
    }
    assert!(transactions > 2_000, "{transactions}");
    for subscription in account.ids("subscription").take(200) {
        let Some(invoice) = field("subscription", &subscription, "latest_invoice") else {
            continue;
        };
        let value: Value =
            serde_json::from_str(&account.object_json("invoice", &invoice).unwrap()).unwrap();
        assert_eq!(value["parent"]["subscription_details"]["subscription"], subscription.as_str());
        assert_eq!(
            value["customer"].as_str(),
            field("subscription", &subscription, "customer").as_deref()
        );
        let lines = value["lines"]["data"].as_array().unwrap();
        let sum: i64 = lines.iter().map(|l| l["amount"].as_i64().unwrap()).sum();
        assert_eq!(value["total"], sum);
    }
}
