//! References between objects.
//!
//! The children of a parent have a contiguous range of indexes: child `i` of `C` children belongs
//! to parent `i * P / C` of `P` parents. The customer of an invoice and the invoices of a customer
//! can therefore both be computed, and related objects are created at about the same time.

use std::ops::Range;

use crate::catalog::{Kind, catalog};
use crate::collection::FIRST_INSERTED_INDEX;
use crate::seed::mix;
use crate::timeline::{muldiv, muldiv_up};

/// One step of a path of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// To the parent, which has this type.
    Up(Kind),
    /// To the newest child of this type.
    Newest(Kind),
}

/// `(object, property, path)`: `^x` is a step to the parent of type x, `.x` is a step to the newest
/// child of type x. A step to a parent type without objects is skipped.
const PATHS: &[(&str, &str, &str)] = &[
    ("charge", "customer", "^payment_intent ^customer"),
    ("charge", "payment_intent", "^payment_intent"),
    ("charge", "payment_method", "^payment_intent ^customer .payment_method"),
    ("charge", "application_fee", ".application_fee"),
    ("charge", "review", ".review"),
    ("payment_intent", "customer", "^customer"),
    ("payment_intent", "latest_charge", ".charge"),
    ("payment_intent", "payment_method", "^customer .payment_method"),
    ("payment_intent", "review", ".charge .review"),
    ("invoice", "customer", "^subscription ^customer"),
    ("invoice", "subscription", "^subscription"),
    ("invoice", "default_payment_method", "^subscription ^customer .payment_method"),
    ("invoiceitem", "invoice", "^invoice"),
    ("invoiceitem", "customer", "^invoice ^subscription ^customer"),
    ("invoice_payment", "invoice", "^invoice"),
    ("invoice_payment", "payment_intent", "^payment_intent"),
    ("subscription", "customer", "^customer"),
    ("subscription", "latest_invoice", ".invoice"),
    ("subscription", "default_payment_method", "^customer .payment_method"),
    ("subscription", "schedule", ".subscription_schedule"),
    ("subscription_schedule", "subscription", "^subscription"),
    ("subscription_schedule", "customer", "^subscription ^customer"),
    ("payment_method", "customer", "^customer"),
    ("setup_intent", "customer", "^customer"),
    ("setup_intent", "payment_method", "^customer .payment_method"),
    ("refund", "charge", "^charge"),
    ("refund", "payment_intent", "^charge ^payment_intent"),
    ("dispute", "charge", "^charge"),
    ("dispute", "payment_intent", "^charge ^payment_intent"),
    ("review", "charge", "^charge"),
    ("review", "payment_intent", "^charge ^payment_intent"),
    ("radar.early_fraud_warning", "charge", "^charge"),
    ("radar.early_fraud_warning", "payment_intent", "^charge ^payment_intent"),
    ("application_fee", "charge", "^charge"),
    ("credit_note", "invoice", "^invoice"),
    ("credit_note", "customer", "^invoice ^subscription ^customer"),
    ("checkout.session", "payment_intent", "^payment_intent"),
    ("checkout.session", "customer", "^payment_intent ^customer"),
    ("price", "product", "^product"),
    ("product", "default_price", ".price"),
    ("promotion_code", "coupon", "^coupon"),
    ("quote", "customer", "^customer"),
    ("file_link", "file", "^file"),
    ("identity.verification_report", "verification_session", "^identity.verification_session"),
    ("identity.verification_session", "last_verification_report", ".identity.verification_report"),
    ("issuing.card", "cardholder", "^issuing.cardholder"),
    ("issuing.authorization", "card", "^issuing.card"),
    ("issuing.authorization", "cardholder", "^issuing.card ^issuing.cardholder"),
    ("issuing.transaction", "card", "^issuing.card"),
    ("issuing.transaction", "cardholder", "^issuing.card ^issuing.cardholder"),
    ("issuing.transaction", "authorization", "^issuing.authorization"),
    ("issuing.dispute", "transaction", "^issuing.transaction"),
    ("terminal.reader", "location", "^terminal.location"),
    ("billing.credit_grant", "customer", "^customer"),
    ("billing.credit_balance_transaction", "credit_grant", "^billing.credit_grant"),
];

/// The references between the top-level collections of one account.
#[derive(Debug)]
pub(crate) struct Relations {
    counts: Vec<u64>,
    paths: Vec<(Kind, &'static str, Vec<Step>)>,
}

impl Relations {
    pub(crate) fn new(counts: Vec<u64>) -> Self {
        let mut paths = Vec::new();
        for (object, property, text) in PATHS {
            let steps: Option<Vec<Step>> = text.split(' ').map(parse_step).collect();
            let (Some(kind), Some(steps)) = (catalog().kind(object), steps) else { continue };
            paths.push((kind, *property, skip_empty_types(steps, &counts)));
        }
        Self { counts, paths }
    }

