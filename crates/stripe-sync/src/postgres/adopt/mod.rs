//! Takes over the tables that a TypeScript stripe-sync-engine made, in place, with every row.
//!
//! First everything is looked at and anything that could not survive stops it by name; then the
//! whole change is rehearsed on empty copies and rolled back; only then each table is changed, in
//! a transaction of its own. A crash in between leaves some tables taken over and the others as
//! they were; the next `migrate` goes on with those.

mod change;
mod describe;
mod enum_order;
mod judge;
mod rehearse;
mod statements;
mod survey;
mod takeover;
mod validate;
mod views;

pub use describe::{Adoption, AdoptionTable, KeptForeignKey};

/// What every error here begins with.
const DOING: &str = "cannot take over the tables of the other engine";

/// The 25 tables of the two npm libraries, and `invoice_payments` of Supabase's. A table of
/// another name was not made by them, whatever its shape.
const THEIRS: [&str; 26] = [
    "active_entitlements",
    "charges",
    "checkout_session_line_items",
    "checkout_sessions",
    "coupons",
    "credit_notes",
    "customers",
    "disputes",
    "early_fraud_warnings",
    "events",
    "features",
    "invoice_payments",
    "invoices",
    "payment_intents",
    "payment_methods",
    "payouts",
    "plans",
    "prices",
    "products",
    "refunds",
    "reviews",
    "setup_intents",
    "subscription_items",
    "subscription_schedules",
    "subscriptions",
    "tax_ids",
];

/// Foreign keys that their migrations make: table, column, table referred to. They would refuse
/// an item whose price comes later, so they go.
const THEIR_FOREIGN_KEYS: [(&str, &str, &str); 8] = [
    ("checkout_session_line_items", "price", "prices"),
    ("checkout_session_line_items", "checkout_session", "checkout_sessions"),
    ("subscriptions", "customer", "customers"),
    ("prices", "product", "products"),
    ("invoices", "customer", "customers"),
    ("invoices", "subscription", "subscriptions"),
    ("subscription_items", "price", "prices"),
    ("subscription_items", "subscription", "subscriptions"),
];

/// Their unique constraints besides the primary key: one customer's feature would refuse
/// another's.
const THEIR_UNIQUE: [(&str, &str); 2] =
    [("features", "lookup_key"), ("active_entitlements", "lookup_key")];

/// The trigger that would touch `updated_at` with every stamp.
const THEIR_TRIGGER: (&str, &str) = ("handle_updated_at", "set_updated_at");
