//! Ids that look random and still say which object they name.
//!
//! An id is a type's prefix and 24 base-62 characters that hold the encrypted [`Key`]: no map is needed to find the
//! object again, and the order of ids says nothing about the order of objects. Some types have ids of their own kind:
//! codes of countries and currencies, and ids that the account's owner chose for products, plans and coupons.

use crate::catalog::{Kind, catalog};
use crate::collection::{CollectionId, Key, collections};
use crate::seed::{mix, mix2};

/// How ids of products, plans and coupons look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CustomIds {
    /// As Stripe makes them.
    None,
    /// Some were chosen by the owner: `gold-13`.
    #[default]
    Plain,
    /// Some hold spaces, quotes, slashes, percent signs and letters beyond ASCII.
    Hostile,
}

/// Makes and reads the ids of one account.
#[derive(Debug)]
pub(crate) struct Ids {
    rounds: [u64; 4],
    check: u32,
    custom: CustomIds,
    prefixes: Vec<String>,
    named: Named,
}

#[derive(Debug)]
struct Named {
    country_spec: Option<Kind>,
    exchange_rate: Option<Kind>,
    report_type: Option<Kind>,
    tax_code: Option<Kind>,
    coupon: Option<Kind>,
    product: Option<Kind>,
    plan: Option<Kind>,
    price: Option<Kind>,
    capability: Option<Kind>,
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const MARK: &str = "1S";
const CAPABILITIES: [&str; 6] = [
    "card_payments",
    "transfers",
    "us_bank_account_ach_payments",
    "link_payments",
    "sepa_debit_payments",
    "legacy_payments",
];

impl Ids {
    pub(crate) fn new(seed: u64, live: bool, custom: CustomIds) -> Self {
        let key = mix2(seed, 0x1d5);
        let catalog = catalog();
        Self {
            rounds: [mix2(key, 1), mix2(key, 2), mix2(key, 3), mix2(key, 4)],
            check: mix2(key, 5) as u32,
            custom,
            prefixes: (0..catalog.len()).map(|kind| prefix(kind, live)).collect(),
            named: Named {
                country_spec: catalog.kind("country_spec"),
                exchange_rate: catalog.kind("exchange_rate"),
                report_type: catalog.kind("reporting.report_type"),
                tax_code: catalog.kind("tax_code"),
                coupon: catalog.kind("coupon"),
                product: catalog.kind("product"),
                plan: catalog.kind("plan"),
                price: catalog.kind("price"),
                capability: catalog.kind("capability"),
            },
        }
    }

    /// The id of the account that owns the keys.
    pub(crate) fn own_account(&self) -> String {
        let mut id = String::from("acct_1S");
        // Both modes of an account share its id.
        push62(&mut id, mix(u64::from(self.check)));
        id.push_str("Sim");
        id
    }

    /// Appends the id of the object that `key` names, which is of type `kind`.
    pub(crate) fn write(&self, kind: Kind, key: Key, out: &mut String) {
        let own = Some(kind);
        let index = key.index;
        let n = &self.named;
        if own == n.plan {
            if let (Some(price), true) = (n.price, index < crate::collection::INSERTED) {
                let index = price_of_plan(index);
                return self.write(price, Key { collection: price, index, sub: 0 }, out);
            }
        } else if own == n.country_spec {
            return letters(out, index, b'A', 2);
        } else if own == n.exchange_rate {
            return letters(out, index, b'a', 3);
        } else if own == n.report_type {
            out.push_str("simulated.report_");
            return push_int(out, index, ".1");
        } else if own == n.tax_code {
            out.push_str("txcd_");
            return push_int(out, 10_000_000 + index, "");
        } else if own == n.capability {
            match CAPABILITIES.get(key.sub as usize) {
                Some(name) => out.push_str(name),
                None => {
                    out.push_str("capability_");
                    push_int(out, u64::from(key.sub), "");
                }
            }
            return;
        }
        if let Some(style) = self.custom_style(kind, index) {
            out.push_str(style);
            return push_int(out, index, "");
        }
        out.push_str(&self.prefixes[kind]);
        let (left, right) = self.encrypt(key);
        out.push_str(if own == n.coupon { "" } else { MARK });
        push62(out, left);
        push62(out, right);
    }