    /// The number of objects of a type with which the account was built.
    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.counts[kind]
    }

    /// The steps from an object to the object that its property names.
    pub(crate) fn path(&self, kind: Kind, property: &str) -> Option<&[Step]> {
        self.paths
            .iter()
            .find(|(k, p, _)| *k == kind && *p == property)
            .map(|(_, _, steps)| &steps[..])
    }

    /// Follows the steps from the object `index` of type `kind`.
    pub(crate) fn follow(&self, kind: Kind, index: u64, steps: &[Step]) -> Option<(Kind, u64)> {
        let (mut kind, mut index) = (kind, index);
        for step in steps {
            let next = match *step {
                Step::Up(to) => (to, self.up(kind, index, to)?),
                Step::Newest(to) => {
                    let children = self.children(to, kind, index..index + 1);
                    if children.is_empty() {
                        return None;
                    }
                    (to, children.end - 1)
                }
            };
            (kind, index) = next;
        }
        Some((kind, index))
    }

    /// The index of the parent of type `to`.
    fn up(&self, kind: Kind, index: u64, to: Kind) -> Option<u64> {
        let parents = self.counts[to];
        if parents == 0 {
            return None;
        }
        // The index of an inserted object is not in the proportional range. Its parent is
        // pseudo-random.
        if index >= FIRST_INSERTED_INDEX || index >= self.counts[kind] {
            return Some(mix(index) % parents);
        }
        Some(muldiv(index, parents, self.counts[kind]))
    }

    /// The children of type `child` of a range of parents. An inserted parent has no children.
    fn children(&self, child: Kind, parent: Kind, range: Range<u64>) -> Range<u64> {
        let (children, parents) = (self.counts[child], self.counts[parent]);
        if range.start >= parents {
            return 0..0;
        }
        muldiv_up(range.start, children, parents)
            ..muldiv_up(range.end, children, parents).min(children)
    }

    /// Returns the range of objects whose property can name the object `target`.
    pub(crate) fn referring(
        &self,
        kind: Kind,
        property: &str,
        target: (Kind, u64),
    ) -> Option<Range<u64>> {
        let steps = self.path(kind, property)?;
        let mut kinds = vec![kind];
        for step in steps {
            let Step::Up(to) = step else { return None };
            kinds.push(*to);
        }
        if kinds.last() != Some(&target.0) || kinds.len() < 2 {
            return None;
        }
        let mut range = target.1..target.1 + 1;
        for pair in kinds.windows(2).rev() {
            range = self.children(pair[0], pair[1], range);
        }
        Some(range)
    }
}

fn parse_step(text: &str) -> Option<Step> {
    let kind = catalog().kind(&text[1..])?;
    Some(if text.starts_with('^') { Step::Up(kind) } else { Step::Newest(kind) })
}

fn skip_empty_types(steps: Vec<Step>, counts: &[u64]) -> Vec<Step> {
    let last = steps.len() - 1;
    let keep = |(at, step): &(usize, Step)| match step {
        Step::Up(kind) => *at == last || counts[*kind] > 0,
        Step::Newest(_) => true,
    };
    steps.into_iter().enumerate().filter(keep).map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relations(sizes: &[(&str, u64)]) -> Relations {
        let mut counts = vec![0; catalog().len()];
        for (name, count) in sizes {
            counts[catalog().kind(name).unwrap()] = *count;
        }
        Relations::new(counts)
    }

    #[test]
    fn all_paths_consist_of_known_types() {
        assert_eq!(relations(&[]).paths.len(), PATHS.len());
    }

    #[test]
    fn parents_and_children_are_computed_consistently() {
        for sizes in [[10, 7, 33], [10, 100, 3], [1, 1, 1], [5, 0, 12]] {
            let r = relations(&[
                ("customer", sizes[0]),
                ("subscription", sizes[1]),
                ("invoice", sizes[2]),
            ]);
            let (invoice, customer) =
                (catalog().kind("invoice").unwrap(), catalog().kind("customer").unwrap());
            let steps = r.path(invoice, "customer").unwrap();
            for i in 0..sizes[2] {
                let target = r.follow(invoice, i, steps).unwrap();
                assert_eq!(target.0, customer);
                for c in 0..sizes[0] {
                    let range = r.referring(invoice, "customer", (customer, c)).unwrap();
                    assert_eq!(
                        range.contains(&i),
                        c == target.1,
                        "{sizes:?} invoice {i} customer {c}"
                    );
                }
            }
        }
    }
}
