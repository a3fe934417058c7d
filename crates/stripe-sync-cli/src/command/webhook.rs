//! `stripe-sync webhook`: creates, lists and deletes the endpoints to which Stripe sends webhooks.

use serde_json::{Value, json};
use stripe_sync::{Config, CreatedEndpoint, EndpointUrl, WebhookEndpoint, WebhookEndpoints};

use crate::args::{Webhook, WebhookCreate, WebhookDelete};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::table::{self, TextTable};
use crate::{number, ui};

pub(super) async fn run(args: &Webhook, context: &CommandContext) -> Result<Exit, Failure> {
    let stripe = StripeSettings::resolve(&context.connection, &context.environment)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let mut config = database.config("");
    stripe.add_to(&mut config);
    match args {
        Webhook::Create(args) => create(args, &config, context).await,
        Webhook::List => list(&config, context).await,
        Webhook::Delete(args) => delete(args, &config, context).await,
    }
}

async fn create(
    args: &WebhookCreate,
    config: &Config,
    context: &CommandContext,
) -> Result<Exit, Failure> {
    let url = EndpointUrl::parse(&args.url, config)
        .map_err(|error| Failure::split_hint(Exit::Usage, &error).in_setting("--url"))?;
    let endpoints = WebhookEndpoints::open(config).await?;
    let created = endpoints.create(&url).await?;
    match context.is_json() {
        true => ui::json(&created_json(&created))?,
        false => ui::data(&created_text(&created))?,
    }
    let CreatedEndpoint { endpoint, secret, .. } = &created;
    ui::note(match secret {
        Some(_) => {
            "Stripe shows the secret only once; give it to the program that receives the \
             webhooks, as STRIPE_WEBHOOK_SECRET"
        }
        None => {
            "the Dashboard shows the signing secret of this endpoint under Developers, Webhooks"
        }
    });
    let wanted = endpoints.api_version();
    if endpoint.api_version.as_deref() == Some(wanted) {
        return Ok(Exit::Complete);
    }
    let id = &endpoint.id;
    ui::warning(&format!(
        "the API version of this endpoint is not {wanted}, so each event costs an additional \
         request; to replace the endpoint, run `stripe-sync webhook delete {id}` and then this \
         command again"
    ));
    Ok(Exit::Incomplete)
}

fn created_text(created: &CreatedEndpoint) -> String {
    let CreatedEndpoint { endpoint, change, secret, .. } = created;
    let mut text = format!(
        "endpoint  {} ({})\nurl       {}\nevents    {}\nversion   {}\n",
        endpoint.id,
        change.as_str(),
        table::clean(&endpoint.url),
        events(endpoint),
        table::clean(version(endpoint)),
    );
    if let Some(secret) = secret {
        text.push_str(&format!("secret    {}\n", secret.expose()));
    }
    text
}

fn created_json(created: &CreatedEndpoint) -> Value {
    let CreatedEndpoint { endpoint, change, secret, .. } = created;
    let mut value = as_json(endpoint);
    value["change"] = change.as_str().into();
    value["secret"] = secret.as_ref().map(|secret| secret.expose()).into();
    value
}

async fn list(config: &Config, context: &CommandContext) -> Result<Exit, Failure> {
    let endpoints = WebhookEndpoints::open(config).await?.list().await?;
    if context.is_json() {
        let endpoints: Vec<Value> = endpoints.iter().map(as_json).collect();
        ui::json(&json!({ "endpoints": endpoints }))?;
        return Ok(Exit::Complete);
    }
    if endpoints.is_empty() {
        ui::note("no webhook endpoints; `stripe-sync webhook create --url <URL>` creates one");
        return Ok(Exit::Complete);
    }
    let mut table = TextTable::new(&["id", "url", "status", "version", "events"], &[]);
    for endpoint in &endpoints {
        let WebhookEndpoint { id, url, status, .. } = endpoint;
        table.row([id, url, status, version(endpoint), &events(endpoint)]);
    }
    ui::styled(&table.finish())?;
    Ok(Exit::Complete)
}

async fn delete(
    args: &WebhookDelete,
    config: &Config,
    context: &CommandContext,
) -> Result<Exit, Failure> {
    let id = &args.id;
    WebhookEndpoints::open(config).await?.delete(id).await?;
    match context.is_json() {
        true => ui::json(&json!({ "id": id, "deleted": true }))?,
        false => ui::data(&format!("deleted {id}\n"))?,
    }
    Ok(Exit::Complete)
}

/// How many types of events are sent, and how many are missing.
fn events(endpoint: &WebhookEndpoint) -> String {
    let sent = match endpoint.enabled_events.iter().any(|event| event == "*") {
        true => "all types".to_owned(),
        false => number::quantity(endpoint.enabled_events.len(), "type"),
    };
    match endpoint.missing_events().len() {
        0 => sent,
        missing => format!("{sent}, {missing} missing"),
    }
}

fn version(endpoint: &WebhookEndpoint) -> &str {
    endpoint.api_version.as_deref().unwrap_or("account default")
}

fn as_json(endpoint: &WebhookEndpoint) -> Value {
    json!({
        "id": endpoint.id,
        "url": endpoint.url,
        "status": endpoint.status,
        "api_version": endpoint.api_version,
        "enabled_events": endpoint.enabled_events,
        "missing_events": endpoint.missing_events(),
    })
}