    /// The key that an id of type `kind` names. It need not exist; whoever asks checks the bounds.
    pub(crate) fn read(&self, kind: Kind, id: &str) -> Option<Key> {
        let key = self.guess(kind, id)?;
        let mut again = String::with_capacity(id.len());
        self.write(kind, key, &mut again);
        (again == id).then_some(key)
    }

    fn guess(&self, kind: Kind, id: &str) -> Option<Key> {
        let own = Some(kind);
        let n = &self.named;
        let rooted = |index| Some(Key { collection: kind, index, sub: 0 });
        if own == n.plan {
            if let Some(price) = n.price.and_then(|price| self.guess(price, id))
                && Some(price.collection) == n.price
            {
                return rooted(plan_of_price(price.index)?);
            }
        } else if own == n.country_spec {
            return rooted(from_letters(id, b'A', 2)?);
        } else if own == n.exchange_rate {
            return rooted(from_letters(id, b'a', 3)?);
        } else if own == n.report_type {
            return rooted(id.strip_prefix("simulated.report_")?.strip_suffix(".1")?.parse().ok()?);
        } else if own == n.tax_code {
            return rooted(id.strip_prefix("txcd_")?.parse::<u64>().ok()?.checked_sub(10_000_000)?);
        }
        let body = id.strip_prefix(self.prefixes[kind].as_str());
        let body = if own == n.coupon { body } else { body.and_then(|b| b.strip_prefix(MARK)) };
        let encrypted = body.filter(|b| b.len() == 22 && b.is_ascii()).and_then(|b| {
            let key = self.decrypt(read62(&b[..11])?, read62(&b[11..])?)?;
            collections().get(key.collection).kinds.contains(&kind).then_some(key)
        });
        if encrypted.is_some() {
            return encrypted;
        }
        let digits = id.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        rooted(id[digits..].parse().ok()?)
    }

    /// The name of a connected account's capability, which is not an id of ours.
    pub(crate) fn read_capability(id: &str) -> Option<u32> {
        let named = CAPABILITIES.iter().position(|c| *c == id).map(|at| at as u32);
        named.or_else(|| id.strip_prefix("capability_")?.parse().ok())
    }

    fn custom_style(&self, kind: Kind, index: u64) -> Option<&'static str> {
        let own = Some(kind);
        let n = &self.named;
        let chosen = own == n.product || own == n.coupon || (own == n.price && index % 4 != 3);
        if self.custom == CustomIds::None || !chosen || index >= crate::collection::INSERTED {
            return None;
        }
        match (index % 10, self.custom) {
            (6, _) => Some("gold-"),
            (1, CustomIds::Hostile) => Some("gold plan "),
            (4, CustomIds::Hostile) => Some("50%/off? no "),
            (8, CustomIds::Hostile) => Some("l'\u{e9}t\u{e9} \"a\" & b#+ "),
            (9, CustomIds::Hostile) => Some("../\u{96ea}%2F-"),
            _ => None,
        }
    }

    fn encrypt(&self, key: Key) -> (u64, u64) {
        let mut left = (key.index << 16) | key.collection as u64;
        let mut right = (u64::from(key.sub) << 32) | u64::from(self.check);
        for pair in self.rounds.chunks_exact(2) {
            left ^= mix(right ^ pair[0]);
            right ^= mix(left ^ pair[1]);
        }
        (left, right)
    }

    fn decrypt(&self, mut left: u64, mut right: u64) -> Option<Key> {
        for pair in self.rounds.chunks_exact(2).rev() {
            right ^= mix(left ^ pair[1]);
            left ^= mix(right ^ pair[0]);
        }
        let collection = (left & 0xffff) as CollectionId;
        let known = right as u32 == self.check && collection < collections().len();
        known.then_some(Key { collection, index: left >> 16, sub: (right >> 32) as u32 })
    }
}

