//! Building an account: how many of what, when, and with which peculiarities.

use std::fmt;
use std::sync::{Arc, RwLock};

use super::overlay::Overlay;
use super::sizes::Sizes;
use super::{Account, Inner};
use crate::catalog::{Kind, catalog};
use crate::clock::{Clock, system_seconds};
use crate::collection::{INSERTED, INSERTED_SUB, collections};
use crate::id::{CustomIds, Ids};
use crate::recipe::{Recipe, Scene, money_parts};
use crate::relation::Relations;
use crate::seed::mix2;
use crate::timeline::{Interleave, Timeline};

const DAY: i64 = 86_400;
/// Stripe keeps events for thirty days. <https://docs.stripe.com/api/events>
pub(crate) const EVENT_DAYS: i64 = 30;

/// The proportions of [`AccountBuilder::demo`]: about twenty thousand objects of a subscription business.
const DEMO: &[(&str, u64)] = &[
    ("customer", 2_500),
    ("product", 40),
    ("price", 120),
    ("plan", 90),
    ("coupon", 12),
    ("promotion_code", 30),
    ("subscription", 1_800),
    ("subscription_schedule", 40),
    ("invoice", 3_600),
    ("invoiceitem", 500),
    ("invoice_payment", 2_700),
    ("credit_note", 50),
    ("quote", 20),
    ("payment_method", 2_200),
    ("setup_intent", 250),
    ("payment_intent", 2_300),
    ("charge", 2_200),
    ("refund", 110),
    ("dispute", 15),
    ("payout", 150),
    ("balance_transaction", 2_500),
    ("checkout.session", 400),
    ("payment_link", 6),
    ("tax_rate", 6),
    ("tax_id", 2),
    ("shipping_rate", 4),
    ("file", 10),
    ("file_link", 6),
    ("review", 9),
    ("radar.early_fraud_warning", 5),
    ("radar.value_list", 6),
    ("webhook_endpoint", 2),
    ("entitlements.feature", 6),
    ("billing.meter", 3),
    ("billing_portal.configuration", 1),
    ("payment_method_configuration", 1),
    ("payment_method_domain", 2),
    ("tax_code", 60),
    ("country_spec", 40),
    ("exchange_rate", 90),
    ("event", 900),
];

