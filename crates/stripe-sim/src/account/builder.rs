//! Builds an account: the number of objects, their creation times and other properties.

use std::fmt;
use std::sync::{Arc, RwLock};

use tokio::sync::watch;

use super::changes::Changes;
use super::sizes::Sizes;
use super::webhook_secrets::WebhookSecrets;
use super::{Account, AccountData, EVENT_DAYS, SECONDS_PER_DAY};
use crate::catalog::{Kind, catalog};
use crate::clock::{Clock, system_seconds};
use crate::collection::{FIRST_INSERTED_INDEX, FIRST_INSERTED_SUB, collections};
use crate::generator::{GeneratorContext, ObjectGenerator, balance_sources};
use crate::id::{CustomIds, Ids};
use crate::relation::Relations;
use crate::seed::mix2;
use crate::timeline::{Interleave, Timeline};

/// The objects of [`AccountBuilder::demo`]: about 20,000 objects of a subscription business.
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
    /// Stripe has no object type of this name.
    UnknownObject(String),
    /// The object type has no nested list of this name.
    UnknownNested(String, String),
    /// There are more objects than ids can represent.
    TooMany(String, u64),
    /// The window of creation times is empty.
    EmptyWindow,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownObject(name) => write!(f, "unknown object type `{name}`"),
            Self::UnknownNested(object, name) => {
                write!(f, "`{object}` has no nested list `{name}`")?;
                let kind = catalog().kind(object);
                let known: Vec<&str> = kind
                    .into_iter()
                    .flat_map(|kind| collections().children_of(kind))
                    .map(|id| collections().get(id).name.as_str())
                    .collect();
                if known.is_empty() {
                    Ok(())
                } else {
                    write!(f, "; its nested lists are {}", known.join(", "))
                }
            }
            Self::TooMany(name, count) => {
                write!(f, "{count} objects of type `{name}` are too many for the id format")
            }
            Self::EmptyWindow => f.write_str("the window of creation times is empty"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Configures and builds an account; see [`Account::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct AccountBuilder {
    seed: u64,
    live: bool,
    window: Option<(i64, i64)>,
    same_second: f64,
    custom_ids: CustomIds,
    custom_payment_methods: bool,
    counts: Vec<u64>,
    sizes: Vec<Sizes>,
    error: Option<BuildError>,
}

impl Account {
    /// Returns a builder for an account that is computed from `seed`. Without further calls, the
    /// account has no objects.
    pub fn builder(seed: u64) -> AccountBuilder {
        AccountBuilder::new(seed)
    }
}

impl AccountBuilder {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            live: false,
            window: None,
            same_second: 0.0,
            custom_ids: CustomIds::default(),
            custom_payment_methods: false,
            counts: vec![0; catalog().len()],
            sizes: (0..collections().len()).map(Sizes::default_of).collect(),
            error: None,
        }
    }

    /// Selects live mode or test mode. The default is test mode.
    pub fn livemode(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Sets the number of objects of one type. The type has Stripe's name, such as `customer` or
    /// `checkout.session`.
    pub fn objects(mut self, object: &str, count: u64) -> Self {
        match catalog().kind(object) {
            None => self.fail(BuildError::UnknownObject(object.to_owned())),
            Some(_) if count >= FIRST_INSERTED_INDEX => {
                self.fail(BuildError::TooMany(object.to_owned(), count))
            }
            Some(kind) => self.counts[kind] = count,
        }
        self
    }

    /// Adds `n` objects of one type, and some customers, products and prices that they refer to.
    pub fn one_type(self, object: &str, n: u64) -> Self {
        let customers = (n / 20).clamp(1, 500);
        self.objects("customer", customers)
            .objects("product", 5)
            .objects("price", 12)
            .objects(object, n)
    }

    /// Adds `n` objects of each type that can be listed without a parent.
    pub fn uniform(mut self, n: u64) -> Self {
        for kind in catalog().free_kinds() {
            self.counts[kind] = n;
        }
        self
    }

    /// Adds about 20,000 objects in the proportions of a subscription business.
    pub fn demo(self) -> Self {
        DEMO.iter().fold(self, |builder, (object, count)| builder.objects(object, *count))
    }

    /// Adds about 600 objects in the same proportions.
    pub fn small(self) -> Self {
        DEMO.iter()
            .fold(self, |builder, (object, count)| builder.objects(object, (count / 40).max(2)))
    }

    /// Sets the range of sizes of a nested list. `name` is the property that contains the list, or
    /// the last segment of the list's path.
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

    /// Sets the size of the nested list of one parent. The oldest parent has index 0.
    pub fn nested_at(mut self, object: &str, index: u64, name: &str, size: u64) -> Self {
        if let Some(collection) = self.nested_collection(object, name, size) {
            self.sizes[collection].by_parent.insert(index, size);
        }
        self
    }

    /// Sets the range of creation times in Unix seconds. The default is the three years before the
    /// last midnight (UTC).
    pub fn window(mut self, from: i64, to: i64) -> Self {
        self.window = Some((from, to));
        if to <= from {
            self.fail(BuildError::EmptyWindow);
        }
        self
    }

    /// Sets the share (0 to 1) of the objects of each type that are created in the same second.
    pub fn same_second(mut self, share: f64) -> Self {
        self.same_second = share.clamp(0.0, 1.0);
        self
    }

    /// Sets the form of the ids of products, plans and coupons.
    pub fn custom_ids(mut self, style: CustomIds) -> Self {
        self.custom_ids = style;
        self
    }

    /// Gives some payment methods the type `custom`. Lists hide these unless the request selects
    /// the type.
    pub fn custom_payment_methods(mut self, enabled: bool) -> Self {
        self.custom_payment_methods = enabled;
        self
    }

    /// Builds the account.
    ///
    /// # Errors
    /// The first invalid name or number that was passed to the builder.
    pub fn build(self) -> Result<Account, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let (from, to) = self.window.unwrap_or_else(|| {
            let midnight = system_seconds() / SECONDS_PER_DAY * SECONDS_PER_DAY;
            (midnight - 3 * 365 * SECONDS_PER_DAY, midnight)
        });
        let ids = Ids::new(self.seed, self.live, self.custom_ids);
        let own_account = ids.own_account();
        let event = catalog().kind("event");
        let timelines: Vec<Timeline> = (0..catalog().len())
            .map(|kind| {
                // The clock is up to one day ahead of `to`, and lists do not contain events that
                // are too old.
                let from = if Some(kind) == event {
                    from.max(to - (EVENT_DAYS - 1) * SECONDS_PER_DAY)
                } else {
                    from
                };
                let salt = mix2(self.seed, kind as u64);
                Timeline::new(self.counts[kind], from, to, salt, self.same_second)
            })
            .collect();
        let parts: Vec<u64> = balance_sources().iter().map(|kind| self.counts[*kind]).collect();
        let total = catalog().kind("balance_transaction").map_or(0, |kind| self.counts[kind]);
        let plan_and_price = plan_and_price(&self.counts);
        let relations = Relations::new(self.counts);
        let context = GeneratorContext {
            relations: &relations,
            live: self.live,
            own_account: &own_account,
            version: &catalog().version,
        };
        let generators =
            (0..catalog().len()).map(|kind| ObjectGenerator::new(kind, &context)).collect();
        Ok(Account {
            inner: Arc::new(AccountData {
                seed: self.seed,
                live: self.live,
                to,
                hostile_ids: self.custom_ids == CustomIds::Hostile,
                custom_payment_methods: self.custom_payment_methods,
                own_account,
                ids,
                relations,
                timelines,
                plan_and_price,
                sizes: self.sizes,
                generators,
                balance_transactions: Interleave::new(total, &parts),
                clock: Clock::new(),
                changes: RwLock::new(Changes::default()),
                webhook_secrets: WebhookSecrets::default(),
                event_count: watch::Sender::new(0),
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
        if size >= u64::from(FIRST_INSERTED_SUB) {
            self.fail(BuildError::TooMany(format!("{object}.{name}"), size));
        }
        found
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }
}

/// Returns the kinds of plans and prices if each plan has a price. A plan then has the creation
/// time of its price.
fn plan_and_price(counts: &[u64]) -> Option<(Kind, Kind)> {
    let (plan, price) = (catalog().kind("plan")?, catalog().kind("price")?);
    let recurring = counts[price] / 4 * 3 + (counts[price] % 4).min(3);
    (counts[plan] <= recurring).then_some((plan, price))
}