fn prefix(kind: Kind, live: bool) -> String {
    let catalog = catalog();
    let name = catalog.name(kind);
    let prefixes = &catalog.object(kind).prefixes;
    match name {
        "line_item" => return "il_".to_owned(),
        "billing.meter" => return "mtr_".to_owned(),
        "coupon" => return String::new(),
        _ => {}
    }
    let with_mode =
        prefixes.iter().find(|p| p.contains("_test_") != live && p.matches('_').count() > 1);
    let plain = prefixes.iter().find(|p| !p.contains("_test_") && !p.contains("_live_"));
    match (with_mode, plain) {
        (Some(p), _) if !live || p.contains("_live_") => p.clone(),
        (_, Some(p)) => p.clone(),
        _ => format!("{}_", name.replace(['.', '_'], "")),
    }
}

/// Plans are the recurring prices: three of four.
pub(crate) fn price_of_plan(plan: u64) -> u64 {
    plan / 3 * 4 + plan % 3
}

/// The plan that shares the id of a price, if that is a recurring one.
pub(crate) fn plan_of_price(price: u64) -> Option<u64> {
    (price % 4 != 3).then(|| price / 4 * 3 + price % 4)
}

fn push62(out: &mut String, mut value: u64) {
    let mut text = [b'0'; 11];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[(value % 62) as usize];
        value /= 62;
    }
    out.extend(text.iter().map(|d| char::from(*d)));
}

fn read62(text: &str) -> Option<u64> {
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        value.checked_mul(62)?.checked_add(u64::from(digit))
    })
}

fn push_int(out: &mut String, value: u64, tail: &str) {
    out.push_str(&value.to_string());
    out.push_str(tail);
}

/// Counts in words of letters: all of `width` letters, then the longer ones.
fn letters(out: &mut String, mut index: u64, first: u8, mut width: u32) {
    let mut size = 26u64.pow(width);
    while index >= size && width < 12 {
        index -= size;
        width += 1;
        size = 26u64.pow(width);
    }
    for place in (0..width).rev() {
        out.push(char::from(first + (index / 26u64.pow(place) % 26) as u8));
    }
}

fn from_letters(text: &str, first: u8, least: u32) -> Option<u64> {
    let width = text.len() as u32;
    if width < least || width > 12 {
        return None;
    }
    let shorter: u64 = (least..width).map(|w| 26u64.pow(w)).sum();
    let value = text.bytes().try_fold(0u64, |value, byte| {
        let digit = byte.checked_sub(first).filter(|d| *d < 26)?;
        Some(value * 26 + u64::from(digit))
    })?;
    Some(shorter + value)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_a_bijection() {
        for custom in [CustomIds::None, CustomIds::Plain, CustomIds::Hostile] {
            for live in [false, true] {
                let ids = Ids::new(7, live, custom);
                for collection in 0..collections().len() {
                    for kind in collections().get(collection).kinds.clone() {
                        bijection_of(&ids, kind, collection);
                    }
                }
            }
        }
    }

    fn bijection_of(ids: &Ids, kind: Kind, collection: CollectionId) {
        if catalog().name(kind) == "capability" {
            return;
        }
        let child = collections().get(collection).parent.is_some();
        let mut seen = HashSet::new();
        for i in (0..800).chain([1 << 30, crate::collection::INSERTED + 5]) {
            let key = Key { collection, index: i, sub: if child { i as u32 + 3 } else { 0 } };
            let mut id = String::new();
            ids.write(kind, key, &mut id);
            assert_eq!(ids.read(kind, &id), Some(key), "{} {i}: {id}", catalog().name(kind));
            assert!(seen.insert(id));
        }
    }

    #[test]
    fn another_account_and_another_type_do_not_read_an_id() {
        let (one, two) =
            (Ids::new(1, false, CustomIds::Plain), Ids::new(2, false, CustomIds::Plain));
        let customer = catalog().kind("customer").unwrap();
        let mut id = String::new();
        one.write(customer, Key { collection: customer, index: 9, sub: 0 }, &mut id);
        assert!(id.starts_with("cus_1S") && id.len() == 28, "{id}");
        assert_eq!(two.read(customer, &id), None);
        assert_eq!(one.read(catalog().kind("charge").unwrap(), &id), None);
        for broken in ["", "cus_", "cus_nope", "gold", "cus_1S00000000000000000000000", "\u{e9}"] {
            assert_eq!(one.read(customer, broken), None, "{broken}");
        }
    }
}
