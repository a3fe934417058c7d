//! Webhook endpoints: `/v1/webhook_endpoints`, and the signed deliveries to them.

mod delivery;
mod endpoint;
mod form;
mod indent;
mod options;
mod send;
mod signature;

pub use delivery::DeliveryCounts;
pub(crate) use delivery::{Progress, deliver};
pub use endpoint::WebhookEndpoint;
pub(crate) use form::write_endpoint;
pub use options::WebhookOptions;
pub use send::can_deliver_to;
pub use signature::webhook_signature;