/// Why an account could not be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildError {
    /// No object of Stripe's is called this.
    UnknownObject(String),
    /// The object has no nested list of this name.
    UnknownNested(String, String),
    /// More objects than ids can number.
    TooMany(String, u64),
    /// The window of creation times ends before it starts.
    EmptyWindow,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownObject(name) => write!(f, "no object is called `{name}`"),
            Self::UnknownNested(object, name) => {
                write!(f, "`{object}` has no nested list `{name}`")?;
                let kind = catalog().kind(object);
                let known: Vec<&str> = kind
                    .into_iter()
                    .flat_map(|kind| collections().children_of(kind))
                    .map(|id| collections().get(id).name.as_str())
                    .collect();
                if known.is_empty() { Ok(()) } else { write!(f, "; it has {}", known.join(", ")) }
            }
            Self::TooMany(name, count) => {
                write!(f, "{count} of `{name}` are more than ids can number")
            }
            Self::EmptyWindow => f.write_str("the window of creation times ends before it starts"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Collects the properties of an account; see [`Account::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct AccountBuilder {
    seed: u64,
    live: bool,
    window: Option<(i64, i64)>,
    crowd: f64,
    custom_ids: CustomIds,
    custom_payment_methods: bool,
    counts: Vec<u64>,
    sizes: Vec<Sizes>,
    wrong: Option<BuildError>,
}

impl AccountBuilder {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            seed,
            live: false,
            window: None,
            crowd: 0.0,
            custom_ids: CustomIds::default(),
            custom_payment_methods: false,
            counts: vec![0; catalog().len()],
            sizes: (0..collections().len()).map(Sizes::standard).collect(),
            wrong: None,
        }
    }

    /// Live mode or test mode (the default).
    pub fn livemode(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// The number of objects of one type, by Stripe's name for it (`customer`, `checkout.session`).
    pub fn objects(mut self, object: &str, count: u64) -> Self {
        match catalog().kind(object) {
            None => self.fail(BuildError::UnknownObject(object.to_owned())),
            Some(_) if count >= INSERTED => {
                self.fail(BuildError::TooMany(object.to_owned(), count))
            }
            Some(kind) => self.counts[kind] = count,
        }
        self
    }

    /// `n` objects of one type and what they refer to: some customers, products and prices.
    pub fn one_type(self, object: &str, n: u64) -> Self {
        let few = (n / 20).clamp(1, 500);
        self.objects("customer", few).objects("product", 5).objects("price", 12).objects(object, n)
    }

    /// `n` objects of each of the types that can be listed without a parent.
    pub fn uniform(mut self, n: u64) -> Self {
        for kind in catalog().free_kinds() {
            self.counts[kind] = n;
        }
        self
    }

    /// About 20,000 objects in the proportions of a subscription business.
    pub fn demo(self) -> Self {
        DEMO.iter().fold(self, |builder, (object, count)| builder.objects(object, *count))
    }

    /// About 600 objects in the same proportions.
    pub fn small(self) -> Self {
        DEMO.iter()
            .fold(self, |builder, (object, count)| builder.objects(object, (count / 40).max(2)))
    }

    /// The sizes of a nested list, by the object and the property (or the last segment of the list's path).
    pub fn nested(
        mut self,
        object: &str,
        name: &str,
        sizes: std::ops::RangeInclusive<u64>,
    ) -> Self {
        if let Some(collection) = self.nested_collection(object, name, *sizes.end()) {
            (self.sizes[collection].low, self.sizes[collection].high) = sizes.into_inner();
        }
        self
    }

    /// The size of the nested list of one parent, by the parent's index: 0 is the oldest.
    pub fn nested_at(mut self, object: &str, index: u64, name: &str, size: u64) -> Self {
        if let Some(collection) = self.nested_collection(object, name, size) {
            self.sizes[collection].at.insert(index, size);
        }
        self
    }

    /// The Unix seconds between which objects were created. By default the three years up to the last midnight, UTC.
    pub fn window(mut self, from: i64, to: i64) -> Self {
        self.window = Some((from, to));
        if to <= from {
            self.fail(BuildError::EmptyWindow);
        }
        self
    }

    /// The share of each type that was created in one and the same second.
    pub fn crowd(mut self, share: f64) -> Self {
        self.crowd = share.clamp(0.0, 1.0);
        self
    }

    /// How ids of products, plans and coupons look.
    pub fn custom_ids(mut self, style: CustomIds) -> Self {
        self.custom_ids = style;
        self
    }

    /// Makes some payment methods of type `custom`, which the list hides unless asked for that type.
    pub fn custom_payment_methods(mut self, some: bool) -> Self {
        self.custom_payment_methods = some;
        self
    }

    /// Builds the account.
    ///
    /// # Errors
    /// The first wrong name or number that the builder was given.
    pub fn build(self) -> Result<Account, BuildError> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        let (from, to) = self.window.unwrap_or_else(|| {
            let midnight = system_seconds() / DAY * DAY;
            (midnight - 3 * 365 * DAY, midnight)
        });
        let ids = Ids::new(self.seed, self.live, self.custom_ids);
        let own_account = ids.own_account();
        let event = catalog().kind("event");
        let timelines: Vec<Timeline> = (0..catalog().len())
            .map(|kind| {
                // The clock is up to a day ahead of `to`, and what is too old is not listed.
                let from =
                    if Some(kind) == event { from.max(to - (EVENT_DAYS - 1) * DAY) } else { from };
                Timeline::new(self.counts[kind], from, to, mix2(self.seed, kind as u64), self.crowd)
            })
            .collect();
        let parts: Vec<u64> = money_parts().iter().map(|kind| self.counts[*kind]).collect();
        let total = catalog().kind("balance_transaction").map_or(0, |kind| self.counts[kind]);
        let plans_follow = plans_follow(&self.counts);
        let relations = Relations::new(self.counts);
        let scene = Scene {
            relations: &relations,
            live: self.live,
            own_account: &own_account,
            version: &catalog().version,
        };
        let recipes = (0..catalog().len()).map(|kind| Recipe::new(kind, &scene)).collect();
        Ok(Account {
            inner: Arc::new(Inner {
                seed: self.seed,
                live: self.live,
                to,
                hostile_ids: self.custom_ids == CustomIds::Hostile,
                custom_payment_methods: self.custom_payment_methods,
                own_account,
                ids,
                relations,
                timelines,
                plans_follow,
                sizes: self.sizes,
                recipes,
                money: Interleave::new(total, &parts),
                clock: Clock::new(),
                overlay: RwLock::new(Overlay::default()),
            }),
        })
    }

    fn nested_collection(&mut self, object: &str, name: &str, size: u64) -> Option<usize> {
        let Some(kind) = catalog().kind(object) else {
            self.fail(BuildError::UnknownObject(object.to_owned()));
            return None;
        };
        let found = collections().child(kind, name);
        if found.is_none() {
            self.fail(BuildError::UnknownNested(object.to_owned(), name.to_owned()));
        }
        if size >= u64::from(INSERTED_SUB) {
            self.fail(BuildError::TooMany(format!("{object}.{name}"), size));
        }
        found
    }

    fn fail(&mut self, error: BuildError) {
        self.wrong.get_or_insert(error);
    }
}

/// Plans take their creation times from their prices when every plan has one.
fn plans_follow(counts: &[u64]) -> Option<(Kind, Kind)> {
    let (plan, price) = (catalog().kind("plan")?, catalog().kind("price")?);
    let recurring = counts[price] / 4 * 3 + (counts[price] % 4).min(3);
    (counts[plan] <= recurring).then_some((plan, price))
}
