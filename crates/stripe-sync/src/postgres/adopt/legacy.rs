//! What the TypeScript engines create besides rows: names of tables, keys and triggers.

/// The 25 tables of the two npm libraries, and `invoice_payments` of Supabase's. A table with
/// another name was not created by these engines, regardless of its columns.
pub(super) const TABLES: [&str; 26] = [
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

/// Foreign keys: table, column, table referred to. They would reject an item that is written before
/// its price, so they are dropped.
const FOREIGN_KEYS: [(&str, &str, &str); 8] = [
    ("checkout_session_line_items", "price", "prices"),
    ("checkout_session_line_items", "checkout_session", "checkout_sessions"),
    ("subscriptions", "customer", "customers"),
    ("prices", "product", "products"),
    ("invoices", "customer", "customers"),
    ("invoices", "subscription", "subscriptions"),
    ("subscription_items", "price", "prices"),
    ("subscription_items", "subscription", "subscriptions"),
];

/// Unique constraints besides the primary key. They allow a feature for one customer only, so they
/// are dropped.
const UNIQUE_COLUMNS: [(&str, &str); 2] =
    [("features", "lookup_key"), ("active_entitlements", "lookup_key")];

/// The trigger that sets `updated_at` on every update, and its function. It is dropped, because an
/// update of the stamp alone must not change `updated_at`.
pub(super) const TRIGGER: (&str, &str) = ("handle_updated_at", "set_updated_at");

/// Whether the migrations of these engines create this foreign key.
pub(super) fn has_foreign_key(table: &str, columns: &[String], to: &str) -> bool {
    FOREIGN_KEYS.iter().any(|(from, column, parent)| {
        *from == table && columns == [(*column).to_owned()] && *parent == to
    })
}

/// Whether the migrations of these engines create a unique constraint on these columns.
pub(super) fn has_unique_constraint(table: &str, columns: &[String]) -> bool {
    UNIQUE_COLUMNS.iter().any(|(name, column)| *name == table && columns == [(*column).to_owned()])
}
